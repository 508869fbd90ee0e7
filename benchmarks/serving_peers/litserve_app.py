"""LitServe with batches of 64, written by hand: ``python litserve_app.py PORT``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import joblib
import litserve
from features import features, frame_of


class Model(litserve.LitAPI):
    """Rows of many requests in one frame; each request gets its own part back."""

    def setup(self, device: str) -> None:
        """Load."""
        self.kept = joblib.load(Path(os.environ["BENCH_FOLDER"]) / "model.joblib")

    def decode_request(self, request, **_: Any) -> list[dict[str, Any]]:  # noqa: ANN001
        """The rows of one request; with a type it would be taken for a query parameter."""
        return request["rows"]

    def batch(self, inputs: list[list[dict[str, Any]]]) -> tuple[list[int], list[dict[str, Any]]]:
        """Rows together, with how many each request has."""
        return [len(rows) for rows in inputs], [row for rows in inputs for row in rows]

    def predict(self, batch: tuple[list[int], list[dict[str, Any]]], **_: Any) -> tuple[list[int], list[int]]:
        """Predict."""
        sizes, rows = batch
        made = self.kept["model"].predict(features(frame_of(rows), self.kept["medians"])).tolist()
        return sizes, made

    def unbatch(self, output: tuple[list[int], list[int]]) -> list[list[int]]:
        """Each request's part."""
        sizes, made = output
        parts, start = [], 0
        for size in sizes:
            parts.append(made[start : start + size])
            start += size
        return parts

    def encode_response(self, output: list[int], **_: Any) -> dict[str, list[int]]:
        """The answer."""
        return {"predictions": output}


if __name__ == "__main__":
    api = Model(max_batch_size=64, batch_timeout=0.005)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, timeout=60)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
