"""The page side of the press, on a small book made for the purpose."""

import base64
import io
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("myst_nb")

from sphinx.testing.util import SphinxTestApp
from sphinx.util import logging as sphinx_logging

from firstlight.press.costs import cost_line
from firstlight.press.drawings import only_draws
from firstlight.press.quiz import read_options
from firstlight.press.render import MIME
from firstlight.press.shown import Ledger, format_value

ROOT = Path(__file__).parents[1]
CONF = """
extensions = ["myst_nb", "firstlight.press.extension"]
nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence", "dollarmath"]
exclude_patterns = ["_build"]
html_theme = "basic"
firstlight_ledger = "ledger.json"
html_static_path = []
"""
QUIZ = """
:::{quiz} What is $1 + 1$?
- [ ] One :: You forgot one.
- [x] Two :: As on every other page.
:::
"""


class Book:
    """A book in a temporary folder: write pages, build, look."""

    def __init__(self, folder):
        self.folder = folder
        self.app = None
        (folder / "conf.py").write_text(CONF)
        shutil.copy(ROOT / "pyproject.toml", folder)
        self.page("index", "# Book\n\n```{toctree}\n:glob:\n*\n```\n")
        self.ledger([])

    def page(self, name, text):
        (self.folder / f"{name}.md").write_text(text, encoding="utf-8")

    def notebook(self, name, *cells):
        path = self.folder / f"{name}.ipynb"
        notebook = nbformat.v4.new_notebook(cells=list(cells))
        notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "python"}
        nbformat.write(notebook, path)

    def ledger(self, claims, quotes=(), file="page.md", **costs):
        costs = {"wall_s": 1, "cpu_s": 12.3, "peak_rss_mb": 900, "cached": False} | costs
        chapter = {"file": file, "depends": [], "claims": claims, "quotes": list(quotes), **costs}
        book = {"versions": {"tensorflow": "2.21.0", "keras": "3.15.1"}, "last_wall_s": 3}
        (self.folder / "ledger.json").write_text(json.dumps({"chapters": [chapter], "book": book}))

    def build(self):
        """Build; returns the names of the pages that were read and the warnings."""
        read, warnings = [], io.StringIO()
        build = self.folder / "_build"
        self.app = SphinxTestApp("html", srcdir=self.folder, builddir=build, warning=warnings)
        self.app.connect("source-read", lambda app, docname, source: read.append(docname))
        try:
            self.app.build()
        finally:
            self.app.cleanup()
            sphinx_logging.setup(self.app, io.StringIO(), io.StringIO())
        plain = re.sub(r"\x1b\[[0-9;]*m", "", warnings.getvalue())
        return sorted(read), plain

    def html(self, name="page"):
        return (self.folder / "_build" / "html" / f"{name}.html").read_text(encoding="utf-8")


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path)


def rmse(value=0.0714, **more):
    return {"name": "demo.rmse", "value": value, "low": 0.06, "high": 0.08, "unit": "", **more}


class Tags(HTMLParser):
    """All tags of a page with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.all = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.all.append((tag, dict(attributes)))

    def named(self, name):
        return [attributes for tag, attributes in self.all if tag == name]


@pytest.mark.parametrize(
    ("record", "spec", "text"),
    [
        ({"value": 0.07142}, ".3f", "0.071"),
        ({"value": 0.07142}, "", "0.0714"),
        ({"value": 12000}, "", "12,000"),
        ({"value": 12000.0}, ",d", "12,000"),
        ({"value": 0.4567}, ".0%", "46%"),
        ({"value": -0.5}, "+.1f", "\u22120.5"),
        ({"value": 3.2e-5}, ".1e", "3.2 × 10⁻⁵"),
        ({"value": 3.2e-5}, "", "3.2 × 10⁻⁵"),
        ({"value": 212.4, "unit": "s"}, ".0f u", "212\u00a0s"),
        ({"value": 60, "unit": "points"}, "u", "60\u00a0points"),
        ({"value": 1, "low": 0.06, "high": None}, "low.2f", "0.06"),
        ({"value": "boxy bulges"}, "", "boxy bulges"),
    ],
)
def test_values_read_as_in_a_book(record, spec, text):
    assert format_value(record, spec) == text


@pytest.mark.parametrize(("value", "spec"), [(0.5, "d"), ("word", ".2f"), (1, "highd")])
def test_a_format_that_does_not_fit_is_refused(value, spec):
    with pytest.raises(ValueError):
        format_value({"value": value, "high": None}, spec)


def test_a_claim_shows_its_value_and_where_it_comes_from(book):
    book.ledger([rmse()])
    book.page("page", "# Page\n\nIt is {claim}`demo.rmse:.3f`.")
    assert book.build()[1] == ""
    (data,) = Tags(book.html()).named("data")
    assert ">0.071</data>" in book.html()
    assert "page" in data["title"] and "0.06 to 0.08" in data["title"]


def test_a_claim_nobody_made_is_a_warning(book):
    book.page("page", "# Page\n\nIt is {claim}`demo.typo`.")
    assert "page.md:3: WARNING: claim 'demo.typo': no page measures it" in book.build()[1]


def test_a_skipped_claim_says_so_and_chooses_the_text(book):
    book.ledger([{"name": "demo.real", "skipped": "no data"}, rmse()])
    book.page("page", """# Page
