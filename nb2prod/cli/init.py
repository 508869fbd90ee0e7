"""`nb2prod init`: an annotated nb2prod.toml from what the notebooks show."""

from __future__ import annotations

import json
import re
import textwrap
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nb2prod import git
from nb2prod.cli.output import common_options, note, print_json, print_text
from nb2prod.errors import EnvironmentProblem, InputError, Nb2ProdError

if TYPE_CHECKING:
    from nb2prod.forecast import Forecast
    from nb2prod.notebook import Notebook

_HEAD = """\
# What the notebooks of this folder alone can't tell nb2prod. Keys up here hold for all of them, a table for the notebook
# of its name; a flag of `nb2prod build` wins over both. A line that begins with # shows what nb2prod found, or does by
# itself: take the # away to change it. Every key: nb2prod explain options
"""


@click.command(short_help="Write an annotated nb2prod.toml.")
@click.argument("notebooks", metavar="[NB]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--owner", metavar="WHO", help="Who answers for the models; goes on each card.")
@click.option("--print", "only_print", is_flag=True, help="Print it instead of writing it.")
@common_options
def init(
    notebooks: tuple[Path, ...],
    *,
    owner: str | None,
    only_print: bool,
    as_json: bool,
    debug: bool,  # noqa: ARG001 (read by `main`)
) -> None:
    """Write nb2prod.toml beside the notebooks, with what each of them shows; runs nothing.

    Without NB: the notebooks of this folder that have a cell tagged predict. In a file that is there already, only
    what it lacks is added.
    """
    from nb2prod.config import FILE_NAME

    found = _chosen(notebooks)
    folder = found[0].path.parent
    if any(item.path.parent != folder for item in found):
        raise InputError(
            "the notebooks lie in several folders", "Each folder has its own nb2prod.toml: name its notebooks."
        )
    target = folder / FILE_NAME
    old = _old(target)
    added = [item for item in found if not _has_table(old, item)]
    text = old + ("\n" if old and not old.endswith("\n") else "") + _text(added, head=not old, owner=owner)
    if only_print:
        print_text(text.rstrip("\n"))
        return
    if added or not old:
        _write(target, text)
    names = [item.name for item in added]
    if as_json:
        print_json({"file": str(target), "new": not old, "notebooks": names, "text": text})
    elif not added:
        print_text(f"{target} has a table for each notebook already; nothing was changed.")
    else:
        print_text(f"{'Added to' if old else 'Wrote'} {target}: {', '.join(names)}")
        note(f"Look it through, then: nb2prod build {names[0]}")


def _chosen(paths: Sequence[Path]) -> list[Notebook]:
    from nb2prod.notebook import load

    if paths:
        return [load(path) for path in paths]
    here = sorted(Path.cwd().glob("*.ipynb"))
    found = []
    for path in here:
        try:
            item = load(path)
        except Nb2ProdError:
            continue  # no notebook of ours; `check` would say why
        if item.with_role("predict"):
            found.append(item)
    if not found and here:
        raise InputError(
            f"no notebook of {Path.cwd()} has a cell tagged 'predict'",
            f"Have tags proposed: nb2prod suggest {here[0].name} --write",
        )
    if not found:
        raise InputError(
            f"{Path.cwd()} has no notebook", "Go to the folder of one, or name it: nb2prod init my_notebook.ipynb"
        )
    return found


def _old(target: Path) -> str:
    if not target.is_file():
        return ""
    try:
        text = target.read_text(encoding="utf-8")
        tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"{target} can't be read: {error}", "Mend it, or move it away and run `nb2prod init` again."
        ) from error
    return text


def _has_table(text: str, notebook: Notebook) -> bool:
    stem, name = re.escape(notebook.path.stem), re.escape(notebook.name)
    return re.search(rf"""(?m)^\s*\[\s*["']?({stem}|{name})["']?\s*[\].]""", text) is not None


