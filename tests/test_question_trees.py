"""The drawn questionnaire: every question a box, every answer a branch, widths as the votes."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import FancyBboxPatch

from firstlight import figures
from firstlight.figures.display import darken
from firstlight.figures.question_trees import question_tree
from firstlight.figures.style import DARK, LIGHT
from firstlight.sky import gz2_tree

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def style():
    with matplotlib.rc_context():
        figures.use()
        yield
    plt.close("all")


def shares(seed=0):
    """Cumulative fractions of one random galaxy."""
    random = np.random.default_rng(seed)
    return gz2_tree.cumulative(np.concatenate([random.dirichlet([1] * n) for n in gz2_tree.SIZES]))


def boxes(fig):
    return fig.findobj(FancyBboxPatch)


def branches(fig):
    """Lines by the answer that they stand for: its stub, then its ways to further questions."""
    found = {answer: [] for answer in gz2_tree.ANSWERS}
    for line in fig.axes[0].lines:
        if line.get_label() in found:
            found[line.get_label()].append(line)
    return found


def test_every_question_is_a_box_and_every_answer_stands_beneath_one():
    fig = question_tree()
    texts = sorted(text.get_text() for text in fig.axes[0].texts)
    titles = [question.name.replace("_", " ") + "?" for question in gz2_tree.QUESTIONS]
    answers = [a.replace("_", " ") for question in gz2_tree.QUESTIONS for a in question.answers]
    assert len(boxes(fig)) == len(gz2_tree.QUESTIONS)
    assert texts == sorted(titles + answers)


def test_the_module_does_not_hide_the_function():
    assert figures.question_tree is question_tree


def test_an_answer_has_one_branch_and_one_way_to_each_question_that_it_opens():
    opened = [gz2_tree.parent_column(q) for q in range(len(gz2_tree.QUESTIONS))]
    drawn = branches(question_tree())
    for column, answer in enumerate(gz2_tree.ANSWERS):
        assert len(drawn[answer]) == 1 + opened.count(column)


def test_each_way_ends_at_a_box_of_its_own_in_the_next_column():
    fig = question_tree()
    ends = [line.get_xydata()[-1] for lines in branches(fig).values() for line in lines[1:]]
    edges = {(round(b.get_x(), 6), round(b.get_y() + b.get_height() / 2, 6)): b for b in boxes(fig)}
    reached = {tuple(np.round(end, 6)) for end in ends}
    assert len(reached) == len(ends)
    assert reached < set(edges)
    everybody = [edges[place].get_facecolor() for place in set(edges) - reached]
    assert everybody == [matplotlib.colors.to_rgba(figures.PALETTE[0])] * 2


def test_no_two_texts_touch_and_none_leaves_the_page():
    fig = question_tree(shares())
    fig.canvas.draw()
    extents = [text.get_window_extent() for text in fig.axes[0].texts]
    for k, one in enumerate(extents):
        assert fig.bbox.x0 <= one.x0 and one.x1 <= fig.bbox.x1
        assert not any(
            one.shrunk(1, 0.9).overlaps(other.shrunk(1, 0.9)) for other in extents[k + 1 :]
        )


def test_titles_fit_their_boxes():
    fig = question_tree()
    fig.canvas.draw()
    titles = [text for text in fig.axes[0].texts if text.get_text().endswith("?")]
    for box, title in zip(boxes(fig), titles, strict=True):
        inside = title.get_window_extent()
        outside = box.get_window_extent()
        assert outside.x0 < inside.x0 and inside.x1 < outside.x1, title.get_text()


@pytest.mark.parametrize("seed", range(3))
def test_the_wider_the_branch_the_larger_the_fraction(seed):
    fractions = shares(seed)
    drawn = branches(question_tree(fractions))
    widths = np.array([drawn[answer][0].get_linewidth() for answer in gz2_tree.ANSWERS])
    assert (np.diff(widths[np.argsort(fractions)]) >= 0).all()
    large = fractions > 0.1
    ratio = widths[large] / fractions[large]
    np.testing.assert_allclose(ratio, ratio[0])
    for lines in drawn.values():
        assert len({line.get_linewidth() for line in lines}) == 1


def test_nobody_is_a_hairline_not_a_gap():
    drawn = branches(question_tree(np.zeros(gz2_tree.N_ANSWERS)))
    assert all(line.get_linewidth() > 0 for lines in drawn.values() for line in lines)


def test_the_dark_page_exchanges_every_color():
    fig = question_tree(shares())
    darken(fig)
    light = {matplotlib.colors.to_rgb(color) for color in LIGHT} - {
        matplotlib.colors.to_rgb(color) for color in DARK
    }
    artists = [*fig.axes[0].lines, *fig.axes[0].texts]
    assert not light & {matplotlib.colors.to_rgb(artist.get_color()) for artist in artists}
    assert not light & {box.get_facecolor()[:3] for box in boxes(fig)}


@pytest.mark.parametrize("shape", [(11,), (36,), (5, 37), ()])
def test_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"received shape .*, expected \(37,\)"):
        question_tree(np.zeros(shape))


@pytest.mark.parametrize("value", [-0.1, 1.5, np.nan])
def test_what_is_no_fraction_is_refused_by_name(value):
    fractions = shares()
    fractions[gz2_tree.ANSWERS.index("bar/yes")] = value
    with pytest.raises(ValueError, match="for bar/yes, expected a number from 0 to 1"):
        question_tree(fractions)
