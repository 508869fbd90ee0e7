"""`GET /nb2prod/version`: that nb2prod is here, and which."""

import json

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado.web import authenticated

import nb2prod


class VersionHandler(APIHandler):
    """Answers `{"version": "0.1.0"}`, to the server's user only."""

    auth_resource = "nb2prod"

    @authenticated
    @authorized
    def get(self) -> None:
        self.finish(json.dumps({"version": nb2prod.__version__}))
