"""What an image is built from: a folder with the Bento, the wheels that it pins, and a Dockerfile.

The wheels are fetched here, with this machine's settings of the package index, for the image's platform: the
build itself needs no index, and no credential of one can end up in a layer.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import uv

from nb2prod import home
from nb2prod.environments import pinned, wheels
from nb2prod.environments.lock import Settled
from nb2prod.errors import EnvironmentProblem
from nb2prod.release.images import sbom
from nb2prod.release.record import ReleaseRecord

PORT = 3000
USER = 10001

_TEXT = """\
# Written by nb2prod: {bento}
FROM {base} AS build
COPY uv /usr/local/bin/uv
RUN uv venv --no-python-downloads --python {python} /opt/venv
COPY requirements.txt /build/requirements.txt
COPY wheels /build/wheels
RUN VIRTUAL_ENV=/opt/venv uv pip install --no-cache --no-index --find-links /build/wheels --no-deps \\
    --compile-bytecode --link-mode copy -r /build/requirements.txt

FROM {base}
{packages}RUN mkdir /data && chown {user}:{user} /data
COPY --from=build /opt/venv /opt/venv
COPY bento /app/bento
COPY {sbom} /app/{sbom}
{labels}
# Nothing is written outside of /tmp (a tmpfs does) and /data, where jobs and the request log are kept.
ENV PATH=/opt/venv/bin:$PATH HOME=/tmp BENTOML_HOME=/tmp/bentoml BENTOML_DO_NOT_TRACK=True BENTOML_PORT={port} \\
    NB2PROD_DATA=/data PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
VOLUME /data
USER {user}:{user}
WORKDIR /tmp
EXPOSE {port}
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", "{check}"]
ENTRYPOINT ["python", "-m", "bentoml", "serve", "/app/bento", "--host", "0.0.0.0"]
"""
_CHECK = (
    "import os, urllib.request; "
    "urllib.request.urlopen('http://127.0.0.1:' + os.environ['BENTOML_PORT'] + '/readyz', timeout=4)"
)
# The one wheel in wide use that counts on a library of the system.
_GOMP = "RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*\n"


def default_base(python: str) -> str:
    """The slim image of this Python: small, and with the glibc that wheels are made for."""
    return f"docker.io/library/python:{python}-slim-bookworm"


def minor(python: str) -> str:
    """`3.11` of `3.11.7`."""
    return ".".join(python.split(".")[:2])


def write(folder: Path, release: ReleaseRecord, bento: Path, base: str) -> Path:
    """Fill the folder, which must be empty, and return it; raises `EnvironmentProblem`."""
    requirements = (bento / "env" / "python" / "requirements.txt").read_text(encoding="utf-8")
    pins = tuple(line.strip() for line in requirements.splitlines() if line.strip())
    try:
        shutil.copytree(bento, folder / "bento", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy2(uv.find_uv_bin(), folder / "uv")
        (folder / "requirements.txt").write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
        fetched = _wheels(folder / "wheels", Settled(minor(release.python), pins, pinned.of_bento(bento).wheels))
        (folder / sbom.FILE).write_text(sbom.render(release, pins, fetched), encoding="utf-8")
        (folder / "Dockerfile").write_text(dockerfile(release, pins, base), encoding="utf-8")
    except OSError as error:
        raise EnvironmentProblem(
            f"the image's files can't be written to {folder}: {error.strerror or error}",
            "Free some room there, or set NB2PROD_HOME to another folder.",
        ) from error
    return folder


def dockerfile(release: ReleaseRecord, pins: Sequence[str], base: str) -> str:
    """The text of the Dockerfile."""
    needs_gomp = any(pin.startswith("lightgbm==") for pin in pins)
    pairs = [f"{key}={_quoted(value)}" for key, value in labels(release).items()]
    return _TEXT.format(
        bento=release.bento,
        base=base,
        python=minor(release.python),
        packages=_GOMP if needs_gomp else "",
        labels="LABEL " + " \\\n    ".join(pairs),
        sbom=sbom.FILE,
        user=USER,
        port=PORT,
        check=_CHECK,
    )


def labels(release: ReleaseRecord) -> dict[str, str]:
    """What the image says of itself."""
    found = {
        "org.opencontainers.image.title": release.name,
        "org.opencontainers.image.version": release.version,
        "org.opencontainers.image.authors": release.owner,
        "org.opencontainers.image.documentation": release.runbook,
        "org.opencontainers.image.revision": release.git.commit if release.git else None,
        "nb2prod.bento": release.bento,
        "nb2prod.notebook": release.notebook,
        "nb2prod.notebook-hash": release.notebook_hash,
        "nb2prod.owner": release.owner,
        "nb2prod.runbook": release.runbook,
    }
    return {key: value for key, value in found.items() if value}


def _quoted(text: str) -> str:
    escaped = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'


def _wheels(target: Path, asked: Settled) -> dict[str, Path]:
    """The pinned wheels in `target`, by canonical name; those fetched before are taken from nb2prod's home."""
    target.mkdir()
    cache = home.make(home.home() / "wheels")
    found = {wheels.name_of(wheel): wheel for wheel in wheels.fetch(asked, target, [cache])}
    local = {wheels.name_of(wheel) for wheel in asked.wheels}
    for name, wheel in found.items():
        if name not in local and not (cache / wheel.name).exists():
            shutil.copy2(wheel, cache / wheel.name)
    return found
