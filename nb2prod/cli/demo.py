"""`nb2prod demo`: an example notebook from its cells to answers, or opened in JupyterLab to be tried by hand."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nb2prod.cli.output import common_options, note, print_json, print_text
from nb2prod.errors import EnvironmentProblem, InputError

if TYPE_CHECKING:
    from nb2prod.notebook import Notebook

_PREFERRED = ("flight_delay", "breast_cancer")
"""The second needs nothing but what nb2prod itself needs."""
_SHOWN = 3
_READY_SECONDS = 60.0
_FOLDER = Path("nb2prod-demo")


@click.command(short_help="Build, prove, serve and ask an example.")
@click.argument("example", metavar="[EXAMPLE]", required=False)
@click.option(
    "--notebook", "in_jupyterlab", is_flag=True, help="Open it in JupyterLab instead, to be built from there."
)
@click.option("--copy", "only_copy", is_flag=True, help="Only put the example and its data into the folder.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help=f"Where the example and its data are put and stay (with --notebook or --copy: {_FOLDER} by default).",
)
@click.option("--lab-option", "lab_options", multiple=True, metavar="OPTION", help="For JupyterLab, as --no-browser.")
@common_options
def demo(
    example: str | None,
    *,
    in_jupyterlab: bool,
    only_copy: bool,
    folder: Path | None,
    lab_options: tuple[str, ...],
    as_json: bool,
    debug: bool,  # noqa: ARG001 (read by `main`)
) -> int:
    """Build an example notebook, prove it, serve it, and ask it for rows whose answers the notebook knows.

    Its Bento is gone afterwards, and nothing is left behind; with --folder the notebook stays. EXAMPLE names another
    than the first whose libraries are installed.
    """
    if only_copy:
        path = _kept(_chosen(example), folder)
        if as_json:
            print_json({"notebook": str(path)})
        else:
            print_text(str(path))
        return 0
    if in_jupyterlab:
        path = _kept(_chosen(example), folder)
        _open(path, lab_options, as_json=as_json)
        return 0
    if lab_options:
        raise InputError("--lab-option is for JupyterLab", "Add --notebook.")
    with tempfile.TemporaryDirectory(prefix="nb2prod-demo-") as scratch, _own_home(Path(scratch)):
        path = _copied(_chosen(example), folder or Path(scratch))
        return _run(path, as_json=as_json)


def names() -> tuple[str, ...]:
    """The examples, the preferred first."""
    from nb2prod import shipped

    found = sorted(path.stem for path in shipped.examples().glob("*.ipynb"))
    return tuple(sorted(found, key=lambda name: (name not in _PREFERRED, name != _PREFERRED[0])))


def _chosen(example: str | None) -> Path:
    from nb2prod import shipped

    root = shipped.examples()
    if example is not None:
        name = example.removesuffix(".ipynb")
        if name not in names():
            raise InputError(f"there is no example {example!r}", f"There are: {', '.join(names())}.")
        return root / f"{name}.ipynb"
    for name in _PREFERRED:
        missing = _missing(root / f"{name}.ipynb")
        if not missing:
            return root / f"{name}.ipynb"
        note(
            f"{name}.ipynb needs {', '.join(missing)}, not installed here (pip install 'nb2prod[examples]'); taking another."
        )
    raise EnvironmentProblem(
        "no example can be run here: their libraries are not installed", "pip install 'nb2prod[examples]'"
    )


def _missing(path: Path) -> list[str]:
    """The modules that the notebook imports and this environment lacks."""
    import ast

    from nb2prod.notebook import load

    statements = [item.node for cell in load(path).code_cells for item in cell.statements]
    modules = [alias.name for node in statements if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module or "" for node in statements if isinstance(node, ast.ImportFrom)]
    wanted = dict.fromkeys(name.partition(".")[0] for name in modules if name)
    return [name for name in wanted if importlib.util.find_spec(name) is None]


def _kept(notebook: Path, folder: Path | None) -> Path:
    """The notebook in the folder that was named, or else where it was put before: the current folder, or that of the demo."""
    return _copied(notebook, folder or (Path() if Path(notebook.name).exists() else _FOLDER))


def _copied(notebook: Path, folder: Path) -> Path:
    """The notebook, with the tables that it reads, in this folder; what is there already stays as it is."""
    target = folder / notebook.name
    try:
        text = notebook.read_text(encoding="utf-8")
        tables = [file for file in sorted((notebook.parent / "data").iterdir()) if file.name in text]
        for file in (notebook, *tables):
            place = target if file == notebook else folder / "data" / file.name
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                shutil.copyfile(file, place)
    except OSError as error:
        raise EnvironmentProblem(
            f"the example can't be written to {folder}: {error.strerror or error}",
            "Name another place: --folder FOLDER",
        ) from error
    return target


@contextlib.contextmanager
def _own_home(scratch: Path) -> Iterator[None]:
    """Releases and Bentos of the demo are no business of the user's."""
    before = {name: os.environ.get(name) for name in ("NB2PROD_HOME", "BENTOML_HOME")}
    os.environ.update({"NB2PROD_HOME": str(scratch / "home"), "BENTOML_HOME": str(scratch / "bentoml")})
    (scratch / "bentoml").mkdir()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _open(path: Path, options: Sequence[str], *, as_json: bool) -> None:
    if importlib.util.find_spec("jupyterlab") is None:
        raise EnvironmentProblem(
            "JupyterLab is not installed here", "pip install jupyterlab, or run the demo without --notebook."
        )
    command = [sys.executable, "-m", "jupyterlab", str(path), *options]
    if as_json:
        print_json({"notebook": str(path.absolute()), "command": command})
        sys.stdout.flush()
    else:
        note(f"{path} opens in JupyterLab: its nb2prod panel is at the left (Ctrl-C here ends it).")
    # JupyterLab takes this process's place, so that signals and the exit code are its own.
    os.execv(sys.executable, command)  # noqa: S606 (a shell is not wanted)


