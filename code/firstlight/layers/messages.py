"""Message passing on a complete graph: each node listens to all the others, in no order."""

from typing import Any

import keras
from keras import ops

__all__ = ["Messages", "Places"]


@keras.saving.register_keras_serializable("firstlight")
class Messages(keras.layers.Layer):
    """One round of messages between the nodes of a graph.

    Node j tells node i relu(W_r h_i + W_s h_j + b); node i takes the mean over all j, and
    becomes relu(U h_i + V mean + c). The mean has no order, so nodes may be renumbered
    (Gilmer et al. 2017, arXiv 1704.01212, with the simplest of messages).

    Args:
        units: Length of a message, and of what a node becomes.

    Example:
        >>> Messages(4)(ops.ones((1, 5, 3))).shape  # doctest: +SKIP
        TensorShape([1, 5, 4])
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(f"Messages: received units={units}, expected 1 or more.")
        self.units = units

    def build(self, input_shape: Any) -> None:
        """Weights for nodes with `input_shape[-1]` numbers each."""
        channels = input_shape[-1]
        for name, rows in (("receiver", channels), ("sender", channels), ("self", channels),
                           ("mean", self.units)):  # fmt: skip
            weight = self.add_weight(shape=(rows, self.units), initializer="he_normal", name=name)
            setattr(self, f"w_{name}", weight)
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="bias_message")
        self.c = self.add_weight(shape=(self.units,), initializer="zeros", name="bias_node")

    def call(self, h: Any) -> Any:
        """New nodes `(n, nodes, units)` from nodes `(n, nodes, channels)`."""
        heard = ops.expand_dims(ops.matmul(h, self.w_receiver) + self.b, 2)
        said = ops.expand_dims(ops.matmul(h, self.w_sender), 1)
        mean = ops.mean(ops.relu(heard + said), axis=2)
        return ops.relu(ops.matmul(h, self.w_self) + ops.matmul(mean, self.w_mean) + self.c)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As many nodes as came in."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """For saving."""
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("firstlight")
class Places(keras.layers.Layer):
    """Adds to each element of a sequence a learned vector that says where it stands."""

    def build(self, input_shape: Any) -> None:
        """One vector for each place."""
        start = keras.initializers.RandomNormal(stddev=0.5)
        self.vectors = self.add_weight(shape=input_shape[1:], initializer=start, name="places")

    def call(self, h: Any) -> Any:
        """The same shape as came in."""
        return h + self.vectors

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As it came in."""
        return input_shape