Here: {claim}`demo.real:.2f`.

```{measured} demo.real
Seen on the sky.
```
```{unmeasured} demo.real demo.rmse
Not seen, but {claim}`demo.rmse:.3f`.
```
""")  # fmt: skip
    assert book.build()[1] == ""
    html = book.html()
    assert "not measured in this build" in html and "Not seen, but" in html
    assert "Seen on the sky" not in html


def test_a_number_on_another_page_follows_its_source_and_no_other_page_is_read(book):
    book.ledger([rmse()], [{"name": "demo.n", "value": 3, "unit": ""}])
    book.page("page", "# Page\n\nWords.")
    book.page("landing", "# Landing\n\nIt is {claim}`demo.rmse:.3f`.")
    book.page("other", "# Other\n\nThere are {claim}`demo.n`.")
    assert book.build()[0] == ["index", "landing", "other", "page"]
    book.ledger([rmse(0.0654)], [{"name": "demo.n", "value": 3, "unit": ""}])
    read, warnings = book.build()
    assert (read, warnings) == (["landing", "page"], "")  # the page itself shows its claims' number
    assert ">0.065</data>" in book.html("landing")


def test_an_unchanged_ledger_reads_nothing_again(book):
    book.ledger([rmse()])
    book.page("page", "# Page\n\nIt is {claim}`demo.rmse:.3f`.\n\n```{ledger}\n```\n")
    book.build()
    book.ledger([rmse()], cached=True)
    assert book.build()[0] == []


def test_the_cost_line_stands_under_the_title(book):
    book.ledger([rmse(), {"name": "demo.real", "skipped": "no data"}])
    book.page("page", "# Page\n\nWords.")
    book.build()
    line = ("This page ran in 12 CPU seconds with 0.9 GB; 1 claim held, 1 could not be measured "
            "here. Built with TensorFlow 2.21.0 and Keras 3.15.1.")  # fmt: skip
    assert re.search(rf'</h1>\s*<p class="fl-cost">{re.escape(line)}', book.html())
    assert "fl-cost" not in book.html("index")


def test_the_cost_line_counts():
    chapter = {"cpu_s": 3.21, "peak_rss_mb": 120, "claims": []}
    assert cost_line(chapter, {}) == "This page ran in 3.2 CPU seconds with 0.1 GB."


def test_the_ledger_tables_show_every_claim(book):
    book.ledger([rmse(), {"name": "demo.real", "skipped": "no data"}])
    book.page("page", "# Page\n\n```{ledger}\n```\n\n```{ledger} claims\n```\n")
    assert book.build()[1] == ""
    html = book.html()
    assert html.count("<table") == 2
    assert "demo.rmse" in html and "demo.real" in html and "0.0714" in html
    assert 'href="#"' in html or 'href="page.html"' in html


def test_a_quiz_is_a_native_group_of_buttons(book):
    book.page("page", "# Page\n" + QUIZ + QUIZ)
    assert book.build()[1] == ""
    tags = Tags(book.html())
    buttons = [i for i in tags.named("input") if i.get("type") == "radio"]
    assert len(buttons) == 4 and len({b["name"] for b in buttons}) == 2
    assert {b["id"] for b in buttons} == {label["for"] for label in tags.named("label")}
    ids = [a["id"] for _, a in tags.all if "id" in a]
    assert len(ids) == len(set(ids))
    assert len(tags.named("legend")) == len(tags.named("fieldset")) == 2
    assert re.search(r"<fieldset><legend>", book.html())
    assert "<script" not in book.html().split("<fieldset>")[1].split("</fieldset>")[0]


def test_every_option_answers_twice_once_chosen_and_once_for_all(book):
    book.page("page", "# Page\n" + QUIZ)
    book.build()
    for words in ("You forgot one.", "As on every other page."):
        assert book.html().count(words) == 2
    assert '<details class="fl-answers">' in book.html()


@pytest.mark.parametrize(
    ("quiz", "complaint"),
    [
        ("- [x] a\n- [ ] b :: no", "option 'a' has no feedback"),
        ("- [ ] a :: no\n- [ ] b :: no", "0 right options"),
        ("- [x] a :: yes\n- [x] b :: yes", "2 right options"),
        ("- [x] a :: yes", "1 option"),
        ("- [x] a :: yes\nstray\n- [ ] b :: no", "'stray' is neither"),
    ],
)
def test_an_unfair_question_is_a_warning(book, quiz, complaint):
    book.page("page", f"# Page\n\n:::{{quiz}} Which?\n{quiz}\n:::\n")
    warnings = book.build()[1]
    assert "quiz: " in warnings and complaint in warnings


def test_several_right_options_are_checkboxes(book):
    quiz = ":::{quiz} Which?\n:multiple:\n- [x] a :: yes\n- [x] b :: yes\n- [ ] c :: no\n:::"
    book.page("page", "# Page\n\n" + quiz)
    assert book.build()[1] == ""
    assert book.html().count('type="checkbox"') == 3


def test_an_option_may_run_over_lines():
    before, options, problems = read_options(["More.", "- [x] a long", "  one :: because", "  so"])
    assert before == ["More."] and problems == []
    assert (options[0].text, options[0].feedback) == ("a long one", "because so")


EXERCISE = """# Page

