"""The frozen-operation table: calls whose answer depends on the batch, and what to keep of training for each.

Standard library only at import, sent to the kernel as source: pandas, numpy, scikit-learn and scipy are whatever
versions the notebook uses, found in `sys.modules`, and nothing here may disturb the notebook: `match` never raises,
no random number is drawn, nothing is printed.

An operation is one row of `_TABLE`: how the call is recognised, when it depends on the batch, what state to keep. The
twin of the same name in `nb2prod/runtime/frozen` answers from that state. `BATCH_DEPENDENT` names the calls
that have no row-wise equivalent; `explain` says why for one call.
"""

import contextlib
import importlib
import io
import re
import sys
from typing import Any, Callable, Iterator, NamedTuple  # noqa: UP035 - a kernel's Python may be an old one

from .guard import module_of, name_of


class NoEntry(Exception):
    """Raised by a capture: this call is not frozen.

    With a `rule` it can't be answered row by row (`why` is a sentence, `remedy` says what to write instead); with an
    empty one there is nothing to keep: it works row by row as it is.
    """

    def __init__(self, rule: str, why: str, remedy: str) -> None:
        super().__init__(why)
        self.rule = rule
        self.why = why
        self.remedy = remedy


def _unneeded(why: str) -> NoEntry:
    """The call works row by row as it is: nothing is to be kept, and nothing is wrong with it (an empty rule)."""
    return NoEntry("", why, "")


class Operation(NamedTuple):
    """What to do with a call that was recognised.

    `capture(receiver, args, kwargs, result)` is called after the call and gives the state, plain data or a fitted
    estimator; it raises NoEntry where the call can't be frozen. With `receiver_is_state` the served call is
    `captured.<state>.<op>(first argument)`, else `frozen.<op>(captured.<state>, …)`.
    """

    op: str
    rule: str
    phrase: str
    capture: "Callable[[Any, tuple[Any, ...], dict[str, Any], Any], Any]"
    receiver_is_state: bool = False
    name: str = "state"


class Call(NamedTuple):
    """A call as the recorder sees it; `receiver` is None for a function of a module."""

    func: Any
    receiver: Any
    name: str
    args: "tuple[Any, ...]"
    kwargs: "dict[str, Any]"

    def arg(self, position: int, name: str, default: Any = None) -> Any:
        """The argument at this position or of this name."""
        if len(self.args) > position:
            return self.args[position]
        return self.kwargs.get(name, default)


# ---------------------------------------------------------------- packing: pandas objects as plain data


def _lib(name: str) -> Any:
    return sys.modules.get(name)


def _is(value: Any, *names: str) -> bool:
    """Whether the value is an instance of one of these pandas classes, if pandas is loaded at all."""
    pandas = _lib("pandas")
    return pandas is not None and isinstance(value, tuple(getattr(pandas, n) for n in names if hasattr(pandas, n)))


def pack_dtype(dtype: Any) -> Any:
    """A dtype as its name, a categorical with its categories; `unpack_dtype` reads it."""
    if getattr(dtype, "name", "") == "category" and getattr(dtype, "categories", None) is not None:
        return {"categories": pack(dtype.categories), "ordered": bool(dtype.ordered)}
    return str(dtype)


def pack(values: Any) -> "dict[str, Any]":
    """An Index or array as plain data: values, dtype, name; `unpack` reads it."""
    pandas = _lib("pandas")
    index = values if isinstance(values, pandas.Index) else pandas.Index(values)
    dtype = pack_dtype(index.dtype)
    packed: dict[str, Any] = {"dtype": dtype, "values": []}
    if index.name is not None:
        packed["name"] = index.name
    if isinstance(dtype, str) and dtype.startswith("interval"):
        packed.update(left=pack(index.left), right=pack(index.right), closed=index.closed)
        del packed["values"]
        return packed
    listed = index.tolist()
    if isinstance(dtype, str) and dtype.startswith("period"):
        listed = [None if pandas.isna(v) else str(v) for v in listed]
    elif dtype != "object" and bool(getattr(index, "hasnans", True)):
        listed = [None if pandas.isna(v) else v for v in listed]
    else:
        listed = [None if v is pandas.NaT or v is getattr(pandas, "NA", pandas.NaT) else v for v in listed]
    packed["values"] = listed
    return packed


def _unique_names(frame: Any) -> None:
    names = frame.columns
    if getattr(names, "nlevels", 1) > 1 or not names.is_unique:
        raise NoEntry(
            "F4",
            "The frame has several columns of one name, or column names of several levels.",
            "Give each column one name of its own first: `df.columns = [...]`.",
        )


def _dtypes(frame: Any) -> "list[Any]":
    return [pack_dtype(dtype) for dtype in frame.dtypes]


@contextlib.contextmanager
def _undisturbed() -> "Iterator[None]":
    """Run the notebook's function once more without a trace: random state, output and warnings as before."""
    import random
    import warnings

    numpy = _lib("numpy")
    state = random.getstate()
    numpy_state = numpy.random.get_state() if numpy is not None else None
    nowhere = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            random.setstate(state)
            if numpy_state is not None:
                numpy.random.set_state(numpy_state)


# ---------------------------------------------------------------- categories, dummies, codes


def _categories(values: Any) -> Any:
    pandas = _lib("pandas")
    series = values if isinstance(values, pandas.Series) else pandas.Series(values)
    return series.astype("category").cat.categories


def _capture_dummies(call: Call, result: Any) -> Any:
    pandas = _lib("pandas")
    data = call.arg(0, "data")
    options = {"dummy_na": bool(call.arg(3, "dummy_na", False)), "drop_first": bool(call.arg(6, "drop_first", False))}

    def block(values: Any, name: Any = None) -> "dict[str, Any]":
        categories = _categories(values)
        width = len(categories) + options["dummy_na"]
        count = max(width - options["drop_first"], 0)
        if len(categories) == 0 and not options["dummy_na"]:
            count = 0
        return {"column": name, "categories": pack(categories), "count": count, **options}

    state: dict[str, Any] = {"kind": "series", "kept": [], "columns": pack(result.columns), "dtypes": _dtypes(result)}
    if isinstance(data, pandas.DataFrame):
        _unique_names(data)
        named = call.arg(4, "columns") if len(call.args) > 4 else call.kwargs.get("columns")
        if named is None:
            encoded = list(data.select_dtypes(include=["object", "string", "category"]).columns)
        else:
            encoded = list(named)
        state["kind"] = "frame"
        state["kept"] = [c for c in data.columns if c not in set(encoded)]
        state["blocks"] = [block(data[c], c) for c in encoded]
    else:
        state["blocks"] = [block(data)]
    if len(state["kept"]) + sum(b["count"] for b in state["blocks"]) != result.shape[1]:
        raise NoEntry(
            "F4",
            "`get_dummies` made other columns than its options say.",
            "Name the columns to encode: `pd.get_dummies(df, columns=[...])`.",
        )
    return state


