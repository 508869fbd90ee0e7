"""The service's OpenAPI 3.1 document, typed from the signature, with examples that answer 200 when sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .columns import codec_of
from .options import Options
from .signature import Column, Signature

_JSON_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean", "string": "string", "datetime": "string"}
_BOUNDS = {"int8": 7, "int16": 15, "int32": 31, "int64": 63}


@dataclass(frozen=True)
class Facts:
    """What is served beside the model itself: its version, whether keys are needed, whether there are rule-based answers."""

    version: str
    keys: bool = False
    fallback: bool = False


def document(signature: Signature, options: Options, examples: list[dict[str, Any]], facts: Facts) -> dict[str, Any]:
    """The document for ``GET /docs.json``."""
    schemas = {
        "Row": _row(signature),
        "Rows": _rows(options),
        "Prediction": _prediction(signature),
        "RowError": _ROW_ERROR,
        "Predictions": _predictions(options),
        "Features": _answers("features", _features(signature)),
        "Error": _ERROR,
    }
    if options.request_log:
        schemas |= {"Labels": _LABELS, "LabelsAccepted": _LABELS_ACCEPTED}
    if options.jobs:
        schemas |= {"Job": _JOB, "DeletedJob": _DELETED}
    if facts.fallback:
        schemas["RuleBased"] = _answers("predictions", {"description": "The answer of the notebook's fallback cell."})
    made: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": signature.model,
            "version": facts.version,
            "description": f"Serves the predictions of {signature.notebook or 'a notebook'}.",
        },
        "paths": _paths(options, examples, facts),
        "components": {"schemas": schemas},
    }
    if signature.owner:
        made["info"]["contact"] = {"name": signature.owner}
    if facts.keys:
        made["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        made["security"] = [{"bearer": []}, {"key": []}]
    return made


def field_schema(column: Column) -> dict[str, Any]:
    """The JSON schema of one field."""
    schema: dict[str, Any] = {}
    kind = _JSON_TYPES.get(column.type)
    if kind is not None:
        schema["type"] = [kind, "null"] if column.nullable else kind
    if column.dtype in _BOUNDS:
        schema["minimum"], schema["maximum"] = -(2 ** _BOUNDS[column.dtype]), 2 ** _BOUNDS[column.dtype] - 1
    elif column.type == "integer" and column.dtype not in ("object", "category"):
        codec: Any = codec_of(column)
        schema["minimum"], schema["maximum"] = codec.low, codec.high
    if column.type == "datetime":
        schema["description"] = f"A date-time: {codec_of(column).expected}."
        if column.format is None or column.dtype == "category":
            schema["pattern"] = _moment_pattern(codec_of(column))
    elif column.categories:
        shown = ", ".join(str(category) for category in column.categories[:20])
        left = max(0, len(column.categories) - 20) + column.rarer
        more = f" and {left} more" if left else ""
        schema["description"] = f"Categories in training: {shown}{more}. Others are taken too."
    elif column.minimum is not None:
        schema["description"] = f"In training from {column.minimum} to {column.maximum}. Others are taken too."
    if column.example is not None:
        schema["examples"] = [column.example]
    return schema


def _moment_pattern(codec: Any) -> str:
    """What the column surely takes, as a regular expression: days that every year has, years and digits of its unit."""
    held = getattr(codec, "inner", codec)
    year = r"(1[7-9]\d{2}|2[01]\d{2})" if held.unit == "ns" else r"(00[1-9]\d|0[1-9]\d{2}|[1-8]\d{3})"
    day = r"(0[1-9]|1\d|2[0-8])"
    month = rf"((0[1-9]|1[0-2])-{day}|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
    digits = {"s": "", "ms": r"(\.\d{1,3})?", "us": r"(\.\d{1,6})?", "ns": r"(\.\d{1,9})?"}[held.unit]
    time = rf"[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d{digits})?"
    if held.zone is None:
        return rf"^{year}-{month}({time})?$"
    return rf"^{year}-{month}{time}(Z|[+-](0\d|1[0-3]):[0-5]\d)$"


def _row(signature: Signature) -> dict[str, Any]:
    fields = signature.fields
    return {
        "type": "object",
        "properties": {column.key: field_schema(column) for column in fields},
        "required": [column.key for column in fields],
        "additionalProperties": False,
    }


def _rows(options: Options) -> dict[str, Any]:
    rows = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}, "maxItems": options.max_rows}
    return {"type": "object", "properties": {"rows": rows}, "required": ["rows"], "additionalProperties": False}


def _prediction(signature: Signature) -> dict[str, Any]:
    prediction = signature.prediction
    schema: dict[str, Any] = {"description": f"{prediction.name} of the notebook; null where there is an error."}
    kinds = {
        "integer": ["integer"], "number": ["number", "string"], "boolean": ["boolean"], "string": ["string"],
        "datetime": ["string"], "vector": ["array"],
    }  # fmt: skip
    if prediction.kind in kinds:
        schema["type"] = [*kinds[prediction.kind], "null"]
    if prediction.kind == "number":
        schema["description"] += ' Infinity is the string "Infinity" or "-Infinity".'
    return schema


def _features(signature: Signature) -> dict[str, Any]:
    names = signature.features.names
    if signature.features.kind == "frame" and names is not None:
        return {"type": ["object", "null"], "properties": {name: {} for name in names}}
    return {}


def _predictions(options: Options) -> dict[str, Any]:
    made = _answers("predictions", {"$ref": "#/components/schemas/Prediction"})
    if options.cannot_answer == "fallback":
        reason = {"type": "string", "enum": ["row_failed", "over_budget", "busy"]}
        row = {"type": "object", "properties": {"row": {"type": "integer"}, "reason": reason}}
        told = "Rows that the fallback's rules answered in place of the model, and why."
        made["properties"]["fallbacks"] = {"type": "array", "items": row, "description": told}
        made["required"] = [*made["required"], "fallbacks"]
    return made


def _answers(name: str, item: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            name: {"type": "array", "items": item, "description": "One for each row, in the rows' order."},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/RowError"}},
            "model": {"type": "string"},
            "request_id": {"type": "string"},
        },
        "required": [name, "errors", "model", "request_id"],
    }


_ROW_ERROR = {
    "type": "object",
    "properties": {
        "row": {"type": "integer"},
        "field": {"type": ["string", "null"]},
        "code": {"type": "string", "enum": ["row_refused", "row_failed", "row_malformed"]},
        "reason": {"type": "string"},
    },
    "required": ["row", "field", "code", "reason"],
}

_DETAIL = {
    "type": "object",
    "properties": {
        "row": {"type": ["integer", "null"]},
        "field": {"type": ["string", "null"]},
        "reason": {"type": "string"},
    },
    "required": ["row", "field", "reason"],
}

_ERROR = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "details": {"type": "array", "items": _DETAIL},
            },
            "required": ["code", "message", "details"],
        },
        "request_id": {"type": "string"},
    },
    "required": ["error", "request_id"],
}

_MOMENT = {"type": ["number", "null"], "description": "Seconds since 1970."}
_JOB = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "state": {"type": "string", "enum": ["queued", "running", "done", "failed"]},
        "rows": {"type": "integer"},
        "created": _MOMENT,
        "started": _MOMENT,
        "ended": _MOMENT,
        "answer": {"type": ["object", "null"], "description": "As of POST /predict; {error} where the job failed."},
        "model": {"type": "string"},
        "request_id": {"type": "string"},
    },
    "required": ["id", "state", "rows", "created", "started", "ended", "answer", "model", "request_id"],
}
_DELETED = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "state": {"type": "string", "enum": ["deleted"]},
        "request_id": {"type": "string"},
    },
    "required": ["id", "state", "request_id"],
}

_FAILURES = {
    400: "The body is not JSON.",
    401: "An API key is needed.",
    404: "No such job.",
    408: "The body took too long to arrive.",
    413: "The body is too large.",
    415: "The body is not announced as JSON.",
    422: "Rows are malformed; all are listed.",
    429: "Too many requests at once; try again after Retry-After seconds.",
    500: "A fault of the service.",
    503: "Not ready.",
    504: "No answer within the time allowed.",
}


_KEPT = {
    "description": "Kept as a job; Location says where it is.",
    "headers": {"Location": {"schema": {"type": "string"}}},
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Job"}}},
}


def _failures(*statuses: int) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {str(status): {"description": _FAILURES[status], "content": content} for status in statuses}


def _post(summary: str, answer: str, examples: list[dict[str, Any]], *, queues: bool = False) -> dict[str, Any]:
    sent: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Rows"}}
    if examples:
        sent["examples"] = {"made": {"value": {"rows": examples}}}
    answered = {"application/json": {"schema": {"$ref": f"#/components/schemas/{answer}"}}}
    good = {"200": {"description": "An answer for each row.", "content": answered}}
    if answer == "Job":
        good = {"202": _KEPT}
    elif queues:
        good["202"] = _KEPT
    return {
        "post": {
            "operationId": {"Job": "submit"}.get(answer, answer.lower()),
            "summary": summary,
            "requestBody": {"required": True, "content": {"application/json": sent}},
            "responses": {
                **good,
                **_failures(400, 401, 408, 413, 415, 422, 429, 500, 503, 504),
            },
        }
    }


def _get(summary: str, kind: str, *statuses: int, public: bool = False) -> dict[str, Any]:
    schema = {"type": "object"} if kind == "application/json" else {"type": "string"}
    operation: dict[str, Any] = {
        "summary": summary,
        "responses": {
            "200": {"description": summary, "content": {kind: {"schema": schema}}},
            **_failures(*statuses),
        },
    }
    if public:
        operation["security"] = []
    return {"get": operation}


def _jobs(examples: list[dict[str, Any]]) -> dict[str, Any]:
    identity = {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
    }

    def one(summary: str, operation: str, schema: str) -> dict[str, Any]:
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
        answers = {"200": {"description": summary, "content": content}, **_failures(401, 404, 503)}
        return {"operationId": operation, "summary": summary, "responses": answers}

    return {
        "/jobs": _post("Predict later: the rows are checked now", "Job", examples),
        "/jobs/{id}": {
            "parameters": [identity],
            "get": one("What became of a job", "job", "Job"),
            "delete": one("Forget a job, or end it", "delete", "DeletedJob"),
        },
    }


_LABELS: dict[str, Any] = {
    "type": "object",
    "required": ["labels"],
    "additionalProperties": False,
    "properties": {
        "labels": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["request_id", "row", "label"],
                "additionalProperties": False,
                "properties": {
                    "request_id": {"type": "string", "minLength": 1, "maxLength": 64},
                    "row": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
                    "label": {"type": ["string", "number", "boolean"], "description": "What turned out to be true."},
                },
            },
        }
    },
}
_LABELS_ACCEPTED: dict[str, Any] = {
    "type": "object",
    "required": ["accepted", "request_id"],
    "properties": {"accepted": {"type": "integer"}, "request_id": {"type": "string"}},
}


def _labels() -> dict[str, Any]:
    def content(name: str) -> dict[str, Any]:
        return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}

    good = {
        "202": {"description": "They are kept, the last one of a row counts.", "content": content("LabelsAccepted")}
    }
    return {
        "post": {
            "operationId": "labels",
            "summary": "Tell what turned out to be true of rows that were answered",
            "requestBody": {"required": True, "content": content("Labels")},
            "responses": {**good, **_failures(400, 401, 408, 413, 415, 422, 500, 503)},
        }
    }


def _paths(options: Options, examples: list[dict[str, Any]], facts: Facts) -> dict[str, Any]:
    queues = options.cannot_answer == "queue"
    made = {
        "/predict": _post(f"Predict up to {options.max_rows} rows", "Predictions", examples, queues=queues),
        "/features": _post("What the model is given for each row", "Features", examples),
        "/signature": _get("The raw table's columns and the prediction", "application/json", 401),
        "/livez": _get("The process runs", "application/json", public=True),
        "/readyz": _get("The model is loaded and warmed up", "application/json", 503, public=True),
        "/metrics": _get("Metrics for Prometheus", "text/plain", 401),
        "/docs.json": _get("This document", "application/json", 401),
    }
    if facts.fallback:
        made["/fallback"] = _post("The notebook's rule-based answer for each row", "RuleBased", examples)
    if options.request_log:
        made["/labels"] = _labels()
    if options.jobs:
        made |= _jobs(examples)
    return made
