"""Which modules the served code and its artifacts import: read from source and from artifact files, never executed."""

from __future__ import annotations

import ast
import json
import pickletools
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from nb2prod.bento import project
from nb2prod.environments.interpreter import Environment

FORMATS: dict[str, tuple[str, ...]] = {
    "json": (),
    "npy": ("numpy",),
    "parquet": ("pandas", "pyarrow"),
    "skops": ("skops", "sklearn"),
    "cloudpickle": ("cloudpickle",),
    "xgboost": ("xgboost",),
    "lightgbm": ("lightgbm",),
    "catboost": ("catboost",),
    "keras": ("keras",),
}
"""What the runtime imports to read an artifact of a format."""


def of_source(source: str) -> frozenset[str]:
    """Top-level names of every absolute import in the source, wherever in it the import stands."""
    return _of_tree(ast.parse(source))


def _of_tree(tree: ast.Module) -> frozenset[str]:
    return frozenset(name for node in ast.walk(tree) for name in _imported(node))


def of_project(folder: Path, standard_library: frozenset[str] = frozenset(sys.stdlib_module_names)) -> frozenset[str]:
    """Top-level names of all modules that this project needs from installed packages: all but those of the `standard_library`.

    The generated code and the notebook's own modules count with all their imports. The runtime counts
    with its modules' top-level imports; what it imports inside functions is needed where the manifest
    names that artifact format, or where the served code calls that function (a frozen operation).
    """
    own = {path.stem if path.suffix else path.name for path in folder.iterdir()}
    python = [path for path in project.content(folder) if path.suffix == ".py"]
    trees = {path: tree for path in python if (tree := _parsed(folder / path)) is not None}
    runtime = [path for path in trees if path.parts[0] == project.RUNTIME_PACKAGE]
    names: set[str] = set(of_artifacts(folder / project.ARTIFACTS))
    called: set[str] = set()
    for path in trees.keys() - set(runtime):
        names.update(_of_tree(trees[path]))
        if path != Path("service.py"):  # ours, and no code of the notebook
            called.update(_attributes(trees[path]))
    for path in runtime:
        names.update(_of_runtime_module(trees[path], called))
    return frozenset(names - own - standard_library)


def of_artifacts(folder: Path) -> frozenset[str]:
    """Top-level modules that reading the artifacts of this folder needs, by format and by what the files name."""
    names: set[str] = set()
    for file, kind in _artifact_files(folder):
        names.update(FORMATS.get(kind, ()))
        path = folder / file
        if kind == "json":
            names.update(_named_in_json(path))
        elif kind == "skops":
            names.update(_named_in_skops(path))
        elif kind == "cloudpickle":
            names.update(_named_in_pickle(path.read_bytes()))
    return frozenset(name for name in names if name not in sys.stdlib_module_names)


def local_modules(imports: Iterable[str], folders: Sequence[Path], environment: Environment) -> tuple[Path, ...]:
    """Modules among `imports` (top-level names) that lie in one of the `folders`, and those that they import in turn.

    Each is a file, or the folder of a package. As in a notebook's kernel, whose `environment` it is, the folders win over installed
    packages of the same name; the standard library wins over both, and a folder of modules without `__init__.py` gives way to any of them.
    """
    found: dict[str, Path] = {}
    waiting = sorted(set(imports))
    while waiting:
        name = waiting.pop()
        if name in found or name in environment.standard_library:
            continue
        path = next(filter(None, (_local(name, folder, environment) for folder in folders)), None)
        if path is None:
            continue
        found[name] = path
        waiting += sorted(of_module(path))
    return tuple(found[name] for name in sorted(found))


def _local(name: str, folder: Path, environment: Environment) -> Path | None:
    if (folder / name / "__init__.py").is_file():
        return folder / name
    if (folder / f"{name}.py").is_file():
        return folder / f"{name}.py"
    # A folder of modules without __init__.py gives way to an installed module of its name.
    is_namespace = name not in environment.by_module and next((folder / name).glob("*.py"), None) is not None
    return folder / name if is_namespace else None


def of_module(path: Path) -> frozenset[str]:
    """What the module at `path` imports, or all modules below that folder; what Python could not import is left out."""
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return frozenset(name for file in files if (tree := _parsed(file)) is not None for name in _of_tree(tree))


def _parsed(file: Path) -> ast.Module | None:
    """The file's tree, None where Python could not import it either (a template, another encoding)."""
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return None


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name.partition(".")[0]
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        yield node.module.partition(".")[0]


def _of_runtime_module(tree: ast.Module, called: set[str]) -> Iterator[str]:
    for node in tree.body:
        yield from _imported(node)
        if isinstance(node, ast.FunctionDef) and node.name in called:
            for inner in ast.walk(node):
                yield from _imported(inner)


def _attributes(tree: ast.Module) -> Iterator[str]:
    return (node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))


def _artifact_files(folder: Path) -> Iterator[tuple[str, str]]:
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        return
    for artifact in json.loads(manifest.read_text(encoding="utf-8"))["artifacts"]:
        for entry in artifact.get("entries") or [artifact]:
            yield entry["file"], entry["format"]


def _named_in_json(path: Path) -> Iterator[str]:
    """Functions and classes written by name: `{"$": "ref", "v": "module:name"}`."""
    for node in _objects(json.loads(path.read_bytes())):
        if node.get("$") == "ref":
            yield str(node["v"]).partition(":")[0].partition(".")[0]


def _named_in_skops(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        schema = json.loads(archive.read("schema.json"))
    for node in _objects(schema):
        if isinstance(node.get("__module__"), str):
            yield node["__module__"].partition(".")[0]


def _objects(document: object) -> Iterator[dict[str, Any]]:
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _named_in_pickle(data: bytes) -> set[str]:
    """Modules that loading this pickle imports: operands of GLOBAL and STACK_GLOBAL, and cloudpickle's `subimport`."""
    names: set[str] = set()
    memo: dict[int, str | None] = {}
    recent: list[str | None] = ["", ""]
    after_subimport = False
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name == "MEMOIZE":
            memo[len(memo)] = recent[-1]
        elif opcode.name.endswith("PUT"):
            memo[int(str(argument))] = recent[-1]
        elif opcode.name == "GLOBAL":
            names.add(str(argument).split(" ")[0])
        elif opcode.name == "STACK_GLOBAL":
            names.add(recent[-2] or "")
            after_subimport = recent[-1] == "subimport"
            recent.append(None)
        elif opcode.stack_after:
            pushed = memo.get(int(str(argument))) if opcode.name.endswith("GET") else argument
            recent.append(pushed if isinstance(pushed, str) else None)
            if after_subimport and recent[-1]:
                names.add(recent[-1])
                after_subimport = False
    return {name.partition(".")[0] for name in names if name}
