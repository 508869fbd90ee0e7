"""Gates: what a release must show, held against what its run showed; who lets one in all the same; and environments."""

import json

import numpy as np
import pytest

from nb2prod import config, criteria
from nb2prod.cli import main
from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.evaluation import stress
from nb2prod.evaluation.evaluation import evaluate
from nb2prod.evaluation.outcomes import Outcomes
from nb2prod.release import deployments, garbage, record, records
from nb2prod.release.deployments import NotDeployed, Wish
from nb2prod.release.gates import check, decisions, environments
from nb2prod.release.gates.environments import NotPromoted
from nb2prod.release.images import engine
from tests.release.deployed import DIRECT

RNG = np.random.default_rng(7)
TRUTH = RNG.integers(0, 2, 400)
NOISE = RNG.normal(0, 1, 400)
"""Of the score; half of the rows are said to be of Paris, where the first release is better than in Rome."""


def outcomes(noise, rows=400, **more):
    chances = 1 / (1 + np.exp(-(2 * TRUTH - 1 + noise * np.where(np.arange(400) % 2, 1.5, 0.8))))[:rows]
    form = {
        "predictions": tuple((chances >= 0.5).astype(int).tolist()),
        "truth": tuple(TRUTH[:rows].tolist()),
        "classes": (0, 1),
        "scores": tuple(zip((1 - chances).tolist(), chances.tolist(), strict=True)),
        "scores_from": "run",
        "estimator": "classifier",
        "rows": tuple({"city": "Rome" if at % 2 else "Paris"} for at in range(rows)),
    }
    keys = tuple(f"row {at}" for at in range(rows))
    return Outcomes(predicted=rows, keys=keys, row_ids=tuple(range(rows)), **{**form, **more})


@pytest.fixture
def make(releases):
    """`make(version, gates, environments, known=outcomes)`: a release whose record states these gates and has these outcomes."""

    def made(version, gates=None, stages=None, known=None, **more):
        item = releases.make(version, **more)
        folder = records.folder_of(item.name, version)
        document = json.loads((folder / record.FILE).read_text())
        document |= {"gates": gates or {}, "environments": stages or {}}
        (folder / record.FILE).write_text(json.dumps(document))
        if known is not None:
            (folder / record.METRICS).write_text(measured(known))
            (folder / record.OUTCOMES).write_text(json.dumps(known.to_json()))
        return records.find(f"{item.name}:{version}")

    return made


def measured(known):
    """The document of metrics.json; worked out once, since its resamples take a while."""
    if id(known) not in MEASURED:
        MEASURED[id(known)] = known, json.dumps(evaluate(known, "p").to_json())
    return MEASURED[id(known)][1]


MEASURED = {}
GOOD, BAD = outcomes(NOISE), outcomes(2.5 * NOISE)


@pytest.mark.parametrize(
    ("gate", "wanted", "outcome", "said"),
    [
        ("roc_auc", ">= 0.8", "passed", "400 rows"),
        ("roc_auc", ">= 0.99", "failed", "400 rows"),
        ("log_loss", "<= 0.1", "failed", "400 rows"),
        ("worst_slice.f1", ">= 0.95", "failed", "city = Rome, 200 rows"),
        ("worst_slice.f1", "> 0.1", "passed", "city = Rome"),
        ("mae", "<= 5", "failed", "this release has no mae; it has accuracy, average_precision"),
        ("parity", True, "passed", ""),
        ("vs_live.roc_auc", ">= -0.005", "passed", "nothing is live yet"),
        ("changed_answers", "<= 0.05", "passed", "nothing is live yet"),
    ],
)
def test_a_release_is_held_against_what_its_run_showed(make, gate, wanted, outcome, said):
    (found,) = check.check(make("aa11", {gate: wanted}, known=GOOD), None).results
    assert (found.outcome, said in found.note) == (outcome, True)
    if gate in ("roc_auc", "worst_slice.f1"):
        assert found.low < found.value < found.high


