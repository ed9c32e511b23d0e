"""The API reference, read from the sources: nothing is imported, so nothing can go wrong loudly.

Each public name of a module (its ``__all__``, or every name without an underscore) becomes
its signature and its docstring, in Markdown that a code cell can show.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["document", "modules", "reference"]

ROOT = Path(__file__).resolve().parents[1]
_SECTIONS = ("Args", "Returns", "Raises", "Attributes", "Example", "Examples", "Reference",
             "References", "Yields", "Input shape", "Output shape")  # fmt: skip
_SECTION = re.compile(rf"^({'|'.join(_SECTIONS)}):\s*$")
_ITEM = re.compile(r"^([*\w`.,\s]+?)(?:\s*\(([^)]*)\))?:\s+(.*)$")
_LONGEST = 88
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def reference(name: str) -> str:
    """Markdown for a module, or for all modules of a room.

    Args:
        name: Dotted name, such as `firstlight.claims` or `firstlight.archive`.

    Returns:
        Markdown without headings, so that it can stand anywhere on a page.

    Raises:
        ValueError: If there is no such module.

    Example:
        >>> "claim(" in reference("firstlight.claims")
        True
    """
    return "\n\n".join(text for module in modules(name) if (text := document(*module)))


def modules(name: str) -> list[tuple[str, Path]]:
    """Dotted names and files of a module, or of a room and everything in it.

    Args:
        name: Dotted name within `firstlight`.

    Raises:
        ValueError: If there is no such module.
    """
    path = ROOT.joinpath(*name.split(".")[1:])
    if path.with_suffix(".py").is_file() and not (path / "__init__.py").is_file():
        return [(name, path.with_suffix(".py"))]
    if not (path / "__init__.py").is_file():
        raise ValueError(f"name: received {name!r}, expected a module or a room of firstlight.")
    found = [(name, path / "__init__.py")]
    for file in sorted(path.glob("*.py")):
        if not file.name.startswith("_"):
            found.append((f"{name}.{file.stem}", file))
    return found


def document(name: str, file: Path) -> str:
    """Markdown for the public names of one module; empty if it has none.

    Args:
        name: Dotted name to print.
        file: Its source.
    """
    with open(file, encoding="utf-8") as source:
        tree = ast.parse(source.read())
    public = _public(tree)
    parts = [_definition(node, name) for node in tree.body
             if isinstance(node, Definition) and node.name in public]  # fmt: skip
    if not parts:
        return ""
    return "\n\n".join([f"**{name}**", _prose(ast.get_docstring(tree) or ""), *parts])


def _public(tree: ast.Module) -> set[str]:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.List | ast.Tuple):
                return {e.value for e in node.value.elts  # type: ignore[misc]
                        if isinstance(e, ast.Constant)}  # fmt: skip
    return {node.name for node in tree.body
            if isinstance(node, Definition) and not node.name.startswith("_")}  # fmt: skip


def _definition(node: Definition, module: str) -> str:
    kind = "class" if isinstance(node, ast.ClassDef) else ""
    text = "\n".join([f"```python\n{kind + ' ' if kind else ''}{signature(node)}\n```", "",
                      *_docstring(ast.get_docstring(node) or "")])  # fmt: skip
    if isinstance(node, ast.ClassDef):
        methods = [m for m in node.body if isinstance(m, ast.FunctionDef)
                   and not m.name.startswith("_") and ast.get_docstring(m)]  # fmt: skip
        for method in methods:
            first = (ast.get_docstring(method) or "").split("\n\n")[0].replace("\n", " ")
            text += f"\n- `.{method.name}`: {first}"
    return text.rstrip() + "\n"


def signature(node: Definition) -> str:
    """One line, or one line an argument where that would be too long.

    Args:
        node: A function, or a class (whose constructor is meant).

    Example:
        >>> signature(ast.parse("def f(a, *, b=1): ...").body[0])
        'f(a, *, b=1)'
    """
    if isinstance(node, ast.ClassDef):
        return f"{node.name}({', '.join(_fields(node))})"
    arguments = _arguments(node.args)
    back = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    line = f"{node.name}({', '.join(arguments)}){back}"
    if len(line) <= _LONGEST:
        return line
    inner = ",\n    ".join(arguments)
    return f"{node.name}(\n    {inner},\n){back}"


def _arguments(given: ast.arguments) -> list[str]:
    plain = [*given.posonlyargs, *given.args]
    defaults = [*[None] * (len(plain) - len(given.defaults)), *given.defaults]
    shown = [_argument(a, d) for a, d in zip(plain, defaults, strict=True)]
    if given.posonlyargs:
        shown.insert(len(given.posonlyargs), "/")
    if given.vararg:
        shown.append("*" + _argument(given.vararg, None))
    elif given.kwonlyargs:
        shown.append("*")
    shown += [_argument(a, d) for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    return shown + (["**" + _argument(given.kwarg, None)] if given.kwarg else [])


def _argument(given: ast.arg, default: ast.expr | None) -> str:
    typed = f"{given.arg}: {ast.unparse(given.annotation)}" if given.annotation else given.arg
    equals = " = " if given.annotation else "="
    return typed if default is None else f"{typed}{equals}{ast.unparse(default)}"


def _fields(node: ast.ClassDef) -> Iterator[str]:
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            yield from (a.arg for a in [*item.args.args[1:], *item.args.kwonlyargs])
            return
    if any("dataclass" in ast.unparse(d) for d in node.decorator_list):
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                yield item.target.id


def _docstring(text: str) -> Iterator[str]:
    section = ""
    block: list[str] = []
    for line in [*text.splitlines(), "End:"]:
        match = _SECTION.match(line)
        if match or line == "End:":
            yield from _section(section, block)
            section, block = (match.group(1) if match else ""), []
        else:
            block.append(line)


def _section(title: str, lines: list[str]) -> Iterator[str]:
    body = "\n".join(line[4:] if title else line for line in lines).strip("\n")
    if not body.strip():
        return
    if title.startswith("Example"):
        yield f"```pycon\n{body}\n```\n"
    elif title in ("Args", "Attributes", "Raises"):
        yield f"*{title}*\n"
        yield from (f"- {item}" for item in _items(body))
        yield ""
    else:
        yield f"{f'*{title}:* ' if title else ''}{_prose(body)}\n"


def _items(body: str) -> Iterator[str]:
    """One line for each `name: text` item, its further lines joined to it."""
    items: list[str] = []
    for line in body.splitlines():
        if line and not line[0].isspace():
            items.append(line)
        elif items:
            items[-1] += " " + line.strip()
    for item in items:
        match = _ITEM.match(item)
        yield f"`{match.group(1).strip('`')}`: {_prose(match.group(3))}" if match else _prose(item)


def _prose(text: str) -> str:
    """Docstring text as Markdown: double backticks single, angle brackets and stars kept."""
    pieces = re.split(r"(`+[^`]*`+)", text)
    return "".join(piece if i % 2 else piece.replace("<", "&lt;").replace("*", "\\*")
                   .replace("_", "\\_") for i, piece in enumerate(pieces))  # fmt: skip
