"""Figures: two shades of one drawing, colors every eye can tell apart, words for the rest."""

import base64
import io
import re

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import colors as mcolors
from PIL import Image

from figures_kit import house_style  # noqa: F401  (applies to every test here)
from firstlight import figures
from firstlight.figures import curves, galaxies, networks
from firstlight.figures.display import MIME, bundle, darken, show
from firstlight.figures.style import DARK, LIGHT, spread

ALT = "A line that rises from 0 to 1."
# Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB.
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
}  # fmt: skip


def linear(color):
    rgb = np.array(mcolors.to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """Contrast ratio after WCAG 2.2."""
    lights = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) + 0.05 for c in (one, other))
    return lights[1] / lights[0]


def lab(rgb_linear):
    """CIE L*a*b* (D65) of linear RGB."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x = np.array(to_xyz) @ np.clip(rgb_linear, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("shade", [LIGHT, DARK], ids=["light", "dark"])
def test_words_and_lines_stand_out_from_the_paper(shade):
    paper, ink, muted, _, *palette = shade
    assert contrast(ink, paper) >= 12
    assert contrast(muted, paper) >= 4.5
    assert min(contrast(color, paper) for color in palette) >= 3


@pytest.mark.parametrize("shade", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("eye", ["usual", *BLINDNESS])
def test_no_two_of_the_first_four_colors_look_alike(shade, eye):
    matrix = np.array(BLINDNESS.get(eye, np.eye(3)))
    seen = [lab(matrix @ linear(color)) for color in shade[4:8]]
    nearest = min(np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i])
    assert nearest > 12


def drawing():
    fig, ax = plt.subplots()
    ax.plot([0, 1], label="rising")
    return fig


def test_a_line_drawing_is_svg_and_a_sky_image_is_png():
    assert bundle(drawing(), alt=ALT)[MIME]["format"] == "svg"
    assert bundle(figures.stamps(np.zeros((2, 8, 8, 3))), alt=ALT)[MIME]["format"] == "png"


def test_many_points_are_png():
    fig, ax = plt.subplots()
    ax.plot(np.arange(20_001), ".")
    assert bundle(fig, alt=ALT)[MIME]["format"] == "png"
    fig, ax = plt.subplots()
    ax.scatter(np.arange(3000), np.arange(3000))
    assert bundle(fig, alt=ALT)[MIME]["format"] == "png"


def test_the_format_can_be_chosen():
    assert bundle(drawing(), alt=ALT, format="png")[MIME]["format"] == "png"
    with pytest.raises(ValueError, match="expected 'svg', 'png'"):
        bundle(drawing(), alt=ALT, format="pdf")


def test_light_and_dark_differ_in_color_alone():
    data = bundle(drawing(), alt=ALT)[MIME]
    marks = r"#[0-9a-f]{6}|(?<=[#\"])[mp][0-9a-f]{10}"  # colors, and names made of them
    plain = {shade: re.sub(marks, "", data[shade]) for shade in ("light", "dark")}
    assert plain["light"] == plain["dark"]
    assert LIGHT[4] in data["light"] and DARK[4] in data["dark"]
    assert LIGHT[1] in data["light"] and LIGHT[1] not in data["dark"]


def test_the_same_drawing_gives_the_same_bytes():
    one, two = (bundle(drawing(), alt=ALT)[MIME] for _ in range(2))
    assert one == two


@pytest.mark.parametrize("opacity", [None, 0.5], ids=["opaque", "half seen"])
def test_a_slim_drawing_has_every_marker(opacity):
    fig, ax = plt.subplots(figsize=(4, 3))
    x = np.linspace(0, 1, 200)
    ax.scatter(x, x**2, s=12, c=[LIGHT[4], LIGHT[5]] * 100, alpha=opacity)
    ax.plot(x[:40], x[:40], "o", color=LIGHT[6], alpha=opacity)
    stream = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "path"}):
        fig.savefig(stream, format="svg")
    full, slim = stream.getvalue(), bundle(fig, alt=ALT)[MIME]["light"]
    assert len(slim) < 0.7 * len(full)
    assert slim.count("<use ") == full.count("<use ")
    places = [
        [float(v) for v in re.findall(r'<use [^>]*? x="([^"]*)"', text)] for text in (full, slim)
    ]
    assert places[1] == pytest.approx(places[0], abs=0.0051)
    named = set(re.findall(r'class="(\w+)"', slim))
    assert named and named == set(re.findall(r"\.(\w+)\{[^}]+\}", slim))


def test_the_paper_shines_through_and_the_stand_in_has_its_own():
    data = bundle(drawing(), alt=ALT, format="png")
    corner = {
        name: Image.open(io.BytesIO(base64.b64decode(text))).convert("RGBA").getpixel((1, 1))
        for name, text in [("light", data[MIME]["light"]), ("fallback", data["image/png"])]
    }
    assert corner["light"][3] == 0
    assert corner["fallback"] == (*(int(LIGHT[0][i : i + 2], 16) for i in (1, 3, 5)), 255)


def test_darkening_keeps_white_on_images_and_turns_black_to_chalk():
    fig, ax = plt.subplots()
    white = ax.text(0, 0, "on the sky", color="white")
    black = ax.axhline(0, color="black")
    faint = ax.fill_between([0, 1], [0, 1], color=LIGHT[5], alpha=0.3)
    darken(fig)
    assert mcolors.to_hex(white.get_color()) == "#ffffff"
    assert mcolors.to_hex(black.get_color()) == DARK[1]
    assert mcolors.to_hex(faint.get_facecolor()[0]) == DARK[5]
    assert faint.get_facecolor()[0][3] == pytest.approx(0.3)


def test_darkening_leaves_measured_colors_alone():
    fig, ax = plt.subplots()
    points = ax.scatter([0, 1], [0, 1], c=[0.0, 1.0])
    fig.canvas.draw()
    before = points.get_facecolor().copy()
    darken(fig)
    fig.canvas.draw()
    assert np.array_equal(points.get_facecolor(), before)


@pytest.mark.parametrize(
    "alt", ["", "short", "Figure of a line that rises", "Image of a galaxy, large"]
)
def test_alt_text_says_something(alt):
    with pytest.raises(ValueError, match="alt text"):
        show(drawing(), alt=alt)


def test_showing_closes_the_figure():
    fig = drawing()
    show(fig, alt=ALT)
    assert not plt.fignum_exists(fig.number)


@given(values=st.lists(st.floats(-1, 1), min_size=1, max_size=8), gap=st.floats(0.01, 0.3))
def test_labels_are_spread_without_crossing(values, gap):
    placed = spread(values, gap)
    order = sorted(range(len(values)), key=lambda i: values[i])
    steps = np.diff([placed[i] for i in order])
    assert np.all(steps >= gap - 1e-9)
    assert np.mean(placed) == pytest.approx(np.mean(values), abs=1e-9)


def test_labels_that_are_apart_stay_where_they_are():
    assert spread([0.1, 0.9, 0.5], 0.2) == pytest.approx([0.1, 0.9, 0.5])


def test_labels_carry_the_color_of_their_lines():
    fig, ax = plt.subplots()
    ax.plot([0, 1], label="one")
    ax.axhline(0.5)
    ax.plot([1, 0], label="two")
    texts = figures.label_lines(ax)
    assert [t.get_text() for t in texts] == ["one", "two"]
    assert [t.get_color() for t in texts] == [ax.lines[0].get_color(), ax.lines[2].get_color()]
    with pytest.raises(ValueError, match="expected one each"):
        figures.label_lines(ax, ["only one"])


def test_a_gray_galaxy_stays_gray_and_a_red_one_red():
    gray = figures.to_rgb(np.full((4, 4, 3), 30.0), weights=(1, 1, 1))
    assert np.ptp(gray) == 0
    red = figures.to_rgb(np.broadcast_to(np.array([1.0, 5.0, 20.0]), (4, 4, 3)))
    assert red[0, 0, 0] > red[0, 0, 1] > red[0, 0, 2]


def test_the_stretch_never_reverses_brightness():
    levels = np.linspace(-5, 500, 60)
    shown = figures.to_rgb(np.repeat(levels[None, :, None], 3, axis=2))[0, :, 0].astype(int)
    assert np.all(np.diff(shown) >= 0) and shown[0] == 0 and shown[-1] == 255


def test_an_overflowing_core_keeps_its_color():
    """Lupton et al. (2004): the ratio of the bands survives saturation."""
    flux = np.full((1, 1, 3), 1.0) * [900.0, 1800.0, 3600.0]
    core = figures.to_rgb(flux, black=0.0, weights=(1, 1, 1))[0, 0]
    assert core[0] == 255
    assert core[1] / core[0] == pytest.approx(0.5, abs=0.01)
    assert core[2] / core[0] == pytest.approx(0.25, abs=0.01)


def test_galleries_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match="bands g, r, i"):
        figures.to_rgb(np.zeros((4, 4, 2)))
    with pytest.raises(ValueError, match="expected one each"):
        figures.stamps(np.zeros((2, 4, 4)), ["one"])
    with pytest.raises(ValueError, match="at least one"):
        figures.stamps(np.zeros((0, 4, 4, 3)))


def test_learning_curves_mark_the_best_epoch():
    fig, ax = figures.learning_curves({"loss": [4, 3, 2, 1], "val_loss": [4, 2, 3, 5]})
    assert any(text.get_text() == "epoch 2" for text in ax.texts)
    with pytest.raises(ValueError, match="expected one of loss"):
        figures.learning_curves({"loss": [1]}, "rmse")


class Dense:
    """Stands in for keras.layers.Dense: what the drawing asks of a layer."""

    name, built = "dense", True

    def __init__(self, kernel):
        self.kernel = np.array(kernel, float)
        self.units = self.kernel.shape[1]
        self.activation = np.tanh

    def get_weights(self):
        return [self.kernel, np.zeros(self.units)]


class Conv2D:
    name = "conv"


class Model:
    def __init__(self, *layers):
        self.layers = layers


def test_the_network_drawn_is_the_network_given():
    fig = figures.network(Model(Dense([[1, -2, 0.5]]), Dense([[1], [0], [-1]])))
    (ax,) = fig.axes
    units = sum(len(c.get_offsets()) for c in ax.collections if not hasattr(c, "get_segments"))
    lines = [c for c in ax.collections if hasattr(c, "get_segments")]
    assert units == 1 + 3 + 1
    assert sum(len(c.get_segments()) for c in lines) == 5  # a weight of zero is no line
    widest = max(lines[0].get_linewidths()), max(lines[1].get_linewidths())
    assert widest[1] > widest[0]  # the largest weight of the first layer is negative
    assert {t.get_text() for t in ax.texts} == {"1 input", "3 units, tanh", "1 unit, tanh"}


def test_neurons_show_the_numbers_they_carry():
    model = Model(Dense([[1, -2, 0.5]]), Dense([[1], [0], [-1]]))
    fig = figures.network(model, values=[[2.0], [[1.0, -4.0, 0.0]], [[3.0]]])
    filled = [c for c in fig.axes[0].collections if c.get_zorder() == 4]
    assert [c.get_alpha() for c in filled] == [1, 0.25, 1, 0, 1]
    with pytest.raises(ValueError, match="expected \\[1, 3, 1\\], a column each"):
        figures.network(model, values=[[2.0], [1.0, 2.0], [3.0]])


def test_wide_layers_say_what_is_left_out():
    fig = figures.network(Model(Dense(np.ones((2, 40)))), max_units=10)
    assert any("+ 30 more" in t.get_text() for t in fig.axes[0].texts)


def test_other_layers_are_refused():
    with pytest.raises(ValueError, match="of type Conv2D"):
        figures.network(Model(Conv2D()))


def test_the_room_is_quiet_until_asked():
    with pytest.raises(AttributeError, match="it has"):
        figures.plots  # noqa: B018


def test_the_front_room_lends_the_functions_of_the_others():
    assert figures.learning_curves is curves.learning_curves
    assert figures.to_rgb is galaxies.to_rgb and figures.stamps is galaxies.stamps
    assert figures.network is networks.network
