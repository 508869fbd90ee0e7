"""One text, two programs: the notebook as its author writes it, and the reference that holds what was taken from many rows.

``⟪mean()⟫`` is plain in the notebook; the reference remembers the value of its first run and gives it again in later ones.
``⟪get_dummies(df)┊REF.dummies(df)⟫`` is the left side in the notebook and the right side in the reference.
A line that begins with ``┊`` is in the reference alone.
"""

from __future__ import annotations

OPEN, CLOSE, OR = "⟪", "⟫", "┊"


def notebook(text: str) -> str:
    """The notebook's own source."""
    lines = [line for line in text.split("\n") if not line.lstrip().startswith(OR)]
    return _written("\n".join(lines), None)


class Sites:
    """Numbers the held expressions of one program."""

    def __init__(self) -> None:
        self.count = 0

    def hold(self, expression: str) -> str:
        """The reference's text for one."""
        self.count += 1
        return f"REF.held({self.count}, lambda: ({expression}))"


def reference(text: str, sites: Sites) -> str:
    """The reference's source."""
    lines = [line.replace(OR, "", 1) if line.lstrip().startswith(OR) else line for line in text.split("\n")]
    return _written("\n".join(lines), sites)


def _written(text: str, sites: Sites | None) -> str:
    out, at = [], 0
    while (start := text.find(OPEN, at)) >= 0:
        out.append(text[at:start])
        end = _closing(text, start)
        left, right = _sides(text[start + 1 : end])
        if sites is None:
            out.append(_written(left, None))
        elif right is None:
            out.append(sites.hold(_written(left, sites)))
        else:
            out.append(_written(right, sites))
        at = end + 1
    return "".join([*out, text[at:]])


def _closing(text: str, start: int) -> int:
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == OPEN) - (text[at] == CLOSE)
        if depth == 0:
            return at
    raise ValueError(f"not closed: {text[start:]}")


def _sides(text: str) -> tuple[str, str | None]:
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign == OPEN) - (sign == CLOSE)
        if sign == OR and depth == 0:
            return text[:at], text[at + 1 :]
    return text, None
