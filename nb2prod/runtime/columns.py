"""One raw column's values between JSON and pandas: the type matrix, a class for each JSON type.

A value passes three forms: what JSON carries, *ready* (checked, a plain Python value or None, the same for every way
in), and a pandas column with training's dtype.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

import numpy as np
import pandas as pd

from . import compat
from .cells import is_finite, is_missing, is_text, objects
from .signature import Column, SignatureProblem

OBJECT = np.dtype(object)
TEXT = str(pd.Series(["text"]).dtype)
"""The dtype that pandas gives to text: ``object`` before pandas 3."""
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_NANOSECONDS = re.compile(r"\.\d{7}")
_MANY = 64
_WITH_ZONE = re.compile(r".*(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_JSON_NAMES = {
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


class Refused(Exception):
    """A value that the column doesn't take; the text says what was expected and never the value."""


class ColumnCodec:
    """What all columns share: null, the dtype, object columns. Subclasses are the JSON types."""

    expected = "a value"
    json_type: Any = Any

    def __init__(self, column: Column) -> None:
        self.column = column
        self.missing: Any = None if column.missing == "none" else np.nan
        self.dtype = _dtype_of(column)
        plain = isinstance(self.dtype, np.dtype) and self.dtype.kind in "biu"
        self.widens = plain and column.nullable
        """Whether a null makes the column another dtype, as pandas itself would."""
        extension = isinstance(self.dtype, pd.api.extensions.ExtensionDtype)
        # What `pd.array` ends in, without its questions: a third of the time for one row.
        self._of_extension = self.dtype.construct_array_type()._from_sequence if extension else None  # noqa: SLF001 - pandas' documented interface of extension arrays

    # -- in --

    def wire_type(self) -> Any:
        """The type that msgspec checks a value against; what it lets through needs ``ready`` only."""
        return self.json_type | None if self.column.nullable else self.json_type

    def ready(self, values: list[Any]) -> list[Any]:
        """Values that passed ``wire_type``, made ready. Raises ``Refused`` if any can't be."""
        return values

    def check(self, value: Any) -> Any:
        """One JSON value of any type, made ready.

        Raises:
            Refused: the column doesn't take it.
        """
        if value is None:
            if self.column.nullable:
                return None
            raise Refused(f"expected {self.expected}, got null; the training data had no missing value here")
        return self.checked(value)

    def checked(self, value: Any) -> Any:
        """``check`` for a value that isn't null."""
        raise NotImplementedError

    def array(self, values: list[Any]) -> Any:
        """Ready values as a column of training's dtype."""
        if self.dtype == OBJECT:
            return objects([self.missing if value is None else value for value in values])
        if self._of_extension is not None:
            return self._of_extension(values, dtype=self.dtype)
        return pd.array(values, dtype=self.dtype)

    # -- out --

    def encode(self, values: Any) -> list[Any]:
        """A pandas column as what JSON carries."""
        return [None if is_missing(value) else self.encoded(value) for value in values.tolist()]

    def encoded(self, value: Any) -> Any:
        """One value that isn't missing, as what JSON carries."""
        return value

    def unexpected(self, value: Any) -> Refused:
        got = _JSON_NAMES.get(type(value), "another type")
        return Refused(f"expected {self.expected}, got {got}")


class IntegerCodec(ColumnCodec):
    expected = "an integer"

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        limits = np.iinfo(getattr(self.dtype, "numpy_dtype", self.dtype) if self.dtype != OBJECT else np.int64)
        self.low, self.high = int(limits.min), int(limits.max)

    def wire_type(self) -> Any:
        from msgspec import Meta

        # msgspec takes bounds within int64 only, and a column of objects has none.
        if self.dtype == OBJECT or self.high > 2**63 - 1:
            kind: Any = int
            self.json_type = kind
            return super().wire_type()
        self.json_type = Annotated[int, Meta(ge=self.low, le=self.high)]
        return super().wire_type()

    def ready(self, values: list[Any]) -> list[Any]:
        if self.high > 2**63 - 1:
            return [self.check(value) for value in values]
        return values

    def checked(self, value: Any) -> Any:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int:
            raise self.unexpected(value)
        if self.dtype != OBJECT and not self.low <= value <= self.high:
            raise Refused(f"expected an integer within {self.column.dtype}, got a larger or smaller one")
        return value

    def array(self, values: list[Any]) -> Any:
        if isinstance(self.dtype, np.dtype) and self.dtype != OBJECT:
            if self.widens and None in values:
                return np.array(values, dtype="float64")
            return np.array(values, dtype=self.dtype)
        return super().array(values)

    def encoded(self, value: Any) -> Any:
        return int(value)


