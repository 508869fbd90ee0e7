"""What is asked of each answer while a canary has a share of the requests, and what came of it, counted."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nb2prod.errors import InputError
from nb2prod.release.running.answers import AnsweredRequest
from nb2prod.release.stages.state import Tally
from nb2prod.runtime.signature import Signature, SignatureProblem
from nb2prod.watching.binning import bin_of
from nb2prod.watching.series import Series, series_of

OTHER_KIND = "a prediction of another kind"
"""The bin of what is in no bin of the stable release's predictions."""


@dataclass(frozen=True)
class PredictionBins:
    """The bins of a release's predictions, as watching has them."""

    series: tuple[Series, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All bins; none where the predictions have no distribution that can be compared."""
        told = [f"{item.name}: {label}" for item in self.series for label in item.labels]
        return (*told, OTHER_KIND) if told else ()

    def of(self, prediction: Any) -> tuple[str, ...]:
        """The bins of one prediction, one of each series."""
        if prediction is None:
            return ()
        places = [(item, bin_of(prediction, item)) for item in self.series]
        return tuple(dict.fromkeys(OTHER_KIND if at < 0 else f"{item.name}: {item.labels[at]}" for item, at in places))


def prediction_bins(bento: Path) -> PredictionBins:
    """The bins of the Bento in this folder; raises `InputError` for a folder that is none."""
    try:
        signature = Signature.load(bento / "src" / "signature.json")
        reference = json.loads((bento / "src" / "reference.json").read_text(encoding="utf-8"))
    except SignatureProblem as problem:
        raise InputError(
            f"{bento} is no Bento that can be compared: {problem}", "Build the notebook again."
        ) from problem
    except (OSError, ValueError):
        return PredictionBins(())
    found, _ = series_of(signature, reference)
    return PredictionBins(tuple(item for item in found if item.column == "prediction" and item.kind == "values"))


@dataclass
class _Pairs:
    """Counts by question: of all, and of the canary."""

    whole: Counter[str] = field(default_factory=Counter)
    mine: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, *, canary: bool) -> None:
        self.whole[name] += 1
        self.mine[name] += canary

    @property
    def told(self) -> dict[str, tuple[int, int]]:
        return {name: (self.mine[name], count) for name, count in self.whole.items()}


def tallies(
    requests: Sequence[AnsweredRequest], bins: PredictionBins, budget: float, known: Iterable[int] = ()
) -> tuple[list[Tally], list[int]]:
    """What these requests were answered, by the share that the canary had; and the callers that were met for the first time.

    A request is one event, however many rows it has: of its first row. A caller that sends a key counts once: its requests all go to the same version, so that the
    second of them is no draw.
    """
    met, new = set(known), []
    by_share: dict[int, list[AnsweredRequest]] = defaultdict(list)
    for request in requests:
        if request.key is not None:
            if request.key in met:
                continue
            met.add(request.key)
            new.append(request.key)
        by_share[request.share].append(request)
    return [_tally(share, some, bins, budget) for share, some in sorted(by_share.items())], new


def _tally(share: int, requests: Sequence[AnsweredRequest], bins: PredictionBins, budget: float) -> Tally:
    events, predicted = _Pairs(), _Pairs()
    for request in requests:
        asked = {
            "errors": request.is_error,
            "refusals": request.is_refusal,
            "late": request.seconds > budget,
            "fallbacks": request.by_rule,
            "nulls": request.is_null,
        }
        for kind, happened in asked.items():
            if happened:
                events.add(kind, canary=request.canary)
        for name in bins.of(request.prediction):
            predicted.add(name, canary=request.canary)
    return Tally(share, sum(item.canary for item in requests), len(requests), events.told, predicted.told)
