"""Reading notebooks of any age, telling what is wrong with one, and writing tags without touching the rest."""

import json
from dataclasses import dataclass

import nbformat
import pytest

from nb2prod.errors import InputError, Refused
from nb2prod.notebook import compiled_sources, load, loads, python_source, read
from nb2prod.notebook_tags import with_tags, write_tags

PREDICT = ("y_pred = model.predict(X)", ["predict"])


def document(*cells, kernel=None, language="python"):
    made = []
    for number, (source, tags) in enumerate(cells):
        made.append(
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"c{number}",
                "metadata": {"tags": tags} if tags else {},
                "outputs": [],
                "source": source.splitlines(keepends=True),
            }
        )
    spec = {"name": kernel or "python3", "display_name": "x", "language": language}
    return {"cells": made, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}


def saved(folder, *cells, **options):
    path = folder / "book.ipynb"
    path.write_text(json.dumps(document(*cells, **options)), encoding="utf-8")
    return path


def refused(path):
    with pytest.raises(Refused) as caught:
        read(path)
    return caught.value.diagnostics


def test_cells_have_numbers_tags_and_statements(tmp_path):
    notebook = read(saved(tmp_path, ("import pandas as pd\n\nx = (\n  1)", []), PREDICT))
    first, second = notebook.cells
    assert (first.number, first.index, first.id, first.kind) == (1, 0, "c0", "code")
    assert [(s.line, s.end_line) for s in first.statements] == [(1, 1), (3, 4)]
    assert second.roles == {"predict"}
    assert notebook.with_role("predict") == (second,)
    assert (notebook.kernel, notebook.language) == ("python3", "python")


@dataclass(frozen=True)
class Magic:
    source: str
    lines: list
    magic: str | None = None


MAGICS = [
    Magic("%matplotlib inline\nx = 1", [1, 2]),
    Magic("\n\nx = 1", [3]),
    Magic("%%time\nx = 1\ny = 2", [2, 3], "time"),
    Magic("\n%%time\n\nx = 1", [4], "time"),
    Magic("%%capture out\n%matplotlib inline\nx = 1", [2, 3], "capture"),
    Magic("files = !ls\nx = 1", [1, 2]),
    Magic("%time x = f()\ny = x", [1, 2]),
    Magic("df?\nx = 1", [1, 2]),
    Magic("%%bash\nls -l", [], "bash"),
    Magic("%%html\n<b>", [], "html"),
    Magic("  x = 1\n  y = 2", [1, 2]),
    Magic("await f()\nx = 1", [1, 2]),
]


@pytest.mark.parametrize("case", MAGICS, ids=lambda case: case.source.split("\n")[0] or "blank")
def test_magics_leave_the_statements_at_their_lines(tmp_path, case):
    cell = load(saved(tmp_path, (case.source, []))).cells[0]
    assert [statement.line for statement in cell.statements] == case.lines
    assert cell.magic == case.magic
    assert cell.problem is None


def test_a_timed_assignment_is_an_assignment(tmp_path):
    cell = load(saved(tmp_path, ("%time x = f()", []))).cells[0]
    assert type(cell.statements[0].node).__name__ == "Assign"


@pytest.mark.parametrize("source", [case.source for case in MAGICS] + ["", "\n", "# c", "x = '%d' % 3", "x = 1\n\n"])
def test_python_source_is_what_ipython_compiles(tmp_path, source):
    from IPython.core.inputtransformer2 import TransformerManager

    cell = load(saved(tmp_path, (source, []))).cells[0]
    assert python_source(cell) == TransformerManager().transform_cell(source)


def test_compiled_sources_say_where_their_lines_are(tmp_path):
    cell = load(saved(tmp_path, ("\n%%time\nx = 1", []))).cells[0]
    outer, body = compiled_sources(cell)
    assert "run_cell_magic" in outer.text
    assert outer.offset == 1
    assert (body.text, body.offset) == ("x = 1\n", 2)


def test_no_tags_names_the_remedy(tmp_path):
    (found,) = refused(saved(tmp_path, ("x = 1", [])))
    assert (found.code, found.severity) == ("N1", "error")
    assert "nb2prod suggest book.ipynb" in found.hint


