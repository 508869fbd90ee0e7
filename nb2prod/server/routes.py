"""Which handler answers which path below `/nb2prod/`."""

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join

from nb2prod.server.version import VersionHandler

HANDLERS: dict[str, type[APIHandler]] = {
    "version": VersionHandler,
}


def routes(base_url: str) -> list[tuple[str, type[APIHandler]]]:
    """The patterns that tornado wants, below the server's base URL."""
    return [(url_path_join(base_url, "nb2prod", path), handler) for path, handler in HANDLERS.items()]
