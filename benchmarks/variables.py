"""How fast light curves are made and searched: `sky.periods` beside astropy's periodogram.

Both look for the strongest period of the same simulated stars, one after another on one core,
at the same frequencies, with a free mean. Astropy's own choice of method is its fast one.
"""

from __future__ import annotations

import numpy as np

from benchmarks import Row
from benchmarks.simulator import rates
from firstlight.sky import variables
from firstlight.sky.periods import strongest_period

AIM = 5.0
STARS, LOOP, ROUNDS = 60, 6, 3
RANGE_DAYS, SAMPLES = (0.2, 60.0), 4.0


def astropy_loop(stars: variables.Variables) -> np.ndarray:
    """The strongest period of each star by `astropy.timeseries.LombScargle`, days."""
    from astropy.timeseries import LombScargle

    found = []
    for t, y, sigma, seen in zip(*stars.curves, strict=True):
        search = LombScargle(t[seen], y[seen], sigma[seen])
        frequency, power = search.autopower(
            samples_per_peak=SAMPLES,
            minimum_frequency=1 / RANGE_DAYS[1],
            maximum_frequency=1 / RANGE_DAYS[0],
        )
        found.append(1 / frequency[np.argmax(power)])
    return np.array(found)


def run() -> list[Row]:
    """Measure the search, and the simulator beside it.

    Returns:
        Two rows: stars searched, and stars simulated for one that is searched.
    """
    stars = variables.simulate(STARS, seed=1)
    few = stars.take(np.arange(LOOP))
    rate = rates(
        {
            "ours": (
                STARS,
                lambda turn: strongest_period(
                    *stars.curves, period_range_days=RANGE_DAYS, samples_per_peak=SAMPLES
                ),
            ),
            "loop": (LOOP, lambda turn: astropy_loop(few)),
            "drawn": (2_048, lambda turn: variables.simulate(2_048, seed=10 + turn)),
        },
        ROUNDS,
    )
    note = (
        f"stars of VVV cadence for a CPU second of one core, best of {ROUNDS} rounds in turns, "
        f"{1 / RANGE_DAYS[1]:.3g} to {1 / RANGE_DAYS[0]:.3g} cycles a day."
    )
    return [
        Row("periods", rate["ours"], rate["loop"], "stars/s", rate["ours"] / rate["loop"], AIM,
            at_most=False, note=note),
        Row("light curves", rate["drawn"], rate["ours"], "stars/s", rate["drawn"] / rate["ours"],
            1.0, at_most=False, note="simulated, beside those whose period is searched."),
    ]  # fmt: skip
