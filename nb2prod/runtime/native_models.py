"""Models in the format that their own library keeps them in: what it reads back in whatever process, without a pickle.

XGBoost's and LightGBM's boosters, CatBoost's models, Keras' models. The estimators that XGBoost and LightGBM have for scikit-learn are
scikit-learn objects around such a booster: skops holds them (see ``estimators``). The same model gives the same bytes, whenever it is
written: dates and random names are taken out.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Format:
    """How models of one library are written and read; ``holds`` tells whether a value is one."""

    name: str
    holds: Callable[[Any], bool]
    dump: Callable[[Any], bytes]
    load: Callable[[bytes], Any]


def format_of(value: Any) -> Format | None:
    """The format for a value, or None if it is no model that has one."""
    return next((form for form in FORMATS if form.holds(value)), None)


def archive(members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The members as a zip file, in the order of their names and without a date."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", compression) as target:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = compression
            target.writestr(entry, members[name])
    return sink.getvalue()


def members(data: bytes) -> dict[str, bytes]:
    """The members of a zip file by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        return {name: source.read(name) for name in source.namelist()}


# -- XGBoost and LightGBM --------------------------------------------------------------------------------------------


def _is_booster(library: str) -> Callable[[Any], bool]:
    return lambda value: type(value).__module__.partition(".")[0] == library and type(value).__name__ == "Booster"


def _dump_xgboost(value: Any) -> bytes:
    return bytes(value.save_raw(raw_format="ubj"))


def _load_xgboost(data: bytes) -> Any:
    import xgboost

    return xgboost.Booster(model_file=bytearray(data))


def _dump_lightgbm(value: Any) -> bytes:
    text: str = value.model_to_string()
    return text.encode()


def _load_lightgbm(data: bytes) -> Any:
    import lightgbm

    return lightgbm.Booster(model_str=data.decode())


# -- CatBoost ---------------------------------------------------------------------------------------------------------

_CATBOOST = frozenset({"CatBoost", "CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker"})
_WHEN_AND_WHICH = ("train_finish_time", "model_guid")
"""What CatBoost writes into a model that differs from one training to the next, though the model is the same."""


def _is_catboost(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "catboost" and type(value).__name__ in _CATBOOST


def _dump_catboost(value: Any) -> bytes:
    name = type(value).__name__
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.cbm"
        value.save_model(str(path), format="cbm")
        # On a copy: the notebook's own model keeps what it says of itself.
        copy = type(value)().load_model(str(path))
        told = copy.get_metadata()
        for key in _WHEN_AND_WHICH:
            if key in told.keys():  # noqa: SIM118 - a proxy of CatBoost's, no dict
                told[key] = ""
        copy.save_model(str(path), format="cbm")
        return archive({"class.json": json.dumps(name).encode(), "model.cbm": path.read_bytes()})


def _load_catboost(data: bytes) -> Any:
    import catboost

    parts = members(data)
    name = json.loads(parts["class.json"])
    if name not in _CATBOOST:
        raise ValueError(f"{name!r} is no model of CatBoost's")
    return getattr(catboost, name)().load_model(blob=parts["model.cbm"])


# -- Keras ------------------------------------------------------------------------------------------------------------


def _is_keras(value: Any) -> bool:
    keras = sys.modules.get("keras")
    model = getattr(keras, "Model", None)
    return isinstance(model, type) and isinstance(value, model) and hasattr(keras, "saving")


def _dump_keras(value: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        value.save(path)
        parts = members(path.read_bytes())
    told = json.loads(parts["metadata.json"])
    told.pop("date_saved", None)
    parts["metadata.json"] = json.dumps(told).encode()
    parts["config.json"] = json.dumps(_renumbered(json.loads(parts["config.json"]), {})).encode()
    return archive(parts, zipfile.ZIP_STORED)


def _renumbered(node: Any, numbers: dict[Any, int]) -> Any:
    """The configuration with the addresses of shared objects counted from 1."""
    if isinstance(node, list):
        return [_renumbered(item, numbers) for item in node]
    if not isinstance(node, dict):
        return node
    made = {}
    for key, item in node.items():
        address = key == "shared_object_id" and item is not None
        made[key] = numbers.setdefault(item, len(numbers) + 1) if address else _renumbered(item, numbers)
    return made


def _load_keras(data: bytes) -> Any:
    import keras

    # A service writes no progress bars.
    keras.config.disable_interactive_logging()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(data)
        return keras.saving.load_model(path)


FORMATS = (
    Format("xgboost", _is_booster("xgboost"), _dump_xgboost, _load_xgboost),
    Format("lightgbm", _is_booster("lightgbm"), _dump_lightgbm, _load_lightgbm),
    Format("catboost", _is_catboost, _dump_catboost, _load_catboost),
    Format("keras", _is_keras, _dump_keras, _load_keras),
)
