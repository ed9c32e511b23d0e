"""The promises of a build: what stops it, what it says, what it keeps."""

import json
import os
import signal
from pathlib import Path

import psutil
import pytest

from firstlight.press.errors import PressError
from small_book import SmallBook, until

CLAIM = "from firstlight.claims import claim\nfrom comp import result\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> SmallBook:
    """A book of two chapters, built once."""
    book = SmallBook(tmp_path_factory.mktemp("built"))
    book.write("code/comp/result.py", "VALUE = 0.5\n")
    book.page("judged", CLAIM + "_ = claim('demo.value', result.VALUE, low=0, high=1)")
    book.page("other", "print(6 * 7)", "from firstlight.claims import quote, skip\n"
              "_ = quote('demo.n', 12, 'images')\nskip('demo.real', 'no data here')")  # fmt: skip
    status, said = book.press("book")
    assert status == 0, said
    assert said.rstrip().endswith("_build/html/book/index.html")
    return book


def test_pages_show_the_outputs(built: SmallBook) -> None:
    assert ">42" in built.html("other")


def test_the_ledger_has_the_documented_form(built: SmallBook) -> None:
    ledger = built.ledger()
    assert set(ledger) == {"chapters", "book"}
    assert set(ledger["book"]) == {"cold_wall_s", "last_wall_s", "cpu_s", "cores", "versions"}
    judged, other = ledger["chapters"]
    assert set(judged) == {"file", "wall_s", "cpu_s", "peak_rss_mb", "cached", "depends",
                           "claims", "quotes"}  # fmt: skip
    assert judged["file"] == "book/judged.md"
    assert judged["depends"] == ["code/comp/__init__.py", "code/comp/result.py"]
    assert judged["claims"] == [
        {"name": "demo.value", "value": 0.5, "low": 0, "high": 1, "unit": ""}
    ]
    assert other["claims"] == [{"name": "demo.real", "skipped": "no data here"}]
    assert other["quotes"] == [{"name": "demo.n", "value": 12, "unit": "images"}]
    assert judged["cpu_s"] > 0 and judged["peak_rss_mb"] > 10
    assert ledger["book"]["cold_wall_s"] >= max(judged["wall_s"], other["wall_s"])


def test_an_unchanged_book_renders_nothing_and_keeps_its_figures(built: SmallBook) -> None:
    before = built.ledger()["chapters"]
    page = built.root / "_build/html/book/judged.html"
    stamp = page.stat().st_mtime_ns
    status, said = built.press("book")
    assert status == 0 and said.count("cached") == 2
    assert page.stat().st_mtime_ns == stamp
    after = built.ledger()["chapters"]
    assert all(chapter["cached"] for chapter in after)
    for old, new in zip(before, after, strict=True):
        assert {**old, "cached": True} == {**new, "cached": True}


def test_prose_is_rendered_without_executing(built: SmallBook) -> None:
    page = built.root / "book/other.md"
    page.write_text(page.read_text() + "\nA new sentence.\n")
    status, said = built.press("chapter", "other")
    assert status == 0 and "cached" in said, said
    assert said.rstrip().endswith("_build/html/book/other.html")
    assert "A new sentence." in built.html("other") and ">42" in built.html("other")


