"""Which kernels a notebook can be built on, said before it runs."""

import json
import sys
from pathlib import Path

import pytest

from nb2prod.environments import interpreter, kernels
from nb2prod.environments.interpreter import Distribution, Environment
from nb2prod.errors import EnvironmentProblem

OWN_MARKERS = dict(interpreter.own().markers)


def an_environment(version="3.12", **versions):
    found = {"ipykernel": "7.0", "pandas": "2.2.3", **versions}
    packages = tuple(Distribution(name, number, (), (name,)) for name, number in found.items() if number)
    markers = {**OWN_MARKERS, "python_version": version, "python_full_version": f"{version}.1"}
    return Environment(Path("/k/bin/python"), markers, packages)


@pytest.fixture
def spec(tmp_path, monkeypatch):
    """Installs a kernelspec whose program is the one given."""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    def install(name, *argv):
        folder = tmp_path / "kernels" / name
        folder.mkdir(parents=True)
        document = {"argv": [*argv, "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": name}
        (folder / "kernel.json").write_text(json.dumps({**document, "language": "python"}))

    return install


def test_a_supported_kernel_passes():
    for version in ("3.10", "3.11", "3.12", "3.13", "3.14"):
        kernels.check(an_environment(version), "k")
    kernels.check(an_environment(pandas=None), "k")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        (an_environment("3.9"), r"'k' runs Python 3\.9\.1 \(/k/bin/python\), which is too old: .*3\.10 to 3\.14"),
        (an_environment("3.15"), r"which is too new"),
        (an_environment(pandas="1.5.3"), r"'k' has pandas 1\.5\.3"),
        (an_environment(ipykernel=None), r"has no ipykernel"),
    ],
)
def test_what_can_not_be_used_is_said_with_its_place_and_a_remedy(environment, words):
    with pytest.raises(EnvironmentProblem, match=words) as caught:
        kernels.check(environment, "k")
    assert "--kernel" in caught.value.hint


def test_a_kernel_is_found_by_its_spec_without_being_started(spec):
    spec("mine", sys.executable)
    found = kernels.find("mine")
    assert found.python == Path(sys.executable)
    assert found.is_own


def test_a_plain_python_is_the_one_that_jupyter_would_start(spec):
    spec("plain", "python")
    assert kernels.find("plain").python == Path(sys.executable)


def test_a_wrapper_hides_its_interpreter(spec):
    spec("conda", "conda", "run", "-n", "other", "python")
    assert kernels.find("conda").python is None


def test_an_interpreter_that_is_gone_and_a_kernel_that_is_not_there_are_named(spec):
    spec("gone", "/nowhere/bin/python3.11")
    with pytest.raises(EnvironmentProblem, match=r"'gone' starts /nowhere/bin/python3\.11, which does not exist"):
        kernels.find("gone")
    with pytest.raises(EnvironmentProblem, match="'nowhere' is not installed"):
        kernels.find("nowhere")
