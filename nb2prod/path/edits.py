"""Source text with some expressions replaced: the notebook's own lines, comments kept.

Every edited statement is parsed again and compared with the same replacement made on the tree; where the text can't be patched
(inside an f-string, say) the statement is written out from the tree.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable

from nb2prod.recording.trace import Tree

Render = Callable[[ast.AST], str]
Edit = Callable[[Render], str]


class Patcher:
    """Renders parts of one tree with edits applied. `edits`: preorder index of an expression -> its replacement."""

    def __init__(self, tree: Tree, edits: dict[int, Edit]) -> None:
        self.tree = tree
        self.edits = edits
        self.lines = tree.text.splitlines()
        self._bytes = [line.encode() for line in self.lines]

    def render(self, node: ast.AST) -> str:
        """The text of an expression, edits applied."""
        index = self.tree.index.get(node)
        if index is not None and index in self.edits:
            return self.edits[index](self.render)
        return self.inner(node)

    def inner(self, node: ast.AST) -> str:
        """The text of a node, edits applied to what is inside it only."""
        if isinstance(node, ast.JoinedStr) and self._edited(node):
            return ast.unparse(self._on_tree(node))
        pieces: list[str] = []
        at = (node.lineno, node.col_offset)  # type: ignore[attr-defined]
        for child in self._outermost(node):
            pieces.append(self.between(at, (child.lineno, child.col_offset)))  # type: ignore[attr-defined]
            pieces.append(self.render(child))
            at = (child.end_lineno, child.end_col_offset)  # type: ignore[attr-defined]
        pieces.append(self.between(at, (node.end_lineno, node.end_col_offset)))  # type: ignore[attr-defined]
        return "".join(pieces)

    def statement(self, node: ast.stmt) -> str:
        """The text of a simple statement (or of any node with a place), edits applied and checked."""
        text = self.inner(node)
        expected = self._on_tree(node)
        try:
            if ast.dump(ast.parse(_dedented(text)).body[0]) == ast.dump(expected):
                return text
        except (SyntaxError, IndexError):
            pass
        return ast.unparse(ast.fix_missing_locations(expected))

    def _edited(self, node: ast.AST) -> bool:
        return any(self.tree.index.get(n) in self.edits for n in ast.walk(node))

    def _outermost(self, node: ast.AST) -> list[ast.AST]:
        """The edited descendants (and f-strings that hold one) that stand in no other, in the order of the text."""
        found: list[ast.AST] = []
        stack = list(ast.iter_child_nodes(node))
        while stack:
            item = stack.pop()
            if self.tree.index.get(item) in self.edits or (isinstance(item, ast.JoinedStr) and self._edited(item)):
                found.append(item)
            else:
                stack.extend(ast.iter_child_nodes(item))
        return sorted(found, key=lambda n: (n.lineno, n.col_offset))  # type: ignore[attr-defined]

    def between(self, start: tuple[int, int], end: tuple[int, int]) -> str:
        if start[0] == end[0]:
            return self._bytes[start[0] - 1][start[1] : end[1]].decode()
        middle = self.lines[start[0] : end[0] - 1]
        return "\n".join(
            [self._bytes[start[0] - 1][start[1] :].decode(), *middle, self._bytes[end[0] - 1][: end[1]].decode()]
        )

    def _on_tree(self, node: ast.AST) -> ast.AST:
        """The node with every edit made on the tree."""
        patcher = self

        class Replace(ast.NodeTransformer):
            def visit(self, item: ast.AST) -> ast.AST:
                index = getattr(item, "nb2prod_index", None)
                if index is not None and index in patcher.edits:
                    return ast.parse(patcher.edits[index](patcher.render), mode="eval").body
                return self.generic_visit(item)

        marked = copy.deepcopy(node)
        for old, new in zip(ast.walk(node), ast.walk(marked), strict=True):
            if isinstance(old, ast.expr):
                new.nb2prod_index = patcher.tree.index.get(old)  # type: ignore[attr-defined]
        root: ast.AST = Replace().generic_visit(marked) if isinstance(marked, ast.stmt) else Replace().visit(marked)
        return root

    # whole lines ----------------------------------------------------------------------------------------------------

    def block_lines(self, node: ast.stmt, text: str, indent: str) -> list[str]:
        """A statement's text as lines at `indent`, with the comment lines right above it and the comment behind it."""
        own = " " * node.col_offset
        held = _string_lines(node)
        lines = text.split("\n")
        out = [indent + lines[0]]
        first = node.lineno
        same = len(lines) == (node.end_lineno or first) - first + 1
        for i, line in enumerate(lines[1:], start=1):
            inside = same and first + i in held
            out.append(line if inside else indent + line.removeprefix(own) if line.strip() else "")
        behind = self._comment_behind(node)
        if behind:
            out[-1] = f"{out[-1]}  {behind}"
        return [indent + c for c in self.comments_above(node)] + out

    def comments_above(self, node: ast.stmt) -> list[str]:
        """The comment lines directly above a statement."""
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        found: list[str] = []
        at = first - 2
        while at >= 0 and self.lines[at].strip().startswith("#"):
            found.append(self.lines[at].strip())
            at -= 1
        return found[::-1]

    def _comment_behind(self, node: ast.stmt) -> str:
        rest = self._bytes[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :].decode().strip()
        return rest if rest.startswith("#") else ""


def _string_lines(node: ast.AST) -> set[int]:
    """Lines that begin inside a string, whose indentation is part of the string."""
    held: set[int] = set()
    for item in ast.walk(node):
        if isinstance(item, ast.JoinedStr) or (isinstance(item, ast.Constant) and isinstance(item.value, (str, bytes))):
            held |= set(range(item.lineno + 1, (item.end_lineno or item.lineno) + 1))
    return held


def _dedented(text: str) -> str:
    return text.lstrip(" \t")
