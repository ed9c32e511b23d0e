"""The built pages in a real browser: wide and narrow, light and dark, by keyboard, on paper.

They are looked at where `make book` left them. Without a build or without Chromium the whole
module is skipped, with one line that says so.
"""

import hashlib
import re

import pytest

from browser_kit import (
    AXE,
    VIEWS,
    Look,
    Reader,
    axe_source,
    chromium,
    html_folder,
    listening,
    page_names,
    server,
)

HTML, PAGES = html_folder(), page_names()
if not PAGES:
    pytest.skip(f"no built pages in {HTML}: run `make book` first", allow_module_level=True)
if not chromium():
    pytest.skip("no Chromium here (Debian: apt-get install chromium)", allow_module_level=True)
sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

each_page = pytest.mark.parametrize("name", PAGES)
each_view = pytest.mark.parametrize("width, scheme", VIEWS)


@pytest.fixture(scope="module")
def reader():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--disable-gpu"])
        yield Reader(browser, HTML)
        browser.close()


@pytest.fixture
def window(reader):
    """Opens windows (see `Reader.window`) and closes them after the test."""
    opened = []

    def opens(name, *arguments, **options):
        page = reader.window(*arguments, **options)
        opened.append(page)
        page.goto(reader.url(name))
        return page

    yield opens
    for page in opened:
        page.context.close()


def the_first_page_with(markup):
    """A page whose HTML holds this text; the test is skipped where none does."""
    for name in PAGES:
        if markup in (HTML / name).read_text(encoding="utf-8"):
            return name
    pytest.skip(f"no page holds {markup}")


# ---------------------------------------------------------------- every page, every view


@each_view
@each_page
def test_the_console_is_quiet(reader, name, width, scheme):
    assert reader.look(name, width, scheme).errors == []


@each_view
@each_page
def test_all_that_is_asked_for_is_there_and_ours(reader, name, width, scheme):
    look = reader.look(name, width, scheme)
    assert (look.failed, look.foreign) == ([], [])


@each_view
@each_page
def test_nothing_scrolls_sideways(reader, name, width, scheme):
    assert reader.look(name, width, scheme).too_wide == []


@each_view
@each_page
def test_axe_finds_nothing(reader, name, width, scheme):
    found = reader.look(name, width, scheme).axe
    assert found == [], "\n".join(found)


def test_a_bad_page_would_be_found(reader, tmp_path):
    (tmp_path / "bad.html").write_text(
        "<html><body><img src='missing.png'><p style='width: 3000px'>wide</p>"
        "<script>console.error('oh'); fetch('https://example.invalid/x')</script></body></html>"
    )
    look = Reader(reader.browser, tmp_path).look("bad.html", "wide", "light")
    assert "oh" in look.errors
    assert [address for address in look.failed if address.endswith("missing.png")]
    assert look.foreign == ["https://example.invalid/x"]
    assert "<p style" in look.too_wide[0]
    assert {"image-alt", "document-title"} <= {found.split(":")[0] for found in look.axe}


# ---------------------------------------------------------------- by keyboard


def test_a_quiz_is_answered_by_keyboard(window):
    name = the_first_page_with('type="radio" name="quiz-1"')
    page = window(f"{name}")
    page.goto(page.url + "#quiz-1")
    quiz = page.locator("#quiz-1")
    options, reasons = quiz.locator("input"), quiz.locator(".fl-feedback > p")
    shown = lambda: [reason.is_visible() for reason in reasons.all()]  # noqa: E731
    assert not any(shown())

    page.keyboard.press("Tab")
    assert options.nth(0).evaluate("e => e === document.activeElement")
    page.keyboard.press("Space")
    assert shown() == [True] + [False] * (options.count() - 1)
    page.keyboard.press("ArrowDown")
    assert shown()[:2] == [False, True] and options.nth(1).is_checked()

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert quiz.locator("details.fl-answers li").first.is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert not any(shown()) and quiz.locator("input:checked").count() == 0


