"""Links from a page to the source it imports."""

import pathlib

from firstlight.press import sources, study_aids

ROOT = pathlib.Path(__file__).parents[1]


def test_a_module_is_found_by_its_dotted_name():
    found = sources.find_source(ROOT, "firstlight.sky.galaxies")
    assert found is not None and found.name == "galaxies.py"
    assert sources.find_source(ROOT, "firstlight.sky") is not None
    assert sources.find_source(ROOT, "firstlight.sky.no_such_room") is None


def test_the_address_of_the_repository_comes_from_pyproject():
    address = sources.repository(ROOT)
    assert address.startswith("https://") and address in (ROOT / "pyproject.toml").read_text()


def test_every_directive_of_a_chapter_is_one_of_the_study_aids():
    for aid in ("Exercise", "Solution", "Predict", "Objectives", "Measured", "Caption"):
        assert issubclass(getattr(study_aids, aid), study_aids._Aid)
