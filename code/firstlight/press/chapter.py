"""A chapter's cells, read exactly as MyST-NB reads them."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from firstlight.press.errors import PressError
from firstlight.press.toc import Page


@dataclass(frozen=True)
class Chapter:
    """A page with its cells.

    Args:
        page: The page.
        notebook: The notebook that MyST-NB makes of it, without outputs.
        cells: Digest of its code cells, their metadata and its kernel, as the
            notebook cache computes it: equal digests mean equal outputs.
    """

    page: Page
    notebook: Any
    cells: str


def read_chapter(root: Path, page: Page) -> Chapter:
    """Read a page's cells.

    Args:
        root: The book's folder, whose `_config.yml` says which Markdown it is in.
        page: The page.

    Returns:
        The chapter.

    Raises:
        PressError: If the page cannot be read as a notebook.
    """
    from myst_nb.core.read import read_myst_markdown_notebook

    config = markdown_config(root)
    try:
        # The page's whole path: a cell may load its text from a file beside it.
        notebook = read_myst_markdown_notebook(
            page.text, config=config, add_source_map=True, path=page.path
        )
    except Exception as error:
        raise PressError(f"{page.docname}.md: cannot be read as a notebook: {error}") from error
    return Chapter(page, notebook, cells_digest(notebook))


def cells_digest(notebook: Any) -> str:
    """Digest of a notebook's code cells, their metadata and its kernel.

    Args:
        notebook: A notebook, executed or not.

    Returns:
        The notebook cache's own key, so that what the press stores is what MyST-NB finds.
    """
    from jupyter_cache.cache.main import JupyterCacheBase

    return str(JupyterCacheBase("unused").create_hashed_notebook(notebook)[1])


def source_digest(root: Path, page: Page) -> str:
    """Digest of a page's text and of what decides how it is read.

    As long as it is the same, the cells are: a quick way not to read them.

    Args:
        root: The book's folder.
        page: The page.

    Returns:
        SHA-256, in hexadecimal.
    """
    config = root / "_config.yml"
    head = config.read_bytes() if config.is_file() else b""
    return hashlib.sha256(head + b"\0" + page.text.encode()).hexdigest()


def first_line(source: str) -> str:
    """The first line of a cell that says something.

    Example:
        >>> first_line("# Train it\\nmodel.fit(x, y)")
        'model.fit(x, y)'
    """
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    code = [line for line in lines if not line.startswith("#")]
    return (code or lines or [""])[0]


def sphinx_config(root: Path) -> dict[str, Any]:
    """The book's `_config.yml` as Sphinx understands it, through Jupyter Book.

    Args:
        root: The book's folder.

    Returns:
        A fresh dictionary of Sphinx settings.

    Raises:
        PressError: If `_config.yml` is missing or Jupyter Book refuses it.
    """
    from jupyter_book.config import get_final_config

    path = root / "_config.yml"
    if not path.is_file():
        raise PressError(f"no _config.yml in {root}.")
    try:
        config, _ = get_final_config(
            user_yaml=path,
            cli_config={"latex_individualpages": False},
            sourcedir=root,
            raise_on_invalid=True,
        )
    except Exception as error:
        raise PressError(f"_config.yml: Jupyter Book refuses it: {error}") from error
    return dict(config)


@lru_cache(maxsize=4)
def _markdown_config(root: Path, _config_digest: str) -> Any:
    from myst_parser.config.main import MdParserConfig

    settings = sphinx_config(root)
    names = {field.name for field in dataclasses.fields(MdParserConfig)}
    chosen = {name: settings[f"myst_{name}"] for name in names if f"myst_{name}" in settings}
    return MdParserConfig(**chosen)


def markdown_config(root: Path) -> Any:
    """MyST's parser settings for this book (they decide where a cell begins).

    Args:
        root: The book's folder.

    Returns:
        An `MdParserConfig`.
    """
    path = root / "_config.yml"
    text = path.read_bytes() if path.is_file() else b""
    return _markdown_config(root, hashlib.sha256(text).hexdigest())