@dataclass(frozen=True)
class _Asked:
    """What went to the service and came back, beside what the notebook said."""

    rows: list[dict[str, Any]]
    answer: Mapping[str, Any]
    expected: list[Any]
    milliseconds: float


def _run(path: Path, *, as_json: bool) -> int:
    from nb2prod.cli.app import main
    from nb2prod.notebook import load
    from nb2prod.release import records

    say = note if as_json else print_text
    say(_introduction(load(path)))
    say(f"\n$ nb2prod build {path.name}\n")
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        code = main(["build", str(path)])
    if code:
        return code
    (record,) = records.records()
    port = _free_port()
    say(f"\n$ nb2prod serve {record.name} --port {port}")
    asked = _ask(record.bento, port)
    equal = asked.answer.get("predictions") == asked.expected
    if as_json:
        made = {"bento": record.bento, "rows": asked.rows, "answer": asked.answer, "expected": asked.expected}
        print_json({**made, "equal": equal, "milliseconds": round(asked.milliseconds, 1)})
        return 0 if equal else 1
    print_text("\n".join(_told(asked, port, equal=equal)))
    return 0 if equal else 1


def _told(asked: _Asked, port: int, *, equal: bool) -> Iterator[str]:
    yield f"\n$ curl localhost:{port}/predict -H 'content-type: application/json' -d '{{\"rows\": [...]}}'\n"
    for row in asked.rows:
        yield f"  {_short(json.dumps(row, ensure_ascii=False))}"
    yield ""
    yield json.dumps(asked.answer, ensure_ascii=False, indent=1)
    same = "the same" if equal else "NOT THE SAME"
    yield f"\nAnswered in {asked.milliseconds:.0f} ms; the notebook said {asked.expected}: {same}."
    yield "The demo's Bento and its report are gone now. Next, with a notebook of yours:"
    yield "  nb2prod suggest my_notebook.ipynb --write\n  nb2prod build my_notebook.ipynb"
    yield "or this one in JupyterLab:\n  nb2prod demo --notebook"


def _short(text: str, width: int = 160) -> str:
    return text if len(text) <= width else f"{text[: width - 4]} ..."


def _introduction(notebook: Notebook) -> str:
    from nb2prod.notebook import ROLES

    cells = {role: [str(cell.number) for cell in notebook.with_role(role)] for role in ROLES}
    told = [f"{role} {', '.join(numbers)}" for role, numbers in cells.items() if numbers]
    return f"{notebook.name}: {len(notebook.cells)} cells, tagged {'; '.join(told)}. Nothing else of it was prepared."


def _ask(bento: str, port: int) -> _Asked:
    """Serve the Bento, and send it rows that the notebook predicted."""
    from nb2prod.parity import cases
    from nb2prod.release import records

    known = cases.read(records.find(bento).path("cases.json"))
    rows = [dict(row) for row in known.rows[:_SHOWN]]
    command = [sys.executable, "-m", "nb2prod", "serve", bento, "--port", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True) as server:
        try:
            _until_ready(f"http://127.0.0.1:{port}/readyz", server)
            started = time.perf_counter()
            answer = _post(f"http://127.0.0.1:{port}/predict", {"rows": rows})
            spent = 1000 * (time.perf_counter() - started)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
    return _Asked(rows, answer, list(known.expected[:_SHOWN]), spent)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 (an address of our own)
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
    raise EnvironmentProblem(
        "the demo's server did not become ready", "Run `nb2prod build` and `nb2prod serve` by hand to see what it says."
    )


def _post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.loads(answer.read())
