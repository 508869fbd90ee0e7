"""How a release shall get its callers: which shares of the requests one after the other, and what is asked meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from nb2prod.errors import InputError

SHADOW, WHOLE = 0, 10_000
"""Shares are counted in ten-thousandths of the requests, as HAProxy draws them. In shadow the logged requests are asked, and no caller meets the canary."""


@dataclass(frozen=True)
class Plan:
    """The plan of a staged rollout; it stays as it is from the first stage to the last."""

    stages: tuple[int, ...]
    """Shares in ten-thousandths, rising; the first may be `SHADOW`, the last is `WHOLE`."""
    hold: float = 600.0
    """Seconds that a stage lasts at least."""
    deadline: float = 86_400.0
    """Seconds after which a stage that is not over is given up."""
    budget: float = 30.0
    """Seconds after which an answer is late."""
    allowed_shift: float = 1.25
    """So many times as frequent, or as rare, may predictions of a bin be without being harm."""
    max_changed: float | None = None
    """In shadow: the largest share of rows that may be answered otherwise; None where any may."""
    bins: tuple[str, ...] = ()
    """Of the prediction, which are compared; none where the release has no distribution."""

    @property
    def words(self) -> str:
        """As they were asked for: `shadow, 1 %, 100 %`."""
        return ", ".join(map(stage_name, self.stages))


def stage_name(share: int) -> str:
    """A stage as it is spoken of: `shadow`, `1 %`, `0.5 %`."""
    return "shadow" if share == SHADOW else f"{share / 100:g} %"


def parse_stages(text: str) -> tuple[int, ...]:
    """The stages of `shadow,1,10,50,100`: percentages, rising, the last 100. Raises `InputError`."""
    wrong = InputError(
        f"--stages {text}", "Percentages that rise to 100, after shadow or not: --stages shadow,1,10,50,100"
    )
    found: list[int] = []
    for at, word in enumerate(part.strip() for part in text.split(",")):
        if word == "shadow" and at == 0:
            found.append(SHADOW)
            continue
        try:
            share = round(float(word.removesuffix("%")) * 100)
        except (ValueError, OverflowError):
            raise wrong from None
        if not (found[-1] if found else 0) < share <= WHOLE:
            raise wrong
        found.append(share)
    if found[-1] != WHOLE or len(found) < 2:
        raise wrong
    return tuple(found)
