"""Which captured values need no copy for each use."""

import pytest

from nb2prod.path.looked_up import only_looked_up

CASES = [
    ("if word in captured.a:\n    p *= captured.a[word]", {"a"}),
    ("x = captured.a.get(key, 0)", {"a"}),
    ("y = key not in captured.a and captured.b[0] == 1", {"a", "b"}),
    ("captured.a[key] = 1", set()),
    ("del captured.a[key]", set()),
    ("captured.a[key] += 1", set()),
    ("d = captured.a\nx = captured.a[key]", set()),
    ("f(captured.a)", set()),
    ("captured.a.update(b)", set()),
    ("g = captured.a.get", set()),
    ("x = captured.a in many", set()),
    ("x = table[captured.a]", set()),
]


@pytest.mark.parametrize(("source", "expected"), CASES, ids=[case[0] for case in CASES])
def test_only_what_no_use_can_change(source: str, expected: set[str]) -> None:
    assert only_looked_up([source]) == expected


def test_every_module_counts() -> None:
    assert only_looked_up(["x = captured.a[1]", "captured.a.clear()"]) == set()
