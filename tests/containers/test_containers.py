"""A notebook's model in a real container: built, hardened, proved, deployed."""

import json
import shutil
import subprocess
import sys
import urllib.request

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from nb2prod.parity import ports
from tests.containers.conftest import BASE, ROOT, run
from tests.matrix.environments import ENVIRONMENTS, NoInterpreter, interpreter, python_of, uv

pytestmark = [pytest.mark.container, pytest.mark.slow]


def inside(released, *command):
    return run(
        "podman", "run", "--rm", "--entrypoint", "", "--network=host", released.tag, *command, env=released.environment
    )


def test_the_running_container_was_proved(released):
    assert released.made["image"] == released.tag
    assert released.made["parity"]["passed"] is True
    assert released.made["parity"]["cases"]["replay"] == 143


def test_the_image_has_a_health_check_labels_and_no_rights(released):
    (image,) = json.loads(run("podman", "inspect", "--type", "image", released.tag, env=released.environment))
    assert "readyz" in " ".join(image["Healthcheck"]["Test"])
    config = image["Config"]
    assert config["User"] == "10001:10001"
    assert config["Labels"]["nb2prod.bento"] == released.tag
    assert config["Labels"]["nb2prod.owner"] == "Ada"
    assert config["Labels"]["nb2prod.notebook-hash"].startswith("sha256:")


def test_the_image_has_its_bill_of_materials_and_neither_rows_nor_notebook(released):
    document = json.loads(inside(released, "cat", "/app/sbom.cdx.json"))
    names = {part["name"] for part in document["components"]}
    assert {"bentoml", "scikit-learn", "pandas"} <= names
    assert all(part["hashes"] for part in document["components"])
    files = inside(released, "find", "/app", "/data", "-type", "f").split()
    assert not [name for name in files if name.endswith((".ipynb", "cases.json"))]
    assert inside(released, "id", "-u").strip() == "10001"
    found = inside(released, "python", "-c", "import importlib.util as u; print(u.find_spec('nb2prod'))")
    assert found.strip() == "None"


def test_the_manifests_lie_beside_it(released):
    names = released.made["manifests"]
    assert {"compose.yaml", "kubernetes/deployment.yaml"} <= set(names)


def test_gates_are_asked_of_the_container(released):
    options = ("--container", "--engine", "podman", "--run-option=--network=host")
    found = {item["gate"]: item for item in released.nb2prod("gate", released.tag, *options)["results"]}
    assert {name: item["outcome"] for name, item in found.items()} == {"p99_ms": "passed", "parity": "passed"}
    assert "its container" in found["p99_ms"]["note"]
    assert "of its container compared" in found["parity"]["note"]
    assert run("podman", "ps", "--quiet", env=released.environment) == ""


def test_it_is_deployed_as_a_container_and_restarted_and_stopped(released):
    item = released.nb2prod("deploy", released.tag, "--container", "--engine", "podman", "--run-option=--network=host")
    try:
        assert (item["state"], item["kind"], item["owner"]) == ("serving", "container", "Ada")
        with urllib.request.urlopen(f"{item['url']}/readyz") as answer:
            assert answer.status == 200
        again = released.nb2prod("restart", item["name"])
        assert again["state"] == "serving"
        assert again["pid"] != item["pid"]
        names = run("podman", "ps", "--format", "{{.Names}}", env=released.environment).split()
        assert len(names) == 1
        assert names[0].startswith("nb2prod-breast_cancer-")
        assert released.nb2prod("parity", names[0])["passed"] is True
    finally:
        assert released.nb2prod("stop", item["name"])["state"] == "stopped"
    assert run("podman", "ps", "--quiet", env=released.environment) == ""


def test_an_image_that_is_missing_is_named(released):
    found = released.nb2prod("export", released.tag, "--output", str(released.folder))
    assert found["bytes"] > 0
    run("podman", "tag", released.tag, "localhost/kept:1", env=released.environment)
    run("podman", "untag", released.tag, released.tag, env=released.environment)
    try:
        # The port that it had may be another test's by now.
        options = ("--container", "--engine", "podman", "--port", str(ports.free()))
        error = released.nb2prod("deploy", released.tag, *options, code=2)["error"]
        assert f"podman has no image {released.tag}" in error["message"]
        assert f"nb2prod containerize {released.tag}" in error["hint"]
    finally:
        run("podman", "tag", "localhost/kept:1", released.tag, env=released.environment)


def test_a_base_without_the_right_python_leaves_no_image(released, tmp_path):
    (tmp_path / "Dockerfile").write_text(f"FROM {BASE}\nRUN rm -f /usr/bin/python3*\n")
    run("podman", "build", "--tag", "localhost/no-python", str(tmp_path), env=released.environment)
    arguments = ("--tag", "broken:1", "--base-image", "localhost/no-python", "--engine", "podman")
    error = released.nb2prod("containerize", released.tag, *arguments, code=2)["error"]
    assert "podman could not build the image broken:1" in error["message"]
    listed = run("podman", "images", "--format", "{{.Repository}}:{{.Tag}}", env=released.environment)
    assert "broken" not in listed


