"""What is running: calls of the notebook's functions, their loops, and the statement that is being executed in each."""

from __future__ import annotations

from typing import Any

from .lineage import Lineage


class Step:
    """One execution of one statement."""

    __slots__ = (
        "before",
        "called",
        "carries",
        "elements",
        "events",
        "frame",
        "holders",
        "k",
        "log",
        "loops",
        "names",
        "rebound",
        "seq",
        "split",
        "touched",
        "tree",
    )

    def __init__(self, k: int, seq: int, frame: Frame) -> None:
        self.k, self.seq, self.frame = k, seq, frame
        self.log: list[tuple[int, Any]] = []
        self.names: dict[int, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.before: dict[int, tuple[Any, Any, Any]] = {}
        self.holders: dict[int, tuple[Any, Any]] = {}
        """Lists and dicts that hold rows, or may: by token, with a mark of what they held as the statement read them."""
        self.touched = self.carries = self.called = False
        self.rebound: set[str] = set()
        """Global names that functions called by it have bound anew."""
        self.split: Any = None
        self.elements: dict[int, Elements] = {}


class Elements:
    """One comprehension being evaluated: whether its elements are followed, and what its variables held as each began."""

    __slots__ = ("followed", "marks")

    def __init__(self, followed: bool) -> None:
        self.followed = followed
        self.marks: list[tuple[int, dict[str, Any]]] = []


class Loop:
    """One running loop: which statement, which iteration, what its variables hold."""

    __slots__ = ("header", "hot", "instance", "iteration", "k", "keys", "over", "quiet", "source")

    def __init__(self, k: int, instance: int) -> None:
        self.k, self.instance, self.iteration, self.quiet, self.hot = k, instance, -1, 0, True
        self.keys: dict[str, Any] = {}
        self.source: tuple[Lineage, Any] | None = None
        # The rows that a loop goes over one by one, and the step of its header.
        self.over: Lineage | None = None
        self.header = 0


class Frame:
    """One running call of one of the notebook's functions; number 0 is the notebook itself."""

    __slots__ = ("asked", "code", "k", "loops", "number", "parent", "place", "plain", "python", "result", "step")

    def __init__(self, number: int, k: int | None, python: int | None, parent: Step | None) -> None:
        self.number, self.k, self.python, self.parent = number, k, python, parent
        # `plain`: called in a predict cell with plain values alone (or by such a call); `asked`: a model answered in it.
        self.plain = self.asked = False
        self.loops: list[Loop] = []
        self.step: Step | None = None
        self.code: Any = None
        self.place: int | None = None
        self.result: Any = None
