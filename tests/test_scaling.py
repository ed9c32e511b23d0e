"""Many workers, several processes, jobs that die: the same result, or one clear word."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import psutil
import pytest

pytest.importorskip("jax")
pytest.importorskip("distributed")

from firstlight.archive import shards
from firstlight.archive.errors import DataError
from firstlight.scaling import cost, farm, parallel, processes, rank, slurm
from firstlight.studies import galaxy_zoo, mergers
from firstlight.studies.cards import read_card

PLAN = shards.Plan(30, seed=3, shard_size=5, settings={"size": 4})
SMALL = {**galaxy_zoo.BUILD, "n_train": 128, "n_test": 32, "size": 32, "widths": (4, 8),
         "depths": (0, 1), "dense": 16, "steps": 6, "batch_size": 16, "dropout": 0.1}  # fmt: skip


def make(n, seed):
    time.sleep(0.1)  # long enough to be killed in the middle
    random = np.random.default_rng(seed)
    return {"images": random.normal(size=(n, 4, 4))}, pd.DataFrame({"z": random.random(n)})


def deadly(n, seed):
    """A shard that takes every worker with it, as one that needs too much memory does."""
    os.kill(os.getpid(), signal.SIGKILL)


def checksums(out):
    return json.loads((out / shards.MANIFEST).read_text())["shards"]


@pytest.fixture(scope="module")
def hands():
    with farm.hired(2) as workers:
        yield workers


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    out = tmp_path_factory.mktemp("calm")
    shards.write_shards(out, PLAN, make)
    return checksums(out)


# ---------------------------------------------------------------- farms of workers


def test_a_worker_killed_in_the_middle_of_a_shard_costs_no_bit(tmp_path, hands, calm):
    before, killed = hands.pids(), []

    def after_each(n):
        if not killed:
            killed.append(before[0])
            os.kill(before[0], signal.SIGKILL)

    assert shards.write_shards(tmp_path, PLAN, make, tell=after_each, farm=hands) == 6
    assert killed[0] not in hands.pids()
    assert checksums(tmp_path) == calm
    assert sum(len(truth) for _, truth in shards.read_shards(tmp_path)) == PLAN.n


def test_a_shard_that_kills_every_worker_is_told_and_the_others_stay(tmp_path, hands):
    with pytest.raises(DataError, match="workers: 4 of them died .*fewer --workers"):
        shards.write_shards(tmp_path, shards.Plan(5, 1, 5), deadly, farm=hands)
    assert checksums(tmp_path) == {}


def test_a_farm_can_finish_what_one_process_began(tmp_path, hands, calm):
    def until(n, seed):
        if len(checksums(tmp_path)) == 2:
            raise KeyboardInterrupt
        return make(n, seed)

    with pytest.raises(KeyboardInterrupt):
        shards.write_shards(tmp_path, PLAN, until)
    (tmp_path / ".shard-00002.npz.dead.part").write_bytes(b"half")
    damaged = tmp_path / "shard-00000.npz"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    assert shards.write_shards(tmp_path, PLAN, make, resume=True, farm=hands) == 5
    assert checksums(tmp_path) == calm
    assert not list(tmp_path.glob(".*.part"))


def test_an_error_of_a_worker_is_the_readers(tmp_path, hands):
    def full(n, seed):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        shards.write_shards(tmp_path, PLAN, full, farm=hands)
    assert checksums(tmp_path) == {}


def test_clusters_that_are_not_there_are_named(monkeypatch):
    with pytest.raises(ValueError, match="expected one of local, slurm"), farm.hired(1, "pbs"):
        pass
    monkeypatch.setattr(farm.shutil, "which", lambda name: None)
    with pytest.raises(DataError, match="received no `sbatch`"), farm.hired(1, "slurm"):
        pass
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DataError, match=r"firstlight\[scaling\]"), farm.hired(1):
        pass


def test_slurm_workers_are_jobs_of_one_core():
    pytest.importorskip("dask_jobqueue")
    with farm.slurm(0, memory="3GB", queue="short") as work:
        script = work.job_script()
    assert "--cpus-per-task=1" in script and "-p short" in script
    assert "distributed.cli.dask_worker" in script or "dask worker" in script


# ---------------------------------------------------------------- processes


def test_a_child_is_given_functions_of_the_page_and_gives_back_their_value():
    three = 3
    ballast = b"x" * 600_000_000  # the parent's memory is not the child's
    (answer,) = processes.call(lambda x: three * x, 14, backend="none")
    assert answer.value == 42 and answer.cpu_s < 1 and 5 < answer.peak_mb < 500, len(ballast)


def test_a_child_that_fails_says_what_it_said():
    with pytest.raises(processes.ChildDied, match="status 1.*ZeroDivisionError"):
        processes.call(lambda: 1 / 0, backend="none")


def test_a_killed_child_is_told_by_its_signal_and_ends_the_others():
    job = processes.start(time.sleep, 60, processes=1, backend="none")
    threading.Timer(0.3, job.kill).start()
    begun = time.monotonic()
    with pytest.raises(processes.ChildDied, match="SIGKILL"):
        job.wait()
    assert time.monotonic() - begun < 30 and not job.folder.exists()


def test_a_child_that_takes_too_long_is_ended():
    job = processes.start(time.sleep, 60, backend="none")
    with pytest.raises(processes.ChildDied, match="no answer in 0 s"):
        job.wait(timeout_s=0.2)
    assert job.children[0].poll() is not None


def test_only_jax_shares_a_fit():
    for options in ({"processes": 2, "backend": "tensorflow"}, {"backend": "torch"},
                    {"processes": 0}):  # fmt: skip
        with pytest.raises(ValueError, match="received"):
            processes.start(sum, [1], **options)


def test_a_child_whose_parent_is_gone_leaves():
    code = (
        "import time; from firstlight.scaling import processes as p; "
        "job = p.start(time.sleep, 60, backend='none'); print(job.children[0].pid, flush=True); "
        "import os; os._exit(0)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    pid, deadline = int(told.stdout), time.monotonic() + 20
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.2)
    else:
        pytest.fail("it still runs")
    assert callable(rank.main)


@pytest.mark.slow
def test_two_processes_train_what_one_does_and_a_dead_one_is_noticed(tmp_path):
    def fitted(config, seed, checkpoint):
        """One process's fit of a small galaxy network, for comparison."""
        import numpy as np

        from firstlight.studies import galaxy_zoo

        images, votes = galaxy_zoo.training_set(config, seed)
        galaxy_zoo.fit_model(config, images, votes, seed, checkpoint=checkpoint)
        with np.load(checkpoint) as file:
            return {name: file[name] for name in file.files if name != "state"}

    (one,) = processes.call(fitted, SMALL, 3, tmp_path / "one.npz")
    weights = parallel.train(galaxy_zoo.STUDY, SMALL, 3, tmp_path / "two", 2)
    with np.load(tmp_path / "two" / "checkpoint.npz") as file:
        for name, wanted in one.value.items():
            np.testing.assert_allclose(file[name], wanted, atol=2e-5, err_msg=name)
    card = read_card(weights.with_suffix(".card.json"))
    assert card["processes"] == 2 and card["metrics"]["rmse"] > 0
    training = tmp_path / "two" / "training-images.npy"
    before = training.stat().st_mtime_ns
    parallel._training_set(galaxy_zoo.STUDY, SMALL, 3, tmp_path / "two", 1)
    assert training.stat().st_mtime_ns == before  # kept
    training.write_bytes(training.read_bytes()[:-8])
    images, _ = parallel._training_set(galaxy_zoo.STUDY, SMALL, 3, tmp_path / "two", 1)
    assert images.shape == (128, 32, 32, 3)  # damaged, and made again

    job = processes.start(time.sleep, 60, processes=2)
    job.kill(1)
    with pytest.raises(processes.ChildDied, match="process 2 of 2.*SIGKILL"):
        job.wait()
    assert all(child.poll() is not None for child in job.children)


