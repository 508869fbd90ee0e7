"""The page and the widget: one text, escaped, readable in both themes, narrow and wide, without a script."""

from __future__ import annotations

import re
import shutil

import pytest

import nb2prod
from nb2prod.cli import main
from tests.watching.served import NAME, log, release, table


@pytest.fixture
def drifted(rng):
    release(table(800, rng), owner="Ada <b>")
    for day in range(3):
        log(table(300, rng, older=15.0, towns=("a", "<i>", "c")), day)


def page_of(tmp_path, capsys):
    assert main(["watch", NAME, "--page", str(tmp_path / "watch.html")]) == 0
    capsys.readouterr()
    return tmp_path / "watch.html"


def test_the_page_tells_state_promise_alarms_and_pictures_escaped(drifted, tmp_path, capsys):
    text = page_of(tmp_path, capsys).read_text(encoding="utf-8")
    assert "Chance of a false alarm over this release&#x27;s life" in text
    assert "Ada &lt;b&gt;" in text
    assert "<script" not in text
    assert text.count('role="alert"') == len(re.findall("<strong>Alarm</strong>", text)) >= 2
    assert text.count("<svg") >= 6
    assert 'aria-label="Shares of age by range, in training and now"' in text


def test_the_widget_shows_the_same_and_says_what_can_not_be_known(drifted):
    box = nb2prod.Watching(NAME, interval=60)
    try:
        assert "age has drifted since 2026-03-01" in box._text.value
        bundle = box._repr_mimebundle_()
        assert (bundle[0] if isinstance(bundle, tuple) else bundle)["text/html"] == box._text.value
    finally:
        box.close()
    box = nb2prod.Watching("nothing", interval=60)
    assert "there is no release of" in box._text.value
    box.close()


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1000])
def test_the_page_is_readable_in_a_browser(drifted, tmp_path, capsys, theme, width):
    from playwright.sync_api import sync_playwright

    file = page_of(tmp_path, capsys)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 700}, color_scheme=theme)
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = page.evaluate(
            """() => ['h1', '.alarm', 'summary .name', 'summary .number', 'svg text'].map(query => {
                const item = document.querySelector(query), style = getComputedStyle(item);
                return [query.includes('svg') ? style.fill : style.color, getComputedStyle(document.body).backgroundColor]; })"""
        )
        closed = page.locator("details:not([open]) summary").first
        closed.focus()
        page.keyboard.press("Enter")
        assert page.locator("details[open]").count() >= 3
        browser.close()
    assert all(contrast(*pair) >= 4.5 for pair in found), found


def contrast(one, other):
    """The contrast of two colours as WCAG 2 has it."""

    def luminance(colour):
        parts = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
        return sum(
            share * (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4)
            for share, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True)
        )

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
