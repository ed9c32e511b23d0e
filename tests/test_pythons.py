"""Finding a Python: the first that fits is taken, and the others are told what they lack."""

import os
import sys

import pytest

from firstlight.press import pythons
from firstlight.press.pythons import SetupError, complain, find_python, probe


def machine(monkeypatch, **found):
    """A machine that has just these Pythons: name (dots as _) = (version, able)."""

    def fake(command):
        entry = found.get(command[-1].replace(".", "_"))
        return (entry[0], "/bin/" + command[-1], entry[1]) if entry else None

    monkeypatch.setattr(pythons, "probe", fake)
    monkeypatch.setattr(sys, "executable", "nowhere")


def test_this_python_describes_itself():
    version, path, able = probe([sys.executable])
    assert version == sys.version_info[:3]
    assert os.path.exists(path)
    assert able


@pytest.mark.parametrize("command", [["no-such-python"], [sys.executable, "-c", "print(1)", "x"]])
def test_what_is_no_python_is_none(command):
    assert probe(command) is None


def test_the_newest_that_fits_is_taken(monkeypatch):
    machine(
        monkeypatch, python3=((3, 9, 2), True), python3_11=((3, 11, 1), True),
        python3_12=((3, 12, 4), True),
    )  # fmt: skip
    assert find_python() == ((3, 12, 4), "/bin/python3.12")


def test_a_python_without_venv_is_passed_over(monkeypatch):
    machine(monkeypatch, python3_13=((3, 13, 0), False), python3=((3, 11, 1), True))
    assert find_python()[0] == (3, 11, 1)


def test_the_readers_choice_is_the_only_one_tried(monkeypatch):
    machine(monkeypatch, python3_11=((3, 11, 1), True), mine=((3, 8, 0), True))
    with pytest.raises(SetupError, match=r"3\.8\.0.*too old"):
        find_python("mine")
    with pytest.raises(SetupError, match="PYTHON=absent does not start"):
        find_python("absent")


@pytest.mark.parametrize(
    "have, says",
    [
        ({}, r"found none of python3\.13"),
        ({"python3": ((3, 10, 9), True)}, r"3\.10\.9 \(/bin/python3\), which is too old"),
        ({"python3": ((3, 14, 0), True)}, "too new"),
        ({"python3": ((3, 11, 2), False)}, r"sudo apt install python3\.11-venv"),
        # A right version that lacks a part is nearer the mark than a wrong version.
        ({"python3_12": ((3, 12, 2), False), "python3": ((3, 9, 0), True)}, r"python3\.12-venv"),
    ],
)
def test_one_line_says_what_was_found_and_what_to_do(monkeypatch, have, says):
    machine(monkeypatch, **have)
    with pytest.raises(SetupError, match=says) as caught:
        find_python()
    text = str(caught.value)
    assert "\n" not in text
    assert "3.11, 3.12 or 3.13" in text or "apt install" in text
    assert "PYTHON=" in text


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_the_promised_versions_fit(minor):
    assert complain((3, minor, 0), "python", True) is None
