"""Trains the benchmark's model for the hand-written peers: ``python train.py FOLDER lr|rf`` writes model.joblib."""

from __future__ import annotations

import sys
from pathlib import Path

import joblib
import pandas as pd
from features import MODELS, features
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

KNOWN = {
    "make_pipeline": make_pipeline,
    "StandardScaler": StandardScaler,
    "LogisticRegression": LogisticRegression,
    "RandomForestClassifier": RandomForestClassifier,
}


def main(folder: Path, kind: str) -> None:
    """Train as the notebook does."""
    df = pd.read_csv(folder / "customers.csv")
    medians = {"age": float(df["age"].median()), "income": float(df["income"].median())}
    target = df["churned"]
    table = features(df, medians)
    X_train, _, y_train, _ = train_test_split(table, target, test_size=0.25, random_state=0)
    model = eval(MODELS[kind], KNOWN)
    model.fit(X_train, y_train)
    joblib.dump({"model": model, "medians": medians}, folder / "model.joblib")


main(Path(sys.argv[1]), sys.argv[2])
