"""Files and functions that fit in one's head: the limits of CONTRIBUTING."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE, FUNCTION = 400, 50


def too_long() -> set[str]:
    found = set()
    for path in (ROOT / "nb2prod").rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > FILE:
            found.add(name)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= FUNCTION:
                found.add(f"{name}: {node.name}")
    return found


def test_no_file_and_no_function_is_longer_than_the_limits():
    assert too_long() == set()
