"""What the rules look at: the trace of a notebook, its expected path, and where a diagnostic belongs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from nb2prod.diagnostics import Diagnostic, Severity
from nb2prod.forecast.prediction import Prediction
from nb2prod.forecast.values import Block, Kind, Site, Unit, units
from nb2prod.forecast.walk import Walk
from nb2prod.notebook import Cell, Notebook


@dataclass(frozen=True)
class Context:
    """A notebook as the forecast sees it."""

    notebook: Notebook
    block: Block
    prediction: Prediction | None
    path: Walk
    target: frozenset[str]

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """Every statement, in order."""
        return tuple(units(self.block))

    def about_target(self, unit: Unit) -> bool:
        """Whether the statement only makes the target: a request has none, so it does not count."""
        written = {name for name, _ in unit.columns_written}
        return bool(written) and written <= self.target

    @cached_property
    def made_of_target(self) -> dict[str, Unit]:
        """Columns that the path makes of the target row by row, and so what is made of those; with the statement."""
        found: dict[str, Unit] = {}
        for unit in self.path.kept:
            read = {name for name, _ in unit.columns_read}
            if not read & (self.target | found.keys()) or any(
                site.result.kind is Kind.AGGREGATE for site in unit.sites
            ):
                continue
            if any(site.name == "transform" for site in unit.sites):
                continue
            new = {name for name, _ in unit.columns_written} - self.target
            found.update({name: unit for name in new if name not in found})
        return found

    @cached_property
    def path_sites(self) -> tuple[tuple[Unit, Site], ...]:
        """The calls on the path, those that only make the target left out."""
        return tuple((unit, site) for unit, site in self.path.sites if not self.about_target(unit))

    def sites(self) -> Iterator[tuple[Unit, Site]]:
        """Every call of the notebook."""
        for unit in self.units:
            for site in unit.sites:
                yield unit, site


def at_site(site: Site, code: str, severity: Severity, message: str, hint: str) -> Diagnostic:
    """A diagnostic at the line of this call."""
    return at(site.cell, site.line, code, severity, message, hint)


def at(cell: Cell, line: int, code: str, severity: Severity, message: str, hint: str) -> Diagnostic:
    """A diagnostic at this line."""
    return Diagnostic(code, severity, message, hint, cell.number, line, cell.text_of(line).strip())


def named(site: Site) -> str:
    """The rows that the call works on, as the notebook writes them: `df['dep_delay']`."""
    node = site.node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not site.module:
        text = ast.unparse(node.func.value)
    elif isinstance(node, ast.Call) and node.args:
        text = ast.unparse(node.args[0])
    else:
        text = ast.unparse(node)
    return text if len(text) <= 50 else f"{text[:47]}..."


def expression(site: Site) -> str:
    """The call as the notebook writes it, shortened."""
    text = ast.unparse(site.node)
    return text if len(text) <= 60 else f"{text[:57]}..."


def written(unit: Unit) -> str:
    """The column that the statement makes, or an empty string."""
    return unit.columns_written[0][0] if unit.columns_written else ""
