"""What every command says and hears alike: numbers, names, and mistakes in one line."""

import argparse
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

__all__ = ["Misuse", "Parser", "count", "known", "say", "whole"]


class Misuse(Exception):
    """The command line asks for something that does not exist or makes no sense."""


class Parser(argparse.ArgumentParser):
    """Argparse with errors of one line."""

    def error(self, message: str) -> NoReturn:
        """Refuses a command, naming the help that tells more."""
        raise Misuse(f"{message}. `{self.prog} --help` shows what there is.")


def say(message: object, status: int) -> int:
    """Tells what went wrong in one line; returns the status."""
    print(f"firstlight: {' '.join(str(message).split())}", file=sys.stderr)
    return status


def known(what: str, word: str, choices: Sequence[str]) -> str:
    """Returns `word` if it is one of `choices`, else says which it may have been."""
    if word in choices:
        return word
    near = get_close_matches(word, choices, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}?" if near else f"There is: {', '.join(choices)}."
    raise Misuse(f"{what}: received {word!r}. {hint}")


def whole(text: str) -> int:
    """A whole number of the command line, 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"received {text!r}, expected a whole number")
    return int(text)


def count(text: str) -> int:
    """A whole number of the command line, 1 or more."""
    value = whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"received {text!r}, expected at least 1")
    return value
