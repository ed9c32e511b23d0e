"""The seven architectures of the chapter of that name, each as small as its task allows."""

from typing import Any

import keras
from keras import layers

from firstlight.layers.messages import Messages, Places

__all__ = ["attention", "convolutional", "convolutions", "dense", "each", "graph", "operations",
           "recall", "recurrent", "residual", "unet"]  # fmt: skip

_TO = "same"


def dense(
    shape: tuple[int, ...], widths: tuple[int, ...], outputs: int, activation: Any = None
) -> keras.Model:
    """Every input to every neuron.

    Args:
        shape: Of the input; it is written in one row.
        widths: Of the hidden layers.
        outputs: Numbers that go out.
        activation: Of the last layer.
    """
    x = h = keras.Input(shape)
    if len(shape) > 1:
        h = layers.Flatten()(h)
    for width in widths:
        h = layers.Dense(width, activation="relu")(h)
    return keras.Model(x, layers.Dense(outputs, activation=activation)(h))


def convolutional(
    side: int, channels: int, outputs: int, activation: Any = None,
    strides: tuple[int, ...] = (1, 2, 1),
) -> keras.Model:  # fmt: skip
    """Convolutions that see no frame, then the largest value of each map, wherever it stands.

    Args:
        side: Pixels along the image.
        channels: Of each convolution.
        outputs: Numbers that go out.
        activation: Of the last layer.
        strides: Of the convolutions, one each.
    """
    x = h = keras.Input((side, side, 1))
    for stride in strides:
        h = layers.Conv2D(channels, 3, stride, padding="valid", activation="relu")(h)
    h = layers.GlobalMaxPooling2D()(h)
    return keras.Model(x, layers.Dense(outputs, activation=activation)(h))


def recurrent(
    kind: str, steps: int, channels: int, units: int, outputs: int, activation: Any = None
) -> keras.Model:
    """One cell, again and again; steps that are all zero are passed over.

    Args:
        kind: "SimpleRNN", "LSTM" or "GRU".
        steps: Longest sequence.
        channels: Numbers a step.
        units: Of the state.
        outputs: Numbers that go out at the end.
        activation: Of the last layer.
    """
    if kind not in ("SimpleRNN", "LSTM", "GRU"):
        raise ValueError(f"kind: received {kind!r}, expected 'SimpleRNN', 'LSTM' or 'GRU'.")
    x = keras.Input((steps, channels))
    h = layers.Masking()(x)
    h = getattr(layers, kind)(units)(h)
    return keras.Model(x, layers.Dense(outputs, activation=activation)(h))


def recall(steps: int, channels: int, width: int) -> keras.Model:
    """The last element asks all elements; their answers are weighed by one head of attention.

    Args:
        steps: Length of the sequence.
        channels: Numbers a step.
        width: Of keys, queries and values.
    """
    x = keras.Input((steps, channels))
    h = layers.Dense(width)(x)
    asked = layers.MultiHeadAttention(1, width)(h[:, -1:], h)
    return keras.Model(x, layers.Dense(1)(layers.Flatten()(asked)))


def attention(steps: int, channels: int, width: int, *, places: bool = True) -> keras.Model:
    """Everybody asks everybody, once; then the mean over the sequence; a probability.

    Args:
        steps: Length of the sequence.
        channels: Numbers a step.
        width: Of everything.
        places: Whether an element knows where in the sequence it stands.
    """
    x = keras.Input((steps, channels))
    h = layers.Dense(width)(x)
    if places:
        h = Places()(h)
    h = layers.Add()([h, layers.MultiHeadAttention(1, width)(h, h)])
    h = layers.Dense(width, activation="relu")(h)
    h = layers.GlobalAveragePooling1D()(h)
    return keras.Model(x, layers.Dense(1, activation="sigmoid")(h))


def graph(
    nodes: int, channels: int, units: int, rounds: int, activation: Any = None
) -> keras.Model:
    """Rounds of messages between all nodes, then one number a node.

    Args:
        nodes: How many; the weights do not depend on it.
        channels: Numbers a node comes with.
        units: Numbers a node has later.
        rounds: Of messages.
        activation: Of the last layer.
    """
    x = h = keras.Input((nodes, channels))
    for _ in range(rounds):
        h = Messages(units)(h)
    return keras.Model(x, layers.Dense(1, activation=activation)(h))


