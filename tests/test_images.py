"""Hand-composed drawings are what their generators write, and say what they show."""

import importlib.util
import pathlib
import re
import xml.etree.ElementTree as ET

import pytest

IMAGES = pathlib.Path(__file__).parents[1] / "images"
GENERATORS = sorted(IMAGES.glob("*.py"))
SVG = "{http://www.w3.org/2000/svg}"
# These draw the output of a simulator, whose last digits differ from machine to machine.
SIMULATED = {"first_light"}
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def generator(name):
    spec = importlib.util.spec_from_file_location(name, IMAGES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def marks(root):
    """Dots, by color and place, with their diameter; and the lines, with their numbers."""
    dots, lines = {}, []
    for path in root.iter(f"{SVG}path"):
        places = re.findall(r"M(\S+) (\S+?)h0", path.get("d"))
        if not places:
            lines.append((path.get("class"), [float(n) for n in NUMBER.findall(path.get("d"))]))
        for x, y in places:
            dots[float(x), float(y)] = (path.get("class"), float(path.get("stroke-width")))
    return dots, lines


def rest(root):
    """Everything but dots and lines."""
    return [
        (e.tag, {k: v for k, v in e.attrib.items() if k != "aria-label"}, (e.text or "").strip())
        for e in root.iter()
        if e.tag != f"{SVG}path"
    ]


def differences(ours, there):
    """What two drawings of the same galaxy may not differ in, as plain lines."""
    ours, there = ET.fromstring(ours), ET.fromstring(there)
    found = [] if rest(ours) == rest(there) else ["the words or the units"]
    (dots, lines), (dots_there, lines_there) = marks(ours), marks(there)
    moved = [at for at in dots.keys() ^ dots_there.keys()]
    resized = [at for at in dots.keys() & dots_there.keys() if dots[at] != dots_there[at]]
    if len(moved) + len(resized) > 0.01 * len(dots_there):
        found.append(f"{len(moved) + len(resized)} of {len(dots_there)} dots")
    if len(lines) != len(lines_there):
        found.append(f"{len(lines)} threads, not {len(lines_there)}")
    same = sum(
        kind == kind_there and a == pytest.approx(b, abs=0.15)
        for (kind, a), (kind_there, b) in zip(lines, lines_there, strict=False)
    )
    if same < 0.9 * len(lines_there):
        found.append(f"only {same} of {len(lines_there)} threads are where they were")
    return found


def test_every_drawing_has_a_generator():
    assert GENERATORS
    assert {p.stem for p in IMAGES.glob("*.svg")} == {p.stem for p in GENERATORS}


@pytest.mark.parametrize("script", GENERATORS, ids=lambda path: path.stem)
def test_the_generator_writes_the_file_that_is_there(script):
    drawn = generator(script.stem).svg()
    there = script.with_suffix(".svg").read_text("utf-8")
    if script.stem in SIMULATED:
        assert differences(drawn, there) == [], f"run `python images/{script.name}`"
    else:
        assert drawn == there, f"run `python images/{script.name}`"


@pytest.mark.parametrize("script", GENERATORS, ids=lambda path: path.stem)
def test_a_drawing_is_small_stands_alone_and_says_what_it_shows(script):
    text = script.with_suffix(".svg").read_text("utf-8")
    assert len(text) <= 150_000
    assert not re.search(r"(href|url\()\s*=?\s*[\"']?(https?:)?//", text)
    title = ET.fromstring(text).find(f"{SVG}title")
    assert title is not None and len(title.text) > 15


@pytest.fixture(scope="module")
def first_light():
    return generator("first_light")


def test_other_drawings_are_noticed():
    there = (IMAGES / "first_light.svg").read_text("utf-8")
    assert differences(there, there) == []
    assert differences(there.replace(">two arms<", ">three arms<"), there) == [
        "the words or the units"
    ]
    threads = re.sub(r' d="M(\d+)\.\d [^h"]*?C', ' d="M1.0 1.0C', there)
    assert any("threads" in line for line in differences(threads, there))
    larger = re.sub(r'stroke-width="3', 'stroke-width="4', there)
    assert any("dots" in line for line in differences(larger, there))


def test_each_thread_is_one_of_forty_people(first_light):
    shown = first_light.galaxy()
    counts = first_light.shares(shown.votes)
    assert sum(counts) == first_light.THREADS == 40
    ends = [first_light.gz2_tree.ANSWERS.index(way[-1]) for _, way in first_light.LEAVES]
    votes = shown.votes[ends]
    assert votes.sum() == pytest.approx(1, abs=1e-5), "the leaves are all the ways there are"
    assert all(abs(n - 40 * p) < 1 for n, p in zip(counts, votes, strict=True))
    assert first_light.LEAVES[int(votes.argmax())][0] == "two arms"


def test_the_drawing_s_words_count_its_threads(first_light):
    text = (IMAGES / "first_light.svg").read_text("utf-8")
    told = ET.fromstring(text).find(f"{SVG}desc").text
    assert sum(int(n) for n in re.findall(r" (\d+)", told.split(":")[1])) == 40
    _, lines = marks(ET.fromstring(text))
    assert len(lines) == 40


def test_the_threads_part_and_never_cross(first_light):
    walks = first_light.ribbons(first_light.shares(first_light.galaxy().votes))
    for stage in range(len(walks[0])):
        heights = [walk[stage][1] for walk in walks]
        assert heights == sorted(heights)
