"""podman in a folder of its own, and a base image made of Debian's packages: no registry and no daemon is needed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
BASE = "localhost/debian-base:bookworm"
CONF = """[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
[engine]
runtime = "runc"
"""
STORAGE = """[storage]
driver = "overlay"
graphroot = "{folder}/graph"
runroot = "{folder}/run"
"""


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **{"timeout": 900, **options})
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def sources():
    places = [Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")]
    return next(place for place in places if place.is_file())


@pytest.fixture(scope="module")
def podman(tmp_path_factory):
    """The environment of commands that use podman, with the base image in its store."""
    folder = tmp_path_factory.mktemp("podman")
    (folder / "containers.conf").write_text(CONF)
    (folder / "storage.conf").write_text(STORAGE.format(folder=folder))
    environment = {
        **os.environ,
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        "NB2PROD_HOME": str(folder / "home"),
        "BENTOML_HOME": str(folder / "bentoml"),
    }
    # Made once a machine: it takes a minute.
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "nb2prod-tests"
    base = cache / "debian-bookworm.tar"
    if not base.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        made = cache / f"making-{os.getpid()}.tar"
        packages = "--include=python3,ca-certificates"
        run("mmdebstrap", "--variant=minbase", "--mode=root", packages, "bookworm", str(made), str(sources()))
        made.replace(base)
    run("podman", "import", str(base), BASE, env=environment)
    yield environment
    run("podman", "rm", "--all", "--force", env=environment)
    # Its layers are mounts and foreign owners: only podman itself clears them away.
    run("podman", "system", "reset", "--force", env=environment)


@pytest.fixture(scope="module")
def released(podman, tmp_path_factory):
    """A release of a real notebook; `nb2prod(...)` runs a command in its home and gives the JSON document."""
    folder = tmp_path_factory.mktemp("notebook")
    shutil.copy(ROOT / "example_notebooks" / "breast_cancer.ipynb", folder)
    (folder / "nb2prod.toml").write_text(
        'owner = "Ada"\nrunbook = "https://wiki.example.org/x"\ngates = { p99_ms = "<= 60000" }\n'
    )

    def nb2prod(*arguments, code=0):
        command = [sys.executable, "-m", "nb2prod", *arguments, "--json"]
        done = subprocess.run(command, env=podman, cwd=folder, capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode == code, f"{arguments}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        return json.loads(done.stdout)

    tag = nb2prod("build", "breast_cancer.ipynb")["bento"]
    made = nb2prod("containerize", tag, "--engine", "podman", "--base-image", BASE, "--run-option=--network=host")
    return SimpleNamespace(tag=tag, made=made, nb2prod=nb2prod, environment=podman, folder=folder)
