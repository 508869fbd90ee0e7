"""The card's page: what is written in a notebook is shown and never run, and the tables are tables."""

from html.parser import HTMLParser

from nb2prod.bento import markdown
from nb2prod.release import card_page


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def seen(card: str) -> Seen:
    found = Seen()
    found.feed(card_page.html_of(card))
    return found


def test_a_strangers_words_are_shown_as_they_are():
    words = "<script>alert(1)</script> & a|b *c* _d_ [e](javascript:alert(1))"
    page = seen(f"# {markdown.escape(words)}\n\n{markdown.table(['field'], [[markdown.escape(words)]])}\n")
    assert page.words.count(words) == 3  # title, heading, cell
    assert not {"script", "a", "em", "img"} & set(page.tags)


def test_html_in_a_card_is_text():
    page = seen("# card\n\n<img src=x onerror=alert(1)>\n\nand <b>b</b>\n")
    assert not {"img", "b"} & set(page.tags)


def test_a_table_without_a_head_has_no_empty_line_above_it():
    page = seen("# card\n\n|  |  |\n| --- | --- |\n| Owner | nobody |\n")
    assert "td" in page.tags
    assert "th" not in page.tags
