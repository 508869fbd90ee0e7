"""A proof in sentences: what was compared, what was not, and what that means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nb2prod.parity.bench import Bench
from nb2prod.parity.cases import Cases
from nb2prod.parity.report import KindResult, SummaryText
from nb2prod.parity.target import Target


def summarised(results: Sequence[KindResult], target: Target, cases: Cases, bench: Bench) -> SummaryText:
    """The sentences for a proof with these results."""
    kinds = {item.kind: item for item in results}
    return SummaryText(
        tuple(_compared(kinds)),
        tuple(_left_out(kinds, target, cases, bench)),
        _meaning(kinds, cases, sample=bench.limits.sample),
    )


def _compared(kinds: dict[str, KindResult]) -> Iterator[str]:
    replay, partition, edges = (kinds[name] for name in ("replay", "partition", "edges"))
    if replay.rows:
        yield f"{replay.rows:,} predictions that the notebook itself made, with what the service answers for the same rows."
    if partition.rows:
        yield f"{partition.rows:,} answers for rows alone, in other company and in other order: a row's answer must not depend on the others."
    if edges.rows:
        yield f"{edges.rows:,} answers for odd rows (missing values, values never seen, extremes), with what the notebook's own lines make of them.{_of_these(edges)}"
    if changed := kinds["counterfactual"].rows:
        yield f"{changed:,} answers for rows with other values, with what the notebook itself gave them: it was run again with these values in its table."
    if kinds["wire"].rows:
        yield f"{kinds['wire'].rows:,} answers over HTTP, with what the same code gives without it."
    if kinds["target-free"].rows:
        yield f"{kinds['target-free'].rows:,} answers while what stands in for the target was changed: a request has no target, so nothing may depend on it."


def _of_these(edges: KindResult) -> str:
    parts = []
    if edges.refused:
        parts.append(f"{edges.refused:,} of these rows are malformed, and the service refused them as it must")
    if edges.failed:
        parts.append(f"on {edges.failed:,} the notebook's own code fails, and so does the service, and says why")
    return f" {'; '.join(parts)[0].upper()}{'; '.join(parts)[1:]}." if parts else ""


def _left_out(kinds: dict[str, KindResult], target: Target, cases: Cases, bench: Bench) -> Iterator[str]:
    if len(bench.cases.rows) < len(cases.rows):
        yield f"{len(cases.rows) - len(bench.cases.rows):,} more rows that the notebook predicted: those asked were chosen to hold every pattern of missing values, the extremes and the categories."
    if target.folder is None:
        yield "Another start of the service, and its code without HTTP: a running service was asked as it is."
    elif bench.limits.sample:
        yield "Another start of the service: only a sample was asked."
    if not kinds["counterfactual"].rows:
        yield f"What the notebook itself gives to rows with other values: {kinds['counterfactual'].note}."
    if kinds["edges"].rows and not kinds["counterfactual"].rows:
        yield "Whether the values kept from training suit odd rows: what is expected of these was worked out with the same values. That they are the right ones shows in the notebook's own predictions alone."
    yield "Whether the predictions are good. That is the model's business: its metrics, as far as the notebook shows them, are on the model card."


def _meaning(kinds: dict[str, KindResult], cases: Cases, *, sample: bool) -> str:
    differ = sum(item.differences for item in kinds.values())
    if differ:
        return f"The service does not compute what the notebook computes: {differ:,} answers differ. It must not take the notebook's place."
    if sample:
        return (
            "A first look: nothing differs so far. Before anybody relies on it, the whole proof is due: nb2prod parity."
        )
    if len(cases.rows) < 20:
        return f"The service computes what the notebook computes, as far as {len(cases.rows)} predictions can show: let the notebook predict more rows for a stronger proof."
    return "The service computes what the notebook computes, whatever rows come together: it can take the notebook's place."
