"""The options of a build: `nb2prod.toml` beside the notebook, overridden by flags.

The file's top-level keys are defaults; a table named after a notebook (`[flight_delay]` or
`["flight delay.ipynb"]`) holds for that notebook and wins over them::

    owner = "data-science@example.org"

    [flight_delay]
    target = ["arr_delay"]
    filters = { "7.3" = "training-only" }

    [flight_delay.serving]
    latency_budget = 0.5
"""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from nb2prod.criteria import environment_table, gate_table
from nb2prod.errors import InputError
from nb2prod.triggers import retrain_table

FILE_NAME = "nb2prod.toml"
_TABLES = ("environments", "filters", "gates", "parameters", "retrain", "serving", "tolerances", "watch")
_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th"}
)
"""Letters that are none of the plain alphabet with a mark, or that their languages write with two."""
FILTER_CLASSES = ("validity", "training-only")


@dataclass(frozen=True)
class Options:
    """What the notebook alone can't tell, or what the user wants otherwise."""

    name: str | None = None
    """Name of the Bento; by default from the notebook's file name."""
    owner: str | None = None
    runbook: str | None = None
    raw_table: str | None = None
    """Variable that holds the raw table."""
    prediction: str | None = None
    """Variable that holds the prediction."""
    target: tuple[str, ...] = ()
    """Raw columns that are the target."""
    fields: tuple[str, ...] = ()
    """Raw columns that a request must have; by default found by changing them."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """`"cell.line"` -> `validity` or `training-only`."""
    tolerance: float | None = None
    """Relative difference up to which two floats count as equal; by default what their own precision allows."""
    tolerances: Mapping[str, float] = field(default_factory=dict)
    """The same for single outputs, by their names."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Values for the `parameters` cell, as papermill's `-p`."""
    kernel: str | None = None
    """Kernel to run the notebook on; by default the one that the notebook names, or python3 where it names none."""
    timeout: float | None = None
    """Seconds that one cell may take."""
    find_links: tuple[str, ...] = ()
    """Folders of wheels from which packages of the served environment may be taken."""
    offline: bool = False
    """Ask no package index: what is in uv's cache, or in `find_links`, must do."""
    counterfactual_limit: float = 120.0
    """Seconds that running the notebook again, with other values in some rows, may take; 0: it is not run again."""
    serving: Mapping[str, Any] = field(default_factory=dict)
    """How the service behaves: the options of `nb2prod.runtime.options`, which are part of the Bento."""
    watch: Mapping[str, float] = field(default_factory=dict)
    """When watching raises an alarm: `alpha`, the chance of a false one over a release's life, `materiality`, the total variation that matters, `rise`, by how much the loss may
    be above the notebook's; `acknowledge_hours`, after which an alarm that nobody acknowledged is overdue."""

    gates: Mapping[str, str | bool] = field(default_factory=dict)
    """What a release must show before it is deployed: `roc_auc = ">= 0.8"`."""
    retrain: Mapping[str, Any] = field(default_factory=dict)
    """When the model is trained again, and what becomes of the new one: see `triggers.Terms`."""
    environments: Mapping[str, Mapping[str, str | bool]] = field(default_factory=dict)
    """Names that a release moves through, in their order, each with gates of its own."""


def load(notebook: Path, overrides: Mapping[str, Any] | None = None) -> Options:
    """The options for this notebook: defaults, then the file, then `overrides` that are not None or empty.

    `overrides` use the keys of `Options`; tables (`filters`, `parameters`, ...) are merged key by key.
    Raises `InputError` for a file that can't be read, an unknown key, or a value of the wrong type.
    """
    options = Options()
    path = notebook.parent / FILE_NAME
    if path.is_file():
        options = _from_file(options, path, notebook)
    given = {key: value for key, value in (overrides or {}).items() if value not in (None, (), {})}
    return _apply(options, given, "the command line")


