"""Six drawings in one style: nothing overlaps, every paper is in the bibliography."""

import re
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import pytest
from matplotlib.text import Text

from figures_kit import house_style  # noqa: F401  (applies to every test here)
from firstlight.figures.display import MIME, bundle
from firstlight.figures.schematics import GLYPHS, SCHEMES, application, describe

ROOT = Path(__file__).parents[1]
each = pytest.mark.parametrize("name", SCHEMES)


def words_of(fig):
    fig.canvas.draw()
    texts = [text for text in fig.findobj(Text) if text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent()) for text in texts]


@each
def test_no_words_overlap_or_leave_the_page(name):
    fig = application(name)
    words = words_of(fig)
    for i, (one, box) in enumerate(words):
        assert box.x0 >= 0 and box.x1 <= fig.bbox.x1 and box.y0 >= 0, one
        for other, its in words[:i]:
            assert not box.overlaps(its), (one, other)


@each
def test_the_words_of_a_block_fit_into_it(name):
    fig = application(name)
    stages = [stage for stage, _ in SCHEMES[name].stages]
    boxes = dict(words_of(fig))
    width = (4.92 - 2.08 - 0.1 * (len(stages) - 1)) / len(stages)
    assert all(boxes[stage].width <= width * fig.dpi for stage in stages)


@each
def test_a_drawing_is_svg_in_two_shades(name):
    data = bundle(application(name), alt=describe(name))[MIME]
    assert data["format"] == "svg" and data["light"] != data["dark"]


@each
def test_every_paper_is_in_the_bibliography_and_cited_on_the_page(name):
    key = SCHEMES[name].paper
    assert re.search(rf"^@\w+\{{{key},", (ROOT / "references.bib").read_text("utf-8"), re.M)
    page = ROOT / "book" / "why" / "applications.md"
    assert f"`{key}`" in page.read_text("utf-8")


@each
def test_the_words_say_what_the_drawing_shows(name):
    line = describe(name)
    scheme = SCHEMES[name]
    assert "\n" not in line
    for part in (scheme.takes, scheme.network, scheme.gives, scheme.learned):
        assert " ".join(part.split()) in line


def test_every_little_picture_is_used():
    assert {glyph for scheme in SCHEMES.values() for glyph in scheme.glyphs} == set(GLYPHS)


@pytest.mark.parametrize("draw", [application, describe])
def test_an_unknown_application_is_told_what_there_is(draw):
    with pytest.raises(ValueError, match="received 'cooking', expected one of 'driving'"):
        draw("cooking")
