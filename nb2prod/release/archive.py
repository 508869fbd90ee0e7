"""A release as one file, to take it elsewhere: its Bento, its record, and a seal over both.

A gzipped tar, the same bytes for the same release::

    seal.json      name, version, and the sha256 of every other file
    seal.sig       the seal's signature, where a key was given
    bento/...      the Bento's folder
    record/...     the release record

The rows that prove it and what shows them, and the executed notebook's outputs, hold the notebook's data: they
are left out unless asked for.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from nb2prod import home, room
from nb2prod.bento import digest, store
from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.release import record, records, seal, source
from nb2prod.release.record import ReleaseRecord

SCHEMA = 1
SUFFIX = ".nb2prod"
_SEAL, _SIGNATURE = "seal.json", "seal.sig"
_ROWS = frozenset({"cases.json", record.OUTCOMES, "parity.ipynb", "parity.html", "parity.xml"})
_NEVER = frozenset({source.ORIGIN})


@dataclass(frozen=True)
class Imported:
    """What came of an import. `signed`: by the key given; None where the file is signed and no key was given."""

    release: ReleaseRecord
    new: bool
    signed: bool | None


def write(
    release: ReleaseRecord, path: Path, *, key: Path | None = None, with_rows: bool = False, with_outputs: bool = False
) -> Path:
    """Write the release to this file, or into this folder; returns the file's path.

    Raises `InputError` where the Bento is gone from the store or the key is none, `EnvironmentProblem` where the
    disk refuses.
    """
    signing = None if key is None else seal.private_key(key)
    target = path / f"{release.name}-{release.version}{SUFFIX}" if path.is_dir() else path
    bento = store.find(release.bento).folder
    files = {f"bento/{name}": data for name, data in _files(bento)}
    for name, data in _files(release.folder or Path()):
        kept = _kept(name, data, with_rows=with_rows, with_outputs=with_outputs)
        if kept is not None:
            files[f"record/{name}"] = kept
    document = {
        "schema": SCHEMA,
        "bento": release.bento,
        "with_rows": with_rows,
        "with_outputs": with_outputs,
        "files": {name: seal.digest(data) for name, data in sorted(files.items())},
    }
    text = (json.dumps(document, indent=1) + "\n").encode()
    parts = {_SEAL: text, **({} if signing is None else {_SIGNATURE: seal.sign(text, signing)}), **files}
    try:
        _write(target, parts)
    except OSError as error:
        raise EnvironmentProblem(
            f"{release.bento} can't be written to {target}: {room.reason(error)}",
            "Name another place with --output.",
        ) from error
    return target


def read(path: Path, *, key: Path | None = None) -> Imported:
    """Bring in the release of this file: its Bento into the store, its record beside the others.

    Nothing is taken before all is verified: every file's digest, that there is no other, the Bento's version, which
    is its content's digest, and with `key` the signature. Raises `InputError` where any of that fails.
    """
    parts = _parts(path)
    document = _sealed(path, parts)
    signed = _signed(path, parts, key)
    name, _, version = str(document["bento"]).partition(":")
    records.folder_of(name, version)
    with tempfile.TemporaryDirectory(dir=home.staging(), prefix="import-", ignore_cleanup_errors=True) as scratch:
        for part, data in parts.items():
            target = Path(scratch) / part
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        bento, folder = Path(scratch) / "bento", Path(scratch) / "record"
        _check_bento(path, bento, name, version)
        found = record.read(folder)
        if (found.name, found.version) != (name, version):
            raise _broken(path, f"its record is of {found.bento}, not of {name}:{version}")
        readme = folder / "README.md"
        store.promote(bento, readme=readme.read_text(encoding="utf-8") if readme.is_file() else None)
        new = records.adopt(folder, name, version)
    return Imported(records.find(f"{name}:{version}"), new, signed)


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _kept(name: str, data: bytes, *, with_rows: bool, with_outputs: bool) -> bytes | None:
    """What of a record's file goes along; None for nothing."""
    if name in _NEVER or (name in _ROWS and not with_rows):
        return None
    if name == "parity.json" and not with_rows:
        report = json.loads(data)
        bare = {**report, "mismatches": [], "replay": {"row_ids": [], "expected": [], "actual": []}}
        return (json.dumps(bare, ensure_ascii=False, indent=1) + "\n").encode()
    if name == "executed.ipynb" and not with_outputs:
        return _without_outputs(data)
    return data


