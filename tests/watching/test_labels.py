"""Labels: taken late, repeated, corrected and unknown; the realised loss with its interval and alarm; the estimate without labels."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from nb2prod import home
from nb2prod.cli import main
from nb2prod.evaluation.outcomes import Outcomes
from nb2prod.release import alarms
from tests.watching.served import NAME, VERSION, log, log_folder, release, table


def outcomes(rng, rows=2000, wrong=0.1, **changes):
    truth = rng.integers(0, 2, rows)
    answer = np.where(rng.random(rows) < wrong, 1 - truth, truth)
    made = Outcomes(
        predicted=rows, predictions=tuple(answer.tolist()), truth=tuple(truth.tolist()), classes=(0, 1), estimator="classifier",
        **changes,
    )  # fmt: skip
    (home.releases() / NAME / VERSION / "outcomes.json").write_text(json.dumps(made.to_json()))


def truths(path, rows, day, rng, *, wrong=0.1, file="0001", save=pd.DataFrame.to_parquet):
    """A file of labels of a logged file's rows, of which a share differs from what was predicted."""
    answer = rows["p"].to_numpy()
    label = np.where(rng.random(len(rows)) < wrong, 1 - answer, answer)
    made = pd.DataFrame(
        {"request_id": [f"2026-03-{day + 1:02d}-{file}-{at}" for at in range(len(rows))], "row": 0, "label": label}
    )
    save(made, path) if save is pd.DataFrame.to_parquet else made.to_csv(path, index=False)
    return made


