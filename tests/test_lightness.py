"""Pages load nothing that they do not show, and their icons and mathematics still show."""

import re
import shutil
from pathlib import Path

import pytest

pytest.importorskip("sphinx")

from docutils import nodes
from docutils.utils import new_document

from browser_kit import chromium
from firstlight.press.lightness import DESCRIPTION, describe, lighten

STATIC = Path(__file__).parents[1] / "_static"
FONT_AWESOME = '<script src="_static/scripts/fontawesome.js?digest=1"></script>'
OUR_ICONS = '<link rel="stylesheet" href="_static/firstlight-icons.css">'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (FONT_AWESOME + OUR_ICONS, OUR_ICONS),
        ('<script src="o/documentation_options.js"></script>',) * 2,  # read by inline scripts
        ('<script async="async" src="a.js"></script>',) * 2,
        ("<script>src = 1</script>",) * 2,
        ('<link rel="preload" as="script" href="b.js" />', ""),
    ],
)
def test_a_head(before, after):
    assert lighten(f"<head>{before}</head>") == f"<head>{after}</head>"


def test_font_awesome_stays_where_no_other_icons_are():
    assert "fontawesome.js" in lighten(f"<head>{FONT_AWESOME}</head>")


def test_figures_wait_until_they_are_near():
    figure = '</head><img class="fl-figure only-dark" src="a.svg">'
    once = lighten(figure)
    assert '<img loading="lazy" class="fl-figure only-dark"' in once
    assert lighten(once) == once


def test_letters_are_asked_for_before_the_style_sheet():
    head = '<head><script>1</script><link href="../_static/firstlight.css?v=1"></head>'
    once = lighten(head)
    asked = re.findall(r'"(../_static/fonts/[^"]+)"', once)
    assert len(asked) == 2 and all(
        (STATIC / a.removeprefix("../_static/")).is_file() for a in asked
    )
    assert once.index("fonts/") < once.index("<script>1") < once.index("firstlight.css")
    assert lighten(once) == once


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("One. Two.", "One. Two."),
        (f"One has {'n ' * 50}end. Two has {'n ' * 50}end.", f"One has {'n ' * 50}end."),
        (f"One has {'n ' * 100}end.", f"One has {'n ' * 73}…"),
        ("", ""),
    ],
)
def test_a_page_is_described_in_whole_sentences(text, shown):
    tree = new_document("")
    tree += nodes.section("", nodes.paragraph("", text)) if text else nodes.section()
    assert describe(tree) == shown


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    pytest.importorskip("sphinx_book_theme")
    from test_extension import CONF, Book

    folder = tmp_path_factory.mktemp("light")
    book = Book(folder)
    conf = CONF.replace('"basic"', '"sphinx_book_theme"').replace("= []", '= ["_static"]')
    conf += 'html_context = {"default_mode": "auto"}\n'
    conf += 'html_css_files = ["firstlight-icons.css", "firstlight-mathjax.css"]\n'
    (folder / "conf.py").write_text(conf)
    shutil.copytree(STATIC, folder / "_static")
    book.page("page", f"# Page\n\nA first *paragraph*. Word {'word ' * 60}\n\n$$\na = b\n$$\n")
    assert book.build()[1] == ""
    return book


def test_a_page_is_light_and_says_what_it_is_about(book):
    html = book.html()
    assert "fontawesome.js" not in html and 'rel="preload" as="script"' not in html
    assert re.search(r'<script async="async" fetchpriority="low" src="\S*tex-chtml.js', html)
    (words,) = re.findall(r'<meta name="description" content="([^"]*)"', html)
    assert words == "A first paragraph." and len(words) <= DESCRIPTION
    assert 'data-theme="auto"' not in html


def test_the_index_and_the_search_say_what_they_are_for(book):
    said = {
        re.search(r'<meta name="description" content="([^"]*)"', book.html(name)).group(1)
        for name in ("page", "search", "genindex")
    }
    assert len(said) == 3 and any(words.startswith("Search ") for words in said)


def test_every_icon_that_the_theme_uses_is_drawn(book):
    drawn = set(re.findall(r"\.fa-([\w-]+)", (STATIC / "firstlight-icons.css").read_text()))
    used = re.findall(r'<(?:i|span) [^>]*class="([^"]*\bfa-[^"]*)"', book.html())
    names = {name for classes in used for name in re.findall(r"fa-([\w-]+)", classes)}
    assert names - {"solid", "regular", "brands", "lg"} and not names - drawn - {"solid", "lg"}


def test_icons_and_mathematics_show_in_a_browser(book):
    sync_api = pytest.importorskip("playwright.sync_api")
    if not chromium():
        pytest.skip("no Chromium here")
    asked = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium())
        page = browser.new_page(color_scheme="dark")
        page.on("request", lambda request: asked.append(request.url))
        page.goto((book.folder / "_build" / "html" / "page.html").as_uri())
        page.locator("div.math mjx-container mjx-math").wait_for()
        icon = "getComputedStyle(document.querySelector('.fa-moon')).maskImage"
        assert page.evaluate(icon).startswith('url("data:image/svg+xml')
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.evaluate("document.fonts.ready")
        browser.close()
    assert [url for url in asked if "MathJax_Main" in url]
    assert not [
        url for url in asked if "fontawesome" in url or not url.startswith(("file:", "data:"))
    ]
