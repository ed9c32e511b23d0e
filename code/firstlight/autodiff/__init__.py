"""A small neural network in NumPy alone, kept plain so that a reader can see through it.

`activations`, `initializers` and `functional` hold functions of arrays; `layers` keeps the
parameters and calls those functions. The names below are looked up when first used.
"""

import importlib
from typing import Any

_ROOMS = {
    "Activation": "layers",
    "Dense": "layers",
    "Flatten": "layers",
    "Layer": "layers",
    "Sequential": "sequential",
    "affine": "functional",
    "flatten": "functional",
}
__all__ = list(_ROOMS)


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"firstlight.autodiff has no {name!r}; it has {', '.join(_ROOMS)}.")
    return getattr(importlib.import_module(f"{__name__}.{_ROOMS[name]}"), name)
