"""EfficientNet-Lite0 weights, read from a PyTorch file without PyTorch and without trust.

A pickle can run any program. This reader allows the four names that a table of
weights needs and refuses everything else before anything is called.
"""

import math
import pickle
from collections import OrderedDict
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from firstlight.archive import cache
from firstlight.archive.errors import DataCorrupt

__all__ = ["efficientnet_lite0_weights", "read_weights"]

_NAME = "imagenet/efficientnet-lite0.pth"
_MAGIC = 0x1950A86A20F9469CFC6C  # PyTorch's format of before 2020
_STORAGES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
}
_MOST_ELEMENTS = 100_000_000


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype
    size: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def efficientnet_lite0_weights() -> dict[str, np.ndarray]:
    """ImageNet weights of EfficientNet-Lite0 (Tan & Le 2019).

    4 652 008 trained weights and 42 016 running means and variances.

    Returns:
        Arrays under their PyTorch names (`_conv_stem.weight`, `_blocks.0._bn1.bias`, ...).
        Convolutions have shape (out, in, height, width): transpose with (2, 3, 1, 0) for
        Keras. Batch normalization comes with `running_mean` and `running_var`.

    Raises:
        DataAbsent: If the package that holds them is not installed.
        DataCorrupt: If the file is not the right one.

    Example:
        >>> weights = efficientnet_lite0_weights()  # doctest: +SKIP
        >>> weights["_conv_stem.weight"].shape  # doctest: +SKIP
        (32, 3, 3, 3)
    """
    with open(cache.path(_NAME), "rb") as file:
        return read_weights(file)


def read_weights(file: BinaryIO) -> dict[str, np.ndarray]:
    """Reads a legacy PyTorch state dictionary; nothing in the file is executed.

    Args:
        file: Opened in binary mode, at its beginning.

    Returns:
        The tensors by name, as NumPy arrays that own their memory.

    Raises:
        DataCorrupt: If the file is truncated, of another format, or asks for anything
            that a table of weights does not need.
    """
    try:
        magic = _Reader(file).load()
        if magic != _MAGIC:
            raise DataCorrupt(
                f"weights: received a file that begins with {magic!r}, expected a legacy "
                "PyTorch file. Files of the newer (zip) format are not read here."
            )
        _protocol, _system = _Reader(file).load(), _Reader(file).load()
        tensors = _Reader(file).load()
        keys = _Reader(file).load()
        storages = _storages(file, tensors, keys)
        return {str(name): _array(tensor, storages) for name, tensor in tensors.items()}
    except DataCorrupt:
        raise
    except Exception as problem:
        # A hostile or broken pickle can fail in any way; it is always the file's fault.
        raise DataCorrupt(
            f"weights: received a file that cannot be read ({type(problem).__name__}: {problem}), "
            "expected a legacy PyTorch file of weights. Install the package again."
        ) from problem


class _Reader(pickle.Unpickler):
    """An unpickler that knows four names and no others."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise DataCorrupt(
            f"weights: received a pickle that asks for {module}.{name}, expected nothing but "
            "tensors. Do not load this file with any other program; get it from its source."
        )

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _device, size, view = pid
        if kind != "storage" or not isinstance(dtype, np.dtype) or view is not None:
            raise DataCorrupt(f"weights: received {pid!r}, expected a plain storage.")
        if not 0 <= int(size) <= _MOST_ELEMENTS:
            raise DataCorrupt(
                f"weights: received a storage of {size} elements, expected at most "
                f"{_MOST_ELEMENTS}."
            )
        return _Storage(str(key), dtype, int(size))


def _rebuild(
    storage: _Storage,
    offset: int,
    shape: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool = False,
    hooks: Any = None,
) -> _Tensor:
    return _Tensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, stride)))


def _storages(file: BinaryIO, tensors: Any, keys: Any) -> dict[str, np.ndarray]:
    """Behind the pickles lie the storages, each an 8-byte length and its numbers."""
    if not isinstance(tensors, dict) or not all(isinstance(t, _Tensor) for t in tensors.values()):
        raise DataCorrupt(
            f"weights: received a {type(tensors).__name__} of other things than tensors, "
            "expected a dictionary of tensors."
        )
    known = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    storages = {}
    for key in keys:
        storage = known[str(key)]
        size = int.from_bytes(_exactly(file, 8), "little")
        if size != storage.size:
            raise DataCorrupt(f"weights: received {size} numbers, expected {storage.size}.")
        content = _exactly(file, size * storage.dtype.itemsize)
        storages[storage.key] = np.frombuffer(content, storage.dtype)
    return storages


def _exactly(file: BinaryIO, size: int) -> bytes:
    content = file.read(size)
    if len(content) != size:
        raise DataCorrupt(f"weights: received {len(content)} bytes, expected {size} more.")
    return content


def _array(tensor: _Tensor, storages: dict[str, np.ndarray]) -> np.ndarray:
    """A tensor as an array; every element must lie inside its storage."""
    flat = storages[tensor.storage.key]
    if len(tensor.shape) != len(tensor.stride) or min((0, *tensor.shape, *tensor.stride)) < 0:
        raise DataCorrupt(f"weights: received {tensor!r}, expected shape and stride to match.")
    if math.prod(tensor.shape) > _MOST_ELEMENTS:  # strides of zero cost the file nothing
        raise DataCorrupt(
            f"weights: received a tensor of shape {tensor.shape}, expected at most "
            f"{_MOST_ELEMENTS} elements."
        )
    empty = 0 in tensor.shape
    steps = zip(tensor.shape, tensor.stride, strict=True)
    last = tensor.offset + sum((length - 1) * step for length, step in steps)
    if tensor.offset < 0 or (not empty and last >= len(flat)):
        raise DataCorrupt(f"weights: received {tensor!r}, expected it to lie in its storage.")
    if empty:
        return np.zeros(tensor.shape, flat.dtype)
    bytes_strides = [step * flat.itemsize for step in tensor.stride]
    view = np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.shape, bytes_strides)
    return view.copy()
