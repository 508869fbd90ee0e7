"""Calls whose answer depends on the batch and that have no row-wise equivalent: why, and what to write instead."""

from typing import Any

from .call import Call, is_pandas
from .matching import SERVED_BY, as_call, match, own_name

_HISTORY = "takes a row's value from the rows before it, and a request has only its own row"


_GAP = "fills a gap from the rows beside it, and a request has only its own row"


_GAP_AHEAD = "fills a gap from the rows after it, which don't exist yet when a row is served"


_PLACE = "gives a row's place among all rows of the batch, and a request has only its own row"


_LARGEST = "chooses the first rows of an order among all rows of the batch"


_REPEATED = "compares each row with the other rows of the batch"


_RESHAPED = "makes several rows of one, or one of several, so that a request's row has no single answer"


_NUMBERED = "makes the row's number in the batch a column, and a request counts from 0"


_KEEP = "Compute it where the raw table is made, so that each row brings it as a column."


_FILL = "Fill with a statistic instead, such as `df[c].fillna(df[c].median())`: its training value is kept."


_BINS = "Use fixed bins instead: `pd.qcut(df[c], 10, labels=False)` keeps training's edges."


_IN_TRAIN = "Choose rows only for training, in a cell tagged `train`."


_LIMIT = "Compare with a value that was computed before: `df[df[c] > limit]`."


_BEFORE = "Reshape where the raw table is made, so that a request is one row of what the model is given."


_NO_ROW_FORM = (
    ("shift diff pct_change rolling expanding ewm autocorr", "F6", _HISTORY, _KEEP),
    ("cumsum cumprod cummax cummin nancumsum nancumprod", "F6", _HISTORY, _KEEP),
    ("ediff1d gradient convolve roll lfilter savgol_filter detrend", "F6", _HISTORY, _KEEP),
    ("resample asfreq merge_asof", "F6", _HISTORY, _KEEP),
    ("cumcount", "F6", "counts the rows of the group that come before, and a request has only its own row", _KEEP),
    ("ffill pad interpolate", "F6", _GAP, _FILL),
    ("bfill backfill", "F15", _GAP_AHEAD, _FILL),
    ("rank rankdata argsort percentileofscore", "F5", _PLACE, _BINS),
    ("nlargest nsmallest", "F8", _LARGEST, _LIMIT),
    ("duplicated drop_duplicates", "F8", _REPEATED, "Drop repeated rows in a cell tagged `train`."),
    ("sample", "F8", "chooses at random among the rows of the batch", _IN_TRAIN),
    ("head tail nth filter", "F8", "keeps or drops a row because of the other rows of its group", _IN_TRAIN),
    (
        "now today utcnow time hash uuid4 uuid1 urandom token_hex",
        "F11",
        "changes from run to run, so that training and serving get other values",
        "Make the value a column of the raw table.",
    ),
    (
        "cross_val_predict",
        "P1",
        "fits a model for each part of the rows and keeps none of them: nothing is left that could answer a new row",
        "Fit the model in the cell tagged `train` and predict with it: `model.fit(X, y)`, `y_pred = model.predict(X)`.",
    ),
    (
        "fit_resample",
        "T2",
        "makes new rows and drops others, which only training may do",
        "Resample after the split, in a cell tagged `train`, and predict on rows that were not resampled.",
    ),
    (
        "fit_transform",
        "F1",
        "can place only the rows that it was fitted on: this estimator has no `transform`",
        "Use one that can place new rows, such as PCA or TruncatedSVD.",
    ),
    (
        "fit_predict",
        "F1",
        "can judge only the rows that it was fitted on: this estimator has no `predict`",
        "Use one that can judge new rows, such as KMeans or LocalOutlierFactor(novelty=True).",
    ),
    ("explode melt stack pivot pivot_table unstack", "N12", _RESHAPED, _BEFORE),
    ("normalize", "F10", "divides by the length of the whole column", "Use `MaxAbsScaler().fit_transform(X)`."),
    ("softmax", "F10", "divides by a sum over all rows of the batch", "Use `axis=1`."),
    ("reset_index", "F9", _NUMBERED, "Use `reset_index(drop=True)`, or drop the new column."),
    ("index", "F9", _NUMBERED, "Use a column that says what the number stands for."),
)


