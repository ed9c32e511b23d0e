"""Small books for the tests of the press: a few pages, a companion package, nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

# Readers' machines keep compiled modules, and so must the kernels of these books.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

HEADER = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n{extra}---\n\n"


class SmallBook:
    """A book in a folder of its own."""

    def __init__(self, root: Path):
        self.root = root
        self.names: list[str] = []
        self.write("_config.yml", "title: A small book\nauthor: A\nonly_build_toc_files: true\n")
        self.write("book/index.md", "# A small book\n\nProse.\n")
        self.write("code/comp/__init__.py", "")

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def page(self, name: str, *cells: str, extra: str = "", header: bool = True) -> Path:
        """Add a page of code cells to the book (or replace it)."""
        if name not in self.names:
            self.names.append(name)
        head = HEADER.format(extra=extra) if header else ""
        body = "".join(f"```{{code-cell}}\n{cell}\n```\n\n" for cell in cells)
        chapters = "".join(f"- file: book/{n}\n" for n in self.names)
        self.write("_toc.yml", f"format: jb-book\nroot: book/index\nchapters:\n{chapters}")
        return self.write(f"book/{name}.md", f"{head}# Page {name}\n\n{body}")

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start the press on this book."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("FIRSTLIGHT_")}
        return subprocess.Popen(
            [sys.executable, "-m", "firstlight.press", *arguments, "--root", str(self.root)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**clean, **env}, cwd=self.root,
        )  # fmt: skip

    def press(self, *arguments: str, **env: str) -> tuple[int, str]:
        """Run the press on this book; exit status and all that it said."""
        process = self.start(*arguments, **env)
        said, _ = process.communicate(timeout=120)
        return process.returncode, said

    def ledger(self) -> dict[str, Any]:
        return json.loads((self.root / "_build/ledger.json").read_text("utf-8"))  # type: ignore

    def html(self, name: str) -> str:
        return (self.root / f"_build/html/book/{name}.html").read_text("utf-8")


def until(condition: Any, seconds: float = 60) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
