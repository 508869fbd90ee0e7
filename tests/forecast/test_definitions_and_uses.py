"""What each statement binds, changes in place and reads: one small program a row, about its last statement."""

from dataclasses import dataclass

import pytest

from nb2prod.forecast.trace import trace
from nb2prod.forecast.values import Kind, units
from tests.forecast.books import book

FRAME = 'import pandas as pd\nimport numpy as np\ndf = pd.read_csv("a.csv")\n'


@dataclass(frozen=True)
class Case:
    name: str
    source: str
    defines: str = ""
    updates: str = ""
    reads: str = ""


CASES = [
    Case("assignment", "x = 1", "x"),
    Case("assignment from names", "a = 1\nb = 2\nx = a + b", "x", "", "a b"),
    Case("two targets", "a = 1\nx = y = a", "x y", "", "a"),
    Case("unpacking", "a = 1\nx, (y, *z) = a", "x y z", "", "a"),
    Case("annotated", "a = 1\nx: int = a", "x", "", "a"),
    Case("annotation alone", "x: int", ""),
    Case("augmented", "x = 1\nx += 1", "x", "x", "x"),
    Case("augmented item", "d = {}\nk = 1\nd[k] += 1", "", "d", "d k"),
    Case("walrus", "a = 1\nprint(x := a)", "x", "", "a"),
    Case("import", "import numpy.random", "numpy"),
    Case("import as", "import numpy.random as nr", "nr"),
    Case("from import", "from os import path as p", "p"),
    Case("function", "def f(a, b=1):\n    return a", "f"),
    Case("class", "class A:\n    x = 1", "A"),
    Case("delete", "x = 1\ndel x", "x"),
    Case("builtins are not read", "x = len(range(3))", "x"),
    Case("attribute", "a = 1\nx = a.b.c", "x", "", "a"),
    Case("call", "f = 1\na = 1\nx = f(a, k=a)", "x", "", "f a a"),
    Case("lambda's parameter is its own", "a = 1\nx = lambda v: v + a", "x", "", ""),
    Case("lambda called back", FRAME + "a = 1\nx = df.b.map(lambda v: v + a)", "x", "", "df a"),
    Case("comprehension's name is its own", "a = [1]\nx = [i for i in a]", "x", "", "a"),
    Case("comprehension with condition", "a = [1]\nb = 2\nx = [i for i in a if i > b]", "x", "", "a b"),
    Case("dict comprehension", "a = [1]\nx = {k: 1 for k in a}", "x", "", "a"),
    Case("f-string", "a = 1\nx = f'{a!r:>{a}}'", "x", "", "a"),
    Case("conditional expression", "a = b = c = 1\nx = a if b else c", "x", "", "b a c"),
    Case("slice", "a = n = 1\nx = a[:n]", "x", "", "a n"),
    Case("starred call", "f = a = 1\nx = f(*a, **a)", "x", "", "f a a"),
    Case("column set", FRAME + 'df["x"] = 1', "", "df", "df"),
    Case("column set from another", FRAME + 'df["x"] = df["y"] + 1', "", "df", "df df"),
    Case("column set as attribute", FRAME + "df.x = 1", "", "df", "df"),
    Case("columns renamed", FRAME + "df.columns = df.columns.str.lower()", "", "df", "df df"),
    Case("loc set", FRAME + 'm = df.a > 1\ndf.loc[m, "x"] = 0', "", "df", "df m"),
    Case("column deleted", FRAME + 'del df["x"]', "", "df", "df"),
    Case("inplace", FRAME + 'df.drop("x", axis=1, inplace=True)', "", "df", "df"),
    Case("not inplace", FRAME + 'df.drop("x", axis=1, inplace=False)', "", "", "df"),
    Case("insert", FRAME + 'df.insert(0, "x", 1)', "", "df", "df"),
    Case("pop", FRAME + 'y = df.pop("y")', "y", "df", "df"),
    Case("list append", "a = []\nb = 1\na.append(b)", "", "a", "a b"),
    Case("dict set", "d = {}\nb = 1\nd['k'] = b", "", "d", "b d"),
    Case("fit", "m = 1\nX = 2\nm.fit(X)", "", "m", "m X"),
    Case("alias", FRAME + 'X = df\nX["x"] = 1', "", "X df", "X"),
    Case("copy is no alias", FRAME + 'X = df.copy()\nX["x"] = 1', "", "X", "X"),
    Case("alias of an alias", FRAME + 'a = df\nb = a\nb["x"] = 1', "", "a b df", "b"),
    Case("alias ends when rebound", FRAME + 'X = df\nX = X.dropna()\nX["x"] = 1', "", "X", "X"),
    Case("query reads @names", FRAME + 'cut = 1\nx = df.query("a > @cut and b < 3")', "x", "", "df cut"),
    Case("eval reads @names", FRAME + 'cut = 1\nx = df.eval("a > @cut")', "x", "", "df cut"),
    Case("function changes its parameter", FRAME + "def f(d):\n    d['x'] = 1\nf(df)", "", "df", "f df"),
    Case(
        "function that copies first",
        FRAME + "def f(d):\n    d = d.copy()\n    d['x'] = 1\n    return d\nX = f(df)",
        "X",
        "",
        "f df",
    ),
    Case("function reads a global", FRAME + "k = 1\ndef f(d):\n    return d.a + k\nx = f(df)", "x", "", "f df k"),
    Case(
        "function's locals are its own",
        FRAME + "k = 1\ndef f(d):\n    k = 2\n    return d.a + k\nx = f(df)",
        "x",
        "",
        "f df",
    ),
    Case("global", "n = 0\ndef f():\n    global n\n    n += 1\nf()", "n", "n", "f n n"),
    Case(
        "function calls a function", FRAME + "def g(d):\n    d['x'] = 1\ndef f(d):\n    g(d)\nf(df)", "", "df", "f df g"
    ),
    Case(
        "frames changed in a loop",
        FRAME + "te = pd.read_csv('b.csv')\nfor d in [df, te]:\n    d['x'] = 1",
        "",
        "d df te",
        "d",
    ),
    Case("for header", FRAME + "for c in df.columns:\n    pass", ""),
    Case("with", "f = 1\nwith f as g:\n    pass", ""),
    Case("random seed", "import numpy as np\nnp.random.seed(1)", "", "", "np"),
    Case("shell", "x = !ls", "x"),
    Case("line magic", "%time x = 1", "x"),
    Case("await", "f = 1\nx = await f", "x", "", "f"),
]


