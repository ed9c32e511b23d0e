"""A small neural network in NumPy alone, kept plain so that a reader can see through it.

`activations`, `initializers` and `functional` hold functions of arrays; `layers` keeps the
parameters and calls those functions; `optimizers`, `schedules` and `clipping` turn gradients
into steps. The names below are looked up when first used.
"""

import importlib
from typing import Any

_ROOMS = {
    "Activation": "layers",
    "Adam": "optimizers",
    "AdamW": "optimizers",
    "Dense": "layers",
    "Flatten": "layers",
    "Layer": "layers",
    "RMSprop": "optimizers",
    "SGD": "optimizers",
    "Sequential": "sequential",
    "affine": "functional",
    "flatten": "functional",
}
__all__ = list(_ROOMS)


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"firstlight.autodiff has no {name!r}; it has {', '.join(_ROOMS)}.")
    return getattr(importlib.import_module(f"{__name__}.{_ROOMS[name]}"), name)
