"""`firstlight` on the command line: data, simulated skies, training, evaluation.

Nothing heavy is imported before a command needs it, so that `--help` is instant.
Whatever goes wrong in a way that can be foreseen ends in one line and status 1
(the machine, the data) or 2 (the command was wrong); a traceback means a bug of ours.
"""

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from firstlight import __version__

__all__ = ["main"]

OVERVIEW = """\
firstlight: the companion of First Light, deep learning for astronomers

usage: firstlight COMMAND [OPTIONS]

Real data
  data list               what there is, how large, under which license, and what is here
  data fetch [NAMES]      bring files into the cache, verified (--small, --all)
  data verify [NAMES]     read the files again and compare their sha256

Simulated skies
  simulate galaxies       images with known truth, in shards that survive a kill

Studies (galaxy-zoo, ...)
  train STUDY             train a study's network, at build or at full scale
  evaluate STUDY          measure trained weights on a fresh sky
  sweep ID                make a stored run anew: many trainings, one table

Examples
  firstlight data fetch --small
  firstlight simulate galaxies -n 10000 --out sky --seed 1 --workers 2
  firstlight train galaxy-zoo --scale full --out runs/gz --resume
  firstlight evaluate galaxy-zoo --weights runs/gz/galaxy-zoo.npz

`firstlight COMMAND --help` tells more about each. Data lie in the folder that
FIRSTLIGHT_DATA names, or else in the cache folder of this machine.
"""
COMMANDS = ("data", "simulate", "train", "evaluate", "sweep")
ACTIONS = ("list", "fetch", "verify")
_UNSEEN = 999  # the default seed of an evaluation: not the one that trains by default
_BYTES_PER_PIXEL = 12  # float32, three bands
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Misuse(Exception):
    """The command line asks for something that does not exist or makes no sense."""


class _Parser(argparse.ArgumentParser):
    """Argparse with errors of one line."""

    def error(self, message: str) -> NoReturn:
        raise Misuse(f"{message}. `{self.prog} --help` shows what there is.")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: The words after `firstlight`; those of the command line by default.

    Returns:
        The exit status: 0 if all went well, 1 if the machine or the data would not,
        2 if the command was wrong.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if not words or words[0] in ("-h", "--help", "help"):
            print(OVERVIEW, end="")
            return 0
        if not words[0].startswith("-"):
            _known("command", words[0], COMMANDS)
        if words[0] == "data" and words[1:2] and not words[1].startswith("-"):
            _known("data", words[1], ACTIONS)
        arguments = _parser().parse_args(words)
        status = int(arguments.run(arguments) or 0)
        sys.stdout.flush()  # here, where a reader who has gone away is expected
        return status
    except KeyboardInterrupt:
        return _say("interrupted; what was finished is kept (--resume takes it up).", 1)
    except BrokenPipeError:  # `firstlight data list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Misuse, ValueError) as problem:
        return _say(problem, 2)
    except OSError as problem:
        return _say(_system(problem), 1)
    except Exception as problem:
        if _ours(problem):
            return _say(problem, 1)
        raise


def _say(message: object, status: int) -> int:
    print(f"firstlight: {' '.join(str(message).split())}", file=sys.stderr)
    return status


def _system(problem: OSError) -> str:
    where = f" ({problem.filename})" if problem.filename else ""
    if problem.errno in _FULL:
        return f"the disk is full{where}. Make room, then type the same with --resume."
    return f"{problem.strerror or problem}{where}."


def _ours(problem: Exception) -> bool:
    """Whether an error speaks to the reader; imports nothing that is not loaded yet."""
    module = sys.modules.get("firstlight.archive.errors")
    return module is not None and isinstance(problem, module.DataError)


def _known(what: str, word: str, choices: Sequence[str]) -> str:
    """Returns `word` if it is one of `choices`, else says which it may have been."""
    if word in choices:
        return word
    near = get_close_matches(word, choices, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}?" if near else f"There is: {', '.join(choices)}."
    raise Misuse(f"{what}: received {word!r}. {hint}")


# --- the grammar ---------------------------------------------------------------------


