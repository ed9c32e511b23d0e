"""The slider without scripts: what is displayed, what stands on the page, what a key does."""

import base64
import io
import re
import shutil
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import pytest
from PIL import Image

from figures_kit import house_style  # noqa: F401  (applies to every test here)
from firstlight import figures
from firstlight.figures.display import MIME
from firstlight.figures.sliders import MOST, frames_bundle
from firstlight.press import chromium, paper
from firstlight.press.frames import title_html
from firstlight.press.toc import read_book
from small_book import HEADER, SmallBook

ROOT = Path(__file__).parents[1]
CHROMIUM = next(filter(None, map(shutil.which, chromium.BROWSERS)), None)
needs_browser = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not on this machine")
CELLS = """
import matplotlib.pyplot as plt
from firstlight import figures

def line(slope):
    fig, ax = plt.subplots(figsize=(4, 3))
    ax.plot([0, slope])
    ax.set(ylim=(-2, 2))
    return str(slope), fig, f"A line that ends at {slope} on the right."

figures.frames([line(w) for w in (-1, 0, 1)], name="slope $w_1$", start=1)
figures.frames([line(w) for w in (-1, 0, 1)], name="slope again")
"""


def line(label, slope=1.0, size=(4, 3), alt="A line that ends where it should."):
    fig, ax = plt.subplots(figsize=size)
    ax.plot([0, slope])
    return label, fig, alt


# ---------------------------------------------------------------- what is displayed


def test_every_frame_has_two_shades_and_its_words():
    data = frames_bundle([line("-1", -1), line("0.5", 0.5)], name="weight $w_1$", start=1)
    held = data[MIME]
    assert (held["name"], held["start"]) == ("weight $w_1$", 1)
    assert [frame["label"] for frame in held["frames"]] == ["−1", "0.5"]
    assert [frame["words"] for frame in held["frames"]] == ["weight w₁ = −1", "weight w₁ = 0.5"]
    for frame in held["frames"]:
        assert frame["light"].startswith("<?xml") and frame["light"] != frame["dark"]
        assert (frame["width"], frame["height"]) == (384, 288)
    assert held["frames"][0]["light"] != held["frames"][1]["light"]
    assert data["text/plain"].splitlines()[1].startswith("weight w₁ = 0.5. A line")


@pytest.mark.parametrize("count, columns", [(2, 2), (3, 3), (7, 3)])
def test_the_stand_in_holds_all_frames_side_by_side(count, columns):
    data = frames_bundle([line(str(k), k) for k in range(count)], name="slope")
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    rows = -(-count // columns)
    frame_height = 1080 // columns * 3 / 4
    assert picture.width == 1080
    assert frame_height * rows < picture.height < (frame_height + 40) * rows


def test_the_figures_are_closed():
    made = [line("a"), line("b")]
    figures.frames(made, name="letter")
    assert not any(plt.fignum_exists(fig.number) for _, fig, _ in made)


@pytest.mark.parametrize(
    "name, label, words",
    [
        ("activation", "ReLU", "activation: ReLU"),
        ("bias $b$", "1", "bias b = 1"),
        ("bias $b$", "none", "bias b: none"),
        ("weight $w_1$ of g − r", "-1", "weight w₁ of g − r: −1"),
    ],
)
def test_words_say_what_a_frame_is(name, label, words):
    data = frames_bundle([line(label), line("other")], name=name)
    assert data[MIME]["frames"][0]["words"] == words


@pytest.mark.parametrize(
    "labels, options, complaint",
    [
        ([], {}, "received 0 frames, expected 2 to 13"),
        (["1"], {}, "received 1 frames"),
        ([str(k) for k in range(MOST + 1)], {}, "received 14 frames"),
        (["1", "2", "1"], {}, "no two alike; change '1'"),
        (["-1", "−1"], {}, "no two alike; change '−1'"),
        (["1", ""], {}, "change ''"),
        (["1", "a value that goes on and on"], {}, "1 to 20 characters"),
        (["1", "2"], {"start": 2}, "start: received 2, expected the index of a frame, 0 to 1"),
        (["1", "2"], {"start": -1}, "start: received -1"),
        (["1", "2"], {"start": "1"}, "start: received '1'"),
        (["1", "2"], {"name": " "}, "expected what the slider changes"),
        (["1", "2"], {"name": "bias $b"}, "expected what the slider changes"),
        (["1", "2"], {"name": r"angle $\theta$"}, "expected one letter between dollar signs"),
        (["1", "2"], {"format": "pdf"}, "expected 'svg', 'png'"),
    ],
)
def test_what_makes_no_slider_is_refused(labels, options, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)):
        frames_bundle([line(label) for label in labels], **{"name": "bias $b$", **options})


def test_frames_of_different_sizes_and_frames_without_words_are_refused():
    with pytest.raises(ValueError, match="expected one size, so that nothing jumps"):
        frames_bundle([line("1"), line("2", size=(4, 3.5))], name="bias")
    with pytest.raises(ValueError, match="alt text"):
        frames_bundle([line("1"), line("2", alt="short")], name="bias")


# ---------------------------------------------------------------- what stands on the page


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small book with a page of two sliders, in the book's own style."""
    book = SmallBook(tmp_path_factory.mktemp("frames"))
    shutil.copytree(ROOT / "_static", book.root / "_static", ignore=shutil.ignore_patterns("mat*"))
    book.page("slides", "1")
    page = f"# Sliders\n\n```{{code-cell}}{CELLS}```\n\n```{{caption}}\nIt turns.\n```\n"
    book.write("book/slides.md", HEADER.format(extra="") + page)
    extra = "sphinx: {extra_extensions: [firstlight.press.extension]}\n"
    book.write("_config.yml", (book.root / "_config.yml").read_text() + extra)
    status, said = book.press("book")
    assert status == 0, said
    return book


