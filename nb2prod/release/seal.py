"""Seals of exported releases: a digest of every file, and a signature of the list where a key is given (Ed25519)."""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from nb2prod.errors import InputError

_MAKE = "openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout -out key.pub.pem"


def private_key(path: Path) -> Ed25519PrivateKey:
    """The key in this PEM file; `InputError` where it is none."""
    try:
        key = serialization.load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError) as error:
        raise _not_a_key(path, "private") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _not_a_key(path, "private")
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """The key in this PEM file; `InputError` where it is none."""
    try:
        key = serialization.load_pem_public_key(_read(path))
    except ValueError as error:
        raise _not_a_key(path, "public") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _not_a_key(path, "public")
    return key


def sign(data: bytes, key: Ed25519PrivateKey) -> bytes:
    """The signature of these bytes."""
    return key.sign(data)


def verified(data: bytes, signature: bytes, key: Ed25519PublicKey) -> bool:
    """Whether the signature is this key's, of these bytes."""
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def digest(data: bytes) -> str:
    """sha256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"the key {path} can't be read: {error.strerror or error}", f"Make one: {_MAKE}") from error


def _not_a_key(path: Path, word: str) -> InputError:
    return InputError(f"{path} is not a {word} Ed25519 key in PEM form without a password", f"Make one: {_MAKE}")
