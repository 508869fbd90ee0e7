from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.harness import running_browser


# For one module: while it runs, Playwright holds this thread's event loop, which other tests may want.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running
