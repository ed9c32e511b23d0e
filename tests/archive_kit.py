"""What the tests of the archive share: made data, and a server that misbehaves on demand."""

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from firstlight.archive import registry, store

CONTENT = bytes(range(256)) * 400  # 102 400 bytes
NAME = "made/file.bin"


def entry(content: bytes = CONTENT, name: str = NAME, url: str = "") -> registry.Entry:
    """A download of the registry that holds `content`."""
    sha256 = hashlib.sha256(content).hexdigest()
    return registry.Entry(name, sha256, len(content), "none", "nobody", "made", url=url)


def forget() -> None:
    """Empties the memory of verified files, as a new process would find it."""
    store._memory.clear()
    store._read_from.clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache of our own; nothing of the machine's caches is seen."""
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setenv("FIRSTLIGHT_DATA", str(cache))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "platform"))
    monkeypatch.delenv("FIRSTLIGHT_TRACE", raising=False)
    forget()
    yield cache
    forget()


def plant(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, content: bytes) -> Path:
    """Puts made content into the cache under a name of the registry, which then expects it."""
    known = registry.REGISTRY.get(name) or entry(name=name)
    made = replace(known, sha256=hashlib.sha256(content).hexdigest(), size=len(content), wheel=None)
    monkeypatch.setitem(registry.REGISTRY, name, made)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def real() -> None:
    """Skips, with one line, where the real files are not on this machine."""
    folder = os.environ.get("FIRSTLIGHT_DATA")
    names = registry.names(small=True, wheels=False)
    if not folder or not all((Path(folder) / name).is_file() for name in names):
        pytest.skip("FIRSTLIGHT_DATA does not name a folder with the real data")


@dataclass
class Server:
    """What the test server shall do, and what it has been asked."""

    content: bytes = CONTENT
    faults: list[str] = field(default_factory=list)  # one for each request, then none
    requests: int = 0
    slow_s: float = 0.0
    url: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    """A web server on this machine; `faults` names what goes wrong, request by request."""
    plan = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            plan.requests += 1
            fault = plan.faults.pop(0) if plan.faults else ""
            if fault.isdigit():
                self.send_error(int(fault))
                return
            body = {"empty": b"", "wrong": b"x" * len(plan.content)}.get(fault, plan.content)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if fault == "truncated":
                body = body[: len(body) // 2]
            with suppress(ConnectionError):  # the other side may have given up, or been killed
                for start in range(0, len(body), 16_384):
                    self.wfile.write(body[start : start + 16_384])
                    time.sleep(plan.slow_s)

        def log_message(self, *arguments: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    plan.url = f"http://127.0.0.1:{http.server_port}/file.bin"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield plan
    http.shutdown()
    http.server_close()


def hidden_leftovers(folder: Path) -> list[str]:
    """Temporary files that should not have stayed."""
    return [str(path) for path in folder.rglob("*.part")]
