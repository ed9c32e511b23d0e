"""A headless Chromium that looks at the built pages, and what it found there.

The system's own Chromium is driven; nothing is ever downloaded. Pages are opened from the
disk (`file://`), as a reader without a server would, each as if it were the first visit.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
AXE = ROOT / "tests" / "vendor" / "axe-core" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WIDTHS = {"wide": 1280, "narrow": 390}
SCHEMES = ("light", "dark")
VIEWS = [(width, scheme) for scheme in SCHEMES for width in WIDTHS]

# Every rule runs where a page is wide and light. The other views repeat only what they can
# change: the dark its colors, the phone the rest, and the dark phone the colors of the header
# that no wide page shows. (Colors take axe as long as all else together.)
COLORS = ["color-contrast", "link-in-text-block"]
AXE_ASKS = {
    ("wide", "light"): {},
    ("wide", "dark"): {"only": COLORS},
    ("narrow", "light"): {"but": COLORS},
    ("narrow", "dark"): {
        "only": COLORS,
        "within": ["header", ".bd-header-article", ".fl-quiz", ".fl-frames"],
    },  # fmt: skip
}

READY = """async () => {
  await (window.MathJax && MathJax.startup && MathJax.startup.promise);
  await document.fonts.ready;
}"""
TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const scrolls = e => e && e !== document.body && (
    getComputedStyle(e).overflowX !== "visible" || scrolls(e.parentElement));
  return [...document.body.querySelectorAll("*")]
    .filter(e => e.getBoundingClientRect().right > room + 1 && !scrolls(e.parentElement))
    .map(e => e.cloneNode().outerHTML.slice(0, 120)).slice(0, 5);
}"""
AXE_RUN = """async ({only, but, within}) => {
  const there = (within || []).filter(part => document.querySelector(part));
  if (within && !there.length) return [];
  const found = await axe.run(within ? {include: there.map(part => [part])} : document, {
    preload: false, resultTypes: ["violations"], ...(only ? {runOnly: only} : {}),
    rules: Object.fromEntries((but || []).map(rule => [rule, {enabled: false}])),
  });
  const why = node => node.any.concat(node.all, node.none).map(check => check.message).join("; ");
  return found.violations.flatMap(rule => rule.nodes.map(node =>
    `${rule.id}: ${node.html.slice(0, 140)}: ${why(node).slice(0, 200)}`));
}"""


def chromium() -> str | None:
    """Path of the system's Chromium; None if there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def html_folder() -> Path:
    """Where the built pages are: `FIRSTLIGHT_HTML`, else where `make book` leaves them."""
    return Path(os.environ.get("FIRSTLIGHT_HTML") or ROOT / "_build" / "html").resolve()


def page_names() -> list[str]:
    """Every page a reader can land on, relative to the folder; redirections are left out."""
    folder = html_folder()
    names = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.html")))
    return [name for name in names if not name.startswith("_") and not _redirects(folder / name)]


def _redirects(path: Path) -> bool:
    head = path.read_text(encoding="utf-8").partition("<body")[0]
    return bool(re.search(r"http-equiv=.?refresh", head, re.IGNORECASE))


@dataclass
class Look:
    """What was found on one page in one view.

    Args:
        errors: Error messages of the console, and exceptions of scripts.
        failed: Addresses asked for that gave nothing.
        foreign: Addresses of other hosts asked for.
        too_wide: Elements that stand out of the window; empty if nothing scrolls sideways.
        axe: What axe objects to: rule, element, reason.
    """

    errors: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    too_wide: list[str] = field(default_factory=list)
    axe: list[str] = field(default_factory=list)


class Reader:
    """One browser, one window for each view; looks at a page once and remembers.

    Args:
        browser: A started browser of Playwright.
        folder: The folder of the built pages.
    """

    def __init__(self, browser: Any, folder: Path) -> None:
        self.browser, self.folder = browser, folder
        self._windows: dict[tuple[str, str], Any] = {}
        self._seen: dict[tuple[str, str, str], Look] = {}

    def url(self, name: str) -> str:
        """The address of a page on the disk."""
        return (self.folder / name).as_uri()

    def window(self, width: str = "wide", scheme: str = "light", **options: Any) -> Any:
        """A new page of a reader who has never been here.

        Args:
            width: "wide" or "narrow".
            scheme: "light" or "dark", what the reader's system prefers.
            options: Passed on to Playwright's `new_context`.

        Returns:
            A page of Playwright; its requests may take five seconds.
        """
        size = {"width": WIDTHS[width], "height": 900}
        context = self.browser.new_context(viewport=size, color_scheme=scheme, **options)
        context.set_default_timeout(15_000)
        return context.new_page()

    def look(self, name: str, width: str, scheme: str) -> Look:
        """Open a page in one view, and find what is wrong with it.

        Args:
            name: The page, relative to the folder.
            width: "wide" or "narrow".
            scheme: "light" or "dark".

        Returns:
            What was found, the same object every time.
        """
        key = (name, width, scheme)
        if key not in self._seen:
            self._seen[key] = self._look(*key)
        return self._seen[key]

    def _look(self, name: str, width: str, scheme: str) -> Look:
        if (width, scheme) not in self._windows:
            page = self._windows[width, scheme] = self.window(width, scheme)
            page.add_init_script("localStorage.clear(); sessionStorage.clear()")
        page, look = self._windows[width, scheme], Look()
        with listening(page, look):
            page.goto(self.url(name))
            page.evaluate(READY)
        look.too_wide += page.evaluate(TOO_WIDE)
        page.evaluate(axe_source())
        look.axe += page.evaluate(AXE_RUN, AXE_ASKS[width, scheme])
        return look


@functools.cache
def axe_source() -> str:
    """The checker, ready to be run in a page."""
    return AXE.read_text(encoding="utf-8")


@contextlib.contextmanager
def listening(page: Any, look: Look) -> Iterator[None]:
    """Keep what a page's console and requests say meanwhile.

    Args:
        page: A page of Playwright.
        look: Where it is kept.
    """

    def said(message: Any) -> None:
        if message.type == "error":
            look.errors.append(message.text)

    def asked(request: Any) -> None:
        if re.match(r"(?!http://127\.0\.0\.1:)(https?|wss?):", request.url):
            look.foreign.append(request.url)

    def answered(response: Any) -> None:
        if response.status >= 400:
            look.failed.append(f"{response.status} {response.url}")

    listeners = {
        "console": said,
        "pageerror": lambda error: look.errors.append(str(error)),
        "request": asked,
        # What a reader leaves behind by going to the next page is not a failure.
        "requestfailed": lambda request: (
            None if request.failure == "net::ERR_ABORTED" else look.failed.append(request.url)
        ),
        "response": answered,
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    yield
    for event, listener in listeners.items():
        page.remove_listener(event, listener)


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """Serve a folder to this machine only.

    Args:
        folder: What is served.

    Yields:
        Its address, without a slash at the end.
    """

    class Quiet(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        serving.daemon_threads = True
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()
