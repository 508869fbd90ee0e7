"""Run a notebook once by papermill, recorded."""

from __future__ import annotations

import contextlib
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nb2prod import room
from nb2prod.config import Options
from nb2prod.diagnostics import Diagnostic
from nb2prod.errors import EnvironmentProblem, Refused
from nb2prod.notebook import Cell, Notebook
from nb2prod.progress import Progress
from nb2prod.recording import bootstrap, loading
from nb2prod.recording.kernel.numbering import digest
from nb2prod.recording.trace import Recording

if TYPE_CHECKING:
    from nb2prod.recording.engine import Kernel

T = TypeVar("T")
FINISH = "__import__('builtins').__nb2prod__.finish()"
INJECTED = "injected-parameters"


def record(
    notebook: Notebook,
    options: Options,
    folder: Path,
    progress: Progress,
    then: Callable[[Recording, Kernel], T],
    lent: Path | None = None,
) -> T:
    """Run `notebook` with the recorder and call `then` with the recording while the kernel is still alive.

    `folder` receives tables, snapshots, trace and `executed.ipynb`. The kernel runs in the notebook's own folder.
    `lent` is a folder of packages that the recorder may use where the kernel lacks one.
    Raises `Refused` (N4 a cell raised, N9 the kernel died), `EnvironmentProblem` (the kernel isn't installed,
    the disk is full).
    """
    from nb2prod.recording import engine  # papermill's import takes seconds: only a build pays for it

    folder.mkdir(parents=True, exist_ok=True)
    outcome: list[T] = []
    client: list[Any] = []

    def after(kernel: Kernel) -> None:
        kernel.run(FINISH)
        recording = loading.load(folder, notebook, executed_cells(client[0], notebook))
        # The notebook ran on all the same, but what it read is not all there.
        unsaved = (str(entry.get("unsaved", "")) for entry in recording.snapshots.values())
        room.check([*recording.problems, *unsaved], folder)
        try:
            outcome.append(then(recording, kernel))
        except Refused as refused:
            refused.hint = refused.hint or _stumbled(recording.problems)
            raise

    before = bootstrap.source(str(folder), roles_by_digest(notebook), str(lent) if lent else None)
    watch = {"before": before, "on_cell": progress.cell, "after": after}
    with _quiet():
        _run(engine, notebook, options, folder, {**watch, "seen": client, "log": str(folder / "kernel.log")})
    return outcome[0]


def rerun(
    notebook: Notebook,
    options: Options,
    folder: Path,
    job: dict[str, Any],
    then: Callable[[Recording, Kernel], T],
    lent: Path | None = None,
    *,
    anyhow: bool = False,
) -> T:
    """Run the notebook once more, with other values in some rows of its raw table: `job` as `kernel/rerun.py` reads it.

    `then` is called with what this run recorded, as by `record`; with `anyhow` also after a cell has raised. Raises `Refused` where one
    has, otherwise as `record`.
    """
    from nb2prod.recording import engine

    folder.mkdir(parents=True, exist_ok=True)
    outcome: list[T] = []
    client: list[Any] = []

    def after(kernel: Kernel) -> None:
        kernel.run(FINISH)
        outcome.append(then(loading.load(folder, notebook, executed_cells(client[0], notebook)), kernel))

    before = bootstrap.rerun_source(str(folder), roles_by_digest(notebook), job, str(lent) if lent else None)
    watch = {"before": before, "on_cell": lambda _done, _total: None, "after": after}
    if anyhow:
        watch["failed"] = after
    with _quiet():
        try:
            _run(engine, notebook, options, folder, {**watch, "seen": client, "log": str(folder / "kernel.log")})
        except Refused:
            if not outcome:
                raise
    return outcome[0]


def _stumbled(problems: Sequence[str]) -> str:
    """What a reader of a refusal should know of faults that the recorder itself met; empty where it met none."""
    if not problems:
        return ""
    first = problems[0].strip().splitlines()[-1]
    return (
        f"nb2prod itself failed {len(problems)} times while it followed the run (first: {first}), and what is said above may come of that.\n"
        "This is a defect of nb2prod, not of your notebook: please report it."
    )


def _run(engine: Any, notebook: Notebook, options: Options, folder: Path, capture: dict[str, Any]) -> None:
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    kernel = options.kernel or notebook.kernel
    try:
        _execute(engine.ENGINE, notebook, options, folder, capture)
    except PapermillExecutionError as error:
        raise Refused([_raised(notebook, error)]) from error
    except NoSuchKernel as error:
        raise EnvironmentProblem(
            f"the notebook's kernel {kernel!r} is not installed",
            f'Run it on another one: --kernel python3, or kernel = "python3" in nb2prod.toml (`jupyter kernelspec list` names them). Or '
            f"install this one: python -m ipykernel install --user --name {kernel}.",
        ) from error
    except CellTimeoutError as error:
        raise Refused(
            [
                _stopped(
                    notebook,
                    capture,
                    f"did not end within {options.timeout:g} s",
                    "Give it longer with --timeout, or make it do less.",
                )
            ]
        ) from error
    except DeadKernelError as error:
        raise Refused(
            [
                _stopped(
                    notebook,
                    capture,
                    "killed the kernel",
                    "The Python process ended while this cell ran: out of memory, os._exit, or a crash in a library. Run the cell in Jupyter to see which.",
                )
            ]
        ) from error
    except RuntimeError as error:
        # What jupyter_client says of a kernel that dies, or keeps silent, before its first cell.
        if capture["seen"] and capture["seen"][0].current is not None:
            raise
        raise EnvironmentProblem(
            f"the notebook's kernel {kernel!r} does not start: {str(error).rstrip('.')}",
            _last_words(folder / "kernel.log")
            or f"Try it alone: jupyter run --kernel {kernel} with an empty notebook. Another kernel: --kernel NAME.",
        ) from error


