"""A Jupyter Server inside the test's own process, with the extension in it.

pytest-jupyter's fixtures come by import and not as a plugin: its event loop is made for every test that sees it.
"""

import pytest
from pytest_jupyter.jupyter_core import *  # noqa: F403
from pytest_jupyter.jupyter_server import *  # noqa: F403
from pytest_jupyter.pytest_tornasync import *  # noqa: F403


@pytest.fixture
def jp_server_config():
    return {"ServerApp": {"jpserver_extensions": {"nb2prod.server": True}, "log_level": "INFO"}}
