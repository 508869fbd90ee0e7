"""Where a release comes from."""

import json
import subprocess

from nb2prod.release import source


def notebook(source_text="x = 1", outputs=(), tags=("predict",), **metadata):
    cell = {
        "cell_type": "code",
        "source": source_text,
        "outputs": list(outputs),
        "execution_count": len(outputs),
        "metadata": {"tags": list(tags), **metadata},
    }
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def test_the_hash_is_of_what_the_notebook_does():
    same = source.notebook_hash(notebook())
    assert same.startswith("sha256:")
    assert source.notebook_hash(notebook(outputs=[{"output_type": "stream"}], collapsed=True)) == same
    assert source.notebook_hash(notebook(["x", " = 1"])) == same
    assert source.notebook_hash(notebook("x = 2")) != same
    assert source.notebook_hash(notebook(tags=["train"])) != same


def test_the_hash_of_a_file_is_of_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"\x00\x01")
    (tmp_path / "b").write_bytes(b"\x00\x01")
    assert source.file_hash(tmp_path / "a") == source.file_hash(tmp_path / "b")


def git(folder, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, "-C", str(folder), *arguments], check=True, capture_output=True)


def test_the_commit_is_told_and_whether_the_notebook_differs_from_it(tmp_path):
    path = tmp_path / "a notebook.ipynb"
    path.write_text(notebook())
    assert source.git_state(path) is None
    git(tmp_path, "init", "-b", "trunk")
    assert source.git_state(path) is None
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    state = source.git_state(path)
    assert len(state.commit) == 40
    assert (state.branch, state.changed) == ("trunk", False)
    (tmp_path / "another").write_text("")
    assert source.git_state(path).changed is False
    path.write_text(notebook("x = 2"))
    assert source.git_state(path).changed is True


def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert source.git_state(tmp_path / "x.ipynb") is None
