"""Real galaxies: HST COSMOS, the Hubble eXtreme Deep Field, Galaxy Zoo 2, Galaxy10."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from firstlight.archive import cache
from firstlight.archive.errors import DataCorrupt
from firstlight.sky import gz2_tree

if TYPE_CHECKING:
    import galsim

__all__ = [
    "COSMOS_FILES",
    "DECALS_CLASSES",
    "SDSS_CLASSES",
    "Galaxy10",
    "RealGalaxies",
    "cosmos_galaxies",
    "cosmos_half_light_arcsec",
    "galaxy10_decals",
    "galaxy10_sdss",
    "gz2_classifications",
    "gz2_votes",
    "hubble_deep_field",
]

COSMOS_FILES = (
    "cosmos/real_galaxy_catalog_23.5_example.fits",
    "cosmos/real_galaxy_catalog_23.5_example_fits.fits",
    "cosmos/real_galaxy_catalog_23.5_example_selection.fits",
    "cosmos/real_galaxy_images.fits",
    "cosmos/real_galaxy_PSF_images.fits",
)
SDSS_CLASSES = (
    "disk, face-on, no spiral",
    "smooth, completely round",
    "smooth, in between round",
    "smooth, cigar-shaped",
    "disk, edge-on, rounded bulge",
    "disk, edge-on, boxy bulge",
    "disk, edge-on, no bulge",
    "disk, face-on, tight spiral",
    "disk, face-on, medium spiral",
    "disk, face-on, loose spiral",
)
DECALS_CLASSES = (
    "disturbed",
    "merging",
    "round smooth",
    "in between round smooth",
    "cigar-shaped smooth",
    "barred spiral",
    "unbarred tight spiral",
    "unbarred loose spiral",
    "edge-on without bulge",
    "edge-on with bulge",
)
_COSMOS_PIXEL_ARCSEC = 0.03
_GZ2 = "gz2/table5.csv.gz"
_ALL = slice(None)


def cosmos_galaxies() -> "galsim.COSMOSCatalog":
    """One hundred real galaxies seen by the Hubble Space Telescope, as GalSim draws them.

    Returns:
        A catalog of 100 galaxies (F814W, 0.03 arcsec a pixel, brighter than 23.5 mag):
        `makeGalaxy(index, gal_type="real")` takes about 12 ms, `"parametric"` less.

    Raises:
        DataAbsent: If one of the five files is not in the cache.
        DataCorrupt: If one holds something else.

    Example:
        >>> catalog = cosmos_galaxies()  # doctest: +SKIP
        >>> catalog.makeGalaxy(0, gal_type="real")  # doctest: +SKIP
    """
    import galsim
    from astropy.io import fits

    paths = [cache.path(name) for name in COSMOS_FILES]
    # "none": the usual cuts would drop several of these few.
    catalog = galsim.COSMOSCatalog(
        file_name=paths[0].name, dir=str(paths[0].parent), exclusion_level="none"
    )
    # The noise correlation is looked for beside the images; it comes with GalSim itself.
    real = catalog.real_cat
    for name in set(real.noise_file_name):
        shared = Path(galsim.meta_data.share_dir) / Path(name).name
        values = np.ascontiguousarray(fits.getdata(shared), np.float64)
        real.saved_noise_im[name] = galsim.Image(values, scale=_COSMOS_PIXEL_ARCSEC)
    return catalog


class RealGalaxies(Sequence["galsim.GSObject"]):
    """The galaxies of `cosmos_galaxies`, each made anew whenever it is asked for.

    All hundred at once would take half a gigabyte of memory; one by one they take next to none.

    Example:
        >>> [galaxy.flux > 0 for galaxy in RealGalaxies()]  # doctest: +SKIP
    """

    def __init__(self) -> None:
        self.catalog = cosmos_galaxies()

    def __len__(self) -> int:
        return int(self.catalog.nobjects)

    def __getitem__(self, index: int) -> "galsim.GSObject":  # type: ignore[override]
        if not -len(self) <= index < len(self):
            raise IndexError(f"galaxy: received {index}, expected one of {len(self)}.")
        import galsim

        index %= len(self)
        # Stamps are padded with noise like their own: the same each time.
        rng = galsim.BaseDeviate(index + 1)
        return self.catalog.makeGalaxy(index, gal_type="real", rng=rng)


def cosmos_half_light_arcsec() -> np.ndarray:
    """Half-light radii of the galaxies of `cosmos_galaxies`, in its order.

    Returns:
        Shape (100,), arcsec: SExtractor's FLUX_RADIUS times Hubble's pixel of 0.03 arcsec.

    Raises:
        DataAbsent: If the catalog of fits is not in the cache.
    """
    from astropy.io import fits

    name = next(name for name in COSMOS_FILES if name.endswith("_fits.fits"))
    table = fits.getdata(cache.path(name))
    return np.asarray(table["flux_radius"], dtype=float) * 0.03


def hubble_deep_field() -> np.ndarray:
    """The Hubble eXtreme Deep Field as a color picture (it travels with scikit-image).

    Returns:
        Shape (872, 1000, 3), uint8, red, green, blue; processed for the eye: not
        linear in flux, and without a sky background to speak of.

    Raises:
        DataAbsent: If scikit-image does not hold it.
    """
    from skimage.io import imread

    return np.asarray(imread(cache.path("hubble/hubble_deep_field.jpg")))


def gz2_votes() -> pd.DataFrame:
    """Real Galaxy Zoo 2 votes as the Galaxy Challenge defines its targets.

    Each answer's share among those asked is multiplied by its parent answer's fraction;
    "anything odd?" was put to everybody. A question that nobody reached holds zeros.

    Returns:
        19 761 galaxies of Stripe 82 (coadded images, about 20 volunteers each), indexed
        by `objid`; the 37 columns are `firstlight.sky.gz2_tree.ANSWERS`.

    Raises:
        DataAbsent: If the table is not in the cache.
        DataCorrupt: If it is not the table it should be.

    Example:
        >>> gz2_votes()["odd/yes"].mean()  # doctest: +SKIP
    """
    table = _gz2_table()
    # The weighted fractions, in which inconsistent volunteers count for less. (The
    # `_weight` columns of this table are plain copies of the counts.)
    printed = table[_gz2_columns(table, "weighted_fraction")].to_numpy(np.float64)
    shares = np.zeros_like(printed)
    for question in range(len(gz2_tree.QUESTIONS)):
        columns = gz2_tree.slices(question)  # rounded to three decimals: make them sum to 1
        total = printed[:, columns].sum(axis=1, keepdims=True)
        np.divide(printed[:, columns], total, out=shares[:, columns], where=total > 0)
    votes = gz2_tree.cumulative(shares)
    return pd.DataFrame(votes, index=table["objid"], columns=list(gz2_tree.ANSWERS))


def gz2_classifications() -> pd.DataFrame:
    """How many volunteers answered each question: what the noise of the votes hangs on.

    Returns:
        One row for each row of `gz2_votes` and one column for each of the 11 questions
        (`smooth_or_features`, `edge_on`, ...), whole numbers; then
        `total_classifications`, the volunteers who saw the galaxy, and `ra_deg`, `dec_deg`.

    Raises:
        DataAbsent: If the table is not in the cache.
        DataCorrupt: If it is not the table it should be.
    """
    table = _gz2_table()
    counts = table[_gz2_columns(table, "count")].to_numpy(np.int64)
    asked = {
        question.name: counts[:, gz2_tree.slices(index)].sum(axis=1)
        for index, question in enumerate(gz2_tree.QUESTIONS)
    }
    extra = {
        "total_classifications": table["total_classifications"].to_numpy(),
        "ra_deg": table["ra"].to_numpy(),
        "dec_deg": table["dec"].to_numpy(),
    }
    return pd.DataFrame(asked | extra, index=table["objid"])


def _gz2_table() -> pd.DataFrame:
    def needed(column: str) -> bool:
        stems = ("objid", "ra", "dec", "total_classifications")
        return column in stems or column.endswith(("_count", "_weighted_fraction"))

    return pd.read_csv(cache.path(_GZ2), usecols=needed)


def _gz2_columns(table: pd.DataFrame, kind: str) -> list[str]:
    """The 37 columns of one kind; the table keeps them in the order of the tree."""
    columns = [str(c) for c in table.columns if str(c).endswith(f"_{kind}")]
    numbers = [int(column[1:3]) - 1 for column in columns]
    expected = [q for q, size in enumerate(gz2_tree.SIZES) for _ in range(size)]
    if numbers != expected:
        raise DataCorrupt(
            f"{_GZ2}: received {len(columns)} columns of {kind}s in another order, expected "
            f"the {gz2_tree.N_ANSWERS} answers of the tree. Fetch the table again."
        )
    return columns


@dataclass(frozen=True)
class Galaxy10:
    """Images and classes of one of the two Galaxy10 sets.

    Args:
        images: Shape (n, side, side, 3), uint8, as published (made for the eye).
        labels: Shape (n,), index into `classes`.
        classes: The ten names.
        pixel_arcsec: Size of a pixel: a number, or one for each image (n,).
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    pixel_arcsec: float | np.ndarray


