"""`firstlight sweep`: a stored run made anew."""

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any

from firstlight.cli.words import Parser, known

__all__ = ["ABOUT", "EXAMPLE", "grammar"]

ABOUT = "Makes a stored run anew: many trainings, one small table with a card. Takes long."
EXAMPLE = "firstlight sweep galaxy-zoo-seeds --resume"


def grammar(parser: Parser) -> None:
    """What may stand after `firstlight sweep`."""
    parser.add_argument("id", metavar="ID", help="of the stored run")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: beside the package")
    parser.add_argument("--resume", action="store_true", help="keep the rows that are done")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs every point, and says where the table lies."""
    studies: Any = import_module("firstlight.studies")
    name = known("sweep", arguments.id, tuple(studies.SWEEPS))
    table = studies.sweep(name, arguments.out, arguments.resume)
    print(f"Stored run: {table}")
    return 0
