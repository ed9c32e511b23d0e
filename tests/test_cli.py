"""The command line: instant help, plain words when something is wrong, and no traceback."""

import errno
import os
import pkgutil
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from archive_kit import CONTENT, NAME, Server, entry, folder, plant, server  # noqa: F401
from firstlight import cli, studies
from firstlight.archive import registry, report, shards
from firstlight.sky import galaxies

# ruff: noqa: F811  (fixtures are imported by name)
Patch = pytest.MonkeyPatch
Capture = pytest.CaptureFixture[str]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "firstlight", *words], capture_output=True, text=True, timeout=60
    )


def refused(capsys: Capture, status: int, *words: str) -> str:
    """The one line that a wrong command earns."""
    assert cli.main(words) == status
    told = capsys.readouterr()
    assert told.err.startswith("firstlight: ") and told.err.count("\n") == 1
    assert "Traceback" not in told.err
    return told.err


MODULES = {
    "firstlight.cli.cluster", "firstlight.cli.data", "firstlight.cli.evaluate",
    "firstlight.cli.simulate", "firstlight.cli.study", "firstlight.cli.sweep",
    "firstlight.cli.train", "firstlight.cli.words",
}  # fmt: skip


def test_every_command_is_a_module_of_its_own() -> None:
    found = {f"firstlight.cli.{info.name}" for info in pkgutil.iter_modules(cli.__path__)}
    assert found == MODULES
    for name in cli.COMMANDS:
        room = import_module(f"firstlight.cli.{name}")
        assert room.ABOUT and callable(room.grammar)


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_help_shows_every_command(capsys: Capture, words: list[str]) -> None:
    assert cli.main(words) == 0
    shown = capsys.readouterr().out
    for command in cli.COMMANDS:
        assert f"\n  {command} " in shown
    assert all(len(line) <= 90 for line in shown.splitlines())


def test_help_is_instant() -> None:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        run("--help")
        times.append(time.perf_counter() - start)
    assert min(times) < 0.3 * max(1.0, os.getloadavg()[0])


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from firstlight.cli import main; main(['--help']); "
        "heavy = {'numpy', 'pandas', 'keras', 'tensorflow', 'pooch', 'tqdm'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.parametrize(
    "words",
    [["data", "list"], ["data", "fetch"], ["simulate"], ["train"], ["evaluate"], ["sweep"]],
)
def test_every_command_explains_itself(capsys: Capture, words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--help"])
    assert ended.value.code == 0
    assert "Example: firstlight " in " ".join(capsys.readouterr().out.split())


def test_python_m_is_the_same_door(capsys: Capture, monkeypatch: Patch) -> None:
    import runpy

    monkeypatch.setattr(sys, "argv", ["firstlight", "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("firstlight.__main__", run_name="__main__")
    assert ended.value.code == 0 and capsys.readouterr().out == cli.OVERVIEW


def test_the_version_is_the_packages(capsys: Capture) -> None:
    from firstlight import __version__

    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out.split() == ["firstlight", __version__]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["simlate"], "Did you mean 'simulate'?"),
        (["data", "fech"], "Did you mean 'fetch'?"),
        (["data"], "required"),
        (["simulate", "galaxy", "-n", "1", "--out", "x"], "Did you mean 'galaxies'?"),
        (["simulate", "galaxies", "-n", "0", "--out", "x"], "expected at least 1"),
        (["simulate", "galaxies", "-n", "many", "--out", "x"], "expected a whole number"),
        (["simulate", "galaxies", "--out", "x"], "required: -n"),
        (["data", "fetch"], "Name some, or add --small or --all"),
        (["evaluate", "galaxy-zoo", "--weights", "no/such.npz"], "expected an existing npz"),
        (["--frobnicate"], "firstlight --help"),
    ],
)
def test_a_wrong_command_is_answered_in_one_line(
    capsys: Capture, words: list[str], told: str
) -> None:
    assert told in refused(capsys, 2, *words)


def test_an_unknown_name_is_a_data_error(capsys: Capture, folder: Path) -> None:
    assert "Did you mean 'gz2/table5.csv.gz'?" in refused(
        capsys, 1, "data", "verify", "gz2/table5.csv"
    )


# --- data ----------------------------------------------------------------------------