def each(nodes: int, channels: int, widths: tuple[int, ...]) -> keras.Model:
    """The same dense network for every node, which hears of no other."""
    x = h = keras.Input((nodes, channels))
    for width in widths:
        h = layers.Dense(width, activation="relu")(h)
    return keras.Model(x, layers.Dense(1)(h))


def residual(inputs: int, width: int, blocks: int) -> keras.Model:
    """Blocks of two layers, each of which adds to what it was given; the last layer is linear.

    Args:
        inputs: Numbers that come in.
        width: Of every layer.
        blocks: How many.
    """
    x = keras.Input((inputs,))
    h = layers.Dense(width)(x)
    for _ in range(blocks):
        new = layers.Dense(width)(layers.ReLU()(h))
        new = layers.Dense(width, kernel_initializer="zeros")(layers.ReLU()(new))
        h = layers.Add()([h, new])
    return keras.Model(x, layers.Dense(1)(layers.ReLU()(h)))


def unet(channels: int = 8, side: int | None = None) -> keras.Model:
    """Two steps down, two up, two bridges; one map goes out (Ronneberger et al. 2015).

    Args:
        channels: At full size; twice as many below.
        side: Pixels; None for images of any size that four divides.
    """
    x = h = keras.Input((side, side, 1))
    bridges = []
    for c in (channels, 2 * channels):
        h = layers.Conv2D(c, 3, padding=_TO, activation="relu")(h)
        h = layers.Conv2D(c, 3, padding=_TO, activation="relu")(h)
        bridges.append(h)
        h = layers.MaxPooling2D()(h)
    h = layers.Conv2D(2 * channels, 3, padding=_TO, activation="relu")(h)
    for bridge in reversed(bridges):
        h = layers.Concatenate()([layers.UpSampling2D()(h), bridge])
        h = layers.Conv2D(channels, 3, padding=_TO, activation="relu")(h)
    return keras.Model(x, layers.Conv2D(1, 1)(h))


def convolutions(channels: int, depth: int, side: int | None = None) -> keras.Model:
    """Plain convolutions at full size, one map goes out: a U-net without the U."""
    x = h = keras.Input((side, side, 1))
    for _ in range(depth):
        h = layers.Conv2D(channels, 3, padding=_TO, activation="relu")(h)
    return keras.Model(x, layers.Conv2D(1, 1)(h))


def operations(model: keras.Model) -> int:
    """Multiplications (each with its addition) that one example costs, counted layer by layer.

    Args:
        model: Built, of layers that this module uses, with all sizes known.

    Returns:
        The sum over Dense, convolutions, recurrent cells, attention and messages.

    Raises:
        ValueError: If a layer with weights is of another kind.
    """
    return sum(_operations(layer) for layer in model.layers if layer.weights)


def _operations(layer: Any) -> int:
    kind = type(layer).__name__
    kernels = [w for w in layer.weights if len(w.shape) >= 2 and w.name != "bias"]
    size = sum(_product(w.shape) for w in kernels)
    if kind == "Dense":
        return size * _product(layer.output.shape[1:-1])
    if kind == "Conv2D":
        return size * _product(layer.output.shape[1:3])
    if kind in ("SimpleRNN", "LSTM", "GRU"):
        entering = layer.input[0] if isinstance(layer.input, list) else layer.input
        return size * entering.shape[1]
    if kind == "MultiHeadAttention":
        asking, keys = (t.shape[1] for t in layer.input[:2])
        width = layer.num_heads * layer.key_dim
        # queries and results for those who ask, keys and values for all; then two products
        return width * layer.input[0].shape[-1] * 2 * (asking + keys) + 2 * width * asking * keys
    if kind == "Messages":
        nodes = layer.input.shape[1]
        return size * nodes  # pairs cost additions alone: the messages are sums
    if kind == "Places":
        return 0
    raise ValueError(
        f"operations: received a layer of kind {kind}, expected one of the layers of "
        "firstlight.models.architectures."
    )


def _product(shape: Any) -> int:
    total = 1
    for n in shape:
        total *= int(n)
    return total
