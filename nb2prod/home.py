"""Where nb2prod keeps what it makes: recordings, staged Bentos and release records."""

from __future__ import annotations

import os
from pathlib import Path

from nb2prod.errors import EnvironmentProblem


def home() -> Path:
    """`NB2PROD_HOME` if set, else the platform's folder for user data. It may not exist yet."""
    told = os.environ.get("NB2PROD_HOME")
    if told:
        return Path(told).expanduser().absolute()
    import platformdirs

    return platformdirs.user_data_path("nb2prod", appauthor=False)


def staging() -> Path:
    """The folder for what is being made and not proved yet; made if missing."""
    return make(home() / "staging")


def releases() -> Path:
    """The folder of release records, `<name>/<version>/` each. It may not exist yet."""
    return home() / "releases"


def serving() -> Path:
    """The folder in which served Bentos keep jobs and request logs, one for each model. It may not exist yet."""
    return home() / "serving"


def make(folder: Path) -> Path:
    """The folder, made with its parents if missing; `EnvironmentProblem` where that can't be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentProblem(
            f"the folder {folder} can't be made: {error.strerror or error}",
            "Set the environment variable NB2PROD_HOME to a folder that you may write to.",
        ) from error
    return folder
