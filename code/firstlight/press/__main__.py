"""The press on the command line: `python -m firstlight.press COMMAND`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from firstlight.press import bootstrap
from firstlight.press.errors import PressError, disk_message


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(
        prog="python -m firstlight.press", description="Builds the book and checks it."
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--root", type=Path, default=Path("."), help="the book's folder (here)")
    running = argparse.ArgumentParser(add_help=False, parents=[common])
    running.add_argument("--jobs", type=int, metavar="N", help="chapters at once (one per core)")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    book = commands.add_parser("book", parents=[running], help="execute what is stale, render")
    chapter = commands.add_parser("chapter", parents=[running], help="the same for one page")
    seeds = commands.add_parser("seeds", parents=[running], help="claims under other seeds")
    for command in (book, chapter):
        command.add_argument("--force", action="store_true", help="execute fresh chapters, too")
    for command in (chapter, seeds):
        command.add_argument("name", metavar="NAME", help="such as supervised/galaxy-zoo")
    seeds.add_argument("-n", type=int, default=5, metavar="N", help="how many seeds (5)")
    seeds.add_argument("--first", type=int, default=101, metavar="SEED", help="first seed (101)")
    seeds.add_argument("--csv", type=Path, metavar="FILE", help="write the values there")
    mutants = commands.add_parser("mutants", parents=[common], help="mutants must break claims")
    mutants.add_argument("name", nargs="?", metavar="NAME", help="one study, or part/chapter (all)")
    notebooks = commands.add_parser("notebooks", parents=[common], help="chapters as notebooks")
    notebooks.add_argument("--out", type=Path, metavar="DIR", help="where (_build/notebooks)")
    notebooks.add_argument("--ref", default="", help="commit that their first cell installs")
    for name, what in (("pdf", "one PDF (needs Chromium)"), ("epub", "one ePub (needs it, too)")):
        paper = commands.add_parser(name, parents=[common], help=f"the built book as {what}")
        paper.add_argument("--out", type=Path, metavar="FILE", help=f"where (_build/book.{name})")
    commands.add_parser("clean", parents=[common], help="remove all that builds made")
    return top


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for.

    Args:
        arguments: The parsed command line.

    Returns:
        The exit status.
    """
    from firstlight.press import build

    if arguments.command in ("book", "chapter"):
        only = arguments.name if arguments.command == "chapter" else None
        options = build.Options(only, arguments.jobs, arguments.force)
        return build.build(arguments.root, options)
    if arguments.command == "seeds":
        from firstlight.press.seeds import run_seeds
        from firstlight.press.toc import read_book

        return run_seeds(
            read_book(arguments.root), arguments.name, arguments.n,
            first=arguments.first, jobs=arguments.jobs, table=arguments.csv,
        )  # fmt: skip
    if arguments.command in ("notebooks", "pdf", "epub"):
        return carry_home(arguments)
    if arguments.command == "mutants":
        os.chdir(arguments.root)
        return break_things(arguments)
    build.clean(arguments.root)
    return 0


def break_things(arguments: argparse.Namespace) -> int:
    """Run the mutants of chapters and studies.

    Args:
        arguments: The parsed command line of `mutants`; a name with a slash is a chapter's.

    Returns:
        0 if every mutant was killed.
    """
    from firstlight.press.mutants import run_mutants
    from firstlight.press.toc import read_book

    name, missed = arguments.name, 0
    if name is None or "/" in name:
        missed += run_mutants(read_book(arguments.root), name)
    if name is None or "/" not in name:
        names = [name] if name else []
        missed += int(import_module("firstlight.studies.mutants").run(*names) or 0)
    return int(missed > 0)


def carry_home(arguments: argparse.Namespace) -> int:
    """Write the built book in another form; nothing is executed for it.

    Args:
        arguments: The parsed command line of `notebooks`, `pdf` or `epub`.

    Returns:
        The exit status.
    """
    from firstlight.press.build import count, one_build
    from firstlight.press.toc import read_book

    book = read_book(arguments.root)
    with one_build(book):
        if arguments.command == "notebooks":
            from firstlight.press.notebooks import write_notebooks

            folder = (arguments.out or book.build / "notebooks").resolve()
            made = write_notebooks(book, folder, arguments.ref)
            print(f"{count(len(made), 'notebook')} written to:\n{folder}")
            return 0
        target = (arguments.out or book.build / f"book.{arguments.command}").resolve()
        import_module(f"firstlight.press.{arguments.command}").write(book, target)
    print(f"The whole book:\n{target}")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the press; every expected trouble is one plain message.

    Args:
        argv: The command line, without the program's name.

    Returns:
        The exit status: 0, 1 for a failed build, 130 after Ctrl-C.
    """
    argv = sys.argv[1:] if argv is None else argv
    elsewhere = bootstrap.enter(argv)  # where this Python lacks what the press needs
    if elsewhere is not None:
        return elsewhere
    arguments = parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return run(arguments)
    except PressError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Finished chapters are kept.", file=sys.stderr)
        return 130
    except Exception as error:
        message = disk_message(error)
        if message is None:
            raise
        print(f"\n{message}", file=sys.stderr)
        return 1


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    from firstlight.press.bootstrap import enter

    elsewhere = enter(sys.argv[1:])  # a Python without the book's packages sets them up first
    sys.exit(main() if elsewhere is None else elsewhere)
