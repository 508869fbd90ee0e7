"""What is known of a run while it goes on: its cells, the values that carry rows, what is running now, and the trace so far."""

from __future__ import annotations

import os
import threading
from typing import Any

from .frames import Frame
from .guard import keep
from .library_settings import Settings
from .lineage import SCALARS, Lineage, Rows
from .operation import Operation
from .raw_tables import RawTables
from .sites import Tables
from .snapshots import Snapshots
from .taken import Taken
from .views import Views


class Run:
    """The state that those who watch a run share.

    `folder`: where the trace goes; `roles`: the tags of each cell, by its tree's digest; `namespace`: the notebook's variables.
    """

    def __init__(self, folder: str, roles: dict[str, list[str]], namespace: dict[str, Any]) -> None:
        self.folder = folder
        self.roles = roles
        self.ns = namespace
        self.tables = Tables()
        self.rows = Rows()
        self.views = Views()
        self.snapshots = Snapshots(os.path.join(folder, "snapshots"))
        self.raw_tables = RawTables(folder)
        self.taken = Taken(folder)
        self.trees: list[str] = []
        self.steps: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []
        self.fits: list[dict[str, Any]] = []
        self.lineages: dict[int, Lineage] = {}
        self.problems: list[str] = []
        self.settings: Settings | None = None
        """What was set on the libraries as the notebook predicted last."""
        self.stack: list[Frame] = [Frame(0, None, None, None)]
        self.seq = self.instances = 0
        self.thread = threading.get_ident()
        self.active = True

    @property
    def raw(self) -> list[dict[str, Any]]:
        """The tables that came in."""
        return self.raw_tables.entries

    def lineage_of(self, value: Any) -> Lineage | None:
        """The rows that a value carries."""
        return None if isinstance(value, SCALARS) else self.rows.of(value)

    def carries(self, value: Any) -> bool:
        """Whether a value has rows, or holds something that has."""
        return not isinstance(value, SCALARS) and (self.rows.of(value) is not None or bool(self.rows.inside(value)))

    def serial(self, lineage: Lineage | None) -> int | None:
        """The number under which the trace knows these rows."""
        if lineage is None:
            return None
        self.lineages[lineage.serial] = lineage
        return lineage.serial

    def sources(self, op: Operation) -> list[int | None]:
        """The lineages of what an operation was given."""
        return [self.serial(x) for v in op.operands if (x := self.lineage_of(v)) is not None][:3]

    def tokens_inside(self, value: Any) -> list[int]:
        """The tokens of the values with rows that a container holds."""
        return [t for v, _ in self.rows.inside(value) if (t := self.rows.token(v)) is not None]

    def in_predict_cell(self) -> bool:
        """Whether the cell that runs has the tag ``predict``."""
        return self.in_cell("predict")

    def in_cell(self, tag: str) -> bool:
        """Whether the cell that runs has this tag."""
        return tag in self.roles.get(self.trees[-1], []) if self.trees else False

    def places(self, frame: Frame) -> list[dict[str, Any]]:
        """The loops that run in a frame, as the trace has them."""
        return [{"k": x.k, "instance": x.instance, "iteration": x.iteration, "keys": dict(x.keys)} for x in frame.loops]

    def guarded(self, action: Any, *args: Any) -> None:
        """Do something of ours; what fails in it is kept, and the notebook goes on."""
        try:
            action(*args)
        except Exception as problem:
            keep(self.problems, problem)