@pytest.mark.matrix
def test_a_notebook_of_another_environment_runs_in_a_container_of_its_versions(released, tmp_path):
    """The flights, on a kernel with the image's Python and libraries that nb2prod itself does not have."""
    try:
        kernel = python_of(next(item for item in ENVIRONMENTS if item.name == "python3.11-pandas2.2"), "kernel")
    except NoInterpreter as missing:
        pytest.skip(str(missing))
    shutil.copytree(ROOT / "example_notebooks", tmp_path / "notebooks")
    spec = tmp_path / "jupyter" / "kernels" / "other"
    spec.mkdir(parents=True)
    argv = [str(kernel), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Other", "language": "python"}))
    environment = {**released.environment, "JUPYTER_PATH": str(tmp_path / "jupyter")}
    notebook = str(tmp_path / "notebooks" / "flight_delay.ipynb")
    command = [sys.executable, "-m", "nb2prod"]
    tag = json.loads(run(*command, "build", notebook, "--kernel", "other", "--json", env=environment))["bento"]
    options = ["--engine", "podman", "--base-image", BASE, "--run-option=--network=host", "--json"]
    made = json.loads(run(*command, "containerize", tag, *options, env=environment))
    assert made["parity"]["passed"] is True
    asked = "import pandas, sklearn, sys; print(sys.version_info[:2], pandas.__version__, sklearn.__version__)"
    entry = ["podman", "run", "--rm", "--entrypoint", "", "--network=host", tag, "python", "-c", asked]
    assert run(*entry, env=environment).strip() == "(3, 11) 2.2.3 1.5.2"


HOUSE = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "house-rules"
version = "1.0"
"""
NOTEBOOK = (
    (None, "import numpy as np, pandas as pd\nfrom sklearn.linear_model import LinearRegression\nimport house_rules"),
    (None, "i = np.arange(60)\ndf = pd.DataFrame({'a': i % 7, 'b': i % 5, 'y': i * 2.0})"),
    ("feature", "X = house_rules.areas(df[['a', 'b']])"),
    ("train", "model = LinearRegression().fit(X[:40], df['y'][:40])"),
    ("predict", "y_pred = model.predict(X[40:])"),
)


@pytest.mark.matrix
def test_a_package_from_a_folder_goes_along_as_its_wheel(released, tmp_path):
    """It is on no index: its wheel is in the Bento, which is served and put into an image without the folder of wheels."""
    try:
        environment = next(item for item in ENVIRONMENTS if item.name == "python3.11-pandas2.2")
        base = interpreter(environment.python)
    except NoInterpreter as missing:
        pytest.skip(str(missing))
    package = tmp_path / "package"
    (package / "house_rules").mkdir(parents=True)
    (package / "pyproject.toml").write_text(HOUSE)
    (package / "house_rules" / "__init__.py").write_text("def areas(x):\n    return x.assign(area=x.a * x.b)\n")
    wheels = tmp_path / "wheels"
    python = tmp_path / "kernel" / "bin" / "python"
    run(uv(), "venv", "--quiet", "--python", base, python.parents[1])
    run(uv(), "pip", "install", "--quiet", "--python", python, "-r", environment.pins("kernel"), package)
    run(uv(), "build", "--quiet", "--wheel", "--out-dir", wheels, package)
    spec = tmp_path / "jupyter" / "kernels" / "house"
    spec.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "House", "language": "python"}))
    cells = [new_code_cell(source, metadata={"tags": [tag]} if tag else {}) for tag, source in NOTEBOOK]
    nbformat.write(new_notebook(cells=cells), tmp_path / "house.ipynb")
    known = {**released.environment, "JUPYTER_PATH": str(tmp_path / "jupyter")}

    def nb2prod(*arguments, code=0):
        command = [sys.executable, "-m", "nb2prod", *arguments, "--json"]
        done = subprocess.run(
            command, env=known, cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False
        )
        assert done.returncode == code, f"{arguments}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        return json.loads(done.stdout)

    refused = nb2prod("build", "house.ipynb", "--kernel", "house", code=2)
    assert "house-rules==1.0" in refused["error"]["message"]
    assert "--find-links" in refused["error"]["hint"]
    tag = nb2prod("build", "house.ipynb", "--kernel", "house", "--find-links", "wheels")["bento"]
    shutil.rmtree(wheels)
    nb2prod("env", "remove", *(item["key"] for item in nb2prod("env", "list")["environments"]))
    assert nb2prod("parity", tag)["passed"] is True
    made = nb2prod("containerize", tag, "--engine", "podman", "--base-image", BASE, "--run-option=--network=host")
    assert made["parity"]["passed"] is True
