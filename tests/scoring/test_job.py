"""Every row of the tables is answered once, whatever happens on the way."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nb2prod.cli import main
from nb2prod.cli.score import sentence
from nb2prod.errors import Cancelled, EnvironmentProblem, InputError
from nb2prod.parity.faults import ServiceFault
from nb2prod.runtime.batch.scoring import Scorer
from nb2prod.runtime.batch.tables import table_of
from nb2prod.scoring import job, readers
from nb2prod.scoring.job import Standing, Wish
from nb2prod.scoring.outputs import Output, PartWriter
from nb2prod.scoring.workers import Workers

from .conftest import bento_at, houses

ROWS = 500
PART = 200


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(readers, "ROWS", 64)
    monkeypatch.setattr(readers, "_LEAST", 64)


@pytest.fixture
def tables(tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    houses(ROWS).to_parquet(folder / "a.parquet", row_group_size=150)
    houses(ROWS, 1).to_csv(folder / "b.csv", index=False)
    houses(PART, 2).to_feather(folder / "c.feather")
    houses(0, 3).to_parquet(folder / "d.parquet")
    return folder


def wish(tables, tmp_path, **others):
    return Wish((str(tables),), str(tmp_path / "out"), **{"keys": ("Id",), "part_rows": PART, "workers": 2, **others})


def expected(bento, frames):
    scored = [Scorer.load(bento / "src").score(table_of(frame)).answers.to_pandas() for frame in frames]
    ids = pd.concat([frame["Id"] for frame in frames], ignore_index=True)
    return pd.concat(scored, ignore_index=True).assign(Id=ids)[["Id", "prediction", "error"]]


def answers(out):
    found = pd.read_parquet(out)
    return found.sort_values("Id", ignore_index=True)


def all_houses():
    return [houses(ROWS), houses(ROWS, 1), houses(PART, 2)]


def test_every_row_of_every_file_is_answered(in_process, bento, tables, tmp_path):
    seen = []
    keyed = pa.schema([("Id", pa.int64())])
    done = job.score(bento, wish(tables, tmp_path), lambda standing: seen.append(standing.share))
    found = answers(tmp_path / "out")
    assert list(found.columns) == ["Id", "prediction", "error", "release"]
    pd.testing.assert_frame_equal(found.drop(columns="release"), expected(bento, all_houses()), check_dtype=False)
    assert set(found["release"]) == {"houses:abc"}
    assert pq.read_schema(next((tmp_path / "out").glob("part-*"))).field("Id").type == keyed.field("Id").type
    assert (done.files, done.rows, done.rows_before, done.complete) == (4, 1200, 0, True)
    errors = pd.read_parquet(tmp_path / "out" / "_errors")
    assert sorted(errors["Id"]) == sorted(found.loc[found["error"].notna(), "Id"])
    assert done.bad == len(errors) == 12
    assert set(errors["row"]) == set(range(0, ROWS, 100))
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)


def test_without_keys_an_answer_names_file_and_row(in_process, bento, tables, tmp_path):
    job.score(bento, wish(tables / "b.csv", tmp_path, keys=()))
    found = pd.read_parquet(tmp_path / "out").sort_values("row", ignore_index=True)
    assert set(found["file"]) == {str(tables / "b.csv")}
    assert list(found["row"]) == list(range(ROWS))


def test_a_job_that_is_done_does_nothing_again(in_process, bento, tables, tmp_path):
    job.score(bento, wish(tables, tmp_path))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("part-*")}
    in_process.clear()
    done = job.score(bento, wish(tables, tmp_path))
    assert in_process == []
    assert (done.rows, done.rows_before, done.bad) == (0, 1200, 12)
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("part-*")}


@pytest.mark.parametrize("after", [1, 9])
def test_what_was_interrupted_goes_on_where_it_stopped(in_process, bento, tables, tmp_path, after):
    def interrupt(standing):
        nonlocal after
        after -= 1
        if not after:
            raise KeyboardInterrupt

    with pytest.raises(Cancelled, match="rows are done and kept"):
        job.score(bento, wish(tables, tmp_path), interrupt)
    assert not list((tmp_path / "out").rglob(".part-*"))
    done = job.score(bento, wish(tables, tmp_path))
    assert done.rows + done.rows_before == 1200
    assert done.rows_before % PART in (0, ROWS % PART)
    found = answers(tmp_path / "out").drop(columns="release")
    pd.testing.assert_frame_equal(found, expected(bento, all_houses()), check_dtype=False)


def test_new_files_are_answered_and_the_others_not_again(in_process, bento, tables, tmp_path):
    job.score(bento, wish(tables, tmp_path))
    houses(10, 5).to_parquet(tables / "e.parquet")
    assert job.score(bento, wish(tables, tmp_path)).rows == 10


def test_a_part_between_the_two_renames_is_done_again_once(in_process, bento, tables, tmp_path, monkeypatch):
    kept = PartWriter.keep_errors

    def killed(writer):
        kept(writer)
        raise RuntimeError("as if killed")

    monkeypatch.setattr(PartWriter, "keep_errors", killed)
    monkeypatch.setattr(PartWriter, "drop", lambda writer: None)
    with pytest.raises(RuntimeError):
        job.score(bento, wish(tables, tmp_path))
    monkeypatch.undo()
    job.score(bento, wish(tables, tmp_path, part_rows=PART))
    assert len(pd.read_parquet(tmp_path / "out" / "_errors")) == 12
    assert not list((tmp_path / "out").rglob(".part-*"))


def test_more_bad_rows_than_may_be_end_it_and_are_told(in_process, bento, tables, tmp_path):
    done = job.score(bento, wish(tables / "a.parquet", tmp_path, max_errors=2, part_rows=10_000))
    assert not done.complete
    assert "the notebook's code failed on this row" in done.reasons[0]
    assert len(pd.read_parquet(tmp_path / "out" / "_errors")) > 2
    again = job.score(bento, wish(tables / "a.parquet", tmp_path, max_errors=5, part_rows=10_000))
    assert again.complete
    assert len(pd.read_parquet(tmp_path / "out" / "_errors")) == again.bad == 5


def test_bad_lines_and_bad_values_are_rows_of_the_table_of_errors(in_process, bento, tables, tmp_path):
    lines = houses(6).assign(Fare=5.0).to_csv(index=False).splitlines()
    lines[2] += ",more"
    lines[4] = lines[4].replace("5.0", "five")
    (tables / "b.csv").write_text("\n".join(lines))
    done = job.score(bento, wish(tables / "b.csv", tmp_path))
    found = pd.read_parquet(tmp_path / "out" / "_errors")
    assert list(zip(found["row"], found["code"], found["field"].fillna(""), strict=True)) == [
        (3, "row_malformed", "Fare"),
        (1, "line_broken", ""),
    ]
    assert sorted(answers(tmp_path / "out")["Id"].astype(int)) == [0, 2, 3, 4, 5]
    assert (done.rows, done.bad) == (6, 2)


def test_a_file_of_other_types_has_bad_rows_and_not_the_others(in_process, bento, tables, tmp_path):
    houses(30, 4).assign(Fare="much").to_parquet(tables / "e.parquet")
    job.score(bento, wish(tables, tmp_path))
    errors = pd.read_parquet(tmp_path / "out" / "_errors")
    assert set(errors[errors["code"] == "row_malformed"]["file"]) == {str(tables / "e.parquet")}
    assert len(errors) == 42


def test_columns_that_some_files_lack_are_told_by_file_before_anything_is_done(in_process, bento, tables, tmp_path):
    houses(3).drop(columns="Fare").to_parquet(tables / "e.parquet")
    houses(3).drop(columns="Id").to_csv(tables / "f.csv")
    with pytest.raises(InputError, match=r"(?s)e\.parquet has no column 'Fare'\n.*f\.csv has no column 'Id'"):
        job.score(bento, wish(tables, tmp_path))
    assert not (tmp_path / "out").exists()
    assert in_process == []


def test_columns_that_folders_tell(in_process, bento, tmp_path):
    frame = houses(60).assign(Fare=4.0)
    for sex, part in frame.groupby("Sex"):
        folder = tmp_path / "tables" / f"Sex={sex}" / "Id%20s=7"
        folder.mkdir(parents=True)
        part.drop(columns="Sex").to_parquet(folder / "x.parquet")
    job.score(bento, wish(tmp_path / "tables", tmp_path, keys=("Id", "Id s")))
    found = answers(tmp_path / "out")
    assert set(found["Id s"]) == {"7"}
    pd.testing.assert_frame_equal(found[["Id", "prediction", "error"]], expected(bento, [frame]), check_dtype=False)


def test_other_places_by_fsspec(in_process, bento):
    memory = fsspec.filesystem("memory")
    with memory.open("/bucket/in/a.parquet", "wb") as file:
        houses(ROWS).to_parquet(file)
    asked = Wish(("memory://bucket/in",), "memory://bucket/out", ("Id",), part_rows=PART)
    assert job.score(bento, asked).rows == ROWS
    assert job.score(bento, asked).rows_before == ROWS
    found = pd.read_parquet("memory://bucket/out").sort_values("Id", ignore_index=True)
    pd.testing.assert_frame_equal(found.drop(columns="release"), expected(bento, [houses(ROWS)]), check_dtype=False)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tables, out: (out / "_job.json").unlink(), "holds no answers"),
        (lambda tables, out: houses(9).to_parquet(tables / "a.parquet"), "has changed since"),
        (lambda tables, out: (tables / "b.csv").unlink(), "not among the tables"),
    ],
)
def test_another_table_or_folder_is_not_mixed_in(in_process, bento, tables, tmp_path, change, said):
    job.score(bento, wish(tables, tmp_path))
    change(tables, tmp_path / "out")
    with pytest.raises(InputError, match=said):
        job.score(bento, wish(tables, tmp_path))


def test_another_release_or_key_is_not_mixed_in(in_process, bento, tables, tmp_path):
    job.score(bento, wish(tables, tmp_path))
    other = bento_at(tmp_path / "other", "def")
    with pytest.raises(InputError, match="holds answers of houses:abc, and not of houses:def"):
        job.score(other, wish(tables, tmp_path))
    with pytest.raises(InputError, match="key columns Id"):
        job.score(bento, wish(tables, tmp_path, keys=()))
    with pytest.raises(InputError, match="'row' can't be a key"):
        job.score(bento, wish(tables, tmp_path, keys=("row",)))


def test_two_runs_do_not_write_to_one_folder(in_process, bento, tables, tmp_path):
    def again(standing):
        with pytest.raises(InputError, match="another run writes to"):
            job.score(bento, wish(tables, tmp_path))

    job.score(bento, wish(tables / "c.feather", tmp_path), again)


def test_a_full_disk_is_told_and_what_is_done_is_kept(in_process, bento, tables, tmp_path, monkeypatch):
    opened = Output.open
    count = 0

    def full(output, name):
        nonlocal count
        count += name.startswith(".part")
        if count == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opened(output, name)

    monkeypatch.setattr(Output, "open", full)
    with pytest.raises(EnvironmentProblem, match="No space left"):
        job.score(bento, wish(tables, tmp_path))
    monkeypatch.setattr(Output, "open", opened)
    assert job.score(bento, wish(tables, tmp_path)).rows_before == 2 * PART


def test_how_far_it_is_in_a_line():
    standing = Standing(rows=1_000_000, before=500, bad=3, share=0.25, began=100.0)
    assert sentence(standing, 110.0).startswith("1,000,500 rows, 25%, 100,000 a second, 3 without an answer")


# -- with processes --


def test_by_processes_and_the_command(bento, tables, tmp_path, capsys):
    arguments = ["score", str(bento), "--in", str(tables), "--out", str(tmp_path / "out"), "--key", "Id", "--json"]
    assert main(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["rows"], document["bad"], document["bento"]) == (1200, 12, "houses:abc")
    found = answers(tmp_path / "out").drop(columns="release")
    pd.testing.assert_frame_equal(found, expected(bento, all_houses()), check_dtype=False)
    assert main([*arguments, "--max-errors", "3"]) == 1


@pytest.mark.slow
def test_a_process_that_is_killed_is_started_again_once(bento):
    table = table_of(houses(5))
    with Workers(bento, 1) as workers:
        first = workers.score(table)
        os.kill(workers._all[0].running().pid, signal.SIGKILL)
        assert workers.score(table).answers.equals(first.answers)
        with pytest.raises(InputError, match="no column 'Age'"):
            workers.score(table.drop_columns(["Age"]))


DYING = """
import os
def predict(X):
    os.kill(os.getpid(), 9)
