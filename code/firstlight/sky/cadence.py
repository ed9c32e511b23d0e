"""When a survey looks at a star, and how well: seasons, nights, hours, noise."""

from dataclasses import dataclass

import numpy as np

from . import checks

__all__ = ["STRIPE82", "VVV", "TimeSurvey"]

_YEAR = 365.25
_NIGHT_DAYS = 0.20  # a star is looked at up to so long before and after midnight,
_REACH_DAYS = 0.17  # and up to so long before and after it crosses the meridian
_SAME_NIGHT = 0.2  # share of visits in a night that has one already


@dataclass(frozen=True)
class TimeSurvey:
    """A survey that comes back to the same stars.

    Args:
        name: For captions and cards.
        band: "Ks" or "I": the band whose light curves it measures.
        epochs: Fewest and most visits to a star; uniform between.
        opposition_mjd: A day on which the stars cross the meridian at midnight.
        midnight_day: Local midnight at the observatory, fraction of a day in MJD.
        seasons: Share of all visits in each season; the first is that around `opposition_mjd`,
            the others follow year by year.
        season_days: A season lasts so long before and after opposition.
        mean_mag: Range of mean magnitudes; uniform between.
        floor_mag: Systematic scatter that no photon helps against: zero points, crowding.
        sigma_mag: Noise of one visit without the floor, at `reference_mag`.
        reference_mag: See `sigma_mag`.
        slope: Noise grows as 10^(slope (m - reference)): 0.4 where the sky dominates, 0.2
            where the star itself does.
        field_scatter: Standard deviation of ln(noise) from star to star (crowding, chip).
        night_scatter: Standard deviation of ln(noise) from visit to visit (seeing, moon).
        outlier_share: Share of visits that went wrong and do not know it.
        population: Whose RR Lyrae stars it meets: those of the "bulge", or the metal-poorer
            ones of the Magellanic "clouds", which stand for the halo.

    Raises:
        ValueError: If a number is out of its range.
    """

    name: str
    band: str
    epochs: tuple[int, int]
    opposition_mjd: float
    midnight_day: float
    seasons: tuple[float, ...]
    season_days: float
    mean_mag: tuple[float, float]
    floor_mag: float
    sigma_mag: float
    reference_mag: float
    slope: float = 0.4
    field_scatter: float = 0.22
    night_scatter: float = 0.25
    outlier_share: float = 0.01
    population: str = "bulge"

    def __post_init__(self) -> None:
        if self.band not in ("Ks", "I") or self.population not in ("bulge", "clouds"):
            raise ValueError(
                f"TimeSurvey: received band={self.band!r}, population={self.population!r}; "
                "expected 'Ks' or 'I', and 'bulge' or 'clouds'."
            )
        if len(self.epochs) != 2 or self.epochs[0] > self.epochs[1]:
            raise ValueError(
                f"TimeSurvey.epochs: received {self.epochs!r}, expected (fewest, most)."
            )
        for value in self.epochs:
            checks.whole("TimeSurvey", "epochs", value, 2, 10_000)
        low, high = self.mean_mag
        small = (self.floor_mag, self.sigma_mag, self.field_scatter, self.night_scatter, self.slope)
        if not (np.isfinite([low, high, *small]).all() and low <= high and min(small) >= 0):
            raise ValueError(
                f"TimeSurvey: received mean_mag={self.mean_mag}, floor, sigma, scatters and "
                f"slope {small}; expected (bright, faint) and finite numbers of 0 or more."
            )
        if self.floor_mag + self.sigma_mag <= 0 or not 0 <= self.outlier_share < 0.5:
            raise ValueError(
                f"TimeSurvey: received floor_mag={self.floor_mag}, sigma_mag={self.sigma_mag}, "
                f"outlier_share={self.outlier_share}; expected some noise and a share below 0.5."
            )
        if not (min(self.seasons, default=-1) >= 0 and sum(self.seasons) > 0):
            raise ValueError(
                f"TimeSurvey.seasons: received {self.seasons}, expected shares of 0 or more "
                "that are not all zero."
            )
        if not 1 <= self.season_days <= 130:
            raise ValueError(
                f"TimeSurvey.season_days: received {self.season_days}, expected 1 to 130: outside, "
                "the stars are up by day."
            )

    def visits(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draws the visits to n stars.

        Nights are drawn season by season, hours within the night while the field is up. So
        the hour drifts through a season, and periods are mistaken for one another through
        one cycle more or less a day, and a year.

        Args:
            n: How many stars.
            rng: Source of randomness.

        Returns:
            Times in days (MJD), rising, and the mask of what is a visit: both (n, most
            epochs). Where the mask is False the time is 0.
        """
        most = self.epochs[1]
        count = rng.integers(self.epochs[0], most + 1, n)
        mask = np.arange(most) < count[:, None]
        share = np.asarray(self.seasons) / sum(self.seasons)
        own = rng.gamma(np.maximum(20 * share, 1e-9), size=(n, len(share)))  # fields differ
        ends = np.cumsum(own, axis=1) / own.sum(axis=1)[:, None]
        season = (rng.uniform(size=(n, most, 1)) > ends[:, None, :]).sum(axis=2)
        season = np.minimum(season, len(share) - 1)
        day = rng.uniform(-self.season_days, self.season_days, (n, most))
        repeat = rng.uniform(size=(n, most)) < _SAME_NIGHT
        repeat[:, 0] = False
        source = np.maximum.accumulate(np.where(repeat, 0, np.arange(most)), axis=1)
        night = np.round(self.opposition_mjd + _YEAR * season + day)
        night = np.take_along_axis(night, source, axis=1)
        since = night - self.opposition_mjd - _YEAR * np.take_along_axis(season, source, axis=1)
        meridian = -since / _YEAR  # a sidereal day is shorter: four minutes earlier every night
        first = np.maximum(-_NIGHT_DAYS, meridian - _REACH_DAYS)
        last = np.minimum(_NIGHT_DAYS, meridian + _REACH_DAYS)
        hour = first + (last - first) * rng.uniform(size=(n, most))
        times = np.sort(np.where(mask, night + self.midnight_day + hour, np.inf), axis=1)
        return np.where(mask, times, 0.0), mask

    def sigma(self, magnitudes: np.ndarray) -> np.ndarray:
        """Noise of one ordinary visit, mag.

        Args:
            magnitudes: Any shape.

        Returns:
            The same shape.

        Example:
            >>> bool(VVV.sigma(np.array(12.0)) < 1.1 * VVV.floor_mag)
            True
        """
        sky = self.sigma_mag * 10 ** (self.slope * (np.asarray(magnitudes) - self.reference_mag))
        return np.asarray(np.hypot(self.floor_mag, sky))

    def observe(
        self, magnitudes: np.ndarray, mask: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Adds noise.

        Args:
            magnitudes: Without noise, (n, epochs).
            mask: Which of them are visits, same shape.
            rng: Source of randomness.

        Returns:
            Measured magnitudes, their errors (the standard deviation of the noise of that very
            visit) and which are outliers: moved by 4 to 12 errors, and the errors do not
            show it. Zero and False where the mask is False.
        """
        n, m = magnitudes.shape
        field = np.exp(self.field_scatter * rng.standard_normal((n, 1)))
        night = np.exp(self.night_scatter * rng.standard_normal((n, m)))
        errors = self.sigma(magnitudes) * field * night
        noise = errors * rng.standard_normal((n, m))
        wrong = mask & (rng.uniform(size=(n, m)) < self.outlier_share)
        jump = rng.uniform(4, 12, (n, m)) * rng.choice([-1, 1], (n, m))
        measured = magnitudes + noise + np.where(wrong, jump * errors, 0.0)
        return np.where(mask, measured, 0.0), np.where(mask, errors, 0.0), wrong


# VVV toward the bulge, 2010 to 2015: seasons as in the light curves that come with the
# authors' own programs (correct_vvv_zp, pyfiner); noise as measured around 4 447 real RRab
# curves from K_s 13 to 15.5; the floor is the median zero-point error in those same files.
VVV = TimeSurvey(
    name="VVV",
    band="Ks",
    epochs=(50, 75),
    opposition_mjd=55367.0,  # 20 June 2010: right ascension 17.8 hours
    midnight_day=0.196,  # Paranal, 70.4 degrees west
    seasons=(0.06, 0.12, 0.30, 0.27, 0.19, 0.06),
    season_days=110.0,
    mean_mag=(13.0, 16.2),
    floor_mag=0.013,
    sigma_mag=0.034,
    reference_mag=15.0,
)
# RR Lyrae stars of SDSS Stripe 82 in i (close to I), 1998 to 2007 (Sesar et al. 2010): epochs,
# errors and seasons roughly as theirs; of the stars themselves nothing is taken from there.
STRIPE82 = TimeSurvey(
    name="Stripe 82",
    band="I",
    epochs=(22, 72),
    opposition_mjd=51077.0,  # 21 September 1998: right ascension 0
    midnight_day=0.294,  # Apache Point, 105.8 degrees west
    seasons=(0.03, 0.03, 0.04, 0.06, 0.07, 0.07, 0.05, 0.20, 0.22, 0.23),
    season_days=65.0,
    mean_mag=(14.5, 20.5),
    floor_mag=0.010,
    sigma_mag=0.035,
    reference_mag=20.0,
    field_scatter=0.10,
    night_scatter=0.20,
    outlier_share=0.003,
    population="clouds",
)
