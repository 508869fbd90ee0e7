"""The signature: the raw table's columns as the notebook had them, and what is predicted.

``signature.json`` is written when a Bento is made and decides how a request's rows are typed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SCHEMA = 1
TYPES = ("integer", "number", "boolean", "string", "datetime", "any")


class SignatureProblem(Exception):
    """``signature.json`` can't be used; the text names the place and what was expected."""


@dataclass(frozen=True)
class Column:
    """One column of the raw table.

    ``type`` is what JSON carries (one of ``TYPES``), ``dtype`` what pandas had in training. Values given here
    (``phantom``, ``categories``, ``minimum``, ``maximum``, ``example``) are in the form that JSON carries.
    ``rarer`` counts the texts that training had besides ``categories`` and that too few rows share to be told.
    ``missing`` is what stands for a missing value in an object column: "nan" or "none".
    """

    name: str | int
    dtype: str
    type: str
    field: bool = True
    target: bool = False
    nullable: bool = False
    phantom: Any = None
    minimum: Any = None
    maximum: Any = None
    categories: tuple[Any, ...] | None = None
    rarer: int = 0
    ordered: bool = False
    format: str | None = None
    example: Any = None
    missing: str = "nan"

    @property
    def key(self) -> str:
        """The name that a request uses."""
        return str(self.name)


@dataclass(frozen=True)
class Prediction:
    """What an answer holds for one row."""

    name: str = "prediction"
    dtype: str = "object"
    kind: str = "object"
    labels: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class Features:
    """What ``features()`` returns: a frame with names, an array, or something else."""

    kind: str = "other"
    names: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Signature:
    """Everything that ``signature.json`` says; ``columns`` are the raw table's, in training's order."""

    columns: tuple[Column, ...]
    model: str = "model"
    version: str | None = None
    notebook: str = ""
    raw_table: str = "rows"
    row_kind: str = "frame"
    prediction: Prediction = field(default_factory=Prediction)
    features: Features = field(default_factory=Features)
    batching: bool = False
    fallback_batching: bool = False
    owner: str | None = None
    runbook: str | None = None

    @property
    def fields(self) -> tuple[Column, ...]:
        """The columns that a request gives."""
        return tuple(column for column in self.columns if column.field)

    @classmethod
    def load(cls, path: Path) -> Signature:
        """Read ``signature.json``.

        Raises:
            SignatureProblem: it can't be read or doesn't have the form.
        """
        try:
            form = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SignatureProblem(f"{path.name} can't be read: {error}") from error
        return cls.from_json(form)

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Signature:
        """The signature of the decoded ``signature.json``.

        Raises:
            SignatureProblem: it doesn't have the form.
        """
        try:
            if form["schema"] != SCHEMA:
                raise SignatureProblem(f"signature.json has schema {form['schema']}, this runtime reads {SCHEMA}")
            columns = tuple(_column(item) for item in form["columns"])
            model = form.get("model") or {}
            signature = cls(
                columns=columns,
                model=model.get("name") or "model",
                version=model.get("version"),
                notebook=form.get("notebook") or "",
                raw_table=form.get("raw_table") or "rows",
                row_kind=form.get("row_kind") or "frame",
                prediction=_prediction(form.get("prediction") or {}),
                features=_features(form.get("features") or {}),
                batching=bool(form.get("batching")),
                fallback_batching=bool((form.get("fallback") or {}).get("batching")),
                owner=form.get("owner"),
                runbook=form.get("runbook"),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise SignatureProblem(f"signature.json lacks its form: {type(error).__name__}: {error}") from error
        _check_names(columns)
        return signature


def _column(form: Mapping[str, Any]) -> Column:
    known = {key: form[key] for key in Column.__dataclass_fields__ if key in form}
    if known["type"] not in TYPES:
        raise SignatureProblem(
            f"column '{known['name']}' has type '{known['type']}'; expected one of {', '.join(TYPES)}"
        )
    if known.get("categories") is not None:
        known["categories"] = tuple(known["categories"])
    known["missing"] = known.get("missing") or "nan"
    return Column(**known)


def _prediction(form: Mapping[str, Any]) -> Prediction:
    labels = form.get("labels")
    return Prediction(
        name=form.get("name") or "prediction",
        dtype=form.get("dtype") or "object",
        kind=form.get("kind") or "object",
        labels=None if labels is None else tuple(labels),
    )


def _features(form: Mapping[str, Any]) -> Features:
    names = form.get("names")
    return Features(
        kind=form.get("kind") or "other", names=None if names is None else tuple(str(name) for name in names)
    )


def _check_names(columns: tuple[Column, ...]) -> None:
    keys = [column.key for column in columns]
    for key in keys:
        if keys.count(key) > 1:
            raise SignatureProblem(f"two columns are called '{key}'; a request could not tell them apart")
