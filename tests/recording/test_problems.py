"""A fault of the recorder itself never reaches the notebook, and a reader of what comes of it is told."""

import pytest

from nb2prod import config
from nb2prod.cli import output
from nb2prod.errors import Refused
from nb2prod.pipeline import build
from nb2prod.recording import bootstrap
from tests.end_to_end.test_faults import FIT, LOAD, PREDICT, save

BROKEN = "\n__import__('builtins').__nb2prod__.observer.observe = lambda *_: {}['lost']"


def test_a_refusal_says_that_the_recorder_failed(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    whole = bootstrap.source
    monkeypatch.setattr(bootstrap, "source", lambda *given: whole(*given) + BROKEN)
    path = save(tmp_path, [(LOAD, None), (FIT, "train"), (PREDICT, "predict")])
    with pytest.raises(Refused) as caught:
        build(path, config.load(path, {}))
    assert "KeyError: 'lost'" in caught.value.hint
    output.print_error(caught.value, as_json=False)
    said = capsys.readouterr().err
    assert said.index("Refused: 1 error.") < said.index("nb2prod itself failed")
    assert "a defect of nb2prod" in said