def _text(notebooks: Sequence[Notebook], *, head: bool, owner: str | None) -> str:
    lines = []
    if head:
        lines += [
            _HEAD.rstrip("\n"),
            "",
            "# Who answers for the models: on the card, in /signature, and needed to deploy.",
        ]
        lines += [
            f"owner = {_toml(owner)}" if owner else f"# owner = {_toml(git.setting('user.email') or 'you@example.org')}"
        ]
        lines += ["# What to do when a model misbehaves.", '# runbook = "https://wiki.example.org/my-model"']
        lines += ["", "# How models are served, which is part of each Bento; more: nb2prod explain decisions"]
        lines += ["# [serving]", *_serving()]
    for notebook in notebooks:
        lines += ["", *_table(notebook)]
    return "\n".join(lines) + "\n"


def _table(notebook: Notebook) -> Iterator[str]:
    from nb2prod.config import Options, bento_name, load
    from nb2prod.forecast import forecast

    key = _key(notebook.path.stem)
    shown = forecast(notebook, load(notebook.path) if (notebook.path.parent / "nb2prod.toml").is_file() else Options())
    yield f"[{key}]"
    yield from _aligned(_options(notebook, shown, bento_name(notebook.path, Options())))


def _options(notebook: Notebook, shown: Forecast, name: str) -> Iterator[tuple[str, str]]:
    """Each key with its value as a comment, and what stands behind it."""
    yield f"# name = {_toml(name)}", "of the Bento"
    if shown.raw_table:
        place = shown.raw_table
        yield f"# raw_table = {_toml(place.name)}", f"the variable that holds it: cell {place.cell}, line {place.line}"
    if shown.prediction and shown.prediction.name.isidentifier():
        place = shown.prediction
        yield (
            f"# prediction = {_toml(place.name)}",
            f"the variable that is served: cell {place.cell}, line {place.line}",
        )
    if shown.target:
        yield f"# target = {_toml(list(shown.target))}", "raw columns that a request does not have"
    yield "# fields = []", "raw columns that a request has; found by changing them in the run"
    for item in {(item.cell, item.line): item for item in shown.filters}.values():
        source = " ".join(item.source.split())
        yield f"# filters.{item.cell}.{item.line} = {_toml(item.kind)}", f"{source[:60]}: {item.reason}"
    yield from _parameters(notebook)
    yield f"# kernel = {_toml(notebook.kernel)}", "the kernel that the notebook is run on"
    yield "# timeout = 3600", "seconds that one cell may take; no limit by default"
    yield "# tolerance = 1e-9", "relative difference up to which two numbers are equal"


def _parameters(notebook: Notebook) -> Iterator[tuple[str, str]]:
    from nb2prod import early

    cell = early.parameters_cell(notebook)
    for name, source in early.parameters(notebook).items():
        value = _literal(source)
        if cell is not None and value is not None:
            yield f"# parameters.{_key(name)} = {value}", f"cell {cell.number}"


def _literal(source: str) -> str | None:
    """A Python literal as TOML; None for what is none."""
    import ast

    try:
        value = ast.literal_eval(source)
    except (ValueError, SyntaxError):
        return None
    return _toml(value) if isinstance(value, (bool, int, float, str)) else None


def _serving() -> Iterator[str]:
    from nb2prod.runtime.options import Options as Serving

    rows = []
    for name, value, about, _ in Serving().explained():
        shown = _toml(list(value) if isinstance(value, tuple) else value) if value is not None else '"/path/to/keys"'
        rows.append((f"# {name} = {shown}", textwrap.shorten(about, 90, placeholder=" ...")))
    yield from _aligned(rows)


def _aligned(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    listed = list(rows)
    width = min(max(len(left) for left, _ in listed), 40)
    for left, right in listed:
        yield f"{left.ljust(width)}  # {right}"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _toml(value: object) -> str:
    """As TOML: texts and lists as in JSON, booleans and numbers too."""
    return json.dumps(value, ensure_ascii=False)


def _write(target: Path, text: str) -> None:
    try:
        target.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise EnvironmentProblem(f"{target} can't be written: {error.strerror or error}") from error
