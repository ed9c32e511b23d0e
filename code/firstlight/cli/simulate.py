"""`firstlight simulate`: a sky drawn into a folder, in shards that survive a kill."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from firstlight.cli.words import Parser, count, known, whole

__all__ = ["ABOUT", "EXAMPLE", "grammar"]

ABOUT = (
    "Draws a simulated sky into a folder: shards of images (npz) with their truth "
    "(csv) and a manifest. A killed run is finished by the same command with --resume."
)
EXAMPLE = "firstlight simulate galaxies -n 1000000 --out sky --workers 8 --resume"
_BYTES_PER_PIXEL = 12  # float32, three bands


def grammar(parser: Parser) -> None:
    """What may stand after `firstlight simulate`."""
    parser.add_argument("what", metavar="WHAT", help="galaxies")
    parser.add_argument("-n", type=count, required=True, metavar="N", help="how many")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="new folder")
    parser.add_argument("--seed", type=whole, default=1, help="same seed, same sky (1)")
    parser.add_argument("--size", type=count, default=48, help="pixels on a side (48)")
    parser.add_argument(
        "--volunteers", type=count, default=40, metavar="N", help="votes a galaxy (40)"
    )
    parser.add_argument("--shard", type=count, default=2048, help="galaxies a file (2048)")
    parser.add_argument("--workers", type=count, default=1, help="processes (1)")
    parser.add_argument(
        "--cluster", default="local", help="where they run: local, or slurm (one job each)"
    )
    parser.add_argument("--resume", action="store_true", help="finish an interrupted run")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Simulates, with a bar on the terminal."""
    known("simulate", arguments.what, ("galaxies",))
    known("--cluster", arguments.cluster, ("local", "slurm"))
    from tqdm import tqdm

    from firstlight.archive.shards import Plan, write_shards

    settings = {"sky": "galaxies", "size": arguments.size, "volunteers": arguments.volunteers}
    plan = Plan(arguments.n, arguments.seed, arguments.shard, settings)

    # Without Dask, the galaxies of one shard after the other are shared out.
    alone = find_spec("distributed") is None and arguments.cluster == "local"
    within, hands = (arguments.workers, 1) if alone else (1, arguments.workers)
    make = partial(_make, arguments.size, arguments.volunteers, within)
    with (
        tqdm(total=plan.n, unit="galaxy", disable=None, file=sys.stderr) as bar,
        _farm(hands, arguments.cluster) as farm,
    ):
        made = write_shards(
            arguments.out,
            plan,
            make,
            resume=arguments.resume,
            bytes_each=arguments.size**2 * _BYTES_PER_PIXEL,
            tell=lambda done: None if bar.update(done) else None,
            farm=farm,
        )
    kept = len(plan.sizes) - made
    print(f"{arguments.out}: {plan.n} galaxies in {len(plan.sizes)} shards ({kept} kept)")
    return 0


def _make(
    size: int, votes_each: int, workers: int, n: int, seed: int
) -> tuple[dict[str, Any], Any]:
    """One shard; workers on other machines call it, too."""
    from firstlight.sky import galaxies, volunteers

    sky = galaxies.simulate(n, seed, size=size, workers=workers)
    votes = volunteers.poll(sky.probabilities, seed, votes_each)
    arrays = {"images": sky.images, "probabilities": sky.probabilities, "votes": votes}
    return arrays, sky.truth


@contextmanager
def _farm(workers: int, cluster: str) -> Iterator[Any]:
    if workers == 1 and cluster == "local":
        from firstlight.archive.shards import in_turn

        yield in_turn
        return
    from firstlight.scaling import farm

    with farm.hired(workers, cluster) as hands:
        yield hands
