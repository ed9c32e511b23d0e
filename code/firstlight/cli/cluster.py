"""`firstlight cluster`: the SLURM job script of another command."""

import argparse
from importlib import import_module
from pathlib import Path

from firstlight.cli.words import Misuse, Parser, count, known

__all__ = ["ABOUT", "EXAMPLE", "grammar"]

ABOUT = (
    "Writes the job script that runs a command of firstlight under SLURM: interrupted before "
    "its time is up, put back into the queue, resumed."
)
EXAMPLE = (
    "firstlight cluster --hours 8 --cores 16 --gpus 1 --partition gpu --out job.sh -- "
    "train galaxy-zoo --scale full --out runs/gz"
)
LONG = ("simulate", "train", "evaluate", "sweep")  # what is worth a job


def grammar(parser: Parser) -> None:
    """What may stand after `firstlight cluster`."""
    parser.add_argument("--hours", type=_hours, default=8.0, help="by the clock (8)")
    parser.add_argument("--cores", type=count, default=1, help="on one node (1)")
    parser.add_argument("--memory", type=_hours, default=4.0, metavar="GB", help="in all (4)")
    parser.add_argument("--gpus", type=int, default=0, help="on that node (0)")
    parser.add_argument("--partition", default="", help="as your cluster calls it")
    parser.add_argument("--account", default="", help="who pays")
    parser.add_argument("--setup", default="", metavar="LINE", help="brings Python, if need be")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: print it")
    parser.add_argument("words", nargs="+", metavar="-- COMMAND", help="what the job shall run")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes the script, once the command in it has been understood."""
    from firstlight.scaling.slurm import Resources, script

    words = [word for word in arguments.words if word != "--"]
    name = known("cluster", words[0] if words else "", LONG)
    room = import_module(f"firstlight.cli.{name}")
    inner = Parser(prog=f"firstlight {name}")
    room.grammar(inner)
    inner.parse_args(words[1:])  # a typing error is cheaper now than after a night in the queue
    need = Resources(
        arguments.hours, arguments.cores, arguments.memory, arguments.gpus,
        arguments.partition, arguments.account, arguments.setup,
    )  # fmt: skip
    text = script(words, need)
    if arguments.out is None:
        print(text, end="")
        return 0
    if arguments.out.exists():
        raise Misuse(f"--out: received {arguments.out}, which exists, expected a new file.")
    arguments.out.write_text(text, encoding="utf-8", newline="\n")
    print(f"{arguments.out}: send it with `sbatch {arguments.out}`")
    return 0


def _hours(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"received {text!r}, expected a positive number")
    return value
