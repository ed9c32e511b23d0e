"""The command line's part in scaling up: workers, processes, and scripts for a queue."""

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from firstlight import cli, studies
from firstlight.archive import shards
from firstlight.archive.errors import DataError
from firstlight.cli import cluster, simulate, train
from firstlight.scaling import parallel
from firstlight.sky import galaxies


def refused(capsys, status, *words):
    """The one line that a wrong command earns."""
    assert cli.main(words) == status
    told = capsys.readouterr().err
    assert told.startswith("firstlight: ") and told.count("\n") == 1
    return told


def test_cluster_prints_a_script_for_another_command(capsys):
    words = ["cluster", "--hours", "2", "--gpus", "1", "--partition", "gpu", "--memory", "16"]
    assert cli.main([*words, "--", "train", "galaxy-zoo", "--scale", "full"]) == 0
    script = capsys.readouterr().out
    assert "#SBATCH --time=0-02:00:00\n" in script and "#SBATCH --mem=16384M\n" in script
    assert "firstlight train galaxy-zoo --scale full --resume\n" in script
    assert subprocess.run(["bash", "-n"], input=script, text=True).returncode == 0
    assert cluster.EXAMPLE.startswith("firstlight cluster ")


def test_cluster_writes_a_new_file_and_never_an_old_one(capsys, tmp_path):
    out = tmp_path / "job.sh"
    words = ("cluster", "--out", str(out), "--", "sweep", "features")
    assert cli.main(words) == 0
    assert f"sbatch {out}" in capsys.readouterr().out and out.read_text().startswith("#!/bin/bash")
    assert "expected a new file" in refused(capsys, 2, *words)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--", "trian", "galaxy-zoo"], "Did you mean 'train'?"),
        (["--", "train", "galaxy-zoo", "--scael", "full"], "--scael"),
        (["--", "simulate", "galaxies", "-n", "0", "--out", "x"], "expected at least 1"),
        (["--", "data", "list"], "There is: simulate, train"),
        (["--hours", "-3", "--", "sweep", "features"], "expected a positive number"),
        (["--partition", "a b", "--", "sweep", "features"], "expected one word"),
        ([], "required"),
    ],
)
def test_a_typing_error_is_found_before_the_queue(capsys, words, told):
    assert told in refused(capsys, 2, "cluster", *words)


def test_several_processes_are_asked_of_the_shared_fit(monkeypatch, tmp_path, capsys):
    calls = []

    def shared(study, config, seed, out, processes, *, resume):
        calls.append((study.name, seed, processes, resume))
        return out / "weights.npz"

    monkeypatch.setattr(parallel, "train", shared)
    words = ["train", "galaxy-zoo", "--scale", "full", "--out", str(tmp_path), "--seed", "5"]
    assert cli.main([*words, "--processes", "2", "--resume"]) == 0
    assert calls == [("galaxy-zoo", 5, 2, True)]
    assert "weights.npz" in capsys.readouterr().out and "--processes" in train.EXAMPLE


def test_a_study_that_cannot_be_shared_says_why(capsys, tmp_path):
    words = ("train", "mergers", "--processes", "2", "--out", str(tmp_path / "run"))
    assert "more than one fit on arrays" in refused(capsys, 2, *words)
    assert studies.get("mergers").parts is None
    words = ("train", "galaxy-zoo", "--processes", "7", "--out", str(tmp_path / "run"))
    assert "received 7 for batches of 32, expected a divisor" in refused(capsys, 2, *words)


def test_a_process_that_died_is_told_in_one_line(monkeypatch, capsys, tmp_path):
    from firstlight.scaling.processes import ChildDied

    def dead(*arguments, **options):
        raise ChildDied("process 2 of 2: received an end by signal 9 (SIGKILL).")

    monkeypatch.setattr(parallel, "train", dead)
    words = ("train", "galaxy-zoo", "--processes", "2", "--out", str(tmp_path))
    assert "SIGKILL" in refused(capsys, 1, *words)


def drawn(n, seed, *, size, workers):
    random = np.random.default_rng(seed)
    return SimpleNamespace(
        images=random.normal(size=(n, size, size, 3)).astype(np.float32),
        probabilities=np.full((n, 37), 0.5, np.float32),
        truth=pd.DataFrame({"z": random.random(n)}),
    )


def test_workers_draw_the_sky_of_one(tmp_path):
    pytest.importorskip("distributed")
    words = ["simulate", "galaxies", "-n", "12", "--shard", "4", "--size", "32"]
    for name, workers in (("one", "1"), ("two", "2")):
        out = str(tmp_path / name)
        assert cli.main([*words, "--out", out, "--workers", workers]) == 0
    one, two = (json.loads((tmp_path / n / shards.MANIFEST).read_text()) for n in ("one", "two"))
    assert one["shards"] == two["shards"] and len(one["shards"]) == 3


def test_without_dask_the_galaxies_of_a_shard_are_shared_out(monkeypatch, tmp_path):
    asked = []

    def remember(n, seed, *, size, workers):
        asked.append(workers)
        return drawn(n, seed, size=size, workers=workers)

    monkeypatch.setattr(simulate, "find_spec", lambda name: None)
    monkeypatch.setattr(galaxies, "simulate", remember)
    out = tmp_path / "sky"
    words = ["simulate", "galaxies", "-n", "4", "--shard", "2", "--size", "8", "--out", str(out)]
    assert cli.main([*words, "--workers", "3"]) == 0
    assert asked == [3, 3]
    assert sum(len(truth) for _, truth in shards.read_shards(Path(out))) == 4


def test_a_cluster_that_is_not_here_is_named(capsys, tmp_path, monkeypatch):
    words = ["simulate", "galaxies", "-n", "4", "--out", str(tmp_path / "sky"), "--workers", "2"]
    assert "Did you mean 'slurm'?" in refused(capsys, 2, *words, "--cluster", "slrum")
    pytest.importorskip("distributed")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "received no `sbatch`" in refused(capsys, 1, *words, "--cluster", "slurm")
    assert issubclass(DataError, Exception) and not (tmp_path / "sky").exists()
