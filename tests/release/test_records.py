"""Release records: written whole or not at all, found, listed, refused in words."""

import errno
import json
import threading
from dataclasses import replace

import pytest

from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.parity import cases, documents
from nb2prod.parity.report import KindResult, ParityReport
from nb2prod.release import record, records, source

CASES = cases.Cases("flights.ipynb", "y_pred", ({"a": 1},), (2.0,), (7,))


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def _not_rendered(monkeypatch):
    """parity.ipynb is not run each time: that has its own tests."""
    monkeypatch.setattr(documents, "write", lambda report, folder: documents.write_json(report, folder / "parity.json"))


def make_report(**changes):
    form = {
        "passed": True,
        "notebook": "flights.ipynb",
        "prediction": "y_pred",
        "target": "flights:aa11",
        "bento": "flights:aa11",
        "created": "2026-01-01T00:00:00+00:00",
        "seconds": 1.5,
        "seed": 0,
        "hash_seeds": (1, 2, 3),
        "batching": ("on", "off"),
        "batching_licensed": True,
        "tolerance": 1e-9,
        "loosened": {},
        "kinds": (KindResult("replay", "passed", 1, 1),),
    }
    return ParityReport(**{**form, **changes})


def make_record(version="aa11", created="2026-01-01T00:00:00+00:00", **changes):
    form = {
        "name": "flights",
        "version": version,
        "created": created,
        "notebook": "flights.ipynb",
        "notebook_hash": "sha256:1",
        "data_hash": "sha256:2",
        "parameters": {"year": 2013},
        "git": source.GitState("c0ffee", "main", changed=False),
        "python": "3.11.7",
        "pins": ("numpy==2.0", "pandas==3.0"),
        "owner": "Ada",
        "captured": (record.CapturedValue("age_median", 4, 2, "a mean of the column", "json"),),
    }
    return record.ReleaseRecord(**{**form, **changes})


def write(item=None, **changes):
    contents = records.Contents(make_report(), CASES, {"path": []}, "# Card", '{"cells": []}')
    return records.write(item or make_record(), replace(contents, **changes))


def left(home):
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.name.startswith("."))


def test_a_record_comes_back_as_it_was_written(home):
    written = write()
    assert written.folder == home / "releases" / "flights" / "aa11"
    found = records.find("flights:aa11")
    assert found == written
    assert found.parity == make_report().summary()
    assert found.git == source.GitState("c0ffee", "main", changed=False)
    assert found.bento == "flights:aa11"
    assert cases.read(found.path("cases.json")) == CASES
    assert found.path("README.md").read_text() == "# Card"
    assert json.loads(found.path("plan.json").read_text()) == {"path": []}
    assert json.loads(found.path("executed.ipynb").read_text()) == {"cells": []}
    document = json.loads(found.path("record.json").read_text())
    assert document == json.loads(json.dumps(found.to_json()))
    assert str(home) not in found.path("record.json").read_text()
    assert left(home) == []


@pytest.mark.slow
def test_the_record_holds_the_report_for_people(home, monkeypatch):
    monkeypatch.undo()  # run it here
    monkeypatch.setenv("NB2PROD_HOME", str(home))
    written = write()
    names = sorted(path.name for path in written.folder.iterdir())
    assert names == [
        "README.md", "card.html", "cases.json", "executed.ipynb", "parity.html", "parity.ipynb", "parity.json", "parity.xml",
        "plan.json", "record.json",
    ]  # fmt: skip


def test_a_name_means_its_newest_release():
    write(make_record("aa11", "2026-01-02T00:00:00+00:00"))
    write(make_record("bb22", "2026-01-03T00:00:00+00:00"))
    write(make_record("cc33", "2026-01-01T00:00:00+00:00"))
    assert records.find("flights").version == "bb22"
    assert records.find("flights:latest").version == "bb22"
    assert records.find("flights:c").version == "cc33"
    assert [item.version for item in records.records()] == ["bb22", "aa11", "cc33"]


def test_releases_are_listed_by_name():
    write(make_record(name="b"))
    write(make_record(name="a"))
    assert [item.name for item in records.records()] == ["a", "b"]


def test_there_may_be_no_releases():
    assert records.records() == ()
    with pytest.raises(InputError, match="no release of 'flights'") as caught:
        records.find("flights")
    assert "nb2prod build" in caught.value.hint


