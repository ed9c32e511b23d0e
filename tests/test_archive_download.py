"""Fetching: from a server on this machine that truncates, lies, dawdles and refuses."""

import errno
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archive_kit import (  # noqa: F401
    CONTENT,
    NAME,
    Server,
    entry,
    folder,
    hidden_leftovers,
    plant,
    server,
)
from firstlight.archive import cache, download, registry
from firstlight.archive.errors import (
    CacheFull,
    CacheNotWritable,
    DataCorrupt,
    DataGone,
    DataTruncated,
    DataUnreachable,
)

# ruff: noqa: F811  (fixtures are imported by name)
Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def hurried(monkeypatch: Patch) -> None:
    monkeypatch.setattr(download, "PAUSE_S", 0.01)


@pytest.fixture
def known(server: Server, folder: Path, monkeypatch: Patch) -> Path:
    """The entry is known, the server has it, the cache does not."""
    monkeypatch.setitem(registry.REGISTRY, NAME, entry(url=server.url))
    return folder / NAME


def test_a_file_comes_whole_and_only_once(known: Path, server: Server, folder: Path) -> None:
    assert cache.fetch(NAME) == [known]
    assert known.read_bytes() == CONTENT
    assert cache.fetch([NAME, NAME]) == [known, known]
    assert server.requests == 1
    assert not hidden_leftovers(folder)


@pytest.mark.parametrize("fault", ["truncated", "503", "429"])
def test_what_may_pass_is_tried_again(
    known: Path, server: Server, folder: Path, fault: str
) -> None:
    server.faults = [fault, fault]
    cache.fetch(NAME, attempts=3)
    assert known.read_bytes() == CONTENT and server.requests == 3
    assert not hidden_leftovers(folder)


@pytest.mark.parametrize(
    ("fault", "error", "words", "requests"),
    [
        ("truncated", DataTruncated, "expected 102400 bytes", 2),
        ("wrong", DataCorrupt, "received 102400 bytes with sha256", 1),
        ("empty", DataCorrupt, "received an empty file", 1),
        ("404", DataGone, "received HTTP 404", 1),
        ("403", DataGone, "received HTTP 403", 1),
        ("500", DataUnreachable, "received HTTP 500", 2),
    ],
)
def test_what_stays_wrong_is_told_and_leaves_nothing(
    known: Path,
    server: Server,
    folder: Path,
    fault: str,
    error: type[Exception],
    words: str,
    requests: int,
) -> None:
    server.faults = [fault] * 5
    with pytest.raises(error, match=words):
        cache.fetch(NAME, attempts=2)
    assert server.requests == requests
    assert not known.exists() and not hidden_leftovers(folder)


def test_a_corrupt_file_is_replaced_only_by_a_right_one(known: Path, server: Server) -> None:
    known.parent.mkdir()
    known.write_bytes(b"damaged")
    server.faults = ["wrong"]
    with pytest.raises(DataCorrupt):
        cache.fetch(NAME)
    assert known.read_bytes() == b"damaged", "what was there is not ours to remove"
    cache.fetch(NAME)
    assert known.read_bytes() == CONTENT


def test_no_server_is_told_with_both_ways_out(folder: Path, monkeypatch: Patch) -> None:
    monkeypatch.setitem(registry.REGISTRY, NAME, entry(url="http://127.0.0.1:9/file.bin"))
    with pytest.raises(DataUnreachable, match="no connection.*Check the network, or copy"):
        cache.fetch(NAME, attempts=2)
    assert not hidden_leftovers(folder)


def test_a_silent_server_is_given_up(known: Path, server: Server) -> None:
    server.slow_s = 3.0
    start = time.monotonic()
    with pytest.raises(DataUnreachable):
        cache.fetch(NAME, attempts=1, timeout_s=0.2)
    assert time.monotonic() - start < 2.5


def test_a_read_only_cache_without_the_file_says_so(known: Path, folder: Path) -> None:
    folder.chmod(0o555)
    try:
        with pytest.raises(CacheNotWritable, match="Point FIRSTLIGHT_DATA to a folder"):
            cache.fetch(NAME)
    finally:
        folder.chmod(0o755)


