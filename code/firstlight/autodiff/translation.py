"""From a Keras layer to ours, with copies of its weights."""

from collections.abc import Callable
from typing import Any

from firstlight.autodiff.base import Layer
from firstlight.autodiff.convolutional import (
    AveragePooling2D,
    Conv2D,
    GlobalAveragePooling2D,
    MaxPooling2D,
)
from firstlight.autodiff.layers import Activation, Dense, Flatten
from firstlight.autodiff.regularization import BatchNormalization, Dropout

__all__ = ["translate"]


def translate(layer: Any, dtype: str = "float64") -> Layer | None:
    """Our layer for a Keras layer; None for an input layer, which does nothing.

    Args:
        layer: Built layer of Keras.
        dtype: Of the parameters.

    Returns:
        A layer that computes the same.

    Raises:
        ValueError: If there is none of that kind, it has options that ours has not, or its
            weights do not exist yet.

    Example:
        >>> translate(keras.layers.Flatten())  # doctest: +SKIP
    """
    kind = type(layer).__name__
    if kind == "InputLayer":
        return None
    if kind not in _MAKERS:
        raise ValueError(
            f"model: received a layer {layer.name!r} of type {kind}, expected one of "
            f"{', '.join(_MAKERS)}. Write other layers with these, or keep the model in Keras."
        )
    _refuse(layer)
    if layer.weights and not layer.built or kind in _WEIGHTED and not layer.weights:
        raise ValueError("model: received one without weights; call it once or give Input.")
    ours = _MAKERS[kind](layer, dtype)
    ours.name = layer.name
    if layer.weights and kind in _WEIGHTED:
        ours.set_weights(layer.get_weights())
    return ours


def _refuse(layer: Any) -> None:
    """Options that would be lost in silence."""
    axis = getattr(layer, "axis", -1)
    reasons = {
        "data_format is channels_first": getattr(layer, "data_format", "") == "channels_first",
        "groups are more than 1": getattr(layer, "groups", 1) != 1,
        "padding is neither valid nor same": getattr(layer, "padding", "same")
        not in ("valid", "same"),
        "keepdims is set": getattr(layer, "keepdims", False),
        "its axis is not the last": axis != -1 and axis != len(layer.input.shape) - 1,
        "its noise_shape is set": getattr(layer, "noise_shape", None) is not None,
    }
    for reason, holds in reasons.items():
        if holds:
            raise ValueError(
                f"model: received a layer {layer.name!r} whose {reason}, which ours cannot do. "
                "Keep the model in Keras."
            )


def _bend(layer: Any) -> str:
    function = layer.activation
    return getattr(function, "__name__", type(function).__name__)


def _conv(k: Any, dtype: str) -> Layer:
    return Conv2D(k.filters, k.kernel_size, k.strides, k.padding, k.dilation_rate,
                  _bend(k), k.use_bias, dtype=dtype)  # fmt: skip


def _norm(k: Any, dtype: str) -> Layer:
    return BatchNormalization(k.momentum, k.epsilon, k.center, k.scale, dtype=dtype)


_WEIGHTED = ("Dense", "Conv2D", "BatchNormalization")
_MAKERS: dict[str, Callable[[Any, str], Layer]] = {
    "Dense": lambda k, dtype: Dense(k.units, _bend(k), k.use_bias, dtype=dtype),
    "Flatten": lambda k, dtype: Flatten(),
    "Activation": lambda k, dtype: Activation(_bend(k)),
    "Dropout": lambda k, dtype: Dropout(k.rate),
    "Conv2D": _conv,
    "MaxPooling2D": lambda k, dtype: MaxPooling2D(k.pool_size, k.strides, k.padding),
    "AveragePooling2D": lambda k, dtype: AveragePooling2D(k.pool_size, k.strides, k.padding),
    "GlobalAveragePooling2D": lambda k, dtype: GlobalAveragePooling2D(),
    "BatchNormalization": _norm,
}
