"""`nb2prod watch NAME`: is a release still asked what its training showed, and does it still answer as it did?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nb2prod.cli import completion, labels
from nb2prod.cli.log_options import log_folders
from nb2prod.cli.output import common_options, note, print_json, print_text
from nb2prod.cli.table import columns
from nb2prod.errors import InputError

if TYPE_CHECKING:
    from nb2prod.release.alarms import Alarm
    from nb2prod.watching.look import Look
    from nb2prod.watching.verdict import Verdict

_BAR = 24
_COLOURS = {"drifted": "red", "drifting": "yellow"}


@click.command(short_help="Hold what a release is asked and answers against its training.")
@click.argument("name", metavar="NAME", shell_complete=completion.deployments)
@click.option("--check", is_flag=True, help="Exit with 1 while there is an alarm that nobody acknowledged.")
@click.option("--ack", "why", metavar="WHY", help="Acknowledge the open alarms, with the reason.")
@click.option(
    "--show", "shown", multiple=True, metavar="SERIES", help="Draw both distributions of this field or series."
)
@click.option("--alpha", type=float, help="Chance of a false alarm over the release's life; by default nb2prod.toml's.")
@click.option("--materiality", type=float, help="Total variation that matters; by default nb2prod.toml's.")
@log_folders
@click.option("--webhook", envvar="NB2PROD_WEBHOOK", metavar="URL", help="POST each new alarm there, as JSON.")
@click.option("--run", "command", metavar="COMMAND", help="Run this for each new alarm, its JSON on standard input.")
@click.option(
    "--metrics", type=click.Path(path_type=Path), metavar="FILE", help="Write Prometheus gauges to a *.prom file."
)
@click.option(
    "--page", type=click.Path(path_type=Path), metavar="FILE", help="Write a page with all distributions, as HTML."
)
@click.option("--rules", is_flag=True, help="Print a PrometheusRule manifest for these gauges, and nothing else.")
@common_options
def watch(  # noqa: PLR0913 - an option each
    name: str,
    *,
    check: bool,
    why: str | None,
    shown: tuple[str, ...],
    alpha: float | None,
    materiality: float | None,
    logs: tuple[Path, ...],
    webhook: str | None,
    command: str | None,
    metrics: Path | None,
    page: Path | None,
    rules: bool,
    as_json: bool,
    debug: bool,  # noqa: ARG001 (read by `main`)
) -> int:
    """Hold what a deployment (or a served release) was asked and answered against its training.

    Reads what is new in its request log, and says of each field, of the prediction, of missing and unseen values and of rows without an answer whether
    it is quiet, drifting (evidence of a change, which may be small) or drifted (evidence, and a change that matters).
    """
    from nb2prod.cli.progress import shown as progress_shown
    from nb2prod.release import alarms
    from nb2prod.watching import labelling, prometheus, subject, telling, whole_files
    from nb2prod.watching import page as pages

    found = subject.find(name, logs)
    if rules:
        print_text(prometheus.rules(found).rstrip())
        return 0
    if why is not None:
        return _acknowledged(alarms.acknowledge(found.name, why), as_json=as_json)
    thresholds = subject.thresholds(found, alpha=alpha, materiality=materiality)
    with progress_shown() as progress:
        seen, known = labelling.look_with_labels(found, thresholds, progress.message)
    if metrics is not None:
        whole_files.write_text(metrics, prometheus.gauges(seen))
    if page is not None:
        whole_files.write_text(page, pages.document(seen, known))
    problems = telling.tell(seen, webhook=webhook, command=command)
    if as_json:
        realised = None if known is None else known.to_json()
        print_json({**seen.to_json(), "labels": realised, "undelivered": problems})
    else:
        labelled = [] if known is None else ["", *labels.text(known)]
        print_text("\n".join([*text(seen, _chosen(seen, shown)), *labelled]))
    for problem in problems:
        note(problem)
    return 1 if check and seen.alarms else 0


def text(seen: Look, drawn: Sequence[Verdict] = ()) -> list[str]:
    """What the look found, in lines."""
    from nb2prod.watching.words import counted

    head = f"{seen.subject.name} ({seen.subject.model}): {seen.state}"
    lines = [
        click.style(head, bold=True, fg=_COLOURS.get(seen.state)),
        f"{counted(seen.rows, 'row')} of {counted(len(seen.days), 'day')}, {seen.new_rows:,} of them new; {seen.promise}",
    ]
    if not seen.rows:
        lines += ["", f"will be watched: {', '.join(item.name for item in seen.verdicts)}"]
    else:
        rows = [("SERIES", "STATE", "EVIDENCE", "TOTAL VARIATION", "SINCE"), *map(_row, seen.verdicts)]
        lines += ["", *columns(rows)]
    if seen.unwatched:
        lines += ["", *[f"not watched: {item.name}: {item.reason}" for item in seen.unwatched]]
    for item in drawn:
        lines += ["", *picture(item)]
    told = [f"note: {note_}" for note_ in seen.notes]
    told += [
        f"acknowledged {_minute(item.acknowledged)} by {item.who} ({item.why}): {item.text}"
        for item in seen.acknowledged
    ]
    told += [
        f"ALARM since {_minute(item.raised)}{'' if item.model == seen.subject.model else f' of {item.model}'}: {item.text}"
        for item in seen.alarms
    ]
    lines += ["", *told] if told else []
    if seen.alarms:
        owner = f"owner: {seen.subject.owner or 'nobody'}"
        book = f"; runbook: {seen.subject.runbook}" if seen.subject.runbook else ""
        lines += [f'{owner}{book}; once it is seen to: nb2prod watch {seen.subject.name} --ack "why"']
    return lines


def _minute(moment: str | None) -> str:
    return (moment or "")[:16].replace("T", " ")


def picture(item: Verdict) -> list[str]:
    """The two distributions of a series, as bars: training's, and below it what came since the change, or ever."""
    shares = [[count / max(sum(counts), 1) for count in counts] for counts in (item.reference, item.current)]
    most = max((share for side in shares for share in side), default=0.0) or 1.0
    width = max(map(len, item.labels))
    lines = [f"{item.name}: ░ training, █ {'since ' + item.since if item.since else 'in service'}"]
    for label, before, after in zip(item.labels, *shares, strict=True):
        if not before and not after:
            continue
        lines.append(f"  {label.rjust(width)}  {'░' * round(_BAR * before / most):<{_BAR}} {before:6.1%}")
        lines.append(f"  {' ' * width}  {'█' * round(_BAR * after / most):<{_BAR}} {after:6.1%}")
    return lines


def _row(item: Verdict) -> tuple[str, ...]:
    return (item.name, item.state, item.shown_evidence, item.shown_size, item.since or item.note)


def _chosen(seen: Look, names: Sequence[str]) -> list[Verdict]:
    """The series of these names; of none named, those that have drifted."""
    if not names:
        return [item for item in seen.verdicts if item.state == "drifted"][:3]
    found = []
    for name in names:
        known = [item for item in seen.verdicts if name in (item.name, item.name.partition(":")[0])]
        if not known:
            listed = ", ".join(item.name for item in seen.verdicts)
            raise InputError(f"--show {name!r}: {seen.subject.model} has no such series", f"There are: {listed}.")
        found += known
    return found


def _acknowledged(items: Sequence[Alarm], *, as_json: bool) -> int:
    documents: list[dict[str, Any]] = [item.to_json() for item in items]
    if as_json:
        print_json({"acknowledged": documents})
    else:
        print_text("\n".join(f"acknowledged: {item.text}" for item in items))
    return 0
