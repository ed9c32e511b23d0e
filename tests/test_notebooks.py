"""Executed chapters as notebooks: whole, plain, and with the package brought along."""

import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from firstlight.press import notebooks
from firstlight.press.chapter import read_chapter
from firstlight.press.errors import PressError
from firstlight.press.notebook_text import Plain, Setting
from firstlight.press.shown import Ledger
from firstlight.press.toc import read_book
from small_book import HEADER, SmallBook

ROOT = Path(__file__).parents[1]
SITE, REPOSITORY = "https://an-owner.github.io/a-book", "https://github.com/an-owner/a-book"
BIB = (ROOT / "references.bib").read_text(encoding="utf-8")
PAGE = """# A page

{claim}`demo.n:d u` were drawn {cite:p}`Dieleman2015`, says [the first](index.md#here).

```{code-cell}
from firstlight.claims import quote, skip
_ = quote("demo.n", 12, "images")
skip("demo.real", "no data here")
```

:::{exercise} Double it
:name: demo.double

```python
def double(x):
    ...  # {claim}`not.a.claim`
```
:::

:::{solution} demo.double
:::
Add it to itself.

```{code-cell}
print(6 * 7)
```

And again.

:::{solution-end}
:::

```{code-cell}
:tags: [hide-input]
1 + 1
```
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small book, executed once, and its notebooks."""
    book = SmallBook(tmp_path_factory.mktemp("doors"))
    book.page("one", "1")
    book.write("book/one.md", HEADER.format(extra="") + PAGE)
    book.write("pyproject.toml", f'[project]\nname = "x"\nurls.Repository = "{REPOSITORY}"\n')
    shutil.copy(ROOT / "references.bib", book.root)
    config = (book.root / "_config.yml").read_text()
    extra = "sphinx: {extra_extensions: [firstlight.press.extension]}\n"
    bib = "bibtex_bibfiles: [references.bib]\nparse: {myst_enable_extensions: [colon_fence]}\n"
    book.write("_config.yml", config + bib + extra)
    index = "# A book\n\n(here)=\n## Here\n\n```{bibliography}\n```\n"
    book.write("book/index.md", index)
    book.press("book")  # whatever else the page lacks, its cells are executed and kept
    status, said = book.press("notebooks", "--ref", "abc123")
    assert status == 0, said
    assert "1 notebook written" in said
    return book


