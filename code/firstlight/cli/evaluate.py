"""`firstlight evaluate`: trained weights on a sky that no training saw, or on a reader's data."""

import argparse
import sys
from pathlib import Path
from typing import Any

from firstlight.cli.study import configured, study_grammar
from firstlight.cli.words import Misuse, Parser, known

__all__ = ["ABOUT", "EXAMPLE", "grammar"]

ABOUT = (
    "Measures weights on a sky that no training saw; with --data, applies them to your own "
    "images or light curves and writes predictions, a figure and a report."
)
EXAMPLE = "firstlight evaluate lens-finder --data stamps.fits --pixel 0.2 --unit electron"
_UNSEEN = 999  # the default seed of an evaluation: not the one that trains by default


def grammar(parser: Parser) -> None:
    """What may stand after `firstlight evaluate`."""
    study_grammar(parser, seed=_UNSEEN)
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="default: those that came with firstlight"
    )
    parser.add_argument("--json", action="store_true", help="print the metrics as JSON")
    own = parser.add_argument_group("your own data")
    own.add_argument(
        "--data", type=Path, metavar="FILE",
        help="images (FITS, HDF5, npz, npy, a folder of shards) or light curves (CSV, ECSV, FITS)",
    )  # fmt: skip
    own.add_argument("--out", type=Path, metavar="DIR", help="where the report goes")
    own.add_argument("--bands", metavar="LIST", help="bands in the order of the file: g,r,i")
    own.add_argument("--pixel", type=float, metavar="ARCSEC", help="side of a pixel")
    own.add_argument("--unit", help="sky-sigma, or linear: electron, adu, nJy, flux")
    own.add_argument("--images", metavar="NAME", help="array, dataset or extension of the images")
    own.add_argument(
        "--strict", action="store_true", help="stop at the first object that cannot be judged"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluates, and prints the metrics."""
    if arguments.weights is not None and not arguments.weights.is_file():
        raise Misuse(f"--weights: received {arguments.weights}, expected an existing npz file.")
    if arguments.data is not None:
        return _own(arguments)
    for name in ("out", "bands", "pixel", "unit", "images", "strict"):
        if getattr(arguments, name):
            raise Misuse(f"--{name}: received without --data, expected the file that it is about.")
    study, config = configured(arguments)
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


def _own(arguments: argparse.Namespace) -> int:
    """Evaluates a reader's file."""
    from firstlight.archive.own_files import kind_of
    from firstlight.studies import own_data

    known("study", arguments.study, tuple(own_data.MODULES))
    kind_of(arguments.data)  # a wrong path is told before anything heavy is loaded
    given = _given(arguments)
    scale = "full" if arguments.scale == "build" else arguments.scale
    task = own_data.get(arguments.study, arguments.weights, scale)
    stem = arguments.data.name.split(".")[0]
    out = arguments.out or Path("runs") / f"{task.study}-{stem}"
    from firstlight import reports

    outcome: Any = reports.evaluate(
        task, arguments.data, out, given=given, images=arguments.images,
        strict=arguments.strict, progress=sys.stderr.isatty(),
    )  # fmt: skip
    if arguments.json:
        import json

        from firstlight.reports.pages import summary

        print(json.dumps(summary(outcome), indent=1))
        return 0
    _tell(outcome, out)
    return 0


def _given(arguments: argparse.Namespace) -> Any:
    from firstlight.archive.own_files import About, about, split_bands

    said: dict[str, Any] = {}
    if arguments.bands:
        said["bands"] = split_bands(arguments.bands)
    if arguments.pixel is not None:
        said["pixel_arcsec"] = arguments.pixel
    if arguments.unit:
        said["unit"] = arguments.unit.replace("sky-sigma", "sky sigma")
    return about(said) if said else About()


def _tell(outcome: Any, out: Path) -> None:
    print(outcome.source)
    shares = f"{len(outcome.mended)} mended, {len(outcome.left_out)} left out"
    print(f"Judged {outcome.judged} of {outcome.n} {outcome.objects}: {shares}.")
    for name, number in outcome.classes.most_common():
        print(f"  {name:12} {number}")
    for metric in outcome.metrics:
        value = metric.value
        print(f"  {metric.name}: {value.value:.3f} ({value.low:.3f} to {value.high:.3f})")
    for text in outcome.warnings:
        print(f"warning: {text}", file=sys.stderr)
    print(f"Report: {out / 'report.md'}")
