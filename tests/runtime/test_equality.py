"""When two answers are equal, by type."""

import math

import pytest

from nb2prod.runtime.equality import Measure, Tolerance, alike, difference, feature_difference

EQUAL = [
    (1, 1),
    (2**60, 2**60),
    (True, True),
    ("a", "a"),
    (None, None),
    (1.0, 1.0 + 1e-12),
    (1.0, 1),  # JSON writers may drop a float's .0
    (1e300, 1e300 * (1 + 1e-10)),
    (-0.0, 0.0),
    ([0.25, 0.75], [0.25, 0.75 + 1e-13]),
    ([], []),
    ({"price": 1.5, "label": "a"}, {"label": "a", "price": 1.5}),
    ([[1.0, None]], [[1.0, None]]),
]

DIFFERENT = [
    (1, 2, "differs"),
    (2**53, 2**53 + 1, "differs"),
    (1, 1.0, "an integer expected, a float answered"),
    (1, True, "an integer expected, a boolean answered"),
    (True, 1, "a boolean expected, an integer answered"),
    (0.0, False, "a float expected, a boolean answered"),
    (1, "1", "an integer expected, a text answered"),
    ("a", "A", "differs"),
    ("a", "a ", "differs"),
    (None, 0.0, "a missing value expected, a float answered"),
    (0.0, None, "a float expected, a missing value answered"),
    (None, "", "a missing value expected, a text answered"),
    (1.0, 1.0 + 1e-8, "relative 1e-08"),
    (0.0, 1e-300, "differs by 1e-300"),
    (1.0, -1.0, "differs by 2"),
    ([1.0], [1.0, 2.0], "1 entries expected, 2 answered"),
    ([0.5, 0.5], [0.5, 0.6], "differs by 0.1"),
    ({"a": 1}, {"b": 1}, "a not answered; b not expected"),
    ({"a": 1}, [1], "an object expected, a vector answered"),
]


@pytest.mark.parametrize(("expected", "actual"), EQUAL)
def test_equal(expected, actual):
    assert difference(expected, actual, Tolerance()) is None


@pytest.mark.parametrize(("expected", "actual", "reason"), DIFFERENT)
def test_different(expected, actual, reason):
    found = difference(expected, actual, Tolerance())
    assert found is not None
    assert reason in found.reason


def test_the_place_of_a_difference_is_named():
    found = difference({"p": [0.1, 0.9]}, {"p": [0.1, 0.8]}, Tolerance())
    assert found.place == ".p[1]"
    assert (found.expected, found.actual) == (0.9, 0.8)
    assert math.isclose(found.size, 0.1)


def test_a_tolerance_holds_for_the_output_that_it_names():
    loose = Tolerance(outputs={"price": 0.1})
    assert difference({"price": 1.0, "tax": 1.0}, {"price": 1.05, "tax": 1.0}, loose) is None
    assert difference({"price": 1.0, "tax": 1.0}, {"price": 1.0, "tax": 1.05}, loose).place == ".tax"
    assert difference(1.0, 1.05, loose, output="price") is None


def test_only_a_tolerance_above_the_default_is_loosened():
    assert Tolerance().loosened == {}
    assert Tolerance(1e-12).loosened == {}
    assert Tolerance(1e-3, {"price": 0.1}).loosened == {"": 1e-3, "price": 0.1}


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("2013-01-01T00:00:00", "2013-01-01T00:00:00.000000", True),
        ("2013-01-01T00:00:00.500", "2013-01-01T00:00:00.5", True),
        ("2013-01-01T00:00:00Z", "2013-01-01T00:00:00+00:00", True),
        ("2013-01-01", "2013-01-01T00:00:00", True),
        ("2013-01-01T00:00:00.123456789", "2013-01-01T00:00:00.123456788", False),
        ("2013-01-01T00:00:00", "2013-01-01T00:00:00Z", False),
        ("2013-01-01T00:00:00+01:00", "2012-12-31T23:00:00Z", False),
        ("2013-01-01T05:00:00", "2013-01-01T00:00:00", False),
    ],
)
def test_date_times_are_compared_as_written_moments(one, other, equal):
    """A shifted time zone is a difference, even where the instant is the same: the notebook wrote another one."""
    assert (difference(one, other, Tolerance(), kind="datetime") is None) is equal


def test_texts_that_look_like_date_times_are_texts_elsewhere():
    assert difference("2013-01-01", "2013-01-01T00:00:00", Tolerance(), kind="string") is not None


@pytest.mark.parametrize(("one", "other"), [(24, 24.0), (24.0, 24), (True, 1), (1.0, True), ([1, 2], [1.0, 2.0])])
def test_a_feature_is_the_number_that_it_is(one: object, other: object) -> None:
    assert feature_difference(one, other, Tolerance()) is None


@pytest.mark.parametrize(("one", "other"), [(24, 25.0), (24, "24"), (None, 0), (2**53 + 1, float(2**53)), (1, [1])])
def test_another_feature_is_another(one: object, other: object) -> None:
    assert feature_difference(one, other, Tolerance()) is not None


MEASURED = Tolerance(
    measured={"": Measure("float64", 10.0, 0.0), "b": Measure("float32", 1.0, 0.0), "[1]": Measure("float64", 0.0, 0.5)}
)


@pytest.mark.parametrize(
    ("expected", "actual", "equal"),
    [
        (3.4e-15, 2.5e-15, True),  # rounding of what was summed
        (0.0, 9e-9, True),
        (0.0, 2e-8, False),
        (0, 1, False),  # a label has no spread
        ({"b": 1.0}, {"b": 1.000001}, True),
        ({"c": 1.0}, {"c": 1.000001}, False),
        ([1.0, 1.0], [1.0, 1.4], True),  # noise of its own place
        ([1.0, 1.0], [1.4, 1.0], False),
        ([1.0, 1.0], [1.0, 1.6], False),
    ],
)
def test_what_was_measured_says_what_rounding_is(expected, actual, equal):
    assert (difference(expected, actual, MEASURED) is None) is equal
    assert alike(expected, actual, MEASURED) is equal


def test_the_users_word_goes_before_a_floats_own_precision():
    measured = {"": Measure("float32", 1.0, 0.0)}
    assert difference(1.0, 1.000001, Tolerance(1e-9, measured=measured)) is not None
    assert difference(1.0, 1.000001, Tolerance(measured=measured)) is None
    assert Tolerance(1e-9, measured={"": Measure("float32", 1.0, 0.25)}).of("p").absolute == 0.25


def test_a_feature_alone_is_compared_by_what_is_known_of_it():
    many = Tolerance(measured={"[0]": Measure(spread=100.0), "[1]": Measure(spread=0.0)})
    assert feature_difference(0.0, 1e-8, many.at("[0]")) is None
    assert feature_difference(0.0, 1e-8, many.at("[1]")) is not None
    assert feature_difference(0.0, 1e-8, many.at("[2]")) is not None