def bento_name(notebook: Path, options: Options) -> str:
    """The Bento's name: `options.name`, or the notebook's file name made to fit BentoML's rule."""
    if options.name is not None:
        return options.name
    composed = unicodedata.normalize("NFC", notebook.stem.casefold())
    plain = unicodedata.normalize("NFKD", composed.translate(_LETTERS))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    name = re.sub(r"[^a-z0-9_.-]+", "_", plain).strip("_.-")[:63].rstrip("_.-")
    return name or "notebook"


def parameter_value(text: str) -> Any:
    """A `-p NAME VALUE` value as Python: true/false, None, a number, or the text itself (as papermill does)."""
    if text in ("True", "true", "False", "false"):
        return text in ("True", "true")
    if text in ("None", "null"):
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _from_file(options: Options, path: Path, notebook: Path) -> Options:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can't be read: {error}", "It must be a TOML file in UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"{path} is not valid TOML: {error}",
            'Write one `key = value` a line, texts in quotes, for example: raw_table = "df"',
        ) from error
    known = _known()
    defaults: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for key, value in document.items():
        if key in (notebook.stem, notebook.name) and isinstance(value, dict):
            own.update(value)
        elif key in known or not isinstance(value, dict):
            defaults[key] = value
        else:
            _check_foreign_table(key, path, notebook)
    options = _apply(options, defaults, str(path))
    return _apply(options, own, f"{path}, table [{notebook.stem}]")


def _check_foreign_table(key: str, path: Path, notebook: Path) -> None:
    """A table of another notebook is none of our business, a misspelt one is."""
    if any((path.parent / name).is_file() for name in (key, f"{key}.ipynb")):
        return
    names = [name for name in _known() if name in _TABLES]
    near = difflib.get_close_matches(key, [*names, notebook.stem, notebook.name], n=1, cutoff=0.75)
    if near:
        raise InputError(
            f"{path}: the table [{key}] is neither an option nor a notebook in this folder",
            f"Did you mean [{near[0]}]?",
        )


