"""`GET /nb2prod/version`: that nb2prod is here, and which."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

import nb2prod
from nb2prod.server.base import Handler


class VersionHandler(Handler):
    """Answers `{"version": "0.1.0"}`, to the server's user only."""

    @authenticated
    @authorized
    def get(self) -> None:
        self.answer({"version": nb2prod.__version__})
