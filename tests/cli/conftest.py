"""Each command of these tests has a home and a folder of its own."""

import pytest


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """An empty current folder; nb2prod's home and BentoML's store lie beside it."""
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here
