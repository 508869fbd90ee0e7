"""The bill of materials of a release: its model and each package that it pins, as CycloneDX."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from nb2prod.release.record import ReleaseRecord

FILE = "sbom.cdx.json"


def render(release: ReleaseRecord, pins: tuple[str, ...], wheels: Mapping[str, Path]) -> str:
    """The document. `wheels` are the files that are installed, by canonical name: their digests go in."""
    bom = Bom()
    root = Component(
        name=release.name,
        version=release.version,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=release.bento,
        description=f"Model of {release.notebook}, packaged and proved by nb2prod",
        properties=[Property(name=f"nb2prod:{key}", value=value) for key, value in _facts(release)],
    )
    bom.metadata.component = root
    parts = [_package(pin, wheels) for pin in sorted(set(pins))]
    for part in parts:
        bom.components.add(part)
    bom.register_dependency(root, parts)
    text: str = JsonV1Dot6(bom).output_as_string(indent=1)
    return text + "\n"


def _facts(release: ReleaseRecord) -> list[tuple[str, str]]:
    facts = {
        "notebook-hash": release.notebook_hash,
        "data-hash": release.data_hash,
        "owner": release.owner,
        "python": release.python,
        "commit": release.git.commit if release.git else None,
    }
    return [(key, value) for key, value in facts.items() if value]


def _package(pin: str, wheels: Mapping[str, Path]) -> Component:
    name, _, version = pin.partition("==")
    wheel = wheels.get(re.sub(r"[-_.]+", "-", name).lower())
    hashes = []
    if wheel is not None:
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        hashes.append(HashType(alg=HashAlgorithm.SHA_256, content=digest))
    purl = PackageURL("pypi", None, name, version)
    return Component(
        name=name, version=version, type=ComponentType.LIBRARY, purl=purl, bom_ref=str(purl), hashes=hashes
    )
