"""What each outcome gives: the exit code, words on standard error, one JSON document on standard output."""

import json
import sys
import types
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest

from nb2prod.cli import main
from nb2prod.diagnostics import Diagnostic
from nb2prod.errors import Cancelled, EnvironmentProblem, InputError, ParityFailed, Refused
from nb2prod.evaluation.evaluation import evaluate
from nb2prod.evaluation.outcomes import Outcomes
from nb2prod.parity.report import KindResult, ParityReport
from nb2prod.path import planned
from tests.cli.books import GOOD, RANKED, save

RAISED = Diagnostic("N4", "error", "This cell raised ValueError: bad.", "Correct it.", 3, 1, "int('x')")


@pytest.fixture(autouse=True)
def homes(monkeypatch, tmp_path):
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def pipeline(monkeypatch):
    """A stand-in for the pipeline that does what a test tells it to."""
    stand_in = types.ModuleType("nb2prod.pipeline")
    stand_in.calls = []

    def build(path, options, progress, *, quick=False):
        stand_in.calls.append((path, options))
        progress.stage("record")
        progress.cell(1, 2)
        progress.message("a message")
        if isinstance(stand_in.outcome, BaseException):
            raise stand_in.outcome
        return stand_in.outcome

    stand_in.build = build
    stand_in.outcome = result()
    monkeypatch.setitem(sys.modules, "nb2prod.pipeline", stand_in)
    return stand_in


PLAN = planned.from_json({"fields": ["a", "b"], "target": ["t"], "prediction": "y_pred", "text": "the plan"})


def report(*, passed, sample=False):
    kinds = (KindResult("replay", "passed" if passed else "failed", rows=2601, differences=0 if passed else 3),)
    return ParityReport(
        passed,
        "good.ipynb",
        "y_pred",
        "book:abc",
        "book:abc",
        "",
        1.0,
        0,
        (1,),
        ("on",),
        True,
        1e-9,
        {},
        kinds,
        sample=sample,
    )


def result(bento="book:abc", diagnostics=(), *, sample=False, metrics=None, plan=None):
    document = {
        "bento": bento,
        "path": {},
        "parity": {"passed": bool(bento), "cases": {}},
        "captured": [],
        "seconds": {},
    }
    document["diagnostics"] = [item.to_json() for item in diagnostics]
    return SimpleNamespace(
        bento=bento,
        diagnostics=tuple(diagnostics),
        parity=report(passed=bool(bento), sample=sample),
        plan=plan or PLAN,
        record=None,
        metrics=metrics,
        to_json=lambda: document,
    )


@dataclass(frozen=True)
class Input:
    name: str
    arguments: tuple
    code: int
    says: str
    """On standard error, or on standard output for `check`."""
    remedy: str = ""