def _apply(options: Options, given: Mapping[str, Any], where: str) -> Options:
    readers = _readers()
    changes: dict[str, Any] = {}
    for key, value in given.items():
        if key not in readers:
            near = difflib.get_close_matches(key, readers, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise InputError(f"{where}: unknown option {key!r}", f"{hint}Known options: {', '.join(sorted(readers))}.")
        parsed = readers[key](value, f"{where}: {key}")
        if key in _TABLES:
            parsed = {**getattr(options, key), **parsed}
            readers[key](parsed, f"{where}: {key}")  # together they may contradict each other
        changes[key] = parsed
    return replace(options, **changes)


def _known() -> tuple[str, ...]:
    return tuple(item.name for item in fields(Options))


def _readers() -> dict[str, Callable[[Any, str], Any]]:
    return {
        "name": _name,
        "owner": _text,
        "runbook": _text,
        "raw_table": _text,
        "prediction": _text,
        "target": _names,
        "fields": _names,
        "filters": _filters,
        "tolerance": _tolerance,
        "tolerances": _tolerances,
        "parameters": _table,
        "kernel": _text,
        "timeout": _timeout,
        "find_links": folders,
        "offline": _flag,
        "counterfactual_limit": _limit,
        "serving": _serving,
        "watch": watch_table,
        "gates": gate_table,
        "retrain": retrain_table,
        "environments": environment_table,
    }


def _wrong(where: str, value: object, expected: str) -> InputError:
    return InputError(f"{where} is {value!r}", f"Expected {expected}.")


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _wrong(where, value, "a text in quotes")
    return value


def _name(value: Any, where: str) -> str:
    text = _text(value, where)
    if len(text) > 63 or not re.fullmatch(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?", text):
        raise _wrong(
            where, value, "at most 63 lowercase letters, digits, '-', '_' and '.', with a letter or digit at both ends"
        )
    return text


def _names(value: Any, where: str) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise _wrong(where, value, 'a column name or a list of them, as in ["price"]')
    return tuple(items)


def folders(value: Any, where: str) -> tuple[str, ...]:
    """Folders of wheels, or pages that list some, with whole paths. Raises `InputError`, which begins with `where`, for anything else."""
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise _wrong(where, value, 'a folder of wheels or a list of them, as in ["wheels"]')
    for item in items:
        if "://" not in item and not Path(item).expanduser().is_dir():
            raise InputError(f"{where}: the folder {item} does not exist", "Name a folder of wheels (*.whl).")
    return tuple(item if "://" in item else str(Path(item).expanduser().absolute()) for item in items)


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(where, value, "true or false")
    return value


def _filters(value: Any, where: str) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise _wrong(where, value, 'a table as { "4.7" = "validity" }')
    flat: dict[str, str] = {}
    for key, item in value.items():
        # An unquoted 4.7 is a dotted key to TOML: it arrives as {"4": {"7": ...}}.
        pairs = [(f"{key}.{line}", kind) for line, kind in item.items()] if isinstance(item, Mapping) else [(key, item)]
        flat.update(dict(pairs))
    for key, kind in flat.items():
        if not re.fullmatch(r"[1-9]\d*\.[1-9]\d*", str(key)):
            raise _wrong(f"{where}: key", key, 'the filter\'s "cell.line", as in "4.7"')
        if kind not in FILTER_CLASSES:
            raise _wrong(f"{where}: {key}", kind, " or ".join(repr(name) for name in FILTER_CLASSES))
    return flat


def _table(value: Any, where: str, example: str = "year = 2013") -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(where, value, f"a table as {{ {example} }}")
    return dict(value)


def _serving(value: Any, where: str) -> dict[str, Any]:
    from nb2prod.runtime.options import OptionProblem
    from nb2prod.runtime.options import Options as Serving

    table = _table(value, where, "latency_budget = 0.5")
    try:
        Serving.from_json(table)
    except OptionProblem as problem:
        raise InputError(
            f"{where}: {problem}", "`nb2prod explain decisions` lists the options, each with its default."
        ) from None
    return table


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _tolerance(value: Any, where: str) -> float:
    number = _number(value)
    if number is None or not 0 <= number < 1:
        raise _wrong(where, value, "a number from 0 up to 1, as in 1e-9")
    return number


def _tolerances(value: Any, where: str) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise _wrong(where, value, "a table as { probability = 1e-6 }")
    return {str(name): _tolerance(item, f"{where}: {name}") for name, item in value.items()}


def watch_table(value: Any, where: str) -> dict[str, float]:
    """The thresholds of watching; raises `InputError`, which begins with `where`, for an unknown one or a value that can't be one."""
    given = _table(value, where, "alpha = 0.01, materiality = 0.05")
    for key, item in given.items():
        if key not in ("alpha", "materiality", "rise", "acknowledge_hours"):
            raise InputError(
                f"{where}: unknown threshold {key!r}", "Known: alpha, materiality, rise, acknowledge_hours."
            )
        number = _number(item)
        if key == "acknowledge_hours":
            if number is None or not number > 0:
                raise _wrong(f"{where}: {key}", item, "a number of hours above 0")
            continue
        if number is None or not (0 < number < 1 if key == "alpha" else 0 <= number < 1):
            raise _wrong(f"{where}: {key}", item, "a number between 0 and 1")
    return {key: float(item) for key, item in given.items()}


def _limit(value: Any, where: str) -> float:
    number = _number(value)
    if number is None or not 0 <= number < float("inf"):
        raise _wrong(where, value, "a number of seconds, or 0 for none")
    return number


def _timeout(value: Any, where: str) -> float:
    number = _number(value)
    if number is None or not number > 0:
        raise _wrong(where, value, "a number of seconds above 0")
    return number
