"""Simulated sets on disk: whole, resumable, and the same however often interrupted."""

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from firstlight.archive import shards
from firstlight.archive.errors import DataAbsent, DataCorrupt, DataError

PLAN = shards.Plan(25, seed=3, shard_size=10, settings={"size": 4})


def make(n: int, seed: int) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    rng = np.random.default_rng(seed)
    return {"images": rng.normal(size=(n, 4, 4))}, pd.DataFrame({"redshift": rng.random(n)})


def content(out: Path) -> np.ndarray:
    return np.concatenate([arrays["images"] for arrays, _ in shards.read_shards(out)])


def test_a_set_comes_back_as_it_was_made(tmp_path: Path) -> None:
    done: list[int] = []
    assert shards.write_shards(tmp_path / "sky", PLAN, make, tell=done.append) == 3
    assert done == [10, 10, 5]
    parts = list(shards.read_shards(tmp_path / "sky"))
    assert [len(truth) for _, truth in parts] == [10, 10, 5]
    arrays, truth = make(10, shards.shard_seed(3, 1))
    np.testing.assert_array_equal(parts[1][0]["images"], arrays["images"])
    np.testing.assert_allclose(parts[1][1]["redshift"], truth["redshift"])
    assert not list((tmp_path / "sky").glob(".*.part"))


@pytest.mark.parametrize("killed_at", [0, 1, 2])
def test_a_killed_run_ends_in_the_same_set(tmp_path: Path, killed_at: int) -> None:
    shards.write_shards(tmp_path / "whole", PLAN, make)
    calls = []

    def until(n: int, seed: int) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
        if len(calls) == killed_at:
            raise KeyboardInterrupt
        calls.append(n)
        return make(n, seed)

    out = tmp_path / "killed"
    with pytest.raises(KeyboardInterrupt):
        shards.write_shards(out, PLAN, until)
    with pytest.raises(DataAbsent, match=f"received {killed_at} finished shards, expected 3"):
        list(shards.read_shards(out))
    assert shards.write_shards(out, PLAN, make, resume=True) == 3 - killed_at
    np.testing.assert_array_equal(content(out), content(tmp_path / "whole"))


@pytest.mark.parametrize("suffix", [".npz", ".csv"])
def test_a_damaged_shard_is_seen_and_made_again(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / "sky"
    shards.write_shards(out, PLAN, make)
    before = content(out)
    victim = out / f"shard-00001{suffix}"
    victim.write_bytes(victim.read_bytes()[:-3])
    with pytest.raises(DataCorrupt, match="shard-00001"):
        list(shards.read_shards(out))
    assert shards.write_shards(out, PLAN, make, resume=True) == 1
    np.testing.assert_array_equal(content(out), before)


def test_a_folder_with_a_set_is_not_touched_without_resume(tmp_path: Path) -> None:
    shards.write_shards(tmp_path, PLAN, make)
    with pytest.raises(DataError, match="Add --resume"):
        shards.write_shards(tmp_path, PLAN, make)


def test_another_plan_does_not_mix_in(tmp_path: Path) -> None:
    shards.write_shards(tmp_path, PLAN, make)
    other = shards.Plan(25, seed=4, shard_size=10, settings={"size": 8})
    with pytest.raises(DataError, match=r"received seed = 4, settings = \{'size': 8\}, expected"):
        shards.write_shards(tmp_path, other, make, resume=True)


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(DataError, match="holds 'thesis.tex'"):
        shards.write_shards(tmp_path, PLAN, make, resume=True)


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    def meanwhile(n: int, seed: int) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
        with pytest.raises(DataError, match="another process is writing"):
            shards.write_shards(tmp_path, PLAN, make, resume=True)
        return make(n, seed)

    shards.write_shards(tmp_path, PLAN, meanwhile)


def test_a_full_disk_keeps_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = np.savez, []

    def savez(file: object, **arrays: np.ndarray) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(file, **arrays)  # type: ignore[call-overload]

    monkeypatch.setattr(shards.np, "savez", savez)
    with pytest.raises(OSError, match="No space"):
        shards.write_shards(tmp_path, PLAN, make)
    assert not list(tmp_path.glob(".*.part"))
    assert list(json.loads((tmp_path / shards.MANIFEST).read_text())["shards"]) == ["shard-00000"]
    assert shards.write_shards(tmp_path, PLAN, make, resume=True) == 2


def test_too_little_room_is_seen_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=100)
    monkeypatch.setattr(shards.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DataError, match="Make room"):
        shards.write_shards(tmp_path, PLAN, lambda n, seed: pytest.fail("began"), bytes_each=100)


def test_seeds_have_room_for_five_million_shards() -> None:
    seeds = np.array([shards.shard_seed(s, shard) for s in range(50) for shard in range(50)])
    assert len(set(seeds)) == 2500
    assert seeds.max() < 2**63 and 0.45 < np.mean(seeds >> 62) < 0.55
    for bit in range(63):  # every bit is a toss of its own: 5 sigma of 2500 tosses
        assert abs(np.mean(seeds >> bit & 1) - 0.5) < 0.05, bit
    pairs = (1e10 / 2048) ** 2 / 2 / 2.0**63
    assert pairs < 2e-6 < 2000 < pairs * 2.0**31  # and what 32 bits would have given


def test_a_set_begun_with_short_seeds_is_finished_with_them(tmp_path: Path) -> None:
    shards.write_shards(tmp_path / "new", PLAN, make)
    assert json.loads((tmp_path / "new" / shards.MANIFEST).read_text())["seed_bits"] == 63
    old = tmp_path / "old"
    old.mkdir()
    manifest = {"plan": shards.asdict(PLAN), "shards": {}}  # as it was written before
    (old / shards.MANIFEST).write_text(json.dumps(manifest))
    assert shards.write_shards(old, PLAN, make, resume=True) == 3
    arrays, _ = make(10, int(np.random.SeedSequence([3, 0]).generate_state(1)[0]))
    np.testing.assert_array_equal(content(old)[:10], arrays["images"])
    assert not np.array_equal(content(old), content(tmp_path / "new"))


def test_a_set_of_the_future_is_not_mixed(tmp_path: Path) -> None:
    manifest = {"plan": shards.asdict(PLAN), "seed_bits": 128, "shards": {}}
    (tmp_path / shards.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="received 128 bits, expected 63 or 32"):
        shards.write_shards(tmp_path, PLAN, make, resume=True)


@pytest.mark.parametrize(("n", "size", "seed"), [(0, 1, 1), (1, 0, 1), (1, 1, -1)])
def test_plans_without_sense_are_refused(n: int, size: int, seed: int) -> None:
    with pytest.raises(ValueError, match="received .*expected"):
        shards.Plan(n, seed, size)


def test_what_is_made_must_have_the_right_length(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="received .* objects, expected 10"):
        shards.write_shards(tmp_path, PLAN, lambda n, seed: make(n + 1, seed))
