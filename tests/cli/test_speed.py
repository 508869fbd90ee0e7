"""A command imports only what it uses."""

import resource
import subprocess
import sys

from tests.cli.books import GOOD, save

RUN = "import sys; from nb2prod.cli import main; sys.exit(main())"
HEAVY = {
    "pandas",
    "numpy",
    "sklearn",
    "papermill",
    "nbformat",
    "bentoml",
    "IPython",
    "jupyter_client",
    "rich",
    "jupyterlab",
}


def loaded(*arguments):
    """The modules that a command has loaded when it ends."""
    script = f"import sys\nfrom nb2prod.cli import main\ncode = main({list(arguments)!r})\nprint(*sys.modules, file=sys.stderr)\nsys.exit(code)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {name.split(".")[0] for name in done.stderr.splitlines()[-1].split()}


def best(*arguments, tries=5):
    """Seconds of processor time, the least of several runs: the clock would measure the machine's other work."""
    times = []
    for _ in range(tries):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", RUN, *arguments], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def test_help_loads_nothing_heavy():
    assert not loaded("--help") & HEAVY


def test_check_loads_nothing_heavy(tmp_path):
    assert not loaded("check", str(save(tmp_path / "book.ipynb", *GOOD))) & HEAVY


def test_running_a_notebook_builds_no_parser_of_addresses():
    """jsonschema would, for a format that no notebook has: it takes longer than all else that is imported."""
    script = "import sys\nfrom nb2prod.cli import main\nmain(['--version'])\nimport nb2prod.recording.engine\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "jsonschema" in done.stdout.split()
    assert not {"lark", "rfc3987_syntax.syntax_helpers"} & set(done.stdout.split())


def test_help_takes_less_than_three_tenths_of_a_second():
    assert best("--help") < 0.3


def test_check_of_two_hundred_cells_takes_less_than_a_second(tmp_path):
    more = [(f'df["c{n}"] = df["a"].fillna(df["a"].median()) + {n}\ndf.head()', "feature") for n in range(200)]
    path = save(tmp_path / "book.ipynb", *GOOD[:2], *more, *GOOD[3:])
    assert best("check", str(path), tries=3) < 1
