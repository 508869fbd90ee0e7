"""The second family of mutants: services that a plan with one wrong decision would have made.

What such a plan got wrong is wrong in all that it makes, so its mutants are proved without the edge cases, whose expected answers the plan's own
statements give; a field that it dropped is in none of its requests. What is left is the notebook's own word: its predictions, and what it gave to rows
with other values when it was run again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

Change = Callable[[Path], None]
Decision = tuple[str, str, str, Change, str | None]
"""Notebook, kind, name, how to alter its service, and the field that its requests lack."""

FEATURES, PREDICT = "features.py", "predict.py"


def _edited(pattern: str, new: str, file: str = FEATURES) -> Change:
    """Other code: the first match of `pattern`, which there must be, becomes `new`."""

    def change(source: Path) -> None:
        code = (source / file).read_text(encoding="utf-8")
        made, count = re.subn(pattern, new, code, count=1, flags=re.MULTILINE)
        if not count:
            raise SystemExit(f"{file} no longer has {pattern!r}: mend the mutant")
        (source / file).write_text(made, encoding="utf-8")

    return change


def _lost(statement: str, file: str = FEATURES) -> Change:
    """A line of the path is left out."""
    return _edited(rf"^( +){re.escape(statement)}.*\n", r"\1pass\n", file)


def _dropped(name: str) -> Change:
    """A column is no field: the service fills it with the value of a row that was predicted."""

    def change(source: Path) -> None:
        path = source / "signature.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        examples = json.loads((source / "examples.json").read_text(encoding="utf-8"))
        (found,) = (item for item in document["columns"] if item["name"] == name)
        found.update(field=False, phantom=examples["rows"][0][name])
        path.write_text(json.dumps(document), encoding="utf-8")

    return change


def without(cases: Any, field: str | None) -> Any:
    """The cases of a plan that dropped a field: no edges, and no request that names it."""

    def cut(row: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in row.items() if key != field}

    found = cases.counterfactual
    rows = tuple(replace(row, request=cut(row.request)) for row in found.rows) if found else ()
    again = replace(found, rows=rows) if found else None
    return replace(cases, rows=tuple(map(cut, cases.rows)), edges=(), counterfactual=again)


def decisions(value: Callable[[str, Callable[[Any], Any]], Change]) -> list[Decision]:
    """All of them. `value` alters a kept value."""
    return [*_of_homes(value), *_of_visits(value)]


def _of_homes(value: Callable[[str, Callable[[Any], Any]], Change]) -> list[Decision]:
    impute = 'df["age"] = df[["age", "klass"]].apply(impute, axis=1)'
    clip = r"np\.clip\(y_pred, 150\.0, 400\.0\)"
    found: list[tuple[str, str, Change, str | None]] = [
        ("kept too late", "guesses as at the end of the run", value("guesses", lambda _: [2400.0, 2500.0, 2600.0]), None),
        ("kept too late", "the limit as at the end", value("limit", lambda _: 5), None),
        ("kept too late", "the rates as at the end", value("rates", lambda kept: dict.fromkeys(kept, 10.0)), None),
        ("kept too late", "a rate of one port", value("rates", lambda kept: {**kept, "C": 1.0}), None),
        ("kept too late", "guesses a step too far", value("guesses", lambda kept: [kept[1], kept[2], kept[0]]), None),
        ("kept too late", "a rate that was added later", value("rates", lambda kept: {k: v for k, v in kept.items() if k != "C"}), None),
        ("another execution", "the median of another call", value("fee_median", lambda kept: kept + 3), None),
        ("another execution", "the median of the predicted rows", value("fee_median", lambda kept: kept - 1), None),
        ("another execution", "the model of all rows", value("model", _nudged), None),
        ("field dropped", "the lot", _dropped("lot"), "lot"),
        ("field dropped", "the kind", _dropped("kind"), "kind"),
        ("field dropped", "the class", _dropped("klass"), "klass"),
        ("field dropped", "the port", _dropped("port"), "port"),
        ("field dropped", "the heat", _dropped("heat"), "heat"),
        ("filter", "the rule on ports is training's", _edited(r'^( +)df = rules\.validity\([^\n]*"X"\]\)', r"\1pass"), None),
        ("filter", "a rule on another port", _edited(r'df\[df\["port"\] != "X"\]\)', 'df[df["port"] != "C"])'), None),
        ("filter", "rows without a fee are refused", _edited(r'^( +)(df\["area"\] =)', r'\1df = rules.validity("", df, df[df["fee"].notna()])\n\1\2'), None),
        ("statement lost", "the guess of an age", _lost(impute), None),
        ("statement lost", "the fill of a fee", _lost('df["fee"] = df["fee"].fillna'), None),
        ("statement lost", "the clip of a garden", _lost('df["garden"] = df["garden"].clip'), None),
        ("statement lost", "the mend of a fare", _lost('df.loc[df["fare"] < 0, "fare"]'), None),
        ("statement lost", "the fill of a heat", _lost('df["heat"] = df["heat"].fillna'), None),
        ("statement lost", "what makes a villa", _edited(r'\(df\["kind"\] == "villa"\)\.astype\(int\)', "0"), None),
        ("statement lost", "the branch for houses", _edited(r'np\.where\(df\["kind"\] == "flat", df\["living"\], df\["lot"\]\)', 'df["living"]'), None),
        ("branch frozen", "no flat is old", _edited(r'\(2020 - df\["built"\] > captured\.limit\)\.astype\(int\)', "0"), None),
        ("another model", "the ridge's answer", value("model", _shrunk), None),
        ("threshold lost", "no floor and no ceiling", _edited(rf"^( +)y_pred = {clip}", r"\1pass", PREDICT), None),
        ("threshold lost", "no ceiling", _edited(clip, "np.maximum(y_pred, 150.0)", PREDICT), None),
    ]  # fmt: skip
    return [("homes", *item) for item in found]


def _of_visits(value: Callable[[str, Callable[[Any], Any]], Change]) -> list[Decision]:
    answer = r"\(p > captured\.threshold\)"
    found: list[tuple[str, str, Change, str | None]] = [
        ("another table", "cities of the test file alone", _edited(r"^( +)A, B = ", r'\1B.loc[:, [c for c in B if c in ("city_Bonn", "city_Lund")]] = 0.0\n\1A, B = '), None),
        ("another table", "means of the test file's cities", value("means", lambda kept: kept[kept.index.isin(["Oslo", "Rome"])]), None),
        ("another table", "the test file's median", value("median", lambda kept: kept + 2), None),
        ("another table", "a scaler of the test file", value("scaler", _rescaled), None),
        ("another table", "the test file's mean for strangers", value("means", lambda kept: kept.drop("Lund")), None),
        ("kept too late", "the median as at the end", value("median", lambda kept: kept - 1), None),
        ("kept too late", "the threshold as at the end", value("threshold", lambda _: 0.5), None),
        ("another execution", "means of the loop's second round", value("means", lambda kept: kept * 1.2), None),
        ("field dropped", "the size", _dropped("size"), "size"),
        ("field dropped", "the channel", _dropped("channel"), "channel"),
        ("field dropped", "the city", _dropped("city"), "city"),
        ("statement lost", "the fill of an age", _edited(r"\.fillna\(captured\.median\)", ".fillna(0)"), None),
        ("statement lost", "what the web is", _edited(r'\(table\["channel"\] == "web"\)\.astype\(int\)', "0"), None),
        ("statement lost", "what a lone visitor is", _edited(r'^( +)table\["lone"\] = .*', r'\1table["lone"] = 0'), None),
        ("another model", "the rival's answer", value("clf", _damped), None),
        ("threshold lost", "the model's own", _edited(answer, "(p > 0.5)", PREDICT), None),
    ]  # fmt: skip
    return [("visits", *item) for item in found]


def _nudged(model: Any) -> Any:
    model.intercept_ = model.intercept_ + 0.5
    return model


def _shrunk(model: Any) -> Any:
    model.coef_ = model.coef_ * 0.98
    return model


def _damped(model: Any) -> Any:
    model.coef_ = model.coef_ * 0.5
    return model


def _rescaled(scaler: Any) -> Any:
    scaler.mean_ = scaler.mean_ + 0.1
    return scaler
