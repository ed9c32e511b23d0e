"""What a page costs its reader on a phone: bytes before images, and seconds until it is usable.

Every built page is loaded by a headless Chromium with an empty cache from a local server that
compresses text, as web hosts do. The connection is held to 1.6 Mbit/s with a round trip of
150 ms, and the processor slowed four times: the conditions of Lighthouse's phone. Beside ours
stands the same chapter as an untouched Jupyter Book shows it: its executed notebook, built by
`jupyter-book build` with the default settings.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks import Row

ROOT = Path(__file__).parents[1]
CHAPTER = "book/supervised/galaxy-zoo"
HEAVIEST_KB = 1000.0  # before images
USABLE_S = 2.0
ROUNDS = 3
DOWN_BYTES_S, UP_BYTES_S, ROUND_TRIP_MS, SLOWER = 1.6e6 / 8, 750e3 / 8, 150, 4
PHONE = {"width": 412, "height": 823}
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
COMPRESSED = (".html", ".css", ".js", ".json", ".svg")
PLAIN_CONFIG = "title: An untouched book\nexecute:\n  execute_notebooks: 'off'\n"
# There is no network to fetch it from where this runs: the untouched page gets our copy.
THEIR_MATHJAX = re.compile(rb"https://cdn\.jsdelivr\.net/npm/mathjax@3[^\"']*")
WATCH = """
  window.paints = []; window.tasks = [];
  new PerformanceObserver(list => paints.push(...list.getEntries().map(e => e.startTime)))
    .observe({type: "largest-contentful-paint", buffered: true});
  new PerformanceObserver(list => tasks.push(...list.getEntries().map(e => e.duration)))
    .observe({type: "longtask", buffered: true});
"""
TIMES = """async () => {
  await (window.MathJax && MathJax.startup && MathJax.startup.promise);
  await new Promise(done => setTimeout(done, 500));
  const page = performance.getEntriesByType("navigation")[0];
  return {dom: page.domContentLoadedEventEnd, paint: Math.max(...paints),
          blocked: tasks.reduce((sum, task) => sum + Math.max(0, task - 50), 0)};
}"""


@dataclass(frozen=True)
class Visit:
    """One page, loaded once.

    Args:
        weight_kb: What came over the line, compressed, without images.
        images_kb: The images.
        foreign: How many addresses of other hosts the page asked for.
        usable_s: When the page had been parsed with its scripts, and its largest part painted.
        blocked_ms: How long tasks held up a reader's touch, beyond 50 ms each.
    """

    weight_kb: float
    images_kb: float
    foreign: int
    usable_s: float
    blocked_ms: float


class Compressing(SimpleHTTPRequestHandler):
    """Serves a folder as a web host does: text compressed, connections kept."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def send_head(self) -> Any:
        """Answer with a compressed copy where that pays."""
        path = Path(self.translate_path(self.path))
        if path.suffix not in COMPRESSED or not path.is_file():
            return super().send_head()
        body = packed(path)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return io.BytesIO(body)


