"""Light curves made of three cosines, for the tests of what looks at variable stars."""

import numpy as np

TURN = 2 * np.pi


def sawteeth(n=6, epochs=60, seed=0, noise=0.002):
    """Three cosines of known size and phase at known periods, seen at night, no two alike."""
    rng = np.random.default_rng(seed)
    period = rng.uniform(0.45, 0.75, n)
    days = np.sort(rng.uniform(0, 1200, (n, epochs)).round() + rng.uniform(-0.2, 0.2, (n, epochs)))
    amplitudes, phases = np.array([0.2, 0.09, 0.05]), rng.uniform(0, TURN, (n, 3))
    k = np.arange(1, 4)
    cycles = TURN * (days / period[:, None])[..., None] * k
    clean = 15 + (amplitudes * np.cos(cycles + phases[:, None])).sum(axis=-1)
    errors = np.full(days.shape, noise)
    curves = (days, clean + noise * rng.standard_normal(days.shape), errors,
              np.ones(days.shape, bool))  # fmt: skip
    return curves, period, amplitudes, phases
