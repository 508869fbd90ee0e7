"""How large the core is, and how many names of libraries' functions stand in it as strings: `python benchmarks/core_size.py [FOLDER]`.

Prints a line for each package of the core: files, lines, the longest file, the longest function, names of libraries. A name counts where a string of the code (no
docstring), or a word of one, is the name of a public function, class, method or attribute of pandas, numpy, scikit-learn or scipy; plain English words of two or three
letters, and words that Python itself has, are left out. FOLDER is another working copy to be counted in the same way.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.stats
import sklearn
from sklearn.utils import all_estimators

PACKAGES = ("recording", "path", "forecast")
OWNERS = (
    pd, pd.DataFrame, pd.Series, pd.Index, pd.Categorical, pd.DatetimeIndex, pd.core.groupby.DataFrameGroupBy, pd.core.groupby.SeriesGroupBy,
    pd.core.strings.accessor.StringMethods, np, np.ndarray, np.random, scipy.stats, sklearn.preprocessing, sklearn.model_selection,
)  # fmt: skip


def names_of_libraries() -> frozenset[str]:
    """The names that count."""
    found = {name for owner in OWNERS for name in dir(owner) if not name.startswith("_")}
    for name, kind in all_estimators():
        found |= {name, *(part for part in dir(kind) if not part.startswith("_"))}
    common = {
        *dir(builtins),
        *dir(dict),
        *dir(list),
        *dir(str),
        "name",
        "names",
        "values",
        "shape",
        "where",
        "array",
        "test",
        "plot",
        "show",
        "code",
    }
    return frozenset(name for name in found if len(name) > 3 and name not in common)


def strings(tree: ast.Module) -> Iterator[str]:
    """The strings of a module's code, without its docstrings."""
    notes = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for part in body if isinstance(body, list) else ():
            if isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant):
                notes.add(part.value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in notes:
            yield node.value


def measure(folder: Path, names: frozenset[str]) -> tuple[int, int, int, int, int]:
    """Files, lines, the longest file, the longest function, and names of libraries in a folder."""
    files = lines = longest = function = named = 0
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        count = text.count("\n")
        files, lines, longest = files + 1, lines + count, max(longest, count)
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno is not None:
                function = max(function, node.end_lineno - node.lineno + 1)
        # A sentence is for a reader; a name, or a list of names, decides something.
        plain = (text for text in strings(tree) if re.fullmatch(r"[\w.:]+( [\w.:]+)*", text))
        named += sum(word in names for text in plain for word in re.split(r"[ .:]", text))
    return files, lines, longest, function, named


def main() -> None:
    """Print the table."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    names = names_of_libraries()
    print(f"{'package':20}{'files':>7}{'lines':>8}{'longest file':>14}{'longest function':>18}{'library names':>15}")
    for package in PACKAGES:
        files, lines, longest, function, named = measure(root / "nb2prod" / package, names)
        print(f"{package:20}{files:7}{lines:8}{longest:14}{function:18}{named:15}")


if __name__ == "__main__":
    main()
