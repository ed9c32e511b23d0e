"""The package's models and layers give the same on TensorFlow and on JAX, and learn the same."""

import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jax", reason="JAX comes with the [scaling] extra")

import backends_kit

HERE = Path(__file__).parent
# What is compiled here runs once: compile fast, not well.
QUICK = {
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true",
}
# No network of its own: weights on disk, pictures in NumPy, and what takes another model apart.
NOT_HERE = {
    "models.storage", "layers.augmentation", "layers.gradient_reversal.reversal_schedule",
    "models.galaxy_zoo.mean_predictor",
    "models.galaxy_zoo.tree_loss", "models.lens_finder.receptive_field",
    "models.domain_shift.copy_weights", "models.deconvolution.adversarial_pair",
    "models.mergers.copy_features",
    "models.mergers.imagenet_features",
    "models.efficientnet_lite.preprocess_input", "models.efficientnet_lite.load_imagenet",
    "models.efficientnet_lite.block_output", "models.efficientnet_lite.cut",
    "models.efficientnet_lite.freeze", "models.architectures.operations",
    "layers.sersic.check_images", "layers.sersic.check_psf", "layers.sersic_mixture.Mixture",
    "layers.sersic_mixture.exact_transform", "models.semantic_autoencoder.to_shape",
    "models.semantic_autoencoder.from_shape", "models.semantic_autoencoder.pixel_loss",
    "models.rr_lyrae_feh.gaussian_loss",
}  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What every case gives, for each backend: two processes, one after the other."""
    results = {}
    for backend in ("tensorflow", "jax"):
        out = tmp_path_factory.mktemp("backends") / f"{backend}.npz"
        command = [sys.executable, str(HERE / "backends_kit.py"), str(out)]
        done = subprocess.run(
            command, env={**os.environ, **QUICK, "KERAS_BACKEND": backend},
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{backend}: {done.stderr[-3000:]}"
        with np.load(out) as file:
            results[backend] = dict(file)
        assert results[backend].pop("backend") == backend
    return results


@pytest.mark.parametrize("name", backends_kit.CASES)
def test_forward_is_the_same(found, name):
    tensorflow, jax = (found[backend][f"{name}/forward"] for backend in ("tensorflow", "jax"))
    assert np.isfinite(tensorflow).all() and np.ptp(tensorflow) > 0
    np.testing.assert_allclose(jax, tensorflow, rtol=1e-4, atol=1e-5 * np.abs(tensorflow).max())


@pytest.mark.parametrize("name", [n for n, (_, _, train) in backends_kit.CASES.items() if train])
def test_one_step_of_training_is_the_same(found, name):
    if f"{name}/change" not in found["tensorflow"]:
        pytest.skip("nothing to train")
    tensorflow, jax = (found[backend][f"{name}/change"] for backend in ("tensorflow", "jax"))
    size = np.abs(tensorflow).max()
    assert size > 1e-7
    np.testing.assert_allclose(jax, tensorflow, rtol=0, atol=1e-4 * size)


def public():
    """What the two rooms offer: layers, losses, and functions that build networks."""
    for room in ("layers", "models"):
        package = importlib.import_module(f"firstlight.{room}")
        for info in pkgutil.iter_modules(package.__path__):
            name = f"{room}.{info.name}"
            if info.ispkg or name in NOT_HERE:
                continue
            module = importlib.import_module(f"firstlight.{name}")
            for thing in module.__all__:
                if callable(getattr(module, thing)):
                    yield f"{name}.{thing}"


def test_every_model_and_every_layer_of_the_package_is_tried():
    covered = {name for _, covers, _ in backends_kit.CASES.values() for name in covers}
    offered = set(public())
    missing = offered - covered - NOT_HERE
    assert not missing, f"tests/backends_kit.py tries no {sorted(missing)}"


def test_layers_and_models_name_no_backend():
    for room in ("layers", "models"):
        folder = Path(inspect.getfile(importlib.import_module(f"firstlight.{room}"))).parent
        for path in folder.glob("*.py"):
            text = path.read_text("utf-8")
            assert "import tensorflow" not in text and "import jax" not in text, path.name
