"""What can be known before the notebook is run is refused before it: no kernel starts."""

import gzip

import pytest

from nb2prod import config, early, notebook
from nb2prod.cli import main
from nb2prod.errors import InputError, Refused
from nb2prod.forecast import forecast
from tests.cli.books import GOOD, save
from tests.forecast.books import CHOOSE, IMPORTS, LOAD, PREDICT, TRAIN

PARAMETERS = ("year: int = 2013\nseed, share = 1, 0.5", "parameters")


@pytest.fixture
def no_run(monkeypatch):
    """A build that gets as far as running the notebook fails the test."""
    from nb2prod.recording import record

    def run(*_arguments):
        raise AssertionError("the notebook was run")

    monkeypatch.setattr(record, "record", run)


@pytest.mark.parametrize(
    ("cells", "given", "says"),
    [
        ((PARAMETERS, *GOOD), ("yaer", "1"), ["no parameter 'yaer' in cell 1", "Did you mean 'year'?"]),
        ((PARAMETERS, *GOOD), ("rate", "1"), ["no parameter 'rate'", "It has: year, seed, share."]),
        ((("# none yet", "parameters"), *GOOD), ("rate", "1"), ["no parameter 'rate'", "gives no variable a value"]),
        (GOOD, ("year", "1"), ["has no cell tagged 'parameters'", "'year' can't be set", "Tag the cell"]),
    ],
    ids=["misspelt", "unknown", "an empty cell", "no such cell"],
)
@pytest.mark.usefixtures("no_run")
def test_a_parameter_that_the_notebook_lacks(cells, given, says, folder, capsys):
    save(folder / "book.ipynb", *cells)
    assert main(["build", "book.ipynb", "-p", *given]) == 2
    said = capsys.readouterr().err
    assert [text for text in says if text not in said] == []


@pytest.mark.parametrize("name", ["year", "seed", "share"])
def test_a_parameter_that_it_has_is_taken(name, folder):
    book = notebook.read(save(folder / "book.ipynb", PARAMETERS, *GOOD))
    early.check(book, config.Options(parameters={name: 1}))


def test_a_parameter_of_the_file_is_checked_too(folder):
    book = notebook.read(save(folder / "book.ipynb", PARAMETERS, *GOOD))
    (folder / "nb2prod.toml").write_text("[book.parameters]\nyaer = 2\n")
    with pytest.raises(InputError, match="yaer"):
        early.check(book, config.load(book.path))


TABLE = "a;b;Sale Price;target\n1;2;3;0\n"


def checked(folder, load=LOAD, *, feature='df["a"] = df["a"] + 1', **given):
    path = save(
        folder / "book.ipynb",
        (IMPORTS,), (load,), (feature, "feature"), (CHOOSE, "feature"), (TRAIN, "train"), (PREDICT, "predict"),
    )  # fmt: skip
    book = notebook.read(path)
    options = config.Options(**given)
    early.check(book, options, forecast(book, options))


@pytest.mark.parametrize("given", [{"target": ("tagret",)}, {"fields": ("a", "tagret")}], ids=["target", "field"])
def test_a_column_that_nothing_mentions_is_refused_with_the_nearest(given, folder):
    (folder / "people.csv").write_text(TABLE)
    with pytest.raises(Refused) as refused:
        checked(folder, **given)
    (found,) = refused.value.diagnostics
    assert found.code == "N13"
    assert "'tagret' is not a column" in found.message
    assert "Did you mean 'target'?" in found.hint


@pytest.mark.parametrize(
    ("load", "feature", "column"),
    [
        (LOAD, 'df["a"] = 1', "target"),
        (LOAD, 'df.columns = [c.lower().replace(" ", "_") for c in df.columns]', "sale_price"),
        (LOAD, 'df["made"] = df["a"] * 2', "made"),
        ('df = pd.read_csv("elsewhere.csv")', 'df["a"] = 1', "whatever"),
        ('df = pd.read_parquet("people.parquet")', 'df["a"] = 1', "whatever"),
        ("df = load_somehow()", 'df["a"] = 1', "whatever"),
    ],
    ids=["there", "renamed by a rule", "made here", "the file is missing", "no text", "no file"],
)
def test_what_a_run_may_find_is_not_refused(load, feature, column, folder):
    (folder / "people.csv").write_text(TABLE)
    (folder / "people.parquet").write_bytes(b"PAR1\x00\xff\xfe")
    checked(folder, load, feature=feature, target=(column,))


def test_a_packed_file_below_a_folder_that_the_notebook_names(folder):
    (folder / "data").mkdir()
    with gzip.open(folder / "data" / "people.csv.gz", "wt") as file:
        file.write(TABLE)
    load = 'from pathlib import Path\nDATA = Path("data")\ndf = pd.read_csv(DATA / "people.csv.gz", sep=";")'
    checked(folder, load, target=("b",))
    with pytest.raises(Refused, match="bb"):
        checked(folder, load, target=("bb",))
