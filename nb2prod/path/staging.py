"""A plan on its way, written into the project folder: modules, artifacts, manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2prod.errors import Refused
from nb2prod.path.blame import unsaved_diagnostic
from nb2prod.path.captures import CapturedValue
from nb2prod.path.composition import Composition
from nb2prod.path.looked_up import only_looked_up
from nb2prod.path.serving_path import together
from nb2prod.recording.trace import Table

if TYPE_CHECKING:
    from nb2prod.path.plan import Planner


class Staging:
    """Writes what a planner has composed."""

    def __init__(self, planner: Planner) -> None:
        self.planner = planner

    def stage(self, composition: Composition) -> tuple[dict[str, Any], ...]:
        """Write modules, artifacts and manifest into the project folder."""
        from nb2prod.runtime import artifacts

        (self.planner.project / "features.py").write_text(composition.features)
        (self.planner.project / "predict.py").write_text(composition.predict)
        if self.planner.fallback is not None:
            (self.planner.project / "fallback.py").write_text(self.planner.fallback.source)
        values = together(composition, self.planner.fallback)
        folder = self.planner.project / "artifacts"
        jobs: list[dict[str, Any]] = [
            {
                "name": v.name if not v.keyed else f"{v.name}__{i}",
                "snapshot": snapshot,
                "path": str(self.snapshot(snapshot)),
            }
            for v in values
            for i, (_, snapshot) in enumerate(v.entries)
        ]
        for job in jobs:
            reason = self.planner.recording.snapshots[job["snapshot"]].get("unsaved")
            if reason:
                raise Refused([unsaved_diagnostic(self.planner.recording, composition, job["name"], reason)])
        if folder.exists():
            for old in folder.iterdir():
                old.unlink()
        done = self.planner.oracle.save(jobs, folder, self.planner.project)
        made = dict(zip((j["name"] for j in jobs), done, strict=True))
        for name, entry in made.items():
            if "problem" in entry:
                raise Refused([unsaved_diagnostic(self.planner.recording, composition, name, entry["problem"])])
        sources = [
            composition.features,
            composition.predict,
            *([self.planner.fallback.source] if self.planner.fallback else []),
        ]
        shared = only_looked_up(sources)
        entries = [_manifest_entry(v, made, shared) for v in values]
        artifacts.write_manifest(folder, entries, self.planner.recording.settings)
        return tuple(entries)

    def draft(self, table: Table) -> None:
        """A signature that takes every column as it is, for the trials."""
        draft = {
            "schema": 1,
            "columns": [
                {"name": str(c), "dtype": "object", "type": "any", "field": True, "nullable": True}
                for c in table.columns
            ],
        }
        (self.planner.project / "signature.json").write_text(json.dumps(draft))

    def snapshot(self, number: int) -> Path:
        return self.planner.recording.folder / "snapshots" / f"{number}.pkl"


def _manifest_entry(value: CapturedValue, made: dict[str, Any], shared: frozenset[str]) -> dict[str, Any]:
    head: dict[str, Any] = {"name": value.name, "cell": value.cell, "line": value.line, "reason": value.reason}
    if not value.keyed:
        done = made[value.name]
        if value.name in shared:
            head["only_looked_up"] = True
        return {**head, "file": done["file"], "format": done["format"], "sha256": done["sha256"], "key": None}
    entries = []
    for i, (key, _) in enumerate(value.entries):
        done = made[f"{value.name}__{i}"]
        entries.append({"key": list(key), "file": done["file"], "format": done["format"], "sha256": done["sha256"]})
    return {**head, "keyed": list(value.keyed), "entries": entries}
