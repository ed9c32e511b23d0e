"""Finding and verifying: what is right, what is wrong, and what is remembered."""

import json
import os
from pathlib import Path

import pytest

from archive_kit import CONTENT, NAME, entry, folder, forget, plant  # noqa: F401
from firstlight.archive import cache, registry, store
from firstlight.archive.errors import DataAbsent, DataCorrupt, DataUnknown

Patch = pytest.MonkeyPatch


def test_a_right_file_is_found(folder: Path, monkeypatch: Patch) -> None:  # noqa: F811
    planted = plant(monkeypatch, folder, NAME, CONTENT)
    assert cache.path(NAME) == planted
    assert cache.available(NAME)
    assert cache.state(NAME) == entry().sha256


def test_an_absent_file_is_told_with_the_cure(folder: Path, monkeypatch: Patch) -> None:  # noqa: F811
    monkeypatch.setitem(registry.REGISTRY, NAME, entry(url="http://127.0.0.1/x"))
    assert cache.state(NAME) == cache.ABSENT
    assert not cache.available(NAME)
    with pytest.raises(DataAbsent, match=f"firstlight data fetch {NAME}"):
        cache.path(NAME)


def test_an_absent_wheel_is_told_with_the_cure(folder: Path, monkeypatch: Patch) -> None:  # noqa: F811
    wheel = registry.Wheel("no-such-package", "1.2.3", "a/b.bin")
    made = registry.Entry("made/wheel", "0" * 64, 1, "x", "x", "x", wheel=wheel)
    monkeypatch.setitem(registry.REGISTRY, made.name, made)
    with pytest.raises(DataAbsent, match=r"pip install --no-deps no-such-package==1\.2\.3"):
        cache.path(made.name)
    with pytest.raises(DataAbsent, match="pip install"):
        cache.fetch(made.name)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "an empty file"),
        (CONTENT[:1000], "a truncated file of 1000 bytes"),
        (b"!" + CONTENT[1:], "102400 bytes with sha256"),
    ],
)
def test_a_wrong_file_is_never_served(
    folder: Path,  # noqa: F811
    monkeypatch: Patch,
    content: bytes,
    kind: str,
) -> None:
    plant(monkeypatch, folder, NAME, CONTENT).write_bytes(content)
    with pytest.raises(DataCorrupt, match=f"received {kind}.*expected 102400 bytes"):
        cache.path(NAME)
    with pytest.raises(DataCorrupt):
        cache.available(NAME)
    assert cache.state(NAME) not in (cache.ABSENT, entry().sha256)


def test_an_unreadable_file_is_told(folder: Path, monkeypatch: Patch) -> None:  # noqa: F811
    plant(monkeypatch, folder, NAME, CONTENT)

    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(cache, "digest", refuse)
    with pytest.raises(DataAbsent, match="received Permission denied"):
        cache.path(NAME)


def test_a_file_is_hashed_once(folder: Path, monkeypatch: Patch) -> None:  # noqa: F811
    plant(monkeypatch, folder, NAME, CONTENT)
    hashed = []
    real = store.hashlib.file_digest

    def count(file, name):  # type: ignore[no-untyped-def]
        hashed.append(file.name)
        return real(file, name)

    monkeypatch.setattr(store.hashlib, "file_digest", count)
    cache.path(NAME)
    cache.path(NAME)
    forget()  # a new process reads .verified.json
    cache.path(NAME)
    assert len(hashed) == 1
    assert cache.verify([NAME]) == {NAME: "verified"}
    assert len(hashed) == 2, "verify reads again, whatever is remembered"


def test_a_change_behind_our_back_is_noticed(folder: Path, monkeypatch: Patch) -> None:  # noqa: F811
    planted = plant(monkeypatch, folder, NAME, CONTENT)
    cache.path(NAME)
    before = planted.stat()
    planted.write_bytes(b"!" + CONTENT[1:])  # same size ...
    os.utime(planted, ns=(before.st_atime_ns, before.st_mtime_ns))  # ... and same time
    with pytest.raises(DataCorrupt):
        cache.path(NAME)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": 3}', '{"a": [1, 2]}'])
def test_a_damaged_memory_only_costs_time(
    folder: Path,  # noqa: F811
    monkeypatch: Patch,
    text: str,
) -> None:
    plant(monkeypatch, folder, NAME, CONTENT)
    (folder / ".verified.json").write_text(text)
    forget()
    assert cache.available(NAME)


def test_a_read_only_cache_serves_and_stays_untouched(folder: Path, monkeypatch: Patch) -> None:  # noqa: F811
    plant(monkeypatch, folder, NAME, CONTENT)
    folder.chmod(0o555)  # the administrator, too, respects it
    try:
        assert cache.available(NAME)
        assert sorted(path.name for path in folder.iterdir()) == ["made"]
    finally:
        folder.chmod(0o755)


def test_the_press_hears_of_every_lookup(
    folder: Path,  # noqa: F811
    monkeypatch: Patch,
    tmp_path: Path,
) -> None:
    plant(monkeypatch, folder, NAME, CONTENT)
    monkeypatch.setitem(registry.REGISTRY, "made/other", entry(name="made/other", url="http://x"))
    trace = tmp_path / "trace.jsonl"
    monkeypatch.setenv("FIRSTLIGHT_TRACE", str(trace))
    assert not cache.available("made/other", NAME)
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    assert lines == [
        {"entry": "made/other", "state": "absent"},
        {"entry": NAME, "state": entry().sha256},
    ]


def test_without_the_press_nothing_is_written(folder: Path, monkeypatch: Patch) -> None:  # noqa: F811
    plant(monkeypatch, folder, NAME, CONTENT)
    monkeypatch.chdir(folder.parent)
    before = sorted(folder.parent.iterdir())
    cache.state(NAME)
    assert sorted(folder.parent.iterdir()) == before


def test_an_unknown_name_is_refused_everywhere(folder: Path) -> None:  # noqa: F811
    for ask in (cache.state, cache.path, cache.available, cache.fetch):
        with pytest.raises(DataUnknown):
            ask("no/such")


def test_home_is_understood_in_the_setting(monkeypatch: Patch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FIRSTLIGHT_DATA", "~/sky")
    assert cache.cache_dir() == tmp_path / "sky"


def test_without_the_setting_the_platforms_cache_is_used(monkeypatch: Patch) -> None:
    monkeypatch.delenv("FIRSTLIGHT_DATA", raising=False)
    assert cache.cache_dir().is_absolute()
    assert "firstlight" in str(cache.cache_dir())


@pytest.mark.parametrize("name", registry.names(wheels=True))
def test_the_wheels_that_are_installed_are_the_pinned_ones(name: str) -> None:
    if cache.state(name) == cache.ABSENT:
        pytest.skip(f"{name}: its package is not installed")
    assert cache.path(name).stat().st_size == registry.get(name).size
