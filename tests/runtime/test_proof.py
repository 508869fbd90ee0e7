"""What a model card says of its proof to the page of the service."""

import pytest

from nb2prod.bento.card import Card, proved_again, render
from nb2prod.runtime import page, proof
from nb2prod.runtime.signature import Signature

KINDS = [{"kind": "replay", "status": "passed", "rows": 2_000}, {"kind": "edges", "status": "passed", "rows": 395}]
PASSED = {"passed": True, "created": "2026-11-30T21:02:14+00:00", "kinds": KINDS, "notes": []}


def card(parity, folder):
    path = folder / "README.md"
    path.write_text(render(Card("houses", "abc", "houses.ipynb", {}, parity=parity)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("parity", "said"),
    [
        (PASSED, "passed on 2026-11-30: 2,395 answers compared with the notebook's, none differs"),
        (
            {**PASSED, "sample": True},
            "passed on 2026-11-30: 2,395 answers compared with the notebook's, none differs; of a sample only",
        ),
        ({**PASSED, "passed": False}, "failed on 2026-11-30: this service does not give the notebook's answers"),
        (
            {"passed": True, "cases": {"replay": 12}},
            "passed: 12 answers compared with the notebook's, none differs",
        ),
        (None, None),
    ],
)
def test_a_card_says_what_came_of_the_proof(tmp_path, parity, said):
    assert proof.sentence(card(parity, tmp_path)) == said


def test_another_proof_takes_its_place(tmp_path):
    path = card(PASSED, tmp_path)
    path.write_text(proved_again(path.read_text(), {**PASSED, "created": "2027-01-02T00:00:00+00:00"}))
    assert proof.sentence(path).startswith("passed on 2027-01-02")


def test_a_card_that_is_gone_or_another_says_nothing(tmp_path):
    assert proof.sentence(tmp_path / "README.md") is None
    (tmp_path / "README.md").write_text("# mine\n\n<!-- proof {} -->\n<!-- proof {nonsense} -->")
    assert proof.sentence(tmp_path / "README.md") is None


def test_the_page_shows_it():
    signature = Signature((), model="houses")
    assert "<dt>Proof</dt><dd>passed &lt;" in page.render(signature, "houses:abc", [], proved="passed <").decode()
    assert "Proof" not in page.render(signature, "houses:abc", []).decode()
