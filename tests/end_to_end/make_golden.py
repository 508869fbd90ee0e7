"""Writes the golden files anew: `python -m tests.end_to_end.make_golden`. Read the difference before it is committed."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from nb2prod import config, notebook
from nb2prod.bento import project
from nb2prod.path import plan
from nb2prod.progress import NoProgress
from nb2prod.recording import record

GOLDEN = Path(__file__).parent / "golden"
EXAMPLES = Path(__file__).parents[2] / "example_notebooks"
NAMES = ("flight_delay", "diabetes_progression", "breast_cancer")


def generated(name: str, folder: Path) -> tuple[str, str]:
    """The two modules that a build of this example generates."""
    path = EXAMPLES / f"{name}.ipynb"
    staged = folder / "project"

    def then(recording: object, kernel: object) -> tuple[str, str]:
        staged.mkdir()
        project.copy_runtime(staged / project.RUNTIME_PACKAGE)
        made = plan.plan(recording, kernel, config.load(path), staged, NoProgress())
        return made.composition.features, made.composition.predict

    return record.record(notebook.read(path), config.load(path), folder / "recording", NoProgress(), then)


def main() -> None:
    """Write them all."""
    GOLDEN.mkdir(exist_ok=True)
    for name in NAMES:
        folder = Path(tempfile.mkdtemp())
        try:
            features, predict = generated(name, folder)
        finally:
            shutil.rmtree(folder)
        (GOLDEN / f"{name}_features.py.txt").write_text(features)
        (GOLDEN / f"{name}_predict.py.txt").write_text(predict)


if __name__ == "__main__":
    main()
