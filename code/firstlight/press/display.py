"""The live lines of a build: one per chapter, redrawn on a terminal, appended elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO


class Display:
    """Shows what each chapter is doing.

    Args:
        names: The chapters, in the order in which they are to be shown.
        stream: Where to write; on a terminal running chapters are redrawn in place.
    """

    def __init__(self, names: list[str], stream: TextIO | None = None):
        self.stream = stream or sys.stdout
        self.width = max([len(name) for name in names], default=0)
        self.live = self.stream.isatty()
        self._running: dict[str, tuple[float, str]] = {}
        self._drawn = 0

    def running(self, name: str, cell: str = "") -> None:
        """A chapter has begun, or gone on to another cell."""
        begun = self._running.get(name, (time.monotonic(), ""))[0]
        if name not in self._running and not self.live:
            self._write(f"  {name:<{self.width}}  running\n")
        self._running[name] = (begun, cell)
        self.redraw()

    def done(self, name: str, what: str) -> None:
        """A chapter has ended; `what` says how."""
        self._running.pop(name, None)
        self._erase()
        self._write(f"  {name:<{self.width}}  {what}\n")
        self.redraw()

    def redraw(self) -> None:
        """Draw the running chapters again (on a terminal only)."""
        if not self.live:
            return
        self._erase()
        for name, (begun, cell) in self._running.items():
            seconds = f"{time.monotonic() - begun:.0f} s"
            self._write(f"  {name:<{self.width}}  running, {seconds}{cell}\n")
        self._drawn = len(self._running)

    def _erase(self) -> None:
        if self._drawn:
            self._write(f"\x1b[{self._drawn}F\x1b[J")
            self._drawn = 0

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
