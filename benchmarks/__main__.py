"""Run the benchmarks and print them side by side: `python -m benchmarks [NAME ...]`."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import pkgutil
import platform
import sys
import time
from pathlib import Path

import benchmarks
from benchmarks import Row, table


def names() -> list[str]:
    """The benchmarks there are: the modules of this folder."""
    found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name for name in found if not name.startswith("_"))


def run(name: str) -> list[Row]:
    """Run one benchmark, saying which and how long it took."""
    print(f"{name} ...", flush=True)
    begun = time.monotonic()
    rows: list[Row] = importlib.import_module(f"benchmarks.{name}").run()
    print(f"{name}: {time.monotonic() - begun:.0f} s", flush=True)
    return rows


def main(argv: list[str] | None = None) -> int:
    """Run what is asked for.

    Args:
        argv: The command line, without the program's name.

    Returns:
        0 if every aim is met, 1 if one is missed.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(names())} (all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too")
    arguments = parser.parse_args(argv)
    unknown = set(arguments.names) - set(names())
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are: {', '.join(names())}")
    rows = [row for name in arguments.names or names() for row in run(name)]
    print(f"\n{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print(table(rows))
    if arguments.json:
        found = [{**dataclasses.asdict(row), "met": row.met} for row in rows]
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
