"""What the commands that take a study share: its name, its scale, its seed."""

import argparse
from importlib import import_module
from typing import Any

from firstlight.cli.words import Parser, known, whole

__all__ = ["configured", "study_grammar"]


def study_grammar(parser: Parser, seed: int) -> None:
    """A study, its scale, and a seed that is `seed` if none is given."""
    parser.add_argument("study", metavar="STUDY", help="such as galaxy-zoo")
    parser.add_argument("--scale", default="build", help="build (minutes) or full (hours)")
    parser.add_argument("--seed", type=whole, default=seed, help=f"of everything random ({seed})")


def configured(arguments: argparse.Namespace) -> tuple[Any, Any]:
    """The study and its configuration at the wanted scale."""
    studies: Any = import_module("firstlight.studies")
    study = studies.get(known("study", arguments.study, studies.NAMES))
    return study, study.scales[known("--scale", arguments.scale, tuple(study.scales))]
