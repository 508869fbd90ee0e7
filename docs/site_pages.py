"""Pages of the site that are made of other files, for MkDocs (`hooks` in mkdocs.yml): overview, commands, gallery, changelog.

What is generated is never written beside its source: the pages exist in the built site alone.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "example_notebooks"
GALLERY = ROOT / "build" / "gallery"
GOLDEN = ROOT / "tests" / "end_to_end" / "golden"
_SITE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "example_notebooks/data/README.md": "example_data.md",
}
"""Files of the repository that are pages of the site."""
_LINK = re.compile(r"(!?\[[^\]]*\])\(([^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages; called by MkDocs once it has found those that are files."""
    made = {target: (ROOT / source).read_text(encoding="utf-8") for source, target in _SITE.items()}
    made["commands.md"] = "\n".join(_commands())
    made["gallery.md"] = "\n".join(_gallery())
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    for report in sorted(GALLERY.glob("*/parity.html")):
        place = f"proofs/{report.parent.name}.html"
        files.append(File.generated(config, place, abs_src_path=str(report)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links as the site has them, and what an example is said on it; called by MkDocs for each page."""
    del config, files
    source = next((key for key, target in _SITE.items() if target == page.file.src_uri), f"docs/{page.file.src_uri}")
    marked = re.sub(r"^```python (bad|good|table)$", r'```python title="\1"', markdown, flags=re.MULTILINE)
    return _LINK.sub(lambda match: f"{match[1]}({_link(match[2], source, page.file.src_uri)})", marked)


def _link(target: str, source: str, page: str) -> str:
    """A link of a file in the repository as one of the page that it became."""
    path, hash_, anchor = target.partition("#")
    if not path or re.match(r"[a-z]+:", path):
        return target
    meant = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    if meant == "LICENSE":
        return "https://www.apache.org/licenses/LICENSE-2.0"
    place = _SITE.get(meant) or meant.removeprefix("docs/")
    return posixpath.relpath(place, posixpath.dirname(page) or ".") + hash_ + anchor


def _commands() -> Iterator[str]:
    """Every command with its own help."""
    from nb2prod.cli.app import app

    yield "# Commands\n"
    yield "Every command takes `--json`. Exit codes: 0 done, 1 refused, 2 wrong use, unreadable input or environment, 130 interrupted.\n"
    for name, command in app.commands.items():
        yield from _command(f"nb2prod {name}", command)


def _command(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=name, max_content_width=100, terminal_width=100)
    yield f"## {name}\n"
    yield f"```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for inner, child in command.commands.items():
            yield from _command(f"{name} {inner}", child)


def _gallery() -> Iterator[str]:
    """The examples: their cells by tag, the code that is served, and the proof."""
    yield "# Gallery\n"
    yield "The notebooks that `nb2prod demo NAME` builds, the code that is served of them, and what their proof found. [Where their data come from](example_data.md).\n"
    for path in sorted(EXAMPLES.glob("*.ipynb"), key=lambda item: item.stem == "not_servable"):
        document = json.loads(path.read_text(encoding="utf-8"))
        yield f"## {path.stem}\n"
        yield from _proof(path.stem)
        for number, cell in enumerate(document["cells"], start=1):
            yield from _cell(number, cell)
        yield from _served(path.stem)


def _cell(number: int, cell: dict[str, Any]) -> Iterator[str]:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        yield "\n".join(
            f"> {line}" for line in re.sub(r"^#+ (.*)$", r"**\1**", source, flags=re.MULTILINE).splitlines()
        )
        yield ""
        return
    tags = ", ".join(cell["metadata"].get("tags", ()))
    yield f'```python title="cell {number}{f": {tags}" if tags else ""}"\n{source}\n```\n'


def _served(name: str) -> Iterator[str]:
    for part in ("features", "predict"):
        file = GOLDEN / f"{name}_{part}.py.txt"
        if file.is_file():
            yield f'```python title="served: {part}.py"\n{file.read_text(encoding="utf-8").rstrip()}\n```\n'
    if not (GOLDEN / f"{name}_features.py.txt").is_file():
        yield f"It is refused, and `nb2prod check {name}.ipynb` says why: see [the overview](index.md#what-a-refusal-looks-like).\n"


def _proof(name: str) -> Iterator[str]:
    report = GALLERY / name / "parity.json"
    if not report.is_file():
        return
    found = json.loads(report.read_text(encoding="utf-8"))
    yield f"{found['summary_text']['meaning']} [The whole report](proofs/{name}.html).\n"
    yield "\n".join(f"- {line}" for line in found["summary_text"]["compared"])
    yield ""
