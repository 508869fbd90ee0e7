"""`nb2prod watch`: from files of a request log to states, alarms, and who is told."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from nb2prod.cli import main
from nb2prod.evidence.sizes import total_variation
from nb2prod.path.trial import days
from nb2prod.release import alarms
from nb2prod.watching import look as looking
from nb2prod.watching import telling
from nb2prod.watching.look import look
from nb2prod.watching.subject import find, thresholds
from tests.watching.served import FIRST, MODEL, NAME, log, log_folder, release, table


def seen(**options):
    subject = find(NAME)
    return look(subject, thresholds(subject, **options))


def state(found, name):
    (item,) = [item for item in found.verdicts if item.name == name]
    return item


def watch(capsys, *arguments):
    code = main(["watch", NAME, *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_days_like_training_are_quiet(rng):
    release(table(2000, rng))
    for day in range(8):
        log(table(300, rng), day, errors=2)
    found = seen()
    assert found.state == "quiet"
    assert (found.rows, len(found.days), found.alarms) == (2400, 8, ())
    assert {item.name for item in found.verdicts} == {
        "age", "town", "town: missing", "town: rare or unseen", "visits", "prediction p",
        "rows without an answer", "rows answered by rule",
    }  # fmt: skip
    reasons = {item.name: item.reason for item in found.unwatched}
    assert "one value" in reasons["constant"]
    assert "time goes on" in reasons["when"]
    assert "chance of a false alarm over this release's life, all 8 series together: 1 %" in found.promise


def test_a_shift_is_found_with_its_day_its_size_and_both_distributions(rng, capsys):
    release(table(2000, rng))
    for day in range(5):
        log(table(300, rng), day)
    for day in range(5, 8):
        log(table(300, rng, older=8.0), day)
    code, document = watch(capsys, "--check")
    assert code == 1
    assert document["state"] == "drifted"
    age = next(item for item in document["series"] if item["name"] == "age")
    assert age["state"] == "drifted"
    assert age["since"] == "2026-03-06"
    assert age["evidence"] > 1000
    # Two normal distributions a standard deviation of 10 wide and 8 apart differ by 0.31.
    assert age["size"]["low"] < 0.31 < age["size"]["high"]
    assert sum(age["reference"]) == 2000
    assert sum(age["current"]) == 900
    assert len(age["labels"]) == len(age["current"]) == 10
    assert next(item for item in document["series"] if item["name"] == "town")["state"] == "quiet"
    assert {"age", "prediction p"} == {item["subject"] for item in document["alarms"]}
    assert main(["watch", NAME]) == 0
    text = capsys.readouterr().out
    assert "since 2026-03-06" in text
    assert "█" in text
    assert "owner: Ada; runbook: https://example.org/run" in text


@pytest.mark.parametrize(
    ("change", "name"),
    [({"lost": 0.4}, "town: missing"), ({"towns": ("a", "b", "new")}, "town: rare or unseen")],
)
def test_missing_and_unseen_values_are_watched(rng, change, name):
    release(table(2000, rng))
    for day in range(2):
        log(table(400, rng, **change), day)
    assert state(seen(), name).state == "drifted"


def test_rows_without_an_answer_are_held_against_the_first_days(rng):
    release(table(2000, rng))
    for day in range(3):
        log(table(300, rng), day, errors=3)
    found = state(seen(), "rows without an answer")
    assert (found.state, found.reference) == ("quiet", (594, 6))
    for day in range(3, 5):
        log(table(300, rng), day, errors=60)
    assert state(seen(), "rows without an answer").state == "drifted"


def test_a_small_change_with_much_evidence_is_drifting_and_no_alarm(rng):
    release(table(20_000, rng))
    log(table(30_000, rng, shares=(0.54, 0.27, 0.19)), 0)
    found = seen()
    assert state(found, "town").state == "drifting"
    assert found.alarms == ()
    assert state(seen(materiality=0.0), "town").state == "drifted"


def test_a_second_look_reads_only_what_is_new(rng, monkeypatch):
    release(table(500, rng))
    log(table(100, rng), 0)
    read = []
    before = looking.request_files.batches
    monkeypatch.setattr(
        looking.request_files, "batches", lambda file, *rest: read.append(file.name) or before(file, *rest)
    )
    assert seen().new_rows == 100
    log(table(50, rng), 0, file="0002")
    assert seen().new_rows == 50
    assert read == ["2026-03-01/0001.parquet", "2026-03-01/0002.parquet"]
    # What retention removes stays counted.
    (log_folder() / read[0]).unlink()
    assert seen().rows == 150


def test_looks_at_once_count_each_row_once(rng):
    release(table(500, rng))
    for at in range(20):
        log(table(30, rng), at % 3, file=f"{at:04d}")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: seen(), range(4)))
    assert {item.rows for item in found} == {600}
    assert sum(sum(item.current) for item in found[0].verdicts if item.name == "age") == 600


def test_damaged_foreign_and_newer_files_are_told_and_the_others_count(rng):
    release(table(500, rng))
    log(table(100, rng), 0)
    day = log_folder() / "2026-03-02"
    day.mkdir()
    (day / "half.parquet").write_bytes((log_folder() / "2026-03-01" / "0001.parquet").read_bytes()[:500])
    (day / "0009.writing").write_bytes(b"half")
    pq.write_table(
        pa.table({"model": [MODEL]}).replace_schema_metadata({b"nb2prod.request_log": b"99"}), day / "new.parquet"
    )
    (log_folder() / "not-a-day").mkdir()
    log(table(10, rng), 0, file="other", model="visits:bb22")
    found = seen()
    assert found.rows == 100
    assert any("2026-03-02/half.parquet" in note and "1 more" in note for note in found.notes)
    assert seen().new_rows == 0
    # A copy from elsewhere that was half there is read once it is whole.
    whole = log(table(40, rng), 0, file="whole")
    whole.rename(day / "half.parquet")
    assert (seen().rows, seen().new_rows) == (140, 0)
    assert not any("half.parquet" in note for note in seen().notes)


@pytest.mark.parametrize(
    ("share", "made", "hint"),
    [
        (0, False, "there is no request log: build with"),
        (1, False, "there is no request log yet: the service writes it"),
        (1, True, "the request log has no rows yet"),
    ],
)
def test_a_log_without_rows_is_told_as_what_it_is(rng, capsys, share, made, hint):
    release(table(500, rng), options={"request_log": share})
    if made:
        log_folder().mkdir(parents=True)
    assert main(["watch", NAME, "--check"]) == 0
    out = capsys.readouterr().out
    assert hint in out
    assert "will be watched: age, prediction p," in out
    assert "0 rows of 0 days" in out


def test_replicas_a_gap_and_a_clock_that_jumps(rng, tmp_path, capsys):
    release(table(500, rng))
    log(table(100, rng), 0)
    log(table(100, rng), 9, file="b", folder=tmp_path / "replica")
    ahead = (dt.datetime.now(dt.UTC).date() - FIRST).days + 400
    log(table(70, rng, older=90), ahead, file="c", folder=tmp_path / "replica")
    code, document = watch(capsys, "--log", str(log_folder()), "--log", str(tmp_path / "replica"))
    assert code == 0
    assert (document["rows"], document["new_rows"]) == (200, 200)
    notes = " ".join(document["notes"])
    assert "8 days between 2026-03-01 and 2026-03-10 without rows" in notes
    assert "70 rows of" in notes
    assert "a clock of the service is wrong" in notes


def test_thirty_rows_are_too_few_and_it_says_how_many_are_needed(rng):
    release(table(30, rng))
    log(table(100, rng), 0)
    found = seen()
    reasons = {item.name: item.reason for item in found.unwatched}
    assert "training has 30 values of it, and at least 40 are needed" in reasons["age"]


def test_excluded_fields_and_no_log(rng, capsys):
    release(table(500, rng), options={"request_log_exclude": ["age"]})
    found = seen()
    assert (found.state, found.rows) == ("waiting", 0)
    assert any("request_log_exclude" in item.reason for item in found.unwatched if item.name == "age")
    assert "there is no request log: build with" in found.notes[0]
    assert main(["watch", NAME, "--log", "nowhere"]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_thresholds_are_the_releases_own_unless_asked(rng, capsys):
    release(table(500, rng), watch={"alpha": 0.001})
    assert thresholds(find(NAME)).alpha == 0.001
    assert thresholds(find(NAME), alpha=0.2, materiality=0.1).materiality == 0.1
    assert main(["watch", NAME, "--alpha", "2"]) == 2
    assert "a number between 0 and 1" in capsys.readouterr().err


@pytest.fixture
def drifted(rng):
    release(table(2000, rng))
    for day in range(2):
        log(table(300, rng, older=15.0), day)


def test_an_alarm_is_raised_once_and_acknowledged(drifted, rng, capsys):
    assert watch(capsys, "--check")[0] == 1
    _, again = watch(capsys)
    assert len(again["alarms"]) == 2
    assert any("acknowledged by nobody" in text for text in alarms.remarks(NAME, 72.0))
    assert main(["watch", NAME, "--ack", "  "]) == 2
    capsys.readouterr()
    assert main(["watch", NAME, "--ack", "known campaign"]) == 0
    assert "acknowledged: age has drifted since 2026-03-01" in capsys.readouterr().out
    code, document = watch(capsys, "--check")
    assert (code, document["alarms"], document["state"]) == (0, [], "drifted")
    assert [item["why"] for item in document["acknowledged"]] == ["known campaign"] * 2
    assert main(["watch", NAME]) == 0
    assert "(known campaign): age has drifted since" in capsys.readouterr().out
    assert alarms.remarks(NAME, 72.0) == []
    assert main(["watch", NAME, "--ack", "twice"]) == 2
    assert {item.why for item in alarms.all_alarms(NAME)} == {"known campaign"}


class _Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer, hang = self.server.answers.pop(0) if self.server.answers else (200, 0)
        time.sleep(hang)
        if answer == 200 and not hang:
            self.server.told.append(json.loads(body))
        self.send_response(answer)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def hook():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hook)
    server.told, server.answers = [], []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def test_a_webhook_is_told_each_alarm_once_whatever_fails_on_the_way(drifted, hook, capsys, monkeypatch):
    monkeypatch.setattr(telling, "_PAUSES", (0.0, 0.0))
    monkeypatch.setattr(telling, "SECONDS", 0.3)
    address = f"http://127.0.0.1:{hook.server_port}/hook?token=secret"
    hook.answers[:] = [(500, 0), (200, 0), (200, 1.0), (503, 0), (503, 0)]
    code, document = watch(capsys, "--webhook", address)
    assert code == 0
    assert len(document["undelivered"]) == 1
    assert "tried again" in document["undelivered"][0]
    assert "secret" not in json.dumps(document)
    hook.told[1:] = []
    watch(capsys, "--webhook", address)
    watch(capsys, "--webhook", address)
    assert [item["subject"] for item in hook.told] == ["age", "prediction p"]
    first = hook.told[0]
    assert (first["owner"], first["runbook"], first["series"]["state"]) == ("Ada", "https://example.org/run", "drifted")
    assert main(["watch", NAME, "--webhook", "ftp://x"]) == 2


def test_a_command_is_told_on_standard_input(drifted, tmp_path, capsys):
    script = tmp_path / "told.sh"
    script.write_text(f"#!/bin/sh\ncat >> {tmp_path}/told\necho >> {tmp_path}/told\n")
    script.chmod(0o755)
    for _ in range(2):
        watch(capsys, "--run", str(script))
    told = [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]
    assert [item["subject"] for item in told] == ["age", "prediction p"]
    _, document = watch(capsys, "--run", "false")
    assert "it ended with 1" in document["undelivered"][0]


def test_gauges_and_rules_for_prometheus(drifted, tmp_path, capsys):
    from prometheus_client.parser import text_string_to_metric_families

    watch(capsys, "--metrics", str(tmp_path / "nb2prod.prom"))
    text = (tmp_path / "nb2prod.prom").read_text()
    found = {
        (sample.name, sample.labels.get("series")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["nb2prod_watch_state", "age"] == 2
    assert found["nb2prod_watch_open_alarms", None] == 2
    assert main(["watch", NAME, "--rules"]) == 0
    manifest = yaml.safe_load(capsys.readouterr().out)
    assert manifest["kind"] == "PrometheusRule"
    named = {sample_name for sample_name, _ in found}
    for rule in manifest["spec"]["groups"][0]["rules"]:
        assert any(name in rule["expr"] for name in named)
        assert rule["annotations"]["owner"] == "Ada"


@pytest.mark.parametrize("allowed", [True, False])
def test_a_weekly_pattern_that_training_had_is_no_drift(rng, allowed):
    """Weekends are others than other days, in training as in service."""

    def day(at, rows=300):
        return table(rows, rng, older=8.0 if at % 7 >= 5 else 0.0)

    training = pd.concat([day(at).assign(when=pd.Timestamp("2026-01-05") + pd.Timedelta(days=at)) for at in range(56)])
    bento = release(training.reset_index(drop=True))
    if allowed:
        path = bento / "src" / "reference.json"
        described = json.loads(path.read_text())
        days.tell(described, training, np.arange(len(training)), training["p"])
        path.write_text(json.dumps(described))
    for at in range(14):
        log(day(at), at + 1)  # a Monday
    drifted = {item.name for item in seen().verdicts if item.state != "quiet" and item.name in ("age", "prediction p")}
    assert drifted == (set() if allowed else {"age", "prediction p"})


def test_an_alarm_comes_again_only_after_its_series_was_quiet(rng):
    """A size that moves about the floor is one state, and one alarm."""
    release(table(500, rng))
    log(table(100, rng), 0)
    found = seen()
    age = state(found, "age")
    size = total_variation(np.array([300.0, 200.0]), np.array([200.0, 300.0]))
    for word in ("drifted", "drifting", "drifted", "quiet", "drifted"):
        looking.settle_alarms(found.subject, [replace(age, state=word, size=size, since="2026-03-01")])
    assert len(alarms.all_alarms(NAME)) == 2
