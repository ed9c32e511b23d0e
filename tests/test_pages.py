"""The built pages: they stand alone, hold together, and can be read by everyone.

They are looked at where `make book` left them; without a build these tests are skipped.
"""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

HTML = Path(__file__).parents[1] / "_build" / "html"
PAGES = sorted(
    page.relative_to(HTML).as_posix()
    for page in HTML.rglob("*.html")
    if not page.relative_to(HTML).as_posix().startswith("_")
)
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
# Attributes with which a page asks a server for something, by itself.
LOADS = {
    "audio": ["src"], "embed": ["src"], "iframe": ["src"], "img": ["src", "srcset"],
    "input": ["src"], "link": ["href"], "object": ["data"], "script": ["src"],
    "source": ["src", "srcset"], "track": ["src"], "video": ["src", "poster"],
}  # fmt: skip
# Words in addresses that name a vocabulary and are never fetched, and links that do nothing
# until they are followed.
RELATIONS_NOT_LOADED = {"canonical", "author", "license", "next", "prev", "search", "index"}

pytestmark = pytest.mark.skipif(not PAGES, reason="no built pages: run `make book` first")
each_page = pytest.mark.parametrize("name", PAGES)


class Page(HTMLParser):
    """Tags, ids and inline scripts and styles of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.inline, self.unlabeled = [], [], [], []
        self._inside = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self._inside = tag if tag in ("script", "style") else None

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside:
            self.inline.append(data)

    def named(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


@cache
def page_of(name):
    return Page((HTML / name).read_text(encoding="utf-8"))


def _is_foreign(address):
    return bool(urlsplit(address.strip()).netloc)


def _redirects(page):
    return any(meta.get("http-equiv", "").lower() == "refresh" for meta in page.named("meta"))


@each_page
def test_every_image_has_words(name):
    for image in page_of(name).named("img"):
        assert image.get("alt") is not None, image
        assert "_images/" not in image["alt"], "the alt text is a file's name"
        if "fl-figure" in (image.get("class") or ""):
            assert len(image["alt"]) >= 15, image["alt"]


@each_page
def test_every_figure_has_a_light_and_a_dark_form(name):
    shades = [
        (image["class"].split()[-1], image["alt"])
        for image in page_of(name).named("img")
        if "fl-figure" in (image.get("class") or "")
    ]
    light = [alt for shade, alt in shades if shade == "only-light"]
    dark = [alt for shade, alt in shades if shade == "only-dark"]
    assert light == dark


@each_page
def test_every_page_says_in_a_sentence_what_it_is_about(name):
    page = page_of(name)
    if _redirects(page):
        return
    said = [m["content"] for m in page.named("meta") if m.get("name") == "description"]
    assert len(said) == 1 and 30 <= len(said[0]) <= 160, said
    assert re.search(r"[.!?…][”\"')]*$", said[0]), said


@each_page
def test_no_page_asks_another_host(name):
    page = page_of(name)
    asked = [
        attributes[key]
        for tag, attributes in page.tags
        for key in LOADS.get(tag, [])
        if attributes.get(key) and attributes.get("rel") not in RELATIONS_NOT_LOADED
    ]
    assert [address for address in asked if _is_foreign(address)] == []
    assert [code for code in page.inline if re.search(r"https?://(?!www\.w3\.org)", code)] == []
    styles = " ".join(a["style"] for _, a in page.tags if a.get("style"))
    assert not re.search(r"url\(\s*['\"]?(https?:)?//", styles)


@pytest.mark.parametrize("sheet", sorted(HTML.rglob("*.css")), ids=lambda path: path.name)
def test_no_style_sheet_asks_another_host(sheet):
    text = sheet.read_text(encoding="utf-8")
    assert not re.search(r"(url\(|@import)\s*['\"]?\s*(https?:)?//", text)


@each_page
def test_internal_links_arrive(name):
    broken = []
    for link in page_of(name).named("a"):
        address = urlsplit(link.get("href") or "")
        if address.scheme or address.netloc or not (address.path or address.fragment):
            continue
        target = (HTML / name).parent / unquote(address.path) if address.path else HTML / name
        if not target.exists():
            broken.append(link["href"])
        elif address.fragment and target.suffix == ".html":
            there = page_of(target.resolve().relative_to(HTML.resolve()).as_posix())
            if unquote(address.fragment) not in there.ids:
                broken.append(link["href"])
    assert broken == []


@each_page
def test_what_a_page_loads_is_there(name):
    missing = []
    for tag, attributes in page_of(name).tags:
        for key in LOADS.get(tag, []):
            address = attributes.get(key)
            if not address or key == "srcset" or address.startswith("data:"):
                continue
            if attributes.get("rel") in RELATIONS_NOT_LOADED or _is_foreign(address):
                continue
            if not ((HTML / name).parent / unquote(urlsplit(address).path)).exists():
                missing.append(address)
    assert missing == []


@each_page
def test_ids_are_unique(name):
    ids = page_of(name).ids
    assert sorted({i for i in ids if ids.count(i) > 1}) == []


@each_page
def test_every_button_of_a_quiz_has_its_label(name):
    page = page_of(name)
    labels = {label.get("for") for label in page.named("label")}
    for button in page.named("input"):
        if button.get("type") in ("radio", "checkbox") and "fl-" in str(button.get("id")):
            assert button["id"] in labels


@each_page
def test_a_page_says_its_language_and_has_one_title(name):
    page = page_of(name)
    if _redirects(page):
        return
    assert page.named("html")[0].get("lang")
    assert len(page.named("title")) >= 1
    article = (HTML / name).read_text(encoding="utf-8").partition("<article")[2]
    assert article.partition("</article>")[0].count("<h1") <= 1


@each_page
def test_no_problem_was_left_on_the_page(name):
    text = (HTML / name).read_text(encoding="utf-8")
    assert 'class="problematic"' not in text
    assert 'class="system-message"' not in text
