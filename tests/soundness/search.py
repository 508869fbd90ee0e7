"""The program of a number, and the smallest one like it that is wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.soundness import template, verdict
from tests.soundness.grammar.program import Program, programs
from tests.soundness.verdict import Verdict

EACH = 100_000
"""Programs that a seed has."""
TRIES = 150
"""Programs that are judged at most to find a smaller one."""


def program(base: int, number: int) -> Program:
    """The program of this number. Each is drawn for itself, so that it can be had without the others."""
    made: list[Program] = []
    _draw(base, number, (Phase.generate,), made.append)
    return made[-1]


def shrunk(base: int, number: int) -> tuple[Program, Verdict] | None:
    """The smallest program found that fails as the one of this number does (an answer that is wrong, a crash), with what was said of it."""
    judged: dict[Program, Verdict] = {}
    best: list[tuple[Program, Verdict]] = []
    first = program(base, number)
    wanted = verdict.judge(first)

    def fails(candidate: Program) -> None:
        if candidate not in judged:
            # The first that Hypothesis draws is the simplest of all, not the one that failed.
            if (not judged and candidate != first) or len(judged) >= TRIES:
                return
            judged[candidate] = verdict.judge(candidate)
        found = judged[candidate]
        if found.failing and found.outcome == wanted.outcome and found.differences >= set(list(wanted.differences)[:1]):
            best.append((candidate, found))
            raise AssertionError

    with contextlib.suppress(AssertionError):
        _draw(base, number, (Phase.generate, Phase.shrink), fails)
    return min(best, key=lambda pair: len(listing(pair[0])), default=None)


def _draw(base: int, number: int, phases: Iterable[Phase], use: Callable[[Program], None]) -> None:
    @seed(base * EACH + number)
    @settings(
        max_examples=2,
        database=None,
        phases=phases,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(programs())
    def draw(made: Program) -> None:
        use(made)

    draw()


def listing(made: Program) -> str:
    """The notebook as a text, without its imports."""
    cells = (f"# %% {tag or ''}\n{template.notebook(text)}" for tag, text in made.cells[1:])
    return "\n".join(cells)
