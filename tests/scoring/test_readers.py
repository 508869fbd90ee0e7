"""Files of tables are read row by row as they are, from any row on, and what can't be read is told by name."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.scoring import places, readers

LINES = ["1,a", '2,"x, y"', '3,"two\nlines"', '4,"a ""quoted"" word"', "5", "6,f,7", "7,g", '8,5" pipe', "9,i"]
GOOD = {0: "a", 1: "x, y", 2: "two\nlines", 3: 'a "quoted" word', 6: "g", 7: '5" pipe', 8: "i"}


def read(path, columns, first=0):
    """By row: the values of the last column; and the broken lines."""
    (file,) = places.files([str(path)])
    rows, broken = {}, {}
    with readers.opened(file) as reader:
        for batch in reader.batches(columns, first):
            rows |= dict(zip(batch.rows.tolist(), batch.table.column(columns[-1]).to_pylist(), strict=True))
            broken |= {line.row: line.reason for line in batch.broken}
        assert 0 <= reader.fraction() <= 1
    return rows, broken


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("first", [0, 1, 4, 5, 8, 9])
def test_a_csv_file_is_read_from_any_row_on(tmp_path, first, end):
    path = tmp_path / "t.csv"
    path.write_text("n,s\n" + "\n".join(LINES) + end)
    rows, broken = read(path, ["n", "s"], first)
    assert rows == {row: text for row, text in GOOD.items() if row >= first}
    assert sorted(broken) == [row for row in (4, 5) if row >= first]


def test_broken_lines_keep_their_numbers_over_many_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("nb2prod.scoring.csv_reader._BLOCK", 200)
    monkeypatch.setattr(readers, "_LEAST", 7)
    monkeypatch.setattr(readers, "ROWS", 7)
    bad = {0, 1, 50, 51, 52, 333, 399}
    lines = [f"{at}" if at in bad else f'{at},"row\n{at}"' for at in range(400)]
    (tmp_path / "t.csv").write_text("n,s\n" + "\n".join(lines))
    rows, broken = read(tmp_path / "t.csv", ["n", "s"])
    assert rows == {at: f"row\n{at}" for at in range(400) if at not in bad}
    assert set(broken) == bad


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_that_of_the_line_of_names(tmp_path, separator):
    (tmp_path / "t.csv").write_bytes(
        b"\xef\xbb\xbf" + f"n{separator}s{separator}t\n1{separator}a{separator}\n".encode()
    )
    assert read(tmp_path / "t.csv", ["n"])[0] == {0: "1"}


def test_compressed_csv(tmp_path):
    with gzip.open(tmp_path / "t.csv.gz", "wt") as file:
        file.write("n,s\n" + "\n".join(LINES))
    assert read(tmp_path / "t.csv.gz", ["s"])[0] == GOOD


@pytest.mark.parametrize("lines", ['1,a\n2,"half of a va', '1,a\n"half', '1,a\n2,"half of a\n'])
def test_a_csv_file_that_ends_within_quotes_has_a_bad_row(tmp_path, lines):
    (tmp_path / "t.csv").write_text("n,s\n" + lines)
    rows, broken = read(tmp_path / "t.csv", ["n"])
    assert rows == {0: "1"}
    assert "cut short" in broken[1]


def test_a_csv_file_of_one_column(tmp_path):
    (tmp_path / "t.csv").write_text('n\n1\n"2"')
    assert read(tmp_path / "t.csv", ["n"]) == ({0: "1", 1: "2"}, {})
    (tmp_path / "t.csv").write_text('n\n1\n"2')
    assert read(tmp_path / "t.csv", ["n"]) == ({0: "1"}, {1: "the file ends within quotes: it may be cut short"})
    (tmp_path / "t.csv").write_text("n")
    assert read(tmp_path / "t.csv", ["n"]) == ({}, {})


def table(count=1000):
    return pa.table({"n": np.arange(count), "s": [f"t{at}" for at in range(count)]})


def write_arrow(path, made, kind):
    with pa.OSFile(str(path), "wb") as sink, kind(sink, made.schema) as writer:
        writer.write_table(made, max_chunksize=300)


WRITERS = {
    "t.parquet": lambda path, made: pq.write_table(made, path, row_group_size=300),
    "t.arrow": lambda path, made: write_arrow(path, made, pa.ipc.new_file),
    "t.arrows": lambda path, made: write_arrow(path, made, pa.ipc.new_stream),
    "t.csv": lambda path, made: made.to_pandas().to_csv(path, index=False),
}


@pytest.mark.parametrize("first", [0, 299, 300, 777, 1000])
@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_is_read_from_any_row_on(tmp_path, monkeypatch, name, first):
    monkeypatch.setattr(readers, "_LEAST", 128)
    monkeypatch.setattr(readers, "ROWS", 128)
    WRITERS[name](tmp_path / name, table())
    rows, _ = read(tmp_path / name, ["n", "s"], first)
    assert rows == {at: f"t{at}" for at in range(first, 1000)}


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow", "t.csv.gz"])
def test_a_file_that_is_cut_short_is_told_by_name(tmp_path, name):
    if name == "t.csv.gz":
        (tmp_path / name).write_bytes(gzip.compress(table().to_pandas().to_csv().encode()))
    else:
        WRITERS[name](tmp_path / name, table())
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=rf"{name} can't be read"):
        read(tmp_path / name, ["s"])


@pytest.mark.parametrize("content", [b"", b"a,b\n\xff\xfe,1\n"])
def test_what_is_no_table_is_told_by_name(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"t\.csv"):
        read(tmp_path / "t.csv", ["a"])


def test_folders_and_globs_have_the_files_of_tables(tmp_path):
    for name in ("a/x.csv", "a/b=1/y.parquet", "a/_notes/z.csv", "a/.z.csv", "a/readme.txt", "c.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("n\n1\n")
    found = places.files([str(tmp_path / "a"), str(tmp_path / "*.csv"), str(tmp_path / "c.csv")])
    assert [file.name.removeprefix(f"{tmp_path}/") for file in found] == ["a/b=1/y.parquet", "a/x.csv", "c.csv"]
    assert found[0].folders == {"b": "1"}


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("nowhere.csv", InputError, "is not there"),
        (".", InputError, "has no file of a table"),
        ("nosuch://bucket/t.csv", InputError, "no place that is known"),
        ("gdrive://bucket/t.csv", EnvironmentProblem, "Install"),
    ],
)
def test_a_place_without_a_table_is_told(tmp_path, monkeypatch, text, kind, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=said):
        places.files([text])


def test_a_wide_table_has_smaller_batches():
    assert readers.batch_rows(10) == 65_536
    assert readers.batch_rows(1_000) == 4_194
    assert pd.Series([readers.batch_rows(columns) for columns in (1, 10**6, 10**9)]).between(1_024, 65_536).all()
