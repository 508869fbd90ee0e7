"""Notebooks made of source text, for the forecast's tests."""

import textwrap
from pathlib import Path

from nb2prod.notebook import Cell, Notebook
from nb2prod.notebook_source import ignore_comments, parse

IMPORTS = """
import datetime
import random
import time
import zlib
from datetime import datetime as dt

import numpy as np
import pandas as pd
import requests
import xgboost as xgb
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler, scale
"""
LOAD = 'df = pd.read_csv("people.csv")'
SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)"
CHOOSE = 'X = df.drop(columns="target")\ny = df["target"]\n' + SPLIT
TRAIN = "model = LogisticRegression()\nmodel.fit(X_train, y_train)"
PREDICT = "y_pred = model.predict(X_test)"


def book(*cells, language="python"):
    """A notebook of `(source, *tags)` cells."""
    made = []
    for index, (source, *tags) in enumerate(cells):
        text = textwrap.dedent(source).strip("\n")
        statements, magic, problem = parse(text)
        cell = Cell(
            index + 1,
            index,
            f"c{index}",
            "code",
            text,
            frozenset(tags),
            statements,
            magic,
            problem,
            ignore_comments(text),
        )
        made.append(cell)
    return Notebook(Path("/nowhere/book.ipynb"), "book.ipynb", tuple(made), "python3", language, "")


def usual(feature, *, choose=CHOOSE, train=TRAIN, predict=PREDICT, load=LOAD):
    """The usual notebook: cell 1 imports, 2 loads, 3 is `feature`, 4 chooses and splits, 5 trains, 6 predicts."""
    return book((IMPORTS,), (load,), (feature, "feature"), (choose,), (train, "train"), (predict, "predict"))
