"""A cell's digest and the numbers of its nodes are the same in every Python that reads it: the kernel's and the tool's differ."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from nb2prod.recording.kernel import numbering

# One snippet a paragraph: what some version has put into its trees differently, or might.
CORPUS = r'''
x = 1

df["a"] = df["a"].fillna(df["a"].mean())

def f(a, b=1, /, *args, c, d=2, **kw) -> int:
    """Text."""
    return a + b

async def g():
    async with a as b, c: await d
    async for x in y: yield x

class A(B, metaclass=C):
    x: int = 0
    y: "str"

f"{x}" f"{x!r}" f"{x:>10}" "plain" f"" f"a{{b}}c"

f"{x:{w}}" f"{x:{w}.{p}f}" f"{x:{w}>}" f"{x!r:>{w}}"

f"{x=}" f"{x  = }" f"{x=!s:{w}}" f"{x:}" f"{d['k']:%Y-%m-%d}"

f"{x:{w}}"
y = [z for z in f"{x:{w}{p}}"]

print(f"{df['fare'].mean():.2f} of {len(df):,}")

"é" "😀" "\u2028\ud800" u"old" r"\d", b"\xff", 1_000, 0x10, 1e300, 2j, ..., None, True, -1

n = 0x1%s

lambda: 0

lambda a, /, b=1, *c, d, **e: (a, b)

[a for b in c if d for e in f]
{a: b for a, b in c}
{a for a in b}
(a async for a in b)

x[1:2, ::3, ...] = y[a][b:c] = z

if (n := len(a)) > 10: pass
elif b: pass
else: pass

while a:
    break
else:
    pass

try:
    a
except (B, C) as e:
    raise D from e
except E:
    raise
else:
    f
finally:
    g

with open(a) as b, c, d as (e, f): pass

with (open(a) as b, c): pass

match a:
    case [1, "b", *rest] if rest: pass
    case {"k": v, **others}: pass
    case Point(x=0, y=-1) | None: pass
    case _: pass

@decorator(a)
@other
def f(): global g; nonlocal_ = 1

def f():
    x = 1
    def g():
        nonlocal x
        x += 1
    return g

import a.b as c, d
from . import e
from ..f import *

del a, b[0], c.d

assert a, f"b{c}"

a if b else c and not d or -e < f <= g is not h not in i

print(*a, **b, c=d)

x: list[int]
x @= y
a = b = c, *d = e

return_ = yield_ = 1
def f():
    x = yield
    y = yield from z
    return
'''.replace("%s", "0" * 4000)  # an integer of more digits than Python turns into decimal ones
SNIPPETS = [text.strip("\n") for text in CORPUS.split("\n\n") if text.strip()]

NEWER = {
    (3, 11): ["try: a\nexcept* B as c: d", "x[*a, b]", "def f(*args: *Ts): pass"],
    (3, 12): [
        "def f[T](x: T) -> T: return x",
        "class A[T: int, *Ts, **P]: pass",
        "type X[T] = list[T]",
        'f"{d["k"]:{"w"}}" f"{f"{x}"}" f"{\'\\n\'.join(a)}"',
    ],
    (3, 13): ["def f[T = int](x: T): pass"],
}
"""What a version was the first to read."""

_ASK = """
import ast, json, sys
namespace = {}
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"), namespace)
told = []
for text in json.load(sys.stdin):
    try:
        tree = ast.parse(text)
    except SyntaxError:
        told.append(None)
        continue
    nodes = [type(node).__name__ for node in namespace["preorder"](tree)]
    told.append([namespace["digest"](tree), nodes])
json.dump(told, sys.stdout)
"""


def told_here(texts: list[str]) -> list[object]:
    trees = [ast.parse(text) for text in texts]
    return [[numbering.digest(tree), [type(node).__name__ for node in numbering.preorder(tree)]] for tree in trees]


def told_by(python: Path, texts: list[str]) -> list[object]:
    """For each text its digest and the kinds of its numbered nodes in order; None where that Python can't read it."""
    command = [python, "-I", "-X", "utf8", "-W", "ignore", "-c", _ASK, numbering.__file__]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True)
    told: list[object] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_every_python_reads_a_cell_alike(version: str) -> None:
    environments = pytest.importorskip("tests.matrix.environments")
    try:
        python = environments.interpreter(version)
    except environments.NoInterpreter as missing:
        pytest.skip(str(missing))
    texts = list(SNIPPETS)
    for first, newer in NEWER.items():
        if first <= min(sys.version_info[:2], tuple(map(int, version.split(".")))):
            texts += newer
    for text, here, there in zip(texts, told_here(texts), told_by(python, texts), strict=True):
        assert there == here, text


def test_code_that_says_something_else_has_another_digest() -> None:
    texts = [
        *SNIPPETS,
        "x = 2",
        "x = '1'",
        "x = 1.0",
        "x = True",
        "x = b'1'",
        "x, = 1,",
        "x = [1]",
        "x = 1; y",
        "f'{x}'",
        "f'{x!r}'",
    ]
    digests = [numbering.digest(ast.parse(text)) for text in texts]
    assert len(set(digests)) == len(texts)


def test_code_that_says_the_same_has_the_same_digest() -> None:
    one = "def f(a):\n    # why\n    return (a\n            + 1)"
    other = "\n\ndef f(a): return a + 1"
    assert numbering.digest(ast.parse(one)) == numbering.digest(ast.parse(other))
