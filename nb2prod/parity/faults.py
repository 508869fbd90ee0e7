"""What can go wrong with the service under proof, other than answering differently."""

from __future__ import annotations

from nb2prod.errors import EnvironmentProblem


class ServiceFault(EnvironmentProblem):
    """The service hangs, died, or answers what is no answer. `log` holds the last lines that it wrote."""

    kind = "service"

    def __init__(self, message: str, hint: str = "", log: str = "") -> None:
        super().__init__(message, hint)
        self.log = ""
        self.add_log(log)

    def add_log(self, log: str) -> None:
        """Show these lines of its log with the message, unless it has some."""
        if log and not self.log:
            self.log = log
            self.message += "".join(f"\n    {line}" for line in log.splitlines())
            self.args = (self.message,)