@pytest.mark.parametrize(
    ("tag", "message", "hint"),
    [
        ("planes", "no release of 'planes'", "There are: flights."),
        ("flights:zz", "has no release 'zz'", "Releases: aa11, aa22."),
        ("flights:aa", "2 releases of 'flights' begin with 'aa'", "Releases: aa11, aa22."),
        ("../flights", "no release of", "There are"),
        ("", "no release of ''", "There are"),
    ],
)
def test_what_can_not_be_found_is_told_with_what_there_is(tag, message, hint):
    write(make_record("aa11"))
    write(make_record("aa22"))
    with pytest.raises(InputError) as caught:
        records.find(tag)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_the_same_bento_proved_again_replaces_its_record(home):
    write()
    write(make_record(created="2026-02-01T00:00:00+00:00"), card="# Another card")
    assert len(records.records()) == 1
    assert records.find("flights").path("README.md").read_text() == "# Another card"
    assert left(home) == []


def test_a_full_disk_leaves_the_old_record_and_nothing_half_written(home, monkeypatch):
    write()

    def full(report, folder):
        (folder / "parity.json").write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(documents, "write", full)
    with pytest.raises(EnvironmentProblem, match="No space left on device") as caught:
        write(card="# Another card")
    assert "NB2PROD_HOME" in caught.value.hint
    assert records.find("flights").path("README.md").read_text() == "# Card"
    with pytest.raises(EnvironmentProblem):
        write(make_record(name="new"))
    assert [item.name for item in records.records()] == ["flights"]
    assert not (home / "releases" / "new").exists()
    assert left(home) == []


def test_an_interrupt_leaves_nothing_half_written(home, monkeypatch):
    def interrupted(report, folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(documents, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write()
    assert records.records() == ()
    assert left(home) == []


def test_two_builds_of_one_notebook_at_once_leave_one_whole_record(home):
    problems = []

    def build(number):
        try:
            for _ in range(10):
                write(card=f"# Card {number}")
        except (OSError, EnvironmentProblem) as error:
            problems.append(error)

    threads = [threading.Thread(target=build, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert records.find("flights").path("README.md").read_text().startswith("# Card ")
    assert cases.read(records.find("flights").path("cases.json")) == CASES
    assert left(home) == []


def test_a_damaged_record_is_told_by_name_and_left_out_of_the_list():
    written = write(make_record("aa11"))
    write(make_record("bb22"))
    for text, words in (
        ("{", "can't be read"),
        ("[]", "is not a release record"),
        ('{"schema": 9}', "was written by a newer nb2prod (schema 9, this one reads 1)"),
        ('{"schema": 1, "name": "flights"}', "is damaged"),
    ):
        (written.folder / "record.json").write_text(text)
        with pytest.raises(InputError) as caught:
            records.find("flights:aa11")
        assert words in caught.value.message
        assert str(written.folder) in caught.value.message
        assert [item.version for item in records.records()] == ["bb22"]


def test_a_file_that_is_gone_is_told_by_name():
    written = write()
    (written.folder / "cases.json").unlink()
    with pytest.raises(InputError, match=r"the release flights:aa11 has no cases\.json"):
        records.find("flights").path("cases.json")


def test_a_removed_record_is_gone_and_its_neighbours_stay(home):
    first, second = write(make_record("aa11")), write(make_record("bb22"))
    records.remove(first)
    records.remove(first)
    assert [item.version for item in records.records()] == ["bb22"]
    records.remove(second)
    assert records.records() == ()
    assert left(home) == []


@pytest.mark.parametrize("name", ["..", "a/b", "", "A", "a:b", ".hidden"])
def test_what_is_no_name_never_becomes_a_path(name):
    with pytest.raises(InputError, match="is not a Bento's name or version"):
        records.folder_of(name, "aa11")


def test_the_report_of_a_failed_proof_is_kept_apart(home):
    folder = records.write_refused("flights", make_report(passed=False), CASES)
    assert folder == home / "refused" / "flights"
    assert records.write_refused("flights", make_report(passed=False, seed=2), CASES) == folder
    assert json.loads((folder / "parity.json").read_text())["seed"] == 2
    assert cases.read(folder / "cases.json") == CASES
    assert records.records() == ()
    assert left(home) == []
