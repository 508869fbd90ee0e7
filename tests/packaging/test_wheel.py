"""What is shipped: one wheel with the sidebar's built files, well in an environment that has no Node."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

import nb2prod

ROOT = Path(__file__).parents[2]
LABEXTENSION = f"nb2prod-{nb2prod.__version__}.data/data/share/jupyter/labextensions/nb2prod"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_wheel_holds_the_sidebar_once(wheel, names):
    scripts = [name for name in names if name.endswith(".js") and "remoteEntry" in name]
    assert len(scripts) == 1
    assert scripts[0].startswith(f"{LABEXTENSION}/static/")
    with zipfile.ZipFile(wheel) as archive:
        package = json.loads(archive.read(f"{LABEXTENSION}/package.json"))
    assert package["name"] == "nb2prod"
    assert package["jupyterlab"]["_build"]["load"] == scripts[0].removeprefix(f"{LABEXTENSION}/")
    assert f"{LABEXTENSION}/install.json" in names
    assert f"{LABEXTENSION}/schemas/nb2prod/panel.json" in names


def test_the_wheel_switches_the_server_extension_on(wheel):
    name = f"nb2prod-{nb2prod.__version__}.data/data/etc/jupyter/jupyter_server_config.d/nb2prod.json"
    with zipfile.ZipFile(wheel) as archive:
        assert json.loads(archive.read(name)) == {"ServerApp": {"jpserver_extensions": {"nb2prod.server": True}}}


def test_the_wheel_holds_only_what_runs(names):
    strange = [name for name in names if not name.startswith(("nb2prod/", "nb2prod-"))]
    assert strange == []
    assert not [name for name in names if "node_modules" in name or name.endswith((".ts", ".tsx", ".map"))]
    assert {"nb2prod/py.typed", "nb2prod/server/version.py"} <= set(names)


def test_every_page_and_every_example_travels(names):
    pages = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "diagnostics").glob("*.md")]
    examples = [*(ROOT / "example_notebooks").glob("*.ipynb"), *(ROOT / "example_notebooks" / "data").glob("*.gz")]
    wanted = {f"nb2prod/shipped_files/{path.relative_to(ROOT).as_posix()}" for path in (*pages, *examples)}
    assert wanted <= set(names)
    assert not [name for name in names if name.endswith((".png", ".sh"))]


def test_the_readme_of_an_index_leads_somewhere(wheel):
    """No link is relative: an index has no repository beside the text."""
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"nb2prod-{nb2prod.__version__}.dist-info/METADATA").decode()
    head, _, readme = text.partition("\n\n")
    urls = dict(re.findall(r"^Project-URL: (\w+), (.+)$", head, re.MULTILINE))
    assert {"Homepage", "Documentation", "Changelog", "Issues"} <= set(urls)
    links = re.findall(r"\]\(([^)\s]+)\)", readme)
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    own = [link.removeprefix(urls["Homepage"]) for link in links if link.startswith(urls["Homepage"])]
    assert any(link.endswith(".png") for link in own)
    for link in own:
        _, kind, tag, path = link.partition("#")[0].split("/", 3)
        assert kind == ("raw" if path.endswith(".png") else "blob")
        assert tag == f"v{nb2prod.__version__}"
        assert (ROOT / path).exists(), path


def test_the_installed_command_explains_without_the_repository(installed, tmp_path):
    said = jupyter(installed, tmp_path, "nb2prod", "explain", "F5")
    assert "bins or ranks computed from the batch" in said
    assert "diagnostics/features/#f5-" in said


@pytest.mark.slow
def test_the_installed_demo_runs_in_an_empty_folder(installed, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    done = subprocess.run(
        [str(installed / "bin" / "nb2prod"), "demo", "breast_cancer"],
        cwd=empty, capture_output=True, text=True, check=False,
        env={**os.environ, "HOME": str(tmp_path), "PATH": f"{installed / 'bin'}:/usr/bin:/bin",
             # What comes with the dependencies is not in this environment, but beside its packages.
             "JUPYTER_PATH": str(Path(sys.prefix) / "share" / "jupyter")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Proved: breast_cancer:" in done.stdout
    assert ": the same." in done.stdout
    assert list(empty.iterdir()) == []


def test_one_version_everywhere():
    package = json.loads((ROOT / "labextension" / "package.json").read_text())
    assert package["version"] == nb2prod.__version__


def test_the_lock_file_names_no_registry():
    lock = json.loads((ROOT / "labextension" / "package-lock.json").read_text())
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A virtual environment with the wheel in it; the dependencies come from this one by a path file."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    (site,) = folder.glob("lib/python*/site-packages")
    run(
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--python",
        str(folder / "bin" / "python"),
        "--no-deps",
        "--offline",
        str(wheel),
    )
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def jupyter(installed: Path, home: Path, *module_and_arguments: str) -> str:
    # No Node on this PATH: nothing may be built when it is installed or listed.
    bin_folder = installed / "bin"
    return run(str(bin_folder / "python"), "-m", *module_and_arguments, HOME=str(home), PATH=str(bin_folder))


def test_the_installed_sidebar_is_well(installed, tmp_path):
    listed = jupyter(installed, tmp_path, "jupyterlab.labextensions", "list")
    assert str(installed / "share" / "jupyter" / "labextensions") in listed
    (line,) = (plain(line) for line in listed.splitlines() if "nb2prod v" in line)
    assert line.split()[:4] == ["nb2prod", f"v{nb2prod.__version__}", "enabled", "OK"]


def test_the_installed_server_extension_is_well(installed, tmp_path):
    text = jupyter(installed, tmp_path, "jupyter_server.extension.serverextension", "list")
    listed = [plain(line).split() for line in text.splitlines()]
    assert ["nb2prod.server", "enabled"] in listed
    assert [line[-1] for line in listed if line[:1] == ["nb2prod.server"]] == ["enabled", "OK"]


def plain(text: str) -> str:
    return re.sub(r"\x1b\[\d+m", "", text)


def test_every_dependency_of_the_project_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {"".join(take(text)).lower().replace("_", "-") for text in wanted if not text.startswith("nb2prod")}
    assert names <= pinned


def take(requirement: str):
    for letter in requirement:
        if not (letter.isalnum() or letter in "-_."):
            return
        yield letter


def test_the_pins_name_no_host():
    text = (ROOT / "constraints.txt").read_text()
    assert "://" not in text
    assert "--" not in text
