"""What has a deployment watched by itself: a systemd timer, or a line of a crontab. It is printed, never installed."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass

from nb2prod import home
from nb2prod.release.running.systemd import quoted

EVERY = ("hourly", "daily", "weekly")
_CRON = {"hourly": "7 * * * *", "daily": "7 6 * * *", "weekly": "7 6 * * 1"}
"""Not at the full hour, when everything else runs."""
_CALENDAR = {"hourly": "*-*-* *:07:00", "daily": "*-*-* 06:07:00", "weekly": "Mon *-*-* 06:07:00"}

_SERVICE = """\
# Printed by `nb2prod schedule {name} --systemd`: ~/.config/systemd/user/{unit}.service
[Unit]
Description=nb2prod watches {name}

[Service]
Type=oneshot
Environment={home}
ExecStart={command}
# 1: an alarm that nobody has acknowledged; the unit is then failed, and `systemctl --user --failed` lists it.
TimeoutStartSec=3600
"""
_TIMER = """\
# Printed by `nb2prod schedule {name} --systemd`: ~/.config/systemd/user/{unit}.timer
[Unit]
Description=nb2prod watches {name} {every}

[Timer]
OnCalendar={calendar}
# Also once the machine is up again, where it was off at that time.
Persistent=true

[Install]
WantedBy=timers.target
"""


@dataclass(frozen=True)
class File:
    """A file to be put in its place: its name and its text."""

    name: str
    text: str


def systemd(name: str, every: str, webhook: str | None = None) -> tuple[File, File]:
    """A service and its timer, for the user's systemd."""
    unit = f"nb2prod-watch-{name}"
    command = " ".join(map(_literal, _command(name, webhook)))
    service = _SERVICE.format(name=name, unit=unit, home=quoted(f"NB2PROD_HOME={home.home()}"), command=command)
    timer = _TIMER.format(name=name, unit=unit, every=every, calendar=_CALENDAR[every])
    return File(f"{unit}.service", service), File(f"{unit}.timer", timer)


def cron(name: str, every: str, webhook: str | None = None) -> str:
    """A line of a crontab. What the command writes is mailed by cron, also while there is no alarm."""
    command = shlex.join(["env", f"NB2PROD_HOME={home.home()}", *_command(name, webhook)])
    # A bare % ends a command in a crontab.
    return f"{_CRON[every]} {command}".replace("%", "\\%")


def _command(name: str, webhook: str | None) -> list[str]:
    told = [] if webhook is None else ["--webhook", webhook]
    return [sys.executable, "-m", "nb2prod", "watch", name, "--check", *told]


def _literal(word: str) -> str:
    """A word of ExecStart, in which a dollar sign names a variable."""
    return quoted(word).replace("$", "$$")
