"""The executed chapters as notebooks that open anywhere: for Colab, and to download.

Each holds the chapter's cells with the outputs of the build, its prose in plain Markdown,
and before them one cell that installs the companion package where it is missing.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from firstlight.press import store
from firstlight.press.chapter import read_chapter
from firstlight.press.errors import PressError
from firstlight.press.ledger import ledger_path
from firstlight.press.notebook_text import Plain, Setting
from firstlight.press.pages import repository
from firstlight.press.render import MIME
from firstlight.press.shown import Ledger
from firstlight.press.toc import Book, Page

BRANCH = "notebooks"  # of the repository; the workflow `publish` keeps it
COLAB = "https://colab.research.google.com/github"
INSTALL = """\
# The book's companion package, in case this machine does not have it (Colab does not).
try:
    import firstlight
except ImportError:
    %pip install --quiet "git+{address}"
"""
HIDDEN = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
README = """\
# The executed chapters

Written by a build of the book, `{source}`, and replaced by the next one. To change
something, change the chapter.

"""


def site(address: str) -> str:
    """Where GitHub publishes the pages of a repository; empty if it is not on GitHub.

    Args:
        address: The repository's address.

    Example:
        >>> site("https://github.com/an-owner/a-book")
        'https://an-owner.github.io/a-book'
    """
    parts = urlsplit(address)
    owner, _, name = parts.path.strip("/").partition("/")
    return f"https://{owner}.github.io/{name}" if parts.netloc == "github.com" and name else ""


def colab_link(address: str, docname: str) -> str:
    """Where Colab opens a chapter's published notebook; empty if it is not on GitHub.

    Args:
        address: The repository's address.
        docname: The chapter.

    Example:
        >>> colab_link("https://github.com/an-owner/a-book", "book/why/depth")[35:]
        '/github/an-owner/a-book/blob/notebooks/why/depth.ipynb'
    """
    parts = urlsplit(address)
    if parts.netloc != "github.com":
        return ""
    return f"{COLAB}{parts.path.rstrip('/')}/blob/{BRANCH}/{quote(place(docname))}"


def place(docname: str) -> str:
    """A chapter's path on the branch of notebooks."""
    return f"{docname.removeprefix('book/')}.ipynb"


def setting(book: Book) -> Setting:
    """What the prose needs to know: measurements, citations, addresses."""
    address = repository(book.root).rstrip("/")
    ledger = Ledger(ledger_path(book.root))
    return Setting(book.root, ledger, citations(book.root), address, site(address))


def citations(root: Path) -> dict[str, tuple[str, str]]:
    """Authors and year of every work in the book's bibliography.

    Args:
        root: The book's folder.

    Returns:
        By key, such as `{"Dieleman2015": ("Dieleman et al.", "2015")}`.
    """
    from pybtex.database import parse_file

    path = root / "references.bib"
    if not path.is_file():
        return {}
    found = {}
    for key, entry in parse_file(str(path), "bibtex").entries.items():
        people = entry.persons.get("author") or entry.persons.get("editor") or []
        names = [" ".join(map(str, who.rich_prelast_names + who.rich_last_names)) for who in people]
        if len(names) > 2:
            names = [f"{names[0]} et al."]
        found[key] = (" and ".join(names) or key, str(entry.fields.get("year", "n.d.")))
    return found


def plain_notebook(book: Book, page: Page, known: Setting, ref: str = "") -> Any:
    """One executed chapter as a notebook.

    Args:
        book: The book, built.
        page: The chapter.
        known: What its prose needs to know.
        ref: Branch or commit from which the package is installed; empty for the newest.

    Returns:
        The notebook, version 4.5.

    Raises:
        PressError: If the outputs that the press has are not those of the page's cells.
    """
    import nbformat

    chapter = read_chapter(book.root, page)
    outputs = _outputs(book, page, chapter.cells)
    cells = [_install(f"{known.repository}@{ref}" if ref else known.repository)]
    before = Plain(known, page.docname)
    for cell in chapter.notebook.cells:  # once for the numbers that references show
        if cell.cell_type == "markdown":
            before.cell(cell.source)
    plain = Plain(known, page.docname, before.labels)
    for cell in chapter.notebook.cells:
        if cell.cell_type == "code":
            cells.append(_code_cell(cell, next(outputs), plain.in_solution))
        elif text := plain.cell(cell.source):
            cells.append(nbformat.v4.new_markdown_cell(text))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # not random: an unchanged chapter is an unchanged file
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(notebook)
    return notebook


def _install(address: str) -> Any:
    import nbformat

    return nbformat.v4.new_code_cell(INSTALL.format(address=address).rstrip())


def _outputs(book: Book, page: Page, cells: str) -> Any:
    """The executed code cells of a chapter, in their order."""
    import nbformat

    path, record = store.notebook_path(book, page.docname), store.load(book, page.docname)
    if record is None or not path.is_file() or record.cells != cells:
        name = page.docname.removeprefix("book/")
        raise PressError(
            f"{page.docname}.md: its cells have not been executed as they stand now. "
            f"Build the book first: make book (or make chapter C={name})."
        )
    notebook = nbformat.read(path, 4)
    return iter([cell for cell in notebook.cells if cell.cell_type == "code"])


def _code_cell(cell: Any, executed: Any, folded: bool) -> Any:
    """A code cell with its outputs; in a solution, or where the page hides it, closed."""
    import nbformat

    metadata: dict[str, Any] = {}
    tags = list(cell.metadata.get("tags", []))
    if tags:
        metadata["tags"] = tags
    if folded or HIDDEN & set(tags):
        metadata["jupyter"] = {"source_hidden": True}
        metadata["cellView"] = "form"  # the same in Colab
    outputs = [_output(output) for output in executed.outputs]
    return nbformat.v4.new_code_cell(
        cell.source, metadata=metadata, outputs=outputs,
        execution_count=executed.execution_count,
    )  # fmt: skip


def _output(output: Any) -> Any:
    """An output without what only these pages can show (a figure's dark twin)."""
    output = copy.deepcopy(output)
    if "data" in output:
        output["data"].pop(MIME, None)
        output["metadata"].pop("firstlight", None)
    return output


def write_notebooks(book: Book, folder: Path, ref: str = "") -> list[Path]:
    """Write every executed chapter, and a page that lists them.

    Args:
        book: The book, built.
        folder: Where to write; folders are made as they are needed.
        ref: Branch or commit from which the package is installed.

    Returns:
        The notebooks.

    Raises:
        PressError: If a chapter has not been executed as it stands.
    """
    import nbformat

    known = setting(book)
    made = [(page, plain_notebook(book, page, known, ref)) for page in book.chapters]
    lines = [README.format(source=ref or "main")]
    for page, notebook in made:
        store.write_atomic(folder / place(page.docname), nbformat.writes(notebook) + "\n")
        name, link = place(page.docname), colab_link(known.repository, page.docname)
        lines.append(f"- [{name}]({name})" + (f" ([open in Colab]({link}))" if link else "") + "\n")
    store.write_atomic(folder / "README.md", "".join(lines))
    return [folder / place(page.docname) for page, _ in made]
