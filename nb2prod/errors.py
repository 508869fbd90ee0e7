"""Every error that nb2prod raises on purpose, and the exit code that the command line gives it.

A problem in the user's notebook is data (`Diagnostic`), collected and shown at once by `Refused`.
A problem of the input or of the environment is an exception here. `cli` is the one place that turns
these into exit codes; nothing below it calls `sys.exit`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nb2prod.diagnostics import Diagnostic


class Nb2ProdError(Exception):
    """Base of them all: `message` names the thing and what was expected, `hint` how to mend it."""

    exit_code: ClassVar[int] = 2
    kind: ClassVar[str] = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def to_json(self) -> dict[str, object]:
        """The `error` object of the command line's JSON documents."""
        return {"code": self.kind, "message": self.message, "hint": self.hint}


class InputError(Nb2ProdError):
    """Wrong use, or an input that can't be read: a missing file, an unknown option, a bad value."""

    kind = "input"


class EnvironmentProblem(Nb2ProdError):
    """The machine lacks something: a kernel, a package, a free port, room on the disk."""

    kind = "environment"


class Refused(Nb2ProdError):
    """The notebook can't be served as it is; `diagnostics` say where, why and what to write instead."""

    exit_code = 1
    kind = "refused"

    def __init__(self, diagnostics: Iterable[Diagnostic], message: str = "", hint: str = "") -> None:
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        self.notebook = ""
        """File name of the notebook, for messages; set by who knows it."""
        errors = [item for item in self.diagnostics if item.severity == "error"]
        summary = "; ".join(item.message for item in errors) or "the notebook was refused"
        super().__init__(message or summary, hint)

    def to_json(self) -> dict[str, object]:
        """As the base, with the diagnostics."""
        return {**super().to_json(), "diagnostics": [item.to_json() for item in self.diagnostics]}


class ParityFailed(Nb2ProdError):
    """The served model did not answer as the notebook did; `report` is the parity report, if one was made."""

    exit_code = 1
    kind = "parity"

    def __init__(self, message: str, hint: str = "", report: object = None) -> None:
        super().__init__(message, hint)
        self.report = report


class Cancelled(Nb2ProdError):
    """Interrupted by the user; whoever raises it has put away what was half-written."""

    exit_code = 130
    kind = "cancelled"

    def __init__(self, message: str = "interrupted; nothing was kept", hint: str = "") -> None:
        super().__init__(message, hint)
