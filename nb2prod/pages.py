"""The documentation's pages as messages refer to them: an entry for each code, and topics."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from nb2prod import shipped
from nb2prod.diagnostics import TITLES
from nb2prod.errors import InputError

_HEADING = re.compile(r"^(#{1,3}) (.+)$", re.MULTILINE)
_DOCSTRINGS = "reference.md"
"""A page that the site's generator makes of docstrings: here it says nothing."""
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r"^!\[[^\]]*\]\([^)]+\)\n+", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]+\)")


@dataclass(frozen=True)
class Entry:
    """A part of a page. `name` is what `nb2prod explain` takes: a diagnostic's code, or the topic's heading as words with hyphens."""

    name: str
    title: str
    text: str
    """Markdown, without links to other pages."""
    page: str
    """The page's path below the documentation, as `diagnostics/features.md`."""
    anchor: str
    """Of its heading in the HTML; empty for a whole page."""

    @property
    def url(self) -> str | None:
        """Where the documentation's site shows it; None where the package's metadata names no site."""
        site = documentation()
        if site is None:
            return None
        path = self.page.removesuffix(".md").removesuffix("README").removesuffix("index")
        place = f"{site.rstrip('/')}/{path}".rstrip("/") + "/"
        return f"{place}#{self.anchor}" if self.anchor else place


def find(name: str) -> Entry:
    """The entry of this code or topic, in any case; `InputError`, with the nearest, where there is none."""
    known = entries()
    wanted = name.strip()
    found = known.get(wanted.upper()) or known.get(wanted.lower().removesuffix(".md"))
    if found is not None:
        return found
    near = difflib.get_close_matches(wanted.upper(), TITLES, n=3, cutoff=0.5)
    near += difflib.get_close_matches(wanted.lower(), [item for item in known if item not in TITLES], n=2, cutoff=0.6)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    raise InputError(f"nothing is explained under {name!r}", f"{hint}All codes and topics: nb2prod explain")


@cache
def entries() -> dict[str, Entry]:
    """Every entry by name: codes first, in their order, then whole pages, then their sections."""
    folder = shipped.pages()
    found: dict[str, Entry] = {}
    found_pages = (path for path in sorted(folder.rglob("*.md")) if path.parent in (folder, folder / "diagnostics"))
    pages = [path for path in found_pages if path.name != _DOCSTRINGS]
    parts = [(path, list(_parts(path, folder))) for path in pages]
    coded = {item.name: item for _, items in parts for item in items if item.name in TITLES}
    found.update({code: coded[code] for code in TITLES if code in coded})
    for path, items in parts:
        if path.stem not in ("README", "index"):
            found.setdefault(path.stem, items[0])
    for path, items in parts:
        if path.parent == folder:
            for item in items[1:]:
                found.setdefault(item.name, item)
    return found


def topics() -> dict[str, str]:
    """The names of whole pages with their titles."""
    return {name: item.title for name, item in entries().items() if name not in TITLES and not item.anchor}


def documentation() -> str | None:
    """The documentation's site, as the installed package's metadata names it."""
    return project_urls().get("Documentation")


@cache
def project_urls() -> dict[str, str]:
    """The project's addresses by label, from the installed package's metadata."""
    try:
        told = metadata.metadata("nb2prod").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return {}
    return {label.strip(): address.strip() for label, _, address in (str(item).partition(",") for item in told)}


def anchor(title: str) -> str:
    """The anchor that the site's generator gives a heading."""
    plain = unicodedata.normalize("NFKD", re.sub(r"`", "", title)).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


def _parts(path: Path, folder: Path) -> Iterator[Entry]:
    """The page itself, then each of its sections with what stands below it."""
    text = path.read_text(encoding="utf-8")
    page = path.relative_to(folder).as_posix()
    fences = [match.span() for match in _FENCE.finditer(text)]
    heads = [m for m in _HEADING.finditer(text) if not any(a <= m.start() < b for a, b in fences)]
    title = heads[0][2] if heads else path.stem
    yield Entry(path.stem, title, _plain(text), page, "")
    for number, head in enumerate(heads[1:], start=1):
        end = next((m.start() for m in heads[number + 1 :] if len(m[1]) <= len(head[1])), len(text))
        code = head[2].partition(":")[0]
        name = code if code in TITLES else anchor(head[2])
        yield Entry(name, head[2], _plain(text[head.start() : end]), page, anchor(head[2]))


def _plain(text: str) -> str:
    """Without pictures, and without links that lead nowhere outside of the site."""
    return _LINK.sub(r"\1", _PICTURE.sub("", text)).strip()
