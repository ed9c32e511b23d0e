"""Run the steps of a set-up: noise to a log, one line to the reader, one reason on failure.

Standard library only, and able to parse on Python 3.6: see `bootstrap`.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Iterator  # noqa: UP035 (Python 3.6 has no other)

from firstlight.press.pythons import NEEDS, SetupError

SPACE_GB = 4.0  # 2.8 for the environment, the rest for downloads on their way into it


def venv_python(root: Path) -> Path:
    """The interpreter of the book's environment, there or not."""
    return root / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def clean_environ(root: Path) -> "dict[str, str]":
    """The environment variables of everything we start.

    A PYTHONPATH set for other software (CASA, ROOT, IRAF ...) or a pip told to install
    elsewhere would put other versions in front of the tested ones; so would a kernel
    called python3 in the reader's own Jupyter.
    """
    drop = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV")
    environ = {key: value for key, value in os.environ.items() if key not in drop}
    environ["VIRTUAL_ENV"] = str(root / ".venv")
    environ["PATH"] = str(venv_python(root).parent) + os.pathsep + environ.get("PATH", "")
    environ.update(PIP_USER="0", JUPYTER_PREFER_ENV_PATH="1")
    environ.setdefault("PIP_RETRIES", "3")
    return environ


def pip_install(python: Path) -> "list[str]":
    """How a pip install begins here: isolated, asking nothing."""
    return [str(python), "-I", "-m", "pip", "install", "--no-input", "--progress-bar=off"]


@contextlib.contextmanager
def started(
    command: "list[str]", log: "IO[bytes]", root: Path, environ: "dict[str, str]"
) -> "Iterator[subprocess.Popen[bytes]]":
    """Start a process whose noise goes to `log`, and leave none behind."""
    process = subprocess.Popen(
        command,
        stdout=log,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env=environ,
        cwd=str(root),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


class Progress:
    """Runs the steps of a set-up: their noise goes to `.venv/setup.log`, one line to the reader."""

    def __init__(self, root: Path) -> None:
        self.root, self.log = root, root / ".venv" / "setup.log"
        self.live = sys.stdout.isatty()

    def say(self, label: str, begun: float, note: str, last: bool = False) -> None:
        """Write the step's line, over the one before where the terminal can."""
        text = f"  {label}: {note}{time.monotonic() - begun:.0f} s"
        end = "\n" if last or not self.live else ""
        print(("\r\x1b[K" if self.live else "") + text, end=end, flush=True)

    def run(self, command: "list[str]", label: str, total: int = 0) -> None:
        """Run one step.

        Args:
            command: What to run.
            label: What the reader reads.
            total: How many packages pip is going to look at, to count them down.

        Raises:
            SetupError: If it fails.
        """
        begun = spoken = time.monotonic()
        environ = clean_environ(self.root)
        environ["PYTHONUNBUFFERED"] = "1"  # we watch pip's words as they come
        environ["TMPDIR"] = str(self.root / ".venv" / "tmp")  # /tmp is often too small for wheels
        Path(environ["TMPDIR"]).mkdir(exist_ok=True)
        with open(str(self.log), "ab") as log, started(command, log, self.root, environ) as process:
            start = log.tell()
            while process.poll() is None:
                time.sleep(0.1)
                if time.monotonic() - spoken > (0.5 if self.live else 30):
                    spoken = time.monotonic()
                    self.say(label, begun, self.count(start, total))
        full = shutil.disk_usage(str(self.root)).free < 1e8  # then the log lacks the reason, too
        shutil.rmtree(environ["TMPDIR"], ignore_errors=True)
        if process.returncode:
            noise = "No space left" if full else self.noise(start)
            raise SetupError(explain(noise, self.log, process.returncode))
        self.say(label, begun, "done in ", last=True)

    def noise(self, start: int) -> str:
        """What the step has written so far."""
        with open(str(self.log), "rb") as log:
            log.seek(start)
            return log.read().decode("utf-8", "replace")

    def count(self, start: int, total: int) -> str:
        """How far pip has come, from what it wrote."""
        text = self.noise(start) if total else ""
        if "Installing collected packages" in text:
            return "all fetched, now installing, "
        seen = len(re.findall(r"^(?:Collecting|Requirement already)", text, re.M))
        return f"{seen} of about {total} looked up, " if total else ""


CAUSES = (  # what pip wrote: what it means, and what to do
    (
        r"No space left|Errno 28|quota exceeded",
        "the disk became full. Free about {space:.0f} GB and run it again.",
    ),
    (
        r"Read-only file system|Permission denied",
        "a file could not be written. Make {folder} writable, or delete it and run it again.",
    ),
    (
        r"do not match the hashes",
        "{package} as downloaded is not the file the lock names{hashes}: a broken download, or "
        "an index that serves something else. Try again; if it stays, change the index.",
    ),
    (
        r"NewConnection|NameResolution|Failed to establish|unreachable|name resolution"
        r"|timed out|ConnectionReset|RemoteDisconnected|ProxyError|SSLError|Max retries",
        "the package index cannot be reached. Connect to the network, or set HTTPS_PROXY or "
        "PIP_INDEX_URL if yours needs them, and run it again: it goes on from here.",
    ),
    (
        r"No matching distribution found for",
        "the index cannot be reached, or has no {package} for this Python and machine "
        "({platform}). {needs}, on 64-bit Linux, macOS (Apple silicon) or Windows.",
    ),
)


def explain(text: str, log: Path, code: int) -> str:
    """Turn the noise of a failed step into one line (or, failing that, into its last lines).

    Args:
        text: What the step wrote.
        log: Where all of it stands.
        code: Its exit code.

    Returns:
        What was found, and how to mend it.

    Example:
        >>> explain("ERROR: [Errno 28] No space left on device", Path("setup.log"), 1)
        "the disk became full. Free about 4 GB and run it again. (all of pip's words: setup.log)"
    """
    named = re.search(r"distribution found for ([^\s;]+)|^ {4}(\S+) from ", text, re.M)
    digests = re.search(r"Expected sha256 +(\w{12})[\s\S]*?Got +(\w{12})", text)
    details = {
        "space": SPACE_GB,
        "folder": log.parent,
        "package": (named.group(1) or named.group(2)) if named else "a package",
        "hashes": " (expected {}..., got {}...)".format(*digests.groups()) if digests else "",
        "platform": sys.platform,
        "needs": NEEDS,
    }
    for pattern, meaning in CAUSES:
        if re.search(pattern, text, re.I):
            return f"{meaning.format(**details)} (all of pip's words: {log})"
    tail = "\n".join("    " + line for line in text.strip().splitlines()[-8:])
    return f"a step ended with code {code} (all of its words: {log}); its last lines:\n{tail}"
