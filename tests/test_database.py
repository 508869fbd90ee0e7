"""SQLite files of nb2prod's home."""

import contextlib
import sqlite3

import pytest

from nb2prod.database import Database
from nb2prod.errors import EnvironmentProblem


@pytest.fixture
def database(tmp_path):
    tables = "CREATE TABLE IF NOT EXISTS entry (name TEXT PRIMARY KEY);"
    return Database(
        tmp_path / "entries.sqlite3", tables, "entries can't be kept in {path}", "Free some room.", "Update it."
    )


def names(database):
    with database.transaction() as connection:
        return [row[0] for row in connection.execute("SELECT name FROM entry ORDER BY name")]


def add(database, name):
    with database.transaction() as connection:
        connection.execute("INSERT INTO entry VALUES (?)", (name,))


def test_what_is_done_is_kept_unless_an_exception_leaves_the_transaction(database):
    add(database, "a")
    with contextlib.suppress(ZeroDivisionError), database.transaction() as connection:
        connection.execute("INSERT INTO entry VALUES ('b')")
        raise ZeroDivisionError
    assert names(database) == ["a"]


def test_what_a_constraint_forbids_is_left_to_who_asked(database):
    add(database, "a")
    with pytest.raises(sqlite3.IntegrityError):
        add(database, "a")


def test_a_file_of_a_newer_form_is_left_alone(database):
    add(database, "a")
    with sqlite3.connect(database.path) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(EnvironmentProblem, match=r"newer nb2prod \(schema 7, this one reads 1\)") as raised:
        names(database)
    assert raised.value.hint == "Update it."


def test_tables_from_before_schemas_were_counted_are_taken_as_they_are(database):
    with sqlite3.connect(database.path) as connection:
        connection.execute("CREATE TABLE entry (name TEXT PRIMARY KEY)")
        connection.execute("INSERT INTO entry VALUES ('old')")
    connection.close()
    assert names(database) == ["old"]


def test_a_damaged_file_is_said_with_its_path_and_the_remedy(database):
    database.path.write_bytes(b"no database, and long enough to be read as one" * 100)
    with pytest.raises(EnvironmentProblem, match=r"entries can't be kept in .*entries\.sqlite3: ") as raised:
        names(database)
    assert raised.value.hint == "Free some room."
