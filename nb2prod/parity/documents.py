"""The report's written forms: parity.json, parity.ipynb run by papermill, its HTML by nbconvert, JUnit's XML."""

from __future__ import annotations

import html
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nb2prod.errors import EnvironmentProblem
from nb2prod.parity import junit
from nb2prod.parity.report import ParityReport

JSON, NOTEBOOK, HTML, JUNIT = "parity.json", "parity.ipynb", "parity.html", "parity.xml"

_TEMPLATES = Path(__file__).with_name("templates")
_SECONDS = 120


def write(report: ParityReport, folder: Path) -> None:
    """Write all forms of the report into `folder`, which must be there.

    Raises `OSError` where the disk refuses, `EnvironmentProblem` where the notebook can't be run or rendered.
    """
    write_json(report, folder / JSON)
    (folder / JUNIT).write_text(junit.render(report), encoding="utf-8", newline="\n")
    notebook = _run(folder)
    (folder / NOTEBOOK).write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    title = f"Parity of {report.what}"
    (folder / HTML).write_text(page(title, _body(folder / NOTEBOOK)), encoding="utf-8", newline="\n")


def write_json(report: ParityReport, path: Path) -> None:
    """Write parity.json alone; raises `OSError`."""
    text = json.dumps(report.to_json(), ensure_ascii=False, allow_nan=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _run(folder: Path) -> dict[str, Any]:
    """The template, run in `folder`, without the paths of this machine that papermill notes."""
    import papermill

    logging.getLogger("papermill").setLevel(logging.ERROR)
    output = folder / f".{NOTEBOOK}"
    try:
        papermill.execute_notebook(
            str(_TEMPLATES / NOTEBOOK),
            str(output),
            cwd=str(folder),
            kernel_name="python3",
            progress_bar=False,
            log_output=False,
            request_save_on_cell_execute=False,
            start_timeout=_SECONDS,
            execution_timeout=_SECONDS,
            # The kernel would write its own warnings into the terminal.
            extra_arguments=["--log-level=50"],
        )
        notebook: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    except OSError:
        raise
    except Exception as error:
        raise EnvironmentProblem(
            f"the parity report's notebook can't be run: {_reason(error)}",
            "It runs in the kernel python3 of the environment that nb2prod is installed in: is ipykernel there?",
        ) from error
    finally:
        output.unlink(missing_ok=True)
    return _without_paths(notebook)


def _reason(error: Exception) -> str:
    """In a line: of an error in a cell not the listing that papermill makes of it."""
    from papermill.exceptions import PapermillExecutionError

    if isinstance(error, PapermillExecutionError):
        return f"{error.ename}: {error.evalue}"
    return (
        f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no reason was given'}"
    )


def _without_paths(notebook: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in notebook["metadata"].items() if name != "papermill"}
    cells = [
        {**cell, "metadata": {name: value for name, value in cell["metadata"].items() if name in ("tags", "editable")}}
        for cell in notebook["cells"]
    ]
    return {**notebook, "metadata": kept, "cells": cells}


def _body(notebook: Path) -> str:
    # nbconvert would otherwise look for its templates below a home folder that may not be writable.
    os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="basic", exclude_input=True, exclude_input_prompt=True, exclude_output_prompt=True
    )
    body, _ = exporter.from_filename(str(notebook))
    return str(body)


def page(title: str, body: str) -> str:
    """A page in the report's style that stands alone: no script, nothing fetched. `title` is text, `body` is HTML."""
    template = (_TEMPLATES / "page.html").read_text(encoding="utf-8")
    return template.replace("{{ title }}", html.escape(title)).replace("{{ body }}", body)