def last(source):
    return list(units(trace(book((source,)))))[-1]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_defines_updates_reads(case):
    unit = last(case.source)
    assert unit.defines == frozenset(case.defines.split())
    assert unit.updates == set(case.updates.split())
    names = [read.name for read in unit.reads if read.name not in ("pd", "np") or read.name in case.reads.split()]
    assert sorted(set(names)) == sorted(set(case.reads.split()))


@dataclass(frozen=True)
class Held:
    source: str
    kind: Kind


HELD = [
    Held("x = df", Kind.FRAME),
    Held('x = df["a"]', Kind.SERIES),
    Held("x = df.a", Kind.SERIES),
    Held('x = df[["a", "b"]]', Kind.FRAME),
    Held("x = df[df.a > 1]", Kind.FRAME),
    Held("x = df.a.mean()", Kind.VALUE),
    Held("x = df.mean(axis=1)", Kind.SERIES),
    Held("x = df.shape[0]", Kind.VALUE),
    Held("x = len(df)", Kind.VALUE),
    Held("x = list(df)", Kind.VALUE),
    Held("x = df.columns.tolist()", Kind.VALUE),
    Held("x = df.a.unique()", Kind.VALUE),
    Held("x = df.values", Kind.ARRAY),
    Held("x = np.log1p(df.a)", Kind.ARRAY),
    Held("x = np.mean(df.a)", Kind.VALUE),
    Held("x = np.where(df.a > 1, 1, 0)", Kind.ARRAY),
    Held('x = df.groupby("g").a.mean()', Kind.AGGREGATE),
    Held('x = df.groupby("g").a.transform("mean")', Kind.SERIES),
    Held('x = df.groupby("g")["a"].agg(["mean", "max"]).reset_index()', Kind.AGGREGATE),
    Held('x = df.merge(df.groupby("g").a.mean(), on="g")', Kind.FRAME),
    Held("x = [v + 1 for v in df.a]", Kind.CONTAINER),
    Held("x = [c for c in df.columns]", Kind.VALUE),
    Held("x = df.to_dict('records')", Kind.CONTAINER),
    Held("x = df.a.to_dict()", Kind.VALUE),
    Held("x = df.a.value_counts()", Kind.VALUE),
    Held("x = pd.concat([df, df])", Kind.FRAME),
    Held("x = pd.get_dummies(df)", Kind.FRAME),
    Held("x = df.a.str.len()", Kind.SERIES),
    Held("x = df.index", Kind.INDEX),
    Held("x = df.apply(lambda r: r.a + 1, axis=1)", Kind.SERIES),
    Held("def f(d):\n    return d.a.max()\nx = f(df)", Kind.VALUE),
    Held("def f(d):\n    d = d.dropna()\n    return d\nx = f(df)", Kind.FRAME),
    Held("x = df.pipe(lambda d: d.dropna())", Kind.FRAME),
    Held("x, _ = df.a, 1", Kind.SERIES),
    Held("x = {'a': df}['a']", Kind.FRAME),
    Held("from unknown import *\nx = clean(df)", Kind.ARRAY),
]


@pytest.mark.parametrize("case", HELD, ids=lambda case: case.source.splitlines()[-1])
def test_what_a_name_holds(case):
    assert last(FRAME + case.source).results["x"].kind is case.kind


def test_each_side_of_a_pair_reads_its_own():
    unit = last(FRAME + 'X, y = df.drop("y", axis=1), df["y"]')
    assert [(flow.names, [read.name for read in flow.reads]) for flow in unit.flows] == [
        (("X",), ["df"]),
        (("y",), ["df"]),
    ]


def test_a_split_gives_each_part_of_its_own_table():
    source = "from sklearn.model_selection import train_test_split\ny = df.y\na, b, c, d = train_test_split(df, y)"
    unit = last(FRAME + source)
    assert [(flow.names, [read.name for read in flow.reads]) for flow in unit.flows] == [
        (("a",), ["df"]),
        (("b",), ["df"]),
        (("c",), ["y"]),
        (("d",), ["y"]),
    ]
    assert unit.results["a"].has("train")
    assert unit.results["b"].has("test")
