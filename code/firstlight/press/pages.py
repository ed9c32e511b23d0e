"""Renders the pages with Sphinx, from outputs that the press already has."""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
import tomllib
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firstlight.press import links
from firstlight.press.chapter import cells_digest, sphinx_config
from firstlight.press.errors import PressError, disk_message
from firstlight.press.store import Record, notebook_path, write_atomic
from firstlight.press.toc import Book
from firstlight.press.tracing import file_digest

NOT_INPUTS = {"_build", "__pycache__", "tests", "benchmarks", "node_modules", "dist"}
# Left out of every book: both would have pages ask other hosts for scripts.
UNWANTED = {"sphinx_thebe", "sphinx_comments"}

_WARNING = re.compile(r"^(?:(.*?):(?:(\d+):|None:)?\s*)?(WARNING|ERROR|CRITICAL|SEVERE): (.*)$")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class State:
    """What the HTML was last rendered from.

    Args:
        inputs: Digest of all its inputs, empty if the last rendering was not clean.
        rendering: Digest of what renders: configuration, press, extensions.
        notebooks: Digest of the executed notebook that each page shows.
        warned: Pages with warnings; they are read again until they have none.
    """

    inputs: str = ""
    rendering: str = ""
    notebooks: dict[str, str] = field(default_factory=dict)
    warned: list[str] = field(default_factory=list)


def state_path(book: Book) -> Path:
    """Where the state of the HTML is kept."""
    return book.press / "pages.json"


