"""Modules from a folder that the notebook put on its import path are found; those that a pin or the notebook's folder brings are not taken twice."""

import importlib
import sys
from pathlib import Path

import pytest

from nb2prod.environments import interpreter
from nb2prod.errors import EnvironmentProblem
from nb2prod.path import path_modules, tries


@pytest.fixture
def place(tmp_path):
    """A repository: `notebooks/`, `lib/helpers.py`, the package `src/`, and `scripts/` without an `__init__.py`."""
    for name in ("lib/helpers.py", "src/__init__.py", "src/features.py", "scripts/clean.py", "notebooks/beside.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def linked(place, **loaded):
    folder = place / "recording"
    folder.mkdir()
    files = {name: place / file for name, file in loaded.items()}
    links = path_modules.link(files, interpreter.own(), folder, place / "notebooks")
    assert links == path_modules.linked(folder)
    return links


def test_a_file_a_package_and_a_folder_of_modules_are_linked_under_their_names(place):
    links = linked(place, helpers="lib/helpers.py", src="src/__init__.py", scripts="scripts")
    assert {link.name: link.resolve() for link in links.iterdir()} == {
        "helpers.py": place / "lib" / "helpers.py",
        "src": place / "src",
        "scripts": place / "scripts",
    }


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("beside", "notebooks/beside.py"),
        ("numpy", "lib/helpers.py"),
        ("json", "lib/helpers.py"),
        ("_nb2prod_recorder", "lib/helpers.py"),
        ("of_no_metadata", "lib/site-packages/of_no_metadata.py"),
        ("compiled", "lib/compiled.so"),
    ],
)
def test_what_comes_in_another_way_or_is_no_source_is_left(place, name, file):
    assert list(linked(place, **{name: file}).iterdir()) == []


def test_of_a_package_around_the_notebook_only_python_files_are_taken(tmp_path):
    package = tmp_path / "package"
    for name in ("__init__.py", "inner/rules.py", "data/rows.csv", ".git/hook.py", "env/pyvenv.cfg", "env/lib/x.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("")
    (package / "notebooks").mkdir()
    folder = tmp_path / "recording"
    folder.mkdir()
    links = path_modules.link({"package": package / "__init__.py"}, interpreter.own(), folder, package / "notebooks")
    taken = {str(path.relative_to(links)) for path in links.rglob("*") if path.is_file()}
    assert taken == {"package/__init__.py", "package/inner/rules.py"}


def test_a_module_that_nothing_brings_is_said_in_words_without_a_traceback():
    with pytest.raises(EnvironmentProblem, match="imports 'ghost', which no package") as caught:
        raise tries._failure({"failed": "ProjectBroken: ...", "traceback": "Traceback ...", "missing": "ghost"})
    assert "Traceback" not in caught.value.hint
    other = tries._failure(
        {"failed": "ValueError: x", "traceback": "Traceback (most recent call last)", "missing": None}
    )
    assert "ValueError: x" in other.message
    assert "Traceback" not in other.hint
    assert "--debug" in other.hint


def test_the_kernel_s_modules_are_asked_with_their_files(tmp_path):
    import json

    from nb2prod.path.kernel import loaded_modules

    class Here:
        def run(self, code):
            exec(code, {})

    found = loaded_modules(Here(), tmp_path)
    assert found["json"] == Path(json.__file__)
    assert "nb2prod" in found
    assert not [name for name in found if "." in name]
    assert "sys" in sys.builtin_module_names
    assert "sys" not in found


def test_what_a_package_has_compiled_is_its_own_whatever_it_calls_itself(tmp_path, monkeypatch):
    """scikit-learn 1.5 has `_loss` among the top-level modules, which is `sklearn/_loss/_loss.so`."""
    from nb2prod.path.trial import process

    for folder, name in (("site-packages/library", "compiled_part"), ("lib", "loose_module")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f"{name}.py").write_text("")
        monkeypatch.syspath_prepend(str(tmp_path / folder))
        importlib.import_module(name)
    assert {"compiled_part", "loose_module"} <= set(process.loaded())
    assert "loose_module" in process.loose()
    assert not {"compiled_part", "numpy"} & set(process.loose())
