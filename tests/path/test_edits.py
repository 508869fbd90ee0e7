"""Replacing expressions in the notebook's own text: comments and layout stay, and the result says what the tree says."""

from __future__ import annotations

import ast

import pytest

from nb2prod.path.edits import Patcher
from nb2prod.recording.trace import Tree

# source, the expression to replace, the replacement, the statement as it must read
CASES = [
    (
        "df['a'] = df['a'].fillna(df['a'].mean())",
        "df['a'].mean()",
        "captured.a_mean",
        "df['a'] = df['a'].fillna(captured.a_mean)",
    ),
    ("x = f(a,  # first\n      g(b))", "g(b)", "captured.g", "x = f(a,  # first\n      captured.g)"),
    ("é = 'ü' + name", "name", "captured.name", "é = 'ü' + captured.name"),
    ("x = (df.a.mean())", "df.a.mean()", "captured.m", "x = (captured.m)"),
    ("x = f'{a}-{b:.2f}'", "b", "captured.b", "x = f'{a}-{captured.b:.2f}'"),
    (
        "x = [v for v in cols if v not in drop]",
        "drop",
        "captured.drop",
        "x = [v for v in cols if v not in captured.drop]",
    ),
    ("x = 1 if flag else 2", "flag", "captured.flag", "x = 1 if captured.flag else 2"),
    ("x = f(**options)", "options", "captured.options", "x = f(**captured.options)"),
]


def _tree(source: str) -> Tree:
    return Tree(0, None, source, 0, ast.parse(source))


def _find(tree: Tree, text: str) -> int:
    return next(
        i
        for i, node in enumerate(tree.nodes)
        if isinstance(node, ast.expr) and ast.unparse(node) == ast.unparse(ast.parse(text, mode="eval").body)
    )


@pytest.mark.parametrize(("source", "old", "new", "expected"), CASES, ids=[case[0] for case in CASES])
def test_replaced(source: str, old: str, new: str, expected: str) -> None:
    tree = _tree(source)
    patcher = Patcher(tree, {_find(tree, old): lambda _: new})
    assert patcher.statement(tree.tree.body[0]) == expected


def test_an_edit_inside_an_edit_is_made_too() -> None:
    tree = _tree("y = outer(inner(a))")
    inner, outer = _find(tree, "inner(a)"), _find(tree, "outer(inner(a))")
    call = tree.nodes[outer]
    assert isinstance(call, ast.Call)
    edits = {inner: lambda _: "captured.inner", outer: lambda render: f"frozen.outer(state, {render(call.args[0])})"}
    assert Patcher(tree, edits).statement(tree.tree.body[0]) == "y = frozen.outer(state, captured.inner)"


def test_comments_above_and_behind_a_statement_come_along() -> None:
    tree = _tree("# why\n# more\nx = a  # behind\n")
    patcher = Patcher(tree, {})
    node = tree.tree.body[0]
    assert patcher.block_lines(node, patcher.statement(node), "    ") == [
        "    # why",
        "    # more",
        "    x = a  # behind",
    ]


def test_the_lines_of_a_string_are_not_indented() -> None:
    tree = _tree('x = f("""one\n  two\n""", a)')
    patcher = Patcher(tree, {})
    node = tree.tree.body[0]
    lines = patcher.block_lines(node, patcher.statement(node), "    ")
    namespace: dict[str, object] = {"f": lambda text, _: text, "a": 1}
    exec("def g():\n" + "\n".join(lines) + "\n    return x\nvalue = g()", namespace)
    assert namespace["value"] == "one\n  two\n"
