"""A project's model behind a pipe: JSON lines in, JSON lines out. ``python -m nb2prod_runtime.worker PROJECT``

Requests: ``{"op": "predict" | "features", "rows": [...], "phantoms": {column: value}?}`` and ``{"op": "quit"}``.
Answers: ``{"predictions", "errors"}`` (``"features"`` for that op), or ``{"problem": text, "details": [...]}``.
The first line written is ``{"ready": true}``. What the notebook's code prints goes to standard error.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import IO, Any

from . import seam
from .columns import Refused
from .model import Model
from .rows import Decoder


def answer(model: Model, request: dict[str, Any], decoders: dict[str, Decoder]) -> dict[str, Any]:
    """The answer to one request. Malformed rows and phantoms are answered as problems."""
    op = request.get("op")
    if op not in ("predict", "features"):
        return {"problem": f"unknown op {op!r}; expected predict, features or quit", "details": []}
    phantoms = request.get("phantoms") or {}
    key = json.dumps(phantoms, sort_keys=True)
    try:
        decoder = decoders.get(key) or decoders.setdefault(key, Decoder(model.signature, phantoms))
    except Refused as refused:
        return {"problem": f"a phantom value: {refused}", "details": []}
    decoded = decoder.check({"rows": request.get("rows")})
    if decoded.problems:
        details = [{"row": p.row, "field": p.field, "reason": p.reason} for p in decoded.problems]
        return {"problem": "the rows are malformed", "details": details}
    made = (seam.features if op == "features" else seam.predictions)(model, decoder, decoded.rows)
    name = "features" if op == "features" else "predictions"
    return {name: made.predictions, "errors": [error.to_json() for error in made.errors]}


def serve(model: Model, source: IO[str], sink: IO[str]) -> None:
    """Answer requests until the source ends or says quit."""
    decoders: dict[str, Decoder] = {}
    print(json.dumps({"ready": True}), file=sink, flush=True)
    for line in source:
        if not line.strip():
            continue
        request = json.loads(line)
        if request.get("op") == "quit":
            return
        print(json.dumps(answer(model, request, decoders), allow_nan=False), file=sink, flush=True)


def main(arguments: list[str]) -> int:
    """Serve the project folder given as the only argument."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m nb2prod_runtime.worker PROJECT\n")
        return 2
    sink, sys.stdout = sys.stdout, sys.stderr
    serve(Model.load(Path(arguments[0])), sys.stdin, sink)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