def test_what_cannot_be_shared_is_refused(tmp_path):
    with pytest.raises(ValueError, match="mergers.*more than one fit"):
        parallel.train(mergers.STUDY, mergers.BUILD, 1, tmp_path, 2)
    with pytest.raises(ValueError, match="received 3 for batches of 16"):
        parallel.train(galaxy_zoo.STUDY, SMALL, 1, tmp_path, 3)
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- jobs and costs


def test_a_job_script_parses_and_asks_for_what_was_asked(tmp_path):
    need = slurm.Resources(hours=30.5, cores=4, memory_gb=1.5, gpus=2, partition="gpu",
                           account="astro-7", setup="source env/bin/activate")  # fmt: skip
    text = slurm.script(["train", "galaxy-zoo", "--out", "it's here"], need)
    for line in ("--time=1-06:30:00", "--mem=1536M", "--gres=gpu:2", "--cpus-per-task=4",
                 "--partition=gpu", "--account=astro-7", "--signal=INT@120"):  # fmt: skip
        assert f"#SBATCH {line}\n" in text
    (tmp_path / "job.sh").write_text(text)
    assert subprocess.run(["bash", "-n", str(tmp_path / "job.sh")]).returncode == 0
    assert "--out 'it'\"'\"'s here' --resume\n" in text
    assert "--resume" not in slurm.script(["evaluate", "galaxy-zoo"], slurm.Resources())
    assert slurm.script(["sweep", "x", "--resume"], slurm.Resources()).count("--resume") == 1