def load_state(book: Book) -> State | None:
    """The state of the HTML, None if it must be rendered afresh."""
    try:
        return State(**json.loads(state_path(book).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def inputs_digest(book: Book, shown: str, notebooks: dict[str, str]) -> str:
    """Digest of everything that the HTML is made from.

    Args:
        book: The book; every file in its folder counts but tests, caches and hidden ones.
        shown: Digest of what pages show of the ledger.
        notebooks: Digests of the executed notebooks.

    Returns:
        SHA-256, in hexadecimal.
    """
    total = hashlib.sha256()
    for path in _inputs(book.root):
        total.update(f"{path.relative_to(book.root).as_posix()}\0{file_digest(path)}\0".encode())
    facts = [shown, sorted(notebooks.items()), rendering_digest(book)]
    total.update(json.dumps(facts).encode())
    return total.hexdigest()


def _inputs(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in NOT_INPUTS or path.suffix == ".pyc":
            continue
        if path.is_dir():
            if not (path / "pyvenv.cfg").exists():
                yield from _inputs(path)
        elif path.is_file():
            yield path


def rendering_digest(book: Book) -> str:
    """Digest of what decides how every page looks; if it changes, all are rendered."""
    here = Path(__file__).parent
    files = [book.root / name for name in ("_config.yml", "requirements.txt", "pyproject.toml")]
    files += sorted(path for path in here.rglob("*") if path.is_file() and path.suffix != ".pyc")
    text = "".join(f"{path.name} {file_digest(path)}\n" for path in files)
    return hashlib.sha256((text + sys.version).encode()).hexdigest()


def fill_cache(book: Book, records: list[Record]) -> None:
    """Put executed notebooks where MyST-NB looks for them.

    Args:
        book: The book.
        records: The chapters, each with an executed notebook that matches its record.

    Raises:
        PressError: If two chapters have the very same cells but other outputs: the
            cache, whose key is the cells, could not tell them apart.
    """
    import nbformat
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    cache = get_cache(book.build / ".jupyter_cache")
    taken: dict[str, Record] = {}
    for record in records:
        other = taken.setdefault(record.cells, record)
        if other is not record:
            raise PressError(
                f"{record.docname}.md has the very same code cells as {other.docname}.md. "
                "Their outputs could not be told apart: change a cell in one of them."
            )
        notebook = nbformat.read(notebook_path(book, record.docname), 4)
        known = [item for item in cache.list_cache_records() if item.hashkey == record.cells]
        if known and known[0].data.get("notebook") == record.notebook:
            continue
        data = {"execution_seconds": record.wall_s, "notebook": record.notebook}
        bundle = CacheBundleIn(notebook, str(book.root / f"{record.docname}.md"), data=data)
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


@contextmanager
def no_execution(book: Book, known: set[str], lenient: bool) -> Iterator[None]:
    """Make sure that MyST-NB only reads outputs and never makes any.

    Args:
        book: The book.
        known: Digests of the cells whose outputs the press has.
        lenient: Show a chapter without outputs where there are none, rather than fail.
    """
    from myst_nb.core.execute import cache, direct, inline

    classes: Any = (cache.NotebookClientCache, direct.NotebookClientDirect,
                    inline.NotebookClientInline)  # fmt: skip
    originals = [kind.start_client for kind in classes]
    read = originals[0]

    def start_client(self: Any) -> None:
        if not any(cell.cell_type == "code" for cell in self.notebook.cells):
            return
        if cells_digest(self.notebook) in known:
            read(self)
        elif not lenient:
            raise PressError(
                f"{self.path} would be executed while pages are rendered. It was changed during "
                "the build: run it again. If nobody touched it, please report this."
            )

    for kind in classes:
        kind.start_client = start_client
    try:
        yield
    finally:
        for kind, original in zip(classes, originals, strict=True):
            kind.start_client = original


@dataclass(frozen=True)
class Warned:
    """A warning of Sphinx: the page it is about (None if that is not clear), and its text."""

    docname: str | None
    text: str


def parse_warnings(text: str, book: Book) -> list[Warned]:
    """Sphinx's warnings as a plain list.

    Args:
        text: What Sphinx wrote to its warning stream.
        book: The book, to name files relative to it.

    Returns:
        The warnings, in order, each once.
    """
    found: list[Warned] = []
    names = {page.docname for page in book.pages}
    for line in _ANSI.sub("", text).splitlines():
        match = _WARNING.match(line)
        if match is None:
            if found and line.strip():
                found[-1] = Warned(found[-1].docname, f"{found[-1].text}\n    {line.strip()}")
            continue
        place, number, _, message = match.groups()
        place = (place or "").replace(f"{book.root.as_posix()}/", "")
        docname = place.removesuffix(".md")
        where = f"{place}, line {number}: " if number else f"{place}: " if place else ""
        found.append(Warned(docname if docname in names else None, where + message))
    return list(dict.fromkeys(found))


def render(book: Book, records: list[Record], shown: str, only: str | None = None) -> list[str]:
    """Render what is out of date.

    Args:
        book: The book.
        records: The chapters whose outputs are up to date.
        shown: Digest of what pages show of the ledger.
        only: The one page that matters (`make chapter`): problems of others are left
            for the next build of the book.

    Returns:
        The problems, one plain line each; empty if the pages are right.
    """
    notebooks = {record.docname: record.notebook for record in records}
    inputs, rendering = inputs_digest(book, shown, notebooks), rendering_digest(book)
    state = load_state(book)
    front = book.html / f"{book.pages[0].docname}.html"
    if state is not None and state.inputs == inputs and front.is_file():
        return []
    fresh = state is None or state.rendering != rendering or "*" in state.warned
    before = State() if fresh or state is None else state
    again = {name for name, digest in notebooks.items() if before.notebooks.get(name) != digest}
    again |= set(before.warned)
    print("Rendering the pages", flush=True)
    fill_cache(book, records)
    state_path(book).unlink(missing_ok=True)  # a rendering cut short is done afresh
    with no_execution(book, {record.cells for record in records}, lenient=only is not None):
        warnings = parse_warnings(_run_sphinx(book, again, fresh), book)
    _tidy(book)
    broken = [] if warnings else links.check(book.html, book.build)
    ours = [w.text for w in warnings if only is None or w.docname in (None, only)]
    if only is not None:
        broken = [line for line in broken if line.startswith(f"html/{only}.html:")]
    clean = not warnings and not broken and only is None
    warned = sorted({warning.docname or "*" for warning in warnings} | ({"*"} if broken else set()))
    after = State(inputs if clean else "", rendering, notebooks, warned)
    write_atomic(state_path(book), json.dumps(vars(after), indent=1))
    return ours + broken


def _run_sphinx(book: Book, again: set[str], fresh: bool) -> str:
    """Run Sphinx over the book; return what it wrote to its warning stream."""
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    warning = io.StringIO()
    try:
        with patch_docutils(None), docutils_namespace():
            app = Sphinx(
                srcdir=book.root, confdir=None, outdir=book.html,
                doctreedir=book.build / ".doctrees", buildername="html",
                confoverrides=_settings(book), status=None, warning=warning, freshenv=fresh,
            )  # fmt: skip
            if app.config["use_multitoc_numbering"] and "numbered: true" in _toc_text(book):
                app.setup_extension("sphinx_multitoc_numbering")
            app.connect("env-get-outdated", lambda app, *_: sorted(again & app.env.found_docs))
            app.build(fresh, [])
    except PressError:
        raise
    except SphinxError as error:
        raise PressError(disk_message(error) or f"Sphinx: {error}") from error
    except Exception as error:
        tail = "".join(traceback.format_exception(error)[-4:]).rstrip()
        raise PressError(disk_message(error) or f"Sphinx stopped:\n{tail}") from error
    return warning.getvalue()


def _settings(book: Book) -> dict[str, Any]:
    """The book's Sphinx settings, with those that the press decides."""
    settings = sphinx_config(book.root)
    for key in ("latex_doc_overrides", "comments_config", "thebe_config"):
        settings.pop(key, None)
    settings["extensions"] = [e for e in settings["extensions"] if e not in UNWANTED]
    settings["nb_execution_mode"] = "cache"
    settings["nb_execution_cache_path"] = str(book.build / ".jupyter_cache")
    options = settings.setdefault("html_theme_options", {})
    options["repository_url"] = repository(book.root)
    # Scripts and styles in subfolders of _static (MathJax, say) are asked for where they
    # are needed; Jupyter Book would load each of them on every page.
    for key in ("html_js_files", "html_css_files"):
        settings[key] = [f for f in settings.get(key, []) if not isinstance(f, str) or "/" not in f]
    return settings


def repository(root: Path) -> str:
    """The repository's address, from the one place where it stands; empty if there is none."""
    path = root / "pyproject.toml"
    facts = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    return str(facts.get("project", {}).get("urls", {}).get("Repository", ""))


def _toc_text(book: Book) -> str:
    return (book.root / "_toc.yml").read_text("utf-8").lower()


def _tidy(book: Book) -> None:
    """Remove pages that the book no longer has, and lead the top folder to the first page."""
    root = book.pages[0].docname
    if root != "index":
        write_atomic(
            book.html / "index.html",
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<title>The book</title>\n<link rel="icon" href="data:,">'
            f'<meta name="description" content="This address leads to the book\'s first page.">'
            f'<meta http-equiv="refresh" content="0; url={root}.html">'
            f'</head>\n<body><a href="{root}.html">The book</a></body></html>\n',
        )
    known = {page.docname for page in book.pages} | {"index", "genindex", "search", "py-modindex"}
    for path in book.html.rglob("*.html"):
        name = path.relative_to(book.html).with_suffix("").as_posix()
        if name not in known and not name.startswith("_"):
            path.unlink()
