"""The benchmarks' own bookkeeping; their results belong to the machine they run on."""

import json
import sys

import pytest

pytest.importorskip("resource", reason="CPU times of children are not to be had here")

import benchmarks.__main__ as runner  # noqa: E402
from benchmarks import Row, page_weight, press_overhead, table  # noqa: E402
from benchmarks.press_overhead import Cost, chapters_at_once, measure, script  # noqa: E402

from firstlight.press.toc import read_book  # noqa: E402

PAGE = """\
---
file_format: mystnb
kernelspec:
  name: python3
  display_name: Python 3
---
# A page

```{code-cell} ipython3
%matplotlib inline
a = 2
```

Prose.

```{code-cell} ipython3
print(a * 21)
```
"""


@pytest.fixture
def book(tmp_path):
    (tmp_path / "_config.yml").write_text("title: small\n")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    (tmp_path / "index.md").write_text(PAGE)
    return read_book(tmp_path)


@pytest.mark.parametrize(
    "ratio, at_most, met", [(1.1, True, True), (1.2, True, False), (1.2, False, True)]
)
def test_an_aim_is_a_bound(ratio, at_most, met):
    assert Row("x", 1, 1, "s", ratio, 1.15, at_most).met is met


def test_rows_stand_side_by_side():
    rows = [
        Row("short", 1, 20, "s", 0.05, 1),
        Row("a longer name", 1, 2, "images/s", 3, 1, note="N."),
    ]
    head, first, second, *rest = table(rows).splitlines()
    assert head.index("ratio") == first.index("0.05") == second.index("3 ")
    assert first.endswith("met") and second.endswith("MISSED")
    assert rest == ["", "a longer name: N."]


def test_a_chapter_becomes_a_script_that_runs(book, tmp_path):
    text = script(book, book.pages[0])
    assert "%matplotlib" not in text and "Prose" not in text
    (tmp_path / "s.py").write_text(text)
    cost = measure([sys.executable, str(tmp_path / "s.py")], tmp_path, {}, tmp_path / "log")
    assert (tmp_path / "log").read_text() == "42\n"
    assert 0 < cost.cpu_s < 10 and cost.wall_s > 0


def test_cpu_seconds_are_those_of_the_work(tmp_path):
    spin = "import time\nwhile time.process_time() < 0.5: pass"
    cost = measure([sys.executable, "-c", spin], tmp_path, {}, tmp_path / "log")
    assert 0.45 < cost.cpu_s < 1.0
    idle = measure(
        [sys.executable, "-c", "import time; time.sleep(0.6)"], tmp_path, {}, tmp_path / "log"
    )
    assert idle.wall_s > 0.6 and idle.cpu_s < 0.4


def test_a_failed_script_is_named(tmp_path):
    with pytest.raises(RuntimeError, match="exit status 1(.|\n)*ZeroDivisionError"):
        measure([sys.executable, "-c", "1/0"], tmp_path, {}, tmp_path / "log")


@pytest.mark.parametrize(
    "cpu, cores, jobs", [([300, 20], 2, 1), ([100, 100], 2, 2), ([50] * 8, 4, 4), ([9], 8, 1)]
)
def test_cores_that_must_wait_are_not_counted(cpu, cores, jobs):
    assert chapters_at_once([Cost(value, value) for value in cpu], cores) == jobs


def test_the_server_of_pages_compresses_text_only(tmp_path):
    import gzip
    import urllib.request

    (tmp_path / "page.html").write_text("word " * 1000)
    (tmp_path / "image.png").write_bytes(bytes(5000))
    with page_weight.serving(tmp_path) as address:
        with urllib.request.urlopen(f"{address}/page.html?v=1") as answer:
            body = answer.read()
            assert answer.headers["Content-Encoding"] == "gzip" and len(body) < 200
            assert gzip.decompress(body) == b"word " * 1000
        with urllib.request.urlopen(f"{address}/image.png") as answer:
            assert answer.headers["Content-Encoding"] is None and len(answer.read()) == 5000


def test_the_middle_visit_is_the_median_in_time():
    visits = [page_weight.Visit(1, 1, 0, seconds, 0) for seconds in (9.0, 1.0, 2.0)]
    assert page_weight.middle(visits).usable_s == 2.0


def test_the_heaviest_page_is_judged_and_named():
    ours, plain = page_weight.Visit(900, 50, 0, 1.5, 100), page_weight.Visit(1200, 50, 3, 3, 0)
    heaviest, weight, limit, usable, _ = page_weight.rows({"a": 900, "b": 1100}, ours, plain)
    assert heaviest.ratio == 1.1 and not heaviest.met and heaviest.note.startswith("b;")
    assert weight.ratio == 0.75 and "3 addresses elsewhere, ours 0" in weight.note
    assert (limit.ratio, usable.ratio) == (0.75, 0.5)


def test_without_pages_nothing_is_weighed(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("FIRSTLIGHT_HTML", str(tmp_path))
    assert page_weight.run() == []
    assert "make book" in capsys.readouterr().out


def test_every_benchmark_has_run():
    import importlib

    assert {"page_weight", "press_overhead"} <= set(runner.names())
    for name in runner.names():
        assert callable(importlib.import_module(f"benchmarks.{name}").run), name


def test_the_runner_prints_writes_and_judges(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(press_overhead, "run", lambda: [Row("press overhead", 2, 1, "s", 2, 1.15)])
    status = runner.main(["press_overhead", "--json", str(tmp_path / "rows.json")])
    assert status == 1
    assert "MISSED" in capsys.readouterr().out
    assert json.loads((tmp_path / "rows.json").read_text())[0]["met"] is False
    with pytest.raises(SystemExit):
        runner.main(["no_such_benchmark"])
