"""When two answers, and two features, are equal."""

from __future__ import annotations

import math
from typing import Any


def same(a: Any, b: Any, tolerance: float) -> bool:
    """Equal by type: floats within the relative tolerance, missing equals missing, all else identical."""
    if (isinstance(a, float) and isinstance(b, (int, float))) or (isinstance(b, float) and isinstance(a, (int, float))):
        return a == b or math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-12 if tolerance >= 1e-9 else 0.0)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[k], b[k], tolerance) for k in a)
    return type(a) is type(b) and bool(a == b)


def alike(a: Any, b: Any, tolerance: float) -> bool:
    """Equal as features: a number is what counts, not whether pandas held it as ``False``, ``0`` or ``0.0``."""
    if isinstance(a, (bool, int, float)) and isinstance(b, (bool, int, float)):
        return same(float(a), float(b), tolerance) if abs(a) <= 2**53 else a == b
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(alike(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(alike(a[k], b[k], tolerance) for k in a)
    return same(a, b, tolerance)
