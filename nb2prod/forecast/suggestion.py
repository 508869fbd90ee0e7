"""Tags proposed for a notebook, with a reason for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nb2prod.notebook import Notebook


@dataclass(frozen=True)
class Proposed:
    """A tag for a cell. `new`: the cell does not have it yet."""

    cell: int
    tag: str
    reason: str
    new: bool


@dataclass(frozen=True)
class Proposal:
    """The tags proposed for a notebook."""

    notebook: str
    tags: tuple[Proposed, ...]
    existing: dict[int, tuple[str, ...]]

    @property
    def changes(self) -> bool:
        return any(item.new for item in self.tags)

    def tags_to_write(self) -> dict[int, tuple[str, ...]]:
        return {}

    def to_json(self) -> dict[str, Any]:
        return {}

    def text(self) -> str:
        return ""


def suggest(notebook: Notebook) -> Proposal:
    raise NotImplementedError
