"""Nothing of the lecture is lost: where its headings, figures and sources live in the book.

The book grew from a lecture (it says so on its first page). Every heading of it is a title or
a section here, every figure has an original counterpart, every work it names is cited. The
tables below are the mapping, in short keys; a chapter that is not yet in the table of contents
owes nothing, but the chapters of the lecture's first two parts must all be there.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FIRST_PARTS = {
    "why/what-is-deep-learning", "why/big-data", "why/features", "why/applications",
    "why/astronomy", "components/neurons", "components/weights-and-biases",
    "components/activations",
}  # fmt: skip

# A heading's words, in any spelling of their endings, and the chapter that bears them; a
# title, a section, or the name of the part.
HEADINGS = [
    ("deep learning", "why/what-is-deep-learning"),
    ("why deep learning cool", "why/big-data"),
    ("deep learning address big data issues", "why/features"),
    ("example applications", "why/applications"),
    ("deep learning astronomy", "why/astronomy"),
    ("notable examples", "why/astronomy"),
    ("galaxy classification", "why/astronomy"),
    ("galaxy morphology", "why/astronomy"),
    ("serendipitous detection", "why/astronomy"),
    ("image reconstruction", "why/astronomy"),
    ("cosmological simulations", "why/astronomy"),
    ("neural networks components", "components/neurons"),
    ("generic architecture neurons", "components/neurons"),
    ("nomenclature", "components/neurons"),
    ("weights biases", "components/weights-and-biases"),
    ("first stage linear", "components/weights-and-biases"),
    ("second stage non linear", "components/weights-and-biases"),
    ("activation functions", "components/activations"),
    ("computationally inexpensive", "components/activations"),
    ("zero centered", "components/activations"),
    ("differentiable", "components/activations"),
    ("avoid vanishing chained", "components/activations"),
    ("architecture variants", "components/architectures"),
    ("training", "training/gradient-descent"),
    ("gradient descent loss", "training/gradient-descent"),
    ("backpropagation", "training/backpropagation"),
    ("optimization", "training/optimizers"),
    ("validation curves", "training/validation-curves"),
    ("overfitting underfitting", "training/validation-curves"),
    ("supervised learning", "supervised/cnns"),
    ("cnns", "supervised/cnns"),
    ("architecture", "supervised/cnns"),
    ("conv layers", "supervised/cnns"),
    ("activation", "supervised/cnns"),
    ("pooling", "supervised/cnns"),
    ("fully connected layers", "supervised/cnns"),
    ("dropout", "supervised/cnns"),
    ("batchnorm", "supervised/cnns"),
    ("transfer learning", "supervised/transfer-learning"),
    ("domain adaptation", "adaptation/domain-shift"),
    ("autoencoders", "adaptation/autoencoders"),
    ("gans", "adaptation/gans"),
    ("libraries", "libraries/tensorflow"),
    ("tensorflow", "libraries/tensorflow"),
    ("keras", "libraries/keras"),
    ("sequential api", "libraries/keras"),
    ("functional api", "libraries/keras"),
]

# A figure's number, and the caption under its counterpart.
FIGURES = {
    "0": ("why/what-is-deep-learning", "fig-depth-networks"),
    "chart": ("why/big-data", "fig-big-chart"),
    "1": ("why/features", "fig-features-pipelines"),
    "2a": ("why/applications", "fig-applications-driving"),
    "2b": ("why/applications", "fig-applications-proteins"),
    "2c": ("why/applications", "fig-applications-language"),
    "2d": ("why/applications", "fig-applications-vision"),
    "2e": ("why/applications", "fig-applications-fakes"),
    "2f": ("why/applications", "fig-applications-games"),
    "3": ("why/astronomy", "fig-astronomy-papers"),
    "4a": ("why/astronomy", "fig-astronomy-tree"),
    "4b": ("why/astronomy", "fig-astronomy-activations"),
    "5": ("supervised/mergers", "fig-mergers-confident"),
    "6": ("why/astronomy", "fig-astronomy-semantic"),
    "7": ("supervised/lens-finder", "fig-lens-found"),
    "8": ("why/astronomy", "fig-astronomy-rr-map"),
    "9": ("why/astronomy", "fig-astronomy-deconvolution"),
    "10": ("why/astronomy", "fig-astronomy-web"),
    "11": ("components/neurons", "fig-neurons-network"),
    "12": ("components/weights-and-biases", "fig-weights-neuron"),
    "13": ("components/activations", "fig-activations-zoo"),
}

# What it read and recommended: a work as it is cited, or words of a link.
SOURCES = [
    ("Hornik1991", "why/features"),
    ("Bojarski2016", "why/applications"),
    ("Jumper2021", "why/applications"),
    ("Raffel2020", "why/applications"),
    ("Zi2021", "why/applications"),
    ("Two Minute Papers", "why/applications"),
    ("Dieleman2015", "why/astronomy"),
    ("Willett2013", "why/astronomy"),
    ("Ackermann2018", "why/astronomy"),
    ("AragonCalvo2020", "why/astronomy"),
    ("Lanusse2018", "why/astronomy"),
    ("Dekany2020", "why/astronomy"),
    ("Schawinski2017", "why/astronomy"),
    ("Rodriguez2018", "why/astronomy"),
    ("learning-curves-for-diagnosing", "training/validation-curves"),
]


@cache
def parts():
    """The name of the part that each page stands in, for every page of the contents."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    return {
        chapter["file"].removeprefix("book/"): part["caption"]
        for part in contents["parts"]
        for chapter in part["chapters"]
    }