def _parser() -> _Parser:
    top = _Parser(prog="firstlight", add_help=False)
    top.add_argument("-V", "--version", action="version", version=f"firstlight {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _data_grammar(_command(commands, "data", "Real data: list, fetch, verify."))
    _simulate_grammar(
        _command(
            commands,
            "simulate",
            "Draws a simulated sky into a folder: shards of images (npz) with their truth "
            "(csv) and a manifest. A killed run is finished by the same command with --resume.",
            "firstlight simulate galaxies -n 1000000 --out sky --workers 8 --resume",
        )
    )
    train = _command(
        commands,
        "train",
        "Trains a study's network and writes its weights with a card.",
        "firstlight train galaxy-zoo --scale full --out runs/gz --resume",
    )
    _study_grammar(train, seed=1)
    train.add_argument("--out", type=Path, metavar="DIR", help="where the run lies")
    train.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    train.set_defaults(run=_train)
    evaluate = _command(
        commands,
        "evaluate",
        "Measures weights on a sky that no training saw.",
        "firstlight evaluate galaxy-zoo --weights runs/gz/galaxy-zoo.npz",
    )
    _study_grammar(evaluate, seed=_UNSEEN)
    evaluate.add_argument(
        "--weights", type=Path, metavar="FILE", help="default: those that came with firstlight"
    )
    evaluate.add_argument("--json", action="store_true", help="print the metrics as JSON")
    evaluate.set_defaults(run=_evaluate)
    sweep = _command(
        commands,
        "sweep",
        "Makes a stored run anew: many trainings, one small table with a card. Takes long.",
        "firstlight sweep galaxy-zoo-seeds --resume",
    )
    sweep.add_argument("id", metavar="ID", help="of the stored run")
    sweep.add_argument("--out", type=Path, metavar="DIR", help="default: beside the package")
    sweep.add_argument("--resume", action="store_true", help="keep the rows that are done")
    sweep.set_defaults(run=_sweep)
    return top


def _command(commands: Any, name: str, text: str, example: str = "") -> _Parser:
    return commands.add_parser(
        name,
        description=text,
        epilog=f"Example: {example}" if example else None,
    )


def _data_grammar(data: _Parser) -> None:
    actions = data.add_subparsers(dest="action", required=True, metavar="ACTION")
    table: dict[str, tuple[str, Callable[[argparse.Namespace], int]]] = {
        "list": ("Shows the registry and what of it is on this machine.", _data_list),
        "fetch": ("Downloads files into the cache; each is verified before it is kept.", _fetch),
        "verify": ("Reads every file again and compares its sha256.", _verify),
    }
    for name, (text, run) in table.items():
        action = _command(actions, name, text, f"firstlight data {name} vvv gz2")
        action.add_argument(
            "names", nargs="*", metavar="NAME", help="a name of the list, or its folder (vvv)"
        )
        action.add_argument("--small", action="store_true", help="the small optional set")
        action.add_argument("--all", action="store_true", help="everything, 2.8 GB")
        action.set_defaults(run=run)
        if name == "fetch":
            action.add_argument("--once", action="store_true", help="one quick try, no repeats")


def _simulate_grammar(simulate: _Parser) -> None:
    simulate.add_argument("what", metavar="WHAT", help="galaxies")
    simulate.add_argument("-n", type=_count, required=True, metavar="N", help="how many")
    simulate.add_argument("--out", type=Path, required=True, metavar="DIR", help="new folder")
    simulate.add_argument("--seed", type=_whole, default=1, help="same seed, same sky (1)")
    simulate.add_argument("--size", type=_count, default=48, help="pixels on a side (48)")
    simulate.add_argument(
        "--volunteers", type=_count, default=40, metavar="N", help="votes a galaxy (40)"
    )
    simulate.add_argument("--shard", type=_count, default=2048, help="galaxies a file (2048)")
    simulate.add_argument("--workers", type=_count, default=1, help="processes (1)")
    simulate.add_argument("--resume", action="store_true", help="finish an interrupted run")
    simulate.set_defaults(run=_simulate)


def _study_grammar(parser: _Parser, seed: int) -> None:
    parser.add_argument("study", metavar="STUDY", help="such as galaxy-zoo")
    parser.add_argument("--scale", default="build", help="build (minutes) or full (hours)")
    parser.add_argument("--seed", type=_whole, default=seed, help=f"of everything random ({seed})")


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"received {text!r}, expected a whole number")
    return int(text)


