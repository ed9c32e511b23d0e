"""The bootstrap: from a bare Python to the two commands, or one line that says what is missing."""

import ast
import errno
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from firstlight.press import bootstrap
from firstlight.press.pythons import SetupError

ROOT = Path(__file__).parents[1]
PRESS = ROOT / "code" / "firstlight" / "press"
BARE = [
    ROOT / "code" / "firstlight" / "__init__.py",
    *(PRESS / f"{name}.py" for name in "__init__ bootstrap environment installer pythons".split()),
]


@pytest.fixture
def clone(tmp_path):
    """What a fresh clone holds of this, with a space in its path and no environment."""
    root = tmp_path / "my clone"
    (root / "code" / "firstlight" / "press").mkdir(parents=True)
    for path in BARE:
        shutil.copy(path, root / path.relative_to(ROOT))
    for name in ("Makefile", "requirements.txt", "requirements-data.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    return root


def fake_python(folder, version, able="true"):
    """A command that answers the bootstrap's question as another Python would."""
    path = folder / "fake-python"
    answer = f"'[{version}, \"/usr/bin/fake\", {able}]'"
    path.write_text(f'#!/bin/sh\ncase "$*" in *ensurepip*) echo {answer};; *) exit 1;; esac\n')
    path.chmod(0o755)
    return str(path)


def call(root, *command, **environ):
    """Run a command as a reader would, with an environment that names no virtual one."""
    outer = ("VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")
    kept = {key: value for key, value in os.environ.items() if key not in outer}
    return subprocess.run(
        command, cwd=root, env={**kept, "PYTHON": "", **environ}, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip


def script(root):
    return str(root / "code" / "firstlight" / "press" / "bootstrap.py")


@pytest.mark.parametrize("path", BARE, ids=lambda path: path.name)
def test_it_parses_on_an_old_python(path):
    tree = ast.parse(path.read_text(), feature_version=(3, 6))
    notes = [node.annotation for node in ast.walk(tree) if isinstance(node, ast.arg)]
    notes += [node.returns for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for note in filter(None, notes):  # list[str] and X | Y would fail when the line is run
        assert isinstance(note, ast.Name | ast.Constant), ast.unparse(note)
    assert "from __future__ import annotations" not in path.read_text()


def test_it_runs_with_the_standard_library_alone(clone):
    done = call(clone, sys.executable, "-I", "-S", script(clone), "help")
    assert done.returncode == 0, done.stderr
    assert "book" in done.stdout and "chapter NAME" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
@pytest.mark.parametrize(
    "version, able, says",
    [
        ("[3, 9, 18]", "true", "found Python 3.9.18 (/usr/bin/fake), which is too old"),
        ("[3, 15, 0]", "true", "too new"),
        ("[3, 12, 3]", "false", "sudo apt install python3.12-venv"),
    ],
)
def test_an_unfit_python_gets_one_line(clone, tmp_path, version, able, says):
    fake = fake_python(tmp_path, version, able)
    done = call(clone, sys.executable, script(clone), "book", PYTHON=fake)
    assert done.returncode == 1
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (clone / ".venv").exists()


@pytest.mark.skipif(not shutil.which("make"), reason="make is not on this machine")
def test_make_passes_the_readers_python_on(clone, tmp_path):
    done = call(clone, "make", "test", f"PYTHON={fake_python(tmp_path, '[3, 8, 1]')}")
    assert done.returncode != 0
    assert "found Python 3.8.1" in done.stderr


@pytest.mark.skipif(not shutil.which("make"), reason="make is not on this machine")
def test_make_without_any_python_says_so(clone, tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "make", "sed"):
        (tools / name).symlink_to(shutil.which(name))
    done = call(clone, "make", "book", PATH=str(tools))
    assert done.returncode != 0
    assert "No Python found. The book needs Python 3.11, 3.12 or 3.13" in done.stderr
    done = call(clone, "make", PATH=str(tools))
    assert done.returncode == 0 and "make book" in done.stdout


@pytest.mark.skipif(not shutil.which("make"), reason="make is not on this machine")
def test_make_chapter_needs_a_chapter(clone):
    assert "C=supervised/galaxy-zoo" in call(clone, "make", "chapter").stderr


def test_every_command_is_known_to_make_and_to_windows():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    commands = set(re.findall(r"^  (\w+)", bootstrap.HELP, re.M))
    assert targets - {"help"} == commands
    assert {"book", "test", "chapter", "seeds", "mutants", "bench", "lock", "clean"} <= commands


def test_an_unknown_command_lists_the_known(capsys):
    assert bootstrap.main(["bock"]) == 2
    assert "'bock'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "trouble, says",
    [
        (SetupError("the moon is up. Wait."), "cannot be set up: the moon is up. Wait."),
        (OSError(errno.EROFS, "Read-only"), "is read-only; clone the book where you can write"),
        (OSError(errno.EACCES, "Denied"), "not yours to write"),
        (OSError(errno.ENOSPC, "Full"), "the disk is full; free about 4 GB"),
    ],
)
def test_trouble_is_one_line(monkeypatch, capsys, tmp_path, trouble, says):
    def fail(root):
        raise trouble

    monkeypatch.setattr(bootstrap, "ensure", fail)
    assert bootstrap.main(["book"], tmp_path) == 1
    text = capsys.readouterr().err
    assert says in text
    assert len(text.strip().splitlines()) == 1


def test_windows_hears_of_wsl_before_anything_is_fetched(monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "ensure", lambda root: pytest.fail("fetched in vain"))
    monkeypatch.setattr(bootstrap.sys, "platform", "win32")
    assert bootstrap.main(["book"]) == 1
    monkeypatch.undo()
    said = capsys.readouterr().err.strip()
    assert "wsl --install" in said and len(said.splitlines()) == 1


def test_an_interrupted_set_up_says_how_to_go_on(monkeypatch, capsys, tmp_path):
    def interrupt(root):
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "ensure", interrupt)
    assert bootstrap.main(["test"], tmp_path) == 130
    assert "goes on from here" in capsys.readouterr().err


@pytest.mark.parametrize(
    "given, runs",
    [
        (["book"], ["-m", "firstlight.press", "book"]),
        (["chapter", "why/x"], ["-m", "firstlight.press", "chapter", "why/x"]),
        (["seeds", "why/x", "-n", "5"], ["-m", "firstlight.press", "seeds", "why/x", "-n", "5"]),
        (["test", "tests/test_cli.py"], ["-m", "pytest", "tests/test_cli.py"]),
        (["bench"], ["-m", "benchmarks"]),
    ],
)
def test_commands_go_on_in_the_environment(monkeypatch, tmp_path, given, runs):
    seen = []
    monkeypatch.setattr(bootstrap, "ensure", lambda root: Path("the-python"))
    monkeypatch.setattr(bootstrap, "act", lambda command, root: seen.append(command) or 0)
    assert bootstrap.main(given, tmp_path) == 0
    assert seen == [["the-python", *runs]]


def test_the_lock_is_universal_and_has_hashes(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(bootstrap, "ensure", lambda root: Path("the-python"))
    monkeypatch.setattr(bootstrap.Progress, "run", lambda *_: None)
    monkeypatch.setattr(bootstrap, "act", lambda command, root: seen.append(command) or 0)
    bootstrap.main(["lock", "--upgrade"], tmp_path)
    assert {"--universal", "--generate-hashes", "--upgrade", "requirements.in"} <= set(seen[0])


def test_clean_needs_no_environment(tmp_path):
    (tmp_path / "_build" / "html").mkdir(parents=True)
    assert bootstrap.main(["clean"], tmp_path) == 0
    assert not (tmp_path / "_build").exists()
    assert bootstrap.main(["clean"], tmp_path) == 0


def test_a_python_with_the_packages_goes_on_itself(monkeypatch, clone):
    monkeypatch.setattr(bootstrap, "main", lambda argv, root: 7)
    assert bootstrap.enter(["book"], clone) is None
    assert bootstrap.enter(["test"], clone) == 7  # not a command of the press itself
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None)
    assert bootstrap.enter(["book"], clone) == 7
    assert bootstrap.enter(["book"], clone / "code") is None  # no clone there


def test_the_press_itself_brings_a_bare_python_in(clone, tmp_path):
    for name in ("__main__", "errors"):
        shutil.copy(PRESS / f"{name}.py", clone / "code" / "firstlight" / "press")
    fake = fake_python(tmp_path, "[3, 9, 18]")
    command = [sys.executable, "-S", "-m", "firstlight.press", "book"]
    done = call(clone / "code", *command, PYTHON=fake, PYTHONPATH="")
    assert done.returncode == 1
    assert "found Python 3.9.18" in done.stderr
