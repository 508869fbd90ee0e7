"""Why a notebook has no prediction to serve is said by what the notebook does."""

from pathlib import Path

import pytest

from nb2prod.errors import Refused
from tests.path.inprocess import serve

LOAD = """
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0] * 5, "t": [0, 0, 1, 1] * 5})
X = df[["a"]]
"""
CASES = {
    "it stays in a function": (
        "def evaluate(model, X, y):\n    made = model.predict(X)\n    return (made == y).mean()\nshare = evaluate(model, X, df['t'])",
        "N15",
        "evaluate() predicts, but the prediction never leaves it",
    ),
    "clusters of the rows that were fitted": (
        "from sklearn.cluster import KMeans\nmeans = KMeans(2, random_state=0).fit(X)\ndf['cluster'] = means.labels_\np = df['cluster'] * 1",
        "F1",
        "the clusters of the rows that were fitted",
    ),
    "of typed values, beside a look at the groups": (
        "risk = df.groupby('t').a.agg(['mean'])\np = model.predict([[3.0], [1.5]])",
        "N5",
        "are no rows of a table",
    ),
    "of typed values": ("p = model.predict([[3.0], [1.5]])", "N5", "are no rows of a table"),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_said(name: str, tmp_path: Path) -> None:
    predict, code, text = CASES[name]
    cells = [
        ("feature", LOAD),
        ("train", "model = LogisticRegression().fit(X.to_numpy(), df['t'])"),
        ("predict", predict),
    ]
    with pytest.raises(Refused) as refused:
        serve(cells, tmp_path)
    [found] = refused.value.diagnostics
    assert found.code == code
    assert text in found.message


def test_typed_values_beside_a_scored_table_name_the_cell_to_tag(tmp_path: Path) -> None:
    cells = [
        ("feature", LOAD),
        ("train", "model = LogisticRegression().fit(X, df['t'])"),
        (None, "print((model.predict(X) == df['t']).mean())"),
        ("predict", "model.predict([[3.0]])"),
    ]
    with pytest.raises(Refused) as caught:
        serve(cells, tmp_path)
    assert "Cell 3 predicts rows of a table (model.predict(X)): tag that cell" in caught.value.diagnostics[0].hint
    again = tmp_path / "again"
    again.mkdir()
    served = serve([*cells[:2], ("predict", cells[2][1]), (None, cells[3][1])], again)
    assert served.answers(served.predicted) == served.expected
