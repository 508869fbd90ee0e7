"""What is proved: a built Bento's folder, which the proof serves itself, or a service that runs somewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nb2prod.bento import store
from nb2prod.environments.served import ServedEnvironment
from nb2prod.errors import InputError
from nb2prod.parity.client import Client
from nb2prod.parity.service import Service, check_ready
from nb2prod.runtime.signature import Signature, SignatureProblem


@dataclass(frozen=True)
class Target:
    """Either `folder`, a built Bento (it has a bento.yaml), or `url`, with the `headers` that it wants."""

    name: str
    folder: Path | None = None
    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    bento: str | None = None
    """`name:version`, where known."""
    environment: ServedEnvironment | None = None
    """Where the folder is served, if that is settled already."""

    def signature(self) -> Signature:
        """Its signature, from the folder or asked of the service.

        Raises `InputError` where it has none, or one that can't be read; `ServiceFault` where nothing answers.
        """
        try:
            if self.folder is not None:
                return Signature.load(self.folder / "src" / "signature.json")
            return Signature.from_json(self._asked())
        except SignatureProblem as error:
            raise InputError(
                f"{self.name}: {error}", "It must be made by a version of nb2prod like this one."
            ) from error

    def _asked(self) -> Mapping[str, Any]:
        client = Client(self.url or "", headers=self.headers, timeout=30)
        try:
            check_ready(client)
            return Service(client).signature()
        finally:
            client.close()


def of_folder(folder: Path, bento: str | None = None, environment: ServedEnvironment | None = None) -> Target:
    """The built Bento in this folder, by default called as its bento.yaml says, served in this environment or else in that of its pins.

    Raises `InputError` where it is none of nb2prod's.
    """
    folder = folder.absolute()
    if not (folder / "bento.yaml").is_file() or not (folder / "src" / "signature.json").is_file():
        raise InputError(
            f"{folder} is not a Bento made by nb2prod: it lacks bento.yaml or src/signature.json",
            "`nb2prod list` names the Bentos that there are.",
        )
    name = bento or store.read(folder).tag
    return Target(name, folder=folder, bento=name, environment=environment)


def of_url(url: str, *, headers: Mapping[str, str] | None = None, bento: str | None = None) -> Target:
    """The service at this URL; `InputError` where it is no URL."""
    return Target(Client(url).url, url=url, headers=dict(headers or {}), bento=bento)


def model_of(target: Target) -> str | None:
    """`name:version` as the target itself says, or None where it does not say both."""
    if target.bento is not None:
        return target.bento
    signature = target.signature()
    return f"{signature.model}:{signature.version}" if signature.version else None
