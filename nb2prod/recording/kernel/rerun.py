"""A second run of a recorded notebook, with other values in some predicted rows of its raw table.

The recorder follows the run as it did the first, without keeping what statements read. The raw table is changed where it comes in, in its
place. What the first run took from all rows (`taken.py`) and this one would take otherwise is held at the first run's value, so that what
remains is each row's own: rows that were not changed must get the first run's answers, or the run tells nothing.
"""

from __future__ import annotations

import builtins
import contextlib
import json
import os
import pickle
import sys
from typing import Any

import numpy as np
import pandas as pd

from . import changes as chosen
from .guard import guarded_value
from .lineage import Kinds, Lineage, length
from .numbering import HOOK
from .polars_tables import as_pandas, write_back
from .raw_tables import RawTables
from .recorder import Recorder
from .scratch import Scratch
from .snapshots import INLINE, Snapshots, type_name
from .taken import LENGTHS, Known, Taken, has_state, is_data, of_many, pickled

MOST_HELD_AGAINST = 5000
"""Rows that were not changed, of which the answers are held against the first run's."""


class Light(Snapshots):
    """Numbers values, and writes those that are asked for by `keep`."""

    def take(self, value: Any) -> int:
        """A number for the value, with what it is, and no file unless it is plain."""
        if isinstance(value, INLINE):
            return super().take(value)
        self.count += 1
        shape = f"{type(value).__name__} of shape {tuple(value.shape)}" if hasattr(value, "shape") else ""
        self.entries[self.count] = {"type": type_name(value), "text": shape or type(value).__name__}
        return self.count

    def keep(self, value: Any) -> int:
        """Snapshot the value."""
        return super().take(value)


class ChangedTables(RawTables):
    """Changes the table of this number as it comes in.

    `job`: `table`, `table_path` (the first run's rows), `others` (further tables' files), `predicted` (.npy), `kept` and `nullable`
    (columns), `turn`, `take` (the numbers of the changes to make; None for all), `shuffled` (whether all other rows get other values too).
    """

    def __init__(self, folder: str, job: dict[str, Any]) -> None:
        super().__init__(folder)
        self.job = job
        self.changes: list[chosen.Change] = []
        self.made: list[int] = []
        self.cells: dict[int, tuple[Any, Any]] = {}
        self.came = self.differs = False
        self.seen: set[int] = set()

    @property
    def changed(self) -> frozenset[int]:
        """The rows that were changed."""
        return frozenset(self.changes[number].host for number in self.made)

    def add(self, content: Any, seq: int, names: Any = None) -> int:
        """As a recorded run; the table in question is changed before."""
        if len(self.entries) == self.job["table"]:
            self.change(content)
        return super().add(content, seq, names)

    def parts(self, table: int, bunch: Any) -> None:
        """As the table itself, which may be none of these parts."""
        if table == self.job["table"] and not self.differs:
            for name in ("frame", "data"):
                part = bunch.get(name)
                if part is not None:
                    self.apply(part)

    def change(self, content: Any) -> None:
        """Choose the changes by the first run's table, and make them in this one."""
        self.came = True
        # Of a data set that holds its target apart, the table of the first run has one column more.
        before = _load(self.job["table_path"])
        own = _framed(content)
        if own.shape[0] != before.shape[0] or not _equal_cells(own, before):
            self.differs = True
            return
        others = [table for path in self.job["others"] if Kinds.frame(table := _load(path))]
        rows, job = np.load(self.job["predicted"]), self.job
        choice = chosen.Choice(before, rows, job["kept"], job["nullable"], job["turn"], others)
        self.changes = choice.changes()
        self.made = [n for n in range(len(self.changes)) if job["take"] is None or n in job["take"]]
        self.cells = choice.cells([self.changes[number] for number in self.made])
        self.apply(content)

    def apply(self, content: Any) -> None:
        """Make the changes in a table or array that holds these columns."""
        if id(content) in self.seen:
            return
        self.seen.add(id(content))
        if Kinds.polars_frame(content):
            changed = as_pandas(content)
            self.apply(changed)
            write_back(content, changed)
            return
        if self.job["shuffled"]:
            self._shuffle(content)
        if Kinds.frame(content):
            chosen.apply(content, self.cells)
        else:
            flat = content.reshape(len(content), -1)
            for at, (hosts, cells) in self.cells.items():
                flat[hosts, at] = np.asarray(cells)

    def _shuffle(self, content: Any) -> None:
        """Every other row that was not changed gets another one's values; the target's values, where there are some, change places."""
        if not Kinds.frame(content):
            return
        random = np.random.default_rng(0)
        rows = np.setdiff1d(np.arange(len(content)), sorted(self.changed))
        hosts = rows[::2]
        # Copies of a few rows: any statistic of all of them moves.
        donors = random.choice(random.permutation(rows)[:3], len(hosts)) if len(rows) else hosts
        for at, name in enumerate(content.columns):
            made = content.iloc[:, at].array.copy()
            if str(name) in self.job["kept"]:
                there = np.flatnonzero(content.iloc[:, at].notna().to_numpy())
                made[there] = made.take(random.permutation(there))
            else:
                made[hosts] = made.take(donors)
            content.isetitem(at, made)


