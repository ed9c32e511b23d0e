"""Radio galaxies by transfer: stamps, features of EfficientNet-Lite0, fine-tuning, scratch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import ArrayLike, NDArray

from firstlight.archive.radio import first_radio_galaxies
from firstlight.layers.augmentation import dihedral
from firstlight.models import efficientnet_lite as lite

__all__ = [
    "CONFIG",
    "CROP",
    "CUT",
    "FIELD_ARCSEC",
    "LEVELS",
    "SIDE",
    "Radio",
    "accuracy",
    "backbone",
    "folds",
    "load",
    "same_sky",
    "show_to",
    "stamps",
    "subset",
]

Floats = NDArray[np.float32]

CROP = 70  # pixels of 1.8 arcsec kept around the source
SIDE = 96  # what they are enlarged to
CUT = 10  # blocks 0 to 10 stay as ImageNet left them
LEVELS = (CUT, 13, 15)  # blocks whose mean maps are the features
FIELD_ARCSEC = 540.0  # side of an image
CONFIG = {"crop": CROP, "side": SIDE, "cut": CUT, "levels": LEVELS}


@dataclass(frozen=True)
class Radio:
    """What the study knows of its galaxies.

    Args:
        images: Whole fields, shape (n, 300, 300), uint8.
        labels: Shape (n,), index into `archive.radio.CLASSES`.
        splits: The authors' own split, shape (n,).
        patch: Which piece of sky each lies in, shape (n,); see `same_sky`.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    splits: NDArray[np.str_]
    patch: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


def load() -> Radio:
    """The radio galaxies of the data wheel, with the patch of sky of each.

    Raises:
        DataAbsent: If the package that holds them is not installed.
    """
    found = first_radio_galaxies()
    patch = same_sky(found.ra_deg, found.dec_deg, FIELD_ARCSEC)
    return Radio(found.images, found.labels.astype(np.int64), found.splits, patch)


def same_sky(ra_deg: ArrayLike, dec_deg: ArrayLike, field_arcsec: float) -> NDArray[np.int64]:
    """Which images show a common piece of sky, directly or through others between them.

    Args:
        ra_deg: Right ascension of the centers, shape (n,).
        dec_deg: Declination, shape (n,).
        field_arcsec: Side of the square images; they may be turned against each other, so
            two are taken to overlap if their centers are closer than the diagonal.

    Returns:
        Shape (n,): equal numbers for images that belong together.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    ra, dec = (np.radians(np.asarray(angle, float)) for angle in (ra_deg, dec_deg))
    place = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
    chord = 2 * np.sin(np.radians(field_arcsec * np.sqrt(2) / 3600) / 2)
    pairs = cKDTree(place).query_pairs(chord, output_type="ndarray")
    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (len(ra), len(ra)))
    return connected_components(links, directed=False)[1].astype(np.int64)


def folds(radio: Radio, count: int, seed: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Cross-validation that keeps each piece of sky on one side and the classes in proportion.

    Args:
        radio: The galaxies.
        count: How many folds.
        seed: Of their shuffling.

    Returns:
        Rows to train on and rows to test on, for each fold; every row is tested once.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    split = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    return list(split.split(radio.labels, radio.labels, radio.patch))


def subset(labels: NDArray[np.int64], rows: NDArray[np.intp], n: int, seed: int) -> Any:
    """A few of the rows, the classes as equally represented as they can be.

    Fewer are the first of more, so that a learning curve adds labels and exchanges none.
    """
    random = np.random.default_rng(seed)
    queues = [random.permutation(rows[labels[rows] == k]) for k in range(4)]
    turn = [(place, k, row) for k, queue in enumerate(queues) for place, row in enumerate(queue)]
    return np.array([row for _, _, row in sorted(turn)][: min(n, len(rows))])


def accuracy(labels: ArrayLike, says: ArrayLike) -> float:
    """Mean over the classes of the share that is recognized: what a balanced test set measures.

    Args:
        labels: True classes, shape (n,).
        says: Predicted classes, shape (n,).
    """
    truth, answer = np.asarray(labels), np.asarray(says)
    return float(np.mean([np.mean(answer[truth == k] == k) for k in np.unique(truth)]))


def stamps(images: NDArray[Any], crop: int, side: int, stretch: str = "linear") -> Floats:
    """The middle of each field, enlarged, as the backbone takes it.

    Args:
        images: Shape (n, 300, 300), 0 to 255.
        crop: Pixels kept in the middle.
        side: Pixels of the result.
        stretch: `"linear"`, `"sqrt"` or `"log"`, each from 0 to 255.

    Returns:
        Shape (n, side, side, 1), about -1 to 1.
    """
    known = {"linear": lambda x: x, "sqrt": lambda x: np.sqrt(255 * x),
             "log": lambda x: 255 * np.log1p(x) / np.log(256)}  # fmt: skip
    if stretch not in known:
        raise ValueError(f"stretch: received {stretch!r}, expected one of {', '.join(known)}.")
    first = (images.shape[1] - crop) // 2
    middle = images[:, first : first + crop, first : first + crop, None]
    out = np.empty((len(images), side, side, 1), np.float32)
    for start in range(0, len(images), 64):  # of all fields at once there would be gigabytes
        part = known[stretch](middle[start : start + 64].astype(np.float32))
        large = keras.ops.image.resize(part, (side, side), antialias=True)
        out[start : start + 64] = lite.preprocess_input(np.asarray(large))
    return out


def backbone(side: int) -> keras.Model:
    """One pass gives all that is kept: the map that leaves block `cut`, and the features.

    Args:
        side: Pixels of the stamps.

    Returns:
        A model from stamps (n, side, side, 1) to [map, features (n, 624)].
    """
    model = lite.efficientnet_lite0((side, side, 1), include_top=False)
    maps = [lite.block_output(model, level) for level in LEVELS]
    means = [layers.GlobalAveragePooling2D()(x) for x in maps]
    features = layers.Concatenate(name="levels")(means)
    return keras.Model(model.input, [maps[0], features], name="features")


def show_to(model: keras.Model, pictures: Floats, view: int = 0, batch: int = 16) -> Any:
    """What the backbone makes of one turned and mirrored view of all stamps.

    Args:
        model: From `backbone`.
        pictures: From `stamps`.
        view: Which of the eight symmetries, see `augmentation.dihedral`.
        batch: Stamps at a time.

    Returns:
        Maps as float16, shape (n, side/16, side/16, 112), and features, shape (n, 624).
    """
    maps, features = [], []
    for start in range(0, len(pictures), batch):
        turned = np.ascontiguousarray(dihedral(pictures[start : start + batch], view))
        found = model.predict_on_batch(turned)  # unlike a plain call, frees what it has passed
        maps.append(found[0].astype(np.float16))
        features.append(found[1])
    return np.concatenate(maps), np.concatenate(features)
