"""Deconvolution: blurred galaxies made sharp, by a network, a network with a critic, and without.

After Schawinski et al. (2017, MNRAS 467, L110). The same U-net is trained twice on the same
images with the same number of steps: once on the mean absolute error alone, once with a critic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.evaluation import deconvolution as classical
from firstlight.evaluation import restored_images
from firstlight.layers.augmentation import random_symmetry
from firstlight.sky import degradation
from firstlight.sky.galaxies import stretch
from firstlight.studies.study import Config

__all__ = ["BUILD", "CLASSICAL", "FULL", "fit_network", "judge", "real_galaxies", "restore",
           "simulate", "tune", "unstretch"]  # fmt: skip

Floats = NDArray[np.float32]
Restorer = Callable[[Floats, float], Floats]

SOFTENING = 3.0  # of the stretch, sigma
BUILD: Config = {
    "n_train": 2_000,
    "n_validation": 128,
    "n_test": 500,
    "size": 64,
    "width": 12,
    "levels": 3,
    "steps": 600,
    "batch_size": 16,
    "learning_rate": 1e-3,
    "critic_width": 12,
    "critic_rate": 4e-4,
    "critic_weight": 0.01,
}
FULL: Config = {
    **BUILD,
    "n_train": 40_000,
    "n_test": 2_000,
    "width": 32,
    "critic_width": 32,
    "steps": 40_000,
    "batch_size": 32,
}


def simulate(config: Config, seed: int, part: str = "test") -> degradation.Scenes:
    """Galaxies of one part, of which no other part has any.

    Args:
        config: `n_train`, `n_validation`, `n_test` and `size` are used.
        seed: 0 or more.
        part: "train", "validation" or "test".

    Raises:
        ValueError: If the part is unknown.
    """
    parts = ("train", "validation", "test")
    if part not in parts:
        raise ValueError(f"part: received {part!r}, expected one of {', '.join(parts)}.")
    offset = parts.index(part)
    return degradation.simulate(config[f"n_{part}"], 3 * seed + offset, size=config["size"])


def unstretch(images: Floats) -> Floats:
    """The inverse of `sky.galaxies.stretch`: back to sigma."""
    limited = np.clip(np.asarray(images, np.float32), -3, 3)  # e^12 is more than any galaxy has
    return np.float32(SOFTENING) * np.sinh(np.float32(4) * limited)


def fit_network(
    config: Config, scenes: degradation.Scenes, seed: int, *, adversarial: bool = False
) -> tuple[Any, dict[str, list[float]]]:
    """Train the U-net, alone or against a critic.

    Args:
        config: See `BUILD`. The critic's verdict weighs `critic_weight` times as much as the mean
            absolute error; in pix2pix the error weighs 100 times the verdict, which is the same.
        scenes: To learn from.
        seed: Of weights and batches; with and without critic they are the same.
        adversarial: Whether there is a critic.

    Returns:
        The U-net, and its curves: `error`, and with a critic `verdict` and `critic`.
    """
    import keras

    from firstlight import training
    from firstlight.models.deconvolution import adversarial_pair, patch_critic, restoration_unet

    training.set_seed(seed)
    unet = restoration_unet(config["size"], config["width"], config["levels"])
    steps, shape = config["steps"], (config["size"], config["critic_width"])
    rate = training.warmup_cosine(config["learning_rate"], steps)
    curves: dict[str, list[float]] = {"error": [], "verdict": [], "critic": []}
    if not adversarial:
        unet.compile(keras.optimizers.Adam(rate), "mae", jit_compile=False)
        for x, y in _batches(config, scenes, seed):
            curves["error"].append(float(np.mean(unet.train_on_batch(x, y))))
        return unet, curves
    logits = keras.losses.BinaryCrossentropy(from_logits=True)
    critic, twin = patch_critic(*shape), patch_critic(*shape)
    pair = adversarial_pair(unet, twin)
    pair.compile(keras.optimizers.Adam(rate, beta_1=0.5), ["mae", logits],
                 loss_weights=[1.0, config["critic_weight"]], jit_compile=False)  # fmt: skip
    critic.compile(keras.optimizers.Adam(config["critic_rate"], beta_1=0.5), logits,
                   jit_compile=False)  # fmt: skip
    for x, y in _batches(config, scenes, seed):
        fake = np.asarray(unet(x, training=False))
        answers = np.zeros((2 * len(x), *critic.output_shape[1:]), np.float32)
        answers[: len(x)] = 1.0
        both = [np.concatenate([x, x]), np.concatenate([y, fake])]
        curves["critic"].append(float(np.mean(critic.train_on_batch(both, answers))))
        twin.set_weights(critic.get_weights())
        losses = np.ravel(pair.train_on_batch(x, [y, answers[: len(x)]]))
        curves["error"].append(float(losses[1]))
        curves["verdict"].append(float(losses[2]))
    return unet, curves


def _batches(
    config: Config, scenes: degradation.Scenes, seed: int
) -> Iterable[tuple[Floats, Floats]]:
    """Blurred and sharp images, stretched, turned and mirrored together."""
    n, size = config["batch_size"], config["size"]
    for step in range(config["steps"]):
        rng = np.random.default_rng([seed, step])
        rows = rng.integers(0, len(scenes), n)
        both = np.stack([scenes.blurred[rows], scenes.sharp[rows]], axis=-1)
        turned = random_symmetry(stretch(both, SOFTENING), rng)
        yield turned[..., :1].reshape(n, size, size, 1), turned[..., 1:].reshape(n, size, size, 1)


def restore(unet: Any, blurred: Floats, batch_size: int = 100) -> Floats:
    """What a U-net makes of blurred images, in sigma.

    Args:
        unet: From `fit_network`.
        blurred: Shape (n, size, size), in sigma of the noise.
        batch_size: Images at a time.

    Raises:
        ValueError: For bad images.
    """
    blurred = degradation.check_images("restore", blurred)
    seen = stretch(blurred, SOFTENING)[..., None]
    parts = [np.asarray(unet.predict_on_batch(seen[k : k + batch_size]))
             for k in range(0, len(seen), batch_size)]  # fmt: skip
    return unstretch(np.concatenate(parts)[..., 0])


# The one knob of each, and where to turn it; `tune` takes the best on validation galaxies.
CLASSICAL: dict[str, tuple[float, ...]] = {
    "Richardson-Lucy": (5, 10, 15, 20, 30, 45, 70),
    "Wiener": (0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 3.0),
    "total variation": (0.03, 0.06, 0.12, 0.25, 0.5, 1.0),
}


def _classical(name: str, kernel: NDArray[Any], power: NDArray[Any]) -> Restorer:
    if name == "Richardson-Lucy":
        return lambda x, knob: classical.richardson_lucy(x, kernel, int(knob))
    if name == "Wiener":
        return lambda x, knob: classical.wiener(x, kernel, power, knob)
    if name == "total variation":
        return lambda x, knob: classical.total_variation(x, kernel, knob)
    raise ValueError(f"method: received {name!r}, expected one of {', '.join(CLASSICAL)}.")


def tune(
    name: str, train: degradation.Scenes, validation: degradation.Scenes
) -> tuple[Callable[[Floats], Floats], list[tuple[float, float]]]:
    """A classical method with its knob where the mean PSNR of validation galaxies is highest.

    Args:
        name: A key of `CLASSICAL`.
        train: Galaxies whose mean power spectrum the Wiener filter is told.
        validation: Others.

    Returns:
        The tuned method, and the mean PSNR at every knob.

    Raises:
        ValueError: If the method is unknown.
    """
    method = _classical(name, train.kernel, classical.mean_power(train.sharp))
    tried = []
    for knob in CLASSICAL[name]:
        restored = method(validation.blurred, knob)
        tried.append((float(knob), float(restored_images.psnr(validation.sharp, restored).mean())))
    best = max(tried, key=lambda pair: pair[1])[0]
    return lambda blurred: method(blurred, best), tried


def judge(scenes: degradation.Scenes, restored: Floats) -> dict[str, float]:
    """All that is measured of one method.

    Args:
        scenes: The test galaxies.
        restored: What the method makes of them, in sigma.

    Returns:
        `psnr`, `ssim`; `flux` and `radius`, standard deviations of the relative error;
        `ellipticity`, root mean square error of a component; `found`, the share of bright
        planted knots that are there; `false`, the share of a restored galaxy's features that
        are not.
    """
    truth = scenes.sharp
    true, ours = restored_images.shapes(truth), restored_images.shapes(restored)
    features = restored_images.feature_test(truth, restored, scenes.knots)
    shown = features.false.sum() + features.real.sum()
    gap = (ours[["e1", "e2"]] - true[["e1", "e2"]]).to_numpy()
    return {
        "psnr": float(restored_images.psnr(truth, restored).mean()),
        "ssim": float(restored_images.ssim(truth, restored).mean()),
        "flux": float(np.std(ours["flux"] / true["flux"] - 1)),
        "radius": float(np.std(ours["radius"] / true["radius"] - 1)),
        "ellipticity": float(np.sqrt(np.mean(gap**2))),
        "found": float(features.found.mean()) if len(features.found) else float("nan"),
        "false": float(features.false.sum() / shown) if shown else 0.0,
    }


def real_galaxies(
    galaxies: Any, snr: float, seed: int, *, size: int = 64, pixel_arcsec: float = 0.1
) -> tuple[Floats, Floats]:
    """Real galaxies as the simulated ones are seen: sharp, and degraded to the ground.

    Args:
        galaxies: GalSim objects, for example `archive.galaxies.RealGalaxies()`.
        snr: Of each blurred image.
        seed: Of the noise.
        size: Pixels on a side.
        pixel_arcsec: Side of a pixel. The atmosphere is then 0.6 arcsec wide.

    Returns:
        Sharp images, with whatever noise Hubble had, and blurred ones, both in sigma.
    """
    import galsim

    psf = galsim.Moffat(beta=3.5, fwhm=degradation.SHARP_FWHM * pixel_arcsec)
    sharp = np.stack([
        galsim.Convolve(galaxy, psf).drawImage(nx=size, ny=size, scale=pixel_arcsec).array
        for galaxy in galaxies
    ])  # fmt: skip
    ratio = np.full(len(sharp), float(snr))
    return degradation.degrade(sharp, degradation.atmosphere(), ratio, seed)