"""


@pytest.mark.slow
def test_rows_that_kill_every_process_end_the_job_with_its_words(tables, tmp_path):
    bento = bento_at(tmp_path / "dying", predict=DYING)
    with pytest.raises(ServiceFault, match="ended with status -9"):
        job.score(bento, wish(tables, tmp_path))


SCRIPT = """
import sys, time
from nb2prod.scoring import job, readers
from pathlib import Path
readers.ROWS = readers._LEAST = 64
def told(standing):
    print(standing.rows, flush=True)
    time.sleep(0.05)
bento, tables, out = sys.argv[1:]
try:
    job.score(Path(bento), job.Wish((tables,), out, ("Id",), part_rows=200), told)
except BaseException as error:
    print(type(error).__name__, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_at_any_moment_it_goes_on_and_no_row_is_lost_or_written_twice(bento, tables, tmp_path, number):
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, str(tmp_path / "script.py"), str(bento), str(tables), str(tmp_path / "out")]
    kept = []
    for lines in (1, 3, 6):
        run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for _ in range(lines):
            run.stdout.readline()
        run.send_signal(number)
        rest = run.stdout.read()
        run.wait()
        assert ("Cancelled" in rest) == (number == signal.SIGINT)
        kept.append({path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("part-*")})
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    last = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("part-*")}
    assert all(before.items() <= last.items() for before in kept)
    found = answers(tmp_path / "out").drop(columns="release")
    pd.testing.assert_frame_equal(found, expected(bento, all_houses()), check_dtype=False)
    time.sleep(0.5)
    assert not [path for path in Path("/proc").glob("[0-9]*") if f"{bento}/src" in _command(path.name)]


def _command(pid):
    try:
        return Path("/proc", pid, "cmdline").read_text()
    except OSError:
        return ""


def test_a_bento_of_before_and_a_release_that_is_gone_are_told(bento, tables, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    old = bento_at(tmp_path / "old")
    shutil.rmtree(old / "src" / "nb2prod_runtime" / "batch")
    for name, said in ((str(old), "built before tables could be scored"), ("houses:gone", "no Bento named 'houses'")):
        assert main(["score", name, "--in", str(tables), "--out", str(tmp_path / "out")]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