def _capture_str_dummies(call: Call, result: Any) -> Any:
    if not _is(result, "DataFrame"):
        raise NoEntry("F4", "`.str.get_dummies` of an Index has no row-wise form.", "Use it on a Series.")
    return {"columns": pack(result.columns), "dtypes": _dtypes(result)}


def _uniques_state(uniques: Any, dtype: Any) -> "dict[str, Any]":
    pandas = _lib("pandas")
    numpy = _lib("numpy")
    index = pandas.Index(uniques)
    absent = [i for i, gone in enumerate(pandas.isna(index)) if gone]
    return {
        "uniques": pack(index),
        "kind": "index" if isinstance(uniques, pandas.Index) else "array",
        "numpy": str(uniques.dtype) if isinstance(uniques, numpy.ndarray) else None,
        "missing_code": absent[0] if absent else -1,
        "dtype": str(dtype),
    }


def _capture_factorize(call: Call, result: Any) -> Any:
    codes, uniques = result
    return _uniques_state(uniques, codes.dtype)


def _capture_unique(call: Call, result: Any) -> Any:
    positions = {"index": None, "counts": None}
    place = 1
    if call.arg(1, "return_index", False):
        positions["index"] = result[1].tolist()
        place = 2
    state = _uniques_state(result[0], result[place].dtype)
    if call.arg(3, "return_counts", False):
        positions["counts"] = result[place + 1].tolist()
    return {**state, **positions}


def _means_category(dtype: Any) -> bool:
    """Whether this names a categorical without saying its categories."""
    if isinstance(dtype, str):
        return dtype == "category"
    return getattr(dtype, "name", "") == "category" and getattr(dtype, "categories", None) is None


def _wants_categories(call: Call) -> bool:
    dtype = call.arg(0, "dtype")
    return any(map(_means_category, dtype.values())) if isinstance(dtype, dict) else _means_category(dtype)


def _capture_as_category(call: Call, result: Any) -> Any:
    if not _is(result, "DataFrame"):
        return {"kind": "series", "dtype": pack_dtype(result.dtype)}
    _unique_names(result)
    dtype = call.arg(0, "dtype")
    names = [n for n in dtype if _means_category(dtype[n])] if isinstance(dtype, dict) else list(result.columns)
    return {"kind": "frame", "dtypes": [[n, pack_dtype(result[n].dtype)] for n in names]}


def _categorical_depends(call: Call) -> bool:
    dtype = call.arg(3, "dtype") if _named(call) == "Categorical" else call.arg(2, "dtype")
    if _named(call) == "Series":
        return _means_category(dtype)
    explicit = call.arg(1, "categories")
    return explicit is None and (dtype is None or _means_category(dtype))


def _capture_categorical(call: Call, result: Any) -> Any:
    return {"kind": _named(call), "dtype": pack_dtype(result.dtype)}


def _capture_set_categories(call: Call, result: Any) -> Any:
    dtype = result.dtype
    return {"categories": pack(dtype.categories), "ordered": bool(dtype.ordered)}


# ---------------------------------------------------------------- bins


def _is_count(value: Any) -> bool:
    return isinstance(value, int) or (hasattr(value, "__index__") and not hasattr(value, "__len__"))


def _capture_bins(call: Call, result: Any) -> Any:
    pandas = _lib("pandas")
    edges = result[1] if call.arg(4 if _named(call) == "cut" else 3, "retbins", False) else None
    if edges is None:
        options = {**call.kwargs, "retbins": True}
        args = call.args
        place = 4 if _named(call) == "cut" else 3
        if len(args) > place:
            args = (*args[:place], True, *args[place + 1 :])
            options.pop("retbins")
        with _undisturbed():
            result, edges = call.func(*args, **options)
    else:
        result = result[0]
    codes = getattr(result, "dtype", None)
    if bool(pandas.isna(pandas.Index(edges)).any()):
        raise NoEntry(
            "F5", "All of training's values are missing, so that the bins have no edges.", "Leave this column out."
        )
    return {
        "edges": pack(pandas.Index(edges)),
        "kind": "index" if isinstance(edges, pandas.Index) else "array",
        "codes": str(codes) if call.arg(3 if _named(call) == "cut" else 2, "labels") is False else None,
    }


# ---------------------------------------------------------------- estimators and scaling functions

_CROSS_FITTED = ("TargetEncoder",)


def _fit_transforms(call: Call) -> bool:
    own = call.receiver
    return own is not None and not _is(own, "DataFrame", "Series") and callable(getattr(own, "transform", None))


def _capture_estimator(call: Call, result: Any) -> Any:
    if type(call.receiver).__name__ in _CROSS_FITTED and (type(call.receiver).__module__ or "").startswith("sklearn"):
        raise NoEntry(
            "F1",
            "`TargetEncoder.fit_transform` encodes each fold by the other folds, so that training's rows "
            "have other values than `transform` gives a request.",
            "Call `fit(X, y)`, then `transform(X)`, or put the encoder into the model's Pipeline.",
        )
    return call.receiver


def _fit_predicts(call: Call) -> bool:
    return call.receiver is not None and callable(getattr(call.receiver, "predict", None))


def _by_rows(call: Call) -> bool:
    """Whether a scaling function works down the columns (axis=0), which is what depends on the batch."""
    return bool(call.arg(1, "axis", 0) == 0)


def _two_dimensional(values: Any) -> Any:
    numpy = _lib("numpy")
    if hasattr(values, "tocsc"):
        return values
    array = numpy.asarray(values)
    return array.reshape(len(array), -1)


_SCALERS = {
    "minmax_scale": ("MinMaxScaler", ("feature_range",)),
    "maxabs_scale": ("MaxAbsScaler", ()),
    "robust_scale": ("RobustScaler", ("with_centering", "with_scaling", "quantile_range", "unit_variance")),
    "quantile_transform": (
        "QuantileTransformer",
        ("n_quantiles", "output_distribution", "ignore_implicit_zeros", "subsample", "random_state"),
    ),
    "power_transform": ("PowerTransformer", ("method", "standardize")),
}


def _bound(call: Call) -> "dict[str, Any]":
    """All arguments by name, the defaults included."""
    import inspect

    found = inspect.signature(call.func).bind(*call.args, **call.kwargs)
    found.apply_defaults()
    return dict(found.arguments)


