"""The examples, the whole way: built by the command, proved over HTTP against the built Bento, kept as a release."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "example_notebooks"


@dataclass
class Home:
    """A folder for releases and Bentos of this module alone."""

    folder: Path

    def run(self, *arguments: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Run the command as a user does."""
        environment = {
            **os.environ,
            "NB2PROD_HOME": str(self.folder / "home"),
            "BENTOML_HOME": str(self.folder / "bentoml"),
        }
        return subprocess.run(
            [sys.executable, "-m", "nb2prod", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("builds")
    (folder / "bentoml").mkdir()
    shutil.copytree(EXAMPLES, folder / "notebooks")
    return Home(folder)


@pytest.fixture(scope="module")
def built(home: Home) -> dict[str, dict[str, Any]]:
    """The three examples that can be served, built once for the module."""
    made = {}
    for name in ("breast_cancer", "diabetes_progression", "flight_delay"):
        done = home.run("build", str(home.folder / "notebooks" / f"{name}.ipynb"), "--json")
        assert done.returncode == 0, done.stderr[-3000:]
        made[name] = json.loads(done.stdout)
    return made


EXPECTED = {
    "flight_delay": (
        "flights",
        "late",
        "year sched_dep_time dep_delay sched_arr_time carrier tailnum origin dest distance time_hour".split(),
        ["arr_delay"],
    ),
    "diabetes_progression": ("patients", "y_pred", "age sex bmi bp s1 s2 s3 s4 s5 s6".split(), ["target"]),
}


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes_progression", "flight_delay"])
def test_built_and_proved(built: dict[str, dict[str, Any]], name: str) -> None:
    document = built[name]
    assert document["bento"].startswith(f"{name}:")
    assert document["parity"]["passed"] is True
    assert document["parity"]["differences"] == 0
    assert {"replay", "partition", "wire", "target-free"} <= set(document["parity"]["cases"])
    assert not [d for d in document["diagnostics"] if d["severity"] == "error"]
    assert {"record", "plan", "package", "prove", "release", "total"} <= set(document["seconds"])


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_plan(built: dict[str, dict[str, Any]], name: str) -> None:
    table, prediction, fields, target = EXPECTED[name]
    path = built[name]["path"]
    assert (path["raw_table"], path["prediction"], path["fields"], path["target"]) == (
        table,
        prediction,
        fields,
        target,
    )


def test_the_flights_that_never_arrived_are_left_out_of_training_only(built: dict[str, dict[str, Any]]) -> None:
    (found,) = built["flight_delay"]["path"]["filters"]
    assert (found["class"], found["cell"]) == ("training-only", 9)


def test_captured_values_say_where_they_come_from(built: dict[str, dict[str, Any]]) -> None:
    values = {v["name"]: v for v in built["flight_delay"]["captured"]}
    assert values["plane_age_median"]["cell"] == 12
    assert values["col_median"]["keyed"] == ["col"]
    assert all(v["reason"] for v in values.values())


def test_the_release_is_listed_and_shown(home: Home, built: dict[str, dict[str, Any]]) -> None:
    listed = home.run("list", "--json")
    assert listed.returncode == 0
    assert built["breast_cancer"]["bento"] in listed.stdout
    shown = home.run("show", built["flight_delay"]["bento"])
    assert shown.returncode == 0
    assert "Captured from training" in shown.stdout


def test_building_again_gives_the_same_version(home: Home, built: dict[str, dict[str, Any]]) -> None:
    again = home.run("build", str(home.folder / "notebooks" / "breast_cancer.ipynb"), "--json")
    assert json.loads(again.stdout)["bento"] == built["breast_cancer"]["bento"]


def test_the_release_is_proved_again_without_the_notebook(home: Home, built: dict[str, dict[str, Any]]) -> None:
    done = home.run("parity", built["diabetes_progression"]["bento"], "--json")
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["passed"] is True


def test_the_release_is_put_under_stress(home: Home, built: dict[str, dict[str, Any]]) -> None:
    bento = built["diabetes_progression"]["bento"]
    page = home.folder / "stress.html"
    done = home.run("stress", bento, "--page", str(page), "--json")
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["loss_name"] == "absolute error"
    effects = {(item["field"], item["kind"]): item for item in found["effects"]}
    assert effects["bmi", "higher"]["changed"] == 1.0
    assert effects["bmi", "higher"]["loss"] > effects["bmi", "higher"]["loss_before"]
    assert [(item["callers"], item["failed"]) for item in found["load"]] == [(1, 0), (16, 0)]
    assert found["ageing"]["reason"] == "the raw table has no time by which rows could be told apart"
    assert "under stress" in page.read_text()


def test_not_servable_is_refused_line_by_line(home: Home) -> None:
    done = home.run("build", str(home.folder / "notebooks" / "not_servable.ipynb"), "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    found = [(d["code"], d["cell"], d["line"]) for d in document["diagnostics"] if d["severity"] == "error"]
    assert found == [("F5", 4, 2), ("F6", 5, 2), ("F6", 5, 3)]
    assert document["bento"] is None
    assert "Traceback" not in done.stderr


def test_nothing_half_made_stays(home: Home, built: dict[str, dict[str, Any]]) -> None:
    assert list((home.folder / "home" / "staging").iterdir()) == []


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes_progression", "flight_delay"])
def test_generated_code_is_the_notebooks_own(home: Home, built: dict[str, dict[str, Any]], name: str) -> None:
    """Golden files; `python -m tests.end_to_end.make_golden` writes them anew."""
    version = built[name]["bento"].split(":")[1]
    source = home.folder / "bentoml" / "bentos" / name / version / "src"
    golden = Path(__file__).parent / "golden"
    assert (source / "features.py").read_text() == (golden / f"{name}_features.py.txt").read_text()
    assert (source / "predict.py").read_text() == (golden / f"{name}_predict.py.txt").read_text()