def test_list_marks_what_is_here(capsys: Capture, folder: Path, monkeypatch: Patch) -> None:
    plant(monkeypatch, folder, "gz2/table5.csv.gz", CONTENT)
    plant(monkeypatch, folder, "vvv/lc_target_k.tar.gz", CONTENT).write_bytes(b"damaged")
    assert cli.main(["data", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    mark = {line.split()[1]: line.split()[0] for line in lines if line.startswith(" ")}
    assert set(mark) == set(registry.REGISTRY)
    assert mark["gz2/table5.csv.gz"] == "+"
    assert mark["vvv/lc_target_k.tar.gz"] == "!"
    assert mark["vvv/lc_dev_g.tar.gz"] == "-"
    assert str(folder) in lines[-1]


def test_fetch_brings_verifies_and_says_so(
    capsys: Capture, folder: Path, server: Server, monkeypatch: Patch
) -> None:
    monkeypatch.setitem(registry.REGISTRY, NAME, entry(url=server.url))
    assert cli.main(["data", "fetch", "made"]) == 0
    assert (folder / NAME).read_bytes() == CONTENT
    assert capsys.readouterr().out == f"+ {NAME}\n"
    assert cli.main(["data", "verify", NAME]) == 0


def test_one_file_gone_does_not_stop_the_others(
    capsys: Capture, folder: Path, server: Server, monkeypatch: Patch
) -> None:
    for name in ("made/a", "made/b"):
        monkeypatch.setitem(registry.REGISTRY, name, entry(name=name, url=server.url))
    server.faults = ["404"]
    assert "HTTP 404" in refused(capsys, 1, "data", "fetch", "made")
    assert (folder / "made/b").is_file() and not (folder / "made/a").exists()


def test_without_a_network_one_line_is_enough(
    capsys: Capture, folder: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(registry, "REGISTRY", dict(registry.REGISTRY))
    registry.REGISTRY.clear()
    for name in ("made/a", "made/b"):
        registry.REGISTRY[name] = entry(name=name, url="http://127.0.0.1:9/x")
    assert "no connection" in refused(capsys, 1, "data", "fetch", "--small", "--once")


def test_verify_tells_a_damaged_file(capsys: Capture, folder: Path, monkeypatch: Patch) -> None:
    plant(monkeypatch, folder, NAME, CONTENT).write_bytes(CONTENT[:10])
    assert cli.main(["data", "verify", NAME]) == 1
    assert "truncated file of 10 bytes" in capsys.readouterr().out
    (folder / NAME).unlink()
    assert cli.main(["data", "verify", NAME]) == 1
    assert f"- {NAME}: not here" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("size", "words"), [(11_520, "12 kB"), (4_556_160, "4.6 MB"), (2_540_000_000, "2.5 GB")]
)
def test_sizes_are_readable(size: int, words: str) -> None:
    assert report.human_size(size) == words


def test_a_closed_pipe_is_no_accident() -> None:
    reader = subprocess.Popen(
        [sys.executable, "-m", "firstlight", "data", "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert reader.stdout and reader.stderr
    reader.stdout.close()
    told = reader.stderr.read()
    reader.wait(timeout=60)
    assert b"Traceback" not in told and b"BrokenPipe" not in told


# --- simulated skies -----------------------------------------------------------------


def made_sky(n: int, seed: int, *, size: int, workers: int) -> Any:
    rng = np.random.default_rng(seed)
    images = rng.normal(size=(n, size, size, 3)).astype(np.float32)
    probabilities = np.full((n, 37), 0.5, np.float32)
    truth = pd.DataFrame({"redshift": rng.random(n)})
    return SimpleNamespace(images=images, probabilities=probabilities, truth=truth)


def test_simulate_writes_a_set_and_takes_it_up(
    capsys: Capture, tmp_path: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(galaxies, "simulate", made_sky)
    out = str(tmp_path / "sky")
    command = ["simulate", "galaxies", "-n", "5", "--out", out, "--shard", "2", "--size", "8"]
    assert cli.main(command) == 0
    parts = list(shards.read_shards(Path(out)))
    assert [len(truth) for _, truth in parts] == [2, 2, 1]
    assert set(parts[0][0]) == {"images", "probabilities", "votes"}
    assert parts[0][0]["images"].shape == (2, 8, 8, 3)
    assert "Add --resume" in refused(capsys, 1, *command)
    assert cli.main([*command, "--resume"]) == 0
    assert "(3 kept)" in capsys.readouterr().out


def test_simulate_draws_real_galaxies(tmp_path: Path) -> None:
    out = tmp_path / "sky"
    assert cli.main(["simulate", "galaxies", "-n", "3", "--out", str(out), "--seed", "5"]) == 0
    ((arrays, truth),) = shards.read_shards(out)
    assert arrays["images"].shape == (3, 48, 48, 3) and len(truth) == 3
    votes = arrays["votes"][:, :3].sum(axis=1)
    np.testing.assert_allclose(votes, 1, atol=1e-6)


@pytest.mark.parametrize(
    ("problem", "status", "told"),
    [
        (KeyboardInterrupt(), 1, "interrupted"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "shard-00001.npz"), 1, "disk is full"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "x"), 1, "No such file"),
        (PermissionError(errno.EACCES, "Permission denied", "/sky"), 1, "Permission denied (/sky)"),
        (ValueError("size: received 7, expected an even number."), 2, "expected an even number"),
    ],
)
def test_accidents_are_told_in_one_line(
    capsys: Capture,
    tmp_path: Path,
    monkeypatch: Patch,
    problem: BaseException,
    status: int,
    told: str,
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise problem

    monkeypatch.setattr(galaxies, "simulate", fail)
    command = ["simulate", "galaxies", "-n", "1", "--out", str(tmp_path / "sky")]
    assert told in refused(capsys, status, *command)


def test_a_bug_of_ours_keeps_its_traceback(tmp_path: Path, monkeypatch: Patch) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(galaxies, "simulate", fail)
    with pytest.raises(ZeroDivisionError):
        cli.main(["simulate", "galaxies", "-n", "1", "--out", str(tmp_path / "sky")])


@pytest.mark.slow
def test_ctrl_c_keeps_the_finished_shards(tmp_path: Path) -> None:
    out = tmp_path / "sky"
    command = ["simulate", "galaxies", "-n", "4000", "--out", str(out), "--shard", "64"]
    child = subprocess.Popen(
        [sys.executable, "-m", "firstlight", *command], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not list(out.glob("shard-*.npz")) and time.monotonic() < deadline:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    told = child.communicate(timeout=60)[1]
    assert child.returncode == 1
    assert "firstlight: interrupted" in told and "Traceback" not in told
    assert list(out.glob("shard-*.npz")) and not list(out.glob(".*.part"))


# --- studies -------------------------------------------------------------------------


class MadeStudy:
    """A study that trains in no time and remembers how it was called."""

    name = "made-study"
    scales = {"build": {"epochs": 1}, "full": {"epochs": 9}}

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def train(self, config: Any, seed: int, out: Path, *, resume: bool, progress: bool) -> Path:
        self.calls.append(("train", config["epochs"], seed, resume))
        weights = out / "made-study.npz"
        weights.write_bytes(b"")
        return weights

    def simulate(self, config: Any, seed: int) -> str:
        return f"sky {seed}"

    def evaluate(self, weights: Path | None, data: str) -> dict[str, float]:
        self.calls.append(("evaluate", weights, data))
        return {"rmse": 0.07123456789, "n": 12}


@pytest.fixture
def study(monkeypatch: Patch) -> MadeStudy:
    made = MadeStudy()
    monkeypatch.setattr(studies, "NAMES", (made.name,), raising=False)
    monkeypatch.setattr(studies, "get", lambda name: made, raising=False)
    monkeypatch.setattr(studies, "SWEEPS", ("made-study-seeds",), raising=False)
    monkeypatch.setattr(
        studies, "sweep", lambda name, out, resume: Path(f"{name}.csv"), raising=False
    )
    return made


def test_train_passes_on_what_was_asked(study: MadeStudy, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "new" / "run"
    command = ["train", "made-study", "--scale", "full", "--seed", "7", "--out", str(out)]
    assert cli.main([*command, "--resume"]) == 0
    assert study.calls == [("train", 9, 7, True)]
    assert str(out / "made-study.npz") in capsys.readouterr().out


def test_train_without_a_folder_makes_one(
    study: MadeStudy, tmp_path: Path, monkeypatch: Patch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["train", "made-study"]) == 0
    assert (tmp_path / "runs" / "made-study-build-1" / "made-study.npz").is_file()


def test_evaluate_prints_metrics_for_eyes_and_for_programs(
    study: MadeStudy, tmp_path: Path, capsys: Capture
) -> None:
    assert cli.main(["evaluate", "made-study", "--seed", "3"]) == 0
    assert capsys.readouterr().out.split() == ["rmse", "0.0712346", "n", "12"]
    weights = tmp_path / "w.npz"
    weights.write_bytes(b"")
    assert cli.main(["evaluate", "made-study", "--weights", str(weights), "--json"]) == 0
    assert '"rmse": 0.07123456789' in capsys.readouterr().out
    assert study.calls == [("evaluate", None, "sky 3"), ("evaluate", weights, "sky 999")]


def test_a_sweep_is_run_by_its_id(study: MadeStudy, capsys: Capture) -> None:
    assert cli.main(["sweep", "made-study-seeds"]) == 0
    assert "made-study-seeds.csv" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["train", "mad-study"], "Did you mean 'made-study'?"),
        (["train", "made-study", "--scale", "ful"], "Did you mean 'full'?"),
        (["evaluate", "xyz"], "There is: made-study"),
        (["sweep", "made-study-seed"], "Did you mean 'made-study-seeds'?"),
    ],
)
def test_unknown_studies_and_scales_are_answered_with_the_nearest(
    study: MadeStudy, capsys: Capture, words: list[str], told: str
) -> None:
    assert told in refused(capsys, 2, *words)


def test_a_run_folder_that_is_a_file_is_told(
    study: MadeStudy, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "run").write_text("in the way")
    assert "File exists" in refused(
        capsys, 1, "train", "made-study", "--out", str(tmp_path / "run")
    )
