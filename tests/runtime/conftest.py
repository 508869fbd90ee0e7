"""No test writes jobs or request logs where a person's services keep theirs."""

import pytest


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    """The folder of the services' state."""
    folder = tmp_path / "data"
    monkeypatch.setenv("NB2PROD_DATA", str(folder))
    return folder
