"""Style sheets without unused rules: what a page shows stays, what nothing bears goes."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sphinx.builders.html import StandaloneHTMLBuilder

from firstlight.press.stylesheets import lighten_sheets, names_in_use, used_rules

NAMES = {"shown", "also"}


@pytest.mark.parametrize(
    ("sheet", "kept"),
    [
        ("p{color:red}", "p{color:red}"),
        ('#main > p[data-x=".gone"]{top:0}', None),
        (".shown,.gone p{top:0}", ".shown{top:0}"),
        (".shown.gone{top:0}", ""),
        (".shown:not(.gone){top:0}", ".shown:not(.gone){top:0}"),
        ("a:is(.shown,.gone){top:0}", "a:is(.shown,.gone){top:0}"),
        ("@media print{.gone{top:0}}", ""),
        ("@media print{.gone{top:0}.shown{top:1px}}", "@media print{.shown{top:1px}}"),
        ("@font-face{font-family:F;src:url(f.woff2)}", None),
        ("@keyframes turn{from{top:0}to{top:1px}}", None),
        ('@import "basic.css";', None),
        ('.shown{content:".gone{"}', None),
        (".bs-tooltip-end{top:0}", None),
        (".mjx-chtml{top:0}", None),
    ],
)
def test_a_rule_stays_exactly_if_something_may_bear_its_classes(sheet, kept):
    assert used_rules(sheet, NAMES) == (sheet if kept is None else kept)


def test_comments_go_and_the_order_of_rules_stays():
    sheet = "/* c */.shown{top:0}.gone{top:1px}/* d */.also{top:2px}.shown{top:3px}"
    assert used_rules(sheet, NAMES) == ".shown{top:0}.also{top:2px}.shown{top:3px}"


@given(st.sets(st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True), min_size=1))
def test_a_sheet_whose_classes_are_all_in_use_stays_whole(names):
    sheet = "".join(f".{name}{{top:0}}" for name in sorted(names))
    assert used_rules(sheet, names) == sheet
    assert used_rules(sheet, set()) == ""


def test_classes_come_from_pages_and_from_words_of_scripts():
    names = names_in_use(['<p class="one two-three">class="'], ["x.classList.add('later-on')"])
    assert {"one", "two-three", "later-on"} <= names
    assert "four" not in names


@pytest.fixture
def site(tmp_path):
    (tmp_path / "_static" / "styles").mkdir(parents=True)
    (tmp_path / "_static" / "styles" / "theme.css").write_text(".shown{top:0}.gone{top:1px}")
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "page.html").write_text(
        '<link rel="stylesheet" href="../_static/styles/theme.css?digest=1">'
        '<link href="https://elsewhere.org/_static/other.css"><p class="shown">'
    )
    builder = StandaloneHTMLBuilder.__new__(StandaloneHTMLBuilder)
    return SimpleNamespace(outdir=str(tmp_path), builder=builder)


def test_pages_ask_for_the_copy_by_its_content(site):
    lighten_sheets(site, None)
    home = Path(site.outdir)
    assert (home / "_static/styles/theme.used.css").read_text() == ".shown{top:0}"
    assert "gone" in (home / "_static/styles/theme.css").read_text(), "the original is untouched"
    page = (home / "book/page.html").read_text()
    assert 'href="../_static/styles/theme.used.css?v=' in page
    assert 'href="https://elsewhere.org/_static/other.css"' in page


def test_a_second_build_changes_nothing_and_a_new_class_comes_back(site):
    lighten_sheets(site, None)
    page = Path(site.outdir) / "book" / "page.html"
    first = page.read_text()
    lighten_sheets(site, None)
    assert page.read_text() == first
    page.write_text(first + '<p class="gone">')
    lighten_sheets(site, None)
    assert "gone" in (Path(site.outdir) / "_static/styles/theme.used.css").read_text()
    assert page.read_text() != first + '<p class="gone">', "another content, another address"


def test_a_failed_build_is_left_alone(site):
    lighten_sheets(site, RuntimeError("no"))
    assert not list(Path(site.outdir).rglob("*.used.css"))
