"""Somebody's rows removed from a log; and the log read without us, as its page says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from nb2prod.cli import main
from nb2prod.runtime.request_log_schema import COLUMNS
from tests.watching.served import NAME, log, log_folder, release, table

PAGE = (Path(__file__).parents[2] / "docs" / "request_log.md").read_text(encoding="utf-8")


@pytest.fixture
def logged(rng):
    release(table(200, rng))
    for day in range(3):
        log(table(40, rng).assign(visits=[4711 if at % 4 == 0 else at for at in range(40)]), day)
    log(table(10, rng).assign(visits=4711), 3)


def forget(capsys, *conditions):
    code = main(["forget", NAME, *(part for item in conditions for part in ("--where", item)), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_the_rows_of_an_entity_go_from_all_files_with_their_labels(logged, tmp_path, capsys):
    main(["watch", NAME])
    pd.DataFrame({"request_id": ["2026-03-01-0001-0", "2026-03-01-0001-1"], "row": 0, "label": 1}).to_csv(
        tmp_path / "l.csv"
    )
    main(["labels", NAME, str(tmp_path / "l.csv")])
    capsys.readouterr()
    code, found = forget(capsys, "visits=4711")
    assert (code, found) == (0, {"rows": 40, "files": 4, "labels": 1, "unreadable": []})
    left = pd.read_parquet(log_folder())
    assert len(left) == 90
    assert 4711 not in set(left["row.visits"])
    assert not (log_folder() / "2026-03-04").exists()
    assert {path.suffix for path in log_folder().rglob("*") if path.is_file()} == {".parquet"}
    assert forget(capsys, "visits=4711")[1]["rows"] == 0
    # What was counted stays counted, and nothing is counted again.
    main(["watch", NAME, "--json"])
    document = json.loads(capsys.readouterr().out)
    assert (document["rows"], document["new_rows"]) == (130, 0)


def test_conditions_hold_together_and_requests_can_be_named(logged, capsys):
    assert forget(capsys, "visits=4711", "request_id=2026-03-01-0001-0")[1]["rows"] == 1
    assert forget(capsys, "request_id=2026-03-01-0001-1")[1]["rows"] == 1
    assert forget(capsys, "customer=1")[0] == 2
    assert main(["forget", NAME, "--where", "visits"]) == 2


def test_a_file_that_can_not_be_read_is_told(logged, capsys):
    (log_folder() / "2026-03-01" / "half.parquet").write_bytes(b"PAR1")
    assert "half.parquet" in forget(capsys, "visits=4711")[1]["unreadable"][0]


QUERIES = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_columns_are_those_of_the_page():
    told = re.findall(r"^\| `([\w.<>]+)` \|", PAGE, re.MULTILINE)
    assert {name for name in told if not name.startswith("row.")} == set(COLUMNS)
    assert len(QUERIES) == 5


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_duckdb_reads_the_log_as_the_page_says(logged, query, monkeypatch):
    duckdb = pytest.importorskip("duckdb")
    monkeypatch.chdir(log_folder())
    assert duckdb.sql(query).fetchall() or "IS NOT NULL" in query
