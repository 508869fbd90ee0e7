"""Whether the columns that matter can be asked for in a request."""

from __future__ import annotations

from typing import Any

from nb2prod.config import Options
from nb2prod.diagnostics import Diagnostic
from nb2prod.errors import Refused
from nb2prod.recording.trace import Table


def check(answer: dict[str, Any], table: Table, options: Options) -> tuple[Diagnostic, ...]:
    """Whether a request can give what the trial (`answer`) found to be needed; returns warnings.

    Raises `Refused` (N5, N7, N13) where it can't.
    """
    found = [
        Diagnostic(
            "N7",
            "error",
            f"{item['problem']}; a request can't give it.",
            "Load the column as text, numbers, booleans or dates.",
        )
        for item in answer["undescribable"]
        if item["field"]
    ]
    leaked = [c for c in answer["target"] if c in answer["fields"]]
    if leaked and len(leaked) == len(answer["target"]) and not options.target:
        found.append(
            Diagnostic(
                "N13",
                "error",
                f"The target {', '.join(map(repr, leaked))} changes the features: a request would have to contain the answer.",
                "Leave the column out of the features, or name the real target: target = [...] in nb2prod.toml, or --target.",
            )
        )
    unknown = [c for c in (*options.target, *options.fields) if c not in table.columns]
    if unknown:
        found.append(
            Diagnostic(
                "N13",
                "error",
                f"{unknown[0]!r} is not a column of the raw table {table.name!r}.",
                f"Its columns: {', '.join(table.columns[:40])}.",
            )
        )
    if not answer["fields"]:
        found.append(
            Diagnostic(
                "N5",
                "error",
                "No column of the raw table changes the prediction.",
                "Check that the model is given features of the rows.",
            )
        )
    if found:
        raise Refused(found)
    other = [str(column) for column in answer.get("unheld", ())]
    return (*(_both(str(column)) for column in leaked), *(_of_two_types(column, table) for column in other))


def _both(column: str) -> Diagnostic:
    return Diagnostic(
        "F12",
        "warning",
        f"The target is made of {column!r}, and so are the features: the model may have learned from the answer.",
        "Check that the value is known before the prediction is asked for; a request has to contain it.",
    )


def _of_two_types(column: str, table: Table) -> Diagnostic:
    return Diagnostic(
        "F14",
        "warning",
        f"{column!r} holds in another table what its type in {table.name!r} can't: a request may give what {table.name!r} could hold, and nothing else.",
        "Read the column with the same type everywhere, for example pd.read_csv(..., dtype={...}).",
    )
