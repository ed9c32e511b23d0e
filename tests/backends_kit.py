"""Every model and layer of the package on one backend: run as `python backends_kit.py OUT.npz`.

The environment names the backend (`KERAS_BACKEND`). Weights come from NumPy, since a seed means
other numbers on another backend; the optimizer is plain SGD, which does not make much of a
rounding. What each case gives forward, and its weights after one step of training, go to OUT.
"""

import importlib
import importlib.util
import os
import sys
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

CASES = {}


def case(covers, train="mse"):
    """Register a maker of (model, input); `covers` names what of the package it tries."""

    def register(make):
        module = covers.split()[0].rsplit(".", 1)[0]
        if importlib.util.find_spec(f"firstlight.{module}") is not None:
            CASES[make.__name__] = (make, covers.split(), train)
        return make

    return register


def room(name):
    return importlib.import_module(f"firstlight.{name}")


def rng(name):
    return np.random.default_rng(zlib.crc32(name.encode()))


def pictures(name, *shape):
    """Positive blobs on a little noise, in units of the noise."""
    n, side, _, bands = shape
    along = np.arange(side) - (side - 1) / 2
    random = rng(name)
    q = random.uniform(0.5, 1, (n, 1, 1))
    blob = 60 * np.exp(-(along**2 + (along[:, None] / q) ** 2) / (2 * (side / 9) ** 2))
    light = blob[..., None] * random.uniform(0.5, 1.5, (n, 1, 1, bands))
    return (light + random.normal(size=shape)).astype("float32")


def around(layer, shape):
    """A model of one layer."""
    import keras

    x = keras.Input(shape)
    return keras.Model(x, layer(x))


def put_weights(model, name):
    """Numbers of a sensible size, the same on every backend."""
    random, values = rng(name + " weights"), []
    for weight in model.weights:
        draw = random.normal(size=weight.shape)
        if weight.name == "moving_variance":
            draw = 1 + 0.1 * np.abs(draw)
        elif weight.name == "gamma":
            draw = 1 + 0.1 * draw
        else:
            draw = draw / np.sqrt(max(1, np.prod(weight.shape[:-1])))
        values.append(draw.astype("float32"))
    model.set_weights(values)


@case("models.galaxy_zoo.plain_cnn models.galaxy_zoo.vote_head", train="tree")
def plain_cnn():
    return room("models.galaxy_zoo").plain_cnn(32, width=4, dense=8), pictures("a", 6, 32, 32, 3)


@case("models.galaxy_zoo.galaxy_cnn models.galaxy_zoo.residual_features", train="tree")
def galaxy_cnn():
    model = room("models.galaxy_zoo").galaxy_cnn(
        32, widths=(4, 8), depths=(0, 1), dense=8, head="tree_relu"
    )
    return model, pictures("b", 6, 32, 32, 3) / 30


@case("models.galaxy_zoo.galaxy_cnn")
def galaxy_cnn_sigmoid():
    model = room("models.galaxy_zoo").galaxy_cnn(
        32, widths=(4, 8), depths=(0, 1), dense=8, head="sigmoid"
    )
    return model, pictures("c", 6, 32, 32, 3) / 30


@case("models.galaxy_zoo.rotated_cnn", train="tree")
def rotated_cnn():
    model = room("models.galaxy_zoo").rotated_cnn(
        32, widths=(4, 8), depths=(0, 1), dense=8, flips=True
    )
    return model, pictures("d", 4, 32, 32, 3) / 30


@case("models.lens_finder.lens_finder models.lens_finder.bottleneck_unit "
      "models.lens_finder.lens_channels")  # fmt: skip
def lens_finder():
    model = room("models.lens_finder").lens_finder(32, 2, stem=4, widths=(8, 8), depths=(1, 1))
    return model, pictures("e", 6, 32, 32, 2)


@case("models.lens_finder.halves")
def halves():
    module = room("models.lens_finder")
    model = module.lens_finder(32, 1, stem=4, widths=(8,), depths=(1,))
    return module.halves(model)[1], pictures("f", 6, 32, 32, 3) / 30


@case("models.mergers.merger_cnn models.mergers.merger_head")
def merger_cnn():
    model = room("models.mergers").merger_cnn(32, widths=(4, 8), depths=(0, 1))
    return model, pictures("g", 6, 32, 32, 3) / 30


@case("models.efficientnet_lite.efficientnet_lite0", train="")
def efficientnet():
    model = room("models.efficientnet_lite").efficientnet_lite0(
        (32, 32, 3), include_top=False, weights=None, pooling="avg"
    )
    return model, pictures("h", 2, 32, 32, 3) / 30


@case("models.rr_lyrae.light_curve_network models.rr_lyrae.MaskedExtremes")
def light_curve_network():
    curves = rng("i").normal(size=(5, 12, 2)).astype("float32")
    curves[:, 9:] = 0
    return room("models.rr_lyrae").light_curve_network(2, units=(6,), dense=(8,)), curves