INPUTS = [
    Input("missing file", ("build", "none.ipynb"), 2, "none.ipynb: no such file"),
    Input("missing file, check", ("check", "none.ipynb"), 2, "none.ipynb: no such file"),
    Input("missing file, suggest", ("suggest", "none.ipynb"), 2, "none.ipynb: no such file"),
    Input("a folder", ("build", "."), 2, "is a folder"),
    Input("not a notebook", ("build", "script.py"), 2, "script.py is not a notebook", "Name a notebook"),
    Input("no tags", ("build", "untagged.ipynb"), 1, "N1  untagged.ipynb", "nb2prod suggest untagged.ipynb"),
    Input("no predict cell", ("build", "no_predict.ipynb"), 1, "N2  no_predict.ipynb", "y_pred = model.predict"),
    Input("syntax error", ("build", "syntax.ipynb"), 1, "N3  syntax.ipynb, cell 3, line 1", "Correct the line"),
    Input("another kernel", ("build", "r.ipynb"), 1, "N8  r.ipynb", "Choose a Python kernel"),
    Input("no tags, check", ("check", "untagged.ipynb"), 1, "N1  untagged.ipynb"),
    Input("refused by forecast", ("check", "ranked.ipynb"), 1, "F5  ranked.ipynb, cell 3, line 1", "np.searchsorted"),
    Input("unknown flag", ("build", "good.ipynb", "--tagret", "x"), 2, "--tagret", "nb2prod build --help"),
    Input("unknown command", ("biuld",), 2, "biuld", "nb2prod --help"),
    Input("missing argument", ("build",), 2, "build: a notebook is missing", "nb2prod build my_notebook.ipynb"),
    Input("missing release", ("serve",), 2, "serve: a Bento is missing", "`nb2prod list` names them"),
    Input("missing name of a shell", ("completion",), 2, "is missing", "Expected one of bash, fish, zsh"),
    Input("a shell that is none", ("completion", "csh"), 2, "'csh' is not one of", "Expected one of bash, fish, zsh"),
    Input(
        "a port that is none", ("serve", "x", "--port", "99999"), 2, "--port: 99999", "a whole number from 1 to 65535"
    ),
    Input("a port of letters", ("serve", "x", "--port", "abc"), 2, "--port: 'abc'", "a whole number from 1 to 65535"),
    Input("a mistyped command", ("biuld", "x.ipynb"), 2, "No such command 'biuld'", "nb2prod --help"),
    Input("a filter that is none", ("build", "good.ipynb", "--filter", "3=no"), 2, "--filter '3=no'", "--filter 7.3="),
    Input("a class that is none", ("build", "good.ipynb", "--filter", "3.1=no"), 2, "3.1 is 'no'", "training-only"),
    Input("a name that is none", ("build", "good.ipynb", "--name", "Ä"), 2, "name is 'Ä'", "lowercase"),
    Input("a time that is none", ("build", "good.ipynb", "--timeout", "-1"), 2, "timeout is -1", "seconds above 0"),
    Input(
        "a parameter without value",
        ("build", "good.ipynb", "-p", "a"),
        2,
        "-p takes two words",
        "nb2prod build … -p year 2013",
    ),
    Input("unknown Bento", ("serve", "nothing"), 2, "no Bento named 'nothing'"),
    Input("a folder that is no Bento", ("serve", "."), 2, "is a folder, but not a Bento"),
    Input("unknown release", ("show", "nothing"), 2, "no release of 'nothing'"),
    Input("parity of nothing", ("parity", "nothing"), 2, "no Bento named 'nothing'"),
    Input("parity of a folder that is no Bento", ("parity", "."), 2, "is not a Bento made by nb2prod"),
    Input("parity of a URL that does not answer", ("parity", "http://127.0.0.1:9"), 2, "nothing answers"),
    Input("a header that is none", ("parity", "http://127.0.0.1:9", "--header", "x"), 2, "--header 'x'"),
]


@pytest.fixture
def books(tmp_path):
    save(tmp_path / "good.ipynb", *GOOD)
    save(tmp_path / "ranked.ipynb", *RANKED)
    save(tmp_path / "untagged.ipynb", *[(source,) for source, *_ in GOOD])
    save(tmp_path / "no_predict.ipynb", *GOOD[:-1])
    save(tmp_path / "syntax.ipynb", *GOOD[:2], ("df[ = 1", "feature"), *GOOD[3:])
    save(tmp_path / "r.ipynb", *GOOD, kernel="ir", language="R")
    (tmp_path / "script.py").write_text("import pandas\n")


@pytest.mark.parametrize("case", INPUTS, ids=lambda case: case.name)
@pytest.mark.usefixtures("books", "pipeline")
def test_bad_input(case, capsys, tmp_path):
    before = sorted(path.name for path in tmp_path.rglob("*"))
    assert main(case.arguments) == case.code
    shown = capsys.readouterr()
    text = shown.out if case.arguments[0] == "check" and case.code == 1 else shown.err
    assert case.says in text
    assert case.remedy in text
    assert "Traceback" not in shown.out + shown.err
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("case", INPUTS, ids=lambda case: case.name)
@pytest.mark.usefixtures("books", "pipeline")
def test_bad_input_as_json(case, capsys):
    assert main((case.arguments[0], "--json", *case.arguments[1:])) == case.code
    document = json.loads(capsys.readouterr().out)
    if case.code == 1:
        assert [item["severity"] for item in document["diagnostics"]].count("error") >= 1
    else:
        assert document["error"]["message"]
    if case.arguments[0] == "build":
        assert document["bento"] is None
        assert {"path", "parity", "captured", "seconds"} <= set(document)


