"""What becomes of a choice of rows while serving."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nb2prod.runtime import rules

FRAME = pd.DataFrame({"a": [1, 2, 3, 4]})


def test_a_rule_that_all_rows_keep_gives_them_back() -> None:
    assert rules.validity("r", FRAME, FRAME[FRAME.a > 0]) is FRAME


def test_a_rule_names_the_rows_that_it_leaves_out() -> None:
    with pytest.raises(rules.RowsRefused) as refused:
        rules.validity("cell 3, line 1: df[df.a > 2]", FRAME, FRAME[FRAME.a > 2])
    assert refused.value.positions == (0, 1)
    assert "cell 3, line 1" in refused.value.message


def test_one_row_alone_is_the_one_refused_whatever_it_is_held_in() -> None:
    with pytest.raises(rules.RowsRefused) as refused:
        rules.validity("r", np.array([[1.0]]), np.empty((0, 1)))
    assert refused.value.positions == (0,)


def test_rows_without_labels_must_be_asked_one_by_one() -> None:
    with pytest.raises(rules.RuleUnclear):
        rules.validity("r", np.arange(3), np.arange(2))


def test_training_has_none_of_the_requests_rows_and_keeps_its_columns() -> None:
    none = rules.no_row(FRAME)
    assert (len(none), list(none.columns), none.dtypes.to_list()) == (0, ["a"], FRAME.dtypes.to_list())
    assert len(rules.no_row(np.arange(3))) == 0


def test_a_split_gives_each_array_all_rows_or_none() -> None:
    train, test, y_train, y_test = rules.split((FRAME, FRAME.a), [False, True, False, True])
    assert [len(part) for part in (train, test, y_train, y_test)] == [0, 4, 0, 4]


def test_parts_of_the_raw_table_have_the_form_that_the_notebook_got() -> None:
    assert rules.part(FRAME, ["a"], "array").shape == (4, 1)
    assert rules.part(FRAME, ["a"], "vector").shape == (4,)
    assert rules.part(FRAME, ["a"], "series").name == "a"
    assert list(rules.part(FRAME, ["a"], "frame").columns) == ["a"]
