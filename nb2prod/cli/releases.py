"""`nb2prod list` and `nb2prod show NAME`: the releases that builds on this machine made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from nb2prod.cli import completion, proofs
from nb2prod.cli.output import common_options, note, print_diagnostics, print_json, print_text
from nb2prod.cli.table import columns, pairs

if TYPE_CHECKING:
    from nb2prod.release.record import ReleaseRecord


@click.command("list", short_help="List the releases.")
@click.option("--mine", is_flag=True, help="Those that you answer for: git's e-mail or name, your user, NB2PROD_OWNER.")
@common_options
def list_releases(*, mine: bool, as_json: bool, debug: bool) -> None:  # noqa: ARG001 (read by `main`)
    """List the releases by name, the newest first of each, with what their proof found."""
    from nb2prod.release import deployments, ownership, records

    found = records.records()
    owners = {item.bento: ownership.holding(item.name, item).owner for item in found}
    if mine:
        me = ownership.identities()
        found = tuple(item for item in found if ownership.is_mine(owners[item.bento], me))
        if not found and not as_json:
            note(
                f"No release names one of these as its owner: {', '.join(sorted(me))}. Yours is called otherwise? Set NB2PROD_OWNER."
            )
            return
    named = deployments.aliases()
    if as_json:
        listed = [
            {**item.to_json(), "owner": owners[item.bento], "aliases": list(named.get(item.bento, ()))}
            for item in found
        ]
        print_json({"releases": listed})
        return
    if not found:
        note("No releases yet. Make one: nb2prod build my_notebook.ipynb")
        return
    rows = [
        (i.bento, i.notebook, _minute(i.created), proofs.words(i.parity), ", ".join(named.get(i.bento, ())))
        for i in found
    ]
    print_text("\n".join(columns([("BENTO", "NOTEBOOK", "BUILT (UTC)", "PARITY", "ALIAS"), *rows])))


@click.command(short_help="Show a release: its plan and its proof.")
@click.argument("name", metavar="NAME", shell_complete=completion.releases)
@common_options
def show(name: str, *, as_json: bool, debug: bool) -> None:  # noqa: ARG001 (read by `main`)
    """Show a release (name, its newest; or name:version): path, fields, captured values, filters, metrics, parity."""
    from nb2prod.path import planned
    from nb2prod.release import ownership, records

    item = records.find(name)
    plan = _plan(item)
    metrics = item.metrics()
    if as_json:
        known = None if metrics is None else metrics.to_json()
        print_json({**item.to_json(), "plan": plan, "metrics": known, "folder": str(item.folder)})
        return
    held = ownership.holding(item.name, item)
    facts = [
        ("notebook", item.notebook),
        ("built", f"{_minute(item.created)} UTC with nb2prod {item.nb2prod}"),
        ("parameters", ", ".join(f"{key}={value!r}" for key, value in item.parameters.items())),
        ("owner", held.owner or ""),
        ("runbook", held.runbook or ""),
        ("parity", proofs.words(item.parity)),
        ("record", str(item.folder or "")),
    ]
    print_text("\n".join([item.bento, *pairs(facts)]))
    text = plan.get("text")
    print_text(f"\n{text}" if isinstance(text, str) else f"\n{_captured(item)}")
    if metrics is not None:
        from nb2prod.evaluation import words

        print_text(f"\n{words.text(metrics)}")
    warnings = [item for item in planned.from_json(plan).diagnostics if item.severity == "warning"]
    if warnings:
        print_text("")
        print_diagnostics(warnings, item.notebook, err=False)
        print_text(f"\nWhat a code means: nb2prod explain {warnings[0].code}\n")
    for line in item.parity.get("notes", ()):
        print_text(f"note: {line}")


def _plan(item: ReleaseRecord) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(item.path("plan.json").read_text(encoding="utf-8"))
    return plan


def _captured(item: ReleaseRecord) -> str:
    rows = [(value.name, f"cell {value.cell}, line {value.line}", value.reason) for value in item.captured]
    return "\n".join(["Kept from training", *columns(rows)])


def _minute(created: str) -> str:
    return created[:16].replace("T", " ")
