"""The built pages as one text for paper and readers: what only a browser can do is taken out.

Nothing is executed and nothing rendered anew: the articles of the built pages are read,
quizzes and folds are laid open, dark figures go, and links between pages become links
within one book. `pdf` prints the result, `epub` packs it.
"""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from firstlight.press.errors import PressError
from firstlight.press.ledger import read_ledger
from firstlight.press.notebooks import site
from firstlight.press.pages import repository
from firstlight.press.toc import Book

GONE = (  # nothing of these is of use away from the screen
    "script", "style", "button", "noscript", "nav", "iframe", "template", "a.headerlink",
    ".only-dark", ".fl-foot", ".fl-notes", ".fl-note", ".fl-feedback", "input", "[popover]",
    ".fl-how",
)  # fmt: skip


@dataclass
class Sheet:
    """One page of the book, ready for paper.

    Args:
        number: Its place in the book, from 1; its ids begin with `p<number>-`.
        docname: Its name.
        part: The part it opens, empty if it does not open one.
        title: Its title, as plain text.
        article: Its content, a Beautiful Soup element.
    """

    number: int
    docname: str
    part: str
    title: str
    article: Any

    def sections(self) -> Iterator[tuple[str, str]]:
        """Id and title of each section of second rank."""
        for heading in self.article.find_all("h2"):
            if heading.parent.get("id"):
                yield heading.parent["id"], heading.get_text(" ", strip=True)


@dataclass(frozen=True)
class Facts:
    """What the title page says."""

    title: str
    author: str
    version: str
    claims: int
    address: str


def facts(book: Book) -> Facts:
    """Title, author and version, each from the place where it stands."""
    import firstlight

    config = yaml.safe_load((book.root / "_config.yml").read_text("utf-8")) or {}
    chapters = read_ledger(book.root)["chapters"]
    held = sum("skipped" not in claim for chapter in chapters for claim in chapter["claims"])
    title, author = str(config.get("title", "A book")), str(config.get("author", ""))
    return Facts(title, author, firstlight.__version__, held, repository(book.root))


def read_sheets(book: Book) -> list[Sheet]:
    """Read every built page, in the order of the table of contents.

    Args:
        book: The book, built.

    Returns:
        The sheets.

    Raises:
        PressError: If a page has not been built.
    """
    from bs4 import BeautifulSoup

    numbers = {page.docname: number for number, page in enumerate(book.pages, 1)}
    opened, sheets = _parts(book), []
    for docname, number in numbers.items():
        path = book.html / f"{docname}.html"
        if not path.is_file():
            raise PressError(f"{docname}.html is not there. Build the book first: make book.")
        soup = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        article = soup.select_one("article") or soup.body
        if article is None or article.h1 is None:
            raise PressError(f"{docname}.html has no title. Build the book first: make book.")
        _strip(article)
        _lay_open(soup, article)
        _relink(article, docname, numbers, book)
        article.name, article.attrs = "div", {"class": "sheet", "id": f"p{number}"}
        title = article.h1.get_text(" ", strip=True)
        sheets.append(Sheet(number, docname, opened.get(docname, ""), title, article))
    _keep_promises(sheets)
    return sheets


def _parts(book: Book) -> dict[str, str]:
    """The first page of each part, with the part's name."""
    toc = yaml.safe_load((book.root / "_toc.yml").read_text("utf-8")) or {}
    found = {}
    for part in toc.get("parts", []):
        for chapter in part.get("chapters", [])[:1]:
            found[str(chapter["file"]).removesuffix(".md")] = str(part.get("caption", ""))
    return found


def _strip(article: Any) -> None:
    for element in article.select(", ".join(GONE)):
        element.decompose()
    for element in article.find_all(True):
        for name in [name for name in element.attrs if name.startswith(("on", "aria-", "data-"))]:
            del element[name]
        for name in ("role", "tabindex", "decoding", "loading", "for", "name", "popovertarget"):
            element.attrs.pop(name, None)


