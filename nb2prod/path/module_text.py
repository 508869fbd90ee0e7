"""The text of a generated module: its imports, what it defines, the body of its function."""

from __future__ import annotations

import ast
import re

INDENT = "    "


def indented(lines: list[str]) -> list[str]:
    return [INDENT + line if line.strip() else "" for line in lines]


def renamed(text: str, name: str) -> str:
    """The text with a function of the notebook under another name, for the service has one of this name."""
    return re.sub(rf"(?<![\w.]){name}(?=\()", f"notebook_{name}", text)


def called(text: str, name: str, final: str) -> str:
    """The text of a definition under another name."""
    return re.sub(rf"(?m)^((?:(?:async +)?def|class) +)?{name}\b(?=\s*[(:=])", rf"\g<1>{final}", text, count=1)


def names_in(code: str) -> set[str]:
    return {n.id for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Name)}


def module(docstring: str, imports: list[str], code: str, own: list[str]) -> str:
    used = names_in(code)
    needed = [line for line in dict.fromkeys(imports) if _imported(line) in used]
    ours = [n for n in ("captured", "frozen", "rules") if n in used]
    runtime = [f"from nb2prod_runtime import {', '.join(ours)}"] if ours else []
    top = [docstring, "", *_ordered(needed)]
    if needed and (runtime or own):
        top.append("")
    return "\n".join([*top, *runtime, *own]) + "\n\n\n" + code + "\n"


def _imported(line: str) -> str:
    return (
        line.rsplit(" as ", maxsplit=1)[-1].rsplit(maxsplit=1)[-1].split(".", maxsplit=1)[0]
        if " as " in line
        else (line.rsplit(maxsplit=1)[-1] if line.startswith("from") else line.split()[1].split(".", maxsplit=1)[0])
    )


def _ordered(imports: list[str]) -> list[str]:
    """Plain imports first; what comes from one module on one line."""
    plain = sorted(i for i in imports if i.startswith("import"))
    taken: dict[str, list[str]] = {}
    for line in imports:
        if line.startswith("from"):
            module, _, name = line.removeprefix("from ").partition(" import ")
            taken.setdefault(module, []).append(name)
    return plain + [f"from {module} import {', '.join(sorted(set(taken[module])))}" for module in sorted(taken)]


def import_roots(code: str) -> set[str]:
    """The top-level modules that generated code imports."""
    roots: set[str] = set()
    for chunk in code.split('"""Prediction of'):
        text = chunk if chunk.startswith('"""Feature') else '"""Prediction of' + chunk
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                roots.update(a.name.split(".")[0] for a in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                roots.add(node.module.split(".")[0])
    return roots - {"nb2prod_runtime", "features"}