class Held(Taken):
    """Holds a run to what an earlier one, with this folder, has taken from all rows; to nothing where there is none."""

    def __init__(self, folder: str, first: str | None) -> None:
        super().__init__(folder)
        self.known = None if first is None else Known(first)
        self.moved: list[tuple[int, int, str]] = []
        """Tree, node and name of what was held at its first value."""
        self._instead: tuple[Any, Any] | None = None

    def reduction(self, site: Any, op: Any, lineages: list[Lineage]) -> None:
        """Put the first run's result in the place of another one."""
        if op.name in LENGTHS or op.result is op.receiver or not of_many(lineages) or not is_data(op.result):
            return
        before = self._before(self.key(site, "value"), op.result)
        if before is not None and type(before) is type(op.result):
            self.moved.append((site.tree, site.node, op.name))
            self._instead = (op.result, before)

    def fitted(self, site: Any, op: Any) -> None:
        """Give the object the state that the first run left in it."""
        if op.receiver is None or not has_state(op.receiver):
            return
        before = self._before(self.key(site, "state"), op.receiver)
        if before is None:
            return
        self.moved.append((site.tree, site.node, op.name))
        op.receiver.__dict__.clear()
        op.receiver.__dict__.update(before.__dict__)
        again = getattr(op.receiver, "transform", None)
        if op.result is not op.receiver and length(op.result) >= 0 and op.name.startswith("fit") and again and op.args:
            self._instead = (op.result, again(op.args[0]))

    def replacement(self, result: Any) -> Any:
        """What is to stand for this result; None where it stays."""
        instead, self._instead = self._instead, None
        return instead[1] if instead is not None and instead[0] is result else None

    def write(self) -> None:
        """Keeps nothing of its own."""

    def _before(self, key: str, now: Any) -> Any:
        """The first run's value, where it is another one."""
        data = None if self.known is None else self.known.get(key)
        if data is None or pickled(now) == data:
            return None
        before = pickle.loads(data)
        return None if _same_plain(before, now) else before


class Rerun(Recorder):
    """The recorder of a second run."""

    def __init__(
        self, folder: str, roles: dict[str, list[str]], namespace: dict[str, Any], job: dict[str, Any]
    ) -> None:
        super().__init__(folder, roles, namespace)
        self.snapshots = Light(os.path.join(folder, "snapshots"))
        self.raw_tables = self.tables_changed = ChangedTables(folder, job)
        self.taken = self._held = Held(folder, None if job["shuffled"] else job["first"])

    @guarded_value
    def result(self, site: int, result: Any) -> Any:
        """An operation has its result; the value that is to stand for it."""
        step = self.stack[-1].step
        made = super().result(site, result)
        instead = self._held.replacement(result)
        if instead is None or step is None:
            return made
        self.guarded(self._put_instead, step, site, made, instead)
        return instead

    def _put_instead(self, step: Any, site: int, made: Any, instead: Any) -> None:
        for place in range(len(step.log) - 1, -1, -1):
            if step.log[place][0] == site and step.log[place][1] is made:
                step.log[place] = (site, instead)
                break
        lineage = self.lineage_of(made)
        if lineage is not None and length(instead) == lineage.n:
            self.rows.put(instead, lineage)

    def finish(self) -> None:
        """Write the trace, and what was changed and held."""
        super().finish()
        tables = self.tables_changed
        changes = [
            {"number": n, "row": c.host, "words": c.words, "boldness": c.boldness} for n, c in enumerate(tables.changes)
        ]
        document = {
            "changes": changes,
            "made": tables.made,
            "came": tables.came,
            "differs": tables.differs,
            "held": self._held.moved,
        }
        with open(os.path.join(self.folder, "changes.json"), "w") as stream:
            json.dump(document, stream)


def tell(recorder: Rerun, request: dict[str, Any]) -> None:
    """Write what the run says of each row to the file `answer`.

    `request`: `runtime` (the folder of the runtime's package), `columns` (the signature's), `table_path` (this run's rows), `answer`; `relative`,
    `outputs`, `output` and `precision` (how finely answers and features are compared, see `runtime/equality.py`); `first` and
    `second`, each with `prediction` and `given` (files; `given` may be None), `rows` and `given_rows` (.npy: the raw row of each entry).
    """
    sys.path.insert(0, request["runtime"])
    try:
        document = _told(recorder, request)
    finally:
        sys.path.remove(request["runtime"])
    with open(request["answer"] + ".part", "w") as stream:
        json.dump(document, stream)
    os.replace(request["answer"] + ".part", request["answer"])


