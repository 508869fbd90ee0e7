"""The benchmark of the prover, in small: its ways of altering a service, each caught by the real proof over HTTP."""

import pytest

from benchmarks import decision_mutants
from benchmarks import prover_mutants as mutants
from nb2prod.counterfactual.cases import Changed, Found
from nb2prod.parity.cases import Edge
from tests.parity.test_folder import right  # noqa: F401 - a fixture

MUTANTS = [
    mutants.Mutant("small", "constant", "another intercept", mutants.text("+ 0.5", "+ 0.5000001", "predict.py")),
    mutants.Mutant("small", "captured value", "another median", mutants.value("age_median", lambda kept: kept + 1)),
    mutants.Mutant("small", "type", "fares in single precision", mutants.column("fare", dtype="float32")),
]


@pytest.fixture
def built(small, right, monkeypatch):  # noqa: F811
    monkeypatch.setattr(mutants, "built", lambda home, name: (right, small.make_cases(120)))


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_caught(built, tmp_path, mutant):
    outcome = mutants.proved(mutant, tmp_path)
    assert outcome.caught_by == ("replay",)
    assert outcome.words


@pytest.mark.slow
def test_the_right_service_is_not(built, tmp_path):
    outcome = mutants.proved(mutants.Mutant("small", "none", "unaltered", lambda source: None), tmp_path)
    assert outcome.caught_by == ()


@pytest.mark.slow
def test_clean_services_pass_with_other_seeds_on_the_same_servers(built, tmp_path):
    assert list(mutants.clean_runs(tmp_path, "small", range(1, 4), float("inf"))) == [True] * 3


def test_a_mutant_that_no_longer_applies_says_so(tmp_path):
    (tmp_path / "features.py").write_text("pass\n")
    with pytest.raises(SystemExit, match="no longer has 'absent': mend the mutant"):
        mutants.text("absent", "x")(tmp_path)


def test_decisions_are_many_and_of_each_kind(tmp_path):
    found = [mutant for mutant in mutants.mutants(tmp_path) if mutant.family == "decisions"]
    assert len(found) >= 40
    kinds = {"kept too late", "another execution", "field dropped", "another table", "filter", "statement lost"}
    assert kinds | {"another model", "threshold lost"} <= {mutant.kind for mutant in found}


def test_a_plan_that_dropped_a_field_has_no_request_with_it_and_no_edges(small):
    row = small.make_rows(1)[0]
    edge, changed = Edge(row, "value", 1.0), Changed(3, "port = 'C'", row, "value", 2.0)
    known = small.make_cases(30, edges=(edge,), counterfactual=Found((changed,)))
    cut = decision_mutants.without(known, "port")
    assert cut.edges == ()
    assert all("port" not in item for item in cut.rows)
    assert "port" not in cut.counterfactual.rows[0].request
    assert cut.expected == known.expected


def test_the_list_is_long_and_holds_each_kind(tmp_path):
    found = mutants.mutants(tmp_path)
    assert len(found) >= 40
    kinds = {
        "constant",
        "category map",
        "analyzer",
        "columns",
        "type",
        "missing value",
        "model",
        "rounding",
        "time zone",
    }
    assert kinds | {"rows", "phantom", "filter"} <= {mutant.kind for mutant in found}
    names = [f"{mutant.notebook}: {mutant.name}" for mutant in found]
    assert len(set(names)) == len(names)
