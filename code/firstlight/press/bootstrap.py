"""Set up the book's environment with nothing but the Python that runs this file, then act in it.

    python3 code/firstlight/press/bootstrap.py book     # as `make book`; no make needed

Nothing is installed yet when this runs, so it uses the standard library only. It must at
least parse on Python 3.6, so that an old Python is told what it lacks (hence the quoted
annotations; a test holds this). Each step of a set-up is stamped when it is done: an
interrupted one resumes, and a finished one costs a few milliseconds.
"""

import errno
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
if __name__ == "__main__":
    # As a script: `code` comes in, and this folder goes, because it holds modules that
    # would hide the standard library's (trace, for one).
    here = Path(__file__).resolve().parent
    sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    sys.path.insert(0, str(ROOT / "code"))

from firstlight.press.environment import ensure  # noqa: E402
from firstlight.press.installer import (  # noqa: E402
    SPACE_GB,
    Progress,
    clean_environ,
    pip_install,
    venv_python,
)
from firstlight.press.pythons import SetupError  # noqa: E402

HELP = """\
  book              set up what is missing, execute every chapter, build the HTML
  test [ARGS]       set up what is missing, run the tests (ARGS go to pytest)
  chapter NAME      execute and render one page, such as supervised/galaxy-zoo
  seeds NAME -n 5   run a chapter under other seeds: every claim's scatter beside its band
  mutants           break every study on purpose: each headline claim must notice
  bench [NAME ...]  speed against plain scripts, plain GalSim and a well-known peer
  notebooks         write the executed chapters as notebooks, for Colab and to download
  pdf               write the built book as one PDF (needs Chromium or Chrome)
  epub              write the built book as one ePub (needs it, too)
  lock [ARGS]       compile requirements.in into requirements.txt (ARGS go to uv)
  setup             set up the environment in .venv, nothing else
  clean             remove _build (the environment in .venv stays)"""


def act(command: "list[str]", root: Path) -> int:
    """Go on as another program in the book's environment; its exit code is ours."""
    sys.stdout.flush()
    environ = clean_environ(root)
    if os.name != "nt":
        os.chdir(str(root))
        os.execve(command[0], command, environ)
    return subprocess.call(command, env=environ, cwd=str(root))


def check_system() -> None:
    """Raise where the book cannot run, before gigabytes are fetched in vain."""
    if sys.platform == "win32":
        raise SetupError(
            "GalSim, which draws the galaxies, has no build for Windows. Run the book inside WSL "
            "(wsl --install -d Ubuntu-24.04); book/appendix/how-to-use.md has the steps."
        )


def perform(command: str, arguments: "list[str]", root: Path) -> int:
    """Do one of the commands of HELP in an environment that is up to date."""
    check_system()
    python = ensure(root)
    if command == "setup":
        print(f"The environment is ready: {python}")
        return 0
    if command == "test":
        return act([str(python), "-m", "pytest"] + arguments, root)
    if command == "bench":
        return act([str(python), "-m", "benchmarks"] + arguments, root)
    if command == "lock":
        Progress(root).run(pip_install(python) + ["uv"], "uv, which compiles the lock")
        compile_ = ["pip", "compile", "-q", "--universal", "--generate-hashes", "--no-header"]
        files = ["--python-version", "3.11", "-o", "requirements.txt", "requirements.in"]
        return act([str(python), "-m", "uv"] + compile_ + arguments + files, root)
    return act([str(python), "-m", "firstlight.press", command] + arguments, root)


def main(argv: "list[str]", root: Path = ROOT) -> int:
    """Set up what is missing, then do what was asked.

    Args:
        argv: A command of HELP and its arguments.
        root: The folder of the book.

    Returns:
        The exit code (on POSIX a command that goes on in the environment does not return).
    """
    command, arguments = (argv[0], argv[1:]) if argv else ("help", [])
    if command in ("help", "-h", "--help"):
        print("usage: python code/firstlight/press/bootstrap.py COMMAND\n\n" + HELP)
        return 0
    if command not in re.findall(r"^  (\w+)", HELP, re.M):
        print(f"Unknown command {command!r}; these are known:\n{HELP}", file=sys.stderr)
        return 2
    try:
        if command == "clean" and not venv_python(root).exists():
            if (root / "_build").exists():
                shutil.rmtree(str(root / "_build"))
            return 0
        return perform(command, arguments, root)
    except SetupError as error:
        print(f"\nFirst Light cannot be set up: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nInterrupted. Run it again: it goes on from here.", file=sys.stderr)
        return 130
    except OSError as error:
        cure = {
            errno.ENOSPC: f"the disk is full; free about {SPACE_GB:.0f} GB",
            errno.EROFS: f"{root} is read-only; clone the book where you can write",
            errno.EDQUOT: f"your disk quota is spent; free about {SPACE_GB:.0f} GB",
            errno.EACCES: f"{root} is not yours to write; clone the book where you can write",
        }.get(error.errno or 0, str(error))
        print(f"\nFirst Light cannot be set up: {cure}. (system: {error})", file=sys.stderr)
    return 1


def enter(argv: "list[str]", root: Path = ROOT) -> "int | None":
    """What `python -m firstlight.press` does first, whichever Python runs it.

    Args:
        argv: Its arguments.
        root: The folder of the book.

    Returns:
        An exit code if the work has been done (or has failed) elsewhere; None if this
        Python has what the press needs and shall go on itself.
    """
    if not (root / "requirements.txt").exists():  # installed as a package, not a clone
        return None
    if Path.cwd() == root / "code":  # where a system's Python finds this package
        os.chdir(str(root))
    ready = all(importlib.util.find_spec(name) for name in ("jupyter_book", "nbclient", "psutil"))
    own = not argv or argv[0] in ("test", "bench", "lock", "setup", "help")
    return main(argv, root) if own or not ready else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
