"""What processes of nb2prod's own leave out as they start."""

from __future__ import annotations

import sys


def skip_iri_syntax() -> None:
    """Import jsonschema, which nbformat wants, as if the optional package rfc3987-syntax were not installed.

    It builds two Earley parsers as it is imported, which takes longer than all else that a command imports, for a format (`iri`) that no
    notebook has. Only for a process that is nb2prod's alone: in a user's own Python others may want that check.
    """
    if "jsonschema" not in sys.modules:
        sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # Python's own way to say: not there
