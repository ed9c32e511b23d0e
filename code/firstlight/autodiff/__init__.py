"""A small neural network in NumPy alone, kept plain so that a reader can see through it.

`tape` and `tensor` are the engine: arithmetic that can be walked back. `operations` and `losses`
are built on it; `layers`, `convolutional` and `regularization` keep parameters and call those
functions, `sequential` stacks layers. `optimizers`, `schedules` and `clipping` turn gradients
into steps, and `fit` repeats them. The names below are looked up when first used.
"""

import importlib
from typing import Any

_ROOMS = {
    "Activation": "layers",
    "Adam": "optimizers",
    "AdamW": "optimizers",
    "AveragePooling2D": "convolutional",
    "BatchNormalization": "regularization",
    "Conv2D": "convolutional",
    "Dense": "layers",
    "Dropout": "regularization",
    "Flatten": "layers",
    "GlobalAveragePooling2D": "convolutional",
    "Layer": "base",
    "MaxPooling2D": "convolutional",
    "RMSprop": "optimizers",
    "SGD": "optimizers",
    "Sequential": "sequential",
    "Tensor": "tensor",
    "Variable": "tensor",
    "affine": "functional",
    "flatten": "functional",
    "gradients": "tape",
}
__all__ = list(_ROOMS)


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"firstlight.autodiff has no {name!r}; it has {', '.join(_ROOMS)}.")
    return getattr(importlib.import_module(f"{__name__}.{_ROOMS[name]}"), name)