def _execute(engine: str, notebook: Notebook, options: Options, folder: Path, capture: dict[str, Any]) -> None:
    import papermill as pm

    extra = {"execution_timeout": int(options.timeout)} if options.timeout else {}
    pm.execute_notebook(
        str(notebook.path),
        str(folder / "executed.ipynb"),
        parameters=dict(options.parameters) or None,
        engine_name=engine,
        # A notebook need not say on what it runs: papermill is told, which would fail on one that doesn't.
        kernel_name=options.kernel or notebook.kernel,
        language=notebook.language,
        progress_bar=False,
        log_output=False,
        request_save_on_cell_execute=False,
        cwd=str(notebook.path.parent),
        capture=capture,
        **extra,
    )


def _last_words(log: Path) -> str:
    """The last lines that a kernel's process wrote, if it wrote any."""
    try:
        lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    # Of a traceback the last line says what it is; the others show code that is not the user's.
    lines = [line for line in lines if not line.startswith((" ", "\t", "Traceback "))]
    return "\n".join(["It said:", *lines[-3:]]) if lines else ""


def _stopped(notebook: Notebook, capture: dict[str, Any], what: str, hint: str) -> Diagnostic:
    running = capture["seen"][0] if capture["seen"] else None
    number = running.current if running is not None else None
    cell = _cells_in_order(notebook, running.nb)[number] if running is not None and number is not None else None
    where = cell.number if cell is not None else None
    return Diagnostic(
        "N9",
        "error",
        f"This cell {what}.",
        hint,
        where,
        1 if where else None,
        cell.text_of(1) if cell is not None else "",
    )


def _raised(notebook: Notebook, error: Any) -> Diagnostic:
    """A cell raised: which, on which line, with the traceback's last lines."""
    cell = None
    for candidate in notebook.code_cells:
        if candidate.source.strip() == str(error.source).strip():
            cell = candidate
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", part) for part in error.traceback]
    lines = [line for part in plain for line in part.splitlines() if line.strip()]
    found = [int(n) for part in plain for n in re.findall(r"^-+> (\d+)", part, flags=re.MULTILINE)[:1]]
    line = found[0] if cell is not None and found and found[0] <= len(cell.source.splitlines()) else None
    last = "\n".join(lines[-4:])
    return Diagnostic(
        "N4",
        "error",
        f"This cell raised {error.ename}: {error.evalue}\n{last}",
        "Run the notebook from top to bottom in Jupyter (Restart Kernel and Run All Cells) until every cell runs, save, and build again.",
        cell.number if cell is not None else None,
        line,
        cell.text_of(line) if cell is not None else "",
    )


def roles_by_digest(notebook: Notebook) -> dict[str, list[str]]:
    """The tags of each cell, by the digest of every tree that the kernel will compile for it."""
    out: dict[str, list[str]] = {}
    for cell in notebook.code_cells:
        for _, tree in loading.compiled_trees(cell):
            mark = digest(tree)
            out[mark] = sorted({*out.get(mark, []), *cell.roles})
    return out


def executed_cells(client: Any, notebook: Notebook) -> list[tuple[str, Cell | None]]:
    """The code cells as executed, each with the notebook's own cell (None: papermill's injected parameters)."""
    cells = _cells_in_order(notebook, client.nb)
    return [(node.source, cell) for node, cell in zip(client.nb.cells, cells, strict=True) if node.cell_type == "code"]


def _cells_in_order(notebook: Notebook, node: Any) -> list[Cell | None]:
    own = iter(notebook.cells)
    return [None if INJECTED in item.metadata.get("tags", []) else next(own) for item in node.cells]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Papermill logs to the root logger and nbformat warns of missing ids: neither is for our reader.

    Nor is what asyncio says of a task whose kernel was ended: it comes when the task is collected, after an interrupt.
    """
    papermill, asyncio = logging.getLogger("papermill"), logging.getLogger("asyncio")
    before = papermill.level, asyncio.level
    papermill.setLevel(logging.ERROR)
    asyncio.setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except KeyboardInterrupt:
            before = before[0], logging.CRITICAL
            raise
        finally:
            papermill.setLevel(before[0])
            asyncio.setLevel(before[1])