def _capture_scaler(call: Call, result: Any) -> Any:
    name, options = _SCALERS[_named(call)]
    given = _bound(call)
    values = _two_dimensional(call.arg(0, "X"))
    drawn = name == "QuantileTransformer" and given.get("random_state") is None
    if drawn and len(_two_dimensional(result)) > (given.get("subsample") or float("inf")):
        raise NoEntry(
            "F11",
            "`quantile_transform` drew a random sample of the rows, without a `random_state`.",
            "Use a QuantileTransformer with a `random_state`: `qt.fit_transform(X)`.",
        )
    scaler = getattr(_lib("sklearn.preprocessing"), name)(**{k: given[k] for k in options if k in given})
    with _undisturbed():
        return scaler.fit(values.astype(float) if values.dtype.kind in "biu" else values)


def _capture_scale(call: Call, result: Any) -> Any:
    """The same arithmetic as `sklearn.preprocessing.scale`, kept step by step so that each row is equal to the bit."""
    numpy = _lib("numpy")
    values = call.arg(0, "X")
    given = _bound(call)
    if hasattr(values, "tocsc"):
        scaler = _lib("sklearn.preprocessing").StandardScaler(with_mean=False).fit(values)
        return {"dtype": str(result.dtype), "steps": [["divide", scaler.scale_.tolist()]] if given["with_std"] else []}
    rest = numpy.array(values, dtype=result.dtype)
    steps: list[Any] = []
    with _undisturbed(), numpy.errstate(all="ignore"):
        mean, deviation = numpy.nanmean(rest, 0), numpy.nanstd(rest, 0)

        def recentre(by: Any) -> Any:
            steps.append(["subtract", by.tolist()])
            return rest - by

        if given["with_mean"]:
            rest = recentre(mean)
            again = numpy.nanmean(rest, axis=0)
            rest = rest if numpy.allclose(again, 0) else recentre(again)
        if given["with_std"]:
            handle = getattr(_lib("sklearn.preprocessing._data"), "_handle_zeros_in_scale", None)
            deviation = handle(deviation, copy=False) if handle else numpy.where(deviation == 0, 1.0, deviation)
            steps.append(["divide", numpy.asarray(deviation).tolist()])
            rest = rest / deviation
            again = numpy.nanmean(rest, axis=0)
            if given["with_mean"] and not numpy.allclose(again, 0):
                recentre(again)
    return {"dtype": str(result.dtype), "steps": steps}


def _capture_zscore(call: Call, result: Any) -> Any:
    numpy = _lib("numpy")
    given = _bound(call)
    values = numpy.asarray(call.arg(0, "a"))
    values = values if values.dtype.kind == "f" else values.astype(float)
    omit = given.get("nan_policy") == "omit"
    ddof = given.get("ddof", 0)
    candidates = []
    with _undisturbed(), numpy.errstate(all="ignore"):
        private = _lib("scipy.stats._stats_py")
        with contextlib.suppress(Exception):
            options = {"axis": 0, "keepdims": True, "nan_policy": given.get("nan_policy", "propagate")}
            spread = private._xp_var(values, correction=ddof, **options) ** 0.5
            candidates.append((private._xp_mean(values, **options), spread))
        mean, std = (numpy.nanmean, numpy.nanstd) if omit else (numpy.mean, numpy.std)
        candidates.append((mean(values, axis=0, keepdims=True), std(values, axis=0, ddof=ddof, keepdims=True)))
        for found in candidates:
            middle, spread = (numpy.asarray(part)[0] for part in found)
            constant = spread <= numpy.abs(numpy.finfo(values.dtype).eps * middle)
            again = (values - middle) / spread
            again[..., constant] = numpy.nan
            if numpy.array_equal(again, numpy.asarray(result), equal_nan=True):
                break
    return {
        "dtype": str(values.dtype),
        "mean": middle.tolist(),
        "deviation": spread.tolist(),
        "constant": constant.tolist(),
    }


def _fits_lambda(call: Call) -> bool:
    return call.arg(1, "lmbda") is None and call.arg(2, "alpha") is None


def _capture_lambda(call: Call, result: Any) -> Any:
    return {"lambda": result[1]}


# ---------------------------------------------------------------- parsing and columns


def _capture_dtype(call: Call, result: Any) -> Any:
    return {"dtype": pack_dtype(result.dtype)}


def _kind(values: Any) -> str:
    """The letter of numpy for the dtype: "M" dates, "i" integers, "f" floats, "O" and others for text."""
    return str(getattr(getattr(values, "dtype", None), "kind", "O"))


def _numbers_depend(call: Call) -> bool:
    """Text becomes integers or floats by what the batch holds; numbers stay what they are, unless made smaller."""
    values = call.arg(0, "arg")
    return hasattr(values, "__len__") and (_kind(values) not in "biufM" or call.arg(2, "downcast") is not None)


def _dates_depend(call: Call) -> bool:
    """Without a format pandas takes the first value's; a format fixes it all but for fractions of a second."""
    values, form = call.arg(0, "arg"), call.arg(5, "format")
    if not hasattr(values, "__len__") or _is(values, "DataFrame") or isinstance(values, (dict, str)):
        return False
    if _kind(values) in "Mi":
        return False
    loose = not isinstance(form, str) or form in ("mixed", "ISO8601") or "%f" in form
    return loose or call.arg(6, "exact", True) is False


def _capture_datetime(call: Call, result: Any) -> Any:
    state = {"format": None, "dtype": pack_dtype(result.dtype)}
    arg = call.arg(0, "arg")
    if call.arg(5, "format") is not None or _is(arg, "DataFrame") or isinstance(arg, dict):
        return state
    first = next((v for v in list(arg) if isinstance(v, str) and v), None)
    if first is not None:
        with _undisturbed():
            state["format"] = _guesser()(first, dayfirst=bool(call.arg(2, "dayfirst", False)))
    return state


def _guesser() -> Any:
    """What reads the format of a date's text: from pandas 2 on the format of the first value is all."""
    for module in ("pandas.tseries.api", "pandas.core.tools.datetimes"):  # it moved in pandas 2.2
        with contextlib.suppress(Exception):
            return importlib.import_module(module).guess_datetime_format
    raise ImportError("pandas has no guess_datetime_format")


def _writes_dates(call: Call) -> bool:
    return str(call.arg(0, "dtype")) in ("str", "string", "<class 'str'>") and _kind(call.receiver) in "mM"