def test_a_slider_moves_by_keyboard(window):
    page = window(the_first_page_with('class="fl-frames'))
    slider = page.locator("fieldset.fl-frames").first
    stops, views = slider.locator("input"), slider.locator(".fl-view")
    seen = lambda: [view.is_visible() for view in views.all()]  # noqa: E731
    start = next(k for k, stop in enumerate(stops.all()) if stop.is_checked())
    assert [k for k, view in enumerate(seen()) if view] == [start]
    stops.nth(start).focus()
    page.keyboard.press("ArrowRight")
    assert [k for k, view in enumerate(seen()) if view] == [(start + 1) % stops.count()]


def test_a_solution_opens_by_keyboard(window):
    page = window(the_first_page_with('class="fl-solution"'))
    solution = page.locator("details.fl-solution").first
    assert not solution.locator("pre").first.is_visible()
    solution.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert solution.locator("pre").first.is_visible()


def test_the_first_stop_skips_to_the_text(window):
    page = window(PAGES[0])
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#main-content")


# ---------------------------------------------------------------- search


def word_of(name):
    """The longest word of a page's title, which a search should find there."""
    title = re.search(r"<title>(.*?) (?:&#8212;|—)", (HTML / name).read_text("utf-8"), re.S)
    return max(re.findall(r"[a-z]+", title.group(1).lower()), key=len)


@pytest.mark.parametrize("place", ["on a server", "from the disk"])
def test_search_finds_a_word(reader, window, place):
    name = next(name for name in PAGES if re.match(r"book/(?!index|appendix)", name))
    with server(HTML) as address:
        page, look = window(name), Look()
        start = f"{address}/{name}" if place == "on a server" else page.url
        with listening(page, look):
            page.goto(start)
            page.keyboard.press("Control+k")
            page.keyboard.type(word_of(name))
            page.keyboard.press("Enter")
            page.wait_for_url("**/search.html?q=*")
            found = page.locator(f"#search-results li a[href*='{name}']").first
            found.wait_for()
            page.locator("#search-progress, #search-results .search-summary").last.wait_for()
            page.wait_for_load_state("networkidle")
        found.click()
        page.wait_for_url(f"**/{name}*")
        assert (look.errors, look.failed, look.foreign) == ([], [], [])


# ---------------------------------------------------------------- light, dark, paper, no scripts


def shades_shown(page):
    """The shades of the figures that can be seen, and whether all of them have arrived."""
    return page.evaluate(
        """async () => {
          const all = [...document.querySelectorAll("img.fl-figure")];
          const seen = all.filter(e => e.getClientRects().length);
          seen.forEach(e => { e.loading = "eager" });
          await Promise.all(seen.map(e => e.decode()));
          const shade = e => ["only-light", "only-dark"].find(c => e.classList.contains(c));
          return [[...new Set(seen.map(shade))], seen.length * 2 === all.length];
        }"""
    )


