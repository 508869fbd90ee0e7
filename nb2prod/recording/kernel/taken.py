"""What a run takes from all rows: the results of reductions, and the state of what was fitted, by site and occurrence.

A second run with other values in some rows is held to these (`rerun.py`). They are kept in one file, in the order in which they were taken,
each with a bounded number of bytes; what is larger, or can't be pickled, is not kept.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import sys
from typing import Any

from .lineage import SCALARS, Kinds, Lineage
from .row_digests import row_digests
from .snapshots import fingerprint

MOST_BYTES = 32_000_000
"""Bytes of one value."""
ALL_BYTES = 256_000_000
MOST_KEPT = 20_000
FILE = "taken.bin"
INDEX = "taken.json"
PLAIN = (bool, int, float, complex, str, bytes, type(None))
LENGTHS = frozenset({"len", "shape", "size"})
"""How many rows there are is the run's own: a filter may leave out another row."""


class TooLarge(Exception):
    """A value has more bytes than are kept."""


class _Bounded(io.RawIOBase):
    """Collects up to so many bytes."""

    def __init__(self, limit: int) -> None:
        self.parts: list[bytes] = []
        self.left = limit

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.left -= size
        if self.left < 0:
            raise TooLarge
        self.parts.append(bytes(data))
        return size


def pickled(value: Any, limit: int = MOST_BYTES) -> bytes | None:
    """The value's bytes; None where it can't be pickled, or has more than `limit`."""
    stream = _Bounded(limit)
    try:
        pickle.Pickler(stream, protocol=5).dump(value)
    except Exception:  # any class may refuse in any way: then it is not kept
        return None
    return b"".join(stream.parts)


class Taken:
    """Keeps what is taken from all rows in a file of `folder`. Subclasses hold another run to it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.counts: dict[tuple[int, int, str], int] = {}
        self._index: list[tuple[str, int, int]] = []
        self._bytes = 0
        self._fits = 0
        self._marks: dict[int, Any] = {}

    def reduction(self, site: Any, op: Any, lineages: list[Lineage]) -> None:
        """An operation has made of rows what carries none."""
        if op.name in LENGTHS or op.result is op.receiver or not of_many(lineages) or not is_data(op.result):
            return
        self._keep(self.key(site, "value"), op.result)

    def fitted(self, site: Any, op: Any) -> None:
        """A method was called with rows: what it has left in its object."""
        if op.receiver is None or not has_state(op.receiver):
            return
        key = self.key(site, "state")
        mark = fingerprint(op.receiver)
        if mark is not None and self._marks.get(id(op.receiver)) == mark:
            return
        self._marks[id(op.receiver)] = mark
        self._keep(key, op.receiver)

    def digests(self, op: Any) -> str | None:
        """Keep a number for each row that a model is fitted to; the file, or None where its rows have none."""
        made = row_digests(op.args[0] if op.args else op.kwargs.get("X"))
        if made is None:
            return None
        self._fits += 1
        path = os.path.join(self.folder, f"fitted{self._fits}.npy")
        sys.modules["numpy"].save(path, made)
        return path

    def key(self, site: Any, what: str) -> str:
        """The name of this occurrence of a site."""
        place = (site.tree, site.node, what)
        count = self.counts[place] = self.counts.get(place, 0) + 1
        return f"{site.tree}:{site.node}:{what}:{count}"

    def _keep(self, key: str, value: Any) -> None:
        if len(self._index) >= MOST_KEPT or self._bytes >= ALL_BYTES:
            return
        data = pickled(value)
        if data is None:
            return
        with open(os.path.join(self.folder, FILE), "ab") as stream:
            stream.write(data)
        self._index.append((key, self._bytes, len(data)))
        self._bytes += len(data)

    def write(self) -> None:
        """Write where in the file each value is."""
        with open(os.path.join(self.folder, INDEX), "w") as stream:
            json.dump(self._index, stream)


class Known:
    """What an earlier run has taken, read from its folder."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, FILE)
        with open(os.path.join(folder, INDEX)) as stream:
            self._places = {key: (start, size) for key, start, size in json.load(stream)}

    def get(self, key: str) -> bytes | None:
        """The bytes of the value under this key; None where none was kept."""
        place = self._places.get(key)
        if place is None:
            return None
        with open(self._path, "rb") as stream:
            stream.seek(place[0])
            return stream.read(place[1])


def of_many(lineages: list[Lineage]) -> bool:
    """Whether these are rows, and not one row: what is made of one row alone is that row's own."""
    return bool(lineages) and all(not x.single and x.n != 1 for x in lineages)


def is_data(value: Any, depth: int = 0) -> bool:
    """Whether a value is data or a model, and no figure, iterator or handle."""
    if isinstance(value, PLAIN) or Kinds.pandas(value) or Kinds.array(value) or Kinds.sparse(value):
        return True
    np = sys.modules.get("numpy")
    if np is not None and isinstance(value, np.generic):
        return True
    if isinstance(value, (list, tuple, set, frozenset)):
        return depth < 3 and all(is_data(item, depth + 1) for item in list(value)[:20])
    if isinstance(value, dict):
        return depth < 3 and all(is_data(item, depth + 1) for item in list(value.values())[:20])
    return has_state(value)


def has_state(value: Any) -> bool:
    """Whether a value is an object that may learn from rows: a model, an encoder, an object of a class of the notebook's."""
    kind = type(value)
    if isinstance(value, SCALARS) or not hasattr(value, "__dict__") or Kinds.pandas(value) or Kinds.dataset(value):
        return False
    learns = any(hasattr(kind, name) for name in ("fit", "predict", "transform"))
    return kind.__module__ == "__main__" or (learns and not Kinds.accessor(value))