def test_a_misspelt_tag_is_pointed_out(tmp_path):
    (found,) = refused(saved(tmp_path, ("y = m.predict(X)", ["Predict"])))
    assert found.code == "N1"
    assert "Cell 1 has the tag 'Predict': did you mean 'predict'?" in found.hint


def test_no_predict_cell(tmp_path):
    (found,) = refused(saved(tmp_path, ("x = 1", ["feature"])))
    assert found.code == "N2"


def test_a_syntax_error_in_a_tagged_cell_names_cell_line_and_source(tmp_path):
    (found,) = refused(saved(tmp_path, ("x = 1\ndf[ = 3", ["feature"]), PREDICT))
    assert (found.code, found.cell, found.line, found.source) == ("N3", 1, 2, "df[ = 3")


def test_a_syntax_error_in_an_untagged_cell_is_tolerated(tmp_path):
    notebook = read(saved(tmp_path, ("this is a note", []), PREDICT))
    assert notebook.cells[0].statements == ()
    assert notebook.cells[0].problem.line == 1


def test_another_language_is_refused_in_words(tmp_path):
    (found,) = refused(saved(tmp_path, PREDICT, kernel="ir", language="R"))
    assert found.code == "N8"
    assert "'ir'" in found.message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        (b"import pandas", "it is not JSON"),
        (b"\xff\xfe\x00", "not a UTF-8 text file"),
        (b"[1, 2]", "no list of cells"),
        (b'{"a": 1}', "no list of cells"),
        (b'{"nbformat": 9, "cells": []}', "notebook format 9"),
        (b'{"nbformat": 4, "cells": [1]}', "cell 1 has no cell_type"),
        (b'{"nbformat": 2, "worksheets": 3}', "can't be upgraded"),
    ],
)
def test_what_is_no_notebook_is_said_with_its_name(tmp_path, content, says):
    path = tmp_path / "thing.ipynb"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load(path)
    assert says in caught.value.message
    assert "thing.ipynb" in caught.value.message


def test_unsaved_text_is_read_under_its_files_name(tmp_path):
    notebook = loads(json.dumps(document(PREDICT)), tmp_path / "unsaved.ipynb")
    assert (notebook.name, notebook.path) == ("unsaved.ipynb", tmp_path / "unsaved.ipynb")
    assert notebook.with_role("predict")


def test_a_missing_file_names_the_notebooks_that_are_there(tmp_path):
    saved(tmp_path, PREDICT)
    with pytest.raises(InputError) as caught:
        load(tmp_path / "bok.ipynb")
    assert "no such file" in caught.value.message
    assert "book.ipynb" in caught.value.hint


def test_a_folder_is_no_notebook(tmp_path):
    with pytest.raises(InputError, match="folder"):
        load(tmp_path)


def test_an_old_format_is_upgraded_in_memory_only(tmp_path):
    cell = {"cell_type": "code", "language": "python", "outputs": [], "collapsed": False, "prompt_number": 1}
    cells = [{**cell, "input": ["x = 1\n", "y = 2"], "metadata": {"tags": ["predict"]}}]
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]}
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps(old), encoding="utf-8")
    before = path.read_bytes()
    notebook = read(path)
    assert notebook.cells[0].source == "x = 1\ny = 2"
    assert notebook.node.nbformat == 4
    assert path.read_bytes() == before


def test_ignore_comments_hold_for_their_statement(tmp_path):
    source = (
        "a = f(x)  # nb2prod: ignore[F14]\n"
        "b = g(\n"
        "    y,  # nb2prod: ignore[F17, F14]\n"
        ")\n"
        "c = h(z)  # nb2prod: ignore\n"
        "for i in d:  # nb2prod:ignore[T3]\n"
        "    k(i)\n"
    )
    cell = load(saved(tmp_path, (source, []))).cells[0]
    assert cell.ignores("F14", 1)
    assert not cell.ignores("F17", 1)
    assert cell.ignores("F17", 2)
    assert cell.ignores("T9", 5)
    assert cell.ignores("T3", 6)
    assert not cell.ignores("T3", 7)


# Writing tags


