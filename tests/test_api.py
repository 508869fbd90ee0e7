"""nb2prod from Python: typed results, and nothing imported before it is asked for."""

import inspect
import json
import subprocess
import sys
import typing

import pandas as pd
import pytest

import nb2prod
from nb2prod import api
from nb2prod.cli import main
from nb2prod.release import deployments, records
from tests.cli.books import GOOD, RANKED, save
from tests.parity.conftest import Behaviour, make_rows, predict, serving

TWO_PREDICTIONS = [
    ("import pandas as pd\nfrom sklearn.linear_model import LogisticRegression",),
    ("rows = 60", "parameters"),
    (
        "df = pd.DataFrame({'a': range(rows), 'b': [n % 7 for n in range(rows)]})\ndf['late'] = (df['a'] + df['b'] > 30).astype(int)",
    ),
    ("X = df[['a', 'b']]", "feature"),
    ("model = LogisticRegression().fit(X, df['late'])", "train"),
    ("probability = model.predict_proba(X)[:, 1]", "predict"),
    ("label = model.predict(X)", "predict"),
]


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(code):
    script = f"import sys, nb2prod\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_it_imports_nothing_else():
    assert not loaded("") & {"click", "rich", "pandas", "numpy", "bentoml", "papermill", "nbformat", "ipywidgets"}
    light = loaded("nb2prod.Options(target=('a',)); nb2prod.check; nb2prod.connect('http://127.0.0.1:1')")
    assert not light & {"pandas", "numpy", "bentoml", "papermill", "nbformat", "ipywidgets", "click"}


def test_every_name_is_there_and_no_more():
    assert set(nb2prod._API) == set(api.__all__)
    assert all(getattr(nb2prod, name) is getattr(api, name) for name in api.__all__)
    assert set(api.__all__) < set(dir(nb2prod))
    with pytest.raises(AttributeError, match="no attribute 'biuld'"):
        nb2prod.biuld  # noqa: B018


@pytest.mark.parametrize("name", ["build", "check", "connect", "load_options", "prove", "releases", "serve"])
def test_no_function_takes_or_gives_something_untyped(name):
    function = getattr(nb2prod, name)
    hints = typing.get_type_hints(function)
    assert set(hints) == {*inspect.signature(function).parameters, "return"}
    assert hints["return"] not in (dict, typing.Any)
    assert function.__doc__


def test_a_check_gives_the_forecast(folder):
    found = nb2prod.check(save(folder / "good.ipynb", *GOOD))
    assert isinstance(found, nb2prod.Forecast)
    assert not found.refused
    ranked = nb2prod.check(str(save(folder / "ranked.ipynb", *RANKED)))
    (error,) = [item for item in ranked.diagnostics if item.severity == "error"]
    assert isinstance(error, nb2prod.Diagnostic)
    assert (error.code, error.cell) == ("F5", 3)
    with pytest.raises(nb2prod.InputError, match="no such file"):
        nb2prod.check("nothing.ipynb")


def test_options_come_from_the_file_unless_given(folder):
    path = save(folder / "good.ipynb", *GOOD)
    (folder / "nb2prod.toml").write_text('[good]\ntarget = ["target"]\n')
    assert nb2prod.check(path).target == ("target",)
    assert nb2prod.check(path, nb2prod.Options(target=("other",))).target == ("other",)
    assert nb2prod.load_options("good.ipynb", {"owner": "us"}).owner == "us"


def test_a_refused_notebook_is_raised_with_its_diagnostics(folder):
    with pytest.raises(nb2prod.Refused) as refused:
        nb2prod.build(save(folder / "untagged.ipynb", *[(source,) for source, *_ in GOOD]))
    assert [item.code for item in refused.value.diagnostics] == ["N1"]


@pytest.fixture(scope="module")
def client():
    with serving(Behaviour()) as url, nb2prod.connect(url) as client:
        yield client


def test_rows_are_answered_in_order(client):
    rows = make_rows(5)
    answer = client.predict(rows)
    assert answer.predictions == tuple(predict(row) for row in rows)
    assert (answer.errors, answer.model) == ((), "small:0123456789abcdef")


def test_a_table_is_asked_like_its_rows(client):
    rows = make_rows(50)
    table = pd.DataFrame(rows)
    assert table["age"].isna().any()
    assert client.predict(table) == client.predict(rows)


def test_a_signature_has_its_fields(client):
    assert client.ready()
    assert [column.key for column in client.signature().fields][:2] == ["age", "fare"]


def test_a_refused_request_names_row_and_field(client):
    rows = [*make_rows(2), {**make_rows(1)[0], "survived": 1}]
    with pytest.raises(nb2prod.RequestRefused) as refused:
        client.predict(rows)
    assert refused.value.status == 422
    assert refused.value.details == (nb2prod.Detail(2, "survived", "survived is not a field"),)
    assert "row 2, survived" in str(refused.value)


def test_nobody_there_is_said():
    with nb2prod.connect("http://127.0.0.1:9") as client:
        assert not client.ready()
        with pytest.raises(nb2prod.EnvironmentProblem, match="nothing answers"):
            client.predict(make_rows(1))


@pytest.mark.slow
def test_from_a_notebook_to_answers_by_a_sample_and_then_by_the_whole_proof(folder, capsys):
    path = save(folder / "two.ipynb", *TWO_PREDICTIONS)
    result = nb2prod.build(path, nb2prod.Options(owner="us", parameters={"rows": 80}), quick=True)
    assert isinstance(result, nb2prod.BuildResult)
    assert result.bento
    assert result.plan.fields == ("a", "b")
    assert isinstance(result.plan.captured[0], nb2prod.PlannedValue)
    (several,) = [item for item in result.diagnostics if item.code == "N18"]
    assert several.cell == 7
    assert "'probability' (cell 6)" in several.message

    # A sample: said by the report, the list, the card and deploy.
    assert result.parity.passed
    assert result.parity.sample
    assert "Only a sample" in result.parity.notes[0]
    (release,) = nb2prod.releases()
    assert release.sampled
    card = folder / "bentoml" / "bentos" / "two" / release.version / "README.md"
    assert "Only a sample was asked" in card.read_text()
    assert main(["list"]) == 0
    assert "only a sample proved" in capsys.readouterr().out
    with pytest.raises(nb2prod.Nb2ProdError, match="only a sample was proved"):
        deployments.deploy("two")

    with nb2prod.serve(result.bento) as server:
        answer = server.predict([{"a": 0, "b": 0}, {"a": 79, "b": 6}])
        assert answer.predictions == (0, 1)
        assert answer.model == result.bento
        assert server.features([{"a": 3, "b": 4}]).features == ({"a": 3, "b": 4},)
        with pytest.raises(nb2prod.RequestRefused, match="malformed"):
            server.predict([{"a": "0", "b": 0}])
        # Whoever asks may generate a client of the same document that the service gives.
        from nb2prod import clients

        assert clients.document_of(result.bento) == clients.document_of(server.url)
    with pytest.raises(nb2prod.EnvironmentProblem):
        server.predict([{"a": 0, "b": 0}])

    report = nb2prod.prove(result.bento)
    assert report.passed
    assert not report.sample
    assert sum(report.cases.values()) > sum(result.parity.cases.values())
    again = records.find(result.bento)
    assert not again.sampled
    assert "Only a sample" not in card.read_text()
    assert "## Parity" in card.read_text()
    assert "## Environment" in card.read_text()
    # What was proved in whole stays so, whatever sample comes after.
    assert records.proved_before(again.name, again.version)
    assert json.loads((again.folder / "parity.json").read_text())["sample"] is False
