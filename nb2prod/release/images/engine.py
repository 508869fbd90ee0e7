"""The container engine of this machine: docker, podman or buildah, whichever answers."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nb2prod.errors import EnvironmentProblem, InputError

NAMES = ("docker", "podman", "buildah")
_SECONDS = 30
_LOG_LINES = 25


@dataclass(frozen=True)
class Engine:
    """An engine that answers. buildah builds images and can't run them."""

    name: str
    program: str

    @property
    def runs(self) -> bool:
        """Whether it can run what it builds."""
        return self.name != "buildah"

    def build(self, context: str, tag: str, options: Sequence[str], told: Callable[[str], None]) -> None:
        """Build the image of this context under this tag; `told` gets what the engine says, line by line.

        Raises `EnvironmentProblem` with the end of that where the engine fails. An interrupt ends the engine with
        all that it started.
        """
        # Only Docker's own format has a health check.
        form = [] if self.name == "docker" else ["--format", "docker"]
        command = [self.program, "build", *form, "--tag", tag, *options, context]
        lines: list[str] = []
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    lines = [*lines, line.rstrip()][-_LOG_LINES:]
                    told(line.rstrip())
                code = process.wait()
            except BaseException:
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, signal.SIGTERM)
                raise
        if code:
            said = "".join(f"\n    {line}" for line in lines if line.strip())
            raise EnvironmentProblem(
                f"{self.name} could not build the image {tag} (status {code}){said}",
                "Nothing was tagged. The last lines say what it lacked: room on the disk, the base image, a package.",
            )

    def ask(self, *arguments: str, seconds: float = _SECONDS) -> str:
        """What the engine answers to a short command; raises `EnvironmentProblem`."""
        try:
            done = subprocess.run(
                [self.program, *arguments], capture_output=True, text=True, timeout=seconds, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EnvironmentProblem(f"{self.name} {arguments[0]} gave no answer: {error}") from error
        if done.returncode:
            raise EnvironmentProblem(f"{self.name} {' '.join(arguments[:2])}: {_last(done.stderr)}")
        return done.stdout

    def image(self, tag: str) -> dict[str, Any] | None:
        """What the engine knows of an image; None where it has none of this tag."""
        try:
            (found,) = json.loads(self.ask("inspect", "--type", "image", tag))
        except (EnvironmentProblem, ValueError):
            return None
        document: dict[str, Any] = found
        return document

    def address(self, container: str) -> str | None:
        """The URL of a running container of ours; None where the engine runs none of this name."""
        try:
            (found,) = json.loads(self.ask("inspect", "--type", "container", container))
        except (EnvironmentProblem, ValueError):
            return None
        port = found["Config"].get("Labels", {}).get(PORT_LABEL)
        return f"http://127.0.0.1:{port}" if port and found["State"].get("Running") else None


PORT_LABEL = "nb2prod.port"
"""The label of a container that says at which port of this machine it answers."""


def find(wanted: str | None = None, *, to_run: bool = False) -> Engine:
    """The engine of this name, or the first that answers; `to_run` leaves buildah out.

    Raises `InputError` for an unknown name, `EnvironmentProblem` where none answers, with what each said.
    """
    if wanted is not None and wanted not in NAMES:
        raise InputError(f"{wanted!r} is no container engine that is known", f"Expected one of: {', '.join(NAMES)}.")
    told = []
    for name in (wanted,) if wanted else NAMES:
        if to_run and name == "buildah":
            told.append("buildah: builds images and can't run them")
            continue
        program = shutil.which(name)
        reason = "not installed" if program is None else _refusal(name, program)
        if program is not None and reason is None:
            return Engine(name, program)
        told.append(f"{name}: {reason}")
    raise EnvironmentProblem(
        "no container engine answers" + "".join(f"\n    {line}" for line in told),
        "Install podman or start Docker's engine. `nb2prod deploy` without --container needs none.",
    )


def of_container(name: str) -> str | None:
    """The URL of the running container of this name, of whichever engine; None where there is none."""
    for each in NAMES[:2]:
        program = shutil.which(each)
        address = Engine(each, program).address(name) if program else None
        if address is not None:
            return address
    return None


def _refusal(name: str, program: str) -> str | None:
    """Why the engine does not answer: a client is often there without its engine."""
    question = "version" if name == "buildah" else "info"
    try:
        done = subprocess.run([program, question], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"gives no answer ({error})"
    return None if done.returncode == 0 else _last(done.stderr or done.stdout)


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it says nothing"