@pytest.fixture(scope="module")
def notebook(built):
    path = built.root / "_build/notebooks/one.ipynb"
    nbformat.validate(json.loads(path.read_text("utf-8")))
    return nbformat.read(path, 4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_the_code_is_the_chapters_after_one_cell_that_installs(built, notebook):
    book = read_book(built.root)
    chapter = read_chapter(book.root, book.page("one"))
    first, *rest = code(notebook)
    assert [cell.source for cell in rest] == [cell.source for cell in code(chapter.notebook)]
    assert notebook.cells[0] is first
    assert f'%pip install --quiet "git+{REPOSITORY}@abc123"' in first.source


def test_outputs_are_those_of_the_build(notebook):
    assert [output.text for output in code(notebook)[2].outputs] == ["42\n"]


def test_the_first_cell_installs_only_where_the_package_is_missing(notebook):
    from IPython.core.inputtransformer2 import TransformerManager

    python = TransformerManager().transform_cell(code(notebook)[0].source)
    asked = []

    class Shell:
        def run_line_magic(self, *words):
            asked.append(words)

    for there in (True, False):
        source = python if there else python.replace("import firstlight", "import not_there_")
        exec(compile(source, "cell", "exec"), {"get_ipython": Shell})
    assert len(asked) == 1 and asked[0][0] == "pip"


def test_prose_is_plain_and_leads_outside(notebook):
    text = prose(notebook)
    assert "12\u00a0images were drawn (Dieleman et al., 2015)" in text
    assert f"[the first]({SITE}/book/index.html#here)" in text
    assert ":::" not in text and "{exercise}" not in text
    assert "{claim}`not.a.claim`" in text  # within code, nothing is filled in


def test_solutions_are_folded_and_their_cells_closed(notebook):
    text = prose(notebook)
    assert text.count("<details>") == text.count("</details>") == 2
    assert re.search(r"<details>.*Add it to itself\.\s*</details>", text, re.DOTALL)
    closed = [bool(cell.metadata.get("jupyter")) for cell in code(notebook)]
    assert closed == [False, False, True, True]


def test_an_unchanged_chapter_is_an_unchanged_file(built, tmp_path):
    for folder in ("a", "b"):
        assert built.press("notebooks", "--out", str(tmp_path / folder))[0] == 0
    one, two = ((tmp_path / folder / "one.ipynb").read_bytes() for folder in ("a", "b"))
    assert one == two
    assert notebooks.colab_link(REPOSITORY, "book/one") in (tmp_path / "a/README.md").read_text()


def test_cells_that_were_not_executed_are_not_passed_off(built):
    page = built.root / "book/one.md"
    text = page.read_text()
    try:
        page.write_text(text.replace("6 * 7", "6 * 8"))
        status, said = built.press("notebooks")
    finally:
        page.write_text(text)
    assert status == 1
    assert "book/one.md: its cells have not been executed as they stand" in said
    assert "make chapter C=one" in said and "Traceback" not in said


def test_a_figure_keeps_one_picture():
    kind = "application/vnd.firstlight.figure+json"
    shown = nbformat.v4.new_output(
        "display_data", {kind: {}, "image/png": "AA=="}, metadata={"firstlight": True}
    )
    kept = notebooks._output(shown)
    assert list(kept.data) == ["image/png"] and not kept.metadata
    assert kind in shown.data  # the press's own copy is left alone


# ---------------------------------------------------------------- the words


def plain(text, ledger=None):
    known = Ledger(Path("none"))
    known.values = ledger or {}
    works = {"A": ("Ada", "1843"), "B": ("Bob and Eve", "1999")}
    return Plain(Setting(ROOT, known, works, REPOSITORY, SITE), "book/part/page").cell(text)


def test_a_quiz_becomes_a_question_with_folded_answers():
    text = plain(":::{quiz} Which?\n:tests: x\n- [ ] One :: too few\n- [x] Two :: so it is\n:::")
    question, answers = text.split("<details>")
    assert question.startswith("**Question 1.** Which?") and "so it is" not in question
    assert '- "One" **Not quite:** too few' in answers
    assert '- "Two" **Right:** so it is' in answers
    assert ":tests:" not in text


def test_nested_fences_and_what_was_measured():
    source = "````{measured} a.b\n```{caption}\n:name: x\n\nLook {claim}`a.b:.1f`.\n```\n````"
    source += "\n\n```{unmeasured} a.b\nNothing there.\n```\n"
    there = {"a.b": {"name": "a.b", "value": 1.25, "unit": "", "file": "x.md"}}
    assert plain(source, there) == "**Figure 1.** Look 1.2."
    assert plain(source, {"a.b": {"name": "a.b", "skipped": "no"}}) == "Nothing there."


def test_citations_references_and_sources():
    assert plain("By {cite:t}`A,B`.") == "By Ada (1843), Bob and Eve (1999)."
    assert plain("So {cite:p}`A,B`.") == "So (Ada, 1843; Bob and Eve, 1999)."
    assert plain("A {term}`vote floor <Vote floor>`.") == "A vote floor."
    link = f"[`firstlight.claims.claim`]({REPOSITORY}/blob/main/code/firstlight/claims.py)"
    assert plain("{source}`firstlight.claims:claim`") == link
    assert plain("[up](../index.md)") == f"[up]({SITE}/book/index.html)"
    assert plain("[out](https://x.org/a.md) $f[i](x)$") == "[out](https://x.org/a.md) $f[i](x)$"


def test_a_directive_nobody_foresaw_is_still_readable():
    assert (
        plain(":::{note}\nMind ``{claim}`x` ``.\n:::") == "> **Note**\n>\n> Mind ``{claim}`x` ``."
    )
    assert plain("```{math}\nx^2\n```") == "$$\nx^2\n$$"


@pytest.mark.parametrize("text", ["{claim}`a.b`", "{cite:p}`Nobody1900`"])
def test_what_does_not_exist_is_not_shown(text):
    with pytest.raises(PressError, match="book/part/page.md"):
        plain(text)


def test_addresses_off_github_are_left_out():
    assert notebooks.site("https://example.org/a/b") == ""
    assert notebooks.colab_link("https://example.org/a/b", "book/x") == ""


def test_every_work_of_the_book_can_be_cited_in_words():
    works = notebooks.citations(ROOT)
    assert works["Dieleman2015"] == ("Dieleman et al.", "2015")
    assert all(re.fullmatch(r"\d{4}", year) for _, year in works.values())
    assert not [name for name, _ in works.values() if re.search(r"[{}\\]", name)]


STUDIES = """:::{studies}
:columns: to beat
Galaxy Zoo | ../supervised/galaxy-zoo | {cite:t}`A` | 0.08 | a forest: {claim}`zoo.forest:.2f` | {claim}`zoo.rmse:.2f`
Moon | ../moon/landing | {cite:t}`B` | 1 | a rocket: {claim}`moon.rocket:.1f` | {claim}`moon.error:.1f`
:::"""  # noqa: E501


def test_the_table_of_studies_says_what_is_rebuilt_and_what_is_not_yet():
    claims = {f"zoo.{name}": {"name": f"zoo.{name}", "value": 0.25, "low": 0, "high": 1, "unit": ""}
              for name in ("forest", "rmse")}  # fmt: skip
    head, line, zoo, moon = plain(STUDIES, claims).splitlines()
    assert head == "| study | the paper | its figure | to beat | this build |"
    assert line.count("---") == 5
    assert zoo.startswith(f"| [Galaxy Zoo]({SITE}/book/supervised/galaxy-zoo.html) | Ada (1843) |")
    assert zoo.endswith("| a forest: 0.25 | 0.25 |")
    assert moon == "| Moon | Bob and Eve (1999) | 1 | a rocket | *not yet rebuilt* |"


@pytest.mark.parametrize("page", read_book(ROOT).chapters, ids=lambda page: page.docname)
def test_every_chapter_of_the_book_can_be_written_as_a_notebook(page):
    """Claims of chapters that do not exist yet may be named in the table of studies only."""
    prose = re.sub(r"^:::\{studies\}.*?^:::$", "", page.text, flags=re.S | re.M)
    shown = set(re.findall(r"\{claim\}`\s*([\w.]+)", prose))
    known = Ledger(Path("none"))
    known.values = {name: {"name": name, "value": 1.0, "unit": ""} for name in shown}
    works = {key: ("Ada", "1843") for key in re.findall(r"@\w+\{(\w+),", BIB)}
    writer = Plain(Setting(ROOT, known, works, REPOSITORY, SITE), page.docname)
    for cell in read_chapter(ROOT, page).notebook.cells:
        if cell.cell_type == "markdown":
            text = writer.cell(cell.source)
            assert "{claim}`" not in re.sub(r"```.*?```", "", text, flags=re.S)