def test_a_read_only_cache_with_the_file_needs_no_server(folder: Path, monkeypatch: Patch) -> None:
    planted = plant(monkeypatch, folder, NAME, CONTENT)
    folder.chmod(0o555)
    try:
        assert cache.fetch(NAME) == [planted]
    finally:
        folder.chmod(0o755)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.EACCES, CacheNotWritable),
        (errno.EROFS, CacheNotWritable),
        (errno.ENOSPC, CacheFull),
        (errno.EDQUOT, CacheFull),
    ],
)
def test_what_the_disk_says_is_put_into_words(
    known: Path, folder: Path, monkeypatch: Patch, code: int, error: type[Exception]
) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(download.os, "replace", fail)
    with pytest.raises(error, match="received .*expected .*FIRSTLIGHT_DATA"):
        cache.fetch(NAME)
    assert not known.exists() and not hidden_leftovers(folder)


def test_a_disk_without_room_is_seen_beforehand(
    known: Path, server: Server, monkeypatch: Patch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(download.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(CacheFull, match="Make room"):
        cache.fetch(NAME)
    assert server.requests == 0


def test_the_cache_may_not_be_a_file(folder: Path, monkeypatch: Patch) -> None:
    monkeypatch.setitem(registry.REGISTRY, NAME, entry(url="http://127.0.0.1:9/x"))
    (folder / "made").write_text("in the way")
    with pytest.raises(CacheNotWritable):
        cache.fetch(NAME)


def test_an_interruption_leaves_nothing(known: Path, folder: Path, monkeypatch: Patch) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "_check", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cache.fetch(NAME)
    assert not known.exists() and not hidden_leftovers(folder)


def _fetch_in_a_process(url: str, answers: "multiprocessing.Queue[str]") -> None:
    registry.REGISTRY[NAME] = entry(url=url)
    try:
        answers.put(str(cache.fetch(NAME)[0]))
    except Exception as problem:
        answers.put(f"failed: {problem}")


def test_two_processes_fetch_once_and_both_get_it(known: Path, server: Server) -> None:
    server.slow_s = 0.3  # 7 pieces: the second process arrives while the first downloads
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[str] = context.Queue()
    both = [
        context.Process(target=_fetch_in_a_process, args=(server.url, answers)) for _ in range(2)
    ]
    for process in both:
        process.start()
    got = [answers.get(timeout=60) for _ in both]
    for process in both:
        process.join()
    assert got == [str(known)] * 2
    assert server.requests == 1
    assert known.read_bytes() == CONTENT


def test_a_killed_download_does_not_stand_in_the_way(
    known: Path, server: Server, folder: Path
) -> None:
    server.slow_s = 0.5
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import archive_kit as kit; "
        "from firstlight.archive import cache, registry; "
        "registry.REGISTRY[kit.NAME] = kit.entry(url=sys.argv[2]); cache.fetch(kit.NAME)"
    )
    here = str(Path(__file__).parent)
    child = subprocess.Popen([sys.executable, "-c", program, here, server.url])
    deadline = time.monotonic() + 30
    while not hidden_leftovers(folder) and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not known.exists(), "half a file never bears the name"
    server.slow_s = 0
    cache.fetch(NAME)
    assert known.read_bytes() == CONTENT and not hidden_leftovers(folder)


def test_a_lock_that_is_never_released_is_told(
    known: Path, folder: Path, monkeypatch: Patch
) -> None:
    from filelock import FileLock

    monkeypatch.setattr(download, "LOCK_PATIENCE_S", 0.1)
    (folder / ".locks").mkdir()
    with FileLock(folder / ".locks" / "made--file.bin.lock"):
        with pytest.raises(DataUnreachable, match="held by another process"):
            cache.fetch(NAME)


def test_progress_names_the_file(known: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache.fetch(NAME, progress=True)
    assert NAME in capsys.readouterr().err


def test_what_is_remembered_follows_the_new_file(known: Path, folder: Path) -> None:
    cache.fetch(NAME)
    rows = json.loads((folder / ".verified.json").read_text())
    assert rows[str(known)][3] == entry().sha256