def _capture_date_text(call: Call, result: Any) -> Any:
    """Whether the time of day and which fractions are written depends on all dates: keep the most precise one."""
    known = call.receiver.dropna()
    for unit in ("nanosecond", "microsecond", "second", "minute", "hour"):
        part = getattr(known.dt, unit if _kind(known) == "M" else unit + "s", None)
        if part is not None and (part != 0).any():
            return {"anchor": known[(part != 0).to_numpy()].iloc[0]}
    return {"anchor": known.iloc[0] if len(known) else None}


def _gives_values(call: Call) -> bool:
    if not _is(call.receiver, "DataFrame"):
        return len(call.receiver) > 1
    return call.arg(1, "axis", 0) in (1, "columns") and len(call.receiver) > 1


def _capture_type(call: Call, result: Any) -> Any:
    """What a row alone would have otherwise: pandas infers dtypes, and a frame's columns, from all results."""
    pandas = _lib("pandas")
    framed = _is(result, "DataFrame")
    if not _is(result, "Series", "DataFrame") or len(result) != len(call.receiver):
        raise _unneeded(f"`{call.name}` gave something else than one result for each row")
    if framed:
        _unique_names(result)
    telling = {0, len(result) // 2, len(result) - 1}
    for part in _columns_of(result):
        known = pandas.notna(part).to_numpy()
        telling.update((~known).nonzero()[0][:1].tolist())
        if _kind(part) == "f":
            telling.update(((part % 1 == 0).to_numpy() & known).nonzero()[0][:1].tolist())
    with _undisturbed():
        for position in sorted(telling):
            alone = getattr(call.receiver.iloc[[position]], call.name)(*call.args, **call.kwargs)
            if _shape_of(alone) != _shape_of(result):
                columns = pack(result.columns) if framed else None
                return {
                    "method": call.name,
                    "columns": columns,
                    "dtypes": [pack_dtype(p.dtype) for p in _columns_of(result)],
                }
    raise _unneeded("each row alone gives the same type")


def _shape_of(result: Any) -> Any:
    if _is(result, "DataFrame"):
        return list(result.columns), list(result.dtypes)
    return getattr(result, "dtype", None)


def _selects_columns(call: Call) -> bool:
    if call.name == "select_dtypes":
        return True
    return call.arg(0, "axis", 0) in (1, "columns")


def _capture_columns(call: Call, result: Any) -> Any:
    kept = call.receiver if result is None else result
    if kept.columns.is_unique and getattr(kept.columns, "nlevels", 1) == 1:
        return {"columns": pack(kept.columns), "positions": None}
    raise NoEntry(
        "F8",
        f"`{call.name}` chose among columns of which several share a name.",
        "Give each column one name of its own first: `df.columns = [...]`.",
    )


def _capture_constant(call: Call, result: Any) -> Any:
    """Which column of ones `add_constant` added: one row alone always looks constant, and would get none."""
    data = call.arg(0, "data")
    if not hasattr(data, "shape"):  # a list of rows
        columns = len(data[0]) if hasattr(data[0], "__len__") else 1
    else:
        columns = data.shape[1] if len(data.shape) > 1 else 1
    wide = result.shape[1] if len(result.shape) > 1 else 1
    added = wide - columns
    return {"added": int(added), "first": bool(call.arg(1, "prepend", True))}


def _capture_dtypes(call: Call, result: Any) -> Any:
    if _is(result, "DataFrame"):
        _unique_names(result)
        return {"kind": "frame", "columns": pack(result.columns), "dtypes": _dtypes(result)}
    return {"kind": "series", "dtypes": [pack_dtype(result.dtype)]}


def _splits_wide(call: Call) -> bool:
    return call.arg(2, "expand", False) is True and _is(getattr(call.receiver, "_parent", None), "Series", "DataFrame")


def _capture_split(call: Call, result: Any) -> Any:
    return {"method": call.name, "columns": pack(result.columns), "dtypes": _dtypes(result)}


def _capture_made_frame(call: Call, result: Any) -> Any:
    if not _is(result, "DataFrame"):
        raise _unneeded("there is no frame")
    _unique_names(result)
    return {"columns": pack(result.columns), "dtypes": _dtypes(result)}


# ---------------------------------------------------------------- group statistics and functions of a column

_REDUCTIONS = frozenset(
    "mean median std var sem sum prod min max count size nunique first last any all skew kurt idxmin idxmax "
    "quantile".split()
)
_BUILTIN = frozenset({"sum", "min", "max", "len", "any", "all"})
_OF_NUMPY = frozenset(
    "mean median std var sum prod min max amin amax nanmean nanmedian nanstd nanvar nansum nanmin nanmax ptp size "
    "count_nonzero".split()
)

# The same names as in nb2prod/runtime/frozen/tape.py: what is noted here is answered there.
_ASKING = (
    "mean median mode std var sem sum prod product min max count nunique quantile skew kurt kurtosis any all idxmin "
    "idxmax argmin argmax unique value_counts describe first_valid_index last_valid_index autocorr corr cov item"
).split()
_TELLING = ("empty", "size", "hasnans", "shape", "is_unique")
_ASKING_NUMPY = frozenset(
    "mean nanmean median nanmedian std nanstd var nanvar sum nansum prod nanprod min nanmin max nanmax amin amax "
    "percentile nanpercentile quantile nanquantile any all ptp average count_nonzero argmin argmax size".split()
)
_LOG: "list[list[Any]]" = []
_CLASSES: "dict[str, Any]" = {}


def _is_group_statistic(func: Any) -> bool:
    """Whether `transform(func)` gives one value for each group whatever the rows."""
    if isinstance(func, str):
        return func in _REDUCTIONS
    name, module = name_of(func), module_of(func)
    return (module == "builtins" and name in _BUILTIN) or (module.startswith("numpy") and name in _OF_NUMPY)


def _transforms(call: Call) -> bool:
    func = call.arg(0, "func")
    return _is_group_statistic(func) or (callable(func) and not isinstance(func, str))


def _grouper(groups: Any) -> Any:
    found = getattr(groups, "_grouper", None)
    found = groups.grouper if found is None else found
    if type(found).__name__ == "BinGrouper":
        raise NoEntry(
            "F7",
            "The groups of `pd.Grouper(freq=…)` start at the first date of the batch.",
            'Group by a part of the date, such as `df["date"].dt.to_period("M")`.',
        )
    return found


def _first_rows(groups: Any) -> Any:
    """The position of one row of each group, in the groups' order."""
    numpy = _lib("numpy")
    numbers = numpy.asarray(groups.ngroup(), dtype=float)
    inside = numpy.flatnonzero(numbers >= 0)
    return inside[numpy.unique(numbers[inside], return_index=True)[1]]


def _keys(groups: Any, rows: Any) -> "list[Any]":
    """The key of each of these rows, one packed column for each level."""
    pandas = _lib("pandas")
    levels = [pandas.Series(grouping.grouping_vector).iloc[rows] for grouping in _grouper(groups).groupings]
    plain = [level.astype(level.cat.categories.dtype) if level.dtype.name == "category" else level for level in levels]
    return [pack(pandas.Index(level.tolist(), dtype=_key_dtype(level), tupleize_cols=False)) for level in plain]


def _key_dtype(level: Any) -> Any:
    return level.dtype if not level.isna().any() or level.dtype.kind not in "iub" else "object"


def _columns_of(result: Any) -> "list[Any]":
    return [result[name] for name in result.columns] if _is(result, "DataFrame") else [result]


def _group_table(call: Call, result: Any) -> "dict[str, Any]":
    rows = _first_rows(call.receiver)
    parts = _columns_of(result)
    return {
        "how": "table",
        "keys": _keys(call.receiver, rows),
        "columns": pack(result.columns) if _is(result, "DataFrame") else None,
        "values": [pack(part.iloc[rows].rename(None).array) for part in parts],
        "dtypes": [pack_dtype(part.dtype) for part in parts],
    }


def _capture_group_transform(call: Call, result: Any) -> Any:
    _grouper(call.receiver)
    if len(result) != len(call.receiver.obj):  # pandas gives no rows where none has a key
        raise _unneeded("there is not one value for each row")
    if _is(result, "DataFrame"):
        _unique_names(result)
    if _is_group_statistic(call.arg(0, "func")):
        return _group_table(call, result)
    return _capture_group_function(call, result, "transform")


def _capture_group_apply(call: Call, result: Any) -> Any:
    _grouper(call.receiver)
    if not _is(result, "Series") or len(result) != len(call.receiver.obj):
        raise _unneeded("`groupby(...).apply` gave something else than one value for each row")
    return _capture_group_function(call, result, "apply")


def _capture_group_function(call: Call, result: Any, how: str) -> Any:
    """Run the function once more and note what it asks of each group (see `_watched`)."""
    several = len(_grouper(call.receiver).groupings) > 1
    framed = _is(result, "DataFrame")
    parts = _columns_of(result)
    tapes: dict[Any, list[Any]] = {}
    scalars = alike = True

    for position, part in enumerate(parts):

        def run(group: Any, position: int = position) -> Any:
            nonlocal scalars, alike
            name = group.name
            made, log = _noted(call, group, name)
            bare = name[0] if isinstance(name, tuple) and len(name) == 1 and not several else name
            tapes.setdefault(_same(bare), [bare] + [[] for _ in parts])[position + 1] = log
            if not log and len(tapes) <= _TRIED:
                alike = alike and _row_wise(call, group, made, name)
            scalars = (scalars and not hasattr(made, "__len__")) or isinstance(made, str)
            return made

        rows = _one_column(call.receiver, result.columns[position]) if framed else call.receiver
        with _undisturbed():
            again = getattr(rows, how)(run)
        if not again.astype(part.dtype).equals(part.rename(again.name)):
            raise NoEntry(
                "F11",
                "The function gives other values when it is run again.",
                "Take away what changes from run to run, such as random numbers without a seed.",
            )
    if scalars and how == "transform":
        return _group_table(call, result)
    if not any(any(tape[1:]) for tape in tapes.values()):
        if alike:
            raise _unneeded("a row alone gets the same value")
        raise NoEntry(
            "F7",
            "The function needs its whole group, but takes no statistic of it that can be kept (a mean, a mode …).",
            "Take the statistic by its name, `groupby(...)[column].transform('median')`, then use it with the column.",
        )
    bare = [tape[0] for tape in tapes.values()]
    levels = [[key[k] for key in bare] for k in range(len(bare[0]))] if several else [bare]
    return {
        "how": "replay",
        "several": several,
        "keys": [{"dtype": "object", "values": pack(_object_index(level))["values"]} for level in levels],
        "columns": pack(result.columns) if framed else None,
        "tapes": [tape[1:] for tape in tapes.values()],
        "dtypes": [pack_dtype(part.dtype) for part in parts],
    }


_TRIED = 20
"""So many groups are enough to see whether a function works row by row."""


def _row_wise(call: Call, values: Any, made: Any, name: Any) -> bool:
    """Whether the function gives single rows and a half of the rows what it gave them among all."""
    pandas = _lib("pandas")
    length = len(values)
    if length < 2:
        return True
    try:
        whole = pandas.Series(getattr(made, "array", made), index=range(length))
        for chosen in ([0], [length - 1], [length // 2], list(range(0, length, 2))):
            alone = _noted(call, values.iloc[chosen], name)[0]
            part = pandas.Series(getattr(alone, "array", alone), index=range(len(chosen)))
            if not part.equals(whole.iloc[chosen].set_axis(part.index).astype(part.dtype)):
                return False
    except Exception:  # the notebook's function, on other rows than it was written for
        return False
    return True


def _one_column(groups: Any, name: Any) -> Any:
    try:
        return groups[name]
    except IndexError:  # the notebook selected columns already, which pandas allows only once
        return groups._gotitem(name, ndim=1)


def _object_index(values: Any) -> Any:
    """An Index of Python values, whatever they are."""
    pandas = _lib("pandas")
    plain = [v.item() if type(v).__module__ == "numpy" and v.dtype.kind in "iufb" else v for v in values]
    return pandas.Index(plain, dtype=object, tupleize_cols=False)


def _same(key: Any) -> Any:
    """One form for each key, though nan is not equal to nan."""
    if isinstance(key, tuple):
        return tuple(map(_same, key))
    return ("missing",) if key is None or (str(key) in ("nan", "NaT", "<NA>") and not isinstance(key, str)) else key


def _noted(call: Call, values: Any, name: Any) -> "tuple[Any, list[Any]]":
    """Run the function of an apply or transform on these values; its result and what it asked of them, in order."""
    func = call.arg(0, "func")
    given = {k: v for k, v in call.kwargs.items() if k not in _NOT_FOR_FUNC}
    args = _rest(call)
    series = _watched()(values)
    object.__setattr__(series, "name", name)
    log: list[Any] = []
    _LOG.append(log)
    try:
        made = func(series, *args, **given)
    finally:
        _LOG.pop()
    return _plain(made), log


def _rest(call: Call) -> "tuple[Any, ...]":
    """The positional arguments that an apply or transform hands on to its function."""
    if not _is(call.receiver, "DataFrame"):
        return call.args[1:]
    if call.name == "transform":
        return call.args[2:]
    return tuple(call.arg(4, "args", ()))


_NOT_FOR_FUNC = frozenset(
    {"func", "engine", "engine_kwargs", "axis", "raw", "result_type", "args", "by_row", "include_groups"}
)


def _plain(value: Any) -> Any:
    if "series" in _CLASSES and isinstance(value, _CLASSES["series"]):
        return _lib("pandas").Series(value.array, index=value.index, name=value.name)
    if type(value) in (list, tuple):
        return type(value)(map(_plain, value))
    return value


def _note(name: str, value: Any) -> Any:
    """Write an answer down as plain data, and give it back."""
    pandas = _lib("pandas")
    if isinstance(value, pandas.Series):
        kept: Any = {"series": pack(value.array), "index": pack(value.index)}
    elif hasattr(value, "dtype") and getattr(value, "ndim", 0) == 1:
        kept = {"array": pack(value)}
    elif value is pandas.NaT or value is getattr(pandas, "NA", None):
        kept = {"missing": "NaT" if value is pandas.NaT else "NA"}
    elif getattr(value, "ndim", 0) > 1:
        raise NoEntry("F7", f"The function takes a table from `{name}`.", "Compute it before, outside of the function.")
    else:
        kept = value
    _LOG[-1].append([name, kept])
    return value


def _asked_by_library() -> bool:
    """Whether pandas, numpy or the recorder's hooks ask: only what the notebook's function asks for is noted."""
    module = str(sys._getframe(2).f_globals.get("__name__", ""))
    return not _LOG or module.partition(".")[0] in ("pandas", "numpy", __name__.partition(".")[0])


def _watched() -> Any:
    """A Series that notes each statistic asked of it, and of what is computed from it row by row."""
    if "series" in _CLASSES:
        return _CLASSES["series"]
    series = _lib("pandas").Series
    members: dict[str, Any] = {"_constructor": property(lambda _: _CLASSES["series"])}
    for names, member in ((_ASKING, _asking), (_TELLING, _telling_property), (tuple(BATCH_DEPENDENT), _refusing)):
        members.update((name, member(name, getattr(series, name))) for name in names if hasattr(series, name))
    members.update((name, member(series)) for name, member in _special().items())
    _CLASSES["series"] = type("Watched", (series,), members)
    return _CLASSES["series"]


def _special() -> "dict[str, Callable[[Any], Any]]":
    return {"__len__": _length, "astype": _categorised, "factorize": _coded, "__array_function__": _numpy_function}


def _length(series: Any) -> Any:
    def length(self: Any) -> int:
        size = int(series.__len__(self))
        return size if _asked_by_library() else int(_note("__len__", size))

    return length


def _categorised(series: Any) -> Any:
    def astype(self: Any, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        made = series.astype(self, dtype, *args, **kwargs)
        if not _asked_by_library() and _means_category(dtype):
            _LOG[-1].append(["astype", {"kind": "series", "dtype": pack_dtype(made.dtype)}])
        return made

    return astype


def _coded(series: Any) -> Any:
    def factorize(self: Any, *args: Any, **kwargs: Any) -> Any:
        made = series.factorize(self, *args, **kwargs)
        if _LOG:
            _LOG[-1].append(["factorize", _uniques_state(made[1], made[0].dtype)])
        return made

    return factorize


def _numpy_function(series: Any) -> Any:
    def call(_: Any, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        name = func.__name__
        if _LOG and name in BATCH_DEPENDENT:
            raise NoEntry(*reason(name))
        made = func(*map(_plain, args), **{key: _plain(value) for key, value in kwargs.items()})
        if _LOG and name in _ASKING_NUMPY:
            return _note(name, made)
        return _CLASSES["series"](made) if isinstance(made, series) else made

    return call


def _asking(name: str, native: Any) -> Any:
    def ask(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _asked_by_library():
            return native(self, *args, **kwargs)
        return _note(name, getattr(_plain(self), name)(*args, **kwargs))

    return ask


def _telling_property(name: str, native: Any) -> Any:
    def ask(self: Any) -> Any:
        if _asked_by_library():
            return native.__get__(self)
        return _note(name, getattr(_plain(self), name))

    return property(ask)


def _refusing(name: str, native: Any) -> Any:
    if not callable(native):
        return native

    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = None if _asked_by_library() else explain(None, self, name, args, kwargs)
        if found is None:
            return native(self, *args, **kwargs)
        raise NoEntry(*found)

    return refuse


def _capture_group_number(call: Call, result: Any) -> Any:
    rows = _first_rows(call.receiver)
    return {
        "keys": _keys(call.receiver, rows),
        "values": [pack(result.iloc[rows].array)],
        "dtypes": [pack_dtype(result.dtype)],
    }


def _applies_to_columns(call: Call) -> bool:
    func = call.arg(0, "func")
    return callable(func) and call.arg(1, "axis", 0) in (0, "index") and not _is_group_statistic(func)


def _capture_by_column(call: Call, result: Any) -> Any:
    """`frame.apply(func)`: what func learns of each column, in the way that suits func."""
    frame, func = call.receiver, call.arg(0, "func")
    if not _is(result, "DataFrame") or len(result) != len(frame) or list(result.columns) != list(frame.columns):
        raise _unneeded("the function gives no value for each row of each column")
    if not result.columns.is_unique:
        raise _unneeded("columns share a name")
    own = getattr(func, "__self__", None)
    if name_of(func) in ("fit_transform", "fit_predict") and own is not None:
        how, op, states = "estimators", _SERVED_BY[func.__name__], [_fitted(own, frame[name]) for name in frame]
    else:
        entry = _of_function(func)
        op = entry.op if entry else ""
        how = "operations" if entry else "replay"
        states = [_column_state(call, entry, frame[name]) for name in frame]
        if not entry and not any(states):
            if all(_row_wise(call, frame[name], result[name], name) for name in frame):
                raise _unneeded("a row alone gets the same value")
            raise NoEntry(
                "F2",
                "The function needs its whole column, but takes no statistic of it that can be kept (a mean …).",
                "Write the statistic on a line of its own, then use it.",
            )
    return {
        "how": how,
        "op": op,
        "method": call.name,
        "columns": pack(result.columns),
        "states": states,
        "dtypes": _dtypes(result),
    }


def _fitted(estimator: Any, column: Any) -> Any:
    base = _lib("sklearn.base")
    with _undisturbed():
        return (base.clone(estimator) if base else type(estimator)()).fit(column)


def _column_state(call: Call, entry: Any, column: Any) -> Any:
    with _undisturbed():
        if entry is None:
            return _noted(call, column, column.name)[1]
        given = {k: v for k, v in call.kwargs.items() if k not in _NOT_FOR_FUNC}
        func = call.arg(0, "func")
        args = (column, *_rest(call))
        nested = Call(func, None, name_of(func), args, given)
        made = func(*args, **given)
        if isinstance(made, tuple):
            raise NoEntry(entry.rule, f"`{nested.name}` gives several results for a column", "apply it to one column")
        return entry.capture(nested, made)


# ---------------------------------------------------------------- the table


class Entry(NamedTuple):
    """One row of the table.

    `of` lists what the entry recognises: functions as "module:name", methods as "Class.name" of pandas, ".name" for
    a method of any object. `depends(call)` says whether this call depends on the batch at all.
    """

    op: str
    rule: str
    phrase: str
    of: "tuple[str, ...]"
    capture: "Callable[[Call, Any], Any]"
    depends: "Callable[[Call], bool]" = lambda call: True
    receiver_is_state: bool = False


def _scaling(name: str, capture: "Callable[[Call, Any], Any]") -> Entry:
    phrase = f"the statistics that {name} took from training's columns"
    return Entry(name, "F10", phrase, (f"sklearn.preprocessing:{name}",), capture, _by_rows)


_TABLE = (
    Entry(
        "get_dummies",
        "F4",
        "the categories and columns that get_dummies made in training",
        ("pandas:get_dummies",),
        _capture_dummies,
    ),
    Entry(
        "str_get_dummies",
        "F4",
        "the columns that str.get_dummies made in training",
        ("StringMethods.get_dummies",),
        _capture_str_dummies,
    ),
    Entry(
        "factorize",
        "F4",
        "the values behind the codes of factorize, in training's order",
        ("pandas:factorize", "Series.factorize", "Index.factorize"),
        _capture_factorize,
    ),
    Entry(
        "unique",
        "F4",
        "the sorted values behind the codes of np.unique",
        ("numpy:unique",),
        _capture_unique,
        lambda call: bool(call.arg(2, "return_inverse", False)) and call.arg(4, "axis") is None,
    ),
    Entry(
        "as_category",
        "F4",
        "the categories that training's values gave",
        ("Series.astype", "DataFrame.astype", "Index.astype"),
        _capture_as_category,
        _wants_categories,
    ),
    Entry(
        "categorical",
        "F4",
        "the categories that training's values gave",
        ("pandas:Categorical", "pandas:CategoricalIndex", "pandas:Series"),
        _capture_categorical,
        _categorical_depends,
    ),
    Entry(
        "set_categories",
        "F4",
        "the categories that training used",
        ("CategoricalAccessor.remove_unused_categories", "Categorical.remove_unused_categories"),
        _capture_set_categories,
    ),
    Entry(
        "cut",
        "F5",
        "the edges of the bins, from training's smallest and largest value",
        ("pandas:cut",),
        _capture_bins,
        lambda call: _is_count(call.arg(1, "bins")),
    ),
    Entry("qcut", "F5", "the edges of the bins, from training's quantiles", ("pandas:qcut",), _capture_bins),
    Entry(
        "group_transform",
        "F7",
        "the group statistics of training, by group key",
        ("SeriesGroupBy.transform", "DataFrameGroupBy.transform"),
        _capture_group_transform,
        _transforms,
    ),
    Entry(
        "group_apply",
        "F7",
        "the group statistics of training, by group key",
        ("SeriesGroupBy.apply",),
        _capture_group_apply,
        _transforms,
    ),
    Entry(
        "group_number",
        "F7",
        "the number of each group in training",
        ("SeriesGroupBy.ngroup", "DataFrameGroupBy.ngroup"),
        _capture_group_number,
    ),
    Entry(
        "transform",
        "F1",
        "the fitted transformer of training",
        (".fit_transform",),
        _capture_estimator,
        _fit_transforms,
        receiver_is_state=True,
    ),
    Entry(
        "predict",
        "F1",
        "the fitted model of training",
        (".fit_predict",),
        _capture_estimator,
        _fit_predicts,
        receiver_is_state=True,
    ),
    _scaling("scale", _capture_scale),
    *(_scaling(name, _capture_scaler) for name in _SCALERS),
    Entry(
        "zscore",
        "F10",
        "the mean and deviation of training's values",
        ("scipy.stats:zscore",),
        _capture_zscore,
        _by_rows,
    ),
    Entry(
        "boxcox",
        "F10",
        "the lambda that fitted training's values",
        ("scipy.stats:boxcox",),
        _capture_lambda,
        _fits_lambda,
    ),
    Entry(
        "yeojohnson",
        "F10",
        "the lambda that fitted training's values",
        ("scipy.stats:yeojohnson",),
        _capture_lambda,
        _fits_lambda,
    ),
    Entry(
        "columns",
        "F8",
        "the columns that were kept in training",
        ("DataFrame.dropna", "DataFrame.select_dtypes"),
        _capture_columns,
        _selects_columns,
    ),
    Entry(
        "add_constant",
        "F4",
        "whether a column of ones was added in training",
        ("statsmodels.tools.tools:add_constant",),
        _capture_constant,
    ),
    Entry(
        "as_dtypes",
        "F14",
        "the dtypes that training's values gave",
        ("DataFrame.convert_dtypes", "Series.convert_dtypes", "DataFrame.infer_objects", "Series.infer_objects"),
        _capture_dtypes,
    ),
    Entry(
        "to_numeric",
        "F14",
        "the dtype that training's values gave",
        ("pandas:to_numeric",),
        _capture_dtype,
        _numbers_depend,
    ),
    Entry(
        "to_datetime",
        "F14",
        "the date format that pandas found in training, and its dtype",
        ("pandas:to_datetime",),
        _capture_datetime,
        _dates_depend,
    ),
    Entry(
        "date_text",
        "F14",
        "how precisely training's dates were written",
        ("Series.astype",),
        _capture_date_text,
        _writes_dates,
    ),
    Entry(
        "str_split",
        "F4",
        "the number of columns that the split made in training",
        ("StringMethods.split", "StringMethods.rsplit"),
        _capture_split,
        _splits_wide,
    ),
    Entry(
        "json_normalize",
        "F14",
        "the columns that training's records gave",
        ("pandas:json_normalize",),
        _capture_made_frame,
    ),
    Entry(
        "by_column",
        "F2",
        "what the function took from each column in training",
        ("DataFrame.apply", "DataFrame.transform"),
        _capture_by_column,
        _applies_to_columns,
    ),
    Entry(
        "same_type",
        "F14",
        "the dtype that the function's results had in training",
        ("Series.map", "Series.apply", "DataFrame.apply"),
        _capture_type,
        _gives_values,
    ),
    Entry(
        "same_type",
        "F14",
        "the dtype that the replaced values had in training",
        tuple(f"{of}.{name}" for of in ("Series", "DataFrame") for name in ("replace", "where", "mask")),
        _capture_type,
        lambda call: len(call.receiver) > 1 and not call.kwargs.get("inplace"),
    ),
)
_SERVED_BY = {"fit_transform": "transform", "fit_predict": "predict"}
_BY_NAME: "dict[str, list[tuple[str, Entry]]]" = {}
for _entry in _TABLE:
    for _of in _entry.of:
        _BY_NAME.setdefault(re.split(r"[:.]", _of)[-1], []).append((_of, _entry))


def _named(call: Call) -> str:
    """The function's own name, whatever the notebook imported it as."""
    return call.name if call.receiver is not None else name_of(call.func) or call.name


def _recognised(of: str, call: Call) -> bool:
    if ":" in of:
        module, name = of.split(":")
        return call.receiver is None and call.func is not None and getattr(_lib(module), name, None) is call.func
    owner = of.partition(".")[0]
    if not owner:
        return call.receiver is not None
    return any(
        base.__name__ == owner and (base.__module__ or "").partition(".")[0] == "pandas"
        for base in type(call.receiver).__mro__
    )


def _of_function(func: Any) -> Any:
    """The entry of a function handed to `apply`, if it has one."""
    call = Call(func, None, name_of(func), (), {})
    return next((entry for of, entry in _BY_NAME.get(call.name, ()) if ":" in of and _recognised(of, call)), None)


def _call(func: Any, receiver: Any, name: str, args: Any, kwargs: Any) -> Call:
    if type(receiver).__name__ == "module":
        receiver = None
    return Call(func, receiver, name, tuple(args), dict(kwargs))


def match(func: Any, receiver: Any, name: str, args: Any, kwargs: Any) -> "Operation | None":
    """The operation to serve this call by, or None if the call does not depend on the batch or has no row-wise form.

    `receiver` is the object before the dot, None (or the module) for a function of a module. Never raises.
    """
    try:
        if _LOG:  # a function of the notebook that is being run once more
            return None
        call = _call(func, receiver, name, args, kwargs)
        for of, entry in _BY_NAME.get(_named(call), ()):
            if _recognised(of, call) and entry.depends(call):
                return _operation(entry, call)
    except Exception:  # the notebook must run on, whatever odd object was called
        return None
    return None


def _operation(entry: Entry, call: Call) -> Operation:
    def capture(receiver: Any, args: Any, kwargs: Any, result: Any) -> Any:
        made = entry.capture(_call(call.func, receiver, call.name, args, kwargs), result)
        # a tuple is immutable: the runtime hands it out as it is, without a copy for each request
        return ("frozen", made) if isinstance(made, dict) else made

    return Operation(entry.op, entry.rule, entry.phrase, capture, entry.receiver_is_state, _telling(entry, call))


# ---------------------------------------------------------------- names of states


def telling_name(operation: Operation, receiver: Any, args: Any, kwargs: Any) -> str:
    """A short name for the state, as one would write it: `sex_dummies`, `pclass_age_mean`, `standard_scaler`."""
    return operation.name


def _word(value: Any) -> str:
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(value))
    return re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower()[:30]


def _subject(call: Call) -> str:
    values = call.receiver if call.receiver is not None else call.arg(0, "data")
    values = getattr(values, "_parent", values) if "Methods" in type(values).__name__ else values
    name = getattr(values, "name", None)
    return _word(name) if isinstance(name, str) else ""


_SUFFIX = {
    "get_dummies": "dummies", "str_get_dummies": "dummies", "factorize": "codes", "unique": "codes",
    "as_category": "categories", "categorical": "categories", "set_categories": "categories", "cut": "bins",
    "qcut": "quantile_bins", "group_number": "group_numbers", "columns": "kept_columns", "as_dtypes": "dtypes", "add_constant": "constant",
    "to_numeric": "number_type", "date_text": "date_precision", "same_type": "type", "to_datetime": "date_format",
    "str_split": "parts", "json_normalize": "record_columns",
    "by_column": "column_statistics", "scale": "scaling", "zscore": "scaling", "boxcox": "boxcox_lambda",
    "yeojohnson": "yeojohnson_lambda",
}  # fmt: skip


def _telling_name(entry: Entry, call: Call) -> str:
    if entry.receiver_is_state:
        parts = [_word(type(call.receiver).__name__)]
    elif entry.op in ("group_transform", "group_apply"):
        func = call.arg(0, "func")
        statistic = func if isinstance(func, str) else name_of(func)
        keys = [_word(k) for k in getattr(_grouper(call.receiver), "names", [])[:3] if k is not None]
        subject = getattr(call.receiver.obj, "name", None) if hasattr(call.receiver.obj, "name") else None
        parts = [*keys, _word(subject or ""), "" if statistic == "<lambda>" else _word(statistic), "by_group"]
        parts = parts[:-1] if parts[-2] else parts
    else:
        parts = [_subject(call), _SUFFIX.get(entry.op, entry.op)]
    name = "_".join(part for part in parts if part) or entry.op
    return name if name.isidentifier() else f"{entry.op}_state"


def _telling(entry: Entry, call: Call) -> str:
    try:
        return _telling_name(entry, call)
    except Exception:  # a name is only a name
        return f"{entry.op}_state"


# ---------------------------------------------------------------- what has no row-wise form

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
        call = _call(func, receiver, name, args, kwargs)
        own, place = _named(call), 0
        if own in ("transform", "agg", "aggregate", "apply") and isinstance(call.arg(0, "func"), str):
            own, place = call.arg(0, "func"), 1
        if own == "fillna":
            own = _fill_method(call)
        if own not in BATCH_DEPENDENT or own in _INNOCENT or _harmless(call, own, place):
            return None
        if own in _SERVED_BY and match(func, receiver, name, args, kwargs):
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
    if _is(receiver, "DataFrame") and own in receiver.columns:  # a column read as an attribute
        return True
    if own in _OF_GROUPS and "GroupBy" not in kind:
        return True
    if own in _OF_PANDAS and not (_is(receiver, "DataFrame", "Series") or "GroupBy" in kind):
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
    return not _is(values, "DataFrame") and getattr(values, "ndim", 1) == 2