:::{objectives}
- [count] count the weights
:::

:::{exercise} Count
:name: demo.count
:tests: count

How many?
:::

:::{solution} demo.count
:::
Nine.

And a second paragraph.

:::{solution-end}
:::

After it. See {ref}`demo.count`.
"""


def test_a_solution_is_folded_with_all_it_holds(book):
    book.page("page", EXERCISE)
    assert book.build()[1] == ""
    folded = re.search(r'<details class="fl-solution">(.*?)</details>', book.html(), re.S).group(1)
    assert "Nine." in folded and "second paragraph" in folded and "After it." not in folded
    assert re.search(r'href="#demo-count"><span class="std std-ref">Exercise 1<', book.html())


DRAWING = "\n".join(["import figures", *["x = 1"] * 7, "figures.show(None, alt='')"])


@pytest.mark.parametrize(
    ("source", "folded"),
    [
        (DRAWING, True),
        (DRAWING.replace("x = 1", "", 2), False),  # short
        (DRAWING.replace("x = 1", "claim('demo.x', 1, low=0)", 1), False),
        (DRAWING.replace("figures.show", "print"), False),
    ],
)
def test_only_long_cells_that_only_draw_are_folded(source, folded):
    assert only_draws(source) is folded


def test_the_code_of_a_drawing_opens_on_request_and_its_output_stays(book):
    output = nbformat.v4.new_output("stream", name="stdout", text="the drawing")
    book.notebook("page", nbformat.v4.new_markdown_cell("# Page"),
                  nbformat.v4.new_code_cell(DRAWING, outputs=[output], execution_count=1),
                  nbformat.v4.new_code_cell("y = 2", execution_count=2))  # fmt: skip
    assert book.build()[1] == ""
    (folded,) = re.findall(r'<details class="fl-how">(.*?)</details>', book.html(), re.S)
    assert "figures" in folded and "the drawing" not in folded and "the drawing" in book.html()


def test_an_objective_links_to_what_tests_it(book):
    book.page("page", EXERCISE)
    book.build()
    objectives = re.search(r'fl-objectives">(.*?)</div>', book.html(), re.S).group(1)
    assert 'href="#demo-count">exercise 1</a>' in objectives


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ((":tests: count\n", ""), "objective 'count': no quiz or exercise tests it"),
        (("[count]", "[other]"), "tests 'count', which is not among"),
        ((":::{solution-end}\n:::\n", ""), "solution: needs both"),
        ((":name: demo.count\n", ""), "needs :name:"),
    ],
)
def test_a_gap_in_an_exercise_is_a_warning(book, change, complaint):
    book.page("page", EXERCISE.replace(*change))
    assert complaint in book.build()[1]


def figure_cell(ours=True):
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><text>{}</text></svg>'
    figure = {"light": svg.format("light"), "dark": svg.format("dark"), "format": "svg",
              "alt": 'A "rising" line', "width": 672, "height": 346}  # fmt: skip
    png = base64.b64encode(b"not really").decode()
    data = {MIME: figure, "image/png": png} if ours else {"image/png": png}
    metadata = {"firstlight": True} if ours else {}
    output = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    return nbformat.v4.new_code_cell("show()", outputs=[output])


def markdown(text):
    return nbformat.v4.new_markdown_cell(text)


CAPTION = "```{caption}\n:name: fig-line\n\nThe line rises.\n```"


def test_a_figure_is_two_images_with_alt_text_and_room(book):
    book.notebook("page", markdown("# Page"), figure_cell(), markdown(CAPTION))
    assert book.build()[1] == ""
    images = [i for i in Tags(book.html()).named("img") if "fl-figure" in i.get("class", "")]
    assert [i["class"] for i in images] == ["fl-figure only-light", "fl-figure only-dark"]
    for image, shade in zip(images, ("light", "dark"), strict=True):
        assert image["alt"] == 'A "rising" line'
        assert (image["width"], image["height"]) == ("672", "346")
        assert shade in (book.folder / "_build" / "html" / image["src"]).read_text()


def test_captions_are_numbered_and_can_be_pointed_at(book):
    second = "```{caption}\nThe second.\n```\n\nSee {ref}`fig-line`."
    cells = [figure_cell(), markdown(CAPTION), figure_cell(), markdown(second)]
    book.notebook("page", markdown("# Page"), *cells)
    assert book.build()[1] == ""
    assert re.findall(r"<strong>(Figure \d)\.</strong>", book.html()) == ["Figure 1", "Figure 2"]
    assert re.search(r'href="#fig-line"><span class="std std-ref">Figure 1<', book.html())


def test_a_figure_that_was_not_shown_properly_is_a_warning(book):
    book.notebook("page", markdown("# Page"), figure_cell(ours=False))
    assert "did not go through figures.show" in book.build()[1]


def test_a_figure_without_caption_and_a_caption_without_figure_are_warnings(book):
    book.notebook("page", markdown("# Page"), figure_cell(), markdown("Words."))
    assert "a figure without a caption" in book.build()[1]
    book.notebook("page", markdown("# Page\n\nWords.\n\n" + CAPTION))
    assert "there is no figure right before it" in book.build()[1]


def test_code_is_linked_at_its_line(book):
    code = book.folder / "code" / "demo"
    code.mkdir(parents=True)
    (code / "sky.py").write_text("x = 1\n\n\nclass Sky:\n    def draw(self):\n        pass\n")
    book.page("page", "# Page\n\n{source}`demo.sky:Sky.draw`, {source}`demo.sky`")
    assert book.build()[1] == ""
    links = [a["href"] for a in Tags(book.html()).named("a") if "demo/sky.py" in a.get("href", "")]
    assert [link.rsplit("/", 1)[1] for link in links] == ["sky.py#L5", "sky.py"]
    book.page("page", "# Page\n\n{source}`demo.sky:Moon`")
    assert "no such module, or no such name" in book.build()[1]


def test_no_ledger_is_an_empty_ledger(tmp_path):
    assert Ledger(tmp_path / "none.json").values == {}
