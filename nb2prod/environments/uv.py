"""uv, which settles versions and makes environments: run as a program, its faults said in a few words."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nb2prod.errors import EnvironmentProblem

_SECONDS = 1800
_NOT_FOUND = re.compile(
    r"Because (?:there is no version of )?([A-Za-z0-9._-]+)(?:==(\S+?))? (?:was not found in (?:the package registry|the cache|the provided package locations)|and)"
)
_NO_VERSION = re.compile(r"there (?:is|are) no versions? of ([A-Za-z0-9._-]+)==(\S+?)[, ]")
_NO_NETWORK = (
    "network was disabled",
    "error sending request",
    "dns error",
    "failed to lookup address",
    "Connection refused",
    "connect error",
)


@dataclass(frozen=True)
class Sources:
    """Where packages may come from besides the index that uv is set up with.

    `find_links` are folders (or pages) of wheels; with `offline` nothing is asked of any index, and what uv has in its cache and
    those folders must do.
    """

    find_links: tuple[str, ...] = ()
    offline: bool = False

    def options(self) -> list[str]:
        """As options of uv's commands."""
        links = [part for place in self.find_links for part in ("--find-links", place)]
        return [*links, *(["--offline"] if self.offline else [])]


class Unsolvable(EnvironmentProblem):
    """No environment fits what was asked: `reason` is uv's, made short; `missing` names packages that no index has."""

    def __init__(self, message: str, hint: str, missing: Sequence[str] = (), *, unreachable: bool = False) -> None:
        super().__init__(message, hint)
        self.missing = tuple(missing)
        self.unreachable = unreachable


def run(arguments: Sequence[str], *, purpose: str, cwd: Path | None = None) -> str:
    """Run uv with these arguments and return all that it printed.

    Raises `Unsolvable` where no versions fit or a package can't be had, `EnvironmentProblem` for any other fault (a full disk
    among them): `purpose` begins the sentence, as in "the served environment can't be made".
    """
    try:
        done = subprocess.run(
            [program(), "--no-progress", "--color", "never", *arguments],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            cwd=cwd,
            env=environment(),
        )
    except subprocess.TimeoutExpired as error:
        raise EnvironmentProblem(f"{purpose}: uv did not end within {_SECONDS} s", "Try it again.") from error
    if done.returncode:
        raise problem_of(purpose, done.stderr)
    return done.stdout + done.stderr


def program() -> str:
    """The path of uv, which is installed with nb2prod; `EnvironmentProblem` where it is gone."""
    import uv

    try:
        return uv.find_uv_bin()
    except FileNotFoundError as error:
        raise EnvironmentProblem(
            "the program uv is missing, which makes the environments of services",
            "Install it beside nb2prod: python -m pip install uv",
        ) from error


def environment() -> dict[str, str]:
    """The environment variables that uv gets: the user's own settings of it, and nothing of the active Python's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    kept.pop("VIRTUAL_ENV", None)
    # The machine's own certificates, with a company's among them; interpreters are the user's business.
    return {"UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never", **kept}


def problem_of(purpose: str, said: str) -> EnvironmentProblem:
    """What uv `said` of a fault, as the problem to report; `purpose` begins its sentence."""
    if "No space left" in said or "os error 28" in said:
        return EnvironmentProblem(
            f"{purpose}: no space left on the disk",
            "Free some room there, or set NB2PROD_HOME (and UV_CACHE_DIR) to folders on another disk.",
        )
    unreachable = any(word in said for word in _NO_NETWORK)
    missing = _missing(said)
    return Unsolvable(f"{purpose}: {in_short(said)}", _hint(unreachable), missing, unreachable=unreachable)


def _hint(unreachable: bool) -> str:
    if unreachable:
        return (
            "Nothing could be asked of a package index. Try again with a network; or, on a machine that has one, `nb2prod env fetch` "
            "collects the packages in a folder, which --find-links FOLDER takes here."
        )
    return (
        "Change the versions in the notebook's environment so that they fit together; a package that is on no index can be given as a "
        "wheel: --find-links FOLDER."
    )


def _missing(said: str) -> tuple[str, ...]:
    found = [m[1] + (f"=={m[2]}" if m[2] else "") for m in _NOT_FOUND.finditer(said) if "not found" in m[0]]
    found += [f"{m[1]}=={m[2]}" for m in _NO_VERSION.finditer(said)]
    return tuple(dict.fromkeys(found))


def in_short(said: str) -> str:
    """The reason that uv gives, in one sentence or two: its conclusions and decorations left out."""
    text = " ".join(re.sub(r"[╰─▶│\u00d7·]", " ", said).split())
    cause = re.search(r"(?:cause: |resolving dependencies: )(.*)", text)
    text = cause[1] if cause else re.sub(r"^error: ", "", text)
    text = re.split(r" ?hint: ", text)[0]
    text = re.sub(r",? we can conclude that .*?(?=\. |\.?$)", "", text)
    text = re.sub(r"\b(?:And because|Because) (?:you require [^.]*? and )?", "", text)
    sentences = [part.strip() for part in text.split(". ") if part.strip()]
    short = "; ".join(dict.fromkeys(sentence.rstrip(".") for sentence in sentences))
    return (short if len(short) <= 400 else short[:399] + "…") or "uv gave no reason"
