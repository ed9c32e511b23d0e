"""The bibliography and the glossary: complete, in order, and named as they are used."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "book").rglob("*.md"))
STUDIES = {
    "Ackermann2018", "AragonCalvo2020", "Dekany2020", "Dieleman2015", "Lanusse2018",
    "Rodriguez2018", "Schawinski2017",
}  # fmt: skip


@pytest.fixture(scope="module")
def works():
    database = pytest.importorskip("pybtex.database")
    return database.parse_file(str(ROOT / "references.bib")).entries


def named(role):
    """Every target of a role on the pages, with the pages."""
    for page in PAGES:
        for text in re.findall(rf"\{{{role}\}}`([^`]+)`", page.read_text("utf-8")):
            target = re.search(r"<(.+)>$", text)
            for name in (target.group(1) if target else text).split(","):
                yield page.relative_to(ROOT).as_posix(), name.strip()


def test_every_citation_is_in_the_bibliography(works):
    assert [(page, key) for page, key in named(r"cite:\w+") if key not in works] == []


def test_the_papers_of_the_seven_studies_are_there(works):
    assert STUDIES <= set(works)


def test_a_key_is_the_first_author_and_the_year(works):
    for key, entry in works.items():
        name = "".join(entry.persons["author"][0].last_names).replace(r"\i", "i")
        letters = re.sub(r"\\.|[^A-Za-z]", "", name)  # accents and hyphens are left out
        expected = letters + entry.fields["year"]
        assert re.fullmatch(expected + "[b-z]?", key)  # a letter for the year's next paper


def test_every_work_can_be_found(works):
    for key, entry in works.items():
        assert {"title", "year"} <= set(entry.fields), key
        if entry.type == "article":
            assert {"journal", "volume", "pages"} <= set(entry.fields), key
        else:
            assert "booktitle" in entry.fields, key
        eprint = entry.fields.get("eprint", "0000.0000")
        assert re.fullmatch(r"\d{4}\.\d{4,5}|astro-ph/\d{7}", eprint), (key, eprint)


def test_the_bibliography_is_in_order(works):
    assert list(works) == sorted(works, key=str.lower)


# ---------------------------------------------------------------- the glossary


@pytest.fixture(scope="module")
def sections():
    """The terms of each section of the glossary."""
    text = (ROOT / "book/appendix/glossary.md").read_text("utf-8")
    bodies = re.findall(r"```\{glossary\}\n(.*?)```", text, re.S)
    return [re.findall(r"^(\S.*)$", body, re.M) for body in bodies]


def test_every_term_used_is_defined_once(sections):
    terms = [term for section in sections for term in section]
    assert len(terms) == len(set(terms))
    assert [(page, term) for page, term in named("term") if term not in terms] == []


def test_terms_are_in_order(sections):
    assert len(sections) > 1
    for section in sections:
        assert section == sorted(section, key=str.lower)


def test_each_chapter_links_its_key_terms():
    chapters = [page for page in PAGES if "Key terms" in page.read_text("utf-8")]
    assert chapters
    for page in chapters:
        after = page.read_text("utf-8").split("Key terms", 1)[1]
        assert re.match(r"[*:\s]*\{term\}`", after), page
