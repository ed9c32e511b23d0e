"""What a computation costs: time on many cores, energy, and the carbon of its electricity."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["GRIDS", "Footprint", "Machine", "amdahl", "footprint", "interval_between_checkpoints"]

GRIDS = {"hydro": 25.0, "world": 475.0, "coal": 900.0}
"""Grams of CO2 for a kilowatt hour: round numbers for three kinds of grid, the second being
the value that Lannelongue, Grealey & Inouye (2021) use for the mean of the world."""


@dataclass(frozen=True)
class Machine:
    """What a core of a machine draws while it works, and what the building adds.

    Args:
        core_w: Watts of one busy core, with its share of the board.
        memory_w_per_gb: Watts of a gigabyte of memory (Lannelongue et al. 2021).
        pue: Power usage effectiveness: all the power over that of the computers.
    """

    core_w: float = 12.0
    memory_w_per_gb: float = 0.3725
    pue: float = 1.67


@dataclass(frozen=True)
class Footprint:
    """An estimate.

    Args:
        core_hours: Of work.
        kwh: Electricity, cooling included.
        co2_kg: From making that electricity.
    """

    core_hours: float
    kwh: float
    co2_kg: float


def footprint(
    core_s: float, *, memory_gb: float = 1.0, grid: float = GRIDS["world"],
    machine: Machine | None = None,
) -> Footprint:  # fmt: skip
    """Energy and carbon of so many seconds of one core.

    Args:
        core_s: CPU seconds, of all cores together.
        memory_gb: Memory held for each core meanwhile.
        grid: Grams of CO2 a kilowatt hour, see `GRIDS`.
        machine: What it draws.

    Raises:
        ValueError: If a number is negative or not finite.

    Example:
        >>> round(footprint(3600.0, memory_gb=0.0).kwh, 5)
        0.02004
    """
    if not all(math.isfinite(x) and x >= 0 for x in (core_s, memory_gb, grid)):
        raise ValueError(
            f"core_s, memory_gb, grid: received {core_s}, {memory_gb}, {grid}; expected 0 or more."
        )
    machine = machine or Machine()
    watts = (machine.core_w + machine.memory_w_per_gb * memory_gb) * machine.pue
    hours = core_s / 3600
    kwh = hours * watts / 1000
    return Footprint(hours, kwh, kwh * grid / 1000)


def amdahl(parallel: float, workers: float) -> float:
    """How many times faster `workers` are, if a share of the work is parallel (Amdahl 1967).

    Args:
        parallel: Share of the time of one worker that can be shared out, 0 to 1.
        workers: How many.

    Example:
        >>> amdahl(0.5, 1e9) < 2
        True
    """
    if not (0 <= parallel <= 1 and workers >= 1):
        raise ValueError(
            f"parallel, workers: received {parallel}, {workers}; expected a share from 0 to 1 and "
            "at least one worker."
        )
    return 1 / (1 - parallel + parallel / workers)


def interval_between_checkpoints(write_s: float, mean_life_s: float) -> float:
    """How long to work between checkpoints so that the least time is lost (Young 1974).

    Args:
        write_s: Seconds to write one.
        mean_life_s: Mean time between kills.

    Returns:
        Seconds of work between checkpoints, for `write_s` much less than `mean_life_s`.
    """
    if not (write_s > 0 and mean_life_s > 0):
        raise ValueError(
            f"write_s, mean_life_s: received {write_s}, {mean_life_s}; expected positive seconds."
        )
    return math.sqrt(2 * write_s * mean_life_s)