@pytest.mark.parametrize(
    ("first", "second", "gate", "outcome", "said"),
    [
        (GOOD, outcomes(0.6 * NOISE), {"vs_live.roc_auc": ">= -0.005"}, "passed", "the same 400 rows"),
        (GOOD, BAD, {"vs_live.roc_auc": ">= -0.005"}, "failed", "the same 400 rows"),
        (GOOD, outcomes(1.02 * NOISE), {"vs_live.roc_auc": "> 0"}, "failed", "the same 400 rows"),
        (GOOD, outcomes(NOISE + 0.3 * RNG.normal(0, 1, 400)), {"vs_live.roc_auc": ">= -0.005"}, "undecided", "too few rows to tell"),
        (GOOD, outcomes(NOISE, 20), {"vs_live.roc_auc": ">= -0.5"}, "passed", "the same 20 rows"),
        (outcomes(2.5 * NOISE, 20), outcomes(NOISE, 20), {"vs_live.roc_auc": ">= 0"}, "undecided", "too few rows to tell"),
        (GOOD, BAD, {"vs_live.log_loss": "<= 0.01"}, "failed", "the same 400 rows"),
        (GOOD, GOOD, {"vs_live.log_loss": "<= 0"}, "passed", "the same 400 rows"),
        (GOOD, GOOD, {"vs_live.rmse": "<= 0"}, "failed", "no rmse to compare; both have: accuracy"),
        (None, GOOD, {"vs_live.roc_auc": ">= 0"}, "undecided", "before metrics were kept"),
    ],
)  # fmt: skip
def test_two_releases_are_compared_on_the_same_rows(make, first, second, gate, outcome, said):
    live, candidate = make("aa11", known=first), make("bb22", gate, known=second)
    (found,) = check.check(candidate, live).results
    assert (found.outcome, said in found.note) == (outcome, True), found
    assert check.check(candidate, candidate).passed  # the live one itself


@pytest.mark.parametrize(
    ("known", "gate", "said"),
    [
        (None, "roc_auc", "before metrics were kept"),
        (Outcomes(reason="No target was found."), "roc_auc", "No target was found."),
        (outcomes(NOISE, kind="training"), "roc_auc", "only on rows that its model had learned from"),
        (outcomes(NOISE, truth=(0,) * 400), "roc_auc", "one class alone"),
        (outcomes(NOISE, 40), "worst_slice.roc_auc", "no slice of 30 rows or more"),
    ],
)
def test_what_can_not_be_told_does_not_pass(make, known, gate, said):
    report = check.check(make("aa11", {gate: ">= 0"}, known=known), None)
    assert (report.results[0].outcome, report.passed) == ("undecided", False)
    assert said in report.results[0].note


def test_a_value_without_an_interval_says_why(make):
    """A slice whose only positive row is missed has an `f1` of 0, which bounds nothing."""
    truth = [0] * 60 + [1] * 60
    rows = [{"city": "Rome" if at < 60 else "Paris"} for at in range(120)]
    truth[0], answers = 1, [0] * 60 + [1] * 60
    known = Outcomes(
        predicted=120, keys=tuple(map(str, range(120))), row_ids=tuple(range(120)), predictions=tuple(answers),
        truth=tuple(truth), classes=(0, 1), estimator="classifier", rows=tuple(rows),
    )  # fmt: skip
    (found,) = check.check(make("aa11", {"worst_slice.f1": ">= 0.6"}, known=known), None).results
    assert (found.outcome, found.value, found.low) == ("failed", 0.0, None)
    assert found.note.startswith("city = Rome, 60 rows; no interval: not defined in")


def test_an_image_is_measured_where_there_is_one(make, monkeypatch):
    release = make("aa11", {"image_mb": "<= 500"})

    class Engine:
        found = None

        def image(self, tag):
            return self.found

    monkeypatch.setattr(engine, "find", Engine)
    (found,) = check.check(release, None).results
    assert (found.outcome, "nb2prod containerize flights:aa11" in found.note) == ("undecided", True)
    Engine.found = {"Size": 612_000_000}
    (found,) = check.check(release, None).results
    assert (found.outcome, found.value) == ("failed", 612.0)

    def none():
        raise EnvironmentProblem("there is no engine")

    monkeypatch.setattr(engine, "find", none)
    assert check.check(release, None).results[0].note == "there is no engine"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("roc_auc", 0.8, "roc_auc is 0.8"),
        ("roc_auc", "at least 0.8", "a comparison with a number"),
        ("roc_auc", "== 1", "a comparison with a number"),
        ("roc_auc", True, "a comparison with a number"),
        ("parity", False, "true, or leave it out"),
        ("parity", ">= 1", "true, or leave it out"),
    ],
)
def test_a_gate_that_is_none_is_refused(name, value, said):
    with pytest.raises(InputError) as refused:
        criteria.gate_table({name: value}, "nb2prod.toml: gates")
    assert said in f"{refused.value.message} {refused.value.hint}"