def _count(text: str) -> int:
    value = _whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"received {text!r}, expected at least 1")
    return value


# --- real data -----------------------------------------------------------------------


def _chosen(arguments: argparse.Namespace) -> list[str]:
    from firstlight.archive import registry

    small = True if arguments.small else None
    return registry.names(*arguments.names, small=small)


def _data_list(arguments: argparse.Namespace) -> int:
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
    return max((_say(message, 1) for message in failures), default=0)


def _verify(arguments: argparse.Namespace) -> int:
    from firstlight.archive import report

    wrong, absent = report.verify_all(_chosen(arguments))
    return 1 if wrong or (arguments.names and absent) else 0


# --- simulated skies -----------------------------------------------------------------


def _simulate(arguments: argparse.Namespace) -> int:
    _known("simulate", arguments.what, ("galaxies",))
    from tqdm import tqdm

    from firstlight.archive.shards import Plan, write_shards
    from firstlight.sky import galaxies, volunteers

    settings = {"sky": "galaxies", "size": arguments.size, "volunteers": arguments.volunteers}
    plan = Plan(arguments.n, arguments.seed, arguments.shard, settings)

    def make(n: int, seed: int) -> tuple[dict[str, Any], Any]:
        sky = galaxies.simulate(n, seed, size=arguments.size, workers=arguments.workers)
        votes = volunteers.poll(sky.probabilities, seed, arguments.volunteers)
        arrays = {"images": sky.images, "probabilities": sky.probabilities, "votes": votes}
        return arrays, sky.truth

    with tqdm(total=plan.n, unit="galaxy", disable=None, file=sys.stderr) as bar:
        made = write_shards(
            arguments.out,
            plan,
            make,
            resume=arguments.resume,
            bytes_each=arguments.size**2 * _BYTES_PER_PIXEL,
            tell=lambda done: None if bar.update(done) else None,
        )
    kept = len(plan.sizes) - made
    print(f"{arguments.out}: {plan.n} galaxies in {len(plan.sizes)} shards ({kept} kept)")
    return 0


# --- studies -------------------------------------------------------------------------


def _study(arguments: argparse.Namespace) -> tuple[Any, Any]:
    """The study and its configuration at the wanted scale."""
    studies: Any = import_module("firstlight.studies")
    study = studies.get(_known("study", arguments.study, studies.NAMES))
    return study, study.scales[_known("--scale", arguments.scale, tuple(study.scales))]


def _train(arguments: argparse.Namespace) -> int:
    study, config = _study(arguments)
    default = Path("runs") / f"{study.name}-{arguments.scale}-{arguments.seed}"
    out = arguments.out or default
    out.mkdir(parents=True, exist_ok=True)
    weights = study.train(
        config, arguments.seed, out, resume=arguments.resume, progress=sys.stderr.isatty()
    )
    print(f"Weights: {weights}")
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    if arguments.weights is not None and not arguments.weights.is_file():
        raise Misuse(f"--weights: received {arguments.weights}, expected an existing npz file.")
    study, config = _study(arguments)
    data = study.simulate(config, arguments.seed)
    metrics = study.evaluate(arguments.weights, data)
    if arguments.json:
        import json

        print(json.dumps(metrics, indent=1, default=float))
        return 0
    width = max(map(len, metrics), default=0)
    for name, value in metrics.items():
        print(f"{name:{width}}  {value:.6g}" if isinstance(value, float) else f"{name}  {value}")
    return 0


def _sweep(arguments: argparse.Namespace) -> int:
    studies: Any = import_module("firstlight.studies")
    known = tuple(studies.SWEEPS)
    table = studies.sweep(_known("sweep", arguments.id, known), arguments.out, arguments.resume)
    print(f"Stored run: {table}")
    return 0
