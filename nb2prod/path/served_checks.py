"""What served code may not do, found in the generated modules: draw random numbers, look at the clock, read files row by row."""

from __future__ import annotations

import ast

from nb2prod.diagnostics import Diagnostic
from nb2prod.notebook import Notebook
from nb2prod.path.composition import Composition
from nb2prod.path.scopes import Namespace
from nb2prod.path.walk import Walk
from nb2prod.recording.trace import Recording

CLOCK = frozenset({"now", "today", "utcnow"})
READERS = frozenset(
    "read_csv read_excel read_parquet read_json read_feather read_table read_text read_bytes imread loadtxt genfromtxt".split()
)
ELSEWHERE = frozenset({"getenv", "urlopen"})
RANDOM = ("np.random.", "numpy.random.", "random.")

_RANDOM = ("F11", "A random number is drawn here: no service can draw the number that training drew.",
           "Leave the random value out, or derive it from the row itself.")  # fmt: skip
_CLOCK = ("F11", "The present time is a feature here: a request would be answered as of the day of training, or of another day.",
          "Put the date of reference into a column of the raw table, or write it down as a fixed value.")  # fmt: skip
_HASH = ("F11", "`hash()` gives another number in every process.", "Use a hash that is fixed, for example zlib.crc32(text.encode()).")  # fmt: skip
_ELSEWHERE = ("F11", "This reads the environment or the network while rows are served.",
              "Read it once, before the features are computed, and keep the value in a variable.")  # fmt: skip
_FILE = ("N10", "A file is read while rows are served, and a service does not have it.",
         "Load what is needed of it once, into a table or a dict, and look it up here.")  # fmt: skip


def check(recording: Recording, walk: Walk, composition: Composition) -> tuple[Diagnostic, ...]:
    """The errors of the served code, each at the notebook's own line."""
    found: dict[tuple[str, int | None, int | None], Diagnostic] = {}
    for source in (composition.features, composition.predict):
        for node in ast.walk(ast.parse(source)):
            verdict = _verdict(node) if isinstance(node, ast.Call) else None
            if verdict is not None and isinstance(node, ast.Call):
                made = _at(recording.notebook, verdict, f"{ast.unparse(node.func)}(")
                found.setdefault((made.code, made.cell, made.line), made)
    for made in from_calls(recording, walk, _CLOCK):
        found.setdefault((made.code, made.cell, made.line), made)
    return tuple(found.values())


def _verdict(node: ast.Call) -> tuple[str, str, str] | None:
    name = ast.unparse(node.func)
    last = name.rsplit(".", 1)[-1]
    if name == "hash":
        return _HASH
    if name.startswith(RANDOM):
        return _RANDOM
    if (last in CLOCK and "." in name) or name == "time.time":
        return _CLOCK
    if name == "open" or last in READERS or name in ("np.load", "joblib.load", "pickle.load"):
        return _FILE
    if last in ELSEWHERE or name.startswith(("requests.", "os.environ")):
        return _ELSEWHERE
    return None


def _at(notebook: Notebook, verdict: tuple[str, str, str], text: str) -> Diagnostic:
    code, message, hint = verdict
    for cell in notebook.code_cells:
        for number, line in enumerate(cell.source.splitlines(), start=1):
            if text in line and not line.lstrip().startswith("#"):
                return Diagnostic(code, "error", message, hint, cell.number, number, line.strip())
    return Diagnostic(code, "error", message, hint)


def random_values(recording: Recording, walk: Walk) -> list[Diagnostic]:
    """Captured values that were drawn at random: said where the replay shows that they belong to training's rows."""
    return from_calls(recording, walk, _RANDOM)


def from_calls(recording: Recording, walk: Walk, verdict: tuple[str, str, str]) -> list[Diagnostic]:
    """A captured value that the notebook made by a call of this kind, each at its line."""
    namespace = Namespace(recording)
    out = []
    for step in walk.kept.values():
        covered = walk.covered(step)
        tree, statement = recording.statement(step.k)
        names = {r.name for r in step.reads if r.kind == "value" and r.node not in covered}
        definitions = [d for n in sorted(names) if (d := namespace.find(n, tree.number)) is not None]
        places = [(d.tree, d.node) for d in definitions] + [(tree, statement)]
        for where, node in places:
            for call in ast.walk(node):
                if not isinstance(call, ast.Call) or _verdict(call) is not verdict:
                    continue
                if where is tree and tree.index.get(call) in covered:
                    continue
                code, message, hint = verdict
                out.append(Diagnostic(code, "error", message, hint, *where.place(call)))
    return out
