"""Hand-composed drawings are what their generators write, and say what they show."""

import importlib.util
import pathlib
import xml.etree.ElementTree as ET

import pytest

IMAGES = pathlib.Path(__file__).parents[1] / "images"
GENERATORS = sorted(IMAGES.glob("*.py"))


def test_every_drawing_has_a_generator():
    assert GENERATORS
    assert {p.stem for p in IMAGES.glob("*.svg")} == {p.stem for p in GENERATORS}


@pytest.mark.parametrize("script", GENERATORS, ids=lambda path: path.stem)
def test_the_generator_writes_the_file_that_is_there(script):
    spec = importlib.util.spec_from_file_location(script.stem, script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    drawn = module.svg()
    assert drawn == script.with_suffix(".svg").read_text("utf-8")
    root = ET.fromstring(drawn)
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None and len(title.text) > 15
