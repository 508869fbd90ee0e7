"""Fitted objects as files: scikit-learn's by skops after an audit, cloudpickle last.

A skops file as the library writes it differs from run to run (object addresses, dates in the zip); ``_reproducible``
renumbers and redates it, so that the same object gives the same bytes.
"""

from __future__ import annotations

import io
import json
import pickle
import re
from typing import Any

import numpy as np

from .native_models import archive, members

TRUSTED = ("sklearn.", "numpy.", "scipy.", "pandas.", "features.", "xgboost.", "lightgbm.", "collections.OrderedDict")
"""Types under these modules are loaded from a skops file; any other makes the audit fail."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class NotSuitable(Exception):
    """This format can't hold the object; the text says why."""


def dump_skops(value: Any) -> bytes:
    """A scikit-learn object as a reproducible skops file that passes the audit.

    Raises:
        NotSuitable: skops is missing, can't write the object, or the file would hold types that are not trusted.
    """
    try:
        import skops.io
    except ImportError as error:
        raise NotSuitable("skops is not installed") from error
    try:
        data = _reproducible(skops.io.dumps(value))
        load_skops(data)
    except NotSuitable:
        raise
    except Exception as error:  # skops runs code of the object's class, so anything may come out of it
        raise NotSuitable(f"skops: {type(error).__name__}: {_first_line(error)}") from error
    return data


def load_skops(data: bytes) -> Any:
    """The object of a skops file.

    Raises:
        NotSuitable: the file names types outside ``TRUSTED``.
    """
    import skops.io

    asked = skops.io.get_untrusted_types(data=data)
    unknown = [name for name in asked if not name.startswith(TRUSTED)]
    if unknown:
        raise NotSuitable(f"the audit found types that are not trusted: {', '.join(sorted(unknown))}")
    return skops.io.loads(data, trusted=asked)


def dump_pickle(value: Any) -> bytes:
    """Any object as a pickle by cloudpickle.

    Raises:
        NotSuitable: it can't be pickled, or the pickle can't be loaded where there is no notebook.
    """
    try:
        import cloudpickle
    except ImportError as error:
        raise NotSuitable("cloudpickle is not installed") from error
    try:
        data: bytes = cloudpickle.dumps(value, protocol=5)
        _OutsideTheNotebook(io.BytesIO(data)).load()
    except NotSuitable:
        raise
    except Exception as error:  # a class's own reducing code runs here
        raise NotSuitable(f"cloudpickle: {type(error).__name__}: {_first_line(error)}") from error
    return data


def load_pickle(data: bytes) -> Any:
    """The object of a pickle; its bytes were checked against the manifest before."""
    return pickle.loads(data)  # noqa: S301 - the manifest's digest was compared before


class _OutsideTheNotebook(pickle.Unpickler):
    """Loads a pickle back as the Bento would: nothing is found in ``__main__``."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "__main__":
            raise NotSuitable(f"it needs {name}, which exists only in the running notebook")
        return super().find_class(module, name)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")


def _reproducible(data: bytes) -> bytes:
    contents = members(data)
    schema = json.loads(contents.pop("schema.json"))
    numbers: dict[str, int] = {}
    schema = _renumbered(schema, numbers)
    named = {_renamed_file(name, numbers): _without_padding(name, content) for name, content in contents.items()}
    named["schema.json"] = json.dumps(schema, separators=(",", ":")).encode()
    return archive(named)


def _without_padding(name: str, content: bytes) -> bytes:
    """The array file with zeros between the fields of a record: there is chance memory in a tree's nodes."""
    if not name.endswith(".npy"):
        return content
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.names is None:
        return content
    clean = np.zeros(array.shape, dtype=array.dtype)
    for field in array.dtype.names:
        clean[field] = array[field]
    sink = io.BytesIO()
    np.save(sink, clean, allow_pickle=False)
    return sink.getvalue()


def _renumbered(node: Any, numbers: dict[str, int]) -> Any:
    if isinstance(node, list):
        return [_renumbered(item, numbers) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("__loader__") == "SetNode" and isinstance(node.get("content"), list):
        node = {**node, "content": sorted(node["content"], key=_text_without_ids)}
    renumbered: dict[str, Any] = {}
    for key, item in node.items():
        if key == "__id__":
            renumbered[key] = numbers.setdefault(str(item), len(numbers) + 1)
        elif key == "file" and isinstance(item, str):
            renumbered[key] = _renamed_file(item, numbers)
        else:
            renumbered[key] = _renumbered(item, numbers)
    return renumbered


def _renamed_file(name: str, numbers: dict[str, int]) -> str:
    stem, dot, suffix = name.rpartition(".")
    random = stem.isdigit() or _UUID.fullmatch(stem)
    return f"{numbers.setdefault(stem, len(numbers) + 1)}{dot}{suffix}" if random else name


def _text_without_ids(node: Any) -> str:
    if isinstance(node, dict):
        return "{" + ",".join(f"{key}:{_text_without_ids(item)}" for key, item in node.items() if key != "__id__") + "}"
    if isinstance(node, list):
        return "[" + ",".join(_text_without_ids(item) for item in node) + "]"
    return json.dumps(node)
