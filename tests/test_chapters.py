"""The sources of the pages: every promise that can be checked without running them."""

import ast
import importlib
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("myst_nb")

from firstlight.exercises import engine
from firstlight.press.chapter import read_chapter
from firstlight.press.prose import lint
from firstlight.press.quiz import read_options
from firstlight.press.toc import read_book

ROOT = Path(__file__).parents[1]
LONGEST_CELL = 30
SHUNNED = (
    "delve", "crucial", "powerful", "leverage", "in the realm of", "it is important to note",
    "seamlessly", "unlock", "journey", "let's dive in", "let us dive in",
)  # fmt: skip
MAKES_FIGURE = {
    "subplots", "figure", "subplot_mosaic", "stamps", "learning_curves", "network", "question_tree",
}  # fmt: skip


@dataclass
class Source:
    """A page, and its cells where it is executed."""

    name: str
    path: Path
    text: str
    cells: list[str]

    def blocks(self, directive):
        """Argument, options and content lines of each directive of that name."""
        pattern = rf"^(`{{3,}}|:{{3,}})\{{{directive}\}}[ \t]*(.*)\n([\s\S]*?)^\1\s*$"
        for _, argument, content in re.findall(pattern, self.text, re.M):
            lines = content.splitlines()
            options = {}
            while lines and (match := re.match(r":([\w-]+):\s*(.*)", lines[0])):
                options[match.group(1)] = match.group(2)
                lines.pop(0)
            yield argument, options, lines

    def calls(self, *names):
        """Every call of a function of these names in the page's cells, as a syntax tree."""
        for cell in self.cells:
            for node in ast.walk(ast.parse(cell)):
                if isinstance(node, ast.Call) and _name(node.func) in names:
                    yield node

    def shown(self):
        """Every call that puts a figure, or a slider of figures, on the page."""
        calls = self.calls("show", "frames")
        return [call for call in calls if _name(getattr(call.func, "value", None)) == "figures"]


def _name(function):
    return getattr(function, "attr", getattr(function, "id", None))


def _sources():
    if not (ROOT / "_toc.yml").is_file():
        return []
    sources = []
    try:
        book = read_book(ROOT)
    except Exception:  # told by test_the_table_of_contents_can_be_read
        return []
    for page in book.pages:
        cells = []
        if page.executable:
            notebook = read_chapter(ROOT, page).notebook
            cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        sources.append(Source(page.docname, page.path, page.text, cells))
    return sources


SOURCES = _sources()
CHAPTERS = [source for source in SOURCES if source.cells]
each_page = pytest.mark.parametrize("page", SOURCES, ids=lambda page: page.name)
each_chapter = pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.name)


def test_the_table_of_contents_can_be_read():
    """Names pages that are missing, and code cells without the header that runs them."""
    assert read_book(ROOT).pages


@each_page
def test_no_result_is_typed_by_hand(page):
    assert [str(finding) for finding in lint(page.path)] == []


@each_page
def test_one_title(page):
    prose = re.sub(r"^(`{3,}|:{3,})[\s\S]*?^\1\s*$", "", page.text, flags=re.M)
    assert len(re.findall(r"^# ", prose, re.M)) == 1


@each_page
def test_no_word_that_says_nothing(page):
    prose = re.sub(r"```\{code-cell\}[\s\S]*?```", "", page.text).lower()
    assert [word for word in SHUNNED if re.search(rf"\b{word}\b", prose)] == []


@each_page
def test_every_question_is_fair(page):
    for question, options, lines in page.blocks("quiz"):
        _, choices, problems = read_options(lines)
        assert problems == [], question
        right = sum(choice.right for choice in choices)
        assert len(choices) > 1 and (right == 1 or ("multiple" in options and right)), question


@each_page
def test_every_objective_is_tested_and_every_test_has_one(page):
    objectives = {
        match.group(1)
        for _, _, lines in page.blocks("objectives")
        for line in lines
        if (match := re.match(r"[-*]\s+\[([\w-]+)\]", line))
    }
    tested = {
        name
        for kind in ("quiz", "exercise")
        for _, options, _ in page.blocks(kind)
        for name in options.get("tests", "").split()
    }
    assert objectives == tested


@each_page
def test_every_exercise_is_known_and_solved(page):
    names = [options.get("name") for _, options, _ in page.blocks("exercise")]
    solved = re.findall(r"^:{3,}\{solution\}\s*(\S+)", page.text, re.M)
    checked = {ast.literal_eval(call.args[0]) for call in page.calls("check")}
    assert names == solved, "each exercise has one solution, in the order of the page"
    assert checked == set(names), "each solution is passed through check"
    for name in names:
        assert engine.find(name)
    assert page.text.count("{solution}") == page.text.count("{solution-end}")


@each_chapter
def test_no_cell_is_longer_than_the_reader_s_breath(page):
    assert [c.split("\n")[0] for c in page.cells if c.count("\n") >= LONGEST_CELL] == []


@each_chapter
def test_every_figure_is_shown_with_words(page):
    shown = page.shown()
    for call in shown:
        needed = "alt" if _name(call.func) == "show" else "name"  # frames check their own alt
        assert needed in {keyword.arg for keyword in call.keywords}, ast.unparse(call)
    made = sum(1 for _ in page.calls(*MAKES_FIGURE))
    assert len(shown) >= (1 if made else 0)
    assert not any(
        _name(call.func.value) == "plt" for call in page.calls("savefig", "tight_layout")
    )
    foreign = [c for c in page.calls("show") if _name(c.func.value) in ("plt", "fig")]
    assert not foreign, "figures.show(fig, alt=...), not plt.show()"
    if shown:
        assert any(_name(call.func.value) == "figures" for call in page.calls("use"))


@each_chapter
def test_every_figure_has_a_caption(page):
    shown = page.shown()
    captions = list(page.blocks("caption"))
    cells_with = sum(bool(re.search(r"\bfigures\.(show|frames)\(", cell)) for cell in page.cells)
    assert cells_with <= len(captions) <= len(shown)


@each_chapter
def test_chance_has_one_source(page):
    """Fixed seeds typed into a chapter would not follow FIRSTLIGHT_SEED."""
    for call in page.calls("default_rng", "set_random_seed", "RandomState"):
        assert call.args, "without a seed every build differs"
        assert not isinstance(call.args[0], ast.Constant), ast.unparse(call)


def test_a_name_is_measured_by_one_page_only():
    owner = {}
    for page in CHAPTERS:
        for call in page.calls("claim", "quote", "skip"):
            if call.args and isinstance(call.args[0], ast.Constant):
                assert owner.setdefault(call.args[0].value, page.name) == page.name


def test_every_exercise_of_the_package_is_asked_somewhere():
    asked = {o.get("name") for page in SOURCES for _, o, _ in page.blocks("exercise")}
    known = {
        f"{module}.{name}"
        for module in engine.modules()
        for name in importlib.import_module(f"firstlight.exercises.{module}").EXERCISES
    }
    if not SOURCES:
        pytest.skip("no page is in the table of contents yet")
    # A page may be drafted beside those of the contents, and its exercises with it.
    drafts = {
        name
        for path in (ROOT / "book").rglob("*.md")
        for name in re.findall(r"\{exercise\}.*\n:name: (\S+)", path.read_text("utf-8"))
    }
    assert asked <= known <= asked | drafts
