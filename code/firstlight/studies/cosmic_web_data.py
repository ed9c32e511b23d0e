"""What the critic of the cosmic web sees, what the generator is told, and walks between slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.evaluation import mapped_fields, web_statistics
from firstlight.sky import cosmic_web as sky

__all__ = ["RINGS", "examples", "mix", "ring_powers", "spectrum_loss"]

Floats = NDArray[np.float32]

# Rings of wavenumber for the critic, in waves along the side; from the second to the ninth they
# are the bins from 0.06 to 0.4 h/Mpc, and the first and the last two are what lies outside.
_INSIDE = np.asarray(web_statistics.EDGES) * sky.BOX_MPC_H / (2 * np.pi)
RINGS: tuple[float, ...] = (0.5, *_INSIDE.round(4).tolist(), 23.0, 32.0)


def examples(
    slices: Floats, field: mapped_fields.MappedField
) -> Callable[[int, np.random.Generator], Floats]:
    """Real examples for the critic: log densities, shifted, turned and mirrored at random.

    Args:
        slices: Densities in units of the mean, shape (n, pixels, pixels).
        field: Whose lowest density is the floor under the logarithm, as for the generator.

    Returns:
        A function of a number and a random generator, which gives shape (number, pixels, pixels,
        1).
    """
    from firstlight.layers.augmentation import random_symmetry

    floor = np.float32(np.exp(field.log_density[0]))
    log_density = np.log(np.maximum(slices, floor))[..., None]
    pixels = log_density.shape[1]

    def real(n: int, rng: np.random.Generator) -> Floats:
        rows, shifts = rng.integers(0, len(log_density), n), rng.integers(0, pixels, (n, 2))
        batch = [np.roll(log_density[row], shift, axis=(0, 1))
                 for row, shift in zip(rows, shifts, strict=True)]  # fmt: skip
        return random_symmetry(np.stack(batch), rng)

    return real


def spectrum_loss(weight: float, power: Floats) -> Callable[[Any], Any]:
    """How far the mean power of generated slices is from that of the data, squared.

    The deviations of two halves of the batch are multiplied. Their noise is independent, so that
    the product has the squared deviation for its mean, and does not reward slices that are all
    alike, as the square of one mean would. The mean density counts as one more ring.

    Args:
        weight: Of this loss beside the critic.
        power: Mean power of the data in each of `RINGS`, as `layers.periodic.LogPower` has it.

    Returns:
        A function of generated log densities.
    """
    from keras import ops

    from firstlight.layers.periodic import LogPower

    rings, wanted = LogPower(RINGS), np.asarray(power, np.float32)

    def loss(log_density: Any) -> Any:
        density = ops.exp(log_density)
        ratio = ops.exp(rings(density)) / wanted
        values = ops.concatenate([ratio, ops.mean(density, axis=(1, 2))], axis=1) - 1.0
        half = values.shape[0] // 2
        return weight * ops.sum(ops.mean(values[:half], axis=0) * ops.mean(values[half:], axis=0))

    return loss


def ring_powers(slices: Floats) -> Floats:
    """Log power of slices in `RINGS`, shape (n, rings)."""
    from firstlight.layers.periodic import LogPower

    rings = LogPower(RINGS)
    parts = [np.asarray(rings(slices[i : i + 256, ..., None])) for i in range(0, len(slices), 256)]
    return np.concatenate(parts)


def mix(one: Floats, other: Floats, share: float) -> Floats:
    """Noise on the way from one to another that stays normal, for walks in latent space.

    Args:
        one: Standard normal noise.
        other: The same shape, independent.
        share: 0 gives the first, 1 the other.
    """
    if not 0 <= share <= 1 or np.shape(one) != np.shape(other):
        raise ValueError(
            f"mix: received share={share} of shapes {np.shape(one)} and {np.shape(other)}, "
            "expected 0 to 1 and the same shape."
        )
    turn = np.float32(share * np.pi / 2)  # a quarter circle: the variances add to 1
    return np.cos(turn) * one + np.sin(turn) * other
