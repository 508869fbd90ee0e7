"""The pinned environment, worked out from what interpreters say is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from nb2prod.bento import pins, staging
from nb2prod.environments import interpreter
from nb2prod.environments.interpreter import Distribution, Environment
from nb2prod.errors import EnvironmentProblem, InputError


def distribution(name, version="1.0", requires=(), modules=None, url=""):
    return Distribution(name, version, tuple(requires), (modules or name.replace("-", "_"),), url)


BASE = (
    distribution("bentoml", "1.4.39", ["Starlette>=0.4", "uv; extra == 'image'", "nb2prod"]),
    distribution("pandas", "3.1.1", ["numpy>=2", "tzdata; sys_platform == 'win32'"]),
    distribution("numpy", "2.4.6"),
    distribution("msgspec"),
    distribution("starlette"),
    distribution("opentelemetry"),
    distribution("httptools"),
    distribution("uvloop"),
    distribution("tzdata"),
    distribution("uv"),
    distribution("jupyterlab"),
    distribution("nb2prod"),
)


def an_environment(*distributions, version="3.11", base=BASE):
    markers = {**interpreter.own().markers, "python_version": version}
    return Environment(Path("kernel"), markers, (*distributions, *base))


def test_every_bento_pins_what_its_runtime_needs_by_markers_and_without_unasked_extras():
    found = pins.resolve((), an_environment())
    assert found.requirements == (
        "bentoml==1.4.39",
        "httptools==1.0",
        "msgspec==1.0",
        "numpy==2.4.6",
        "opentelemetry==1.0",
        "pandas==3.1.1",
        "starlette==1.0",
        "uvloop==1.0",
    )
    assert found.missing == found.unpinnable == ()


def test_a_module_is_found_under_its_distributions_name_and_brings_asked_extras():
    extra = (
        distribution("scikit-learn", "1.9", ["joblib[fast]>=1"], modules="sklearn"),
        distribution("joblib", requires=["lz4; extra == 'fast'", "dask; extra == 'slow'"]),
        distribution("lz4"),
        distribution("dask"),
    )
    found = pins.resolve({"sklearn"}, an_environment(*extra))
    assert {"scikit-learn==1.9", "joblib==1.0", "lz4==1.0"} <= set(found.requirements)
    assert "dask==1.0" not in found.requirements


def test_local_versions_are_dropped_and_packages_from_folders_are_named():
    extra = (
        distribution("torch", "2.9.0+cu126"),
        distribution("Our.Library", modules="ours", url="file:///somewhere/ours"),
    )
    found = pins.resolve({"torch", "ours"}, an_environment(*extra))
    assert "torch==2.9.0" in found.requirements
    assert "our-library==1.0" in found.requirements
    assert found.unpinnable == ("our-library",)
    assert not any("file:" in pin or "+" in pin for pin in found.requirements)


def test_what_a_library_loads_by_itself_is_pinned_and_what_only_installs_or_shows_is_not():
    extra = (
        distribution("keras", "3.1"),
        distribution("tensorflow", "2.20", ["protobuf"]),
        distribution("protobuf", modules="google"),
        distribution("setuptools", modules="pkg_resources"),
    )
    found = pins.resolve(
        {"keras"}, an_environment(*extra), loaded={"keras", "tensorflow", "jupyterlab", "pkg_resources"}
    )
    assert {"keras==3.1", "tensorflow==2.20", "protobuf==1.0"} <= set(found.requirements)
    assert not {"jupyterlab", "setuptools"} & {pin.partition("==")[0] for pin in found.requirements}


def test_code_that_imports_jupyter_is_refused_by_name():
    with pytest.raises(InputError, match="jupyterlab"):
        pins.resolve({"jupyterlab"}, an_environment())


def test_an_import_that_nothing_provides_is_told():
    found = pins.resolve({"nowhere"}, an_environment())
    assert found.missing == ("nowhere",)
    staging.check_provided(found, ["numpy"])  # as in `try: import nowhere`
    with pytest.raises(InputError, match="'nowhere', which no installed package"):
        staging.check_provided(found, ["numpy", "nowhere"])


def test_the_real_environment_has_neither_jupyter_nor_us_and_every_pin_is_exact():
    requirements = pins.resolve({"sklearn", "skops", "pyarrow"}, interpreter.own()).requirements
    names = {pin.partition("==")[0] for pin in requirements}
    assert {"bentoml", "pandas", "numpy", "scikit-learn", "scipy", "skops", "pyarrow", "msgspec"} <= names
    assert not names & pins.NEVER
    assert all(pin.count("==") == 1 and not set(pin) & set(" @+;/") for pin in requirements)
    assert list(requirements) == sorted(requirements, key=lambda pin: pin.partition("==")[0])


def test_the_script_agrees_with_the_standard_library_about_modules():
    from importlib import metadata

    known = metadata.packages_distributions()
    found = interpreter.own().by_module
    for module in ("pandas", "sklearn", "bentoml", "yaml", "dateutil"):
        assert {item.name for item in found[module]} == set(known[module])


def test_an_interpreter_that_is_not_there_is_an_error_by_name(tmp_path):
    with pytest.raises(EnvironmentProblem, match="nowhere"):
        interpreter.read(tmp_path / "nowhere")


def test_an_interpreter_that_fails_tells_its_last_line(tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'no such library' >&2\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(EnvironmentProblem, match="no such library"):
        interpreter.read(broken)


def test_the_script_runs_without_any_package(tmp_path):
    """A kernel's environment may hold nothing that nb2prod could rely on."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    found = interpreter.read(tmp_path / "bare" / "bin" / "python")
    assert found.distributions == ()
    assert found.python_version == f"{sys.version_info.major}.{sys.version_info.minor}"
