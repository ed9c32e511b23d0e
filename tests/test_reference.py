"""The API reference is read from sources without importing them."""

import ast
import subprocess
import sys

import pytest

from firstlight.press.reference import ROOT, modules, reference, signature


def test_every_public_name_of_a_module_appears():
    text = reference("firstlight.claims")
    assert "claim(" in text and "quote(" in text and "skip(" in text
    assert "_trace" not in text


def test_a_room_brings_all_its_modules():
    names = [name for name, _ in modules("firstlight.sky")]
    assert "firstlight.sky.photometry" in names
    assert len(names) == len({file.stem for file in (ROOT / "sky").glob("*.py")})


def test_long_signatures_are_split_at_their_own_commas_only():
    node = ast.parse(
        "def f(first: dict[str, int] = {'a, b': 1}, second: tuple[int, int] = (1, 2), "
        "third: str = 'x, y', fourth: int = 4) -> None: ..."
    ).body[0]
    lines = signature(node).splitlines()
    assert len(lines) == 6
    assert lines[1].strip() == "first: dict[str, int] = {'a, b': 1},"


def test_every_kind_of_argument_keeps_its_mark():
    text = "f(a, /, b=1, *rest: int, c: str, d: int = 2, **more)"
    assert signature(ast.parse(f"def {text}: ...").body[0]) == text


def test_argument_lists_become_lists_with_their_continuations_joined():
    text = reference("firstlight.claims")
    assert "- `low`: Smallest value that is still right, or `None` for no lower bound." in text
    assert "- `ValueError`: If the name, the value or the band makes no sense." in text


def test_unknown_module_is_named():
    with pytest.raises(ValueError, match="firstlight.nowhere"):
        reference("firstlight.nowhere")


def test_nothing_heavy_is_imported():
    code = (
        "import sys; from firstlight.press.reference import reference; "
        "reference('firstlight.layers'); reference('firstlight.models'); "
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("room", ["claims", "archive", "sky", "autodiff", "layers", "models",
                                  "training", "evaluation", "studies", "figures",
                                  "exercises"])  # fmt: skip
def test_fences_are_balanced(room):
    assert reference(f"firstlight.{room}").count("```") % 2 == 0
