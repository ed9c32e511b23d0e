"""What the theme leaves wrong in its pages is put right, and nothing else is touched."""

import pytest

pytest.importorskip("sphinx")

from firstlight.press.mending import LONG_TEX, mend

SEARCH = (
    '<button class="btn search-button-field search-button__button pst-js-only" title="Search" '
    'aria-label="Search" data-bs-placement="bottom"><span>Search</span><kbd>Ctrl</kbd></button>'
)
ICON_ONLY = '<button class="btn search-button" title="Search" aria-label="Search"><i></i></button>'


REACHED = ' tabindex="0" role="group" aria-label="Equation"'


def math(tex, more=""):
    return f'<div class="math notranslate nohighlight"{more}>\n\\[{tex}\\]</div>'


@pytest.mark.parametrize(
    ("page", "mended"),
    [
        (
            '<tr><th class="blank">&nbsp;</th><th>error</th></tr>',
            '<tr><td class="blank">&nbsp;</td><th>error</th></tr>',
        ),
        (SEARCH, SEARCH.replace(' title="Search" aria-label="Search"', "")),
        (ICON_ONLY, ICON_ONLY),  # without words it needs its label
        (
            '<i class="theme-switch fa-sun  fa-lg" data-mode="light" title="Light"></i>',
            '<i class="theme-switch fa-sun  fa-lg" data-mode="light"></i>',
        ),
        (
            '<div id="pst-primary-sidebar" class="bd-sidebar">',
            '<div id="pst-primary-sidebar" role="region" aria-label="The book" class="bd-sidebar">',
        ),
        (
            '<div role="list" class="citation-list">\n<div class="citation" id="id9" '
            'role="doc-biblioentry">',
            '<div role="list" class="citation-list">\n<div class="citation" id="id9" '
            'role="listitem">',
        ),
        (
            '<summary aria-label="Toggle hidden content"><span>Show</span></summary>',
            "<summary><span>Show</span></summary>",
        ),
        (
            '<a><img alt="Binder logo" src="b.svg"><span>Binder</span></a>',
            '<a><img alt="Run this page as a notebook on" src="b.svg"><span>Binder</span></a>',
        ),
        (math("a = b"), math("a = b")),
        (math("a" * LONG_TEX), math("a" * LONG_TEX, REACHED)),
        (math("a" * LONG_TEX, ' id="e"'), math("a" * LONG_TEX, f' id="e"{REACHED}')),
        (
            math("a" * LONG_TEX).replace("\\[", '<span class="eqno">(1)</span>\\['),
            math("a" * LONG_TEX, REACHED).replace(
                "\\[", '<span class="eqno">(1)</span>\\['
            ),
        ),
        ("<p>title=\"Search\" and \\[x\\]</p>", "<p>title=\"Search\" and \\[x\\]</p>"),
    ],
)  # fmt: skip
def test_a_mend(page, mended):
    assert mend(page) == mended
    assert mend(mended) == mended, "mending twice changes nothing"


def test_pages_are_mended_as_they_are_written(tmp_path):
    pytest.importorskip("myst_nb")
    from test_extension import Book

    book = Book(tmp_path)
    book.page("page", f"# Page\n\n$$\n{'a + ' * LONG_TEX} b\n$$\n")
    assert book.build()[1] == ""
    assert f'<div class="math notranslate nohighlight"{REACHED}>' in book.html()
