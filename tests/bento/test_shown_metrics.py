"""The model card tells the metrics that the notebook's run showed, and guesses none."""

import pytest

from nb2prod.bento import shown_metrics


def cell(source, text=None, stream=None):
    outputs = []
    if stream is not None:
        outputs.append({"output_type": "stream", "name": "stdout", "text": stream})
    if text is not None:
        outputs.append({"output_type": "execute_result", "data": {"text/plain": text}})
    return {"cell_type": "code", "source": source, "outputs": outputs}


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ([cell("accuracy_score(y, p)", "0.8212")], {"accuracy_score": 0.8212}),
        ([cell("model.score(X, y)", "np.float64(0.75)")], {"score": 0.75}),
        ([cell("acc = accuracy_score(y, p)"), cell("acc", "0.5")], {"accuracy_score": 0.5}),
        ([cell("print('Accuracy:', accuracy_score(y, p))", stream="Accuracy: 0.9\n")], {"accuracy_score": 0.9}),
        ([cell("r = r2_score(y, p)\nprint(f'{r:.1%}')", stream="45.5%\n")], {"r2_score": 0.455}),
        ([cell("print('start')\nprint(mean_squared_error(y, p))", stream=["start\n", "1.5e3\n"])], {"mean_squared_error": 1500.0}),
        ([cell("print(accuracy_score(y, p), f1_score(y, p))", stream="0.9 0.8\n")], {}),
        ([cell("for f in folds:\n    print(f.score(X))", stream="0.1\n0.2\n")], {}),
        ([cell("print(accuracy_score(y, p))", stream="0.9 of 100\n")], {}),
        ([cell("classification_report(y, p)", "'text'")], {}),
        ([cell("%time model.score(X, y)", "0.5")], {}),
        ([cell("df.shape", "(891, 12)")], {}),
    ],
)  # fmt: skip
def test_what_was_shown_is_told(cells, found):
    assert shown_metrics.of_executed({"cells": cells}) == pytest.approx(found)
