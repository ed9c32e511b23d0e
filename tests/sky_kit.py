"""Skies and galaxies that several tests of the simulator look at."""

from functools import cache

import numpy as np
import pandas as pd

from firstlight.sky import galaxies, population

GALAXIES = ["elliptical", "disc", "irregular"]


@cache
def sky(n: int, seed: int) -> galaxies.Sky:
    """A simulated sky; read it only, for the tests share it."""
    return galaxies.simulate(n, seed)


def draw(n: int = 64, seed: int = 1, **columns: object) -> pd.DataFrame:
    """A truth table with some columns replaced."""
    return population.draw(n, np.random.default_rng(seed)).assign(**columns)


def plain(n: int = 64, seed: int = 1, **columns: object) -> pd.DataFrame:
    """Discs without arms, grain, companions or anything else in the way."""
    nothing = ("arms arm_strength bar_share ring_share clumpiness lopsidedness dust boxy "
               "companion_share tail_share arc_share star_share trail_sigma").split()  # fmt: skip
    bare: dict[str, object] = {name: 0.0 for name in nothing}
    return draw(n, seed, **{"kind": "disc", "bulge_share": 0.2, **bare, **columns})


def visible(truth: pd.DataFrame, **settings: object) -> pd.DataFrame:
    """The truth with its `visible_*` columns, the same grain every time."""
    seen = galaxies.render(truth, np.random.default_rng(5), **settings)[1]  # type: ignore[arg-type]
    return pd.concat([truth, seen], axis=1)


def blurred(truth: pd.DataFrame, factor: float) -> pd.DataFrame:
    """The same galaxies under a seeing so many times worse."""
    columns = [f"seeing_{band}_arcsec" for band in "gri"]
    return truth.assign(**{name: factor * truth[name] for name in columns})
