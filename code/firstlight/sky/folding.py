"""What an observer makes of a light curve and a period: a folded curve, a Fourier fit.

All functions take padded arrays with a mask, as `variables.simulate` gives them, and know
nothing of the truth; they serve real curves as well.
"""

from typing import NamedTuple

import numpy as np

__all__ = ["Folded", "FourierFit", "check", "fold", "fourier_fit"]

_TURN = 2 * np.pi


class Folded(NamedTuple):
    """Phase-folded curves.

    Args:
        phases: From 0 to 1, rising, (n, epochs); 0 where the mask is False.
        magnitudes: In the order of the phases, same shape; 0 where the mask is False.
        errors: Likewise.
        mask: True for a measurement; padding at the end.
    """

    phases: np.ndarray
    magnitudes: np.ndarray
    errors: np.ndarray
    mask: np.ndarray


class FourierFit(NamedTuple):
    """Cosine series m0 + sum A_k cos(2 pi k t / P + phi_k) fitted to light curves.

    Args:
        mean_mag: m0, (n,).
        amplitudes: A_k, mag, (n, harmonics).
        phases: phi_k, radians, (n, harmonics); time counts from zero.
        amplitude_mag: Peak to peak of the series, (n,).
        scatter_mag: Standard deviation of the residuals of the points kept, (n,).
        kept: Points that were not clipped, (n, epochs).
    """

    mean_mag: np.ndarray
    amplitudes: np.ndarray
    phases: np.ndarray
    amplitude_mag: np.ndarray
    scatter_mag: np.ndarray
    kept: np.ndarray

    @property
    def ratios(self) -> np.ndarray:
        """R_k1 = A_k / A_1, (n, harmonics)."""
        return self.amplitudes / self.amplitudes[:, :1]

    @property
    def relative_phases(self) -> np.ndarray:
        """phi_k1 = phi_k - k phi_1, from 0 to 2 pi, (n, harmonics)."""
        k = np.arange(1, self.phases.shape[1] + 1)
        return (self.phases - k * self.phases[:, :1]) % _TURN


def fourier_fit(
    times: np.ndarray,
    magnitudes: np.ndarray,
    errors: np.ndarray,
    mask: np.ndarray,
    period_days: np.ndarray,
    *,
    harmonics: int = 3,
    clip: float = 4.0,
) -> FourierFit:
    """Fits a Fourier series to each curve by weighted least squares, outliers clipped.

    Args:
        times: Shape (n, epochs), days. Pass phases with periods of 1 for folded curves.
        magnitudes: Same shape.
        errors: Same shape, positive where the mask is True.
        mask: Same shape, True for a measurement.
        period_days: Shape (n,), positive.
        harmonics: How many, at least 1; curves need two more points than 2 harmonics + 1.
        clip: Points so many robust standard deviations off are left out of a second fit.

    Returns:
        The fit, star by star.

    Raises:
        ValueError: If shapes do not fit, a period is not positive, or a curve is too short.
    """
    check("fourier_fit", times, magnitudes, errors, mask, period_days)
    least = 2 * harmonics + 3
    if harmonics < 1 or mask.sum(axis=1).min() < least:
        raise ValueError(
            f"fourier_fit: received harmonics={harmonics} and a curve of {mask.sum(axis=1).min()} "
            f"points; expected at least 1 harmonic and {least} points. Take fewer harmonics, or "
            "leave short curves out."
        )
    x = _TURN * ((times / period_days[:, None]) % 1.0)
    angles = x[:, :, None] * np.arange(1, harmonics + 1)
    design = np.concatenate([np.ones((*x.shape, 1)), np.cos(angles), -np.sin(angles)], axis=2)
    values = magnitudes.astype(float)
    kept = mask
    for _ in range(2):
        weight = np.where(kept, 1 / np.where(mask, errors, 1.0).astype(float), 0.0)
        scaled = design * weight[:, :, None]
        normal = np.swapaxes(scaled, 1, 2) @ scaled
        size = np.trace(normal, axis1=1, axis2=2)[:, None, None]
        normal = normal + 1e-9 * size * np.eye(normal.shape[1])  # gaps in phase: stay finite
        right = np.swapaxes(scaled, 1, 2) @ (values * weight)[:, :, None]
        solved = np.linalg.solve(normal, right)
        residuals = values - (design @ solved)[:, :, 0]
        fitted = kept
        pulls = np.where(mask, np.abs(residuals), np.nan)
        kept = mask & (np.abs(residuals) <= clip * 1.4826 * np.nanmedian(pulls, axis=1)[:, None])
        kept = np.where((kept.sum(axis=1) >= least)[:, None], kept, mask)
    terms = solved[:, 1:, 0]
    cosine, sine = terms[:, :harmonics], terms[:, harmonics:]
    grid = _TURN * np.arange(200)[:, None] / 200 * np.arange(1, harmonics + 1)
    whole = cosine @ np.cos(grid).T - sine @ np.sin(grid).T
    scatter = np.sqrt((residuals**2 * fitted).sum(axis=1) / fitted.sum(axis=1))
    return FourierFit(
        solved[:, 0, 0], np.hypot(cosine, sine), np.arctan2(sine, cosine),
        np.ptp(whole, axis=1), scatter, fitted,
    )  # fmt: skip


