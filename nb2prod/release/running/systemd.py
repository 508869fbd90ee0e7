"""A systemd user unit that brings a deployment back when the machine comes up, and ends it gently when it goes down."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from nb2prod import home
from nb2prod.errors import EnvironmentProblem

_TEXT = """\
# Written by `nb2prod deploy --systemd`.
[Unit]
Description=nb2prod deployment {name}
After=network.target

[Service]
# The servers have keepers of their own; this starts them and is done.
Type=oneshot
RemainAfterExit=yes
Environment={home}
ExecStart={python} -m nb2prod deploy --restore {name}
ExecStop={python} -m nb2prod stop {name} --until-restore
TimeoutStartSec=600
TimeoutStopSec=180

[Install]
WantedBy=default.target
"""


def unit_path(name: str) -> Path:
    """Where the user's units lie."""
    told = os.environ.get("XDG_CONFIG_HOME")
    return (Path(told) if told else Path.home() / ".config") / "systemd" / "user" / f"nb2prod-{name}.service"


def write(name: str) -> Path:
    """Write the unit of this deployment and return its path; raises `EnvironmentProblem`."""
    path = unit_path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(name), encoding="utf-8")
    except OSError as error:
        raise EnvironmentProblem(
            f"the systemd unit can't be written to {path}: {error.strerror or error}",
            "Set XDG_CONFIG_HOME to a folder that you may write to.",
        ) from error
    return path


def text(name: str) -> str:
    """The unit of this deployment."""
    return _TEXT.format(name=name, home=quoted(f"NB2PROD_HOME={home.home()}"), python=quoted(sys.executable))


def quoted(word: str) -> str:
    """One word of a unit file, whatever it holds."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
