"""What a model card says of the proof to a program: a comment in its text, which no reader sees and which goes wherever the card goes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MARK = re.compile(r"^<!-- proof (\{.*\}) -->$", re.MULTILINE)


def mark(parity: Mapping[str, Any]) -> str:
    """The comment for a document of parity.json, or for its summary as `build --json` has it."""
    kinds = parity.get("kinds")
    rows = [item.get("rows") or 0 for item in kinds] if kinds else list((parity.get("cases") or {}).values())
    told = {
        "passed": bool(parity.get("passed")),
        "sample": bool(parity.get("sample")),
        "compared": sum(count for count in rows if isinstance(count, int)),
        "on": found[0] if (found := _DATE.match(str(parity.get("created")))) else "",
    }
    return f"<!-- proof {json.dumps(told)} -->"


def sentence(card: Path) -> str | None:
    """What the card in this file says of the proof, for a caller of the service; None where it says nothing."""
    try:
        found = _MARK.search(card.read_text(encoding="utf-8"))
        told = json.loads(found[1]) if found else {}
        if not told:
            return None
        when = f" on {told['on']}" if told["on"] else ""
        if not told["passed"]:
            return f"failed{when}: this service does not give the notebook's answers"
        of = "; of a sample only" if told["sample"] else ""
        return f"passed{when}: {told['compared']:,} answers compared with the notebook's, none differs{of}"
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a card that somebody wrote anew
