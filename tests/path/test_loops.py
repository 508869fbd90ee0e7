"""Loops over rows that fill a list, in the ways people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.path.inprocess import serve

LOAD = """import re
import pandas as pd
df = pd.DataFrame({'text': ['Free entry!', 'ok lar', 'WIN 10 now', 'hello you'] * 5, 'n': range(20), 'k': ['a', 'b'] * 10})
short = {'ok', 'you'}"""
BODY = "    words = [w for w in re.sub('[^a-z]', ' ', text.lower()).split() if w not in short]\n    corpus.append(' '.join(words))"
INSIDE = BODY.replace("    words", "        words").replace("    corpus", "        corpus")
BUILD = f"""def build(table):
    corpus = []
    for text in table['text']:
{INSIDE}
    return corpus
f = pd.Series(build(df)).str.len()"""
BUILD_BY_POSITION = f"""def build(table, limit=3):
    corpus = []
    for i in range(len(table)):
        text = table['text'].iloc[i][limit:]
{INSIDE}
    return corpus
df['c'] = build(df)
f = df['c'].str.len() / df['n'].max()"""
LOOPS = [
    f"corpus = []\nfor text in df['text']:\n{BODY}\nf = pd.Series(corpus).str.len()",
    f"corpus = []\nfor i in range(0, len(df)):\n    text = df['text'][i]\n{BODY}\nf = pd.Series(corpus).str.len()",
    f"corpus = []\nfor i in range(df.shape[0]):\n    text = df['text'].iloc[i]\n{BODY}\ndf['c'] = corpus\nf = df['c'].str.len()",
    f"corpus = []\nfor i, row in df.iterrows():\n    text = row['text']\n{BODY}\ndf['c'] = corpus\nf = df['c'].str.len()",
    f"corpus = []\nfor row in df.itertuples():\n    text = row.text\n{BODY}\ndf['c'] = corpus\nf = df['c'].str.len()",
    f"corpus = list()\nfor text, k in zip(df['text'], df['k']):\n{BODY}\ndf['c'] = corpus\nf = df['c'].str.len()",
    "sizes = []\nfor n in df['n'].values:\n    if n > 10:\n        sizes.append(1)\n    else:\n        sizes.append(n / 2)\ndf['s'] = sizes\nf = df['s']",
    "a, b = [], []\nfor n in df['n']:\n    a.append(n * 2)\n    b.append(n - 1)\ndf['s'] = a\ndf['t'] = b\nf = df['s'] + df['t']",
    "sizes = []\nfor i in df.index:\n    sizes.append(df['n'][i] + 1)\ndf['s'] = sizes\nf = df['s']",
    "def doubled(n):\n    return n * 2\nsizes = []\nfor n in df['n']:\n    sizes.append(doubled(n))\ndf['s'] = sizes\nf = df['s']",
    "for i, row in df.iterrows():\n    df.at[i, 'twice'] = row['n'] * 2\nf = df['twice']",
    "df['k1'] = 0.0\nfor i in df.index:\n    if df.loc[i, 'k'] == 'b':\n        df.loc[i, 'k1'] = 1.0\nf = df['k1']",
    "df['k1'] = 0\nfor i in range(len(df)):\n    df.loc[i, 'k1'] = len(df['text'][i])\nf = df['k1']",
    BUILD,
    BUILD_BY_POSITION,
]


@pytest.mark.parametrize("other_cell", [False, True])
@pytest.mark.parametrize("loop", LOOPS, ids=range(len(LOOPS)))
def test_a_list_filled_row_by_row_is_served(loop: str, other_cell: bool, tmp_path: Path) -> None:
    cells = [(None, LOAD), ("feature", loop)] if other_cell else [("feature", f"{LOAD}\n{loop}")]
    served = serve([*cells, ("predict", "pred = f + 1")], tmp_path)
    assert served.answers(served.predicted) == served.expected
    assert served.one_by_one() == served.expected


def test_a_model_by_hand_has_its_neighbours_as_values(tmp_path: Path) -> None:
    """The loop goes over the predicted rows and reads training's, of which no request has any."""
    train = "import numpy as np\nX = df[['n']].to_numpy() * 1.5\nX_train, X_test = X[:14], X[14:]\ny_train = df['n'].to_numpy()[:14]"
    predict = """
pred = []
for x in X_test:
    distance = ((X_train - x) ** 2).sum(axis=1)
    pred.append(y_train[np.argsort(distance)[:3]].mean())
"""
    served = serve([(None, LOAD), ("feature", train), ("predict", predict)], tmp_path)
    assert served.answers(served.predicted) == served.expected
    assert served.one_by_one() == served.expected
    assert "y_train" not in served.features.split("for x in")[0]
