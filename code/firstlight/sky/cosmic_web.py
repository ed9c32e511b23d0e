"""The cosmic web: periodic boxes of matter that has clumped, and the thin slices cut from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from . import checks, matter_power, particle_mesh

__all__ = ["BOX_MPC_H", "Boxes", "coarse", "gaussian_field", "simulate", "slices"]

Floats = NDArray[np.float32]

BOX_MPC_H = 256.0  # side of a box, Mpc/h


@dataclass(frozen=True)
class Boxes:
    """Boxes of matter today.

    Args:
        density: In units of the mean, shape (n, pixels, pixels, pixels), float32.
        box_mpc_h: Side of a box in Mpc/h.
    """

    density: Floats
    box_mpc_h: float

    def __len__(self) -> int:
        return len(self.density)


def gaussian_field(
    mesh: int,
    rng: np.random.Generator,
    power: Callable[[Any], Any] = matter_power.linear,
    *,
    box_mpc_h: float = BOX_MPC_H,
) -> Floats:
    """A density contrast whose waves have random phases and a given mean power.

    Args:
        mesh: Cells along a side, even.
        rng: Where the randomness comes from.
        power: P(k) in (Mpc/h)^3 of wavenumbers in h/Mpc; never asked for k = 0.
        box_mpc_h: Side of the box in Mpc/h.

    Returns:
        Shape (mesh, mesh, mesh), mean 0.

    Raises:
        ValueError: If the mesh is odd, or the power negative or not finite.
    """
    particle_mesh.even("gaussian_field", mesh)
    _side("gaussian_field", box_mpc_h)
    noise = fft.rfftn(rng.standard_normal((mesh,) * 3, dtype=np.float32))
    full = (np.fft.fftfreq(mesh) * mesh).astype(np.float32)
    half = np.abs(full[: mesh // 2 + 1])
    square = full[:, None, None] ** 2 + full[:, None] ** 2 + half**2
    steps, where = np.unique(square.astype(np.int32), return_inverse=True)
    level = np.asarray(power(2 * np.pi / box_mpc_h * np.sqrt(steps[1:])), float)
    if not np.all((level >= 0) & np.isfinite(level)):
        raise ValueError(
            "gaussian_field: received a power that is negative, NaN or infinite, expected 0 or "
            "more at every wavenumber of the box."
        )
    cell = (box_mpc_h / mesh) ** 3
    size = np.sqrt(np.concatenate([[0.0], level]) / cell).astype(np.float32)
    noise *= size[where.reshape(noise.shape)]
    return np.asarray(fft.irfftn(noise, s=(mesh,) * 3), np.float32)


def simulate(
    n: int,
    seed: int,
    *,
    pixels: int = 64,
    finer: int = 2,
    steps: int = 5,
    box_mpc_h: float = BOX_MPC_H,
    cosmology: matter_power.Cosmology = matter_power.PAPER,
) -> Boxes:
    """Draw beginnings, let them fall, and weigh the cells.

    Args:
        n: Number of boxes.
        seed: Same seed, same boxes; the first k of n are the same for any n.
        pixels: Cells along the side of the box that is returned, even.
        finer: The particles and their gravity live on a mesh so many times finer.
        steps: See `particle_mesh.evolve`; 1 is second-order perturbation theory.
        box_mpc_h: Side of the box in Mpc/h.
        cosmology: Of which universe.

    Returns:
        The boxes.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> boxes = simulate(1, seed=1, pixels=8, steps=1)
        >>> boxes.density.shape, round(float(boxes.density.mean()), 5)
        ((1, 8, 8, 8), 1.0)
    """
    checks.whole("simulate", "n", n, 1, 10_000)
    checks.whole("simulate", "seed", seed, 0, 2**63)
    checks.whole("simulate", "finer", finer, 1, 8)
    mesh = particle_mesh.even("simulate", pixels) * finer
    _side("simulate", box_mpc_h)

    def power(k: Any) -> Any:
        return matter_power.linear(k, cosmology)

    density = np.empty((n, pixels, pixels, pixels), np.float32)
    for i in range(n):
        rng = np.random.default_rng([seed, i])
        start = gaussian_field(mesh, rng, power, box_mpc_h=box_mpc_h)
        end = particle_mesh.evolve(start, steps)
        density[i] = coarse(particle_mesh.deposit(end, mesh), finer)
    return Boxes(density, box_mpc_h)


def coarse(density: Floats, factor: int) -> Floats:
    """The mean over cubes of cells, which keeps the mass.

    Args:
        density: Shape (mesh, mesh, mesh).
        factor: Side of the cubes in cells; it divides the mesh.

    Returns:
        Shape (mesh/factor, mesh/factor, mesh/factor).

    Raises:
        ValueError: If the factor does not divide the mesh.
    """
    checks.whole("coarse", "factor", factor, 1, len(density))
    pixels, rest = divmod(len(density), factor)
    if rest:
        raise ValueError(
            f"coarse: received factor={factor} for a mesh of {len(density)}, expected a divisor."
        )
    return np.asarray(density.reshape((pixels, factor) * 3).mean(axis=(1, 3, 5)), np.float32)


def slices(boxes: Boxes) -> tuple[Floats, NDArray[np.intp]]:
    """Every slice of one cell's thickness, along all three axes of all boxes.

    A slice is periodic like its box. Neighbors share much, and slices of one box cross: so keep
    the boxes apart when data are split, not the slices.

    Args:
        boxes: From `simulate`.

    Returns:
        Densities in units of the boxes' mean, shape (n slices, pixels, pixels), and the number of
        the box that each comes from.

    Raises:
        ValueError: If a box is empty, has a negative density or NaN.
    """
    density = boxes.density
    if not density.size or not np.all(density >= 0) or not np.all(density.sum(axis=(1, 2, 3)) > 0):
        raise ValueError(
            "slices: received an empty box, or one with NaN or negative densities, expected boxes "
            "with some matter and no cell of less than none."
        )
    pixels = density.shape[1]
    views = [np.moveaxis(density, axis, 1) for axis in (1, 2, 3)]
    cut = np.stack(views, axis=1).reshape(-1, pixels, pixels)
    return cut, np.repeat(np.arange(len(density)), 3 * pixels)


def _side(where: str, box_mpc_h: float) -> None:
    if not 10 <= box_mpc_h <= 10_000:
        raise ValueError(
            f"{where}: received a box of {box_mpc_h!r} Mpc/h, expected a side of 10 to 10000."
        )
