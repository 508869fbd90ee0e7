"""What a deployment can be asked: the fields of a request, and made examples, from the Bento that is live."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nb2prod.bento import store
from nb2prod.errors import InputError
from nb2prod.release import deployments
from nb2prod.release.running import places

_KEPT = ("name", "type", "nullable", "categories", "minimum", "maximum")


@dataclass(frozen=True)
class Form:
    """`fields` as the signature has them, in its order; `examples` are rows, none of them training's."""

    fields: tuple[dict[str, Any], ...]
    examples: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """As the sidebar gets it."""
        return asdict(self)


def form(name: str) -> Form:
    """What the live release of this deployment takes; `InputError` where there is no such deployment or release."""
    found = deployments.status(name)
    if found.version is None:
        raise InputError(f"{name} has no live release", f"Deploy one first: nb2prod deploy {found.release}")
    source = _folder(name, found.version, found.bento or "") / "src"
    signature = json.loads((source / "signature.json").read_text(encoding="utf-8"))
    examples = json.loads((source / "examples.json").read_text(encoding="utf-8"))["rows"]
    fields = tuple({key: column.get(key) for key in _KEPT} for column in signature["columns"] if column["field"])
    return Form(fields, tuple(examples))


def _folder(name: str, version: str, bento: str) -> Path:
    """The deployment's own copy, which stays when the store is cleared up; else the store's."""
    own = places.bento(name, version)
    return own if own.is_dir() else store.find(bento).folder