def test_a_misspelt_gate_is_no_gate_that_passes(make, capsys):
    make("aa11", {"roc_aux": ">= 0.5"}, known=GOOD)
    assert main(["gate", "flights"]) == 2
    assert "Did you mean 'roc_auc'?" in capsys.readouterr().err


def test_gates_and_environments_are_read_from_the_file(tmp_path):
    notebook = tmp_path / "flights.ipynb"
    notebook.write_text("{}")
    text = '[flights]\ngates = { roc_auc = ">= 0.8", worst_slice.f1 = ">= 0.6", parity = true }\n'
    text += '[flights.environments.staging]\n[flights.environments.production]\np99_ms = "<= 50"\n'
    (tmp_path / "nb2prod.toml").write_text(text)
    options = config.load(notebook)
    assert options.gates == {"roc_auc": ">= 0.8", "worst_slice.f1": ">= 0.6", "parity": True}
    assert list(options.environments.items()) == [("staging", {}), ("production", {"p99_ms": "<= 50"})]
    for name in ("live", "Ada", "deadbeef", "x"):
        (tmp_path / "nb2prod.toml").write_text(f"[flights.environments.{name}]\n")
        with pytest.raises(InputError, match="environments"):
            config.load(notebook)


def test_the_command_prints_a_table_and_exits_with_what_came_of_it(make, capsys):
    make("aa11", {"roc_auc": ">= 0.8", "f1": ">= 0.99"}, known=GOOD)
    assert main(["gate", "flights"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "gates of nb2prod.toml at its build" in lines[0]
    assert [line.split()[0] for line in lines[1:]] == ["GATE", "roc_auc", "f1"]
    assert "passed" in lines[2]
    assert "failed" in lines[3]
    assert main(["gate", "flights", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["passed"] is False
    make("bb22")
    assert main(["gate", "flights:bb22"]) == 0
    assert "states no gates" in capsys.readouterr().err
    assert main(["gate", "flights", "--environment", "mars"]) == 2


def test_deploy_asks_the_gates_and_an_override_is_kept_with_who_and_why(make, capsys):
    make("aa11", {"roc_auc": ">= 0.99"}, known=GOOD)
    with pytest.raises(NotDeployed, match=r"roc_auc >= 0.99, found 0\.\d+"):
        deployments.deploy("flights", DIRECT)
    assert deployments.all_deployments() == ()  # nothing is left of it
    with pytest.raises(InputError, match="says why"):
        deployments.deploy("flights", Wish(proxied=False, override_gate=" "))
    assert main(["deploy", "flights", "--no-proxy", "--override-gate", "hotfix, agreed with Ada"]) == 0
    (told,) = [item for item in deployments.history("flights") if item.what == "gate overridden"]
    kept = [item for item in decisions.decisions("flights") if item.purpose == decisions.DEPLOY]
    assert [item.let_in for item in kept] == [False, True]
    assert told.detail.endswith(f"hotfix, agreed with Ada ({kept[1].who})")
    assert kept[1].report["results"][0]["gate"] == "roc_auc"
    # The next one is compared with what is live.
    make("bb22", {"vs_live.roc_auc": ">= -0.005"}, known=BAD)
    with pytest.raises(NotDeployed, match=r"vs_live\.roc_auc"):
        deployments.deploy("flights:bb22", DIRECT)
    assert deployments.status("flights").version == "aa11"


def test_a_release_moves_through_the_environments_by_their_gates(make, capsys):
    stages = {"dev": {}, "staging": {"roc_auc": ">= 0.7"}, "production": {"roc_auc": ">= 0.99"}}
    make("aa11", stages=stages, known=GOOD)
    with pytest.raises(NotPromoted, match="staging has no release"):
        environments.promote("flights", "production")
    with pytest.raises(NotPromoted, match="never in staging"):
        environments.promote("flights:aa11", "production")
    assert main(["promote", "flights", "--to", "staging"]) == 0
    assert "staging has flights:aa11" in capsys.readouterr().out
    assert main(["promote", "flights", "--to", "production"]) == 1
    assert "does not pass the gates of production" in capsys.readouterr().err
    done = environments.promote("flights", "production", override="first one")
    assert (done.before, done.override) == (None, "first one")
    assert main(["promote", "flights", "--to", "mars"]) == 2
    assert "dev, staging, production" in capsys.readouterr().err

    make("bb22", stages={**stages, "production": {"vs_live.roc_auc": ">= -0.005"}}, known=BAD)
    with pytest.raises(NotPromoted, match="never in staging"):  # the newest does not leave out what lies before
        environments.promote("flights:bb22", "production")
    environments.promote("flights:bb22", "staging")
    with pytest.raises(NotPromoted, match="vs_live"):  # what production has is what it is compared with
        environments.promote("flights", "production")
    assert decisions.environments("flights") == {"staging": "bb22", "production": "aa11"}
    assert records.find("flights:production").version == "aa11"
    assert deployments.aliases() == {"flights:aa11": ("production",), "flights:bb22": ("staging",)}
    assert not [item for item in garbage.found(keep=1) if item.what == "release"]
    with pytest.raises(InputError, match="says why"):
        environments.promote("flights", "production", override="")


def test_without_stated_environments_there_are_the_usual_ones(make):
    make("aa11")
    assert environments.promote("flights", "staging").report.results == ()
    assert environments.promote("flights", "production").release == "flights:aa11"
    with pytest.raises(InputError, match="no environment 'mars'"):
        environments.promote("flights", "mars")


def put_under_stress(item, **changed):
    report = stress.StressReport(
        item.bento,
        "2026-01-01T00:00:00+00:00",
        100,
        "absolute error",
        (stress.Effect("unseen", "city", 100, 0, 4, 0.5), stress.Effect("missing", "city", 100, 100, 0, 0.0)),
        changed.pop("ageing", stress.Ageing("day", "roc_auc", 40, 0.81, 0.75, 0.86, 0.9)),
        (stress.Load(1, 320, 2.0, 4.0), stress.Load(16, 320, 9.0, 21.0)),
        500.0,
    )
    (item.folder / stress.FILE).write_text(json.dumps({**report.to_json(), **changed}))


@pytest.mark.parametrize(
    ("gate", "wanted", "outcome", "said"),
    [
        ("stress.unanswered", "<= 0.05", "passed", "the worst of 2 alterations"),
        ("stress.unanswered", "<= 0.01", "failed", "the worst of 2 alterations"),
        ("stress.p99_ms", "<= 20", "failed", "16 callers at a time"),
        ("newest.roc_auc", ">= 0.8", "passed", "the newest 40 rows by day"),
        ("newest.f1", ">= 0.8", "failed", "the newest rows have roc_auc, not f1"),
    ],
)
def test_gates_ask_the_stress_test(make, gate, wanted, outcome, said):
    item = make("aa11", {gate: wanted})
    (found,) = check.check(item, None).results
    assert found.outcome == "undecided"
    assert "nb2prod stress flights:aa11" in found.note
    put_under_stress(item)
    (found,) = check.check(item, None).results
    assert (found.outcome, said in found.note) == (outcome, True)


def test_a_stress_test_that_could_not_tell_passes_no_gate(make):
    item = make("aa11", {"newest.roc_auc": ">= 0.8"})
    put_under_stress(item, ageing=stress.Ageing(reason="the raw table has no time"))
    assert check.check(item, None).results[0].outcome == "undecided"
    put_under_stress(item, schema=99)
    (found,) = check.check(item, None).results
    assert found.outcome == "undecided"
    assert "makes it anew" in found.note
