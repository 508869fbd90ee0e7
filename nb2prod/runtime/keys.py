"""API keys: kept as SHA-256 digests, several at a time, changed without a restart, compared in constant time.

NB2PROD_PROBE_KEY is the digest of one more key, with which whoever runs the service looks after it.

A line is ``name:digest`` (or only the digest), with the digest of ``printf %s "$KEY" | sha256sum``. Keys come from the
environment's NB2PROD_API_KEYS (lines or commas), from the file NB2PROD_API_KEYS_FILE, or from the option's file.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from .http import Failure, Scope, header
from .options import OptionProblem

_DIGEST = re.compile(r"[0-9a-f]{64}")
CALLER_LENGTH = 12
"""So many letters of a key's digest tell callers apart; they tell nobody the key."""
PROBE = "probe"
"""Who asks to look after the service: what it sends is no request of a caller's."""
_UNAUTHORIZED = ((b"www-authenticate", b"Bearer"),)


class Keys:
    """Who may ask.

    Args:
        file: the option's file.
        clock: seconds that only go forward; the file is looked at once a second at most.

    Raises:
        OptionProblem: keys are asked for but can't be read, or a line is no digest.
    """

    def __init__(self, file: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        fixed = os.environ.get("NB2PROD_API_KEYS")
        path = os.environ.get("NB2PROD_API_KEYS_FILE") or file
        self._file = Path(path) if path and not fixed else None
        self._stamp: tuple[int, int] | None = None
        self._looked = clock()
        self.needed = bool(fixed or self._file)
        probe = os.environ.get("NB2PROD_PROBE_KEY")
        self._probe: tuple[bytes, ...] = parsed(probe) if probe else ()
        self._digests: tuple[bytes, ...] = parsed(fixed.replace(",", "\n")) if fixed else ()
        if self._file is not None:
            self._digests = self._read()

    def check(self, scope: Scope) -> str | None:
        """Who asks: the beginning of the digest of its key, None where no keys are set, `PROBE` for the key of who runs the service.

        Raises:
            Failure: 401, the request carries none of the keys.
        """
        given = header(scope, b"x-api-key")
        if given is not None and self._probe and _is_one_of(given, self._probe):
            return PROBE
        if not self.needed:
            return None
        self._refresh()
        bearer = header(scope, b"authorization") or b""
        if given is None and bearer[:7].lower() == b"bearer ":
            given = bearer[7:].strip()
        if given is None:
            raise Failure(
                401, "expected an API key: 'Authorization: Bearer KEY' or 'X-API-Key: KEY'", headers=_UNAUTHORIZED
            )
        if not _is_one_of(given, (*self._digests, *self._probe)):
            raise Failure(401, "the API key is not known", headers=_UNAUTHORIZED)
        return _digest(given)[:CALLER_LENGTH].decode()

    def _refresh(self) -> None:
        now = self._clock()
        if self._file is None or now - self._looked < 1.0:
            return
        self._looked = now
        try:
            self._digests = self._read()
        except OptionProblem:
            return  # the keys that were known stay: a file half written must not lock everyone out

    def _read(self) -> tuple[bytes, ...]:
        assert self._file is not None
        try:
            status = self._file.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp == self._stamp:
                return self._digests
            digests = parsed(self._file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise OptionProblem(f"the file of API keys can't be read: {type(error).__name__}") from error
        self._stamp = stamp
        return digests


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).hexdigest().encode()


def _is_one_of(key: bytes, digests: tuple[bytes, ...]) -> bool:
    """Whether the key has one of these digests; how long it takes does not tell which."""
    digest = _digest(key)
    matches = [hmac.compare_digest(digest, known) for known in digests]
    return any(matches)


def parsed(text: str) -> tuple[bytes, ...]:
    """The digests of a list of keys.

    Raises:
        OptionProblem: a line is no digest; the text gives its number, not its content.
    """
    digests = []
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.split("#")[0].strip()
        if not entry:
            continue
        digest = entry.rpartition(":")[2].strip().lower()
        if not _DIGEST.fullmatch(digest):
            raise OptionProblem(f"line {number} of the API keys is not 'name:<sha256 in hexadecimal>'")
        digests.append(digest.encode())
    if not digests:
        raise OptionProblem("the list of API keys is empty")
    return tuple(digests)
