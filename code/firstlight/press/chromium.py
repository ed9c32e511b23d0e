"""A browser without a window: found on this machine, and made to do one thing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from firstlight.press.errors import PressError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
NEEDS_BROWSER = (
    "{what} needs Chromium or Chrome, and neither is on this machine. "
    "On Debian or Ubuntu: sudo apt install chromium."
)


def browser(what: str) -> str:
    """A Chromium or Chrome of this machine.

    Args:
        what: What needs it, for the message.

    Raises:
        PressError: If there is none.
    """
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    for place in PLACES:
        if Path(place).is_file():
            return place
    raise PressError(NEEDS_BROWSER.format(what=what))


def drive(program: str, page: Path, *options: str) -> bytes:
    """Let a browser open a page, wait until its mathematics is set, and do one thing.

    Args:
        program: The browser.
        page: The page.
        options: What to do, such as `--dump-dom`.

    Returns:
        What it wrote to standard output.

    Raises:
        PressError: If it fails.
    """
    profile = page.parent / "profile"
    command = [
        program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--no-first-run", "--disable-background-networking", "--allow-file-access-from-files",
        f"--user-data-dir={profile}", "--virtual-time-budget=120000", *options, page.as_uri(),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, timeout=600)
    except subprocess.TimeoutExpired:
        raise PressError(f"{program} did not finish within ten minutes.") from None
    finally:
        shutil.rmtree(profile, ignore_errors=True)
    if done.returncode:
        tail = done.stderr.decode("utf-8", "replace").strip().splitlines()[-3:]
        raise PressError(f"{program} ended with code {done.returncode}: " + " ".join(tail))
    return done.stdout
