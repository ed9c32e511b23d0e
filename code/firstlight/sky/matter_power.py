"""How lumpy matter is on each scale: power spectra by CAMB, linear and with halos.

CAMB (Lewis, Challinor & Lasenby 2000, ApJ 538, 473) follows the early Universe to today. Its
nonlinear correction is HMcode (Mead et al. 2021, MNRAS 502, 1401), a halo model that was fitted
to simulations and is good to a few percent. Wavenumbers are in h/Mpc, spectra in (Mpc/h)^3,
all at redshift zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["K_RANGE", "PAPER", "Cosmology", "linear", "nonlinear", "rms_in_spheres"]

Floats = NDArray[np.float64]

K_RANGE = (1e-4, 10.0)  # h/Mpc


@dataclass(frozen=True)
class Cosmology:
    """A flat universe with cold matter, baryons and a cosmological constant.

    Args:
        omega_m: All matter today, as a share of the critical density.
        omega_b: Baryons, the same.
        h: Hubble constant in 100 km/s/Mpc.
        n_s: Slope of the primordial spectrum.
        sigma_8: Rms of the linear density contrast in spheres of 8 Mpc/h, today.

    Raises:
        ValueError: If a number is out of range.
    """

    omega_m: float = 0.28
    omega_b: float = 0.046
    h: float = 0.70
    n_s: float = 0.96
    sigma_8: float = 0.82

    def __post_init__(self) -> None:
        limits = {"omega_m": (0.05, 1), "omega_b": (0.005, 0.5), "h": (0.3, 1.2), "n_s": (0.5, 1.5),
                  "sigma_8": (0.1, 2)}  # fmt: skip
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:  # NaN fails too
                raise ValueError(f"Cosmology: received {name}={value!r}, expected {low} to {high}.")
        if self.omega_b >= self.omega_m:
            raise ValueError(
                f"Cosmology: received omega_b={self.omega_b} of omega_m={self.omega_m}, expected "
                "fewer baryons than matter."
            )


# The matter density, its complement and h of Rodriguez et al. (2018). Their abstract and their
# data do not say the other three, which are near those of the WMAP satellite.
PAPER = Cosmology()


def linear(k: ArrayLike, cosmology: Cosmology = PAPER) -> Floats:
    """Power of density contrasts that have stayed small, today.

    Args:
        k: Wavenumbers in h/Mpc, any shape, within `K_RANGE`.
        cosmology: Of which universe.

    Returns:
        P(k) in (Mpc/h)^3, the shape of `k`.

    Raises:
        ValueError: If a wavenumber is out of range or NaN.

    Example:
        >>> 4000 < float(linear(0.1)) < 7000
        True
    """
    return _read(k, cosmology, 1)


def nonlinear(k: ArrayLike, cosmology: Cosmology = PAPER) -> Floats:
    """Power of the matter as it is today, clumped into halos.

    Args:
        k: As for `linear`.
        cosmology: Of which universe.

    Returns:
        P(k) in (Mpc/h)^3, the shape of `k`.

    Raises:
        ValueError: If a wavenumber is out of range or NaN.
    """
    return _read(k, cosmology, 2)


def rms_in_spheres(radius_mpc_h: float, cosmology: Cosmology = PAPER) -> float:
    """Rms of the linear density contrast, averaged in spheres: an integral over the spectrum.

    Args:
        radius_mpc_h: Of the spheres, Mpc/h.
        cosmology: Of which universe.

    Returns:
        The rms; at 8 Mpc/h it is `sigma_8`.

    Raises:
        ValueError: If the radius is not from 1 to 100 Mpc/h.
    """
    if not 1 <= radius_mpc_h <= 100:
        raise ValueError(
            f"rms_in_spheres: received {radius_mpc_h!r} Mpc/h, expected a radius of 1 to 100."
        )
    k = np.geomspace(*K_RANGE, 4000)
    x = k * radius_mpc_h
    ball = np.where(x < 1e-2, 1 - x**2 / 10, 3 * (np.sin(x) - x * np.cos(x)) / x**3)
    return float(np.sqrt(np.trapezoid(k**3 * linear(k, cosmology) * ball**2, np.log(k))
                         / (2 * np.pi**2)))  # fmt: skip


def _read(k: ArrayLike, cosmology: Cosmology, column: int) -> Floats:
    wanted = np.asarray(k, float)
    low, high = K_RANGE
    if not np.all((wanted >= low) & (wanted <= high)):
        raise ValueError(
            f"k: received wavenumbers from {np.min(wanted):.3g} to {np.max(wanted):.3g} h/Mpc, "
            f"expected numbers from {low} to {high}. The mode k = 0 is the mean density, which has "
            "no power: set it to zero yourself."
        )
    table = _tables(cosmology)
    return np.exp(np.interp(np.log(wanted), table[0], table[column]))


@cache
def _tables(cosmology: Cosmology) -> tuple[Floats, Floats, Floats]:
    """Logarithms of k, linear and nonlinear P(k)."""
    import camb

    def run(amplitude: float, effects: str) -> camb.CAMBdata:
        h = cosmology.h
        settings = camb.set_params(
            H0=100 * h, ombh2=cosmology.omega_b * h**2, mnu=0, omk=0, As=amplitude,
            omch2=(cosmology.omega_m - cosmology.omega_b) * h**2, ns=cosmology.n_s,
            WantCls=False, WantTransfer=True, NonLinear=effects,
        )  # fmt: skip
        settings.set_matter_power(redshifts=[0.0], kmax=1.2 * K_RANGE[1] * h, silent=True)
        return camb.get_results(settings)

    first = 2e-9  # any amplitude: power is proportional to it
    amplitude = first * (cosmology.sigma_8 / run(first, "NonLinear_none").get_sigma8_0()) ** 2
    results = run(amplitude, "NonLinear_pk")
    k = np.geomspace(*K_RANGE, 600)
    found = [
        results.get_matter_power_interpolator(nonlinear=which, hubble_units=True, k_hunit=True)
        for which in (False, True)
    ]
    return np.log(k), *(np.log(each.P(0.0, k)) for each in found)  # type: ignore[return-value]
