"""What the networks of the book say of a reader's own data: evaluated, compared, written down."""

from importlib import import_module
from pathlib import Path
from typing import Any


def evaluate(task: Any, path: str | Path, out: str | Path, **options: Any) -> Any:
    """Applies a network to a reader's file, of images or of light curves.

    Args:
        task: From `firstlight.studies.own_data.get`.
        path: The file.
        out: Folder of the report.
        **options: See `own_images.evaluate` and `own_curves.evaluate`.

    Returns:
        An `outcome.Outcome`.
    """
    kind = "curves" if hasattr(task.accepts, "fewest") else "images"
    room: Any = import_module(f"firstlight.reports.own_{kind}")
    return room.evaluate(task, Path(path), Path(out), **options)