def _lay_open(soup: Any, article: Any) -> None:
    """Folds become headed blocks; a quiz becomes a question with a list of options."""
    for fold in article.find_all("details"):
        summary = fold.find("summary", recursive=False)
        if summary is not None:
            summary.name, summary.attrs = "p", {"class": "fl-kicker"}
            if "hide" in fold.get("class", []):
                summary.decompose()
        fold.name = "div"
        fold.attrs.pop("open", None)
    for quiz in article.select("form.fl-quiz"):
        quiz.name, quiz.attrs = "div", {"class": "fl-quiz", "id": quiz.get("id", "")}
        for hint in quiz.select(".fl-kicker span"):
            hint.decompose()
        listed = soup.new_tag("ul", attrs={"class": "fl-options"})
        options = quiz.select(".fl-option")
        if options:
            options[0].insert_before(listed)
        for option in options:
            label = option.label.extract()
            label.name = "li"
            listed.append(label)
            option.decompose()
        for legend in quiz.find_all("legend"):
            legend.name, legend.attrs = "p", {"class": "fl-question"}
        for frame in quiz.find_all("fieldset"):
            frame.unwrap()
    for slider in article.select("fieldset.fl-frames"):  # its frames side by side
        for part in slider.find_all(["legend", "label"], recursive=False):
            part.decompose()
        slider.name, slider.attrs = "div", {"class": slider["class"]}


def _relink(article: Any, docname: str, numbers: dict[str, int], book: Book) -> None:
    """Give every id its page's prefix, and lead every link to where its goal is now."""
    here, folder = f"p{numbers[docname]}", posixpath.dirname(docname)
    published = site(repository(book.root).rstrip("/"))
    drawn = {id(element) for drawing in article.find_all("svg") for element in drawing.find_all()}
    for element in article.find_all(True):
        if id(element) in drawn:
            continue  # a drawing refers to its parts in ways of its own
        if element.get("id"):
            element["id"] = f"{here}-{element['id']}"
        elif "id" in element.attrs:
            del element["id"]
        if element.get("src"):
            element["src"] = posixpath.normpath(posixpath.join(folder, element["src"]))
        target = element.get("href")
        if not target or element.name != "a" or urlsplit(target).scheme:
            continue
        path, _, fragment = target.partition("#")
        goal = posixpath.normpath(posixpath.join(folder, unquote(path))) if path else docname
        number = numbers.get(goal.removesuffix(".html"))
        if number is not None:
            element["href"] = f"#p{number}" + (f"-{fragment}" if fragment else "")
        elif published:
            element["href"] = f"{published}/{goal}"
        else:
            element.unwrap()


def _keep_promises(sheets: list[Sheet]) -> None:
    """A link to something that was taken out leads to the top of its page instead."""
    ids = {element["id"] for sheet in sheets for element in sheet.article.find_all(id=True)}
    for sheet in sheets:
        for link in sheet.article.find_all("a", href=re.compile(r"^#p\d+-")):
            if link["href"][1:] not in ids:
                link["href"] = link["href"].partition("-")[0]


def style(book: Book, fonts: str) -> str:
    """The style sheet of paper, with the colors of the code.

    Args:
        book: The book.
        fonts: Address of the folder of the fonts.
    """
    pygments = (book.html / "_static" / "pygments.css").read_text("utf-8")
    light = "\n".join(line for line in pygments.splitlines() if "dark" not in line)
    light = light.replace('html[data-theme="light"] ', "")
    ours = Path(__file__).with_name("paper.css").read_text("utf-8")
    if not (book.html / "_static" / "fonts").is_dir():
        ours = re.sub(r"@font-face {.*}\n", "", ours)  # then those of the machine
    return light + "\n" + ours.replace("FONTS", fonts)


def document(book: Book, title: str, body: str, script: str = "") -> str:
    """A page that sets its own mathematics and asks nobody for anything.

    Args:
        book: The book.
        title: Its title.
        body: Its content.
        script: What to do when the mathematics is set.
    """
    static = (book.html / "_static").resolve().as_uri()
    math = f'<script src="{static}/mathjax/tex-svg.js"></script>'
    marked = '"processHtmlClass": "math|output_area"'  # the pages leave the rest alone
    settings = f'{{"options": {{"enableMenu": false, {marked}}}}}'
    if not (book.html / "_static" / "mathjax" / "tex-svg.js").is_file():
        math = ""  # a small book without mathematics
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title>\n<style>{style(book, static + '/fonts')}</style>\n"
        f"<script>window.MathJax = {settings}</script>{math}</head>\n"
        f"<body>\n{body}\n{script}</body></html>\n"
    )
