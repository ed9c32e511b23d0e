"""Rotated views of an image through one set of weights, and what to do with their answers."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["MergeViews", "RotatedViews"]

MODES = ("concatenate", "mean", "max")


@keras.saving.register_keras_serializable("firstlight")
class RotatedViews(keras.layers.Layer):
    """Show a network each image turned by quarter turns, and mirrored if asked.

    The views are folded into the batch, so that whatever follows sees them one by one with the
    same weights; `MergeViews` unfolds them (Dieleman, Willett & Dambre 2015, MNRAS 450, 1441).
    Quarter turns and mirrors move pixels without interpolating: no information is lost.

    Args:
        turns: How many quarter turns: 1 (the image as it is), 2 (0 and 180 degrees) or 4.
        flips: Also show every view mirrored left to right, after the unmirrored ones.

    Input shape: `(n, side, side, channels)`.
    Output shape: `(n * views, side, side, channels)`, the views of one image next to each other.

    Example:
        >>> views = RotatedViews(turns=4, flips=True)
        >>> views.views, views(keras.ops.zeros((2, 8, 8, 3))).shape
        (8, (16, 8, 8, 3))
    """

    def __init__(self, turns: int = 4, *, flips: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if turns not in (1, 2, 4):
            raise ValueError(f"turns: received {turns!r}, expected 1, 2 or 4 quarter turns.")
        self.turns = turns
        self.flips = flips
        self.views = turns * (2 if flips else 1)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check that the images are square."""
        if len(input_shape) != 4 or input_shape[1] != input_shape[2]:
            raise ValueError(
                f"images: received shape {tuple(input_shape)}, expected (n, side, side, channels). "
                "A quarter turn needs square images: crop them."
            )

    def call(self, images: Any) -> Any:
        """All views of all images, shape `(n * views, side, side, channels)`."""
        quarter = 4 // self.turns
        turned = [ops.rot90(images, k * quarter, axes=(1, 2)) for k in range(self.turns)]
        if self.flips:
            turned += [ops.flip(view, axis=2) for view in turned]
        return ops.reshape(ops.stack(turned, axis=1), (-1, *images.shape[1:]))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """As many times the batch as there are views."""
        n = input_shape[0]
        return (None if n is None else n * self.views, *input_shape[1:])

    def get_config(self) -> dict[str, Any]:
        """Numbers from which `from_config` makes the same layer."""
        return {**super().get_config(), "turns": self.turns, "flips": self.flips}


@keras.saving.register_keras_serializable("firstlight")
class MergeViews(keras.layers.Layer):
    """Unfold the views of `RotatedViews` and merge what the network said about each.

    `"concatenate"` keeps the order of the views, so that the next layer may compare them (the
    paper's way: the answer still depends on how the image lay). `"mean"` and `"max"` forget the
    order: the answer is then exactly the same for every quarter turn.

    Args:
        views: Number of views, `RotatedViews.views`.
        mode: `"concatenate"`, `"mean"` or `"max"`.

    Input shape: `(n * views, ..., features)`.
    Output shape: `(n, ..., features)`, with `views * features` when concatenated.
    """

    def __init__(self, views: int, mode: str = "concatenate", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if mode not in MODES:
            raise ValueError(f"mode: received {mode!r}, expected one of {', '.join(MODES)}.")
        if views < 1:
            raise ValueError(f"views: received {views!r}, expected 1 or more.")
        self.views = views
        self.mode = mode

    def call(self, features: Any) -> Any:
        """One row per image."""
        shape = tuple(features.shape[1:])
        unfolded = ops.reshape(features, (-1, self.views, *shape))
        if self.mode == "mean":
            return ops.mean(unfolded, axis=1)
        if self.mode == "max":
            return ops.max(unfolded, axis=1)
        last = ops.moveaxis(unfolded, 1, -2)  # (n, ..., views, features)
        return ops.reshape(last, (-1, *shape[:-1], self.views * shape[-1]))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """One row per image, wider when concatenated."""
        n, *shape = input_shape
        if self.mode == "concatenate" and shape[-1] is not None:
            shape[-1] *= self.views
        return (None if n is None else n // self.views, *shape)

    def get_config(self) -> dict[str, Any]:
        """Numbers from which `from_config` makes the same layer."""
        return {**super().get_config(), "views": self.views, "mode": self.mode}
