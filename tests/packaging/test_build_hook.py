"""When the sidebar's JavaScript is built, and what is said where it can't be."""

import os

import pytest

import hatch_build
from hatch_build import LabExtensionHook


class App:
    def __init__(self):
        self.warnings = []

    def display_warning(self, text):
        self.warnings.append(text)


@pytest.fixture
def tree(tmp_path):
    for file in ("labextension/src/index.ts", "labextension/style/base.css", "labextension/package-lock.json"):
        touch(tmp_path / file, 100)
    return tmp_path


@pytest.fixture
def commands(monkeypatch):
    """What would have been run, in order."""
    run = []
    monkeypatch.setattr(hatch_build.subprocess, "run", lambda command, **_: run.append(command[1:]))
    return run


@pytest.fixture
def npm(monkeypatch):
    def set_npm(path):
        monkeypatch.setattr(hatch_build.shutil, "which", lambda _: path)

    set_npm("/usr/bin/npm")
    return set_npm


def touch(file, when):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("{}")
    os.utime(file, (when, when))


def build(tree):
    app = App()
    hook = LabExtensionHook(str(tree), {}, None, None, str(tree), "wheel", app)
    hook.initialize("standard", {})
    return app


def test_a_first_build_installs_and_compiles(tree, commands, npm):
    build(tree)
    assert commands == [["ci"], ["run", "build:prod"]]


def test_an_output_newer_than_its_source_is_left_alone(tree, commands, npm):
    touch(tree / "nb2prod/labextension/package.json", 200)
    build(tree)
    assert commands == []


@pytest.mark.parametrize("changed", ["src/components/New.tsx", "style/icons/new.svg", "package.json"])
def test_a_changed_source_is_compiled_with_the_modules_that_are_there(tree, commands, npm, changed):
    touch(tree / "nb2prod/labextension/package.json", 200)
    touch(tree / "labextension/node_modules/.package-lock.json", 150)
    touch(tree / "labextension" / changed, 300)
    build(tree)
    assert commands == [["run", "build:prod"]]


def test_a_changed_lock_installs_again(tree, commands, npm):
    touch(tree / "nb2prod/labextension/package.json", 200)
    touch(tree / "labextension/node_modules/.package-lock.json", 150)
    touch(tree / "labextension/package-lock.json", 300)
    build(tree)
    assert commands == [["ci"], ["run", "build:prod"]]


def test_without_npm_the_last_build_is_packed_with_a_warning(tree, commands, npm):
    touch(tree / "nb2prod/labextension/package.json", 50)
    npm(None)
    app = build(tree)
    assert commands == []
    assert "npm is not installed" in app.warnings[0]


def test_without_npm_and_without_a_build_it_says_how_to_mend(tree, commands, npm):
    npm(None)
    with pytest.raises(SystemExit, match=r"Install Node\.js 20 or later"):
        build(tree)
