"""JSON documents that a release keeps, each with a schema number: read back, or refused in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from nb2prod.errors import InputError

T = TypeVar("T")


@dataclass(frozen=True)
class Stored:
    """A kind of document: what it is called, the schema that is read, and how to get a new one."""

    what: str
    schema: int
    remedy: str

    def load(self, path: Path) -> Any:
        """The document in this file; `InputError` where it can't be read."""
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"the {self.what} {path} can't be read: {error}", self.remedy) from error

    def parse(self, document: Any, source: str, read: Callable[[Mapping[str, Any]], T]) -> T:
        """What `read` makes of the document; `InputError`, naming `source`, where its form is not known or damaged."""
        number = document.get("schema") if isinstance(document, Mapping) else None
        if not isinstance(number, int):
            raise InputError(f"{source} does not hold a {self.what}", self.remedy)
        if number != self.schema:
            raise InputError(
                f"{source} has schema {number} of the {self.what}; this nb2prod reads {self.schema}",
                self.remedy if number < self.schema else f"Update nb2prod. {self.remedy}",
            )
        try:
            return read(document)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{source} is damaged: {type(error).__name__}: {error}", self.remedy) from error
