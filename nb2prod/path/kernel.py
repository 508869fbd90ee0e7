"""What the planner asks of the recorded kernel: current globals, empty tables, artifacts written from snapshots."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2prod import room
from nb2prod.errors import Nb2ProdError
from nb2prod.recording import states

if TYPE_CHECKING:
    from nb2prod.recording.engine import Kernel
    from nb2prod.recording.trace import Recording

_ASK = """
def _nb2prod_ask(recorder, request):
    import json, os, pickle, sys
    op, out = request["op"], None
    if op == "globals":
        out = recorder.names_of(request["names"])
    elif op == "empty":
        with open(recorder.raw[request["table"]]["path"], "rb") as stream:
            out = recorder.snapshots.take(pickle.load(stream).iloc[:0])
    elif op == "save":
        sys.path.insert(0, request["runtime"])
        # What writing artifacts takes and the kernel lacks; what it has comes first.
        sys.path.extend(request["lent"])
        try:
            from nb2prod_runtime import artifacts
            out = []
            for job in request["jobs"]:
                try:
                    with open(job["path"], "rb") as stream:
                        value = pickle.load(stream)
                    made = artifacts.save(value, job["name"], __import__("pathlib").Path(request["folder"]))
                    out.append({"file": made.file, "format": made.format, "sha256": made.sha256, "notes": list(made.notes)})
                except Exception as problem:
                    out.append({"problem": f"{type(problem).__name__}: {problem}"})
        finally:
            sys.path[:] = [place for place in sys.path if place not in (request["runtime"], *request["lent"])]
    entries = {n: recorder.snapshots.entries[n] for n in recorder.snapshots.entries}
    with open(request["answer"] + ".part", "w") as stream:
        json.dump({"out": out, "snapshots": entries, "states": recorder.definitions.states}, stream, default=str)
    os.replace(request["answer"] + ".part", request["answer"])
_nb2prod_ask(__import__("builtins").__nb2prod__, __import__("json").loads({payload}))
del _nb2prod_ask
"""


class KernelOracle:
    """Asks the kernel through files; keeps the recording's table of snapshots up to date.

    `lent` are folders of packages that the kernel may use to write artifacts, after its own.
    """

    def __init__(self, kernel: Kernel, recording: Recording, lent: Sequence[Path] = ()) -> None:
        self._kernel, self._recording, self._lent = kernel, recording, lent
        self._known: dict[str, dict[str, Any]] = {}
        self._empty: dict[int, int] = {}
        self._handed: dict[Path, Path] = {}
        self._count = 0

    def _ask(self, **request: Any) -> Any:
        self._count += 1
        answer = self._recording.folder / f"answer{self._count}.json"
        payload = repr(json.dumps({**request, "answer": str(answer)}))
        self._kernel.run(_ASK.replace("{payload}", payload))
        raw = json.loads(answer.read_text())
        self._recording.snapshots.update({int(k): v for k, v in raw["snapshots"].items()})
        self._recording.states.update(states.numbered(raw["states"]))
        return raw["out"]

    def globals(self, names: list[str]) -> dict[str, dict[str, Any]]:
        """Classify the current values of global names, taking snapshots of plain values."""
        unknown = [n for n in names if n not in self._known]
        if unknown:
            self._known.update(self._ask(op="globals", names=unknown))
        return {n: self._known[n] for n in names if n in self._known}

    def empty_table(self, table: int) -> int:
        """A snapshot of a table without its rows."""
        if table not in self._empty:
            self._empty[table] = int(self._ask(op="empty", table=table))
        return self._empty[table]

    def save(self, jobs: list[dict[str, Any]], folder: Path, runtime: Path) -> list[dict[str, Any]]:
        """Write artifacts: each job has `path` (of a snapshot or table) and `name`; each answer `file`, `format`, `sha256`, `notes`, or `problem`.

        Raises `EnvironmentProblem` where the disk is full.
        """
        lent = [str(place) for place in self._lent]
        out: list[dict[str, Any]] = self._ask(op="save", jobs=jobs, folder=str(folder), runtime=str(runtime), lent=lent)
        room.check((job.get("problem", "") for job in out), folder)
        return out

    def hand_over(self, path: Path, runtime: Path) -> Path:
        """A file of the kernel's as one that other environments read: JSON, Parquet or an array where these hold the value.

        Raises `EnvironmentProblem` where the disk is full, `Nb2ProdError` where no format holds it.
        """
        if path not in self._handed:
            folder = self._recording.folder / "handed"
            (made,) = self.save([{"name": path.stem, "path": str(path)}], folder, runtime)
            if "problem" in made:
                raise Nb2ProdError(f"a value of the notebook can't be handed over: {made['problem']}")
            self._handed[path] = folder / made["file"]
        return self._handed[path]


_LOADED = """
def _nb2prod_loaded(path):
    import json, os, sys
    found = {}
    for name, module in list(sys.modules.items()):
        # A folder of modules without an `__init__.py` has a path and no file.
        place = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", None) or ()), None)
        if "." not in name and isinstance(place, str):
            found[name] = os.path.abspath(place)
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(found, stream)
_nb2prod_loaded({path!r})
del _nb2prod_loaded
"""


def loaded_modules(kernel: Kernel, folder: Path) -> dict[str, Path]:
    """The top-level modules that the kernel has loaded from files, each with its file (or its folder); `folder` is where it may write."""
    path = folder / "modules.json"
    kernel.run(_LOADED.replace("{path!r}", repr(str(path))))
    return {name: Path(place) for name, place in json.loads(path.read_text(encoding="utf-8")).items()}
