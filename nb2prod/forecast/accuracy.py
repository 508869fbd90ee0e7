"""How well `suggest` does on notebooks whose tags are known: `python -m nb2prod.forecast.accuracy FILE_OR_FOLDER...`.

The tags are taken away before it proposes; a proposal counts as right where the author put the same tag.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from nb2prod.forecast.suggestion import roles_proposed, suggest
from nb2prod.notebook import Notebook, load

COUNTED = ("feature", "train", "predict")


@dataclass(frozen=True)
class Score:
    """Of one tag: proposed and there, proposed only, there only."""

    right: int = 0
    extra: int = 0
    missed: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.right + other.right, self.extra + other.extra, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """Share of the proposals that are right."""
        return self.right / (self.right + self.extra) if self.right + self.extra else 1.0

    @property
    def recall(self) -> float:
        """Share of the tags that were proposed."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def score(notebook: Notebook) -> dict[str, Score]:
    """The score of each tag on one tagged notebook."""
    bare = replace(notebook, cells=tuple(replace(cell, tags=frozenset()) for cell in notebook.cells))
    proposed = roles_proposed(suggest(bare))
    scores = {}
    for tag in COUNTED:
        told = {cell.number for cell in notebook.with_role(tag)}
        given = {number for number, tags in proposed.items() if tag in tags}
        scores[tag] = Score(len(told & given), len(given - told), len(told - given))
    return scores


def main(arguments: Sequence[str]) -> int:
    """Print the table for these notebooks and folders; 2 if there is none."""
    files = [path for text in arguments for path in _notebooks(Path(text))]
    total = dict.fromkeys(COUNTED, Score())
    for path in files:
        notebook = load(path)
        if not notebook.with_role("predict"):
            continue
        scores = score(notebook)
        total = {tag: total[tag] + scores[tag] for tag in COUNTED}
        click.echo(_line(notebook.name, scores))
    if not files:
        click.echo("no notebooks named", err=True)
        return 2
    click.echo(_line("all", total))
    return 0


def _notebooks(path: Path) -> list[Path]:
    return sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]


def _line(name: str, scores: dict[str, Score]) -> str:
    parts = [f"{tag}: precision {item.precision:.2f} recall {item.recall:.2f}" for tag, item in scores.items()]
    return f"{name:<36} " + "   ".join(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
