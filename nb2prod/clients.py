"""A typed client for the callers of a model, generated from the OpenAPI document that its service gives.

The generators are other people's and well kept: openapi-python-client (Python) and openapi-typescript (TypeScript). Neither asks
a network once it is installed.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nb2prod.errors import EnvironmentProblem, InputError

Language = Literal["python", "typescript"]
_SECONDS = 300
_TYPESCRIPT = "openapi-typescript"
_INDEX = Path(__file__).with_name("cli") / "templates" / "client.ts.txt"


@dataclass(frozen=True)
class GeneratedClient:
    """Where the client lies, and what it was made for."""

    folder: Path
    language: Language
    model: str
    """`name:version`."""
    files: tuple[str, ...]
    """Paths below the folder."""


def generate(
    document: dict[str, Any], language: Language, output: Path | None = None, *, force: bool = False
) -> GeneratedClient:
    """Generate a client from this OpenAPI document, by default into `<model>-client` in the current folder.

    Raises `InputError` where the folder is there already (`force` writes over it), `EnvironmentProblem` where the
    generator is not installed or fails; then the folder is as it was.
    """
    name = str(document["info"]["title"])
    target = output or Path(f"{name}-client")
    if target.exists() and not force:
        raise InputError(f"{target} is there already", "Write over it with --force, or elsewhere with --output FOLDER.")
    make = {"python": _python, "typescript": _typescript}[language]
    with tempfile.TemporaryDirectory(prefix="nb2prod-client-") as scratch:
        source, made = Path(scratch) / "docs.json", Path(scratch) / "client"
        source.write_text(json.dumps(document), encoding="utf-8")
        make(source, made, name, str(document["info"]["version"]))
        try:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(made, target)
        except OSError as error:
            raise EnvironmentProblem(f"{target} can't be written: {error.strerror or error}") from error
    files = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    return GeneratedClient(target, language, f"{name}:{document['info']['version']}", tuple(files))


def document_of(target: str, *, key: str | None = None) -> dict[str, Any]:
    """The OpenAPI document of a Bento (name, name:version, folder), as its service gives it, or of the service at a URL.

    Raises `InputError` where there is no such Bento, or the service refuses.
    """
    if "://" in target:
        return _asked(target, key)
    from nb2prod.bento import store
    from nb2prod.runtime import openapi
    from nb2prod.runtime.options import Options
    from nb2prod.runtime.signature import Signature

    item = store.read(Path(target)) if Path(target).is_dir() else store.find(target)
    source = item.folder / "src"
    examples: list[dict[str, Any]] = _read(source / "examples.json")["rows"]
    facts = openapi.Facts(item.version, fallback=(source / "fallback.py").is_file())
    options = Options.from_json(_read(source / "options.json"))
    return openapi.document(Signature.load(source / "signature.json"), options, examples, facts)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _asked(url: str, key: str | None) -> dict[str, Any]:
    from nb2prod.parity.client import Client

    client = Client(url, headers={"X-API-Key": key} if key else {})
    try:
        reply = client.get("/docs.json")
    finally:
        client.close()
    if reply.status in (401, 403):
        said = "refused the key that was given" if key else "asks for a key"
        raise InputError(f"the service at {url} {said}", "Give one with --key, or in NB2PROD_KEY.")
    if reply.status != 200 or "openapi" not in reply.document:
        raise InputError(
            f"{url} has no OpenAPI document: GET /docs.json answered {reply.status}", "Name the URL of a service."
        )
    document: dict[str, Any] = reply.document
    return document


def _python(source: Path, made: Path, name: str, version: str) -> None:
    if importlib.util.find_spec("openapi_python_client") is None:
        raise EnvironmentProblem(
            "the generator openapi-python-client is not installed", 'Install it: pip install "nb2prod[client]"'
        )
    package = re.sub(r"\W+", "_", name)
    settings = {
        "project_name_override": f"{name}-client",
        "package_name_override": f"{package}_client",
        # Its own defaults look for a `ruff` on the path.
        "post_hooks": [
            f'"{sys.executable}" -m ruff check . --fix-only --quiet',
            f'"{sys.executable}" -m ruff format . --quiet',
        ],
        "package_version_override": f"0+{version}",
    }
    config = source.with_name("config.json")
    config.write_text(json.dumps(settings), encoding="utf-8")
    options = ["--path", str(source), "--output-path", str(made), "--config", str(config), "--meta", "setup"]
    _run([sys.executable, "-m", "openapi_python_client", "generate", *options], "openapi-python-client")


def _typescript(source: Path, made: Path, name: str, version: str) -> None:
    program = _node_program(_TYPESCRIPT)
    made.mkdir()
    _run([program, str(source), "--output", str(made / "schema.d.ts")], _TYPESCRIPT)
    (made / "index.ts").write_text(
        _INDEX.read_text(encoding="utf-8").replace("@MODEL@", f"{name}:{version}"), encoding="utf-8"
    )
    package = {
        "name": f"{name}-client",
        "version": f"0.0.0-{version}",
        "private": True,
        "type": "module",
        "main": "index.ts",
        "dependencies": {"openapi-fetch": ">=0.13 <1"},
    }
    (made / "package.json").write_text(json.dumps(package, indent=2) + "\n", encoding="utf-8")


def _node_program(name: str) -> str:
    """The program of an npm package: of the project around the current folder, or on the path."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        program = folder / "node_modules" / ".bin" / name
        if program.exists():
            return str(program)
    found = shutil.which(name)
    if found is None:
        raise EnvironmentProblem(
            f"the generator {name} is neither in node_modules here nor on the path",
            f"In the project that asks the model: npm install --save-dev {name} && npm install openapi-fetch",
        )
    return found


def _run(command: Sequence[str], generator: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentProblem(f"{generator} can't be run: {error}") from error
    if done.returncode:
        said = "\n".join(f"    {line}" for line in (done.stderr or done.stdout).strip().splitlines()[-15:])
        raise EnvironmentProblem(
            f"{generator} failed:\n{said}", "Update it; the OpenAPI document is what `GET /docs.json` gives."
        )
