"""The form of the request log's files, for those who read them: its number stands in each file's metadata.

A reader takes files of its own form and of older ones, a file without a number is of form 1. A column that is added keeps the number; one that is
renamed, or means something else, raises it.
"""

from __future__ import annotations

SCHEMA = 1
SCHEMA_KEY = b"nb2prod.request_log"
COLUMNS = ("time", "request_id", "model", "caller", "row", "seconds", "features", "prediction", "error", "fallback")
"""Its columns beside the fields, which are called ``row.<field>``."""
