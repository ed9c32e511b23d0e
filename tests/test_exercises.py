"""Exercises: every right answer passes, every wrong one is told why, in its own words."""

import importlib

import numpy as np
import pytest

from firstlight.exercises import check
from firstlight.exercises.engine import (
    Exercise,
    Hint,
    Verdict,
    WrongAnswer,
    expect,
    expect_close,
    find,
    judge,
    modules,
)


def _all_exercises():
    for module in modules():
        found = importlib.import_module(f"firstlight.exercises.{module}").EXERCISES
        yield from ((f"{module}.{name}", exercise) for name, exercise in found.items())


ALL = dict(_all_exercises())
WRONG = [(name, label) for name, exercise in ALL.items() for label in exercise.wrong]


@pytest.mark.parametrize("name", ALL)
def test_the_right_answer_is_right(name):
    verdict = judge(ALL[name], ALL[name].right())
    assert verdict == Verdict(True, ALL[name].praise)


@pytest.mark.parametrize(("name", "label"), WRONG)
def test_each_wrong_answer_draws_its_own_hint(name, label):
    exercise = ALL[name]
    answer, fragment = exercise.wrong[label]
    verdict = judge(exercise, answer())
    assert not verdict.ok
    assert fragment in verdict.message
    for other, (_, theirs) in exercise.wrong.items():
        if other != label and theirs != fragment:
            assert theirs not in verdict.message, f"also the hint of {other!r}"


@pytest.mark.parametrize("name", ALL)
def test_no_two_wrong_answers_are_told_the_same(name):
    told = [judge(ALL[name], make()).message for make, _ in ALL[name].wrong.values()]
    assert len(set(told)) == len(told)


@pytest.mark.parametrize("name", ALL)
def test_there_are_at_least_two_wrong_answers_with_hints_that_say_something(name):
    fragments = [fragment for _, fragment in ALL[name].wrong.values()]
    assert len(fragments) >= 2
    assert len(set(fragments)) == len(fragments)
    assert min(map(len, fragments)) >= 8


def _even(answer):
    expect(isinstance(answer, int), "give a whole number")
    expect(answer % 2 == 0, "it should be even")


EVEN = Exercise(check=_even, right=lambda: 4, praise="Right, and zero is even too.")


def test_a_hint_is_the_verdict():
    assert judge(EVEN, 3) == Verdict(False, "it should be even")
    assert judge(EVEN, "4") == Verdict(False, "give a whole number")
    assert judge(EVEN, 4).ok


@pytest.mark.parametrize("answer", [None, ...])
def test_an_untouched_starter_is_no_answer(answer):
    assert "no answer yet" in judge(EVEN, answer).message


def test_an_answer_that_fails_says_how():
    calls = Exercise(check=lambda f: expect(f(0) == 1, "f(0) is one"), right=lambda: lambda x: 1)
    verdict = judge(calls, lambda x: 1 / x)
    assert not verdict.ok and "ZeroDivisionError" in verdict.message


def test_closeness_tells_shape_from_value():
    expect_close(0.1 + 0.2, 0.3, "no")
    with pytest.raises(Hint, match=r"shape is \(2,\)"):
        expect_close([1, 2], [[1, 2]], "no")
    with pytest.raises(Hint, match="^no$"):
        expect_close(np.ones(3), np.full(3, 1.1), "no")
    with pytest.raises(Hint, match="not str"):
        expect_close("three", 3, "no")


@pytest.fixture
def even(monkeypatch):
    monkeypatch.setattr("firstlight.exercises.engine.find", lambda name: EVEN)


def test_a_reader_is_told(even, monkeypatch, capsys):
    monkeypatch.delenv("FIRSTLIGHT_TRACE", raising=False)
    assert check("demo.even", 3).ok is False
    assert check("demo.even", 4).ok is True
    assert capsys.readouterr().out == "Not yet: it should be even\nRight, and zero is even too.\n"


def test_a_wrong_solution_stops_the_build(even, monkeypatch, tmp_path):
    monkeypatch.setenv("FIRSTLIGHT_TRACE", str(tmp_path / "trace"))
    with pytest.raises(WrongAnswer, match="demo.even.*should be even"):
        check("demo.even", 3)


@pytest.mark.parametrize("name", ["nowhere.nothing", "engine.check", "nothing", ""])
def test_an_unknown_exercise_lists_what_there_is(name):
    with pytest.raises(KeyError, match="no module"):
        find(name)
