"""Links from the page to the code it imports, at the line where it stands."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole
from sphinx.util.typing import ExtensionMetadata

from firstlight.press.shown import look

logger = logging.getLogger(__name__)


class SourceRole(SphinxRole):
    """``{source}`firstlight.claims:claim` ``: a link to the code on the repository."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Insert the link, or warn that there is no such module or name in it."""
        module, _, member = self.text.strip().partition(":")
        path = find_source(Path(self.env.app.confdir), module)
        line = _line_of(path, member) if path else None
        if path is None or (member and line is None):
            logger.warning(
                "source %r: there is no such module, or no such name in it.", self.text,
                location=self.get_location(), type="firstlight",
            )  # fmt: skip
            return [nodes.problematic(self.rawtext, self.rawtext)], []
        look(self.env, f"source:{path}")
        root = Path(self.env.app.confdir)
        target = f"{repository(root)}/blob/main/{path.relative_to(root).as_posix()}"
        uri = f"{target}#L{line}" if line else target
        shown = f"{module}.{member}" if member else module
        return [nodes.reference("", "", nodes.literal("", shown), refuri=uri, internal=False)], []


def find_source(root: Path, module: str) -> Path | None:
    """File of a companion module, None if there is none."""
    stem = root / "code" / Path(*module.split("."))
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file():
            return path
    return None


def _line_of(path: Path, member: str) -> int | None:
    wanted = member.split(".")
    body: list[ast.stmt] = ast.parse(path.read_text(encoding="utf-8")).body
    line = None
    for name in wanted:
        for node in body:
            if getattr(node, "name", None) == name or _assigns(node, name):
                line, body = node.lineno, getattr(node, "body", [])
                break
        else:
            return None
    return line


def _assigns(node: ast.stmt, name: str) -> bool:
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Name) and node.target.id == name
    return isinstance(node, ast.Assign) and any(
        isinstance(t, ast.Name) and t.id == name for t in node.targets
    )


def repository(root: Path) -> str:
    """The repository's address, from `pyproject.toml`, the one place where it stands."""
    with open(root / "pyproject.toml", "rb") as file:
        return str(tomllib.load(file)["project"]["urls"]["Repository"]).rstrip("/")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the role."""
    app.add_role("source", SourceRole())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