@dataclass(frozen=True)
class Outcome:
    name: str
    outcome: object
    code: int
    says: str


OUTCOMES = [
    Outcome(
        "a cell raised",
        Refused([RAISED]),
        1,
        "error N4  good.ipynb, cell 3, line 1\n    | int('x')\n  This cell raised",
    ),
    Outcome("parity failed", ParityFailed("2 answers differ", "See the report."), 1, "2 answers differ"),
    Outcome("a result without a Bento", result(None, [RAISED]), 1, "No Bento was made"),
    Outcome(
        "no kernel", EnvironmentProblem("no kernel named x", "Install it."), 2, "no kernel named x\n  -> Install it."
    ),
    Outcome("bad input found late", InputError("no column z"), 2, "no column z"),
    Outcome("interrupted", KeyboardInterrupt(), 130, "interrupted"),
    Outcome("cancelled", Cancelled(), 130, "interrupted"),
    Outcome("a defect", ZeroDivisionError("oops"), 2, "ZeroDivisionError: oops"),
]


@pytest.mark.parametrize("case", OUTCOMES, ids=lambda case: case.name)
@pytest.mark.usefixtures("books")
def test_outcomes_of_a_build(case, pipeline, capsys):
    pipeline.outcome = case.outcome
    assert main(["build", "good.ipynb"]) == case.code
    shown = capsys.readouterr()
    assert case.says in shown.err
    assert "Traceback" not in shown.err


@pytest.mark.parametrize("case", OUTCOMES, ids=lambda case: case.name)
@pytest.mark.usefixtures("books")
def test_outcomes_of_a_build_as_json(case, pipeline, capsys):
    pipeline.outcome = case.outcome
    assert main(["build", "good.ipynb", "--json"]) == case.code
    document = json.loads(capsys.readouterr().out)
    assert document["bento"] is None