class NumberCodec(ColumnCodec):
    expected = "a number"
    json_type: Any = float

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        kept = getattr(self.dtype, "numpy_dtype", self.dtype)
        self.limit = float(np.finfo(kept).max) if kept != OBJECT else float(np.finfo("float64").max)
        self.bounded = self.limit < float(np.finfo("float64").max)

    def wire_type(self) -> Any:
        if self.bounded:
            from msgspec import Meta

            self.json_type = Annotated[float, Meta(ge=-self.limit, le=self.limit)]
        return super().wire_type()

    def checked(self, value: Any) -> Any:
        if type(value) is int:
            try:
                value = float(value)
            except OverflowError:
                value = math.inf
        if type(value) is not float:
            raise self.unexpected(value)
        if math.isnan(value):
            raise Refused("expected a number, got NaN; send null for a missing value")
        if abs(value) > self.limit:
            raise Refused(f"expected a number within {self.column.dtype}, got a larger one or infinity")
        return value

    def array(self, values: list[Any]) -> Any:
        if isinstance(self.dtype, np.dtype) and self.dtype != OBJECT:
            return np.array(values, dtype=self.dtype)
        return super().array(values)

    def encoded(self, value: Any) -> Any:
        number = float(value)
        if math.isinf(number):
            raise Refused("infinity can't be sent as JSON")
        return number


class BooleanCodec(ColumnCodec):
    expected = "true or false"
    json_type = bool

    def checked(self, value: Any) -> Any:
        if type(value) is not bool:
            raise self.unexpected(value)
        return value

    def array(self, values: list[Any]) -> Any:
        if isinstance(self.dtype, np.dtype) and self.dtype != OBJECT:
            if self.widens and None in values:
                return objects([np.nan if value is None else value for value in values])
            return np.array(values, dtype=self.dtype)
        return super().array(values)

    def encoded(self, value: Any) -> Any:
        return bool(value)


class StringCodec(ColumnCodec):
    expected = "a string"
    json_type = str

    def checked(self, value: Any) -> Any:
        if type(value) is not str:
            raise self.unexpected(value)
        if not is_text(value):
            raise Refused("expected text, got half of a surrogate pair")
        return value

    def encoded(self, value: Any) -> Any:
        return str(value)


class DatetimeCodec(ColumnCodec):
    """Ready is a Timestamp with the column's unit and zone."""

    expected = "a date-time such as 2013-01-31T18:05:00"
    json_type = str

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.zone = getattr(self.dtype, "tz", None)
        # A zoned dtype of pandas 2.0 is based on nanoseconds whatever its own unit.
        own = getattr(self.dtype, "unit", None)
        self.unit: Any = "us" if self.dtype == OBJECT else own or np.datetime_data(self.dtype)[0]
        if self.zone is not None:
            self.expected = "a date-time with its offset such as 2013-01-31T18:05:00+00:00"

    def ready(self, values: list[Any]) -> list[Any]:
        if len(values) >= _MANY and self.zone is None and self.column.format is None:
            made = self._together(values)
            if made is not None:
                return made
        return [self.check(value) for value in values]

    def checked(self, value: Any) -> Any:
        if type(value) is not str:
            raise self.unexpected(value)
        try:
            moment = self._moment(value)
        except (ValueError, TypeError, OverflowError):
            raise Refused(f"expected {self.expected}, got another string") from None
        if self.zone is None and moment.tzinfo is not None:
            raise Refused("expected a date-time without an offset, as in the training data")
        if self.zone is not None and moment.tzinfo is None:
            raise Refused(f"expected {self.expected}, got one without its offset")
        try:
            kept = moment if self.zone is None else moment.tz_convert(self.zone)
            return kept.as_unit(self.unit, round_ok=False)
        except (ValueError, OverflowError):
            raise Refused(f"expected a date-time that {self.column.dtype} can hold exactly") from None

    def _moment(self, text: str) -> Any:
        """The Timestamp of a text, in whatever unit. Raises ``ValueError`` if it is none."""
        if _ISO.fullmatch(text):
            # The standard library says whether it is a day at all: pandas would take 2013-13-01 for 13 January.
            moment = compat.moment_of(text)
            return pd.Timestamp(text) if _NANOSECONDS.search(text) else pd.Timestamp(moment)
        if self.column.format is None:
            raise ValueError("no date-time")
        made = pd.to_datetime([text], format=self.column.format)[0]
        if pd.isna(made):
            raise ValueError("no date-time")
        return made

    def _together(self, values: list[Any]) -> list[Any] | None:
        """All values at once; None if any needs a closer look."""
        given = [value for value in values if value is not None]
        if not all(_ISO.fullmatch(value) for value in given):
            return None
        try:
            moments = pd.to_datetime(given, format="ISO8601")
            kept = moments.as_unit(self.unit)
            if moments.tz is not None or not (kept == moments).all():
                return None
        except (ValueError, TypeError):
            return None
        made = iter(kept)
        return [None if value is None else next(made) for value in values]

    def array(self, values: list[Any]) -> Any:
        if self.dtype == OBJECT:
            made = _AS_OBJECT.get(self.column.format or "", lambda moment: moment)
            return objects([self.missing if value is None else made(value) for value in values])
        whole = [_NAT if value is None else value._value for value in values]  # noqa: SLF001 - the integer in its unit
        naive = np.array(whole, dtype="int64").view(f"datetime64[{self.unit}]")
        if self.zone is None:
            return naive
        return pd.DatetimeIndex(naive).tz_localize("UTC").tz_convert(self.zone).array

    def encode(self, values: Any) -> list[Any]:
        return [None if is_missing(value) else self.encoded(value) for value in values]

    def encoded(self, value: Any) -> Any:
        text = pd.Timestamp(value).isoformat()
        if self.zone is not None and not _WITH_ZONE.fullmatch(text[-6:]):
            text = pd.Timestamp(value).tz_convert("UTC").isoformat()
        return text


