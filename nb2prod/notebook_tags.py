"""Put tags on cells of a notebook file and change nothing else in it: not a space, not a key's place.

The file is edited as text. A JSON library would rewrite number formats, escapes, indentation and line ends; here
only the characters of `metadata.tags` change.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nb2prod.errors import InputError

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True)
class _Member:
    """A member of a JSON object or an item of an array: where it begins, where its value is."""

    key: str
    start: int
    value_start: int
    value_end: int


def write_tags(path: Path, tags: Mapping[int, Sequence[str]]) -> None:
    """Give the cells at these indexes (from 0, over all cells) exactly these tags, in this order.

    The file is replaced in one step. Raises `InputError` if it can't be read or written, or has no such cell.
    """
    target = path.resolve()
    try:
        data = target.read_bytes()
        bom = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
        text = data[len(bom) :].decode("utf-8")
        edited = with_tags(text, tags)
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"{path}: its tags can't be written: {error}", "Nothing was changed in the file.") from error
    if edited != text:
        _replace(target, bom + edited.encode("utf-8"))


def with_tags(text: str, tags: Mapping[int, Sequence[str]]) -> str:
    """The notebook's JSON text with these tags; `ValueError` or `IndexError` for no notebook or no such cell."""
    spans = list(_cells(text))
    edits: list[tuple[int, int, str]] = []
    for index, names in tags.items():
        if not 0 <= index < len(spans):
            raise IndexError(f"it has no cell {index + 1}")
        edit = _edit(text, spans[index], list(names))
        if edit is not None:
            edits.append(edit)
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _edit(text: str, cell: int, names: list[str]) -> tuple[int, int, str] | None:
    members = {item.key: item for item in _members(text, cell)}
    metadata = members.get("metadata")
    if metadata is None or text[metadata.value_start] != "{":
        raise ValueError("a cell has no metadata")
    inner = list(_members(text, metadata.value_start))
    existing = next((item for item in inner if item.key == "tags"), None)
    if existing is not None:
        if json.loads(text[existing.value_start : existing.value_end]) == names:
            return None
        return existing.value_start, existing.value_end, _array(names, _layout(text, existing.start))
    if not names:
        return None
    return _insertion(text, metadata, inner, names)


def _insertion(text: str, metadata: _Member, inner: list[_Member], names: list[str]) -> tuple[int, int, str]:
    """Add the member `tags` where Jupyter's sorted keys would have it."""
    if not inner:
        layout = _layout(text, metadata.start)
        if layout is None:
            return metadata.value_start, metadata.value_end, f'{{"tags": {_array(names, None)}}}'
        newline, margin, step = layout
        deeper = (newline, margin + step, step)
        new = f'{{{newline}{margin}{step}"tags": {_array(names, deeper)}{newline}{margin}}}'
        return metadata.value_start, metadata.value_end, new
    layout = _layout(text, inner[0].start)
    member = f'"tags": {_array(names, layout)}'
    gap = ", " if layout is None else f",{layout[0]}{layout[1]}"
    keys = [item.key for item in inner]
    after = next((item for item in inner if item.key > "tags"), None) if keys == sorted(keys) else None
    if after is not None:
        return after.start, after.start, f"{member}{gap}"
    return inner[-1].value_end, inner[-1].value_end, f"{gap}{member}"


def _layout(text: str, position: int) -> tuple[str, str, str] | None:
    """Newline, margin and indent step where a member begins its own line; None for compact JSON."""
    start = text.rfind("\n", 0, position) + 1
    margin = text[start:position]
    if start == 0 or margin.strip():
        return None
    newline = "\r\n" if text[max(start - 2, 0) : start] == "\r\n" else "\n"
    first = re.search(r"\n([ \t]+)\S", text)
    return newline, margin, first.group(1) if first else " "


def _array(names: list[str], layout: tuple[str, str, str] | None) -> str:
    items = [json.dumps(name, ensure_ascii=False) for name in names]
    if layout is None or not items:
        return f"[{', '.join(items)}]"
    newline, margin, step = layout
    body = f",{newline}".join(f"{margin}{step}{item}" for item in items)
    return f"[{newline}{body}{newline}{margin}]"


def _cells(text: str) -> Iterator[int]:
    """Where each cell's object begins; formats before 4 keep cells in worksheets."""
    top = {item.key: item for item in _members(text, _skip(text, 0))}
    if "cells" in top:
        yield from _items(text, top["cells"].value_start)
    elif "worksheets" in top:
        for sheet in _items(text, top["worksheets"].value_start):
            inner = {item.key: item for item in _members(text, sheet)}
            yield from _items(text, inner["cells"].value_start)
    else:
        raise ValueError("it has no list of cells")


def _members(text: str, position: int) -> Iterator[_Member]:
    """The members of the object that begins here."""
    if text[position] != "{":
        raise ValueError("an object was expected")
    position = _skip(text, position + 1)
    while text[position] != "}":
        start = position
        key, position = _DECODER.raw_decode(text, start)
        value_start = _skip(text, _skip(text, position) + 1)
        _, value_end = _DECODER.raw_decode(text, value_start)
        yield _Member(key, start, value_start, value_end)
        position = _after_comma(text, value_end)


def _items(text: str, position: int) -> Iterator[int]:
    """Where each item of the array that begins here begins."""
    if text[position] != "[":
        raise ValueError("an array was expected")
    position = _skip(text, position + 1)
    while text[position] != "]":
        yield position
        _, end = _DECODER.raw_decode(text, position)
        position = _after_comma(text, end)


def _after_comma(text: str, position: int) -> int:
    position = _skip(text, position)
    return _skip(text, position + 1) if text[position] == "," else position


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _replace(target: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(temporary).chmod(target.stat().st_mode & 0o7777)
        Path(temporary).replace(target)
    except OSError as error:
        with suppress(OSError):
            Path(temporary).unlink()
        raise InputError(
            f"{target} can't be written: {error.strerror or error}", "Nothing was changed in it."
        ) from error
