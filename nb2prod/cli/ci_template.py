"""`nb2prod ci-template`: a workflow that checks, builds and proves the notebooks of a repository."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from nb2prod import __version__
from nb2prod.cli.output import common_options, print_json, print_text
from nb2prod.errors import EnvironmentProblem, InputError

_TEMPLATES = Path(__file__).with_name("templates")
_PLACES = {"github": Path(".github/workflows/nb2prod.yml"), "gitlab": Path(".gitlab-ci.yml")}
_STANDARD_OUTPUT = "-"


@click.command("ci-template", short_help="Write a workflow that builds and proves in your CI.")
@click.argument("system", type=click.Choice(sorted(_PLACES)))
@click.argument("notebooks", metavar="[NB]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--output", metavar="FILE", help="Where to write it, - for standard output; by default where the system looks."
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@common_options
def ci_template(
    system: str,
    notebooks: tuple[Path, ...],
    *,
    output: str | None,
    force: bool,
    as_json: bool,
    debug: bool,  # noqa: ARG001 (read by `main`)
) -> int:
    """Write a workflow that checks, builds and proves notebooks, and keeps each Bento with its report.

    Without NB: the notebooks of this repository that have a cell tagged predict. Run it again when there are more.
    """
    root = _repository(Path.cwd())
    found = [_relative(path, root) for path in notebooks] or list(_tagged(root))
    if not found:
        raise InputError(
            f"no notebook below {root} has a cell tagged 'predict'",
            "Tag one, or name the notebooks: nb2prod ci-template github my_notebook.ipynb",
        )
    text = render(system, found)
    if output == _STANDARD_OUTPUT and not as_json:
        print_text(text.rstrip("\n"))
        return 0
    target = root / _PLACES[system] if output in (None, _STANDARD_OUTPUT) else Path(str(output))
    if output != _STANDARD_OUTPUT:
        _write(target, text, force=force)
    if as_json:
        print_json({"system": system, "file": str(target), "notebooks": found, "text": text})
    else:
        print_text(f"wrote {target} for {len(found)} notebook{'s' * (len(found) > 1)}: {', '.join(found)}")
        print_text("Commit it. What the notebooks import must be in requirements.txt.")
    return 0


def render(system: str, notebooks: Sequence[str]) -> str:
    """The workflow's text for these notebooks, paths from the repository's root."""
    names = _names(notebooks)
    github = [f"          - {{ notebook: {_text(path)}, name: {_text(name)} }}" for path, name in names]
    gitlab = [f"      - NOTEBOOK: {_text(path)}" for path, _ in names]
    filled = {
        "VERSION": __version__,
        "PYTHON": f"{sys.version_info.major}.{sys.version_info.minor}",
        "GITHUB_MATRIX": "\n".join(github),
        "GITLAB_MATRIX": "\n".join(gitlab),
    }
    template = (_TEMPLATES / f"{system}.yml").read_text(encoding="utf-8")
    return re.sub(r"@([A-Z_]+)@", lambda mark: filled[mark[1]], template)


def _text(value: str) -> str:
    """As YAML: a JSON text is one."""
    return json.dumps(value, ensure_ascii=False)


def _names(notebooks: Sequence[str]) -> list[tuple[str, str]]:
    """Each path with a name that artifacts may have, no two alike."""
    made: dict[str, str] = {}
    for path in notebooks:
        plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", path.removesuffix(".ipynb")).strip("-.") or "notebook"
        name, number = plain, 2
        while name in made.values():
            name, number = f"{plain}-{number}", number + 1
        made[path] = name
    return list(made.items())


def _repository(folder: Path) -> Path:
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), folder)


def _relative(path: Path, root: Path) -> str:
    if not path.is_file():
        raise InputError(f"there is no notebook {path}", "Give its path from here.")
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError as error:
        raise InputError(f"{path} is outside of the repository {root}", "Run this inside its repository.") from error


def _tagged(root: Path) -> Iterator[str]:
    from nb2prod.errors import Nb2ProdError
    from nb2prod.notebook import load

    for path in sorted(root.rglob("*.ipynb")):
        inside = path.relative_to(root)
        if any(part.startswith(".") or part in ("node_modules", "nb2prod-out") for part in inside.parts):
            continue
        try:
            tagged = any("predict" in cell.tags for cell in load(path).code_cells)
        except Nb2ProdError:
            continue  # no notebook of ours; `check` would say why
        if tagged:
            yield inside.as_posix()


def _write(target: Path, text: str, *, force: bool) -> None:
    if target.exists() and not force:
        raise InputError(f"{target} is there already", "Write over it with --force, or elsewhere with --output FILE.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise EnvironmentProblem(f"{target} can't be written: {error.strerror or error}") from error