def _told(recorder: Rerun, request: dict[str, Any]) -> dict[str, Any]:
    from nb2prod_runtime.equality import alike, same

    changed = recorder.tables_changed.changed
    first, second = _Answers(request["first"]), _Answers(request["second"])
    untouched = [row for row in first.rows if row not in changed]
    step = max(1, len(untouched) // MOST_HELD_AGAINST)
    looked_at = untouched[::step]
    there = [row for row in looked_at if row in second.rows]
    apart = len(looked_at) - len(there)
    if not apart:
        pairs = zip(first.answers(there), second.answers(there), strict=True)
        allowed = _tolerance(request, "answers")
        apart += sum(not same(one, other, allowed, output=request["output"]) for one, other in pairs)
    if not apart and first.has_features(there) and second.has_features(there):
        pairs = zip(first.features(there), second.features(there), strict=True)
        allowed = _tolerance(request, "features")
        apart += sum(not alike(one, other, allowed) for one, other in pairs)
    asked = [row for row in sorted(changed) if row in second.rows]
    given = second.features(asked) if second.has_features(asked) else []
    return {
        "apart": apart,
        "answers": {str(row): value for row, value in zip(asked, second.answers(asked), strict=True)},
        "given": {str(row): value for row, value in zip(asked, given, strict=False)},
        "requests": _requests(sorted(changed), request),
    }


class _Answers:
    """What one run predicted, and what its model was given, by raw row."""

    def __init__(self, run: dict[str, Any]) -> None:
        self.rows = {int(row): at for at, row in enumerate(np.load(run["rows"]))}
        self._prediction = _load(run["prediction"])
        self._given = _load(run["given"]) if run["given"] else None
        self._given_rows = {int(row): at for at, row in enumerate(np.load(run["given_rows"]))} if run["given"] else {}

    def answers(self, rows: list[int]) -> list[Any]:
        """The predictions of these rows, as plain values."""
        return _plain(self._prediction, [self.rows[row] for row in rows], len(self.rows))

    def has_features(self, rows: list[int]) -> bool:
        """Whether it is known what the model was given for all of these."""
        return self._given is not None and all(row in self._given_rows for row in rows)

    def features(self, rows: list[int]) -> list[Any]:
        """What the model was given for these rows, as plain values."""
        return _plain(self._given, [self._given_rows[row] for row in rows], len(self._given_rows))


def _plain(value: Any, positions: list[int], count: int) -> list[Any]:
    """These entries of a value with one for each of `count` rows."""
    from nb2prod_runtime import outputs

    if not positions:
        return []
    if Kinds.frame(value) or Kinds.series(value):
        return list(outputs.per_row(value.iloc[positions], len(positions)))
    if Kinds.array(value) or Kinds.sparse(value):
        return list(outputs.per_row(value[positions], len(positions)))
    made = outputs.per_row(value, count)
    return [made[at] for at in positions]


def _requests(rows: list[int], request: dict[str, Any]) -> dict[str, Any]:
    """The changed rows as a request gives them; those that JSON can't carry are left out."""
    from nb2prod_runtime import encoding
    from nb2prod_runtime.signature import Signature

    signature = Signature.from_json({"schema": 1, "columns": request["columns"]})
    frame = _load(request["table_path"])
    found = {}
    for row in rows:
        # A value that JSON can't carry: no request can be this row.
        with contextlib.suppress(Exception):
            (found[str(row)],) = encoding.encode(frame.iloc[[row]].reset_index(drop=True), signature)
    return found


def _tolerance(request: dict[str, Any], of: str) -> Any:
    """The build's own tolerance, with what it has measured of the answers (or features)."""
    from nb2prod_runtime.equality import Measure, Tolerance

    measured = {place: Measure(**item) for place, item in request["precision"][of].items()}
    return Tolerance(request["relative"], request["outputs"] if of == "answers" else {}, measured)


def _framed(content: Any) -> Any:
    """A table that comes in as pandas holds it."""
    if Kinds.polars_frame(content):
        return as_pandas(content)
    return content if Kinds.frame(content) else pd.DataFrame(content.reshape(len(content), -1))


def _load(path: str) -> Any:
    with open(path, "rb") as stream:
        return pickle.load(stream)


def _equal_cells(one: Any, other: Any) -> bool:
    """Whether two tables hold the same values, column by column as far as the first one goes."""
    return all(
        one.iloc[:, at].reset_index(drop=True).equals(other.iloc[:, at].reset_index(drop=True))
        for at in range(one.shape[1])
    )


def _same_plain(one: Any, other: Any) -> bool:
    """Whether two containers of plain values are equal, in whatever order a set goes through them."""
    if type(one) is not type(other) or not isinstance(one, (set, frozenset, dict, list, tuple)):
        return False
    try:
        return bool(one == other)
    except ValueError:  # they hold arrays
        return False


def install(folder: str, roles: dict[str, list[str]], shell: Any, job: dict[str, Any]) -> Rerun:
    """Follow the second run in the running IPython shell."""
    recorder = Rerun(folder, roles, shell.user_ns, job)
    setattr(builtins, HOOK, recorder)
    shell.ast_transformers.append(recorder)
    Scratch(os.path.join(folder, "written"), job["guarded"]).install()
    return recorder
