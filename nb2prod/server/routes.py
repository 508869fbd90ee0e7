"""Which handler answers which path below `/nb2prod/`. `docs/jupyter-api.yaml` describes them all."""

from __future__ import annotations

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join

from nb2prod.server.builds import BuildEventsHandler, BuildHandler, BuildLogHandler, BuildReportHandler, BuildsHandler
from nb2prod.server.deployments import (
    ACTIONS,
    DeploymentActionHandler,
    DeploymentFormHandler,
    DeploymentHandler,
    DeploymentPredictHandler,
    DeploymentsHandler,
)
from nb2prod.server.forecasts import CheckHandler, KernelHandler, SuggestHandler
from nb2prod.server.releases import ReleaseHandler, ReleaseReportHandler, ReleasesHandler
from nb2prod.server.version import VersionHandler
from nb2prod.server.watching import WatchingHandler

_PARTS = {
    "{id}": r"(\d{8}-\d{6}-[0-9a-f]{6})",
    "{name}": r"([a-z0-9][a-z0-9_.-]*)",
    "{version}": r"([a-z0-9][a-z0-9_.-]*)",
    "{action}": f"({'|'.join(ACTIONS)})",
}

HANDLERS: dict[str, type[APIHandler]] = {
    "version": VersionHandler,
    "check": CheckHandler,
    "kernel": KernelHandler,
    "suggest": SuggestHandler,
    "builds": BuildsHandler,
    "builds/events": BuildEventsHandler,
    "builds/{id}": BuildHandler,
    "builds/{id}/log": BuildLogHandler,
    "builds/{id}/report": BuildReportHandler,
    "releases": ReleasesHandler,
    "releases/{name}/{version}": ReleaseHandler,
    "releases/{name}/{version}/report": ReleaseReportHandler,
    "deployments": DeploymentsHandler,
    "deployments/{name}": DeploymentHandler,
    "deployments/{name}/form": DeploymentFormHandler,
    "deployments/{name}/predict": DeploymentPredictHandler,
    "deployments/{name}/{action}": DeploymentActionHandler,
    "watching/{name}": WatchingHandler,
}


def routes(base_url: str) -> list[tuple[str, type[APIHandler]]]:
    """The patterns that tornado wants, below the server's base URL."""
    return [(url_path_join(base_url, "nb2prod", _pattern(path)), handler) for path, handler in HANDLERS.items()]


def _pattern(path: str) -> str:
    for name, expression in _PARTS.items():
        path = path.replace(name, expression)
    return path