@pytest.mark.usefixtures("books")
def test_debug_shows_the_traceback(pipeline, capsys):
    pipeline.outcome = ZeroDivisionError("oops")
    assert main(["build", "good.ipynb", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.usefixtures("books")
def test_a_build_ends_with_its_verdict_and_what_comes_next(pipeline, capsys):
    warnings = [Diagnostic("T4", "warning", f"It differs. {'word ' * 50}", "", n, 1) for n in range(1, 6)]
    pipeline.outcome = result(diagnostics=[*warnings, Diagnostic("N17", "info", "a note", "")])
    assert main(["build", "good.ipynb"]) == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert lines[0] == "Proved: book:abc gives the notebook's own answers; 2,601 were compared, none differs."
    assert "2 fields: a, b" in shown.out
    assert "the plan" not in shown.out
    assert [line.split()[1] for line in lines[-3:]] == ["serve", "show", "deploy"]
    assert "and 2 more warnings" in shown.out
    assert len(lines) <= 15
    assert max(map(len, lines)) <= 105
    assert "record: done in" in shown.err
    assert "a message" in shown.err


@pytest.mark.usefixtures("books")
def test_a_build_tells_how_well_it_predicts_and_what_is_kept_as_code(pipeline, capsys):
    rows = tuple({"kind": "a" if at < 60 else "b"} for at in range(200))
    answers = tuple("yes" if at >= 60 or at % 2 else "no" for at in range(200))
    known = Outcomes(predictions=answers, truth=("yes", "no") + ("yes",) * 198, rows=rows)
    kept = planned.PlannedValue("model", 5, 1, "read by the path", as_code=True)
    pipeline.outcome = result(metrics=evaluate(known, "y_pred"), plan=replace(PLAN, captured=(kept,)))
    assert main(["build", "good.ipynb"]) == 0
    shown = capsys.readouterr().out
    assert "model (by cloudpickle: no format for data holds it)" in shown
    assert " on 200 rows" in shown
    assert "worse than the rest: kind = a (60 rows)" in shown
    pipeline.outcome = result(metrics=evaluate(Outcomes(reason="Why not."), "y_pred"))
    assert main(["build", "good.ipynb"]) == 0
    assert "metrics: none. Why not." in capsys.readouterr().out


@pytest.mark.usefixtures("books")
def test_a_build_of_a_sample_says_so_and_names_the_whole_proof(pipeline, capsys):
    pipeline.outcome = result(sample=True)
    assert main(["build", "good.ipynb"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Proved (a sample: --quick): book:abc")
    assert "nb2prod parity book" in shown.splitlines()[-1]


@pytest.mark.usefixtures("books")
def test_json_is_all_that_a_build_prints_on_standard_output(pipeline, capsys):
    assert main(["build", "good.ipynb", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bento"] == "book:abc"


@pytest.mark.usefixtures("books")
def test_flags_override_the_file(pipeline, tmp_path):
    (tmp_path / "nb2prod.toml").write_text('owner = "us"\n[good]\nprediction = "a"\ntarget = "t"\n')
    flags = [
        "-p",
        "year",
        "2013",
        "-p",
        "name",
        "x",
        "--name",
        "n",
        "--target",
        "a",
        "--target",
        "b",
        "--raw-table",
        "df",
    ]
    flags += ["--field", "f", "--filter", "3.1=training-only", "--filter", "4.2=validity", "--timeout", "9"]
    assert main(["build", "good.ipynb", *flags]) == 0
    ((path, options),) = pipeline.calls
    assert path == tmp_path / "good.ipynb"
    assert (options.owner, options.prediction, options.name, options.raw_table) == ("us", "a", "n", "df")
    assert (options.target, options.fields, options.timeout) == (("a", "b"), ("f",), 9.0)
    assert options.parameters == {"year": 2013, "name": "x"}
    assert options.filters == {"3.1": "training-only", "4.2": "validity"}


@pytest.mark.parametrize("command", ["check", "build"])
@pytest.mark.usefixtures("books", "pipeline")
def test_an_unknown_option_in_the_file_names_the_nearest(command, capsys, tmp_path):
    (tmp_path / "nb2prod.toml").write_text("raw_tabel = 'df'\n")
    assert main([command, "good.ipynb"]) == 2
    assert "Did you mean 'raw_table'?" in capsys.readouterr().err


@pytest.mark.usefixtures("books")
def test_check_says_forecast_and_runs_nothing(capsys, tmp_path):
    before = sorted(path.name for path in tmp_path.rglob("*"))
    assert main(["check", "good.ipynb"]) == 0
    shown = capsys.readouterr().out
    assert "Forecast for good.ipynb" in shown
    assert "nothing stands in the way" in shown
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("books")
def test_check_does_not_promise_a_build_where_the_kernel_is_missing(capsys):
    assert main(["check", "good.ipynb", "--kernel", "nowhere"]) == 0
    shown = capsys.readouterr().out
    assert "nothing in the notebook stands in the way" in shown
    assert "'nowhere' is not installed\n  A build would end before the notebook runs." in shown


@pytest.mark.usefixtures("books")
def test_check_as_json(capsys):
    assert main(["check", "ranked.ipynb", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["forecast"] is True
    assert document["refused"] is True
    assert [d["code"] for d in document["diagnostics"] if d["severity"] == "error"] == ["F5"]


@pytest.mark.usefixtures("books")
def test_suggest_writes_only_when_told(capsys, tmp_path):
    path = tmp_path / "untagged.ipynb"
    before = path.read_text()
    assert main(["suggest", "untagged.ipynb"]) == 0
    shown = capsys.readouterr()
    assert "predict" in shown.out
    assert "--write" in shown.err
    assert path.read_text() == before
    assert main(["suggest", "untagged.ipynb", "--write", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["written"] is True
    assert main(["check", "untagged.ipynb"]) == 0
    # The same file, but for the tags: as the author would have saved it.
    assert path.read_text() == (tmp_path / "good.ipynb").read_text()


def test_list_without_releases(capsys):
    assert main(["list"]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "nb2prod build" in shown.err
    assert main(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"releases": []}


def test_version_and_help(capsys):
    from nb2prod import __version__

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"nb2prod {__version__}\n"
    assert main([]) == 0
    assert "build" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["suggest", "check", "build", "parity", "serve", "list", "show"])
def test_every_command_has_help_json_and_debug(command, capsys):
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--json" in shown
    assert "--debug" in shown