@case("models.rr_lyrae_feh.metallicity_network")
def metallicity_network():
    curves = rng("m").normal(size=(5, 12, 7)).astype("float32")
    build = room("models.rr_lyrae_feh").metallicity_network
    return build(12, filters=4, units=3, dropout=0.0), curves


@case("models.architectures.residual")
def residual():
    x = rng("j").normal(size=(6, 5)).astype("float32")
    return room("models.architectures").residual(5, 8, 3), x


@case("models.architectures.dense")
def dense():
    return room("models.architectures").dense((4, 4, 1), (8,), 2), pictures("t", 5, 4, 4, 1)


@case("models.architectures.convolutional")
def convolutional():
    model = room("models.architectures").convolutional(12, 3, 2)
    return model, pictures("u", 5, 12, 12, 1) / 30


@case("models.architectures.convolutions")
def convolutions():
    return room("models.architectures").convolutions(3, 2, 8), pictures("v", 5, 8, 8, 1) / 30


@case("models.architectures.unet")
def unet():
    return room("models.architectures").unet(4, 16), pictures("k", 4, 16, 16, 1) / 30


@case("models.architectures.recurrent")
def recurrent():
    x = rng("l").normal(size=(6, 7, 2)).astype("float32")
    return room("models.architectures").recurrent("LSTM", 7, 2, 6, 1), x


@case("models.architectures.attention layers.messages.Places")
def attention():
    x = rng("m").normal(size=(6, 7, 2)).astype("float32")
    return room("models.architectures").attention(7, 2, 8), x


@case("models.architectures.recall")
def recall():
    x = rng("w").normal(size=(6, 7, 2)).astype("float32")
    return room("models.architectures").recall(7, 2, 4), x


@case("models.architectures.each")
def each():
    x = rng("x").normal(size=(6, 5, 3)).astype("float32")
    return room("models.architectures").each(5, 3, (4,)), x


@case("models.architectures.graph layers.messages.Messages")
def graph():
    x = rng("n").normal(size=(6, 5, 3)).astype("float32")
    return room("models.architectures").graph(5, 3, 6, 2), x


@case("layers.decision_tree.DecisionTreeHead layers.decision_tree.TreeCrossEntropy")
def decision_tree():
    head = room("layers.decision_tree").DecisionTreeHead([2, 3], [None, (0, 1)])
    return around(head, (5,)), rng("o").normal(size=(7, 5)).astype("float32")


@case("layers.lens_channels.SkyStretch")
def sky_stretch():
    return around(room("layers.lens_channels").SkyStretch(), (16, 16, 2)), 9 * pictures(
        "p", 3, 16, 16, 2
    )


@case("layers.lens_channels.HalfTurnDifference layers.lens_channels.centroid")
def half_turn():
    layer = room("layers.lens_channels").HalfTurnDifference()
    return around(layer, (16, 16, 2)), pictures("q", 3, 16, 16, 2)


@case("layers.lens_channels.IsophoteResidual")
def isophotes():
    layer = room("layers.lens_channels").IsophoteResidual()
    return around(layer, (16, 16, 2)), pictures("r", 3, 16, 16, 2)


def shapes(name, n=4):
    """log_scale, eta_1 and eta_2 of small disks."""
    return (rng(name).normal(0, 0.3, (n, 3)) + [-4.0, 0.2, 0.1]).astype("float32")


@case("layers.sersic.ExponentialDisk layers.ellipses.stretch_matrix layers.ellipses.hyperbolic"
      " layers.ellipses.third")  # fmt: skip
def exponential_disk():
    return around(room("layers.sersic").ExponentialDisk(16), (3,)), shapes("y")


@case("layers.sersic.SersicRenderer layers.sersic_mixture.gaussians layers.sersic_mixture.mixture")
def sersic_renderer():
    along = np.exp(-((np.arange(9) - 4.0) ** 2) / 3)
    star = np.outer(along, along) / along.sum() ** 2
    numbers = rng("z").normal(0, 0.3, (3, 7)) + [3, 0, 0, 1, 0, 0, 0.4]
    return around(room("layers.sersic").SersicRenderer(16, star), (7,)), numbers.astype("float32")


@case("layers.scoring.GaussNewton layers.scoring.slopes models.semantic_autoencoder.refined "
      "models.semantic_autoencoder.dense_encoder")  # fmt: skip
def refined():
    module, disk = room("models.semantic_autoencoder"), room("layers.sersic").ExponentialDisk(16)
    encoder = module.dense_encoder(16, (-4.0, 0.2, 0.1), (0.1, 0.1, 0.1), widths=(8,), soft=0.1)
    return module.refined(encoder, disk), np.asarray(disk(shapes("aa", 5)))


@case("models.semantic_autoencoder.autoencoder models.semantic_autoencoder.paper_encoder "
      "models.semantic_autoencoder.ShapeFromAngle")  # fmt: skip
