"""What a drawn notebook is made of while it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.soundness import tables

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Step:
    """One thing that its author does to the table.

    `body` stands once for each table (`§t` its name); `§S` is the table that statistics are taken of. `before` stands once, ahead of
    it, with the helpers and statistics that have names; `later` in a cell after the prediction.
    """

    kind: str
    body: str
    before: str = ""
    later: str = ""


@dataclass
class Draft:
    """The choices so far. `numeric` may be given to a model as they are; `text` have few values; `gaps` are numeric with missing values."""

    draw: Draw
    layout: str
    style: str
    numeric: list[str] = field(default_factory=lambda: list(tables.NUMBERS))
    text: list[str] = field(default_factory=lambda: ["kind", "make", "city"])
    gaps: list[str] = field(default_factory=lambda: list(tables.GAPS))
    made: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    individual: bool = False
    count: int = 0

    @property
    def whole(self) -> bool:
        """Whether all rows stand in one table, `df`, while features are made."""
        return self.layout in ("whole", "concat")

    @property
    def in_place(self) -> bool:
        """Whether a step must change its table rather than bind the name anew."""
        return self.style == "loop"

    @property
    def movable(self) -> bool:
        """Whether a step may drop or number rows anew: the reference can follow that at the top level."""
        return self.style in ("plain", "twice") and self.layout != "concat"

    def one(self, choices: Sequence[T]) -> T:
        """One of them; the first is the simplest."""
        chosen: T = self.draw(st.sampled_from(list(choices)))
        return chosen

    def some(self, choices: Sequence[T], least: int = 1, most: int = 3) -> list[T]:
        """Some of them, in their order."""
        chosen: list[T] = self.draw(
            st.lists(st.sampled_from(list(choices)), min_size=least, max_size=min(most, len(choices)), unique=True)
        )
        return [choice for choice in choices if choice in chosen]

    def maybe(self) -> bool:
        """Yes or no, rather no."""
        chosen: bool = self.draw(st.booleans())
        return chosen

    def name(self, stem: str) -> str:
        """A name that the notebook does not have yet."""
        self.count += 1
        return f"{stem}{self.count}"

    def column(self, stem: str = "f") -> str:
        """A new numeric column, which a model is to be given."""
        made = self.name(stem)
        self.made.append(made)
        return made

    def statistic(self, expression: str) -> tuple[str, str, str]:
        """A statistic of the table: lines before the step, what the step reads, and lines long after it."""
        held = f"⟪{expression}⟫"
        if self.style == "loop" or not self.maybe():
            return "", held, ""
        name = self.name("stat")
        later = f"{name} = None" if self.maybe() else ""
        return f"{name} = {held}", name, later