def fold(
    times: np.ndarray,
    magnitudes: np.ndarray,
    errors: np.ndarray,
    mask: np.ndarray,
    period_days: np.ndarray,
    *,
    align: bool = True,
) -> Folded:
    """Folds light curves with a period and sorts them by phase.

    Args:
        times: Shape (n, epochs), days.
        magnitudes: Same shape.
        errors: Same shape.
        mask: Same shape, True for a measurement.
        period_days: Shape (n,), positive: the true one, or what a search found.
        align: Count phases from where the first harmonic, a sine fitted in
            magnitudes, crosses its mean toward faint, as the curves of `archive.vvv` do. Else
            from time zero.

    Returns:
        The folded curves.

    Raises:
        ValueError: If shapes do not fit or a period is not positive (constant stars have
            none: give the one that a search finds).
    """
    check("fold", times, magnitudes, errors, mask, period_days)
    phases = times / period_days[:, None]
    if align:
        fit = fourier_fit(times, magnitudes, errors, mask, period_days, harmonics=1)
        phases = phases + (fit.phases + np.pi / 2) / _TURN
    phases = np.where(mask, phases % 1.0, 2.0)
    order = np.argsort(phases, axis=1)
    taken = [np.take_along_axis(a, order, axis=1) for a in (phases, magnitudes, errors, mask)]
    taken[:3] = [np.where(taken[3], a, 0).astype(a.dtype) for a in taken[:3]]
    return Folded(*taken)


def check(
    where: str,
    times: np.ndarray,
    magnitudes: np.ndarray,
    errors: np.ndarray,
    mask: np.ndarray,
    period_days: np.ndarray,
) -> None:
    """Insists on padded light curves and positive periods.

    Args:
        where: The function that was called.
        times: Shape (n, epochs).
        magnitudes: Same shape, finite where the mask is True.
        errors: Same shape, positive where the mask is True.
        mask: Same shape.
        period_days: Shape (n,).

    Raises:
        ValueError: If it is otherwise.
    """
    shapes = [np.shape(a) for a in (times, magnitudes, errors, mask)]
    if len(set(shapes)) != 1 or len(shapes[0]) != 2 or np.shape(period_days) != shapes[0][:1]:
        raise ValueError(
            f"{where}: received arrays of shapes {shapes} with periods of shape "
            f"{np.shape(period_days)}; expected four of (n, epochs) and periods of (n,)."
        )
    periods = np.asarray(period_days, float)
    if not (np.isfinite(periods).all() and (periods > 0).all()):
        bad = int((~(np.isfinite(periods) & (periods > 0))).sum())
        raise ValueError(
            f"{where}: received {bad} periods that are NaN or not positive; expected positive "
            "numbers of days. Constant stars have no true period: search one first."
        )
    if not (np.isfinite(magnitudes[mask]).all() and (errors[mask] > 0).all()):
        raise ValueError(
            f"{where}: received magnitudes that are not finite or errors that are not positive "
            "where the mask is True; expected measurements. Set the mask to False there."
        )
