"""What a person writes by hand: FastAPI with a typed row, pandas features, one model."""

from __future__ import annotations

import os
from pathlib import Path

import joblib
from fastapi import FastAPI
from features import features, frame_of
from pydantic import BaseModel

kept = joblib.load(Path(os.environ["BENCH_FOLDER"]) / "model.joblib")
app = FastAPI()


class Row(BaseModel):
    """One customer."""

    age: float | None
    income: float | None
    tenure: int
    visits: int
    balance: float
    score: float | None
    plan: str
    region: str
    device: str
    signup: str


class Rows(BaseModel):
    """A request."""

    rows: list[Row]


class Answer(BaseModel):
    """Its answer."""

    predictions: list[int]


@app.get("/livez")
def livez() -> dict[str, str]:
    """Alive."""
    return {"status": "alive"}


@app.post("/predict")
def predict(request: Rows) -> Answer:
    """Predict."""
    frame = frame_of([row.model_dump() for row in request.rows])
    return Answer(predictions=kept["model"].predict(features(frame, kept["medians"])).tolist())