@functools.cache
def packed(path: Path) -> bytes:
    """The file, compressed."""
    return gzip.compress(path.read_bytes(), mtime=0)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder to this machine only; yields its address."""
    handler = functools.partial(Compressing, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def visit(browser: Any, url: str, throttled: bool = True) -> Visit:
    """Load a page as a phone that has never seen it.

    Args:
        browser: A started browser of Playwright.
        url: The page, on a local server.
        throttled: Whether line and processor are slowed down.

    Returns:
        What it cost.
    """
    context = browser.new_context(viewport=PHONE, device_scale_factor=2, is_mobile=True)
    page = context.new_page()
    line = context.new_cdp_session(page)
    kinds: dict[str, tuple[str, str]] = {}
    sizes: dict[str, float] = {}
    line.on(
        "Network.requestWillBeSent",
        lambda e: kinds.update({e["requestId"]: (e.get("type", ""), e["request"]["url"])}),
    )
    line.on("Network.loadingFinished",
            lambda e: sizes.update({e["requestId"]: e["encodedDataLength"]}))  # fmt: skip
    line.send("Network.enable")
    if throttled:
        line.send("Network.emulateNetworkConditions", {
            "offline": False, "latency": ROUND_TRIP_MS, "downloadThroughput": DOWN_BYTES_S,
            "uploadThroughput": UP_BYTES_S})  # fmt: skip
        line.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.add_init_script(WATCH)
    page.goto(url, wait_until="load", timeout=120_000)
    times = page.evaluate(TIMES)
    context.close()
    images = {key for key, (kind, _) in kinds.items() if kind == "Image"}
    host = url.split("/")[2]
    return Visit(
        weight_kb=sum(size for key, size in sizes.items() if key not in images) / 1e3,
        images_kb=sum(sizes.get(key, 0) for key in images) / 1e3,
        foreign=sum(f"//{host}/" not in at for _, at in kinds.values() if at.startswith("http")),
        usable_s=max(times["dom"], times["paint"]) / 1e3,
        blocked_ms=times["blocked"],
    )


def plain_book(folder: Path, html: Path) -> Path:
    """Build the chapter's executed notebook as an untouched Jupyter Book.

    Args:
        folder: An empty folder to work in.
        html: The folder of our built pages; notebook and outputs lie beside it.

    Returns:
        The folder of its HTML; `chapter.html` is the page.

    Raises:
        RuntimeError: With the last lines of the builder, if it leaves no page.
    """
    import nbformat
    from jupyter_cache import get_cache

    notebook = nbformat.read(html.parent / "jupyter_execute" / f"{CHAPTER}.ipynb", 4)
    _, executed = get_cache(html.parent / ".jupyter_cache").merge_match_into_notebook(notebook)
    nbformat.write(executed, folder / "chapter.ipynb")
    (folder / "_config.yml").write_text(PLAIN_CONFIG, "utf-8")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: chapter\n", "utf-8")
    tool = Path(sys.executable).with_name("jupyter-book")
    command = [str(tool), "build", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    built = folder / "_build" / "html"
    if not (built / "chapter.html").exists():
        raise RuntimeError(f"jupyter-book left no page:\n{(done.stdout + done.stderr)[-2000:]}")
    shutil.copytree(html / "_static" / "mathjax", built / "_static" / "mathjax")
    script = built / "_static" / "mathjax" / "tex-chtml.js"
    page = (built / "chapter.html").read_bytes()
    page = THEIR_MATHJAX.sub(f"_static/mathjax/{script.name}".encode(), page)
    (built / "chapter.html").write_bytes(page)
    return built


def middle(visits: list[Visit]) -> Visit:
    """Of several visits to one page, the one whose time is the median."""
    return sorted(visits, key=lambda each: each.usable_s)[len(visits) // 2]


def rows(weights: dict[str, float], ours: Visit, plain: Visit) -> list[Row]:
    """The comparison.

    Args:
        weights: Kilobytes before images of every page of ours, by name.
        ours: The chapter as we build it.
        plain: The chapter as an untouched Jupyter Book.

    Returns:
        Five rows.
    """
    heaviest, name = max((weight, name) for name, weight in weights.items())
    every = ", ".join(f"{name} {weight:.0f}" for name, weight in sorted(weights.items()))
    slow = (
        f"{Path(CHAPTER).name}, empty cache, 1.6 Mbit/s, {ROUND_TRIP_MS} ms, processor {SLOWER} "
        f"times slower, median of {ROUNDS}; load {os.getloadavg()[0]:.1f}"
    )
    other = (
        "besides MathJax, which it would fetch from another host, the untouched page asks "
        f"{plain.foreign} addresses elsewhere, ours {ours.foreign}"
    )
    seconds, blocked = max(plain.usable_s, 1e-3), max(plain.blocked_ms, 1.0)
    return [
        Row("heaviest page", heaviest, HEAVIEST_KB, "kB", heaviest / HEAVIEST_KB, 1.0,
            note=f"{name}; the other is the limit. Compressed, before images: {every}."),
        Row("page weight", ours.weight_kb, plain.weight_kb, "kB",
            ours.weight_kb / plain.weight_kb, 1.0,
            note=f"images apart ({ours.images_kb:.0f} and {plain.images_kb:.0f} kB); {other}."),
        Row("page usable, limit", ours.usable_s, USABLE_S, "s", ours.usable_s / USABLE_S, 1.0,
            note=f"parsed with its scripts and largest part painted; {slow}."),
        Row("page usable", ours.usable_s, plain.usable_s, "s", ours.usable_s / seconds, 1.0,
            note="beside an untouched Jupyter Book, which got our MathJax from the same host."),
        Row("page blocked", ours.blocked_ms, plain.blocked_ms, "ms",
            ours.blocked_ms / blocked, 1.0, note="sum of tasks beyond 50 ms, MathJax included."),
    ]  # fmt: skip


def run() -> list[Row]:
    """Weigh every page, and time one chapter beside its untouched form.

    Returns:
        Five rows; none where there is no Chromium, no Playwright or no built page.
    """
    html = Path(os.environ.get("FIRSTLIGHT_HTML") or ROOT / "_build" / "html").resolve()
    chromium = next((path for name in NAMES if (path := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if not chromium or not (html / f"{CHAPTER}.html").exists():
        print("page_weight needs Chromium, Playwright and the built pages (`make book`): left out")
        return []
    pages = sorted(path.relative_to(html).as_posix() for path in html.rglob("[!_]*.html"))
    names = [name for name in pages if not name.startswith("_") and name != "index.html"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        plain_html = plain_book(Path(folder), html)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--disable-gpu"])
        with serving(html) as address, serving(plain_html) as plain_address:
            weights = {
                name: visit(browser, f"{address}/{name}", throttled=False).weight_kb
                for name in names
            }
            ours, plain = [], []
            for _ in range(ROUNDS):  # in turns, so that both see one machine
                ours.append(visit(browser, f"{address}/{CHAPTER}.html"))
                plain.append(visit(browser, f"{plain_address}/chapter.html"))
        browser.close()
    return rows(weights, middle(ours), middle(plain))
