"""`nb2prod containerize BENTO`: an image of a release, proved in a container."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from nb2prod.cli import completion
from nb2prod.cli.output import common_options, note, print_json, print_text


@click.command(short_help="Make a container image of a release.")
@click.argument("bento", metavar="BENTO", shell_complete=completion.releases)
@click.option("--engine", help="docker, podman or buildah (default: the first that answers).")
@click.option("--base-image", metavar="IMAGE", help="What to build on (default: Python's slim image).")
@click.option("--tag", help="Name of the image (default: the Bento's, name:version).")
@click.option("--output", type=click.Path(path_type=Path), help="Folder for compose.yaml and the Kubernetes manifests.")
@click.option("--replicas", type=click.IntRange(1), default=1, show_default=True, help="Pods that Kubernetes runs.")
@click.option("--no-parity", is_flag=True, help="Only build it: it is neither run nor proved.")
@click.option("--build-option", "build_options", multiple=True, metavar="OPTION", help="For the engine's build.")
@click.option("--run-option", "run_options", multiple=True, metavar="OPTION", help="For the engine's run.")
@common_options
def containerize(bento: str, *, no_parity: bool, as_json: bool, debug: bool, **flags: Any) -> None:  # noqa: ARG001
    """Make a container image of a release, run it as it should be run, and prove that it answers as the notebook did.

    Beside it: compose.yaml and Kubernetes manifests. The image holds no training rows and no notebook.
    """
    from nb2prod.cli.progress import shown
    from nb2prod.release.images import containerize as images

    settings = images.Settings(
        engine=flags["engine"],
        base_image=flags["base_image"],
        tag=flags["tag"],
        output=flags["output"],
        replicas=flags["replicas"],
        proved=not no_parity,
        build_options=_words(flags["build_options"]),
        run_options=_words(flags["run_options"]),
    )
    with shown() as progress:
        made = images.containerize(bento, settings, progress=progress)
    summary = made.report.summary() if made.report else None
    if as_json:
        print_json(
            {
                "image": made.tag,
                "bento": made.bento,
                "engine": made.engine,
                "folder": str(made.folder),
                "manifests": list(made.manifests),
                "parity": summary,
            }
        )
        return
    if made.report is None:
        print_text(f"Built, not proved: the image {made.tag} ({made.engine})")
    else:
        rows = sum(made.report.cases.values())
        print_text(f"Built and proved: the image {made.tag} ({made.engine}), {rows:,} answers of its container")
    note(f"Manifests in {made.folder}: {', '.join(made.manifests)}")


def _words(options: tuple[str, ...]) -> tuple[str, ...]:
    """Each option as a shell would split it."""
    return tuple(word for text in options for word in shlex.split(text))
