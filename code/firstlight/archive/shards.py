"""Large simulated sets on disk, in shards that survive a kill.

A set is a folder: `manifest.json`, and for each shard an npz of arrays and a csv of
the truth. Each file is written under a hidden name and renamed when it is whole; the
manifest lists only finished shards, with their sha256. A run that was killed takes up
where it stopped and gives, bit for bit, the set of an uninterrupted run, because every
shard draws from a seed of its own. Who makes the shards does not matter: this process, one
after the other, or a farm of workers that see the same folder (`scaling.farm`).
"""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from firstlight.archive.errors import DataAbsent, DataCorrupt, DataError
from firstlight.archive.store import write_atomically

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MANIFEST", "Plan", "in_turn", "read_shards", "shard_seed", "write_shards"]

MANIFEST = "manifest.json"
BITS = 63  # of the seed of a shard, in sets begun now
Arrays = dict[str, np.ndarray]
Make = Callable[[int, int], "tuple[Arrays, pd.DataFrame]"]
Made = tuple[int, dict[str, Any]]  # number of a shard, and its row of the manifest
Farm = Callable[[Callable[[int], Made], Sequence[int]], "Iterator[Made]"]


@dataclass(frozen=True)
class Plan:
    """What a set shall hold. Two runs with equal plans make equal sets.

    Args:
        n: Objects in all.
        seed: Seed of the set.
        shard_size: Objects in each shard but the last.
        settings: Whatever else decides the content (plain JSON values).
    """

    n: int
    seed: int
    shard_size: int = 2048
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.n < 1 or self.shard_size < 1 or self.seed < 0:
            raise ValueError(
                f"plan: received n={self.n}, shard_size={self.shard_size}, seed={self.seed}; "
                "expected at least one object, shards of at least one, and a seed of 0 or more."
            )

    @property
    def sizes(self) -> list[int]:
        """Objects in each shard."""
        full, rest = divmod(self.n, self.shard_size)
        return [self.shard_size] * full + [rest] * (rest > 0)


def shard_seed(seed: int, shard: int, bits: int = BITS) -> int:
    """The seed of one shard.

    Two shards with one seed would be one shard twice. With 63 bits, five million shards hold
    such a pair once in almost a million sets; with the 32 bits of sets made before these were
    counted, nearly three thousand pairs in every set.

    Args:
        seed: Seed of the set.
        shard: Index of the shard, from 0.
        bits: 63, or 32 for a set that was begun so; its manifest knows.

    Returns:
        A whole number from 0 to below `2**bits`.

    Raises:
        ValueError: If `bits` is another number.

    Example:
        >>> shard_seed(1, 0) == shard_seed(1, 1)
        False
    """
    source = np.random.SeedSequence([seed, shard])
    if bits == BITS:
        return int(source.generate_state(1, np.uint64)[0] >> np.uint64(1))
    if bits == 32:
        return int(source.generate_state(1)[0])
    raise ValueError(
        f"seeds of shards: received {bits} bits, expected {BITS} or 32. Is the set of a newer "
        "firstlight? Then install that one."
    )


def in_turn(task: Callable[[int], Made], shards: Sequence[int]) -> Iterator[Made]:
    """Make shards here, one after the other.

    Args:
        task: Makes and writes the shard of a number.
        shards: The numbers.

    Yields:
        What `task` returned for each.
    """
    for shard in shards:
        yield task(shard)


def write_shards(
    out: Path,
    plan: Plan,
    make: Make,
    *,
    resume: bool = False,
    bytes_each: int = 0,
    tell: Callable[[int], None] = lambda done: None,
    farm: Farm = in_turn,
) -> int:
    """Make a set, or finish one that was interrupted.

    Args:
        out: The folder; new or empty, unless `resume`.
        plan: What to make.
        make: Called with (objects, seed); returns arrays and a truth table of that length.
        resume: Keep the finished shards of an earlier run of the same plan.
        bytes_each: Rough size of one object, to see beforehand whether the disk has room.
        tell: Called with the number of objects after each shard, kept or made.
        farm: Who makes the shards; they may come in any order.

    Returns:
        How many shards were made now (the others were kept).

    Raises:
        DataError: If the folder holds something else, another plan, or is in use.
        OSError: If it cannot be written; what was finished stays.
    """
    out.mkdir(parents=True, exist_ok=True)
    with _alone(out):
        manifest = _start(out, plan, resume)
        bits = manifest.get("seed_bits", 32)  # older sets do not say, and are finished as begun
        kept = {name for name, row in manifest["shards"].items() if _intact(out, row)}
        missing = [i for i in range(len(plan.sizes)) if _name(i) not in kept]
        _check_room(out, sum(plan.sizes[i] for i in missing) * bytes_each)
        for index, size in enumerate(plan.sizes):
            if index not in missing:
                tell(size)
        for index, row in farm(partial(_make_and_write, out, plan, make, bits), missing):
            manifest["shards"][_name(index)] = row
            _save(out, manifest)
            tell(plan.sizes[index])
    return len(missing)