def galaxy10_sdss(rows: slice = _ALL) -> Galaxy10:
    """Galaxy10 SDSS: 21 785 galaxies of 69x69 pixels in ten classes (210 MB).

    Args:
        rows: Which of them; all by default (0.3 GB of memory).

    Raises:
        DataAbsent: If the file is not in the cache.
    """
    # 424 pixels of 0.02 Petrosian radii were cut to 207 and shrunk threefold, so the
    # scale on the sky differs from galaxy to galaxy and is not in the file.
    path = cache.path("galaxy10/Galaxy10.h5")
    return _galaxy10(path, rows, SDSS_CLASSES, pixel_key=None)


def galaxy10_decals(rows: slice = _ALL) -> Galaxy10:
    """Galaxy10 DECaLS: 17 736 galaxies of 256x256 pixels in ten classes (2.5 GB).

    Args:
        rows: Which of them; all by default (3.5 GB of memory: take fewer).

    Raises:
        DataAbsent: If the file is not in the cache.
    """
    path = cache.path("galaxy10/Galaxy10_DECals.h5")
    return _galaxy10(path, rows, DECALS_CLASSES, pixel_key="pxscale")


def _galaxy10(path: Path, rows: slice, classes: tuple[str, ...], pixel_key: str | None) -> Galaxy10:
    import h5py

    with h5py.File(path, "r") as file:
        images = np.asarray(file["images"][rows], np.uint8)
        labels = np.asarray(file["ans"][rows], np.int64)
        pixel = float("nan") if pixel_key is None else np.asarray(file[pixel_key][rows], float)
    return Galaxy10(images, labels, classes, pixel)
