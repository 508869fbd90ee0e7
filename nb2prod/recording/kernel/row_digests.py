"""One number for each row of a value: rows of equal values have equal numbers, whether a column holds 0, 0.0 or False."""

from __future__ import annotations

import sys
from typing import Any

from .lineage import Kinds

MOST_CELLS = 30_000_000


def row_digests(value: Any) -> Any:
    """An array of a number a row (`uint64`, of the value's length); None for what is neither a table nor a dense array, or is too large."""
    pd, np = sys.modules.get("pandas"), sys.modules.get("numpy")
    if pd is None or np is None:
        return None
    if Kinds.array(value):
        if value.dtype.names is not None or value.size > MOST_CELLS:
            return None
        value = pd.DataFrame(value.reshape(len(value), -1))
    elif Kinds.series(value):
        value = value.to_frame()
    if not Kinds.frame(value) or value.size > MOST_CELLS:
        return None
    dtypes = {at: dtype for at, dtype in enumerate(value.dtypes) if getattr(dtype, "kind", "O") in "biu"}
    try:
        if dtypes:
            value = value.copy(deep=False)
            for at, dtype in dtypes.items():
                # A row beside it that lacks the value makes numbers of a column floats.
                column = value.iloc[:, at]
                value.isetitem(
                    at, column.to_numpy("float64", na_value=np.nan) if isinstance(dtype, np.dtype) else column
                )
        return pd.util.hash_pandas_object(value, index=False).to_numpy()
    except TypeError:  # cells that can't be hashed, such as lists
        return None
