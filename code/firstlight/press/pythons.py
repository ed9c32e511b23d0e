"""Find, among the Pythons of a machine, one that can hold the book.

Standard library only, and able to parse on Python 3.6: see `bootstrap`.
"""

import json
import os
import subprocess
import sys

OLDEST, NEWEST = (3, 11), (3, 13)
NEEDS = "The book needs Python 3.11, 3.12 or 3.13"
CURE = (
    "install one from https://www.python.org/downloads/ or name yours: "
    "make book PYTHON=/path/to/python3.13 (without make: set PYTHON)."
)
NAMES = ["python3.13", "python3.12", "python3.11", "python3", "python"]


class SetupError(Exception):
    """What stands in the way of the environment, in one line that says how to mend it."""


def probe(command: "list[str]") -> "tuple[tuple[int, ...], str, bool] | None":
    """Ask a Python what it is.

    Args:
        command: How to start it, such as ``["python3"]`` or ``["py", "-3.12"]``.

    Returns:
        Version, path and whether it can make environments; None if it does not start.
    """
    ask = (
        "import sys, json\n"
        "try:\n    import venv, ensurepip\nexcept ImportError: able = False\nelse: able = True\n"
        "path = getattr(sys, '_base_executable', None) or sys.executable\n"
        "print(json.dumps([list(sys.version_info[:3]), path, able]))"
    )
    try:
        out = subprocess.check_output(
            command + ["-E", "-s", "-c", ask], stderr=subprocess.DEVNULL, timeout=30
        )
        version, path, able = json.loads(out.decode())
    except (OSError, ValueError, TypeError, subprocess.SubprocessError):
        return None
    return tuple(version), path, able


def complain(version: "tuple[int, ...]", path: str, able: bool) -> "str | None":
    """Say why a Python cannot hold the book; None if it can."""
    name = f"Python {'.'.join(map(str, version))} ({path})"
    if version[:2] < OLDEST:
        return f"found {name}, which is too old. {NEEDS}: {CURE}"
    if version[:2] > NEWEST:
        return f"found {name}, which is too new: TensorFlow has no build for it. {NEEDS}: {CURE}"
    if not able:
        package = "python{}.{}-venv".format(*version)
        return (
            f"{name} lacks its venv module. On Debian or Ubuntu: sudo apt install {package}; "
            f"or else {CURE}"
        )
    return None


def find_python(wanted: "str | None" = None) -> "tuple[tuple[int, ...], str]":
    """Find a Python that can hold the book.

    Args:
        wanted: The reader's own choice (`PYTHON`), which is then the only one tried.

    Returns:
        Version and path.

    Raises:
        SetupError: If there is none; says what was found instead.
    """
    commands = [[wanted]] if wanted else [[name] for name in NAMES] + [[sys.executable]]
    if os.name == "nt" and not wanted:
        commands += [["py", "-3.13"], ["py", "-3.12"], ["py", "-3.11"]]
    complaints = []
    for found in map(probe, commands):
        complaint = found and complain(*found)
        if found and not complaint:
            return found[0], found[1]
        complaints += [complaint] if complaint else []
    if complaints:  # the nearest miss first: a right version without venv
        raise SetupError(min(complaints, key=lambda text: "venv module" not in text))
    what = f"PYTHON={wanted} does not start" if wanted else f"found none of {', '.join(NAMES)}"
    raise SetupError(f"{what}. {NEEDS}: {CURE}")
