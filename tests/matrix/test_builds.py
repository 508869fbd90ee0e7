"""Whole builds on kernels of other environments, in which nothing of nb2prod's is installed: from the command to a proved and served Bento.

The small notebooks are spread over the environments; with `NB2PROD_TEST_MATRIX=whole` each is built on every one.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.matrix.environments import ENVIRONMENTS, Environment, NoInterpreter, python_of
from tests.notebooks import load

pytestmark = [pytest.mark.matrix, pytest.mark.slow]

EXAMPLES = Path(__file__).parents[2] / "example_notebooks"
BUILT_ON = tuple(
    item for item in ENVIRONMENTS if item.name in ("python3.10-pandas2.0", "python3.12-pandas2.2", "python3.13-current")
)
"""Old, middle and current."""
SMALL = (
    "titanic_inline",
    "pipeline_with_own_transformer",
    "dates_as_text",
    "chained_inplace",
    "category_dtype",
    "imputers",
    "merged_lookups",
    "text_and_numbers_stacked",
    "module_beside_the_notebook",
    "statsmodels_ols",
    "labels_decoded",
    "predict_by_function",
)

NOT_THERE = {("category_dtype", "python3.10-pandas2.0"): "scikit-learn 1.3 has no categorical_features='from_dtype'"}
"""Notebooks that the libraries of an environment are too old for."""


@dataclass(frozen=True)
class Machine:
    """One kernel of another environment, and a home for what is built on it."""

    kernel: str
    python: Path
    folder: Path
    number: int
    """Of its environment, in `BUILT_ON`."""

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command, as its user runs it."""
        return subprocess.run(
            [sys.executable, "-m", "nb2prod", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=800,
            check=False,
        )

    @property
    def environment(self) -> dict[str, str]:
        """Its environment variables."""
        own = {"NB2PROD_HOME": "home", "BENTOML_HOME": "bentoml", "JUPYTER_PATH": "jupyter"}
        return {**os.environ, **{name: str(self.folder / place) for name, place in own.items()}}

    def build(self, notebook: Path) -> dict[str, Any]:
        """Build on the kernel and return the document of `build --json`; fails with what was said."""
        done = self.run("build", str(notebook), "--kernel", self.kernel, "--json")
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
        document: dict[str, Any] = json.loads(done.stdout)
        return document


@pytest.fixture(scope="module", params=BUILT_ON, ids=lambda item: item.name)
def machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return machine_with(request.param, tmp_path_factory.mktemp(request.param.name))


def machine_with(environment: Environment, folder: Path) -> Machine:
    """A home in `folder` with a kernel of this environment; skips where its Python is missing."""
    try:
        python = python_of(environment, "kernel")
    except NoInterpreter as missing:
        pytest.skip(str(missing))
    spec = folder / "jupyter" / "kernels" / "other"
    spec.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.joinpath("kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Other", "language": "python"}))
    return Machine("other", python, folder, BUILT_ON.index(environment) if environment in BUILT_ON else 0)


def test_the_kernel_has_nothing_of_ours(machine: Machine) -> None:
    for module in ("nb2prod", "bentoml", "msgspec", "skops"):
        asked = [str(machine.python), "-I", "-c", f"import {module}"]
        assert subprocess.run(asked, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("name", SMALL)
def test_small_notebooks_are_built_and_proved(machine: Machine, name: str) -> None:
    if os.environ.get("NB2PROD_TEST_MATRIX") != "whole" and SMALL.index(name) % len(BUILT_ON) != machine.number:
        pytest.skip("built on another environment; NB2PROD_TEST_MATRIX=whole builds each on every one")
    if (name, BUILT_ON[machine.number].name) in NOT_THERE:
        pytest.skip(NOT_THERE[name, BUILT_ON[machine.number].name])
    built = machine.build(load.write(name, machine.folder / "small" / name))
    assert built["parity"]["passed"]
    expected = load.expected()[name]
    if expected.fields:
        assert set(expected.fields) <= set(built["path"]["fields"])


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes_progression", "flight_delay"])
def test_the_examples_are_built_and_proved(machine: Machine, name: str) -> None:
    folder = machine.folder / "examples"
    if not folder.is_dir():
        shutil.copytree(EXAMPLES, folder)
    assert machine.build(folder / f"{name}.ipynb")["parity"]["passed"]


def test_what_was_built_is_proved_again_served_and_kept_running(machine: Machine) -> None:
    built = machine.build(load.write("titanic_inline", machine.folder / "served"))
    again = machine.run("parity", built["bento"], "--json")
    assert again.returncode == 0, again.stderr[-2000:]
    try:
        deployed = machine.run("deploy", built["bento"], "--without-owner", "--json")
        assert deployed.returncode == 0, deployed.stderr[-2000:]
        document = json.loads(deployed.stdout)
        assert document["state"] == "serving"
        kept = json.loads(machine.run("env", "list", "--json").stdout)["environments"]
        (serving,) = [item for item in kept if built["bento"] in item["serves"]]
        assert any(line.startswith(serving["folder"]) for line in running())
    finally:
        machine.run("stop", built["bento"].partition(":")[0], "--forget")


def running() -> list[str]:
    """The command lines of this machine's processes."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes().decode(errors="replace"))
    return found


def test_a_second_build_makes_no_environment(machine: Machine) -> None:
    notebook = load.write("titanic_inline", machine.folder / "again")
    first = machine.build(notebook)
    before = json.loads(machine.run("env", "list", "--json").stdout)["environments"]
    checked = json.loads(machine.run("check", str(notebook), "--kernel", "other", "--json").stdout)["kernel"]
    assert checked["made"]
    assert checked["executable"] == str(machine.python)
    # Whatever is needed is there: nothing is asked of an index.
    done = machine.run("build", str(notebook), "--kernel", "other", "--offline", "--json")
    assert json.loads(done.stdout)["bento"] == first["bento"]
    after = json.loads(machine.run("env", "list", "--json").stdout)["environments"]
    assert [item["key"] for item in after] == [item["key"] for item in before]
