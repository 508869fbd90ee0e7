"""`nb2prod diff`, `export`, `import` and `gc`: releases compared, taken elsewhere, and cleared away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nb2prod.cli import completion, proofs
from nb2prod.cli.output import common_options, note, print_json, print_text
from nb2prod.cli.table import columns, pairs

if TYPE_CHECKING:
    from nb2prod.evaluation.comparison import Comparison, PairedMetric
    from nb2prod.release.differences import Changes, Differences

_FILE = click.Path(path_type=Path)


@click.command(short_help="Show what differs between two releases.")
@click.argument("first", metavar="A", shell_complete=completion.releases)
@click.argument("second", metavar="B", shell_complete=completion.releases)
@common_options
def diff(first: str, second: str, *, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    """Show what differs from release A to release B: code, kept values, fields, environment, answers, parity."""
    from nb2prod.release import differences, records

    found = differences.compare(records.find(first), records.find(second))
    if as_json:
        print_json(found.to_json())
    else:
        print_text(_text(found))


@click.command(short_help="Write a release to one file.")
@click.argument("bento", metavar="BENTO", shell_complete=completion.releases)
@click.option("--output", type=_FILE, default=Path(), help="File, or folder for it (default: the current one).")
@click.option("--key", type=_FILE, help="Private Ed25519 key (PEM) to sign it with.")
@click.option("--with-rows", is_flag=True, help="Take along the rows that prove it: they are the notebook's data.")
@click.option("--with-outputs", is_flag=True, help="Take along the outputs of the executed notebook.")
@common_options
def export(
    bento: str,
    *,
    output: Path,
    key: Path | None,
    with_rows: bool,
    with_outputs: bool,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> None:
    """Write a release, Bento and record, to one sealed file that `nb2prod import` takes elsewhere."""
    from nb2prod.release import archive, records

    release = records.find(bento)
    path = archive.write(release, output, key=key, with_rows=with_rows, with_outputs=with_outputs)
    if as_json:
        print_json({"bento": release.bento, "file": str(path), "signed": key is not None, "bytes": path.stat().st_size})
        return
    print_text(f"{path}: {release.bento}, {_size(path.stat().st_size)}{', signed' if key else ''}")
    if not with_rows:
        note(
            "Without the rows that prove it (--with-rows): where it is imported, `nb2prod parity` has nothing to compare."
        )


@click.command("import", short_help="Take in a release from a file.")
@click.argument("file", metavar="FILE", type=_FILE)
@click.option("--key", type=_FILE, help="Public Ed25519 key (PEM) that it must be signed with.")
@common_options
def import_release(file: Path, *, key: Path | None, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    """Take in a release that `nb2prod export` wrote. Nothing is taken unless its seal fits every byte."""
    from nb2prod.release import archive

    found = archive.read(file, key=key)
    if as_json:
        print_json({"bento": found.release.bento, "new": found.new, "signed": found.signed})
        return
    print_text(f"{found.release.bento} is {'imported' if found.new else 'here already: the same content'}")
    if found.signed is None:
        note("It is signed; give the public key with --key to check by whom.")


@click.command(short_help="Remove what nobody needs any more.")
@click.option(
    "--keep", type=click.IntRange(1), default=3, show_default=True, help="So many releases of each name stay."
)
@click.option("--yes", is_flag=True, help="Remove it; without, it is only listed.")
@common_options
def gc(*, keep: int, yes: bool, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    """List what may go: old releases, leftovers of killed builds, caches. With --yes, remove it.

    What a deployment serves or can go back to stays, and so do images, which are the container engine's.
    """
    from nb2prod.release import garbage

    items = garbage.found(keep)
    freed = garbage.remove(items) if yes else None
    if as_json:
        listed = [
            {"what": i.what, "name": i.name, "bytes": i.bytes, "folders": list(map(str, i.folders))} for i in items
        ]
        print_json({"items": listed, "removed": yes, "freed": freed})
        return
    if not items:
        note("There is nothing to remove.")
        return
    print_text("\n".join(columns([("WHAT", "NAME", "SIZE"), *((i.what, i.name, _size(i.bytes)) for i in items)])))
    if yes:
        note(f"Removed; {_size(freed or 0)} are free again.")
    else:
        note(f"Nothing was removed. To remove it: nb2prod gc --keep {keep} --yes")


def _text(found: Differences) -> str:
    parts = [f"{found.first} -> {found.second}"]
    parts += _section("made from", found.facts)
    gone = "a Bento is gone from the store"
    parts += [f"\ncode: {gone}"] if found.code is None else [f"\n{text}" for text in found.code.values()]
    parts += (
        [f"\nkept values: {gone}"] if found.captured is None else _section("kept values", found.captured, short=True)
    )
    parts += [] if found.signature is None else _section("fields", found.signature)
    parts += _section("environment", found.environment)
    parts += _metrics(found.metrics)
    if found.answers is not None:
        largest = "" if found.answers.largest is None else f", by up to {found.answers.largest:.6g}"
        rows = f"{found.answers.rows:,} rows that both predicted"
        parts.append(f"\nanswers\n  {found.answers.differing:,} of {rows} differ{largest}")
    said = [
        (name, proofs.words(summary)) for name, summary in zip((found.first, found.second), found.parity, strict=True)
    ]
    parts += ["\nparity", *pairs(said)]
    return "\n".join(parts)


def _metrics(found: Comparison) -> list[str]:
    if found.reason is not None:
        return [f"\nmetrics\n  not compared: {found.reason}"]
    rows = [
        (_named(item, found), f"{item.first:.4g} -> {item.second:.4g}", _by(item), item.verdict)
        for item in found.metrics
    ]
    return [f"\nmetrics, on {found.rows:,} rows that both evaluated", *(f"  {line}" for line in columns(rows))]


def _named(item: PairedMetric, found: Comparison) -> str:
    return item.name if len({m.output for m in found.metrics}) == 1 else f"{item.output}.{item.name}"


def _by(item: PairedMetric) -> str:
    interval = "" if item.low is None or item.high is None else f" ({item.low:+.3g} to {item.high:+.3g})"
    return f"{item.difference:+.3g}{interval}"


def _section(title: str, changes: Changes, *, short: bool = False) -> list[str]:
    if not changes:
        return []
    lines = [f"  + {name}{'' if short else f'  {_value(value)}'}" for name, value in changes.added.items()]
    lines += [f"  - {name}{'' if short else f'  {_value(value)}'}" for name, value in changes.removed.items()]
    for name, (old, new) in changes.changed.items():
        lines.append(f"  ~ {name}" if short else f"  ~ {name}  {_change(old, new)}")
    return [f"\n{title}", *lines]


def _change(old: Any, new: Any) -> str:
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
        return ", ".join(f"{key}: {_value(old.get(key))} -> {_value(new.get(key))}" for key in keys)
    return f"{_value(old)} -> {_value(new)}"


def _value(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _size(number: int) -> str:
    size = float(number)
    for unit in ("bytes", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
