"""Wheels made by the tests, so that environments are made without a package index."""

import base64
import hashlib
import sys
import zipfile
from pathlib import Path

from nb2prod.environments import interpreter
from nb2prod.environments.store import Order


def wheel(folder: Path, name: str, version: str = "1.0", source: str = "value = 1\n") -> Path:
    """A wheel of one module of that name."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_digest(text)},{len(text.encode())}\n" for path, text in files.items())
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inner, text in files.items():
            archive.writestr(inner, text)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return path


def order(*pins: str) -> Order:
    """For the Python that runs the tests."""
    own = interpreter.own()
    return Order(Path(sys.executable), own.full_version, own.platform, pins)


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
