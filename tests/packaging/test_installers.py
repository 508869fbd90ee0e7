"""Installing as users do: each installer into a bare environment, without our constraints, and a build with what came of it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.matrix.environments import ENVIRONMENTS, NoInterpreter, interpreter, python_of, uv
from tests.notebooks import load

pytestmark = [pytest.mark.matrix, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
OTHER = next(item for item in ENVIRONMENTS if item.name == "python3.12-pandas2.2")
INSTALLERS = ("pip 23.2", "current pip", "uv")


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        list(map(str, command)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=850,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    (built,) = folder.glob("*.whl")
    return built


def bare(folder: Path, installer: str) -> Path:
    """A bare environment, its pip of the release that is meant; its Python."""
    if installer == "uv":
        run(uv(), "venv", "--quiet", "--python", sys.executable, folder)
    else:
        run(Path(sys.base_prefix) / "bin" / "python3", "-m", "venv", folder)
        wanted = "pip==23.2.1" if installer == "pip 23.2" else "pip"
        run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--upgrade", wanted)
    return folder / "bin" / "python"


@pytest.mark.timeout(2400)  # an installation and a whole build
@pytest.mark.parametrize("installer", INSTALLERS)
def test_a_notebook_of_another_environment_is_built_with_what_was_installed(installer, wheel, tmp_path):
    try:
        kernel = python_of(OTHER, "kernel")
    except NoInterpreter as missing:
        pytest.skip(str(missing))
    python = bare(tmp_path / "tool", installer)
    if installer == "uv":
        run(uv(), "pip", "install", "--quiet", "--python", python, wheel)
    else:
        run(python, "-m", "pip", "install", "--quiet", wheel)
    spec = tmp_path / "jupyter" / "kernels" / "other"
    spec.mkdir(parents=True)
    argv = [str(kernel), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Other", "language": "python"}))
    homes = {"NB2PROD_HOME": "home", "BENTOML_HOME": "bentoml", "JUPYTER_PATH": "jupyter"}
    environment = {name: str(tmp_path / place) for name, place in homes.items()}
    notebook = load.write("titanic_inline", tmp_path / "notebook")
    done = subprocess.run(
        [python.with_name("nb2prod"), "build", notebook, "--kernel", "other", "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        cwd=tmp_path,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert json.loads(done.stdout)["parity"]["passed"]
    shutil.rmtree(tmp_path / "tool")


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_it_resolves_on_every_python_that_the_tool_runs_on(version, wheel, tmp_path):
    try:
        python = interpreter(version)
    except NoInterpreter as missing:
        pytest.skip(str(missing))
    asked = tmp_path / "asked.in"
    asked.write_text(f"{wheel}\n")
    run(uv(), "pip", "compile", "--quiet", "--python", python, "--output-file", tmp_path / "pins.txt", asked)
    assert "bentoml==" in (tmp_path / "pins.txt").read_text()


def test_beside_an_older_jupyter_environment_nothing_of_the_user_s_is_replaced(wheel):
    """What a data scientist has installed stays at its version: nb2prod adds to it."""
    try:
        python = python_of(OTHER, "kernel")
    except NoInterpreter as missing:
        pytest.skip(str(missing))
    said = run(uv(), "pip", "install", "--dry-run", "--python", python, wheel)
    changed = {line.split()[1].partition("==")[0] for line in said.splitlines() if line.startswith(" - ")}
    assert not changed & {"pandas", "numpy", "scikit-learn", "scipy", "matplotlib", "ipykernel", "pyarrow"}