def test_a_reexecuted_chapter_shows_its_new_output(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    book.write("code/comp/result.py", "VALUE = 1234\n")
    book.page("shows", "from comp import result\nprint(result.VALUE)")
    assert book.press("book")[0] == 0
    book.write("code/comp/result.py", "VALUE = 5678\n")
    status, said = book.press("book")
    assert status == 0, said
    assert "code/comp/result.py changed" in said
    assert "5678" in book.html("shows") and "1234" not in book.html("shows")


def test_failures_are_named_and_the_rest_is_kept(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    book.write("code/comp/result.py", "VALUE = 1.5\n")
    book.page("good", "print('fine')")
    book.page("wrong", "1 + 1", CLAIM + "_ = claim('demo.value', result.VALUE, low=0, high=1)")
    book.page("broken", "# set up\nx = {}\nx['lost']")
    status, said = book.press("book")
    assert status == 1
    assert "book/wrong.md: cell 2 (from firstlight.claims import claim) failed" in said
    assert "ClaimError: claim demo.value: received 1.5, expected 0 to 1" in said
    assert "book/broken.md: cell 1 (x = {}) failed\n    KeyError: 'lost'" in said
    assert "end of its traceback" in said
    assert not (book.root / "_build/ledger.json").exists()
    book.write("code/comp/result.py", "VALUE = 0.5\n")
    book.page("broken", "x = 1")
    status, said = book.press("book")
    assert status == 0, said
    assert "book/good    cached" in said


def test_a_killed_kernel_is_a_plain_message(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    book.page("fatal", "1", "import os\nos.kill(os.getpid(), 9)")
    status, said = book.press("book")
    assert status == 1
    assert "book/fatal.md: cell 2" in said and "the kernel died" in said
    assert "Traceback" not in said


def test_a_page_without_its_header_is_found(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    book.page("bare", "print(1)", header=False)
    status, said = book.press("book")
    assert status == 1
    assert "book/bare.md: has code cells but no header" in said
    assert "file_format: mystnb" in said


def test_problems_of_pages_stop_the_build_until_mended(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    page = book.page("linked", "print(1)")
    text = page.read_text()
    page.write_text(text + '\n[gone](nowhere.md)\n\n<a href="lost.html">lost</a>\n')
    for _ in range(2):  # a second build must not forget
        status, said = book.press("book")
        assert status == 1 and "book/linked.md, line" in said and "nowhere.md" in said, said
    page.write_text(text + '\n<a href="lost.html">lost</a>\n')
    status, said = book.press("book")
    assert status == 1 and "link to lost.html: there is no such file" in said, said
    page.write_text(text)
    assert book.press("book")[0] == 0


def test_a_warning_in_a_cell_stops_the_build(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    noise = "I0000 00:00:1732.5 42 gpu.cc:1] no GPU here"
    scattered = f"{noise[:3]}' b'{noise[3:]}"  # so that the source is not the output
    book.page("noisy", f"import os\n_ = os.write(2, b'{scattered}\\n')")
    book.page("warned", "import warnings\nwarnings.warn('look here')")
    status, said = book.press("book")
    assert status == 1
    assert "book/warned.md: cell 1 wrote to standard error" in said and "look here" in said
    assert "book/noisy.md: cell" not in said
    assert noise not in book.html("noisy") and "look here" in book.html("warned")
    _, again = book.press("book")  # its cause may lie outside the book, and be mended by now
    assert "book/warned: it wrote to standard error" in again and "book/noisy " in again
    assert "book/noisy:" not in again


def test_exclusive_chapters_run_alone_at_the_end(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    log = tmp_path / "log.txt"
    cell = (
        "import time\nbegun = time.time()\ntime.sleep(0.3)\n"
        "line = f'{NAME} {begun} {time.time()}'\n"
        f"_ = open({str(log)!r}, 'a').write(line + '\\n')"
    )
    for name in ("timed", "a", "b"):
        extra = "exclusive: true\n" if name == "timed" else ""
        book.page(name, f"NAME = {name!r}\n{cell}", extra=extra)
    assert book.press("book", "--jobs", "2")[0] == 0
    rows = [line.split() for line in log.read_text().splitlines()]
    times = {name: (float(begun), float(ended)) for name, begun, ended in rows}
    assert times["timed"][0] > max(times["a"][1], times["b"][1])


def _sleeper(book: SmallBook, folder: Path) -> Path:
    """A chapter that notes its process and then waits for a file `go` outside the book."""
    pid, go = folder / "pid", folder / "go"
    cell = (
        f"import os, pathlib, time\npathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\n"
        f"while not os.path.exists({str(go)!r}):\n    time.sleep(0.05)"
    )
    book.page("slow", cell)
    return pid


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_ends_its_kernels_and_resumes(
    tmp_path: Path, how: signal.Signals
) -> None:
    book = SmallBook(tmp_path / "book")
    book.page("quick", "print('done once')")
    pid_file = _sleeper(book, tmp_path)
    process = book.start("book", "--jobs", "2")
    record = book.root / "_build/.press/book__quick.json"
    until(lambda: record.exists() and pid_file.exists() and pid_file.read_text())
    kernel = int(pid_file.read_text())
    process.send_signal(how)
    said, _ = process.communicate(timeout=30)
    until(lambda: not _alive(kernel), 20)
    if how != signal.SIGKILL:
        assert process.returncode == 130 and "Finished chapters are kept" in said
        assert "Traceback" not in said
    (tmp_path / "go").touch()
    status, said = book.press("book")
    assert status == 0, said
    assert "book/quick  cached" in said and "book/slow   done" in said


def test_a_second_build_waits_for_the_first(tmp_path: Path) -> None:
    book = SmallBook(tmp_path / "book")
    pid_file = _sleeper(book, tmp_path)
    first = book.start("book")
    until(pid_file.exists)
    second = book.start("book")
    assert second.stdout is not None
    assert "Another build of this book is running" in second.stdout.readline()
    (tmp_path / "go").touch()
    assert first.wait(timeout=60) == 0
    said, _ = second.communicate(timeout=60)
    assert second.returncode == 0 and "cached" in said


def test_a_full_disk_leaves_no_half_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from firstlight.press import store

    path = tmp_path / "record.json"
    path.write_text("the old one")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PressError, match="the disk is full"):
        store.write_atomic(path, "the new one")
    assert path.read_text() == "the old one"
    assert [found.name for found in tmp_path.iterdir()] == ["record.json"]


def test_a_full_disk_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from firstlight.press.__main__ import main

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr("firstlight.press.build.build", full)
    assert main(["book", "--root", str(tmp_path)]) == 1
    assert capsys.readouterr().err.strip().count("\n") == 0


def test_pages_are_never_executed_while_rendering(tmp_path: Path) -> None:
    from firstlight.press.pages import render
    from firstlight.press.toc import read_book

    book = SmallBook(tmp_path)
    book.page("unexecuted", "print(1)")
    with pytest.raises(PressError, match="would be executed while pages are rendered"):
        render(read_book(book.root), [], "")


def test_one_chapter_does_not_need_the_others(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    book.page("ready", "print('here')")
    book.page("failing", "raise ValueError('not yet')")
    status, said = book.press("chapter", "ready")
    assert status == 0, said
    assert "here" in book.html("ready")
    assert book.press("book")[0] == 1


def test_two_chapters_with_the_same_cells_are_refused(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    book.page("one", "import os\nprint(os.getpid())")
    book.page("two", "import os\nprint(os.getpid())")
    status, said = book.press("book")
    assert status == 1 and "the very same code cells as book/one.md" in said


def test_a_number_shown_elsewhere_follows_its_source(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    config = book.root / "_config.yml"
    extension = "sphinx:\n  extra_extensions: [firstlight.press.extension]\n"
    config.write_text(config.read_text() + extension)
    book.write("book/index.md", "# A small book\n\nIt is {claim}`demo.value:.2f` high.\n")
    book.write("code/comp/result.py", "VALUE = 0.25\n")
    book.page("judged", CLAIM + "_ = claim('demo.value', result.VALUE, low=0, high=1)")
    for value in ("0.25", "0.75"):
        book.write("code/comp/result.py", f"VALUE = {value}\n")
        status, said = book.press("book")
        assert status == 0, said
        assert f">{value}<" in book.html("index")
    book.write("book/index.md", "# A small book\n\nIt is {claim}`demo.valeu:.2f` high.\n")
    status, said = book.press("book")
    assert status == 1 and "demo.valeu" in said and "book/index.md" in said, said


def test_a_change_of_the_configuration_renders_all(built: SmallBook) -> None:
    assert built.press("book")[0] == 0
    config = built.root / "_config.yml"
    config.write_text(config.read_text().replace("A small book", "A renamed book"))
    status, said = built.press("book")
    assert status == 0, said
    assert "A renamed book" in built.html("judged")


def test_clean_removes_the_build(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    book.page("one", "1")
    book.write("_build/.press/x.json", json.dumps({}))
    assert book.press("clean")[0] == 0
    assert not (book.root / "_build").exists()
