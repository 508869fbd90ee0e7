"""The model card as a page of the report's kind: for people, without a script and without anything fetched."""

from __future__ import annotations

import html
import re

from nb2prod.parity import documents

FILE = "card.html"
_HEADING = re.compile(r"<h1>(.*?)</h1>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_HEADLESS = re.compile(r"<thead>\s*<tr>(?:\s*<th[^>]*></th>)+\s*</tr>\s*</thead>\s*")


def html_of(card: str) -> str:
    """The page of a model card.

    Args:
        card: Markdown with tables (`nb2prod.bento.card`), in which a stranger's words are escaped. HTML in it is shown as text.
    """
    # Imports that other commands need not wait for.
    import mistune
    from mistune.util import safe_entity

    class Words(mistune.HTMLRenderer):
        """Whose text may hold entities: the card is escaped already."""

        def text(self, text: str) -> str:
            return safe_entity(text)

    body = str(mistune.create_markdown(renderer=Words(escape=True), plugins=["table"])(card))
    # Markdown has no table without a head: an empty one would be a line above the first row.
    body = _HEADLESS.sub("", body)
    heading = _HEADING.search(body)
    return documents.page(html.unescape(_TAG.sub("", heading[1])) if heading else "Model card", body)
