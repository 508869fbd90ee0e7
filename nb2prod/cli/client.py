"""`nb2prod client NAME`: a typed client for those who ask the model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nb2prod.cli import completion
from nb2prod.cli.output import common_options, note, print_json, print_text

if TYPE_CHECKING:
    from nb2prod.clients import Language

_USE = {
    "python": "Install it where it is used: pip install {folder}",
    "typescript": "Put it into your project; it needs openapi-fetch: npm install openapi-fetch",
}


@click.command(short_help="Generate a typed client of a model.")
@click.argument("target", metavar="BENTO", shell_complete=completion.releases)
@click.option("--language", type=click.Choice(sorted(_USE)), default="python", show_default=True, help="Of the client.")
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FOLDER", help="Where to put it (default: NAME-client)."
)
@click.option("--force", is_flag=True, help="Write over a folder that is there.")
@click.option(
    "--key", envvar="NB2PROD_KEY", metavar="KEY", help="API key for a URL that wants one; better in NB2PROD_KEY."
)
@common_options
def client(
    target: str,
    *,
    language: Language,
    output: Path | None,
    force: bool,
    key: str | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001 (read by `main`)
) -> None:
    """Generate a typed client for a Bento (name, name:version, folder) or a running service (its URL).

    Python by openapi-python-client (pip install "nb2prod[client]"), TypeScript by openapi-typescript (npm install
    --save-dev openapi-typescript). Made of the document that the service gives at /docs.json; needs no network.
    """
    from nb2prod import clients

    made = clients.generate(clients.document_of(target, key=key), language, output, force=force)
    if as_json:
        print_json(
            {"model": made.model, "language": made.language, "folder": str(made.folder), "files": list(made.files)}
        )
        return
    print_text(f"{made.folder}: a {language} client of {made.model}, {len(made.files)} files")
    note(_USE[language].format(folder=made.folder))
