"""Which edits execute which chapters again: exactly the dependents, nothing else."""

import os
from pathlib import Path

import pytest

from firstlight.press.build import Executions, Options
from firstlight.press.store import FORMAT, load, why_stale
from firstlight.press.toc import read_book
from small_book import SmallBook

CELLS = {
    "plain": "from comp import plain\nassert plain.X",
    "late": "from comp import door\ndoor.open_it()",
    "table": "import comp, pathlib\n"
    "text = (pathlib.Path(comp.__file__).parent / 'table.csv').read_text()",
    "child": "import subprocess, sys\n"
    "_ = subprocess.run([sys.executable, '-c', 'from comp import childish'], check=True)",
    "spawned": "import multiprocessing\nfrom comp import pool\n"
    "with multiprocessing.get_context('spawn').Pool(1) as workers:\n"
    "    workers.map(pool.work, [1])",
    "listing": "import comp, pathlib\n"
    "runs = list((pathlib.Path(comp.__file__).parent / 'runs').glob('*.csv'))",
    "alone": "x = 1",
}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> SmallBook:
    book = SmallBook(tmp_path_factory.mktemp("stale"))
    for name, cell in CELLS.items():
        book.page(name, cell)
    book.write("code/comp/plain.py", "X = 1\n")
    book.write("code/comp/door.py", "def open_it():\n    from comp import behind\n")
    book.write("code/comp/behind.py", "Y = 1\n")
    book.write("code/comp/table.csv", "a,b\n")
    book.write("code/comp/childish.py", "Z = 1\n")
    book.write("code/comp/pool.py", "def work(x):\n    from comp import deep\n    return deep.D\n")
    book.write("code/comp/deep.py", "D = 1\n")
    book.write("code/comp/runs/a.csv", "1\n")
    book.write("code/comp/nobody.py", "W = 1\n")
    book.write("requirements.txt", "numpy==1\n")
    assert executed(book) == set(CELLS)
    return book


def executed(book: SmallBook) -> set[str]:
    """Execute what is stale, without rendering; the names of what was executed."""
    run = Executions(read_book(book.root), Options(), None)
    run.execute_stale()
    assert not run.failures, run.failures
    return {name.removeprefix("book/") for name in run.executed}


@pytest.mark.parametrize(
    ("file", "text", "dependents"),
    [
        ("code/comp/plain.py", "X = 2\n", {"plain"}),
        ("code/comp/behind.py", "Y = 2\n", {"late"}),
        ("code/comp/table.csv", "a,c\n", {"table"}),
        ("code/comp/childish.py", "Z = 2\n", {"child"}),
        ("code/comp/deep.py", "D = 2\n", {"spawned"}),
        ("code/comp/runs/b.csv", "2\n", {"listing"}),
        ("code/comp/nobody.py", "W = 2\n", set()),
        ("code/comp/brand_new.py", "V = 2\n", set()),
        ("book/plain.md", None, set()),
        ("requirements.txt", "numpy==2\n", set(CELLS)),
    ],
)
def test_an_edit_executes_its_dependents_and_nothing_else(
    book: SmallBook, file: str, text: str | None, dependents: set[str]
) -> None:
    path = book.root / file
    path.write_text(text if text is not None else path.read_text() + "\nMore prose.\n")
    assert executed(book) == dependents
    assert executed(book) == set()


def test_a_touched_file_executes_nothing(book: SmallBook) -> None:
    os.utime(book.root / "code/comp/plain.py", (1, 1))
    assert executed(book) == set()


def test_an_edited_cell_executes_its_chapter(book: SmallBook) -> None:
    book.page("alone", "x = 2")
    assert executed(book) == {"alone"}


def test_the_seed_is_a_dependency_but_the_data_folder_is_not(
    book: SmallBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = read_book(book.root)
    page = small.page("alone")
    record = load(small, page.docname)
    monkeypatch.setenv("FIRSTLIGHT_DATA", "/somewhere/else")
    monkeypatch.setenv("FIRSTLIGHT_CLAIMS", "record")
    assert why_stale(small, page, record) is None
    monkeypatch.setenv("FIRSTLIGHT_SEED", "7")
    assert why_stale(small, page, record) == "FIRSTLIGHT_SEED changed"


def test_a_registry_entry_that_came_or_changed_is_seen(
    book: SmallBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = read_book(book.root)
    page = small.page("alone")
    record = load(small, page.docname)
    assert record is not None
    record.entries = {"demo.fits": "absent"}
    monkeypatch.setattr("firstlight.press.store.entry_state", lambda name, recorded: "absent")
    assert why_stale(small, page, record) is None
    monkeypatch.setattr("firstlight.press.store.entry_state", lambda name, recorded: "f00d")
    assert why_stale(small, page, record) == "registry entry demo.fits changed"


def test_a_damaged_notebook_or_an_old_record_executes_again(book: SmallBook) -> None:
    small = read_book(book.root)
    page = small.page("alone")
    record = load(small, page.docname)
    assert record is not None
    notebook = small.press / "book__alone.ipynb"
    whole = notebook.read_text("utf-8")
    notebook.write_text(whole[:-20])
    assert why_stale(small, page, record) == "its outputs are missing"
    notebook.write_text(whole)
    assert why_stale(small, page, record) is None
    record.format = FORMAT - 1
    assert why_stale(small, page, record) is not None


def test_what_is_edited_while_the_chapter_runs_counts_as_changed(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    # The chapter imports a module, which then changes under it: outputs show the old one.
    book.page("racer", "from comp import one\nopen(one.__file__, 'a').write('# edited\\n')")
    book.write("code/comp/one.py", "X = 1\n")
    assert executed(book) == {"racer"}
    assert executed(book) == {"racer"}


def test_a_file_that_was_looked_for_in_vain_is_a_dependency(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    book.page(
        "hopeful",
        "import comp, pathlib\ntry:\n"
        "    (pathlib.Path(comp.__file__).parent / 'weights.npz').read_bytes()\n"
        "except FileNotFoundError:\n    pass",
    )
    assert executed(book) == {"hopeful"}
    assert executed(book) == set()
    book.write("code/comp/weights.npz", "now there")
    assert executed(book) == {"hopeful"}
