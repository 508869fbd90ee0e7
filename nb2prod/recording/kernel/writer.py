"""Writes what was recorded: the trace as JSON, the rows that values carry as arrays."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from .library_settings import differing

if TYPE_CHECKING:
    from .recorder import Recorder


def write(recorder: Recorder) -> None:
    """Write the recorder's trace into its folder: ``trace.json`` and ``lineages.npz``."""
    np = sys.modules.get("numpy")
    lineages = {}
    arrays = {}
    for serial, lineage in recorder.lineages.items():
        lineages[serial] = {
            "n": lineage.n,
            "single": lineage.single,
            "tables": {t: "range" if isinstance(a, range) else "array" for t, a in lineage.tables.items()},
        }
        for t, a in lineage.tables.items():
            if not isinstance(a, range):
                arrays[f"{serial}_{t}"] = a
    if np is not None:
        np.savez(os.path.join(recorder.folder, "lineages.npz"), **arrays)
    trace = {
        "schema": 1,
        "trees": recorder.trees,
        "steps": recorder.steps,
        "frames": recorder.frames,
        "lineages": lineages,
        "fits": recorder.fits,
        "trainings": recorder.fitted.trainings,
        "tables": [{k: v for k, v in t.items() if k != "lineage"} for t in recorder.raw],
        "statements": [[s.tree, s.node, s.kind, s.depth, s.function] for s in recorder.tables.statements],
        "snapshots": recorder.snapshots.entries,
        "states": recorder.definitions.states,
        "problems": recorder.problems,
        "settings": differing() if recorder.settings is None else recorder.settings,
        "python": sys.version.split()[0],
        "executable": sys.executable,
    }
    target = os.path.join(recorder.folder, "trace.json")
    with open(target + ".part", "w") as stream:
        json.dump(trace, stream, default=_plain)
    os.replace(target + ".part", target)


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):
        return value.item()
    if isinstance(value, (set, tuple)):
        return list(value)
    return str(value)