@pytest.fixture(scope="module")
def sliders(built):
    from bs4 import BeautifulSoup

    return BeautifulSoup(built.html("slides"), "html.parser").select("fieldset.fl-frames")


def test_a_slider_is_a_group_of_native_buttons(sliders):
    assert len(sliders) == 2
    assert str(sliders[0].legend) == "<legend>slope <var>w<sub>1</sub></var></legend>"
    for slider, start in zip(sliders, (1, 0), strict=True):
        buttons = slider.find_all("input", type="radio")
        assert [button.has_attr("checked") for button in buttons] == [k == start for k in range(3)]
        assert len({button["name"] for button in buttons}) == 1
        labels = {label["for"]: label.text for label in slider.find_all("label")}
        assert [labels[button["id"]] for button in buttons] == ["−1", "0", "1"]


def test_symbols_are_set_as_mathematics_is():
    assert title_html("bias $b$ & more") == "bias <var>b</var> &amp; more"
    assert title_html("$w_{12}$") == "<var>w<sub>12</sub></var>"


def test_every_button_is_described_by_its_frame(sliders):
    for slider in sliders:
        views = slider.select(".fl-view")
        for button, view, slope in zip(slider("input"), views, (-1, 0, 1), strict=True):
            light, dark = view.find_all("img")
            assert light["id"] == button["aria-describedby"]
            assert light["alt"] == dark["alt"] == f"A line that ends at {slope} on the right."
            assert light["class"][1:] == ["only-light"] and dark["class"][1:] == ["only-dark"]
            assert (light["width"], light["height"]) == ("384", "288")
            assert light["src"] != dark["src"]


def test_ids_are_unique_and_equal_frames_are_one_file(sliders):
    ids = [element["id"] for slider in sliders for element in slider.find_all(id=True)]
    assert len(ids) == len(set(ids)) == 12
    one, two = ([image["src"] for image in slider("img")] for slider in sliders)
    assert one == two and len(set(one)) == 6


def test_a_page_is_the_same_when_it_is_rendered_again(built):
    before = built.html("slides")
    shutil.rmtree(built.root / "_build" / "html")
    status, said = built.press("book")
    assert status == 0 and "0 executed" in said
    assert built.html("slides") == before


def test_a_slider_without_a_caption_is_a_warning(built):
    page = built.root / "book/slides.md"
    text = page.read_text()
    try:
        page.write_text(text.partition("```{caption}")[0])
        status, said = built.press("book")
    finally:
        page.write_text(text)
    assert status == 1 and "a figure without a caption" in said
    assert built.press("book")[0] == 0


def test_on_paper_all_frames_stand_with_their_words(built):
    article = paper.read_sheets(read_book(built.root))[1].article
    assert [words.text for words in article.select(".fl-words")][:3] == [
        "slope w₁ = −1", "slope w₁ = 0", "slope w₁ = 1",
    ]  # fmt: skip
    assert len(article.select(".fl-view img.only-light")) == 6
    assert not article.select("fieldset, legend, label, input, .only-dark")


# ---------------------------------------------------------------- what a key does


@pytest.fixture
def window(built):
    """Opens the page as a reader does, in any view."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--disable-gpu"])

        def opens(width=1280, **options):
            context = browser.new_context(viewport={"width": width, "height": 900}, **options)
            page = context.new_page()
            page.goto((built.root / "_build/html/book/slides.html").as_uri())
            return page

        yield opens
        browser.close()


def seen(page):
    """Alt texts of the first slider's images that can be seen."""
    images = page.locator("fieldset.fl-frames").first.locator("img").all()
    return [image.get_attribute("alt")[20:22].strip() for image in images if image.is_visible()]


@needs_browser
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_arrow_keys_move_it(window, scripts):
    page = window(java_script_enabled=scripts)
    assert seen(page) == ["0"]
    page.locator("fieldset.fl-frames input:checked").first.focus()
    for key, now in [("ArrowRight", "1"), ("ArrowLeft", "0"), ("ArrowLeft", "-1")]:
        page.keyboard.press(key)
        assert seen(page) == [now]
    page.locator("fieldset.fl-frames label").nth(2).click()
    assert seen(page) == ["1"]


@needs_browser
def test_it_fits_a_finger_and_a_phone(window):
    page = window(width=360, has_touch=True)
    for button in page.locator("fieldset.fl-frames input").all():
        box = button.bounding_box()
        assert box["width"] >= 24 and box["height"] >= 24
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("fieldset.fl-frames input").first.tap()
    assert seen(page) == ["-1"]


@needs_browser
def test_thirteen_stops_fit_a_finger(window):
    page = window(width=360)
    page.evaluate(
        """most => { const slider = document.querySelector(".fl-frames");
        const last = slider.querySelector("input:last-of-type"), label = last.nextSibling;
        for (let k = 3; k < most; k++) { label.after(last.cloneNode(), label.cloneNode(true)) }
        slider.style.setProperty("--fl-stops", most) }""",
        MOST,
    )
    stops = page.locator("fieldset.fl-frames").first.locator("input").all()
    assert len(stops) == MOST
    assert min(stop.bounding_box()["width"] for stop in stops) >= 24


@needs_browser
def test_paper_and_dark_show_what_they_should(window):
    page = window(color_scheme="dark")
    sources = [
        image.get_attribute("class")
        for image in page.locator("fieldset.fl-frames").first.locator("img").all()
        if image.is_visible()
    ]
    assert sources == ["fl-figure only-dark"]
    page.emulate_media(media="print")
    assert seen(page) == ["-1", "0", "1"]
    assert page.locator(".fl-words").first.is_visible()
    assert not page.locator("fieldset.fl-frames input").first.is_visible()
