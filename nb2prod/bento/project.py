"""The project folder: everything that becomes the Bento's `src`, laid out so that it can be served as it is.

::

    service.py  features.py  predict.py  fallback.py (if any)  nb2prod_runtime/
    signature.json  reference.json  examples.json  options.json  environment.json (written with the pins)
    artifacts/manifest.json  artifacts/<files>       (written before, by the runtime's artifacts module)
    <modules imported from the notebook's folder>
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nb2prod import room
from nb2prod.errors import EnvironmentProblem, InputError

RUNTIME_PACKAGE = "nb2prod_runtime"
ARTIFACTS = "artifacts"
GENERATED = frozenset(
    {
        "service.py",
        "features.py",
        "predict.py",
        "fallback.py",
        "signature.json",
        "reference.json",
        "examples.json",
        "options.json",
        "environment.json",
        "local_wheels",
        "requirements.txt",
        "bentofile.yaml",
        RUNTIME_PACKAGE,
        ARTIFACTS,
    }
)
"""Names at the top of a project folder that a file from the notebook's folder must not take."""

SERVICE = '''\
"""The service that BentoML finds here: POST /predict, POST /features, GET /signature, /docs.json."""

import json
import os
from pathlib import Path

# Before any numerical library is loaded. A request's rows are few: more threads seldom gain anything, and on a busy
# machine they wait for each other, spinning.
options = json.loads(Path(__file__).with_name("options.json").read_text(encoding="utf-8"))
os.environ.setdefault("OMP_NUM_THREADS", str(options.get("threads", 1)))

from nb2prod_runtime.service import build_service

Service = build_service(__file__)
'''

_CACHES = frozenset({"__pycache__", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".ruff_cache"})


@dataclass(frozen=True)
class ProjectFiles:
    """What `write` puts into the folder beside the runtime and the artifacts.

    `features`, `predict` and `fallback` (where the notebook has rules) are Python source; `modules` are the Python files and
    the folders of packages that the served code imports without their being installed.
    """

    features: str
    predict: str
    signature: Mapping[str, object]
    reference: Mapping[str, object]
    examples: Mapping[str, object]
    options: Mapping[str, object] = field(default_factory=dict)
    modules: tuple[Path, ...] = ()
    fallback: str | None = None


def write(folder: Path, files: ProjectFiles) -> Path:
    """Write the project into `folder` (made if missing, its `artifacts/` kept) and return it.

    Raises `InputError` where generated code is not Python, a document is not JSON, or a module of the
    notebook's folder has a name that the project needs; `EnvironmentProblem` where the disk refuses.
    """
    clashes = sorted(path.name for path in files.modules if path.name in GENERATED)
    if clashes:
        raise InputError(
            f"the notebook imports {clashes[0]!r} from its own folder, and the Bento has a file of that name",
            f"Rename {clashes[0]} in the notebook's folder, and its import.",
        )
    try:
        _write(folder, files)
    except OSError as error:
        raise EnvironmentProblem(
            f"the Bento's project can't be written to {folder}: {room.reason(error)}",
            "Free some room there, or set NB2PROD_HOME to another folder.",
        ) from error
    return folder


def _write(folder: Path, files: ProjectFiles) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    copy_runtime(folder / RUNTIME_PACKAGE)
    _write_python(folder / "service.py", SERVICE)
    _write_python(folder / "features.py", files.features)
    _write_python(folder / "predict.py", files.predict)
    if files.fallback is not None:
        _write_python(folder / "fallback.py", files.fallback)
    write_json(folder / "signature.json", files.signature)
    write_json(folder / "reference.json", files.reference)
    write_json(folder / "examples.json", files.examples)
    write_json(folder / "options.json", files.options)
    for module in files.modules:
        _copy_module(module, folder / module.name)


def copy_runtime(target: Path) -> None:
    """Copy nb2prod's runtime package to `target`, replacing what is there; without caches and tests."""
    source = Path(__file__).parent.parent / "runtime"
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_CACHES, "*.pyc", "tests", ".*"))


def write_json(path: Path, document: Mapping[str, object]) -> None:
    """Write the document as stable JSON text: same content, same bytes; NaN is refused with `InputError`."""
    try:
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{path.name} can't be written as JSON: {error}",
            "Please report this: it is a fault in nb2prod, not in the notebook.",
        ) from error
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def content(folder: Path) -> Iterator[Path]:
    """The files of a project, or of a built Bento's `src`: relative, sorted, without caches and BentoML's own."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not is_ignored(relative):
            yield relative


def is_ignored(relative: Path) -> bool:
    """Whether this path is a cache, or is written by BentoML's packaging: no part of what is served."""
    if relative.suffix == ".pyc" or _CACHES.intersection(relative.parts):
        return True
    return relative.as_posix() in ("bentofile.yaml", "requirements.txt")


def _write_python(path: Path, source: str) -> None:
    try:
        compile(source, path.name, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise InputError(
            f"the generated {path.name} is not valid Python (line {error.lineno}: {error.msg})",
            "Please report this with the notebook: it is a fault in nb2prod.",
        ) from error
    path.write_text(source if source.endswith("\n") else source + "\n", encoding="utf-8", newline="\n")


def _copy_module(source: Path, target: Path) -> None:
    if source.is_dir():
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_CACHES, "*.pyc", ".*"))
    else:
        shutil.copyfile(source, target)
