"""The Jupyter Server extension: what the JupyterLab sidebar asks, below `/nb2prod/`."""

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Jupyter Server's way to find extensions: this package is one."""
    return [{"module": "nb2prod.server"}]


def _load_jupyter_server_extension(server_app: Any) -> None:
    """Add the endpoints to a starting Jupyter Server."""
    from nb2prod.server.routes import routes

    web_app = server_app.web_app
    web_app.add_handlers(".*$", routes(web_app.settings["base_url"]))
    server_app.log.info("nb2prod: endpoints registered")
