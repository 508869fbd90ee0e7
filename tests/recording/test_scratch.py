"""A second run leaves the user's files as they are, and reads back what it wrote itself."""

import subprocess
import sys
import textwrap

import pytest

PROGRAM = """
import sys
from nb2prod.recording.kernel.scratch import Scratch
Scratch({scratch!r}, [{folder!r}]).install()
import os
{code}
"""

CASES = {
    "a file that is written over": ("open('out.csv', 'w').write('new'); assert open('out.csv').read() == 'new'"),
    "one that is added to": ("open('out.csv', 'a').write('!'); assert open('out.csv').read() == 'old!'"),
    "one that is new": ("open('more.csv', 'w').write('x'); assert open('more.csv').read() == 'x'"),
    "a path": ("import pathlib; p = pathlib.Path('out.csv'); p.write_text('n'); assert p.read_text() == 'n'"),
    "a table": (
        "import pandas as pd; pd.DataFrame({'a': [1]}).to_csv('out.csv'); assert pd.read_csv('out.csv').a[0] == 1"
    ),
    "an array": ("import numpy as np; np.save('a.npy', np.ones(2)); assert np.load('a.npy').sum() == 2"),
    "a model": ("import joblib; joblib.dump([1], 'out.csv'); assert joblib.load('out.csv') == [1]"),
    "one that is removed": (
        "os.remove('out.csv')\ntry:\n    open('out.csv')\n    raise SystemExit('still there')\nexcept FileNotFoundError: pass"
    ),
    "one that is renamed": ("os.rename('out.csv', 'b.csv'); assert open('b.csv').read() == 'old'"),
    "one that is put in another's place": (
        "open('t', 'w').write('n'); os.replace('t', 'out.csv'); assert open('out.csv').read() == 'n'"
    ),
    "a database": (
        "import sqlite3; c = sqlite3.connect('d.sqlite'); c.execute('create table t (a)'); c.commit(); c.close()\n"
        "assert sqlite3.connect('d.sqlite').execute('select count(*) from t').fetchone() == (0,)"
    ),
    "a low file": (
        "f = os.open('out.csv', os.O_WRONLY | os.O_TRUNC); os.write(f, b'n'); os.close(f); assert open('out.csv').read() == 'n'"
    ),
    "a temporary file": (
        "import tempfile\nwith tempfile.NamedTemporaryFile('w+') as f: f.write('x'); f.flush(); assert open(f.name).read() == 'x'\n"
        "with tempfile.TemporaryDirectory() as d: open(d + '/x', 'w').write('x')\nassert not os.path.exists(d)"
    ),
}


@pytest.mark.parametrize("code", list(CASES.values()), ids=list(CASES))
def test_the_users_files_stay(tmp_path, code):
    folder, scratch = tmp_path / "book", tmp_path / "scratch"
    folder.mkdir()
    (folder / "out.csv").write_text("old")
    program = PROGRAM.format(scratch=str(scratch), folder=str(folder), code=textwrap.dedent(code))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in folder.iterdir()] == ["out.csv"]
    assert (folder / "out.csv").read_text() == "old"