def semantic_autoencoder():
    module, disk = room("models.semantic_autoencoder"), room("layers.sersic").ExponentialDisk(16)
    model = module.autoencoder(module.paper_encoder(16, (4, 4)), disk, 1e-9, "clean")
    return model, shapes("bb", 5)


@case("layers.rotated_views.RotatedViews layers.rotated_views.MergeViews")
def views():
    import keras

    module = room("layers.rotated_views")
    x = keras.Input((8, 8, 2))
    turned = module.RotatedViews(4, flips=True)(x)
    merged = [module.MergeViews(8, mode)(turned) for mode in ("concatenate", "mean", "max")]
    return keras.Model(x, keras.layers.Concatenate()(merged)), pictures("s", 3, 8, 8, 2)


@case("layers.gradient_reversal.GradientReversal")
def gradient_reversal():
    import keras

    x = keras.Input((5,))
    turned = room("layers.gradient_reversal").GradientReversal(0.7)(keras.layers.Dense(4)(x))
    return keras.Model(x, keras.layers.Dense(2)(turned)), rng("y").normal(size=(7, 5)).astype(
        "float32"
    )


@case("layers.domain_alignment.MomentAlignment layers.domain_alignment.DomainCritic "
      "layers.domain_alignment.mmd layers.domain_alignment.coral")  # fmt: skip
def domain_alignment():
    import keras

    module = room("layers.domain_alignment")
    x = keras.Input((5,))
    h = keras.layers.Dense(4)(x)
    for kind in module.KINDS:
        h = module.MomentAlignment(kind, 0.5)(h)
    h = module.DomainCritic(6, strength=0.5)(h)
    return keras.Model(x, keras.layers.Dense(2)(h)), rng("z").normal(size=(8, 5)).astype("float32")


@case("models.domain_shift.survey_cnn models.domain_shift.feature_model")
def survey_cnn():
    model = room("models.domain_shift").survey_cnn(16, (4, 8), 6, align="mmd", weight=0.3)
    return model, pictures("aa", 8, 16, 16, 3) / 30


@case("models.deconvolution.restoration_unet")
def restoration_unet():
    model = room("models.deconvolution").restoration_unet(16, 4, 2)
    return model, pictures("bb", 3, 16, 16, 1) / 30


@case("models.deconvolution.patch_critic")
def patch_critic():
    import keras

    x = keras.Input((16, 16, 1))
    critic = room("models.deconvolution").patch_critic(16, 4, 2)
    return keras.Model(x, critic([x, x])), pictures("cc", 3, 16, 16, 1) / 30


@case("models.cosmic_web.web_generator models.cosmic_web.set_field layers.periodic.GaussianField "
      "layers.periodic.Lookup layers.periodic.WrapPadding")  # fmt: skip
def web_generator():
    model = room("models.cosmic_web").web_generator(8, channels=4, blocks=1)
    return model, rng("web").normal(size=(3, 8, 8, 2)).astype("float32")


@case("models.cosmic_web.web_critic layers.periodic.LogPower")
def web_critic():
    model = room("models.cosmic_web").web_critic(8, (4, 8), (0.5, 2, 4))
    return model, rng("critic").normal(size=(4, 8, 8, 1)).astype("float32")


@case("models.toy_gan.toy_generator")
def toy_generator():
    given = rng("toy").normal(size=(5, 5)).astype("float32")
    return room("models.toy_gan").toy_generator(2, 8, labels=3), given


@case("models.toy_gan.toy_critic")
def toy_critic():
    return room("models.toy_gan").toy_critic(8), rng("toy").normal(size=(5, 2)).astype("float32")


def targets(shape, train, name):
    values = rng(name + " targets").uniform(0.1, 0.9, shape).astype("float32")
    return values / values.sum(axis=-1, keepdims=True) if train == "tree" else values


def step(model, x, train, name):
    """All weights after one step of SGD."""
    import keras

    loss = room("models.galaxy_zoo").tree_loss() if train == "tree" else train
    eager = keras.backend.backend() == "tensorflow"
    model.compile(keras.optimizers.SGD(0.05), loss, run_eagerly=eager, jit_compile=not eager)
    model.train_on_batch(x, targets(model.output_shape[:0] + (len(x), *model.output_shape[1:]),
                                    train, name))  # fmt: skip
    return [np.asarray(weight).ravel() for weight in model.weights]


def main(path):
    """All cases on this backend."""
    import keras

    found = {"backend": np.array(keras.backend.backend())}
    for name, (make, _, train) in CASES.items():
        model, x = make()
        put_weights(model, name)
        before = [np.asarray(weight).ravel() for weight in model.weights]
        eager = keras.backend.backend() == "tensorflow"
        model.compile("sgd", "mse", run_eagerly=eager, jit_compile=not eager)
        found[f"{name}/forward"] = np.asarray(model.predict_on_batch(x))
        if train and model.trainable_weights:
            after = np.concatenate(step(model, x, train, name))
            found[f"{name}/change"] = after - np.concatenate(before)
    np.savez(path, **found)


if __name__ == "__main__":
    main(sys.argv[1])
