"""Tables behind a pipe: Arrow in, Arrow out. ``python -m nb2prod_runtime.batch.worker PROJECT``

A message is its length in eight bytes, the highest first, and so many bytes. A request is a table as an Arrow IPC stream; its answer is two messages of that
kind, the answers and the errors (see ``scoring``). The first message written is JSON: ``{"ready": true}``, or
``{"problem": text}`` where the project can't be loaded. A table that can't be scored as a whole is answered with JSON too, and an empty second message.
What the notebook's code prints goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import IO

import pyarrow as pa

from .scoring import Scorer
from .tables import TableProblem

_LENGTH = 8


def read_message(source: IO[bytes]) -> bytes | None:
    """The next message; None where the pipe has ended."""
    head = source.read(_LENGTH)
    if len(head) < _LENGTH:
        return None
    length = int.from_bytes(head, "big")
    body = source.read(length)
    return body if len(body) == length else None


def write_message(sink: IO[bytes], body: bytes | pa.Buffer) -> None:
    """Send one message."""
    sink.write(len(body).to_bytes(_LENGTH, "big"))
    sink.write(body)


def packed(table: pa.Table) -> pa.Buffer:
    """A table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


def unpacked(body: bytes) -> pa.Table:
    """The table of an Arrow IPC stream."""
    return pa.ipc.open_stream(body).read_all()


def serve(scorer: Scorer, source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer tables until the source ends."""
    while (body := read_message(source)) is not None:
        try:
            scored = scorer.score(unpacked(body))
        except TableProblem as problem:
            write_message(sink, _problem(problem))
            write_message(sink, b"")
        else:
            write_message(sink, packed(scored.answers))
            write_message(sink, packed(scored.errors))
        sink.flush()


def _problem(error: Exception) -> bytes:
    return json.dumps({"problem": str(error)}).encode()


def main(arguments: list[str]) -> int:
    """Serve the project folder given as the only argument."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m nb2prod_runtime.batch.worker PROJECT\n")
        return 2
    # Standard output is the pipe: also what a library prints from C must not get into it.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        scorer = Scorer.load(Path(arguments[0]))
    except Exception as error:  # whatever it is, the asker tells it
        write_message(sink, _problem(error))
        sink.flush()
        return 1
    write_message(sink, b'{"ready": true}')
    sink.flush()
    serve(scorer, sys.stdin.buffer, sink)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
