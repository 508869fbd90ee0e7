"""What a function of the notebook asks of the values that it is given, noted while it is run once more."""

from typing import Any

from .call import NoEntry, library
from .packing import pack

LOGS: "list[list[Any]]" = []


CLASSES: "dict[str, Any]" = {}


def plain_value(value: Any) -> Any:
    if "series" in CLASSES and isinstance(value, CLASSES["series"]):
        return library("pandas").Series(value.array, index=value.index, name=value.name)
    if type(value) in (list, tuple):
        return type(value)(map(plain_value, value))
    return value


def note(name: str, value: Any) -> Any:
    """Write an answer down as plain data, and give it back."""
    pandas = library("pandas")
    if isinstance(value, pandas.Series):
        kept: Any = {"series": pack(value.array), "index": pack(value.index)}
    elif hasattr(value, "dtype") and getattr(value, "ndim", 0) == 1:
        kept = {"array": pack(value)}
    elif value is pandas.NaT or value is getattr(pandas, "NA", None):
        kept = {"missing": "NaT" if value is pandas.NaT else "NA"}
    elif getattr(value, "ndim", 0) > 1:
        raise NoEntry("F7", f"The function takes a table from `{name}`.", "Compute it before, outside of the function.")
    else:
        kept = value
    LOGS[-1].append([name, kept])
    return value