def read_shards(out: Path, *, check: bool = True) -> "Iterator[tuple[Arrays, pd.DataFrame]]":
    """The shards of a finished set, one after the other.

    Args:
        out: The folder.
        check: Compare each file with the manifest's sha256 first.

    Yields:
        The arrays and the truth table of a shard.

    Raises:
        DataAbsent: If there is no set, or it is not finished.
        DataCorrupt: If a file is not the one that was written.
    """
    import pandas as pd

    manifest = _manifest(out)
    if manifest is None:
        raise DataAbsent(f"{out}: received no {MANIFEST}, expected a simulated set.")
    names = [_name(i) for i in range(len(Plan(**manifest["plan"]).sizes))]
    missing = [name for name in names if name not in manifest["shards"]]
    if missing:
        raise DataAbsent(
            f"{out}: received {len(names) - len(missing)} finished shards, expected "
            f"{len(names)}. Type the command that made it once more, with --resume."
        )
    for name in names:
        if check and not _intact(out, manifest["shards"][name]):
            raise DataCorrupt(
                f"{out / name}: received files that changed since they were written, expected "
                "those of the manifest. Run the command that made them again, with --resume."
            )
        with np.load(out / f"{name}.npz", allow_pickle=False) as file:
            yield {key: file[key] for key in file.files}, pd.read_csv(out / f"{name}.csv")


def _make_and_write(out: Path, plan: Plan, make: Make, bits: int, index: int) -> Made:
    size = plan.sizes[index]
    arrays, truth = make(size, shard_seed(plan.seed, index, bits))
    return index, _write(out, _name(index), size, arrays, truth)


def _name(index: int) -> str:
    return f"shard-{index:05d}"


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(out / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise DataError(
            f"{out}: received a folder in which another process is writing, expected one of "
            "our own. Wait for it, or choose another folder."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _manifest(out: Path) -> dict[str, Any] | None:
    try:
        return json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as problem:
        raise DataCorrupt(
            f"{out / MANIFEST}: received {problem}, expected JSON. Remove the folder, or "
            "choose another."
        ) from problem


def _start(out: Path, plan: Plan, resume: bool) -> dict[str, Any]:
    """The manifest to go on with; refuses folders that are not ours to fill."""
    old = _manifest(out)
    if old is None:
        others = [path.name for path in out.iterdir() if not path.name.startswith(".")]
        if others:
            raise DataError(
                f"{out}: received a folder that holds {sorted(others)[0]!r}, expected a new or "
                "empty one. Choose another."
            )
        fresh = {"plan": asdict(plan), "seed_bits": BITS, "shards": {}}
        _save(out, fresh)
        return fresh
    if not resume:
        raise DataError(
            f"{out}: received a folder that already holds a set ({len(old['shards'])} shards), "
            "expected a new one. Add --resume to finish it, or choose another folder."
        )
    wanted = json.loads(json.dumps(asdict(plan)))
    if old["plan"] != wanted:
        odd = [k for k in wanted if old["plan"].get(k) != wanted[k]]
        was = ", ".join(f"{k} = {old['plan'].get(k)}" for k in odd)
        now = ", ".join(f"{k} = {wanted[k]}" for k in odd)
        raise DataError(
            f"{out}: received {now}, expected {was} as in the set begun there. Repeat the same "
            "options, or choose another folder."
        )
    for leftover in out.glob(".shard-*.part"):  # of a worker that was killed while it wrote
        leftover.unlink(missing_ok=True)
    return old


def _save(out: Path, manifest: dict[str, Any]) -> None:
    write_atomically(out / MANIFEST, json.dumps(manifest, indent=1).encode())


def _write(
    out: Path, name: str, size: int, arrays: Arrays, truth: "pd.DataFrame"
) -> dict[str, Any]:
    lengths = {len(truth), *(len(array) for array in arrays.values())}
    if lengths != {size}:
        raise ValueError(f"{name}: received {sorted(lengths)} objects, expected {size} of each.")

    def save_csv(path: Path) -> None:
        truth.to_csv(path, index=False)

    def save_npz(path: Path) -> None:
        with open(path, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    hashes = {}
    for suffix, save in ((".csv", save_csv), (".npz", save_npz)):
        # Two workers may write one shard, when the first was only thought to be dead.
        part = out / f".{name}{suffix}.{uuid.uuid4().hex[:8]}.part"
        try:
            save(part)
            hashes[f"{name}{suffix}"] = _sha256(part)
            os.replace(part, out / f"{name}{suffix}")
        finally:
            part.unlink(missing_ok=True)
    return {"n": size, "files": hashes}


def _intact(out: Path, row: dict[str, Any]) -> bool:
    try:
        return all(_sha256(out / name) == sha256 for name, sha256 in row["files"].items())
    except FileNotFoundError:
        return False


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_room(out: Path, needed: int) -> None:
    free = shutil.disk_usage(out).free
    if needed > free:
        raise DataError(
            f"{out}: received a disk with {free / 1e9:.1f} GB free, expected {needed / 1e9:.1f} "
            "GB. Make room, take fewer, or choose another disk."
        )