def labels(capsys, *arguments):
    code = main(["labels", NAME, *map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_labels_give_the_realised_loss_and_a_rise_raises_an_alarm(rng, tmp_path, capsys):
    release(table(2000, rng))
    outcomes(rng)
    for day in range(6):
        rows = table(300, rng)
        log(rows, day)
        truths(tmp_path / f"{day}.parquet", rows, day, rng, wrong=0.1 if day < 3 else 0.4)
    for day in range(3):
        code, found = labels(capsys, tmp_path / f"{day}.parquet")
    assert (code, found["state"], found["labelled"], found["coverage"]) == (0, "quiet", 900, 0.5)
    assert found["loss_name"] == "share of wrong answers"
    assert found["low"] < 0.1 < found["high"]
    assert {item["name"] for item in found["metrics"]} >= {"accuracy", "f1"}
    assert alarms.open_alarms(NAME) == ()
    for day in range(3, 6):
        _, found = labels(capsys, tmp_path / f"{day}.parquet")
    assert (found["state"], found["coverage"]) == ("worse", 1.0)
    assert found["since"] in ("2026-03-04", "2026-03-05")
    (alarm,) = alarms.open_alarms(NAME)
    assert alarm.subject == "loss"
    assert main(["watch", NAME, "--check"]) == 1
    out = capsys.readouterr().out
    assert "the share of wrong answers is" in out
    assert "worse than stated since" in out
    assert "estimated without labels".upper() in out.upper()
    assert "assumes that among rows with like predictions" in out


def test_late_repeated_corrected_and_unknown_labels(rng, tmp_path, capsys):
    release(table(500, rng))
    outcomes(rng)
    rows = table(100, rng)
    made = truths(tmp_path / "a.csv", rows, 0, rng, save=None)
    _, found = labels(capsys, tmp_path / "a.csv")
    assert (found["labelled"], found["unknown"], found["state"]) == (0, 100, "waiting")
    log(rows, 0)  # the rows come to the log after their labels
    _, found = labels(capsys)
    assert (found["labelled"], found["unknown"], found["corrected"]) == (100, 0, 0)
    before = found["loss"]
    made["label"] = 1 - made["label"]
    made.iloc[:50].to_csv(tmp_path / "b.csv", index=False)
    labels(capsys, tmp_path / "b.csv")
    _, found = labels(capsys, tmp_path / "b.csv")
    assert (found["labelled"], found["corrected"]) == (100, 50)
    assert found["loss"] > before
    # What retention removes from the log stays judged.
    next(log_folder().glob("*/*.parquet")).unlink()
    assert labels(capsys)[1]["labelled"] == 100


def test_rows_are_known_by_key_columns_too(rng, tmp_path, capsys):
    release(table(500, rng))
    outcomes(rng)
    rows = table(60, rng).assign(visits=range(60))
    log(rows, 0)
    pd.DataFrame({"visits": np.arange(50.0), "left": rows["p"][:50]}).to_csv(tmp_path / "k.csv", index=False)
    _, found = labels(capsys, tmp_path / "k.csv", "--key", "visits", "--label", "left")
    assert (found["labelled"], found["loss"]) == (50, 0.0)
    assert main(["labels", NAME, str(tmp_path / "k.csv"), "--key", "vists", "--label", "left"]) == 2
    assert "no column 'vists'" in capsys.readouterr().err


def test_labels_that_the_service_was_told(rng, capsys):
    release(table(500, rng))
    outcomes(rng)
    rows = table(40, rng)
    log(rows, 0)
    told = log_folder().parent / "labels" / "2026-03-02.jsonl"
    told.parent.mkdir()
    lines = [
        json.dumps({"at": "2026-03-02T00:00:00+00:00", "request_id": f"2026-03-01-0001-{at}", "row": 0, "label": 1})
        for at in range(40)
    ]
    told.write_text("\n".join(lines[:20]) + "\n" + lines[20][:30])
    assert labels(capsys)[1]["labelled"] == 20
    told.write_text("\n".join(lines) + "\n")
    assert labels(capsys)[1]["labelled"] == 40
    assert labels(capsys)[1]["corrected"] == 0


@pytest.mark.parametrize(
    ("truth", "note"), [("maybe", "left out: 40 labels of another type than training's"), (0, None)]
)
def test_labels_of_the_wrong_type_are_told_and_left_out(rng, tmp_path, capsys, truth, note):
    release(table(500, rng))
    outcomes(rng)
    rows = table(40, rng)
    log(rows, 0)
    made = truths(tmp_path / "a.csv", rows, 0, rng, save=None)
    made.assign(label=truth).to_csv(tmp_path / "a.csv", index=False)
    _, found = labels(capsys, tmp_path / "a.csv")
    assert found["labelled"] == (0 if note else 40)
    assert note is None or note in found["notes"]


def test_without_held_out_rows_nothing_is_judged(rng, tmp_path, capsys):
    release(table(500, rng))
    outcomes(rng, kind="training")
    rows = table(40, rng)
    log(rows, 0)
    truths(tmp_path / "a.parquet", rows, 0, rng)
    _, found = labels(capsys, tmp_path / "a.parquet")
    assert (found["state"], found["notebook_loss"]) == ("unjudged", None)
    assert "learned from" in found["notes"][0]
    assert main(["labels", NAME, "nothing.csv"]) == 2


def test_the_estimate_without_labels_follows_what_is_predicted(rng, capsys):
    """Held-out rows predicted 1 were wrong twice as often: a day that predicts 1 more often is expected to be worse."""
    release(table(2000, rng))
    truth = rng.integers(0, 2, 4000)
    answer = np.where(rng.random(4000) < np.where(truth == 1, 0.05, 0.3), 1 - truth, truth)
    made = Outcomes(
        predicted=4000,
        predictions=tuple(answer.tolist()),
        truth=tuple(truth.tolist()),
        classes=(0, 1),
        estimator="classifier",
    )
    (home.releases() / NAME / VERSION / "outcomes.json").write_text(json.dumps(made.to_json()))
    log(table(400, rng, older=-15.0), 0)
    log(table(400, rng, older=15.0), 1)
    _, found = labels(capsys)
    first, second = (item["estimate"] for item in found["days"])
    wrong_of_ones = float((truth[answer == 1] == 0).mean())
    assert first < second < wrong_of_ones + 0.05
    assert found["estimate_error"] is None
