"""`firstlight train`: a study's network, from its sky to its weights."""

import argparse
import sys
from pathlib import Path

from firstlight.cli.study import configured, study_grammar
from firstlight.cli.words import Parser, count

__all__ = ["ABOUT", "EXAMPLE", "grammar"]

ABOUT = "Trains a study's network and writes its weights with a card."
EXAMPLE = "firstlight train galaxy-zoo --scale full --out runs/gz --processes 2 --resume"


def grammar(parser: Parser) -> None:
    """What may stand after `firstlight train`."""
    study_grammar(parser, seed=1)
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the run lies")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument(
        "--processes", type=count, default=1, metavar="N",
        help="share every batch among N processes (JAX; 1)",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Trains, and says where the weights lie."""
    study, config = configured(arguments)
    default = Path("runs") / f"{study.name}-{arguments.scale}-{arguments.seed}"
    out = arguments.out or default
    out.mkdir(parents=True, exist_ok=True)
    if arguments.processes > 1:
        from firstlight.scaling import parallel

        weights = parallel.train(
            study, config, arguments.seed, out, arguments.processes, resume=arguments.resume
        )
    else:
        weights = study.train(
            config, arguments.seed, out, resume=arguments.resume, progress=sys.stderr.isatty()
        )
    print(f"Weights: {weights}")
    return 0
