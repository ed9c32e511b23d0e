"""The three shapes are drawn from the real models."""

import keras
import matplotlib.pyplot as plt
import pytest
from keras import layers

from firstlight.figures.shapes import shapes


def _unet(bridge=True):
    image = keras.Input((16, 16, 1))
    fine = layers.Conv2D(4, 3, padding="same")(image)
    coarse = layers.Conv2D(8, 3, padding="same")(layers.MaxPooling2D()(fine))
    up = layers.UpSampling2D()(coarse)
    up = layers.concatenate([up, fine]) if bridge else up
    return keras.Model(image, layers.Conv2D(1, 1)(up))


@pytest.fixture
def models():
    stacked = keras.Sequential([keras.Input((5,)), layers.Dense(7), layers.Dense(1)])
    recurrent = keras.Sequential([keras.Input((None, 1)), layers.GRU(9), layers.Dense(1)])
    return stacked, recurrent, _unet()


def test_one_block_a_layer_with_the_model_s_own_numbers(models):
    fig = shapes(*models, steps=4)
    stack, recurrence, unet = fig.axes
    assert len(stack.patches) == 3
    assert {text.get_text() for text in stack.texts} >= {"5", "7", "1"}
    assert len(recurrence.patches) == 4
    assert sum(text.get_text() == "9" for text in recurrence.texts) == 4
    assert [text.get_text() for text in unet.texts if text.get_text()] == ["16", "16", "8", "16"]
    plt.close(fig)


def test_a_model_of_another_shape_is_refused(models):
    stacked, recurrent, unet = models
    with pytest.raises(ValueError, match="recurrent"):
        shapes(stacked, stacked, unet)
    with pytest.raises(ValueError, match="Concatenate"):
        shapes(stacked, recurrent, _unet(bridge=False))
    plt.close("all")
