"""`firstlight` on the command line: data, simulated skies, training, evaluation.

One module for each command, loaded when the command is called; nothing heavy is imported
before it is needed, so that `--help` is instant. Whatever goes wrong in a way that can be
foreseen ends in one line and status 1 (the machine, the data) or 2 (the command was wrong);
a traceback means a bug of ours.
"""

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module

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
                          (--workers N processes, or --cluster slurm)

Studies (galaxy-zoo, ...)
  train STUDY             train a study's network, at build or at full scale
  evaluate STUDY          measure trained weights on a fresh sky
  evaluate STUDY --data   apply them to your own images or light curves, with a report
  sweep ID                make a stored run anew: many trainings, one table

Clusters
  cluster -- COMMAND      the SLURM script that runs a command, killed or not, to its end

Examples
  firstlight data fetch --small
  firstlight simulate galaxies -n 10000 --out sky --seed 1 --workers 2
  firstlight train galaxy-zoo --scale full --out runs/gz --resume
  firstlight evaluate galaxy-zoo --weights runs/gz/galaxy-zoo.npz
  firstlight evaluate lens-finder --data stamps.fits --unit electron --out report

`firstlight COMMAND --help` tells more about each. Data lie in the folder that
FIRSTLIGHT_DATA names, or else in the cache folder of this machine.
"""
COMMANDS = (
    "data",
    "simulate",
    "train",
    "evaluate",
    "sweep",
    "cluster",
)  # each a module of this package
_FULL = (errno.ENOSPC, errno.EDQUOT)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: The words after `firstlight`; those of the command line by default.

    Returns:
        The exit status: 0 if all went well, 1 if the machine or the data would not,
        2 if the command was wrong.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    from firstlight.cli.words import Misuse, say

    try:
        if not words or words[0] in ("-h", "--help", "help"):
            print(OVERVIEW, end="")
            return 0
        status = _run(words)
        sys.stdout.flush()  # here, where a reader who has gone away is expected
        return status
    except KeyboardInterrupt:
        return say("interrupted; what was finished is kept (--resume takes it up).", 1)
    except BrokenPipeError:  # `firstlight data list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Misuse, ValueError) as problem:
        return say(problem, 2)
    except OSError as problem:
        return say(_system(problem), 1)
    except Exception as problem:
        if _ours(problem):
            return say(problem, 1)
        raise


def _run(words: list[str]) -> int:
    from firstlight import __version__
    from firstlight.cli.words import Parser, known

    if words[0].startswith("-"):
        top = Parser(prog="firstlight", add_help=False)
        top.add_argument("-V", "--version", action="version", version=f"firstlight {__version__}")
        top.parse_args(words)
        top.error("expected a command")
    name = known("command", words[0], COMMANDS)
    room = import_module(f"firstlight.cli.{name}")
    if words[1:2] and not words[1].startswith("-"):
        known(name, words[1], getattr(room, "ACTIONS", words[1:2]))
    parser = Parser(prog=f"firstlight {name}", description=room.ABOUT)
    if room.EXAMPLE:
        parser.epilog = f"Example: {room.EXAMPLE}"
    room.grammar(parser)
    arguments = parser.parse_args(words[1:])
    return int(arguments.run(arguments) or 0)


def _system(problem: OSError) -> str:
    where = f" ({problem.filename})" if problem.filename else ""
    if problem.errno in _FULL:
        return f"the disk is full{where}. Make room, then type the same with --resume."
    return f"{problem.strerror or problem}{where}."


def _ours(problem: Exception) -> bool:
    """Whether an error speaks to the reader; imports nothing that is not loaded yet."""
    module = sys.modules.get("firstlight.archive.errors")
    return module is not None and isinstance(problem, module.DataError)
