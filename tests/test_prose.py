"""The lint finds results typed by hand, and leaves settings, citations and claims alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.press.prose import lint, lint_text


def found(text):
    return [finding.text for finding in lint_text(text)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("The error falls to 0.071.", ["0.071"]),
        ("It keeps 97 % of them, or 97%.", ["97 %", "97%"]),
        ("It is 3 times faster, 3x, or 3-fold.", ["3 times", "3x", "3-fold"]),
        ("It takes 12 seconds, or 12 s, or 0.5 h.", ["12 seconds", "12 s", "0.5"]),
        ("We drew 12,000 images and 12 000 galaxies.", ["12,000 images", "12 000 galaxies"]),
        ("Off by 2 dex, 3 sigma and 5 percent.", ["2 dex", "3 sigma", "5 percent"]),
        ("A rate of 1e-3 and .25 of the rest.", ["1e-3", ".25"]),
        ("So $\\sigma = 0.147$ in the end.", ["0.147"]),
        ("So $\\sigma \\approx 12.5$ and $r < 0.123$.", ["12.5", "0.123"]),
        ("It fell by \u22120.5 then.", ["\u22120.5"]),
        ("- an item with 0.5\n- and 7 minutes", ["0.5", "7 minutes"]),
        ("> a quotation of 0.5", ["0.5"]),
        ("**0.5** and *0.6*", ["0.5", "0.6"]),
    ],
)
def test_results_are_found(text, numbers):
    assert found(text) == numbers


@pytest.mark.parametrize(
    "text",
    [
        "The tree has 37 answers to 11 questions, told in 2013 and in the 1990s.",
        "With `0.5` and $\\sigma = 2$ and $p = 0.07$ and twelve galaxies.",
        "The winner reached 0.07492 {cite:p}`Dieleman2015`.",
        "The error is {claim}`galaxy_zoo.rmse:.3f`, of {claim}`galaxy_zoo.n u`.",
        "# A heading with 0.5",
        "See [release 0.5](https://example.org/0.5) and <https://example.org/0.6>.",
        "Python 3.11 and TensorFlow 2.21, under CC BY 4.0, in Section 2.3.",
        "$$ a = 0.12345 $$",
        "```\n0.5\n```",
        "```{code-cell} ipython3\nx = 0.5\n```",
        "```{figure} drawing-0.5.svg\n:width: 50%\n\nWords.\n```",
        "<!-- 0.5 -->",
        "---\nversion: 0.5\n---\n\nWords.",
        "A 64-pixel stamp in 3 bands, 5x5 kernels.",
    ],
)
def test_what_is_no_result_passes(text):
    assert found(text) == []


def test_a_citation_covers_its_own_sentence_only():
    text = "It was 0.077 {cite:t}`Dieleman2015`. Ours is 0.071. Theirs was {cite:p}`A` 0.08."
    assert found(text) == ["0.071"]


def test_each_row_of_a_table_is_a_sentence():
    text = "| a | b |\n|---|---|\n| 0.33 | {cite:p}`x` |\n| 0.34 | ours |"
    assert found(text) == ["0.34"]


@pytest.mark.parametrize("name", ["note", "caption", "quiz", "measured", "exercise", "margin"])
@pytest.mark.parametrize("fence", ["```", ":::"])
def test_directives_with_prose_are_read(name, fence):
    text = f"{fence}{{{name}}} demo.x\n:name: fig-0.9\n\nWords, 0.5 of them.\n{fence}"
    assert found(text) == ["0.5"]


def test_questions_and_options_are_read():
    text = ":::{quiz} Is it 0.7?\n- [x] 0.8 :: by 0.9\n- [ ] none :: so\n:::"
    assert found(text) == ["0.7", "0.8", "0.9"]


def test_nested_directives_are_read():
    text = "::::{note}\n:::{measured} a.b\nIt is 0.5.\n:::\n::::"
    assert found(text) == ["0.5"]


@given(before=st.integers(0, 30))
def test_findings_name_the_line(before):
    text = "Words.\n\n" * before + "One line\nand 0.5 on the next."
    (finding,) = lint_text(text)
    assert finding.line == 2 * before + 2


def test_a_finding_in_a_directive_names_its_line():
    text = "Words.\n\n```{caption}\n:name: fig-a\n\nLook at\n0.5 there.\n```"
    (finding,) = lint_text(text)
    assert finding.line == 7


def test_a_finding_says_where_what_and_how_to_mend_it(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("The error is 0.071 now.\n", encoding="utf-8")
    (finding,) = lint(page)
    told = str(finding)
    assert told.startswith(f"{page}:1: '0.071'")
    assert "{claim}" in told and "cite" in told and "inline code" in told