BATCH_DEPENDENT: "dict[str, tuple[str, str, str]]" = {
    name: (rule, why, remedy) for names, rule, why, remedy in _NO_ROW_FORM for name in names.split()
}
"""By name of a method or function: the rule, what it does (to be read after its name), and what to write instead."""


_AHEAD = "takes a row's value from rows after it, which don't exist yet when the row is served"


_CENTRED = "with `center=True` looks at rows after this one, which don't exist yet when the row is served"


_FILLS = ("ffill", "bfill", "pad", "backfill")


_OF_PANDAS = frozenset("explode melt stack pivot pivot_table unstack pad filter head tail nth resample rank".split())


_OF_GROUPS = frozenset({"head", "tail", "nth", "filter"})


_INNOCENT = frozenset({"index", "reset_index", "sample", "drop_duplicates", "nlargest", "nsmallest"})


_AXIS = {
    **dict.fromkeys(("rank", "cumsum", "cumprod", "cummax", "cummin", "argsort"), 0),
    **dict.fromkeys(("diff", "interpolate", "ediff1d", "softmax"), 1),
    **dict.fromkeys(("shift", "normalize"), 2),
}


def explain(func: Any, receiver: Any, name: str, args: Any, kwargs: Any) -> "tuple[str, str, str] | None":
    """Why this call has no row-wise form: the rule, a sentence, and a remedy; None if nothing is known against it.

    Choosing rows (`sample`, `drop_duplicates`) and the index are not held against a call: whether they matter is
    decided by what becomes of them. Never raises.
    """
    try:
        call = as_call(func, receiver, name, args, kwargs)
        own, place = own_name(call), 0
        if own in ("transform", "agg", "aggregate", "apply") and isinstance(call.arg(0, "func"), str):
            own, place = call.arg(0, "func"), 1
        if own == "fillna":
            own = _fill_method(call)
        if own not in BATCH_DEPENDENT or own in _INNOCENT or _harmless(call, own, place):
            return None
        if own in SERVED_BY and match(func, receiver, name, args, kwargs):
            return None
        if own in ("shift", "diff", "pct_change"):
            steps = call.arg(place, "periods", 1)
            if isinstance(steps, int) and steps < 0:
                return ("F15", f"`{own}` {_AHEAD}.", _KEEP)
        if own == "rolling" and call.arg(2, "center", False):
            return ("F15", f"`{own}` {_CENTRED}.", _KEEP)
        return reason(own)
    except Exception:  # as `match`
        return None


def reason(name: str) -> "tuple[str, str, str]":
    """The rule, sentence and remedy for a method or function of BATCH_DEPENDENT."""
    rule, why, remedy = BATCH_DEPENDENT[name]
    return rule, f"`{name}` {why}.", remedy


def _fill_method(call: Call) -> str:
    method = call.arg(1, "method") or call.arg(0, "value")
    return method if isinstance(method, str) and method in _FILLS else ""


def _harmless(call: Call, own: str, place: int) -> bool:
    """Whether a method of this name on this object, or along this axis, works row by row after all."""
    receiver = call.receiver
    kind = type(receiver).__name__
    if kind in ("StringMethods", "CategoricalAccessor") or kind.endswith("Properties"):
        return True
    if is_pandas(receiver, "DataFrame") and own in receiver.columns:  # a column read as an attribute
        return True
    if own in _OF_GROUPS and "GroupBy" not in kind:
        return True
    if own in _OF_PANDAS and not (is_pandas(receiver, "DataFrame", "Series") or "GroupBy" in kind):
        return True
    if BATCH_DEPENDENT[own][0] == "F11" and not (receiver is None or isinstance(receiver, type)):
        return True
    return _across_columns(call, own, place)


def _across_columns(call: Call, own: str, place: int) -> bool:
    values = call.receiver if call.receiver is not None else call.arg(0, "a")
    usual = 1 if own == "normalize" else -1 if own in ("argsort", "diff") and _is_wide_array(values) else 0
    # numpy's own functions have the values before the axis
    position = _AXIS.get(own, 99) + (call.receiver is None and own != "normalize") + place
    if call.receiver is None and own == "diff":
        position = 2
    axis = call.arg(position, "axis", usual)
    return axis == "columns" or (isinstance(axis, int) and axis in (1, -1) and getattr(values, "ndim", 1) > 1)


def _is_wide_array(values: Any) -> bool:
    return not is_pandas(values, "DataFrame") and getattr(values, "ndim", 1) == 2
