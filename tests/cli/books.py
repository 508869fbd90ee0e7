"""Notebook files for the command line's tests."""

import json

from tests.forecast.books import CHOOSE, IMPORTS, LOAD, PREDICT, TRAIN

GOOD = (
    (IMPORTS,),
    (LOAD,),
    ('df["a"] = df["a"].fillna(0)', "feature"),
    (CHOOSE, "feature"),
    (TRAIN, "train"),
    (PREDICT, "predict"),
)
RANKED = (*GOOD[:2], ('df["r"] = df["a"].rank()', "feature"), *GOOD[3:])


def save(path, *cells, kernel="python3", language="python"):
    """Write a notebook of `(source, *tags)` cells as Jupyter would."""
    made = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"c{number}",
            "metadata": {"tags": list(tags)} if tags else {},
            "outputs": [],
            "source": source.splitlines(keepends=True),
        }
        for number, (source, *tags) in enumerate(cells)
    ]
    spec = {"display_name": kernel, "language": language, "name": kernel}
    document = {"cells": made, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return path