def _without_outputs(data: bytes) -> bytes:
    document = json.loads(data)
    for cell in document.get("cells", ()):
        if cell.get("cell_type") == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _write(target: Path, parts: Mapping[str, bytes]) -> None:
    """Beside its place, then renamed. No times and no owners: the same release is the same file."""
    handle, temporary = tempfile.mkstemp(dir=target.absolute().parent, prefix=".exporting-")
    try:
        with (
            os.fdopen(handle, "wb") as raw,
            gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            for name, data in parts.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(data), 0o644
                tar.addfile(entry, io.BytesIO(data))
        Path(temporary).chmod(0o644)
        Path(temporary).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def _parts(path: Path) -> dict[str, bytes]:
    try:
        with tarfile.open(path, "r:gz") as tar:
            entries = tar.getmembers()
            wrong = next((entry.name for entry in entries if not entry.isfile() or not _is_plain(entry.name)), None)
            if wrong is not None:
                raise _broken(path, f"it holds {wrong!r}, which no release has")
            found = {}
            for entry in entries:
                file = tar.extractfile(entry)
                assert file is not None
                found[entry.name] = file.read()
            return found
    except FileNotFoundError as error:
        others = sorted(item.name for item in path.parent.glob(f"*{SUFFIX}")) if path.parent.is_dir() else []
        where = (
            f"{path.parent.absolute()} has: {', '.join(others[:8])}."
            if others
            else "Check the path and the current folder."
        )
        raise InputError(f"{path}: no such file", where) from error
    except (EOFError, zlib.error) as error:
        raise _broken(path, "it ends before its content does, or is damaged") from error
    except (gzip.BadGzipFile, tarfile.TarError) as error:
        cut = _is_packed(path)
        if cut:
            raise _broken(path, "it is cut or damaged") from error
        raise InputError(
            f"{path} is not a release that was exported", f"`nb2prod export` makes such files; they end with {SUFFIX}."
        ) from error
    except OSError as error:
        raise InputError(
            f"{path} can't be read: {error.strerror or error}", "Name a file that `nb2prod export` made."
        ) from error


def _is_packed(path: Path) -> bool:
    """Whether the file begins as a gzipped one does."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _is_plain(name: str) -> bool:
    """A name that stays where it is unpacked."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and path.as_posix() == name


def _sealed(path: Path, parts: Mapping[str, bytes]) -> Mapping[str, Any]:
    try:
        document: Mapping[str, Any] = json.loads(parts[_SEAL])
        schema, listed = document["schema"], dict(document["files"])
        document["bento"]
    except (KeyError, ValueError, TypeError) as error:
        raise _broken(path, "it has no seal that can be read") from error
    if schema > SCHEMA:
        raise InputError(f"{path} was written by a newer nb2prod (schema {schema})", "Update nb2prod.")
    found = {name: seal.digest(data) for name, data in parts.items() if name not in (_SEAL, _SIGNATURE)}
    if found != listed:
        names = sorted(name for name in {*found, *listed} if found.get(name) != listed.get(name))
        raise _broken(path, f"its seal does not fit {names[0]}" + (f" and {len(names) - 1} more" if names[1:] else ""))
    return document


def _signed(path: Path, parts: Mapping[str, bytes], key: Path | None) -> bool | None:
    signature = parts.get(_SIGNATURE)
    if key is None:
        return None if signature is not None else False
    public = seal.public_key(key)
    if signature is None:
        raise InputError(
            f"{path} is not taken: it is not signed, and a key was given to check that",
            "Have it exported with --key, or leave --key out to take it unsigned.",
        )
    if not seal.verified(parts[_SEAL], signature, public):
        raise InputError(
            f"{path} is not taken: the key {key} is refused, for the file is signed with another",
            "Ask who exported it for the public key that belongs to the one it was signed with.",
        )
    return True


def _check_bento(path: Path, bento: Path, name: str, version: str) -> None:
    try:
        item = store.read(bento)
        content = digest.of_bento(bento)
    except (OSError, InputError) as error:
        raise _broken(path, f"its Bento can't be read: {error}") from error
    if (item.name, item.version) != (name, version) or content != version:
        raise _broken(path, f"its Bento's content is {content}, not {version}")


def _broken(path: Path, why: str) -> InputError:
    return InputError(f"{path} is not taken: {why}", "Ask for the file again: it was changed or cut on its way.")
