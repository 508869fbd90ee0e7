"""Asking a served model from Python: rows in, answers and reasons out, with types."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from nb2prod.errors import Nb2ProdError
from nb2prod.parity.client import Client, Reply
from nb2prod.parity.faults import ServiceFault
from nb2prod.runtime.signature import Signature

if TYPE_CHECKING:
    import pandas as pd

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""A value as JSON carries it."""
Row: TypeAlias = "Mapping[str, Json]"
Rows: TypeAlias = "Sequence[Row] | pd.DataFrame"


@dataclass(frozen=True)
class RowError:
    """Why a row has no answer: `row_refused` by a filter of the notebook, `row_failed` in its code, or `row_malformed`."""

    row: int
    """Its position in the request, from 0."""
    field: str | None
    code: str
    reason: str


@dataclass(frozen=True)
class Answer:
    """What the service gave for each row, in the rows' order; None where `errors` says why."""

    predictions: tuple[Any, ...]
    errors: tuple[RowError, ...]
    model: str
    """`name:version` of what answered."""
    request_id: str


@dataclass(frozen=True)
class Features:
    """What the model is given for each row: a mapping of names, or a list by position."""

    features: tuple[Any, ...]
    errors: tuple[RowError, ...]
    model: str
    request_id: str


@dataclass(frozen=True)
class Detail:
    """One thing that is wrong with a request."""

    row: int | None
    field: str | None
    reason: str


class RequestRefused(Nb2ProdError):
    """The service refused the whole request: `status` and `code` say how, `details` what is wrong with which row."""

    exit_code = 1
    kind = "request"

    def __init__(self, status: int, code: str, message: str, details: tuple[Detail, ...], request_id: str) -> None:
        told = [f"row {item.row}, {item.field}: {item.reason}" for item in details[:5]]
        super().__init__(f"{message} ({status} {code})", "\n".join(told))
        self.status = status
        self.code = code
        self.details = details
        self.request_id = request_id


class ServiceClient:
    """Asks the service at a URL; a context manager that closes its connections. May be used by several threads.

    Args:
        url: Where it answers, as `http://127.0.0.1:3000`.
        key: The API key, where the service asks for one.
        timeout: Seconds that one request may take.
    """

    def __init__(self, url: str, *, key: str | None = None, timeout: float = 60.0) -> None:
        headers = {"X-API-Key": key} if key else {}
        self._client = Client(url, headers=headers, timeout=timeout)

    @property
    def url(self) -> str:
        """Where it answers."""
        return self._client.url

    def predict(self, rows: Rows) -> Answer:
        """The predictions for these rows: mappings of fields, or a DataFrame with a column for each.

        Raises `RequestRefused` (malformed rows, a missing key, too many at once) and `ServiceFault` (nothing answers).
        """
        document = self._asked("/predict", rows)
        return Answer(tuple(document["predictions"]), *_common(document))

    def features(self, rows: Rows) -> Features:
        """What the model is given for these rows; raises as `predict` does."""
        document = self._asked("/features", rows)
        return Features(tuple(document["features"]), *_common(document))

    def signature(self) -> Signature:
        """The fields of a request, with the types, ranges and categories seen in training; raises as `predict` does."""
        return Signature.from_json(_good(self._client.get("/signature")))

    def ready(self) -> bool:
        """Whether it is loaded and warmed up."""
        return self._client.status("/readyz") == 200

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _asked(self, path: str, rows: Rows) -> Mapping[str, Any]:
        return _good(self._client.post(path, _body(rows)))


def _body(rows: Rows) -> bytes:
    """The request's JSON: of a DataFrame with its missing values as null and its moments in ISO 8601."""
    if isinstance(rows, Sequence):
        return json.dumps({"rows": [dict(row) for row in rows]}, allow_nan=False).encode()
    text = rows.to_json(orient="records", date_format="iso", date_unit="us", double_precision=15)
    return f'{{"rows": {text}}}'.encode()


def _good(reply: Reply) -> Mapping[str, Any]:
    document = reply.document
    if reply.status == 200 and isinstance(document, Mapping):
        return document
    error = document.get("error") if isinstance(document, Mapping) else None
    if not isinstance(error, Mapping):
        raise ServiceFault(f"the service answered {reply.status} without saying why", "Is it one made by nb2prod?")
    details = tuple(Detail(item.get("row"), item.get("field"), str(item.get("reason"))) for item in error["details"])
    request_id = str(document.get("request_id") or "")
    raise RequestRefused(reply.status, str(error["code"]), str(error["message"]), details, request_id)


def _common(document: Mapping[str, Any]) -> tuple[tuple[RowError, ...], str, str]:
    errors = (RowError(item["row"], item.get("field"), item["code"], item["reason"]) for item in document["errors"])
    return tuple(errors), str(document["model"]), str(document["request_id"])
