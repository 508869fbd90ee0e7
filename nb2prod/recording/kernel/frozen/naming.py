"""Short names for states, as one would write them: ``sex_dummies``, ``pclass_age_mean``, ``standard_scaler``."""

import re
from typing import Any

from ..guard import name_of
from .call import Call, Entry
from .group_keys import grouper


def _word(value: Any) -> str:
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(value))
    return re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower()[:30]


def _subject(call: Call) -> str:
    values = call.receiver if call.receiver is not None else call.arg(0, "data")
    values = getattr(values, "_parent", values) if "Methods" in type(values).__name__ else values
    name = getattr(values, "name", None)
    return _word(name) if isinstance(name, str) else ""


def _telling_name(entry: Entry, call: Call) -> str:
    if entry.receiver_is_state:
        parts = [_word(type(call.receiver).__name__)]
    elif entry.op in ("group_transform", "group_apply"):
        func = call.arg(0, "func")
        statistic = func if isinstance(func, str) else name_of(func)
        keys = [_word(k) for k in getattr(grouper(call.receiver), "names", [])[:3] if k is not None]
        subject = getattr(call.receiver.obj, "name", None) if hasattr(call.receiver.obj, "name") else None
        parts = [*keys, _word(subject or ""), "" if statistic == "<lambda>" else _word(statistic), "by_group"]
        parts = parts[:-1] if parts[-2] else parts
    else:
        parts = [_subject(call), entry.suffix or entry.op]
    name = "_".join(part for part in parts if part) or entry.op
    return name if name.isidentifier() else f"{entry.op}_state"


def telling(entry: Entry, call: Call) -> str:
    try:
        return _telling_name(entry, call)
    except Exception:  # a name is only a name
        return f"{entry.op}_state"
