"""Smaller parts of the press: contents, cells, noise, links, measurements."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from firstlight.press import links, toc
from firstlight.press.display import Display
from firstlight.press.errors import PressError, disk_message
from firstlight.press.execute import slots
from firstlight.press.ledger import read_ledger, shown_digest, write_ledger
from firstlight.press.pages import parse_warnings
from firstlight.press.store import Record
from firstlight.press.tracing import read_trace
from firstlight.press.worker import Meter, kill_tree, quiet
from small_book import SmallBook


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("```{code-cell}\n1\n```", True),
        ("~~~{code-cell} ipython3\n1\n~~~", True),
        ("````{note}\n```{code-cell}\n1\n```\n````", False),
        ("````md\n```{code-cell}\n1\n```\n````", False),
        ("```python\nx\n```\n\n```{code-cell}\n1\n```", True),
        ("Write `{code-cell}` there.", False),
    ],
)
def test_code_cells_are_found_where_they_would_run(text: str, has: bool) -> None:
    assert toc.has_code_cells(text) is has


def test_every_problem_of_the_contents_is_named_at_once(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    book.page("bare", "1", header=False)
    book.page("gone", "1").unlink()
    with pytest.raises(PressError) as caught:
        toc.read_book(tmp_path)
    assert "book/bare.md" in str(caught.value) and "book/gone.md" in str(caught.value)


def test_pages_are_found_by_any_of_their_names(tmp_path: Path) -> None:
    SmallBook(tmp_path).page("one", "1", extra="exclusive: true\n")
    book = toc.read_book(tmp_path)
    assert book.page("one") is book.page("book/one.md") is book.page(str(book.root / "book/one.md"))
    assert book.page("one").exclusive and not book.page("index").executable
    with pytest.raises(PressError, match="no page 'two'"):
        book.page("two")


def test_log_noise_goes_and_warnings_stay() -> None:
    noise = (
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
        "I0000 00:00:1732192800.123456 1234 cuda.cc:10] whatever\n"
        "2026-11-22 10:00:00.123456: I tensorflow/core/cpu.cc:210] This binary is optimized\n"
        "To enable the following instructions: AVX2 FMA, rebuild TensorFlow\n"
    )
    assert quiet(noise) == ""
    kept = "a.py:3: UserWarning: mind this\n  warnings.warn('mind this')\n"
    assert quiet(noise + kept) == kept
    assert quiet("WARNING:tensorflow:5 calls triggered retracing\n")


def test_the_meter_counts_children(tmp_path: Path) -> None:
    burn = "import time; t = time.process_time()\nwhile time.process_time() - t < {}: pass"
    child = f"[sys.executable, '-c', {burn.format(0.4)!r}]"
    source = f"import subprocess, sys, time\nsubprocess.run({child}); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", source])
    try:
        meter = Meter(process.pid)
        end = time.monotonic() + 30
        while meter.sample() < 0.4 and time.monotonic() < end:
            time.sleep(0.1)
        assert meter.stop() >= 0.4
        assert meter.peak_rss > 5e6
    finally:
        kill_tree(process.pid)
        process.wait()


def test_kill_tree_leaves_no_child() -> None:
    child = "[sys.executable, '-c', 'import time; time.sleep(60)']"
    source = (
        f"import subprocess, sys\np = subprocess.Popen({child})\nprint(p.pid, flush=True)\np.wait()"
    )
    process = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    kill_tree(process.pid)
    process.wait()
    gone, alive = psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], 10)
    assert not alive


def test_a_trace_cut_short_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    claim = '{"claim": "x.y", "value": 1, "low": 0, "high": null, "unit": ""}'
    path.write_text(f'{{"file": "/b"}}\n{{"file": "/a"}}\n{{"file": "/a"}}\n{claim}\n{{"fil')
    trace = read_trace(path)
    assert trace.files == ["/a", "/b"]
    assert trace.claims == [{"name": "x.y", "value": 1, "low": 0, "high": None, "unit": ""}]


def test_the_audit_hook_runs_a_hidden_sitecustomize_and_never_raises(tmp_path: Path) -> None:
    hidden = tmp_path / "site"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import builtins\nbuiltins.HIDDEN = 1\n")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "mod.py").write_text("X = 1\n")
    trace = Path(toc.__file__).parent / "trace"
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(trace), str(tmp_path / "code"), str(hidden)]),
        "FIRSTLIGHT_TRACE": str(tmp_path / "no" / "such" / "folder"),
        "FIRSTLIGHT_TRACE_CODE": str(tmp_path / "code"),
    }
    source = "import mod; print(HIDDEN)"
    run = subprocess.run([sys.executable, "-c", source], env=env, capture_output=True, text=True)
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, "1", "")


def test_the_audit_hook_sees_cached_modules_and_not_what_is_written(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "mod.py").write_text("X = 1\n")
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(toc.__file__).parent / "trace"), str(code)]),
        "FIRSTLIGHT_TRACE_CODE": str(code),
    }
    source = f"import mod; open({str(code / 'new.txt')!r}, 'w').close()"
    for turn in ("compiles", "reads the .pyc"):
        env["FIRSTLIGHT_TRACE"] = str(tmp_path / turn)
        subprocess.run([sys.executable, "-c", source], env=env, check=True)
        assert read_trace(tmp_path / turn).files == [str(code / "mod.py")]
    assert list((code / "__pycache__").glob("mod.*.pyc"))


def test_a_kernel_finds_jax_only_where_keras_asks_for_it(tmp_path: Path) -> None:
    packages = tmp_path / "site"
    for name in ("jax", "json5"):
        (packages / name).mkdir(parents=True)
        (packages / name / "__init__.py").write_text("")
    source = "import importlib.util as u; print([bool(u.find_spec(n)) for n in ('jax', 'json5')])"
    env = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    env["PYTHONPATH"] = os.pathsep.join([str(Path(toc.__file__).parent / "trace"), str(packages)])
    traced = {"FIRSTLIGHT_TRACE": str(tmp_path / "t"), "FIRSTLIGHT_TRACE_CODE": str(tmp_path)}
    for extra, found in (
        ({}, "[True, True]"),
        (traced, "[False, True]"),
        (traced | {"KERAS_BACKEND": "tensorflow"}, "[False, True]"),
        (traced | {"KERAS_BACKEND": "jax"}, "[True, True]"),
    ):
        line = [sys.executable, "-c", source]
        run = subprocess.run(line, env=env | extra, capture_output=True, text=True, check=True)
        assert run.stdout.strip() == found, extra


def test_links_are_checked(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="b.html#here">ok</a> <a href="b.html#gone">no</a> <a href="c.html">no</a>'
        '<a href="https://example.org">fine</a> <script src="https://cdn.example.org/x.js"></script>'
        "<script>document.write('<a href=\"not-a-link.html\">')</script><!-- <a href='d.html'> -->"
    )
    (tmp_path / "b.html").write_text('<h1 id="here">b</h1><a href="#here">up</a>')
    problems = links.check(tmp_path)
    assert len(problems) == 3
    assert any("b.html#gone: there is no such place" in line for line in problems)
    assert any("c.html: there is no such file" in line for line in problems)
    assert any("asks another host for https://cdn.example.org/x.js" in line for line in problems)


def test_sphinx_warnings_become_a_plain_list(tmp_path: Path) -> None:
    SmallBook(tmp_path).page("one", "1")
    book = toc.read_book(tmp_path)
    text = (
        f"\x1b[31m{book.root}/book/one.md:7: WARNING: unknown role 'x' [myst]\x1b[0m\n"
        "  see the manual\nWARNING: something general\n"
    )
    one, two = parse_warnings(text, book)
    assert (one.docname, two.docname) == ("book/one", None)
    assert one.text.startswith("book/one.md, line 7: unknown role")
    assert two.text == "something general"


def test_a_full_disk_is_recognised_through_its_wrappers() -> None:
    try:
        try:
            raise OSError(28, "No space left on device", "x.json")
        except OSError as error:
            raise RuntimeError("wrapped") from error
    except RuntimeError as error:
        assert "x.json" in (disk_message(error) or "")
    assert disk_message(ValueError("other")) is None


def _record(name: str, cpu_s: float) -> Record:
    same = dict.fromkeys(("locks", "settings", "files", "folders", "entries"), {})
    text = dict.fromkeys(("source", "cells", "kernel", "notebook"), "")
    return Record(docname=name, wall_s=cpu_s, cpu_s=cpu_s, peak_rss_mb=1, **same, **text)


def test_only_a_build_that_executes_everything_is_cold(tmp_path: Path) -> None:
    records = [_record("book/a", 2.0), _record("book/b", 3.0)]
    write_ledger(tmp_path, records, {"book/a"}, 5.0)
    assert read_ledger(tmp_path)["book"]["cold_wall_s"] is None
    write_ledger(tmp_path, records, {"book/a", "book/b"}, 6.0)
    write_ledger(tmp_path, records, set(), 1.0)
    write_ledger(tmp_path, records, {"book/a"}, 9.0, whole=False)
    book = read_ledger(tmp_path)["book"]
    assert (book["cold_wall_s"], book["last_wall_s"], book["cpu_s"]) == (6.0, 1.0, 5.0)
    assert book["versions"]["python"].startswith("3.")


def test_times_of_a_build_are_no_reason_to_render(tmp_path: Path) -> None:
    records = [_record("book/a", 2.0)]
    cold = shown_digest(write_ledger(tmp_path, records, {"book/a"}, 5.0))
    assert shown_digest(write_ledger(tmp_path, records, set(), 1.0)) == cold
    records[0].claims = [{"name": "a.b", "value": 1.0, "low": 0, "high": None, "unit": ""}]
    assert shown_digest(write_ledger(tmp_path, records, set(), 1.0)) != cold


def test_at_least_one_chapter_runs_at_a_time() -> None:
    assert slots() >= 1
    assert slots(3) == 3


def test_live_lines_are_plain_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    display = Display(["a", "longer"])
    display.running("a")
    display.running("a", ", cell 2 of 9")
    display.done("a", "done in 3 s")
    assert capsys.readouterr().out == "  a       running\n  a       done in 3 s\n"
