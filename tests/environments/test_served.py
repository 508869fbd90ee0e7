"""Which environment a Bento is served in."""

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from nb2prod.environments import interpreter, lock, pinned, served, wheels
from nb2prod.environments.interpreter import Distribution, Environment
from nb2prod.environments.uv import Sources
from nb2prod.errors import EnvironmentProblem
from tests.environments.wheelhouse import wheel

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def bento(tmp_path, monkeypatch):
    """`make(pins, python, platform)` makes the folder of a Bento that asks for that environment."""
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))

    def make(*pins, python=HERE, platform=None):
        folder = tmp_path / "bento" / "aa11"
        (folder / "env" / "python").mkdir(parents=True)
        (folder / "src").mkdir()
        (folder / "env" / "python" / "requirements.txt").write_text("".join(f"{pin}\n" for pin in pins))
        told = {"python": python, "platform": platform or interpreter.own().platform}
        (folder / "src" / pinned.FILE).write_text(json.dumps(told))
        return folder

    return make


def test_what_is_installed_here_just_so_is_served_here(bento):
    pins = [f"{name}=={metadata.version(name).partition('+')[0]}" for name in ("numpy", "msgspec")]
    assert served.of_bento(bento(*pins)) == served.OWN


def test_any_other_version_has_an_environment_of_its_own_which_is_found_again(bento, tmp_path):
    wheel(tmp_path / "wheels", "ours")
    folder = bento("ours==1.0")
    made = served.of_bento(folder, Sources((str(tmp_path / "wheels"),), offline=True))
    assert not made.own
    assert made.python != Path(sys.executable)
    assert served.of_bento(folder, Sources(offline=True)) == made


def test_a_wheel_in_the_bento_stands_for_its_pin_and_is_told_apart_by_its_content(bento, tmp_path):
    folder = bento("ours==1.0")
    carried = wheel(folder / "src" / pinned.WHEELS, "ours", source="value = 'first'\n")
    first = served.of_bento(folder, Sources(offline=True))
    assert served.of_bento(folder, Sources(offline=True)) == first
    wheel(carried.parent, "ours", source="value = 'second'\n")
    second = served.of_bento(folder, Sources(offline=True))
    said = [
        subprocess.run(
            [made.python, "-c", "import ours; print(ours.value)"], capture_output=True, text=True, check=True
        )
        for made in (first, second)
    ]
    assert [done.stdout.strip() for done in said] == ["first", "second"]


def test_a_package_from_a_folder_whose_wheel_is_not_in_the_folder_given_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "home"))
    wheel(tmp_path / "wheels", "ours", version="0.9")
    with pytest.raises(EnvironmentProblem, match=r"no wheel in .*wheels: .*ours==1\.0") as caught:
        wheels.local(["ours==1.0"], HERE, Sources((str(tmp_path / "wheels"),)))
    assert "pip wheel --no-deps" in caught.value.hint


def test_a_python_that_is_not_here_is_named(bento):
    with pytest.raises(EnvironmentProblem, match=r"Python 3\.7 is needed") as caught:
        served.of_bento(bento("ours==1.0", python="3.7"))
    assert "uv python install 3.7" in caught.value.hint


def test_another_platform_is_named(bento):
    with pytest.raises(EnvironmentProblem, match="built for win32-AMD64"):
        served.of_bento(bento("ours==1.0", platform="win32-AMD64"))


def test_a_bento_of_before_says_its_python_in_bentoml_s_file(tmp_path):
    (tmp_path / "bento.yaml").write_text("docker:\n  python_version: '3.12'\n")
    assert pinned.of_bento(tmp_path).python == "3.12"
    (tmp_path / "bento.yaml").write_text("name: x\n")
    assert pinned.of_bento(tmp_path).python == ""


def an_environment(*packages):
    markers = {**interpreter.own().markers}
    return Environment(Path(sys.executable), markers, packages)


def distribution(name, version, requires=(), url=""):
    return Distribution(name, version, tuple(requires), (name.replace("-", "_"),), url)


def test_the_kernel_s_versions_bind_and_the_runtime_s_needs_are_added():
    kernel = an_environment(
        distribution("pandas", "2.0.3", ["numpy", "pytz"]),
        distribution("numpy", "1.26.4"),
        distribution("pytz", "2024.1"),
        distribution("matplotlib", "3.8", ["numpy"]),
        distribution("ipykernel", "7.0", ["ipython"]),
        distribution("ipython", "9.0"),
        distribution("unused", "1.0"),
    )
    asked = lock.wanted(kernel, {"pandas", "matplotlib", "IPython", "ipykernel"}, Sources()).requirements
    assert {"pandas==2.0.3", "numpy==1.26.4", "pytz==2024.1", "matplotlib==3.8", "bentoml==1.4.39"} <= set(asked)
    # pyarrow says in no metadata that it refuses numpy 1.
    assert "pyarrow<26" in asked
    names = {text.partition("=")[0].partition("<")[0].partition(">")[0] for text in asked}
    assert not names & {"ipykernel", "ipython", "unused"}


def test_a_package_from_a_folder_is_named_unless_wheels_are_given(tmp_path):
    kernel = an_environment(distribution("ours", "1.0", url="file:///home/me/ours"))
    with pytest.raises(EnvironmentProblem, match=r"ours==1\.0 from file:///home/me/ours") as caught:
        lock.wanted(kernel, {"ours"}, Sources())
    assert "--find-links" in caught.value.hint
    assert "ours==1.0" in lock.wanted(kernel, {"ours"}, Sources((str(tmp_path),))).requirements


def test_pins_are_settled_once(tmp_path, monkeypatch):
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path))
    asked = lock.wanted(an_environment(), (), Sources())
    (tmp_path / "environments" / "locks").mkdir(parents=True)
    (tmp_path / "environments" / "locks" / f"{asked.key}.txt").write_text("a==1\nb==2\n")
    assert lock.settle(asked, Sources(offline=True)) == ("a==1", "b==2")


def test_without_a_network_the_file_of_what_is_needed_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    asked = lock.wanted(an_environment(distribution("pandas", "2.2.3")), {"pandas"}, Sources())
    with pytest.raises(EnvironmentProblem) as caught:
        lock.settle(asked, Sources(offline=True))
    file = tmp_path / "home" / "environments" / "locks" / f"{asked.key}.in"
    assert str(file) in caught.value.hint
    assert f"nb2prod env fetch {file.name} --python {HERE} --to wheels" in caught.value.hint
    assert "pandas==2.2.3" in file.read_text().splitlines()
