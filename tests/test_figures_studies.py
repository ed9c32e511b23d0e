"""The studies' schematics: real pictures in them, and errors that say how to mend them."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from firstlight.figures.studies import semantic_autoencoder

IMAGE = np.outer(*2 * [np.exp(-(np.linspace(-2, 2, 16) ** 2))])
NUMBERS = {"scale": "6.5 px", "angle": "35°"}


def test_both_pictures_and_every_number_are_drawn():
    fig = semantic_autoencoder(IMAGE, NUMBERS, 2 * IMAGE)
    pictures = [ax.images[0].get_array() for ax in fig.axes if ax.images]
    assert len(pictures) == 2
    words = {text.get_text() for ax in fig.axes for text in ax.texts}
    assert {"scale 6.5 px", "angle 35°", "encoder", "renderer"} <= words


def test_a_picture_s_brightness_does_not_matter():
    fig = semantic_autoencoder(IMAGE, NUMBERS, 1000 * IMAGE)
    one, other = (np.asarray(ax.images[0].get_array()) for ax in fig.axes if ax.images)
    assert np.allclose(one, other)


@pytest.mark.parametrize(
    ("data", "numbers", "complaint"),
    [
        (IMAGE[:3], NUMBERS, "one square image"),
        (np.where(IMAGE > 0.5, np.nan, IMAGE), NUMBERS, "NaN"),
        (IMAGE[0], NUMBERS, "shape"),
        (IMAGE, {}, "one to four"),
        (IMAGE, dict.fromkeys("abcde", "1"), "one to four"),
    ],
)
def test_what_cannot_be_drawn_is_refused(data, numbers, complaint):
    with pytest.raises(ValueError, match=complaint):
        semantic_autoencoder(data, numbers, IMAGE)
