"""Running a step of the set-up: quiet, never left behind, and its failure explained."""

import re
import shutil
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from firstlight.press.installer import (
    Progress,
    clean_environ,
    explain,
    pip_install,
    started,
    venv_python,
)
from firstlight.press.pythons import SetupError

HASHES = """\
ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated
    astropy==8.0.2 from https://example.org/astropy.whl (from -r requirements.txt (line 30)):
        Expected sha256 1111111111111111
        Expected     or 3333333333333333
             Got        2222222222222222
"""


@pytest.fixture
def progress(tmp_path):
    (tmp_path / ".venv").mkdir()
    return Progress(tmp_path)


@pytest.mark.parametrize(
    "noise, says",
    [
        ("OSError: [Errno 28] No space left on device", "disk became full"),
        ("ERROR: Disk quota exceeded", "disk became full"),
        ("[Errno 13] Permission denied: '/x/.venv/lib'", "could not be written"),
        (HASHES, r"astropy==8\.0\.2 as downloaded is not .*expected 111111111111.*got 2222"),
        (
            "Failed to establish a new connection: [Errno 101]\nERROR: No matching distribution "
            "found for absl-py==2.5.1",
            "index cannot be reached",
        ),  # fmt: skip
        (
            "ERROR: No matching distribution found for tensorflow==2.21.0 ; x",
            r"has no tensorflow==2",
        ),
        ("Traceback\nsomething new", "something new"),
    ],
)
def test_a_failure_is_named_by_its_cause(noise, says):
    text = explain(noise, Path("setup.log"), 1)
    assert re.search(says, text)
    assert "setup.log" in text


def test_known_causes_take_one_line():
    assert "\n" not in explain(HASHES, Path("setup.log"), 1)


def test_a_step_keeps_its_noise_in_the_log(progress, capsys):
    progress.run([sys.executable, "-c", "print('noise'); print(1/1)"], "Step")
    shown = capsys.readouterr().out
    assert "noise" not in shown
    assert "Step: done in" in shown
    assert "noise" in progress.log.read_text()
    assert not (progress.root / ".venv" / "tmp").exists()


def test_a_failed_step_shows_its_last_lines_only(progress):
    progress.run([sys.executable, "-c", "print('earlier step')"], "First")
    with pytest.raises(SetupError, match="broken") as caught:
        progress.run([sys.executable, "-c", "print('broken'); raise SystemExit(3)"], "Second")
    assert "earlier step" not in str(caught.value)
    assert "code 3" in str(caught.value)


def test_a_full_disk_is_recognized_though_the_log_could_not_be_written(progress, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    with pytest.raises(SetupError, match="disk became full"):
        progress.run([sys.executable, "-c", "raise SystemExit(1)"], "Step")


def test_no_process_is_left_behind(tmp_path):
    with open(tmp_path / "log", "wb") as log:
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        with pytest.raises(KeyboardInterrupt):
            with started(command, log, tmp_path, clean_environ(tmp_path)) as process:
                raise KeyboardInterrupt
    deadline = time.monotonic() + 5
    while psutil.pid_exists(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process.poll() is not None


def test_packages_are_counted(progress):
    progress.log.write_text("Collecting a\nRequirement already satisfied: b\n  Downloading a\n")
    assert progress.count(0, 9).startswith("2 of about 9")
    progress.log.write_text("Collecting a\nInstalling collected packages: a, b\n")
    assert "installing" in progress.count(0, 9)
    assert progress.count(0, 0) == ""


def test_settings_for_other_software_do_not_leak_in(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", "/opt/casa")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    environ = clean_environ(tmp_path)
    assert "PYTHONPATH" not in environ and "PIP_TARGET" not in environ
    assert environ["PATH"].startswith(str(venv_python(tmp_path).parent))


def test_pip_asks_nothing_and_ignores_the_users_folder(tmp_path):
    command = pip_install(venv_python(tmp_path))
    assert "-I" in command and "--no-input" in command
