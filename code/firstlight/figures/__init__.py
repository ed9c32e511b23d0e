"""The book's figures: one style, light and dark, each with words for those who cannot see it.

`figures.show(fig, alt=...)` and the other names below are looked up when they are first
used, so that a chapter depends only on the rooms it entered.
"""

import importlib
from typing import Any

_ROOMS = {
    "INK": "style",
    "PAPER": "style",
    "MUTED": "style",
    "GRID": "style",
    "PALETTE": "style",
    "SEQUENTIAL": "style",
    "DIVERGING": "style",
    "use": "style",
    "label_lines": "style",
    "show": "display",
    "bundle": "display",
    "frames": "sliders",
    "to_rgb": "galaxies",
    "stamps": "galaxies",
    "learning_curves": "curves",
    "network": "networks",
    "neuron": "neurons",
    "question_tree": "question_trees",
    "pipelines": "pipelines",
    "application": "schematics",
    "graph": "tape",
}
__all__ = list(_ROOMS)


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"firstlight.figures has no {name!r}; it has {', '.join(_ROOMS)}.")
    return getattr(importlib.import_module(f"{__name__}.{_ROOMS[name]}"), name)
