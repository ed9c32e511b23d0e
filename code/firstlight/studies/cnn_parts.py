"""A small convolutional network from which one part at a time is taken away.

Discs with and without spiral arms, gray, and the share of them that each crippled network gets
wrong. Every network has the learning rate that suits it best, chosen on other seeds: a network
without normalization, say, would otherwise be judged at a rate that was tuned for its rival.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.sky import galaxies
from firstlight.studies import features
from firstlight.studies.cards import Fingerprint, architecture_digest, digest
from firstlight.studies.stored import Sweep
from firstlight.studies.validation_curves import Stamps, all_turns, scores

__all__ = ["CONFIG", "PARTS", "RATES", "SWEEPS", "fit", "fingerprint", "measure", "network",
           "simulate"]  # fmt: skip

Floats = NDArray[np.float32]

CONFIG: Mapping[str, Any] = {
    "side": 24,
    "n_train": 600,
    "n_test": 3_000,
    "filters": (8, 16, 32),
    "kernel": 3,
    "dense": 32,
    "dropout": 0.3,
    "steps": 300,
    "batch_size": 64,
    "weight_decay": 1e-4,
}
PARTS = ("nothing", "activation", "activation and pooling", "pooling", "fully connected",
         "dropout", "batch norm", "augmentation", "depth")  # fmt: skip
TRIED = (2e-3, 5e-3, 1.2e-2, 3e-2)
RATES: Mapping[str, float] = {  # fewest wrong answers on average in the stored run `cnns-rates`
    "nothing": 0.005,
    "activation": 0.012,
    "activation and pooling": 0.002,
    "pooling": 0.012,
    "fully connected": 0.03,
    "dropout": 0.012,
    "batch norm": 0.005,
    "augmentation": 0.012,
    "depth": 0.005,
}
TUNING, JUDGING = range(701, 703), range(711, 721)
_SOFTENED = 1.7  # the mean of three bands has the noise of one, over the root of three


def simulate(n: int, seed: int) -> Stamps:
    """Discs of `studies.features` in gray, stretched, without their frame of sky.

    Args:
        n: How many, 1 or more; arms and no arms by turns.
        seed: Same seed, same discs; the first k are the same for any n.

    Returns:
        Images (n, 24, 24, 1) and labels (n, 1).

    Example:
        >>> simulate(4, seed=1).x.shape
        (4, 24, 24, 1)
    """
    discs = features.simulate(n, seed)
    frame = (discs.images.shape[1] - CONFIG["side"]) // 2
    gray = discs.images.mean(axis=-1, keepdims=True)[:, frame:-frame, frame:-frame]
    return Stamps(galaxies.stretch(_SOFTENED * gray), discs.labels)


def network(seed: int, without: str = "nothing") -> Any:
    """Three times convolution, normalization, bend and pooling; a hidden layer; one neuron.

    Args:
        seed: Of the first weights and of dropout.
        without: What is left out, one of `PARTS`. Without pooling, the convolutions take strides
            of two; without the fully connected layer, each map is averaged; without depth, only
            the first stage stays, and pools as far as all three did.

    Returns:
        A Keras model from (n, 24, 24, 1) to (n, 1): the sum before the sigmoid.

    Raises:
        ValueError: If there is no such part.
    """
    import keras
    from keras import layers

    if without not in PARTS:
        raise ValueError(f"without: received {without!r}, expected one of {', '.join(PARTS)}.")
    bends = "activation" not in without
    keras.utils.set_random_seed(int(seed) % 2**32)
    stack: list[Any] = [keras.Input((CONFIG["side"], CONFIG["side"], 1))]
    for k, filters in enumerate(CONFIG["filters"][: 1 if without == "depth" else None], start=1):
        stack += _stage(k, filters, without)
    if without == "fully connected":
        stack.append(layers.GlobalAveragePooling2D())
    else:
        stack.append(layers.Flatten())
        stack.append(layers.Dense(CONFIG["dense"], activation="relu" if bends else None))
    if without != "dropout":
        stack.append(layers.Dropout(CONFIG["dropout"]))
    return keras.Sequential([*stack, layers.Dense(1)])


def _stage(k: int, filters: int, without: str) -> list[Any]:
    from keras import layers

    normal, pools = without != "batch norm", "pooling" not in without
    parts: list[Any] = [
        layers.Conv2D(filters, CONFIG["kernel"], strides=1 if pools else 2, padding="same",
                      use_bias=not normal, name=f"conv_{k}")
    ]  # fmt: skip
    if normal:
        parts.append(layers.BatchNormalization(momentum=0.95))
    if "activation" not in without:
        parts.append(layers.ReLU(name=f"bend_{k}"))
    if pools:
        parts.append(layers.MaxPooling2D(8 if without == "depth" else 2))
    return parts


def fit(
    model: Any,
    train: Stamps,
    seed: int,
    learning_rate: float = 5e-3,
    augment: bool = True,
    steps: int = 0,
) -> list[float]:
    """Train with AdamW, warm-up and half a cosine; the whole run is one graph.

    Args:
        model: As `network` makes it.
        train: To learn from.
        seed: Of the order.
        learning_rate: The highest.
        augment: Learn from all eight symmetries instead of one.
        steps: How many; those of `CONFIG` by default.

    Returns:
        The loss of every step.
    """
    import tensorflow as tf

    shown, n_steps = all_turns(train) if augment else train, steps or CONFIG["steps"]
    rng, size = np.random.default_rng([int(seed), 1]), CONFIG["batch_size"]
    passes = -(-n_steps * size // len(shown.x))
    order = np.concatenate([rng.permutation(len(shown.x)) for _ in range(passes)])
    rows = order[: n_steps * size].reshape(n_steps, size).astype(np.int32)
    go = _graph(model, learning_rate, n_steps)
    losses = go(tf.constant(np.ascontiguousarray(shown.x)), tf.constant(shown.y), tf.constant(rows))
    return np.asarray(losses).tolist()


def _graph(model: Any, learning_rate: float, steps: int) -> Any:
    """A function that takes a step for every row of batches."""
    import keras
    import tensorflow as tf

    from firstlight import training

    tf.get_logger().setLevel("ERROR")  # it warns that each network has a graph of its own
    schedule = training.warmup_cosine(learning_rate, steps)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=CONFIG["weight_decay"])
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(model.trainable_variables)

    @tf.function
    def go(x: Any, y: Any, batches: Any) -> Any:
        losses = tf.TensorArray(tf.float32, size=steps)
        for k in tf.range(steps):
            rows = batches[k]
            with tf.GradientTape() as tape:
                a = model(tf.gather(x, rows), training=True)
                loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(
                    labels=tf.gather(y, rows), logits=a))  # fmt: skip
            variables = model.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            losses = losses.write(k, loss)
        return losses.stack()

    return go


@lru_cache(maxsize=1)
def _sky(seed: int) -> tuple[Stamps, Stamps]:
    return simulate(CONFIG["n_train"], 2 * seed), simulate(CONFIG["n_test"], 2 * seed + 1)


def measure(seed: int, without: str, rate: float) -> dict[str, float]:
    """One point of the stored runs: a network without one part, on galaxies of its seed.

    Args:
        seed: Of galaxies, first weights and order, the same for all parts.
        without: One of `PARTS`.
        rate: Highest learning rate.

    Returns:
        On fresh galaxies, the cross-entropy and the share of wrong answers, in per cent.
    """
    train, test = _sky(int(seed))
    model = network(int(seed), without)
    fit(model, train, int(seed), rate, augment=without != "augmentation")
    loss, right = scores(model, test)
    return {"loss": loss, "wrong": 100 * (1 - right)}


def fingerprint() -> Fingerprint:
    """What the stored runs depend on: the networks, the settings, two galaxies."""
    sample = simulate(2, seed=20_261_123).x[:, 4:20:5, 4:20:5].ravel()
    networks = "".join(architecture_digest(network(0, part)) for part in PARTS)
    return Fingerprint(digest(networks), digest(CONFIG), tuple(map(float, sample)))


SWEEPS = {
    "cnns-rates": Sweep(
        "cnns-rates",
        [{"seed": seed, "without": part, "rate": rate}
         for seed in TUNING for part in PARTS for rate in TRIED],
        measure,
        fingerprint,
    ),
    "cnns-parts": Sweep(
        "cnns-parts",
        [{"seed": seed, "without": part, "rate": RATES[part]}
         for seed in JUDGING for part in PARTS],
        measure,
        fingerprint,
    ),
}  # fmt: skip
