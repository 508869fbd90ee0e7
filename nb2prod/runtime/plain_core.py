"""How a plain value finds its form and a form its value; the types register themselves (see ``plain``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Encoder = Callable[[Any], Any]

_encoders: dict[type, Encoder] = {}
_decoders: dict[str, Encoder] = {}
_families: list[tuple[tuple[type, ...], Encoder]] = []


class NotPlain(Exception):
    """The value, or something inside it, is not plain data; the text says what."""


def register(
    encoders: Mapping[type, Encoder],
    decoders: Mapping[str, Encoder],
    families: Sequence[tuple[tuple[type, ...], Encoder]],
) -> None:
    """Make types known: encoders by exact type, decoders by tag, families by base class (asked in order)."""
    _encoders.update(encoders)
    _decoders.update(decoders)
    _families.extend(families)


def encode(value: object) -> Any:
    """The value as what ``json`` can write.

    Raises:
        NotPlain: the value has a type that is not known.
    """
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    encoder = _encoders.get(kind)
    if encoder is not None:
        return encoder(value)
    for bases, family in _families:
        if isinstance(value, bases):
            return family(value)
    raise NotPlain(f"{kind.__module__}.{kind.__qualname__} is not plain data")


def decode(form: Any) -> Any:
    """The value that ``encode`` was given."""
    if type(form) is list:
        return [decode(item) for item in form]
    if type(form) is dict:
        tag = form.get("$")
        if tag is None:
            return {key: decode(item) for key, item in form.items()}
        return _decoders[tag](form)
    return form
