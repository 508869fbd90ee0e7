"""Estimators that are fitted and asked in one call."""

from typing import Any

from .call import Call, Entry, NoEntry, is_pandas
from .matching import register

_CROSS_FITTED = ("TargetEncoder",)


def _fit_transforms(call: Call) -> bool:
    own = call.receiver
    return own is not None and not is_pandas(own, "DataFrame", "Series") and callable(getattr(own, "transform", None))


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


ENTRIES = register(
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
)
