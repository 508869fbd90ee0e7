"""Which functions must stand inside the one that has the table they read by its name."""

from nb2prod.path import closures

DEFINED = {
    "top": "def top(c):\n    return df[c].max()",
    "share": "def share(c):\n    return df[c] / top(c)",
    "through": "def through(c):\n    return share(c)",
    "plain": "def plain(df):\n    return df * captured.limit",
    "shadowed": "def shadowed(c):\n    df = c\n    return df",
}


def start(name: str) -> str:
    return f"captured.{name}"


def test_readers_are_found_through_one_another_and_own_variables_do_not_count() -> None:
    assert list(closures.readers_of(DEFINED, {"df", "X"})) == ["top", "share", "through"]
    assert closures.readers_of(DEFINED, {"X"}) == {}


def test_only_what_a_body_needs_stands_in_it() -> None:
    readers = closures.readers_of(DEFINED, {"df"})
    assert list(closures.used(readers, ["X = share('a')"])) == ["top", "share"]
    assert closures.used(readers, ["X = plain(df)"]) == {}
    assert closures.asked(closures.used(readers, ["X = share('a')"])) == {"df"}


def test_a_global_of_the_notebook_is_a_variable_of_the_function_around() -> None:
    source = {"clean": "def clean():\n    global df\n    df = df * 2"}
    assert closures.nested(source, ["df = rows", "clean()"], start)[:2] == ["def clean():", "    nonlocal df"]
    assert closures.nested(source, ["clean()"], start)[:3] == ["df = captured.df", "def clean():", "    nonlocal df"]
    assert closures.variables(["df = rows", "for c in x:", "    y = c"]) == {"df", "c", "y"}


def test_a_name_said_to_be_global_that_is_not_bound_is_left_out() -> None:
    source = {"clean": "def clean():\n    global df, other\n    df = df * 2\n    return other"}
    assert closures.nested(source, ["df = rows"], start)[1] == "    nonlocal df"


def test_a_counter_goes_on_from_its_value() -> None:
    source = {"count": "def count():\n    global n\n    n += 1"}
    assert closures.nested(source, ["count()"], start)[:1] == ["n = captured.n"]
