"""`firstlight data`: what real data there are, and bringing them here."""

import argparse
from collections.abc import Callable

from firstlight.cli.words import Misuse, Parser, say

__all__ = ["ABOUT", "ACTIONS", "EXAMPLE", "grammar"]

ABOUT = "Real data: list, fetch, verify."
ACTIONS = ("list", "fetch", "verify")
EXAMPLE = ""  # each action has its own


def grammar(parser: Parser) -> None:
    """What may stand after `firstlight data`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    table: dict[str, tuple[str, Callable[[argparse.Namespace], int]]] = {
        "list": ("Shows the registry and what of it is on this machine.", _list),
        "fetch": ("Downloads files into the cache; each is verified before it is kept.", _fetch),
        "verify": ("Reads every file again and compares its sha256.", _verify),
    }
    for name, (text, run) in table.items():
        example = f"Example: firstlight data {name} vvv gz2"
        action = actions.add_parser(name, description=text, epilog=example)
        action.add_argument(
            "names", nargs="*", metavar="NAME", help="a name of the list, or its folder (vvv)"
        )
        action.add_argument("--small", action="store_true", help="the small optional set")
        action.add_argument("--all", action="store_true", help="everything, 2.8 GB")
        action.set_defaults(run=run)
        if name == "fetch":
            action.add_argument("--once", action="store_true", help="one quick try, no repeats")


def _chosen(arguments: argparse.Namespace) -> list[str]:
    from firstlight.archive import registry

    small = True if arguments.small else None
    return registry.names(*arguments.names, small=small)


def _list(arguments: argparse.Namespace) -> int:
    from firstlight.archive import report

    report.show(_chosen(arguments))
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    from firstlight.archive import registry, report

    if not (arguments.names or arguments.small or arguments.all):
        raise Misuse("data fetch: received no names. Name some, or add --small or --all.")
    names = _chosen(arguments)
    if not arguments.names:  # what travels in packages is installed, not fetched
        names = [name for name in names if registry.get(name).wheel is None]
    failures = report.fetch_all(names, once=arguments.once)
    return max((say(message, 1) for message in failures), default=0)


def _verify(arguments: argparse.Namespace) -> int:
    from firstlight.archive import report

    wrong, absent = report.verify_all(_chosen(arguments))
    return 1 if wrong or (arguments.names and absent) else 0