def jupyter_text(*cells):
    """As Jupyter saves: one space of indent, sorted keys, a newline at the end."""
    return json.dumps(document(*cells), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Style:
    name: str
    text: str


BASE = document(("x = 1", []), ("y = 2", ["mine"]), ("z = 'é\\u00e9'", []))
STYLES = [
    Style("jupyter", json.dumps(BASE, indent=1, sort_keys=True, ensure_ascii=False) + "\n"),
    Style("four spaces", json.dumps(BASE, indent=4)),
    Style("tabs", json.dumps(BASE, indent="\t")),
    Style("compact", json.dumps(BASE, separators=(",", ":"))),
    Style("one line", json.dumps(BASE)),
    Style("crlf", (json.dumps(BASE, indent=1) + "\n").replace("\n", "\r\n")),
    Style("numbers kept", json.dumps(BASE, indent=1).replace('"outputs": []', '"outputs": [1.0, 1E5, "\\/"]', 1)),
]


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_tags_are_written_and_nothing_else_changes(style):
    edited = with_tags(style.text, {0: ["feature"], 1: ["mine", "train"], 2: ["train", "predict"]})
    found = json.loads(edited)
    assert [cell["metadata"].get("tags") for cell in found["cells"]] == [
        ["feature"],
        ["mine", "train"],
        ["train", "predict"],
    ]
    for cell, old in zip(found["cells"], json.loads(style.text)["cells"], strict=True):
        cell["metadata"] = old["metadata"]
    assert found == json.loads(style.text)
    # Taken away again, every byte is as before.
    untouched = [line for line in style.text.splitlines(keepends=True) if "metadata" not in line]
    assert all(
        line in edited.splitlines(keepends=True) for line in untouched if '"mine"' not in line and "tags" not in line
    )


def test_written_as_jupyter_itself_would():
    text = jupyter_text(("x = 1", []), PREDICT)
    assert with_tags(text, {0: ["feature", "train"]}) == jupyter_text(("x = 1", ["feature", "train"]), PREDICT)


def test_sorted_keys_stay_sorted():
    book = document(("x = 1", []))
    book["cells"][0]["metadata"] = {"jupyter": {"source_hidden": True}, "zoom": 1}
    text = json.dumps(book, indent=1)
    keys = list(json.loads(with_tags(text, {0: ["feature"]}))["cells"][0]["metadata"])
    assert keys == ["jupyter", "tags", "zoom"]


def test_the_same_tags_leave_the_file_alone(tmp_path):
    path = tmp_path / "book.ipynb"
    path.write_text(jupyter_text(PREDICT), encoding="utf-8")
    stamp = path.stat().st_mtime_ns
    write_tags(path, {0: ["predict"]})
    assert path.stat().st_mtime_ns == stamp


def test_file_mode_and_bom_are_kept(tmp_path):
    path = tmp_path / "book.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + jupyter_text(("x = 1", [])).encode())
    path.chmod(0o640)
    write_tags(path, {0: ["predict"]})
    assert path.read_bytes().startswith(b"\xef\xbb\xbf{")
    assert path.stat().st_mode & 0o777 == 0o640
    assert load(path).cells[0].tags == {"predict"}
    assert [item.name for item in tmp_path.iterdir()] == ["book.ipynb"]


def test_tags_in_an_old_format(tmp_path):
    cell = {"cell_type": "code", "language": "python", "outputs": [], "input": ["x"], "metadata": {}}
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": [cell]}]}
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps(old, indent=1), encoding="utf-8")
    write_tags(path, {0: ["predict"]})
    assert json.loads(path.read_text())["nbformat"] == 3
    assert load(path).cells[0].tags == {"predict"}


def test_a_cell_that_is_not_there_is_said(tmp_path):
    path = saved(tmp_path, PREDICT)
    before = path.read_bytes()
    with pytest.raises(InputError, match="no cell 8"):
        write_tags(path, {7: ["train"]})
    assert path.read_bytes() == before


def test_what_was_written_is_a_valid_notebook(tmp_path):
    path = tmp_path / "book.ipynb"
    path.write_text(jupyter_text(("x = 1", []), PREDICT), encoding="utf-8")
    write_tags(path, {0: ["feature"]})
    nbformat.validate(nbformat.read(path, as_version=4))
