"""The documentation's site is built without a warning, every page of it can be reached, and no link leads nowhere."""

import json
import os
import posixpath
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from nb2prod import api, pages
from nb2prod.cli.app import app
from nb2prod.diagnostics import TITLES

ROOT = Path(__file__).parents[2]


class Links(HTMLParser):
    """The links, the anchors, and what else a page loads."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.loaded, self.text = [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if "id" in given:
            self.anchors.add(given["id"])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag in ("script", "img") and given.get("src"):
            self.loaded.append(given["src"])
        if tag == "link" and given.get("rel") in ("stylesheet", "icon") and given.get("href"):
            self.loaded.append(given["href"])

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def read(site):
    found = {
        path.relative_to(site).as_posix(): Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")
    }
    return {name: item for name, item in found.items() if not name.startswith(("404", "proofs/"))}


def place(page, link):
    """The file below the site that a relative link on this page means, and its anchor."""
    parts = urlsplit(link)
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path))) if parts.path else page
    if parts.path.endswith("/") or path == ".":
        path = posixpath.normpath(posixpath.join(path, "index.html"))
    return path, unquote(parts.fragment)


def test_no_link_leads_nowhere(site, read):
    broken = []
    for page, item in read.items():
        for link in [*item.links, *item.loaded]:
            if urlsplit(link).scheme or link.startswith("//"):
                continue
            path, anchor = place(page, link)
            missing = not (site / path).exists() or (anchor and path in read and anchor not in read[path].anchors)
            if missing and anchor != "__codelineno":
                broken.append((page, link))
    assert broken == []


def test_every_page_can_be_reached(read):
    seen, waiting = set(), ["index.html"]
    while waiting:
        page = waiting.pop()
        if page in seen or page not in read:
            continue
        seen.add(page)
        waiting += [place(page, link)[0] for link in read[page].links if not urlsplit(link).scheme]
    assert set(read) - seen == set()


def test_nothing_is_loaded_from_elsewhere(read):
    assert {link for item in read.values() for link in item.loaded if urlsplit(link).scheme} == set()


def test_every_code_is_where_explain_says(read, monkeypatch):
    monkeypatch.setattr(pages, "project_urls", lambda: {"Documentation": "https://docs.example.org/nb2prod/"})
    for name in [*TITLES, "service", "decisions", "frozen-operations", "options"]:
        url = pages.find(name).url
        path, anchor = place("index.html", url.removeprefix("https://docs.example.org/nb2prod/"))
        assert path in read, url
        assert not anchor or anchor in read[path].anchors, url


def test_the_reference_has_every_public_name(read):
    text = " ".join(read["reference/index.html"].text)
    shown = {anchor.rpartition(".")[2] for anchor in read["reference/index.html"].anchors}
    for name in api.__all__:
        assert name in shown or (name == "Report" and "ParityReport" in shown), name
    assert "The notebook can't be served as it is" in text


def test_every_command_has_its_help(read):
    anchors = read["commands/index.html"].anchors
    assert {f"nb2prod-{name}" for name in app.commands} <= anchors


def test_the_gallery_has_the_served_code(read):
    text = "".join(read["gallery/index.html"].text)
    assert "served: features.py" in text
    assert "captured.weather_weather_cols" in text


def test_the_search_knows_the_diagnostics(site):
    index = json.loads((site / "search" / "search_index.json").read_text())
    titles = {item["title"] for item in index["docs"]}
    assert {f"{code}: {title}" for code, title in TITLES.items()} <= titles
