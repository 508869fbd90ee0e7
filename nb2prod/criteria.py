"""What a gate wants: `">= 0.8"` of `roc_auc`, `true` of `parity`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nb2prod.errors import InputError

_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_FORM = re.compile(r"\s*(>=|<=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")
_EXAMPLE = 'a comparison with a number in quotes, as in ">= 0.8", or for parity true'


@dataclass(frozen=True)
class Criterion:
    """A gate's name, and the bound for its value on the side that `sign` says; without a sign the value must be true."""

    name: str
    sign: str = ""
    bound: float = 1.0

    @property
    def wanted(self) -> str:
        """As it was written."""
        return f"{self.sign} {self.bound:g}" if self.sign else "true"

    @property
    def larger_is_better(self) -> bool:
        """Whether it asks for a value above its bound."""
        return self.sign in (">", ">=", "")

    def met(self, value: float) -> bool:
        """Whether this value is what is wanted."""
        return _SIGNS[self.sign](value, self.bound) if self.sign else bool(value)


def criterion(name: str, value: Any, where: str) -> Criterion:
    """The gate of this name; raises `InputError`, which begins with `where`, for what is no comparison."""
    if value is True and name == "parity":
        return Criterion(name)
    found = _FORM.fullmatch(value) if isinstance(value, str) and name != "parity" else None
    if found is None:
        expected = "true, or leave it out" if name == "parity" else _EXAMPLE
        raise InputError(f"{where}: {name} is {value!r}", f"Expected {expected}.")
    return Criterion(name, found[1], float(found[2]))


def gate_table(value: Any, where: str) -> dict[str, str | bool]:
    """Gates by name, as they are written; `InputError` for what is none. An unquoted dotted key counts as a quoted one."""
    if not isinstance(value, Mapping):
        raise InputError(f"{where} is {value!r}", 'Expected a table as { roc_auc = ">= 0.8", parity = true }.')
    flat = _flat(value)
    for name, item in flat.items():
        criterion(name, item, where)
    return flat


def environment_table(value: Any, where: str) -> dict[str, dict[str, str | bool]]:
    """Environments in the order in which a release moves through them, each with its gates; `InputError` for what is none."""
    if not isinstance(value, Mapping):
        raise InputError(f"{where} is {value!r}", 'Expected a table as { staging = { roc_auc = ">= 0.8" } }.')
    for name in value:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*[a-z][a-z0-9_-]*", str(name)) or re.fullmatch(r"[0-9a-f]+", str(name)):
            raise InputError(
                f"{where}: {name!r} is no name of an environment",
                "Use lowercase letters, digits, '-' and '_'; a name that could be a version (a to f and digits) is none.",
            )
        if name in ("live", "previous", "latest"):
            raise InputError(f"{where}: {name!r} is the name of something else", "As in: dev, staging, production.")
    return {str(name): gate_table(item, f"{where}: {name}") for name, item in value.items()}


def _flat(value: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, item in value.items():
        name = f"{before}{key}"
        flat.update(_flat(item, f"{name}.") if isinstance(item, Mapping) else {name: item})
    return flat
