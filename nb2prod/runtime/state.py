"""Where a service keeps what it must not lose: waiting jobs and the request log.

One folder for each model, shared by its workers and by its versions, so that a job put in before a deployment is answered
after it. ``NB2PROD_DATA`` names the folder of all models; nothing is made before it is needed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path


def folder(model: str) -> Path:
    """The folder of this model; it may not exist yet."""
    told = os.environ.get("NB2PROD_DATA")
    if told:
        root = Path(told).expanduser().absolute()
    else:
        data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
        root = Path(data).expanduser().absolute() / "nb2prod" / "serving"
    return root / (re.sub(r"[^A-Za-z0-9_.-]+", "_", model) or "model")
