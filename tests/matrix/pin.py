"""Writes the lists of exact versions anew: `python -m tests.matrix.pin [NAME ...]`; all environments without a name."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.matrix.environments import ENVIRONMENTS, Environment, interpreter, uv

EVERY_KERNEL = ("ipykernel", "matplotlib", "seaborn", "statsmodels")
"""Besides what an environment is about: what a kernel and the example notebooks need."""
RUNTIME = (
    "bentoml==1.4.39",
    "cloudpickle",
    "httptools",
    "msgspec",
    "opentelemetry-exporter-otlp-proto-http",
    "skops",
    "starlette",
    "uvloop",
)
TESTS = (
    "httpx",
    "hypothesis",
    "lightgbm",
    "nbformat",
    "pytest",
    "pytest-timeout",
    "xgboost-cpu",
    # The plan is tested where the tool itself runs.
    "papermill",
    "rich",
)


def pin(environment: Environment) -> None:
    """Resolve both lists of one environment; the kernel's versions hold in both."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "asked.in"
        asked.write_text("\n".join((*environment.chosen, *EVERY_KERNEL)))
        _compile(environment, asked, environment.pins("kernel"))
        asked.write_text("\n".join((*environment.chosen, *EVERY_KERNEL, *RUNTIME, *TESTS)))
        _compile(environment, asked, environment.pins("tests"), "--constraints", str(environment.pins("kernel")))


def _compile(environment: Environment, asked: Path, pins: Path, *more: str) -> None:
    python = str(interpreter(environment.python))
    out = ["--no-header", "--no-annotate", "--upgrade", "--output-file", str(pins)]
    subprocess.run([uv(), "pip", "compile", "--quiet", "--python", python, str(asked), *out, *more], check=True)


if __name__ == "__main__":
    for chosen in ENVIRONMENTS:
        if len(sys.argv) == 1 or chosen.name in sys.argv[1:]:
            pin(chosen)