def due(mapping):
    """The entries whose chapters are written, or have to be."""
    return [entry for entry in mapping if entry[1] in FIRST_PARTS or entry[1] in parts()]


def chapter(name):
    """A chapter's text."""
    assert name in parts(), f"{name} is not in the table of contents"
    return (ROOT / "book" / f"{name}.md").read_text("utf-8")


def words(text):
    """The words of a heading: lower case, no accents, no marks, American endings."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    found = re.findall(r"[a-z]+", plain.replace("centred", "centered"))
    return {re.sub(r"(?<=\w{3})(ies|y|s)$", "", word) for word in found}


def headings(text):
    """Every title and section of a page; what looks like one in its code is none."""
    prose = re.sub(r"^(`{3,})[\s\S]*?^\1\s*$", "", text, flags=re.M)
    return re.findall(r"^#{1,4}\s+(.+)$", prose, re.M)


def captions(text):
    """Name and words of every caption of a page."""
    blocks = re.findall(r"^(`{3,}|:{3,})\{caption\}\s*\n([\s\S]*?)^\1\s*$", text, re.M)
    found = [re.match(r":name:\s*(\S+)\s*\n([\s\S]*)", block) for _, block in blocks]
    return {match.group(1): match.group(2) for match in found if match}


@pytest.mark.parametrize("key, name", due(HEADINGS), ids=lambda value: value)
def test_every_heading_is_a_title_or_a_section(key, name):
    there = [*headings(chapter(name)), parts()[name]]
    wanted = words(key)
    assert any(wanted <= words(heading) for heading in there), f"{key!r} is none of {there}"


@pytest.mark.parametrize("number", FIGURES)
def test_every_figure_has_a_counterpart(number):
    name, figure = FIGURES[number]
    text = chapter(name)
    known = captions(text)
    assert figure in known, f"Figure {number} is owed by {name}, which has {sorted(known)}"
    if number != "chart":  # it had no number
        assert re.search(rf"lecture's\s+Figure\s+{number}\b", text), "the page says whose it was"


@pytest.mark.parametrize("source, name", due(SOURCES), ids=lambda value: value)
def test_every_source_is_still_named(source, name):
    assert source in chapter(name)


def test_every_number_from_the_first_to_the_last_is_there():
    numbers = [n for n in FIGURES if n != "chart"]
    assert [n for n in numbers if n.isdigit()] == [str(k) for k in range(14) if k not in (2, 4)]
    assert [n for n in numbers if not n.isdigit()] == [*(f"2{c}" for c in "abcdef"), "4a", "4b"]


@pytest.mark.parametrize(
    "key, heading, fits",
    [
        ("galaxy classification", "Classifying galaxies", False),
        ("zero centered", "Zero-centred", True),
        ("galaxy morphology", "The Morphology of a Galaxy", True),
        ("galaxies", "Galaxy", True),
        ("cosmological simulations", "A cosmological simulation", True),
        ("weights biases", "Weights", False),
    ],
)
def test_a_heading_is_known_by_its_words(key, heading, fits):
    assert (words(key) <= words(heading)) is fits


def test_code_is_no_heading_and_a_caption_has_its_name():
    page = "# One\n\n```python\n# not a heading\n```\n\n```{caption}\n:name: fig-a\n\nLook.\n```\n"
    assert headings(page) == ["One"]
    assert captions(page) == {"fig-a": "Look.\n"}
