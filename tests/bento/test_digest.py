"""The version: what changes it, and what must not."""

import os
import shutil

import pytest

from nb2prod.bento.digest import digest

PINS = ("numpy==2.4.1", "pandas==3.0.0")


@pytest.fixture
def folder(tmp_path):
    source = tmp_path / "one"
    (source / "artifacts").mkdir(parents=True)
    (source / "features.py").write_text("X = 1\n")
    (source / "artifacts" / "a.json").write_text("1")
    return source


def test_is_a_lowercase_name_that_a_bento_may_have(folder):
    version = digest(folder, PINS)
    assert len(version) == 16
    assert version == version.lower()
    assert version.isalnum()


def test_does_not_depend_on_path_time_permissions_or_order(folder, tmp_path):
    version = digest(folder, PINS)
    copy = shutil.copytree(folder, tmp_path / "elsewhere" / "two")
    os.utime(copy / "features.py", (1, 1))
    (copy / "features.py").chmod(0o600)
    assert digest(copy, reversed(PINS)) == version


def test_does_not_depend_on_caches_and_bentoml_s_own_files(folder):
    version = digest(folder, PINS)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "features.cpython-311.pyc").write_bytes(b"x")
    (folder / "bentofile.yaml").write_text("x")
    (folder / "requirements.txt").write_text("x")
    assert digest(folder, PINS) == version


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "features.py").write_text("X = 2\n"),
        lambda folder: (folder / "artifacts" / "a.json").write_text("2"),
        lambda folder: (folder / "features.py").rename(folder / "feature.py"),
        lambda folder: (folder / "artifacts" / "b.json").write_text(""),
        lambda folder: (folder / "artifacts" / "a.json").unlink(),
    ],
)
def test_changes_with_each_name_and_byte_of_what_is_served(folder, change):
    version = digest(folder, PINS)
    change(folder)
    assert digest(folder, PINS) != version


def test_changes_with_the_environment(folder):
    assert digest(folder, PINS) != digest(folder, ("numpy==2.4.2", "pandas==3.0.0"))


def test_bytes_that_move_from_one_file_to_another_change_it(tmp_path):
    for name, texts in (("one", ("ab", "c")), ("two", ("a", "bc"))):
        (tmp_path / name).mkdir()
        for file, text in zip(("x", "y"), texts, strict=True):
            (tmp_path / name / file).write_text(text)
    assert digest(tmp_path / "one", ()) != digest(tmp_path / "two", ())
