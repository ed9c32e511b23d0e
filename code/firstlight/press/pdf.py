"""The whole book as one PDF, printed by Chromium from the built pages.

Page numbers of the table of contents take two printings: the first shows where each
heading falls, the second writes it down.
"""

from __future__ import annotations

import html
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

from firstlight.press.chromium import browser, drive
from firstlight.press.errors import PressError
from firstlight.press.paper import Facts, Sheet, document, facts, read_sheets
from firstlight.press.toc import Book

SHEET = """<style>
@page { size: A4; margin: 20mm 24mm 22mm;
  @bottom-center { content: counter(page); font: 9pt "FL Sans", sans-serif; color: #5b6270; } }
@page :first { @bottom-center { content: none; } }
</style>
"""
NO_READER = "The PDF needs the package pypdf, which is not installed. Run: make setup."


def write(book: Book, target: Path) -> None:
    """Print the book.

    Args:
        book: The book, built.
        target: The file to write.

    Raises:
        PressError: If there is no Chromium, or a page has not been built.
    """
    program = browser("The PDF")
    scratch = book.press / "paper"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    known, sheets = facts(book), read_sheets(book)
    for sheet in sheets:
        for image in sheet.article.find_all("img", src=True):
            image["src"] = (book.html / image["src"]).resolve().as_uri()
    body = "\n".join(_opened(sheet) for sheet in sheets)
    source, draft, final = (scratch / name for name in ("book.html", "draft.pdf", "final.pdf"))
    cover = _cover(book, known)

    def printed(numbers: Callable[[str], str], path: Path) -> dict[str, int]:
        contents = table_of_contents(sheets, numbers)
        source.write_text(document(book, known.title, SHEET + cover + contents + body), "utf-8")
        _print(program, source, path)
        return landing_pages(path)

    where = printed(lambda _: "000", draft)
    again = printed(lambda name: str(where.get(name, "")), final)
    if again != where:  # a number made a line longer; the third printing has the true ones
        printed(lambda name: str(again.get(name, "")), final)
    _describe(final, target, known)
    shutil.rmtree(scratch, ignore_errors=True)


def _print(program: str, source: Path, path: Path) -> None:
    drive(
        program, source, f"--print-to-pdf={path}", "--no-pdf-header-footer",
        "--generate-pdf-document-outline",
    )  # fmt: skip
    if not path.is_file():
        raise PressError(f"{program} printed nothing. Is it a Chromium of at least version 131?")


def landing_pages(path: Path) -> dict[str, int]:
    """The page on which each place that is linked to stands.

    Args:
        path: A PDF that Chromium has printed.

    Returns:
        Page numbers from 1, by the id of the place.
    """
    try:
        from pypdf import PdfReader
    except ImportError:
        raise PressError(NO_READER) from None
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it remarks on Chromium's bookkeeping
    reader = PdfReader(path)
    found = {}
    for name, place in reader.named_destinations.items():
        number = reader.get_destination_page_number(place)
        if number is not None:
            found[name.lstrip("/")] = number + 1
    return found


def table_of_contents(sheets: list[Sheet], number: Callable[[str], str]) -> str:
    """The table of contents.

    Args:
        sheets: The pages.
        number: The page number to show for an id.

    Returns:
        HTML.
    """
    lines = ['<div class="contents"><h1>Contents</h1><ol>']
    for sheet in sheets[1:]:  # the first is the page that one sees already
        if sheet.part:
            lines.append(f'<li class="part">{html.escape(sheet.part)}</li>')
        lines.append(f'<li class="chapter">{_line(f"p{sheet.number}", sheet.title, number)}<ol>')
        lines += [f"<li>{_line(*section, number)}</li>" for section in sheet.sections()]
        lines.append("</ol></li>")
    return "\n".join([*lines, "</ol></div>"])


def _line(name: str, title: str, number: Callable[[str], str]) -> str:
    return f'<a href="#{name}"><span>{html.escape(title)}</span><i></i>{number(name)}</a>'


def _opened(sheet: Sheet) -> str:
    text = str(sheet.article)
    if not sheet.part:
        return text
    end = text.index(">") + 1
    return f'{text[:end]}<p class="part">{html.escape(sheet.part)}</p>{text[end:]}'


def _cover(book: Book, known: Facts) -> str:
    title, _, subtitle = known.title.partition(": ")
    logo = book.root / "images" / "logo.svg"
    picture = f'<img src="{logo.resolve().as_uri()}" alt="">' if logo.is_file() else ""
    words = [known.author, f"Version {known.version}. Every result in it was measured by the build",
             f"that made these pages; {known.claims} claims held.", known.address]  # fmt: skip
    foot = "<br>".join(html.escape(word) for word in words if word)
    return (
        f'<div class="cover">{picture}<p class="name">{html.escape(title)}</p>'
        f'<p class="subtitle">{html.escape(subtitle)}</p><p class="foot">{foot}</p></div>\n'
    )


def _describe(source: Path, target: Path, known: Facts) -> None:
    """Write the PDF with its title and author, whole or not at all."""
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=source)
    writer.add_metadata({"/Title": known.title, "/Author": known.author, "/Creator": "First Light"})
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    with part.open("wb") as file:
        writer.write(file)
    part.replace(target)
