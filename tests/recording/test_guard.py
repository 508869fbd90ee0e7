"""A fault of the recorder's own never reaches the notebook: its cells give what they give when nobody watches."""

from __future__ import annotations

import ast
import builtins
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nb2prod.recording.kernel.numbering import HOOK
from nb2prod.recording.kernel.recorder import Recorder
from tests.recording.inprocess import PREAMBLE

PROGRAM = """
from sklearn.model_selection import train_test_split

def scaled(t, by=2):
    part = t['c'] * by
    if by > 1:
        part = part + 1
    return part

class Cut:
    def __call__(self, v):
        return min(v, 40)

total = 0
for name in ['a', 'c']:
    df[name] = df[name].fillna(df[name].mean())
    total += df[name].sum()
n = 0
while n < 3:
    n += 1
df['e'] = scaled(df)
df['f'] = df.c.apply(lambda v: v / 2)
df['g'] = [Cut()(v) for v in df.c]
parts = {k: len(v) for k, v in df.groupby('b')}
df.loc[df.c > 40, 'e'] = 0
train, test = train_test_split(df, test_size=2, random_state=0)
try:
    train_test_split(df, df.c[:2])
except ValueError as problem:
    said = str(problem)
x = df[['a', 'c']].values
x = x + 1
out = (df.sum(numeric_only=True).round(6).to_dict(), total, n, parts, sorted(test.index), said, x.sum())
"""


class Broken:
    """Fails however it is used."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __getitem__(self, key: Any) -> Any:
        raise RuntimeError(str(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        raise RuntimeError(str(key))

    def __iter__(self) -> Any:
        raise RuntimeError("iter")

    def __contains__(self, key: Any) -> bool:
        raise RuntimeError(str(key))

    def __len__(self) -> int:
        raise RuntimeError("len")

    def __bool__(self) -> bool:
        raise RuntimeError("bool")


def ran(program: str, folder: Path, broken: str = "") -> tuple[Any, list[str]]:
    """What `out` is after a program that is watched by a recorder, of which an attribute is broken; and what the recorder noted."""
    names: dict[str, Any] = {"__name__": "__main__"}
    recorder = Recorder(str(folder), {}, names)
    before = getattr(builtins, HOOK, None)
    setattr(builtins, HOOK, recorder)
    try:
        exec(compile(recorder.visit(ast.parse(PREAMBLE)), "<cell>", "exec"), names)
        code = compile(recorder.visit(ast.parse(program)), "<cell>", "exec")
        if broken:
            setattr(recorder, broken, Broken())
        exec(code, names)
    finally:
        recorder.active = False
        if before is None:
            delattr(builtins, HOOK)
        else:
            setattr(builtins, HOOK, before)
    return names["out"], recorder.problems


def plain(program: str) -> Any:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(PREAMBLE + program, names)
    return names["out"]


PARTS = [
    "",
    "stack",
    "tables",
    "rows",
    "views",
    "snapshots",
    "frames",
    "steps",
    "observer",
    "statements",
    "updates",
    "reads",
    "trees",
    "seq",
]


@pytest.mark.parametrize("broken", PARTS)
def test_a_cell_goes_on_whatever_breaks_in_the_recorder(broken: str, tmp_path: Path) -> None:
    out, problems = ran(PROGRAM, tmp_path, broken)
    assert out == plain(PROGRAM)
    assert bool(problems) is bool(broken)


def test_every_hook_is_guarded() -> None:
    used = ({node.args[0].value for node in hooks()} | {"defined", "enters", "leaves", "follows_lambda"}) - {"slice"}
    guarded = {name for name in used if hasattr(getattr(Recorder, name), "__wrapped__")}
    assert used - guarded == set()


def hooks() -> list[Any]:
    """The calls of the instrumenter that name a hook."""
    from nb2prod.recording.kernel import instrument

    tree = ast.parse(Path(instrument.__file__).read_text())
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    named = [c for c in calls if c.func.attr in ("_hook", "_wrapped") and isinstance(c.args[0], ast.Constant)]
    assert named
    return named


ODD = {
    "answers to any name (polars.col)": "class Odd:\n    def __getattr__(self, name):\n        return []\n    def __call__(self, v):\n        return v",
    "has no truth": "class Odd:\n    def __bool__(self):\n        raise ValueError('ambiguous')\n    def __call__(self, v):\n        return v",
    "can't be compared": "class Odd:\n    __hash__ = None\n    def __eq__(self, other):\n        raise TypeError('no')\n    def __call__(self, v):\n        return v",
    "has no length": "class Odd:\n    def __len__(self):\n        raise TypeError('lazy')\n    def __call__(self, v):\n        return v",
    "has a wrong shape": "class Odd:\n    shape = property(lambda self: 1 / 0)\n    ndim = 'two'\n    index = property(lambda self: 1 / 0)\n    def __call__(self, v):\n        return v",
    "lies about its class": "class Odd:\n    @property\n    def __class__(self):\n        raise RuntimeError('none')\n    def __call__(self, v):\n        return v",
    "takes no weak reference": "class Odd:\n    __slots__ = ()\n    def __call__(self, v):\n        return v",
    "can't be copied": "class Odd:\n    def __reduce_ex__(self, protocol):\n        raise RuntimeError('no copies')\n    def __getstate__(self):\n        raise RuntimeError('no copies')\n    def __call__(self, v):\n        return v",
    "can't be shown": "class Odd:\n    def __repr__(self):\n        raise RuntimeError('no text')\n    def __call__(self, v):\n        return v",
}  # fmt: skip


@pytest.mark.parametrize("made", ODD.values(), ids=ODD)
def test_odd_objects_are_let_through(made: str, tmp_path: Path) -> None:
    program = f"""
{made}
odd = Odd()
held = [odd, df]
both = {{'odd': odd, 't': df}}
df['p'] = odd(df.c) + 1
df['q'] = df.c.apply(lambda v: odd(v))
r = [odd(v) for v in df.c]
def use(o, t):
    return o(t.c)
s = use(odd, df)
def keep(t):
    return (odd, t.c.sum())
u = keep(df)[1]
out = (df.p.tolist(), df.q.tolist(), r, s.tolist(), u, len(held), sorted(both))
"""
    out, _ = ran(program, tmp_path)
    assert out == plain(program)


def test_an_interrupt_is_the_notebook_s_own(tmp_path: Path) -> None:
    program = "try:\n    raise KeyboardInterrupt\nexcept KeyboardInterrupt:\n    out = df.c.sum()\nout = int(out)"
    assert ran(program, tmp_path) == (210, [])
    assert isinstance(pd.DataFrame, type)
