"""The line under every page: its links name the page, and its notebook holds the outputs."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("myst_nb")

import nbformat

from firstlight.press.page_foot import NO_CODE, foot, launch_link, plain_title, report_link
from small_book import SmallBook

HOME = "https://github.com/someone/some-book"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    book = SmallBook(tmp_path_factory.mktemp("foot"))
    extensions = ["firstlight.press.extension", "firstlight.press.page_foot"]
    book.write(
        "_config.yml",
        "title: A small book\nauthor: A\nonly_build_toc_files: true\n"
        "repository: {branch: trunk}\nlaunch_buttons: {notebook_interface: jupyterlab}\n"
        f"sphinx: {{extra_extensions: {json.dumps(extensions)}}}\n",
    )
    book.write("pyproject.toml", f'[project]\nname = "b"\n[project.urls]\nRepository = "{HOME}"\n')
    book.page("ran", "print(6 * 7)")
    book.page("prose", header=False)
    status, said = book.press("book")
    assert status == 0, said
    return book


def links(page):
    (line,) = re.findall(r'<nav class="fl-foot.*?</nav>', page)
    return {text: url for url, text in re.findall(r'<a href="([^"]*)">([^<]*)</a>', line)}, line


@pytest.mark.parametrize("name", ["ran", "prose", "index"])
def test_every_page_can_be_launched_edited_and_reported(built, name):
    found, _ = links(built.html(name))
    assert found["Launch on Binder"].endswith(
        f"/v2/gh/someone/some-book/trunk?urlpath=lab/tree/book/{name}.md"
    )
    assert found["Edit on GitHub"] == f"{HOME}/edit/trunk/book/{name}.md"
    assert f"book%2F{name}.md" in found["Report an error"]


def test_an_executed_page_comes_as_a_notebook_with_its_outputs(built):
    found, line = links(built.html("ran"))
    path = built.root / "_build/html/book" / found["Download as notebook"]
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    outputs = [out.text for c in notebook.cells for out in c.get("outputs", []) if "text" in out]
    assert outputs == ["42\n"]
    assert "colab" in found["Open in Colab"] and NO_CODE not in line


def test_a_page_without_code_says_so_and_comes_as_text(built):
    found, line = links(built.html("prose"))
    source = built.root / "_build/html/book" / found["Download the source"]
    assert "# Page prose" in source.read_text("utf-8")
    assert NO_CODE in line and "Open in Colab" not in found


def test_pages_without_a_source_have_no_line(built):
    assert "fl-foot" not in (built.root / "_build/html/search.html").read_text("utf-8")


def test_a_report_names_the_page_by_its_title():
    link = report_link(HOME, plain_title("Is 1 &lt; 2 &amp; <em>why</em>?"), "book/a.md")
    fields = parse_qs(urlsplit(link).query)
    assert urlsplit(link).path == "/someone/some-book/issues/new"
    assert fields["title"] == ["Error on the page “Is 1 < 2 & why?”"]
    assert fields["body"][0].startswith("Page: book/a.md\n")


def test_only_a_repository_on_github_is_launched():
    assert launch_link("https://example.org/a/b", "main", "book/a.md") == ""
    assert "/v2/gh/a/b/main?" in launch_link("https://github.com/a/b", "main", "book/a.md")


def test_the_line_is_escaped_and_not_printed():
    line = foot([("A", 'https://example.org/?a=1&b="2"')], "a < b")
    assert 'href="https://example.org/?a=1&amp;b=&quot;2&quot;"' in line
    assert "<p>a &lt; b</p>" in line and "d-print-none" in line