def test_figures_swap_with_the_theme(window):
    page = window(the_first_page_with("fl-figure"), "wide", "light")
    assert shades_shown(page) == [["only-light"], True]
    page.emulate_media(color_scheme="dark")  # the reader's system turns dark
    page.locator("html[data-theme=dark]").wait_for()
    assert shades_shown(page) == [["only-dark"], True]
    button, light = page.locator(".theme-switch-button:visible").first, "html[data-mode=light]"
    for _ in range(3):  # the reader turns it back by hand, and comes again
        if not page.locator(light).count():
            button.click()
    assert shades_shown(page) == [["only-light"], True]
    page.reload()
    assert shades_shown(page) == [["only-light"], True]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_has_the_text_and_no_navigation(window, scheme):
    page = window(the_first_page_with('class="fl-solution"'), "wide", scheme)
    page.emulate_media(media="print", color_scheme=scheme)
    for part in (
        "header.bd-header", ".bd-header-article", ".bd-sidebar-primary", ".bd-sidebar-secondary",
        ".prev-next-footer", "footer.bd-footer", ".copybtn", "#pst-back-to-top",
    ):  # fmt: skip
        assert [part for each in page.locator(part).all() if each.is_visible()] == []
    assert sum(title.is_visible() for title in page.locator("h1").all()) == 1
    assert page.locator("details.fl-solution pre").first.is_visible()
    assert page.locator(".fl-quiz .fl-feedback > p").first.is_visible()
    paper, ink = (
        page.evaluate(f"getComputedStyle(document.body).{what}").removeprefix("rgb")
        for what in ("backgroundColor", "color")
    )
    assert sum(map(int, re.findall(r"\d+", ink)[:3])) < 150, f"pale ink: {ink}"
    assert paper in ("a(0, 0, 0, 0)", "(255, 255, 255)"), f"the paper is tinted: {paper}"
    assert shades_shown(page)[0] in ([], ["only-light"])


# Widths of the text in our letters and in those that stand in for them, with ascent, descent.
ROOM = """async ([ours, standin, style]) => {
  const text = [...document.querySelectorAll("article p")].map(e => e.textContent).join(" ");
  const pen = document.createElement("canvas").getContext("2d");
  const room = family => {
    pen.font = `${style} 100px ${family}`;
    const m = pen.measureText(text.replace(/\\s+/g, " "));
    return [m.width / text.length, m.fontBoundingBoxAscent, m.fontBoundingBoxDescent];
  };
  await Promise.all([...document.fonts].map(font => font.load().catch(() => null)));
  const there = [...document.fonts].some(f => f.family.includes(standin) && f.status === "loaded");
  return there && [room(`"${ours}"`), room(`"${standin}"`)];
}"""


@pytest.mark.parametrize("style", ["400", "italic 400", "600", "700"])
@pytest.mark.parametrize("kind, ours", [("serif", "Source Serif 4"), ("sans", "Source Sans 3")])
def test_stand_ins_take_the_room_of_our_letters(window, kind, ours, style):
    page = window(the_first_page_with('class="fl-solution"'))
    both = page.evaluate(ROOM, [ours, f"FL {kind} stand-in", style])
    if not both:
        pytest.skip("neither Times and Arial nor Liberation are on this machine")
    # Heights come in whole pixels, so one pixel of a hundred is rounding.
    assert both[1] == pytest.approx(both[0], rel=0.025, abs=1.001)


# What a reader should be able to see: all text but what folds, answers, or repeats.
UNSEEN = """() => [...document.querySelectorAll("article :is(h1, h2, h3, p, li, pre, td, figure)")]
  .filter(e => e.innerText !== "" && e.textContent.trim() && !e.getClientRects().length)
  .filter(e => !e.closest("summary, details:not([open]), .fl-feedback, .only-dark, .pst-js-only"))
  .map(e => e.textContent.trim().slice(0, 60))"""


@each_page
def test_without_scripts_all_can_be_read(window, name):
    page = window(name, "narrow", java_script_enabled=False)
    assert page.evaluate(UNSEEN) == []
    assert shades_shown(page)[0] in ([], ["only-light"])
    folds = page.locator("article details:not([open]) > summary")
    for _ in range(folds.count()):
        folds.first.click()
    assert folds.count() == 0
    assert page.evaluate(UNSEEN) == []
    for choice in page.locator(".fl-quiz .fl-option").all()[:2]:
        choice.locator("label").click()
        assert choice.locator(".fl-feedback > p").is_visible()


def test_the_vendored_checker_is_what_its_note_says():
    note = (AXE.parent / "README.md").read_text("utf-8")
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() in note
    version = re.search(r"axe v(\S+)", axe_source()).group(1)
    assert f"axe-core {version}" in note and (AXE.parent / "LICENSE").stat().st_size > 10_000