class AnyCodec(ColumnCodec):
    """A column of objects with mixed values: what JSON gives."""

    def ready(self, values: list[Any]) -> list[Any]:
        return values if self.column.nullable else [self.check(value) for value in values]

    def checked(self, value: Any) -> Any:
        if not is_finite(value):
            raise Refused("expected a finite number; send null for a missing value")
        return value

    def encoded(self, value: Any) -> Any:
        return value.item() if isinstance(value, np.generic) else value


class CategoryCodec(ColumnCodec):
    """A category column: values of the categories' type; an unseen one is missing, as a cast in pandas makes it."""

    def __init__(self, column: Column, inner: ColumnCodec) -> None:
        super().__init__(column)
        self.inner = inner
        self.expected = inner.expected
        ready = [inner.check(value) for value in column.categories or ()]
        made = inner.array(ready)
        index = pd.Index(made, dtype=object if inner.dtype == OBJECT else None)
        self.dtype = pd.CategoricalDtype(index, ordered=column.ordered)
        self.codes = {value: code for code, value in enumerate(ready)}

    def wire_type(self) -> Any:
        return self.inner.wire_type()

    def ready(self, values: list[Any]) -> list[Any]:
        return self.inner.ready(values)

    def checked(self, value: Any) -> Any:
        return self.inner.checked(value)

    def array(self, values: list[Any]) -> Any:
        codes = [-1 if value is None else self.codes.get(value, -1) for value in values]
        return pd.Categorical.from_codes(codes, dtype=self.dtype)

    def encoded(self, value: Any) -> Any:
        return self.inner.encoded(value)


def codec_of(column: Column) -> ColumnCodec:
    """The codec of a column of the signature.

    Raises:
        SignatureProblem: the column's dtype and type don't go together.
    """
    try:
        if column.dtype == "category":
            inner = Column(
                column.name, column.format or HELD.get(column.type, "object"), column.type, nullable=column.nullable
            )
            return CategoryCodec(column, _CODECS[column.type](inner))
        return _CODECS[column.type](column)
    except (ValueError, TypeError, Refused) as error:
        raise SignatureProblem(
            f"column '{column.name}' of type '{column.type}' can't have the dtype '{column.dtype}': {error}"
        ) from error


_CODECS: dict[str, type[ColumnCodec]] = {
    "integer": IntegerCodec,
    "number": NumberCodec,
    "boolean": BooleanCodec,
    "string": StringCodec,
    "datetime": DatetimeCodec,
    "any": AnyCodec,
}
HELD = {"integer": "int64", "number": "float64", "boolean": "bool", "string": TEXT, "datetime": "datetime64[us]"}
"""The dtype of categories whose column says no other."""
_NAT = np.iinfo("int64").min
_AS_OBJECT: dict[str, Any] = {
    "date": lambda moment: moment.date(),
    "datetime": lambda moment: moment.to_pydatetime(),
}


def _dtype_of(column: Column) -> Any:
    return np.dtype(object) if column.dtype == "category" else pd.api.types.pandas_dtype(column.dtype)
