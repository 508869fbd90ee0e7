"""A JupyterLab of its own, in a Chromium of its own: nothing of the user's settings is read or written."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "apputils-extension/themes": {"theme": "JupyterLab Light"},
}
START_SECONDS = 90
AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"

# A machine that runs other tests beside this one is slow, not wrong.
expect.set_options(timeout=20_000)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: `root` is the folder that it shows."""

    url: str
    token: str
    root: Path

    def open(self, browser: Browser, notebook: str, *, width: int = 1400, height: int = 900, script: str = "") -> Page:
        """A page with that notebook in front, in a workspace of its own, ready to be used; `script` runs before any other."""
        page = browser.new_page(viewport={"width": width, "height": height})
        page.add_init_script(script)
        page.set_default_timeout(30_000)
        workspace = f"test-{secrets.token_hex(4)}"
        page.goto(f"{self.url}/lab/workspaces/{workspace}/tree/{notebook}?token={self.token}&reset")
        page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=90_000)
        page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell")
        # A kernel that has just started writes its language into the notebook: wait, or it comes in between.
        page.wait_for_function(
            "jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'", timeout=120_000
        )
        return page


@contextlib.contextmanager
def running_lab(
    root: Path,
    home: Path,
    *,
    theme: str = "JupyterLab Light",
    options: tuple[str, ...] = (),
    again: Lab | None = None,
) -> Iterator[Lab]:
    """Start JupyterLab on a free port of this machine and stop it afterwards.

    `options` are further command line options; `again` is one that was stopped, whose address it takes. Raises RuntimeError with the log's end where it does not start.
    """
    port, token = _free_port(), secrets.token_hex(16)
    if again is not None:
        port, token = int(again.url.rsplit(":", 1)[1]), again.token
    log = home / "jupyterlab.log"
    _write_settings(home / "settings", theme)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--notebook-dir={root}"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"),
        *("--LabApp.extension_manager=readonly", "--LabApp.expose_app_in_browser=True", *options),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=root, env=_environment(home), stdout=output, stderr=output, start_new_session=True
        )
    lab = Lab(url=f"http://127.0.0.1:{port}", token=token, root=root)
    try:
        _wait_until_it_answers(lab, process, log)
        yield lab
    finally:
        _stop(process)


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


def show_panel(page: Page) -> None:
    """Click the sidebar's tab, as a user does."""
    page.locator('.jp-SideBar .lm-TabBar-tab[data-id="nb2prod-panel"]').click()
    page.wait_for_selector("#nb2prod-panel:not(.lm-mod-hidden)")


def select_cell(page: Page, number: int) -> None:
    """Make the cell with this number the selected one, as a click beside it does."""
    page.evaluate("number => { jupyterapp.shell.currentWidget.content.activeCellIndex = number - 1; }", number)


def set_source(page: Page, number: int, source: str) -> None:
    """Give a cell another source, as typing it would."""
    page.wait_for_function(
        """([number, source]) => {
            // A notebook that is being opened or reverted has no cells for a moment.
            const cell = jupyterapp.shell.currentWidget?.content?.model?.cells.get(number - 1);
            cell?.sharedModel.setSource(source);
            return cell !== undefined;
        }""",
        arg=[number, source],
    )


def tags_of(page: Page, number: int) -> list[str]:
    """The tags that a cell has now."""
    return page.evaluate(
        "number => jupyterapp.shell.currentWidget.content.model.cells.get(number - 1).getMetadata('tags') ?? []", number
    )


def way(page: Page) -> Locator:
    """The strip from Tag to Deploy, with the one button of what comes next."""
    return page.locator("#nb2prod-panel .nb2prod-Way")


def group(page: Page, name: str) -> Locator:
    """A group of the panel."""
    return page.locator(f'#nb2prod-panel .nb2prod-Group[data-group="{name}"]')


def accessibility_problems(page: Page, selector: str) -> list[str]:
    """What axe-core finds in the part of the page with this selector; it comes with the panel's npm packages."""
    if not page.evaluate("typeof window.axe !== 'undefined'"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("selector => axe.run(selector, { resultTypes: ['violations'] })", selector)
    return [f"{item['id']}: {node['html'][:160]}" for item in found["violations"] for node in item["nodes"]]


def _environment(home: Path) -> dict[str, str]:
    own = {
        "HOME": home,
        "IPYTHONDIR": home / "ipython",
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "NB2PROD_HOME": home / "nb2prod",
    }
    return {**os.environ, **{name: str(path) for name, path in own.items()}}


def _write_settings(folder: Path, theme: str) -> None:
    for name, values in SETTINGS.items():
        extension, plugin = name.split("/")
        file = folder / "@jupyterlab" / extension / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({**values, "theme": theme} if plugin == "themes" else values))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_it_answers(lab: Lab, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{lab.url}/api/status?token={lab.token}", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    # SIGTERM lets the server shut its kernels down; what is left after that is ended with its whole group.
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
