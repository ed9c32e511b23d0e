"""The line under every page: what can be done with it, in plain links.

Launch it, download it, edit it, report an error in it. The theme has such buttons at the
top, on some pages, in menus that need scripts; these are on every page and need none.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import nbformat
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from firstlight.press import notebooks
from firstlight.press.errors import PressError
from firstlight.press.pages import repository
from firstlight.press.toc import Book, read_book

BINDER = "https://mybinder.org"
NO_CODE = "This page runs no code."
REPORT = """Page: {file}

What stands there:


What should stand there, or what went wrong:

"""


def plain_title(title: str) -> str:
    """A page's title without markup.

    Args:
        title: The title as HTML.

    Example:
        >>> plain_title("What is <em>Deep</em> Learning &amp; why?")
        'What is Deep Learning & why?'
    """
    return html.unescape(re.sub(r"<[^>]+>", "", title)).strip()


def report_link(address: str, title: str, file: str) -> str:
    """Address of a new issue whose title and body name the page already.

    Args:
        address: The repository's address.
        title: The page's title, without markup.
        file: The page's source, relative to the book.

    Returns:
        The link.
    """
    fields = {"title": f"Error on the page “{title}”", "body": REPORT.format(file=file)}
    return f"{address}/issues/new?{urlencode(fields, quote_via=quote)}"


def launch_link(address: str, branch: str, file: str, hub: str = BINDER) -> str:
    """Address at which Binder opens the page in JupyterLab; empty if it is not on GitHub.

    Args:
        address: The repository's address.
        branch: The branch to launch.
        file: The page's source, relative to the book.
        hub: The BinderHub.

    Returns:
        The link.
    """
    host, _, name = address.partition("//")[2].partition("/")
    if host != "github.com":
        return ""
    return f"{hub}/v2/gh/{name}/{branch}?urlpath={quote(f'lab/tree/{file}')}"


def foot(links: list[tuple[str, str]], note: str = "") -> str:
    """HTML of the line.

    Args:
        links: Words and addresses.
        note: A sentence above them.
    """
    items = "".join(f'<li><a href="{html.escape(url)}">{text}</a></li>' for text, url in links)
    first = f"<p>{html.escape(note)}</p>" if note else ""
    return (
        f'<nav class="fl-foot d-print-none" aria-label="This page">{first}<ul>{items}</ul></nav>\n'
    )


def add_foot(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Put the line under a page that has a source."""
    address = repository(Path(app.confdir)).rstrip("/")
    if doctree is None or not address or "body" not in context:
        return
    file = Path(app.env.doc2path(pagename)).relative_to(app.srcdir).as_posix()
    options = app.config.html_theme_options
    branch = str(options.get("repository_branch") or "main")
    hub = str(options.get("launch_buttons", {}).get("binderhub_url") or BINDER)
    links = [("Launch on Binder", launch_link(address, branch, file, hub))]
    found = _notebook_links(app, pagename, address)
    if not found and context.get("has_source") and context.get("sourcename"):
        found = [("Download the source", f"_sources/{context['sourcename']}")]
    for text, url in found:
        links.append((text, url if "://" in url else context["pathto"](url, 1)))
    links += [
        ("Edit on GitHub", f"{address}/edit/{branch}/{quote(file)}"),
        ("Report an error", report_link(address, plain_title(context["title"]), file)),
    ]
    ran = 'class="fl-cost"' in context["body"]
    context["body"] += foot([link for link in links if link[1]], "" if ran else NO_CODE)


def _notebook_links(app: Sphinx, pagename: str, address: str) -> list[tuple[str, str]]:
    """Colab and the download of a page that was executed; nothing for the others.

    The notebook that MyST-NB offers lacks the outputs, since they came from its cache. It is
    replaced by the one that the press publishes.
    """
    book = _book(app)
    page = next((page for page in book.pages if page.docname == pagename), None) if book else None
    if book is None or page is None or not page.executable:
        return []
    try:
        notebook = notebooks.plain_notebook(book, page, notebooks.setting(book))
    except (PressError, OSError):  # rendered without outputs (`make chapter` of another page)
        return []
    target = Path(app.outdir) / "_sources" / f"{pagename}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, target)
    colab = notebooks.colab_link(address, pagename)
    return [("Open in Colab", colab), ("Download as notebook", f"_sources/{pagename}.ipynb")]


def _book(app: Sphinx) -> Book | None:
    try:
        return read_book(Path(app.confdir))
    except (PressError, OSError):  # rendered by Sphinx alone
        return None


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the line; it comes after the theme has put its notebooks in place."""
    app.connect("html-page-context", add_foot, priority=700)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
