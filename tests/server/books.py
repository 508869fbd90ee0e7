"""Small notebooks for the server's tests."""

import json
from pathlib import Path

LOAD = """import pandas as pd
from sklearn.linear_model import LinearRegression

df = pd.DataFrame({"size": [float(n % 37) for n in range(120)], "rooms": [float(n % 5) for n in range(120)]})
df["price"] = 3 * df["size"] + 10 * df["rooms"]"""
FEATURE = 'df["size_or"] = df["size"].fillna(df["size"].median())'
RANKED = 'df["size_or"] = df["size"].rank()'
TRAIN = 'X = df[["size_or", "rooms"]]\nmodel = LinearRegression().fit(X, df["price"])'
PREDICT = "predicted = model.predict(X)"
SLEEPS = "import os, pathlib, time\npathlib.Path('kernel.pid').write_text(str(os.getpid()))\ntime.sleep(600)"


def document(*cells: tuple[str, str]) -> dict:
    """The notebook of these (tag, source); an empty tag for none."""
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [
            {
                "cell_type": "code",
                "id": f"c{number}",
                "source": source,
                "metadata": {"tags": [tag]} if tag else {},
                "outputs": [],
                "execution_count": None,
            }
            for number, (tag, source) in enumerate(cells, start=1)
        ],
    }


def houses(feature: str = FEATURE) -> dict:
    """A notebook that can be served, with another feature if told."""
    return document(("", LOAD), ("feature", feature), ("train", TRAIN), ("predict", PREDICT))


def write(path: Path, notebook: dict) -> Path:
    path.write_text(json.dumps(notebook))
    return path
