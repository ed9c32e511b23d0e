"""The environment in `.venv`: complete or mended, and free when nothing has changed.

The real pip installs a wheel made here, from a folder: no network is needed.
"""

import base64
import hashlib
import subprocess
import sys
import threading
import time
import zipfile
from types import SimpleNamespace

import pytest

from firstlight.press import environment, installer
from firstlight.press.environment import (
    alone,
    check_space,
    count_packages,
    ensure,
    heal,
    read_stamps,
    wanted_stamps,
    write_stamps,
)
from firstlight.press.installer import venv_python
from firstlight.press.pythons import SetupError


def make_wheel(folder, name):
    """A wheel of one module; returns its sha256."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "ANSWER = 42\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{info}/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            record += f"{file},sha256={digest.decode().rstrip('=')},{len(text)}\n"
            wheel.writestr(file, text)
        wheel.writestr(f"{info}/RECORD", record)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A book whose lock holds one small package, served from a folder."""
    root, wheels = tmp_path / "a book", tmp_path / "wheels"
    root.mkdir()
    wheels.mkdir()
    digest = make_wheel(wheels, "firstpage")
    lock = f"firstpage==1.0 \\\n    --hash=sha256:{digest}\n"
    (root / "requirements.txt").write_text(lock)
    (root / "requirements-data.txt").write_text("# none\n")
    (root / "pyproject.toml").write_text("")
    steps = {
        "packages": (["requirements.txt"], ["--require-hashes", "-r", "requirements.txt"]),
        "data": (["requirements-data.txt"], ["-r", "requirements-data.txt"]),
    }
    monkeypatch.setattr(environment, "STEPS", steps)
    monkeypatch.setattr(environment, "SPACE_GB", 0.1)
    monkeypatch.setenv("PYTHON", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    return root


def answer(root):
    ask = "import firstpage; print(firstpage.ANSWER)"
    return subprocess.check_output([str(venv_python(root)), "-c", ask]).strip()


def test_an_environment_is_made_mended_and_then_free(book, monkeypatch, capsys):
    ensure(book)
    assert answer(book) == b"42"
    assert read_stamps(book) == wanted_stamps(book)

    with monkeypatch.context() as patch:  # nothing changed: no process is started at all
        patch.setattr(subprocess, "Popen", None)
        begun = time.monotonic()
        ensure(book)
        assert time.monotonic() - begun < 0.2

    # pip was cut off between the files of a package and its INSTALLER
    info = next(book.glob(".venv/[Ll]ib*/**/site-packages/firstpage*.dist-info"))
    (info / "INSTALLER").unlink()
    (info.parent / "firstpage.py").write_text("")
    write_stamps(book, {"root": str(book)})
    ensure(book)
    assert answer(book) == b"42"

    # the interpreter itself was being made
    (book / ".venv" / ".unfinished").touch()
    (book / ".venv" / "stamps.json").unlink()
    ensure(book)
    assert answer(book) == b"42"
    assert not (book / ".venv" / ".unfinished").exists()

    # a changed lock runs its own step again, and no other
    capsys.readouterr()
    (book / "requirements-data.txt").write_text("# still none\n")
    ensure(book)
    shown = capsys.readouterr().out
    assert "requirements-data.txt" in shown and "packages" not in shown

    # a wrong hash is named, and the stamp of the step is not given
    (book / "requirements.txt").write_text(f"firstpage==1.0 --hash=sha256:{'0' * 64}\n")
    (info / "INSTALLER").unlink()
    with pytest.raises(SetupError, match="firstpage.*not the file the lock names") as caught:
        ensure(book)
    assert "\n" not in str(caught.value)
    assert read_stamps(book)["packages"] != wanted_stamps(book)["packages"]


def test_an_index_out_of_reach_is_named(book, monkeypatch):
    (book / ".venv").mkdir()
    monkeypatch.setattr(environment, "make_venv", lambda root, show: None)
    monkeypatch.setattr(
        environment, "pip_install", lambda python: installer.pip_install(sys.executable)
    )
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(SetupError, match="index cannot be reached"):
        ensure(book)


def test_a_moved_book_makes_its_environment_anew(book, monkeypatch):
    made = []
    monkeypatch.setattr(environment, "probe", lambda command: ((3, 12, 1), "python", True))
    monkeypatch.setattr(environment, "find_python", lambda wanted: ((3, 12, 1), "python"))
    show = SimpleNamespace(run=lambda command, label: made.append(command))
    (book / ".venv").mkdir()
    write_stamps(book, {"root": str(book)})
    environment.make_venv(book, show)
    assert made == []
    write_stamps(book, {"root": "/where/it/was"})
    environment.make_venv(book, show)
    assert len(made) == 1
    assert read_stamps(book) == {}


def test_another_python_asked_for_replaces_the_environment(book, monkeypatch):
    made = []
    monkeypatch.setattr(environment, "probe", lambda command: ((3, 11, 9), "python", True))
    monkeypatch.setattr(environment, "find_python", lambda wanted: ((3, 12, 1), wanted))
    monkeypatch.setenv("PYTHON", "python3.12")
    (book / ".venv").mkdir()
    show = SimpleNamespace(run=lambda command, label: made.append(command))
    environment.make_venv(book, show)
    assert made[0][0] == "python3.12"


def test_a_disk_too_small_is_told_before_anything_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda path: SimpleNamespace(free=1.25e9))
    with pytest.raises(SetupError, match=r"has 1\.2 GB free.*needs 4\.0 GB"):
        check_space(tmp_path)


def test_what_is_there_already_needs_no_space(tmp_path, monkeypatch):
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "big").write_bytes(bytes(1000))
    monkeypatch.setattr(environment, "SPACE_GB", 1e-6)
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda path: SimpleNamespace(free=6e8))
    check_space(tmp_path)


def test_only_half_installed_packages_are_removed(tmp_path):
    place = tmp_path / ".venv" / "lib" / "python3.12" / "site-packages"
    for name, files in {"whole": ["INSTALLER", "RECORD"], "half": ["METADATA"]}.items():
        (place / f"{name}-1.dist-info").mkdir(parents=True)
        for file in files:
            (place / f"{name}-1.dist-info" / file).touch()
    assert heal(tmp_path) == ["half-1.dist-info"]
    assert (place / "whole-1.dist-info").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no file locks of this kind on Windows")
def test_a_second_set_up_waits_for_the_first(tmp_path, capsys):
    order = []

    def second():
        with alone(tmp_path):
            order.append("second")

    with alone(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]
    assert "waiting" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "not json", "[1, 2]"])
def test_spoiled_stamps_count_as_none(tmp_path, text):
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "stamps.json").write_text(text)
    assert read_stamps(tmp_path) == {}


def test_packages_of_a_lock_are_counted(tmp_path):
    lock = tmp_path / "requirements.txt"
    lock.write_text("# head\na-b==1 \\\n    --hash=sha256:0\nc.d==2 ; sys_platform == 'x'\n")
    assert count_packages(lock) == 2
