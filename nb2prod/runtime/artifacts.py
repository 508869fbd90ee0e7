"""Captured values on disk: one file each, a manifest with their digests, loaded back only if nothing changed.

Data before code: plain values as JSON, tables as Parquet, arrays as ``.npy``, models in their libraries' own formats,
scikit-learn objects by skops, and cloudpickle only where nothing else can hold the value.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import estimators, manifest, naming, native_models, plain, tables

RESERVED = frozenset({"use", "request"})
"""Names that ``captured`` itself answers to, so no artifact may have them."""

_SMALL = 1_000
_SUFFIX = {
    "json": ".json", "parquet": ".parquet", "npy": ".npy", "skops": ".skops", "xgboost": ".ubj", "lightgbm": ".txt",
    "catboost": ".cbm.zip", "keras": ".keras", "cloudpickle": ".pkl",
}  # fmt: skip


@dataclass(frozen=True)
class ArtifactFile:
    """One value on disk: its file (relative to the artifacts folder), format, digest, and what a reader should know."""

    file: str
    format: str
    sha256: str
    notes: tuple[str, ...] = ()


class CannotSave(Exception):
    """A captured value that no format can hold."""

    def __init__(self, name: str, type_name: str, reason: str) -> None:
        super().__init__(f"'{name}' ({type_name}) can't be saved: {reason}")
        self.name = name
        self.type = type_name
        self.reason = reason


# -- writing ---------------------------------------------------------------------------------------------------------


def save(value: Any, name: str, folder: Path, *, module_names: Mapping[str, Any] | None = None) -> ArtifactFile:
    """Write the value into the folder in the plainest format that holds it, and load it back.

    Args:
        value: what was captured.
        name: the artifact's name; the file is called after it.
        folder: the artifacts folder; made if it is missing.
        module_names: name in the generated module ``features`` -> class or function of the notebook; by default
            those that ``__main__`` holds.

    Raises:
        CannotSave: no format holds the value, or it doesn't load back.
    """
    names = naming.defined_in_notebook() if module_names is None else module_names
    reasons: list[str] = []
    with naming.renamed(names):
        for form, dump in _candidates(value):
            try:
                data = dump(value)
                _LOADERS[form](data)
            except (plain.NotPlain, estimators.NotSuitable) as error:
                reasons.append(str(error))
            except Exception as error:  # loading back runs the libraries' code: whatever fails there fails when served
                reasons.append(f"{form}: {type(error).__name__}: {error}")
            else:
                return _written(data, form, name, folder, reasons if form == "cloudpickle" else ())
    raise CannotSave(name, f"{type(value).__module__}.{type(value).__qualname__}", "; ".join(reasons))


def _candidates(value: Any) -> list[tuple[str, Callable[[Any], bytes]]]:
    """The formats worth trying for this value, plainest first."""
    native = native_models.format_of(value)
    if native is not None:
        return [(native.name, native.dump), ("cloudpickle", estimators.dump_pickle)]
    tried: list[tuple[str, Callable[[Any], bytes]]] = []
    if isinstance(value, np.ndarray):
        if type(value) is np.ndarray and value.dtype.kind not in "OV":
            tried.append(("npy", _dump_array))
        tried.append(("json", plain.dumps))
    elif isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
        tried += [("json", plain.dumps), ("parquet", tables.dumps)]
        if value.size > _SMALL:
            tried.reverse()
    else:
        tried.append(("json", plain.dumps))
        if not isinstance(value, (dict, list, tuple, set)):
            tried.append(("skops", estimators.dump_skops))
    return [*tried, ("cloudpickle", estimators.dump_pickle)]


def _dump_array(value: Any) -> bytes:
    sink = io.BytesIO()
    np.save(sink, value, allow_pickle=False)
    return sink.getvalue()


def _written(data: bytes, form: str, name: str, folder: Path, why_code: Sequence[str]) -> ArtifactFile:
    folder.mkdir(parents=True, exist_ok=True)
    file = re.sub(r"[^\w.-]", "_", name) + _SUFFIX[form]
    temporary = folder / f".{file}.tmp"
    temporary.write_bytes(data)
    temporary.replace(folder / file)
    notes = (f"saved as code (cloudpickle), since {why_code[-1]}",) if why_code else ()
    return ArtifactFile(file, form, hashlib.sha256(data).hexdigest(), notes)


def write_manifest(
    folder: Path, entries: Iterable[Mapping[str, Any]], settings: Mapping[str, Any] | None = None
) -> None:
    """Write ``manifest.json`` for the entries, in their order, with what the notebook had set on its libraries.

    An entry is ``{"name", "file", "format", "sha256", "cell", "line", "reason", "key": None}``, or for a keyed value
    ``{"name", "keyed": [names], "entries": [{"key": [values], "file", "format", "sha256"}], "cell", "line",
    "reason"}``.

    Raises:
        ValueError: a name twice, or one of ``RESERVED``.
    """
    written = [dict(entry) for entry in entries]
    names = [entry["name"] for entry in written]
    for name in names:
        if names.count(name) > 1 or name in RESERVED:
            raise ValueError(f"an artifact can't be called '{name}': the name is taken")
    for entry in written:
        for keyed in entry.get("entries", ()):
            keyed["key"] = [plain.encode(part) for part in keyed["key"]]
    manifest.write(folder, written, settings or {})


def read(path: Path) -> Any:
    """The value in a file that ``save`` wrote, in the format that its name says; for a file outside of any manifest."""
    form = next(form for form, suffix in _SUFFIX.items() if path.name.endswith(suffix))
    return _LOADERS[form](path.read_bytes())


# -- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Keyed:
    """A captured value of many: one per key, loaded."""

    names: tuple[str, ...]
    by_key: Mapping[Any, Any]


def load(folder: Path) -> dict[str, Any]:
    """Every captured value by its name, a ``Keyed`` for one with keys.

    Raises:
        manifest.ArtifactCorrupt: a file is missing, has other bytes, or can't be loaded.
    """
    return {entry["name"]: load_entry(folder, entry) for entry in manifest.read(folder)}


def load_entry(folder: Path, entry: Mapping[str, Any]) -> Any:
    """The value (or ``Keyed`` values) of one entry of the manifest; see ``load``."""
    if entry.get("keyed"):
        values = {hashable(plain.decode(item["key"])): _loaded(folder, item) for item in entry["entries"]}
        return Keyed(tuple(entry["keyed"]), values)
    return _loaded(folder, entry)


def hashable(key: Any) -> Any:
    """A key as the lookup uses it: one part stands for itself, lists become tuples."""
    if isinstance(key, (list, tuple)):
        parts = tuple(_frozen(part) for part in key)
        return parts[0] if len(parts) == 1 else parts
    return _frozen(key)


def _frozen(part: Any) -> Any:
    return tuple(_frozen(item) for item in part) if isinstance(part, (list, tuple)) else part


def _loaded(folder: Path, item: Mapping[str, Any]) -> Any:
    data = manifest.verified(folder, item)
    try:
        return _LOADERS[item["format"]](data)
    except Exception as error:  # what a loader raises depends on its library; all mean the same here
        raise manifest.ArtifactCorrupt(item["file"], f"can't be loaded ({type(error).__name__}: {error})") from error


_LOADERS: dict[str, Callable[[bytes], Any]] = {
    "json": plain.loads,
    "parquet": tables.loads,
    "npy": lambda data: np.load(io.BytesIO(data), allow_pickle=False),
    "skops": estimators.load_skops,
    **{form.name: form.load for form in native_models.FORMATS},
    "cloudpickle": estimators.load_pickle,
}
