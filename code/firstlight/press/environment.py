"""The book's environment in `.venv`: made once, stamped, mended where it was cut off.

Standard library only, and able to parse on Python 3.6: see `bootstrap`.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Iterator  # noqa: UP035 (Python 3.6 has no other)

from firstlight.press.installer import SPACE_GB, Progress, pip_install, venv_python
from firstlight.press.pythons import NEWEST, OLDEST, SetupError, find_python, probe

STEPS = {  # name of the step: (files whose change asks for it again, arguments of pip install)
    "packages": (["requirements.txt"], ["--require-hashes", "-r", "requirements.txt"]),
    "data": (
        ["requirements-data.txt"],
        ["--require-hashes", "--no-deps", "-r", "requirements-data.txt"],
    ),
    "firstlight": (["pyproject.toml"], ["--no-deps", "--no-build-isolation", "-e", "."]),
}


def wanted_stamps(root: Path) -> "dict[str, str]":
    """What a finished environment of this folder is stamped with."""
    stamps = {"root": str(root)}
    for step, (names, arguments) in STEPS.items():
        digest = hashlib.sha256(" ".join(arguments).encode())
        for name in names:
            digest.update((root / name).read_bytes())
        stamps[step] = digest.hexdigest()
    return stamps


def read_stamps(root: Path) -> "dict[str, str]":
    """The stamps of the environment that is there; empty if none, or not readable."""
    try:
        stamps = json.loads((root / ".venv" / "stamps.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamps if isinstance(stamps, dict) else {}


def write_stamps(root: Path, stamps: "dict[str, str]") -> None:
    """Keep the stamps, whole or not at all."""
    part = root / ".venv" / "stamps.json.part"
    part.write_text(json.dumps(stamps, indent=1), encoding="utf-8")
    os.replace(str(part), str(root / ".venv" / "stamps.json"))


@contextlib.contextmanager
def alone(root: Path) -> "Iterator[None]":
    """Wait until no other process sets up this folder (where the system can tell)."""
    try:
        import fcntl

        handle = os.open(str(root), os.O_RDONLY)
    except (ImportError, OSError):  # Windows; or a file system without locks
        yield
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                print("Another set-up is at work in this folder; waiting for it.", flush=True)
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def check_space(root: Path) -> None:
    """Raise unless what is missing of the environment fits on the disk."""
    files = (root / ".venv").rglob("*")
    there = sum(path.lstat().st_size for path in files if not path.is_dir())
    needed = max(0.5, SPACE_GB - there / 1e9)
    free = shutil.disk_usage(str(root)).free / 1e9
    if free < needed:
        raise SetupError(
            f"the disk of {root} has {free:.1f} GB free, and the environment needs {needed:.1f} "
            "GB more. Free some space, or clone the book onto a larger disk."
        )


def make_venv(root: Path, show: Progress) -> None:
    """Create `.venv`, unless a sound one is there already."""
    venv, marker = root / ".venv", root / ".venv" / ".unfinished"
    stamps, choice = read_stamps(root), os.environ.get("PYTHON") or None
    found = None if marker.exists() else probe([str(venv_python(root))])
    sound = found is not None and OLDEST <= found[0][:2] <= NEWEST
    moved = stamps.get("root", str(root)) != str(root)  # its scripts name the old place
    if choice and found and sound:
        sound = find_python(choice)[0][:2] == found[0][:2]
    if sound and not moved:
        return
    version, path = find_python(choice)
    if venv.exists():
        shutil.rmtree(str(venv))
    venv.mkdir()
    marker.touch()
    label = f"Python {'.'.join(map(str, version))} from {path}"
    show.run([path, "-E", "-s", "-m", "venv", str(venv)], label)
    marker.unlink()


def heal(root: Path) -> "list[str]":
    """Let pip see packages whose installation was cut off as missing.

    pip writes INSTALLER and RECORD last; a dist-info folder without them would pass for
    an installed package.

    Returns:
        The names of the folders removed.
    """
    removed = []
    for place in ("lib/python*/site-packages", "Lib/site-packages"):
        for folder in sorted((root / ".venv").glob(place + "/*.dist-info")):
            if not ((folder / "INSTALLER").exists() and (folder / "RECORD").exists()):
                shutil.rmtree(str(folder))
                removed.append(folder.name)
    return removed


def ensure(root: Path) -> Path:
    """Bring the environment up to date.

    Args:
        root: The folder of the book.

    Returns:
        Path of its Python.

    Raises:
        SetupError: With one line that says what is wrong and how to mend it.
    """
    wanted, python = wanted_stamps(root), venv_python(root)
    stamps = read_stamps(root)
    if python.exists() and stamps == wanted and not os.environ.get("PYTHON"):
        return python
    with alone(root):
        stamps = read_stamps(root)
        if stamps != wanted or not python.exists():
            print(f"Setting up the environment in {root / '.venv'}", flush=True)
        if stamps.get("packages") != wanted["packages"] or not python.exists():
            check_space(root)
        show = Progress(root)
        make_venv(root, show)
        stamps = {**read_stamps(root), "root": str(root)}
        for step, (names, arguments) in STEPS.items():
            if stamps.get(step) != wanted[step]:
                heal(root)
                total = count_packages(root / names[0]) if step == "packages" else 0
                show.run(pip_install(python) + arguments, f"{step} of {names[0]}", total)
                stamps[step] = wanted[step]
                write_stamps(root, stamps)
    return python


def count_packages(lock: Path) -> int:
    """How many packages a lock file names (an upper bound: some are for other systems)."""
    return len(re.findall(r"^[A-Za-z0-9_.\[\]-]+==", lock.read_text(encoding="utf-8"), re.M))