@pytest.mark.parametrize(
    ("status", "seconds", "restarts", "back"),
    [(0, 500, 0, False), (1, 500, 0, True), (1, 5, 0, False), (1, 500, 20, False),
     (137, 500, 3, True)],
)  # fmt: skip
def test_a_job_comes_back_only_where_that_helps(tmp_path, status, seconds, restarts, back):
    for name, body in (("srun", f"exit {status}"), ("scontrol", 'echo "$@" > "$CALLED"')):
        (tmp_path / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / name).chmod(0o755)
    text = slurm.script(["train", "galaxy-zoo"], slurm.Resources())
    text = text.replace("set -uo pipefail", f"set -uo pipefail\nSECONDS={seconds}")
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_ID": "77",
           "SLURM_RESTART_COUNT": str(restarts), "CALLED": str(tmp_path / "called")}  # fmt: skip
    done = subprocess.run(["bash", "-c", text], env=env)
    assert done.returncode == status and (tmp_path / "called").exists() == back
    assert not back or (tmp_path / "called").read_text() == "requeue 77\n"


@pytest.mark.parametrize(
    "wrong",
    [{"hours": 0}, {"cores": 0}, {"memory_gb": -1}, {"gpus": -1}, {"partition": "a b"},
     {"account": "x;rm"}],
)  # fmt: skip
def test_resources_without_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="received"):
        slurm.Resources(**wrong)
    with pytest.raises(ValueError, match="one line"):
        slurm.script(["train", "two\nlines"], slurm.Resources())


def test_energy_is_power_times_time_and_carbon_follows_the_grid():
    plain = cost.Machine(core_w=10.0, memory_w_per_gb=0.5, pue=2.0)
    found = cost.footprint(7200.0, memory_gb=4.0, grid=500.0, machine=plain)
    assert found.core_hours == 2 and found.kwh == pytest.approx(2 * 12 * 2 / 1000)
    assert found.co2_kg == pytest.approx(found.kwh * 0.5)
    twice = cost.footprint(14400.0, memory_gb=4.0, grid=500.0, machine=plain)
    assert twice.kwh == pytest.approx(2 * found.kwh)
    with pytest.raises(ValueError, match="expected 0 or more"):
        cost.footprint(-1.0)


def test_amdahl_is_bounded_and_exact_at_its_ends():
    assert cost.amdahl(0.0, 100) == 1 and cost.amdahl(1.0, 100) == pytest.approx(100)
    gains = [cost.amdahl(0.95, n) for n in (1, 2, 16, 1e6)]
    assert gains == sorted(gains) and gains[-1] < 20
    with pytest.raises(ValueError, match="share from 0 to 1"):
        cost.amdahl(1.2, 2)


def test_youngs_interval_is_the_bottom_of_the_valley():
    best = cost.interval_between_checkpoints(10.0, 20_000.0)
    lost = lambda tau: 10.0 / tau + tau / 40_000.0  # noqa: E731
    assert lost(best) < min(lost(0.9 * best), lost(1.1 * best))
    with pytest.raises(ValueError, match="positive"):
        cost.interval_between_checkpoints(0.0, 1.0)
