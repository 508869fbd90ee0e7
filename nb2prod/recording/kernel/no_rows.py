"""Questions that can't be asked of a table without rows, which a request has where the notebook had training's beside those that it predicts."""

from __future__ import annotations

import types
from typing import Any

from .lineage import Kinds
from .operation import Operation


def question(op: Operation) -> dict[str, Any] | None:
    """The event of such a call, without its place; None for any other operation.

    `ask`: a fitted object transforms rows, which scikit-learn refuses for none. `by_row`: a function of the row makes one value of each, for
    which pandas gives the table itself back where it has no rows; `dtype` is what the values are.
    """
    if op.kind != "call" or not isinstance(op.func, types.MethodType):
        return None
    if op.name == "transform" and op.args:
        return {"kind": "ask"}
    if op.name == "apply" and Kinds.frame(op.receiver) and Kinds.pandas(op.result) and not Kinds.frame(op.result):
        return {"kind": "by_row", "dtype": str(op.result.dtype)}
    return None
