"""What an exercise is, and how an answer is judged: by its properties, with a reason."""

import importlib
import math
import os
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = [
    "Exercise", "Hint", "Verdict", "WrongAnswer", "check", "expect", "expect_close", "find",
    "judge", "modules",
]  # fmt: skip


class Hint(Exception):
    """Raised by a property check: the answer is wrong, and this is why."""


class WrongAnswer(AssertionError):
    """A solution of the book itself was found wrong while the book was built."""


@dataclass(frozen=True)
class Verdict:
    """What `check` has to say.

    Attributes:
        ok: Whether the answer has every property that was asked for.
        message: Praise, or the reason why not.
    """

    ok: bool
    message: str

    def _ipython_display_(self) -> None:
        """Nothing to show: in a notebook the message has just been printed."""


@dataclass(frozen=True)
class Exercise:
    """One exercise: how to judge it, a right answer, and wrong ones that a reader may give.

    Attributes:
        check: Takes the answer; raises `Hint` (see `expect`) where a property fails.
        right: Returns a right answer, for the tests.
        wrong: From a label to a function that returns a plausible wrong answer, and a
            fragment of the hint that it, and no other wrong answer, must draw.
        praise: What a right answer hears; best a fact that leads on.
    """

    check: Callable[[Any], None]
    right: Callable[[], Any]
    wrong: Mapping[str, tuple[Callable[[], Any], str]] = field(default_factory=dict)
    praise: str = "Right."


def check(name: str, answer: Any) -> Verdict:
    """Judge an answer, and say why where it is wrong.

    Args:
        name: `module.exercise`, as the chapter prints it.
        answer: Whatever the exercise asks for: a number, an array, a function.

    Returns:
        The verdict, whose message is also printed.

    Raises:
        KeyError: If there is no such exercise.
        WrongAnswer: If the answer is wrong and the book is being built.

    Example:
        >>> check("galaxy_zoo.parents", None)  # doctest: +SKIP
        Not yet: give a list of eleven parents.
        Verdict(ok=False, message='...')
    """
    verdict = judge(find(name), answer)
    if not verdict.ok and os.environ.get("FIRSTLIGHT_TRACE"):
        raise WrongAnswer(f"exercise {name}: the book's own solution is wrong: {verdict.message}")
    print(verdict.message if verdict.ok else f"Not yet: {verdict.message}")
    return verdict


def judge(exercise: Exercise, answer: Any) -> Verdict:
    """Judge an answer without printing.

    Args:
        exercise: The exercise.
        answer: The reader's answer. If it is a function that fails when called, the
            verdict says how.

    Returns:
        The verdict.
    """
    if answer is None or answer is Ellipsis:
        return Verdict(False, "there is no answer yet; put yours in the place of the dots.")
    try:
        exercise.check(answer)
    except Hint as hint:
        return Verdict(False, str(hint))
    except Exception as error:
        kind = type(error).__name__
        return Verdict(False, f"your answer could not be tried; it stopped with {kind}: {error}")
    return Verdict(True, exercise.praise)


def find(name: str) -> Exercise:
    """The exercise of that name.

    Args:
        name: `module.exercise`; only that module is imported.

    Returns:
        The exercise.

    Raises:
        KeyError: If there is no such module or exercise; the message lists what there is.
    """
    module, _, exercise = name.partition(".")
    place = f"{__package__}.{module}"
    try:
        found: dict[str, Exercise] = importlib.import_module(place).EXERCISES
    except (AttributeError, ModuleNotFoundError, ValueError) as error:
        if getattr(error, "name", place) not in (place, "EXERCISES"):
            raise  # the module is there and lacks something of its own
        raise KeyError(
            f"exercise {name!r}: no module {module!r}, expected one of "
            f"{', '.join(modules()) or 'none'}."
        ) from None
    if exercise not in found:
        raise KeyError(f"exercise {name!r}: {module} has {', '.join(sorted(found)) or 'none'}.")
    return found[exercise]


def modules() -> list[str]:
    """Names of the modules that hold exercises, by a look at the folder; none is imported."""
    package = importlib.import_module(str(__package__))
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if m.name != "engine")


def expect(condition: Any, hint: str) -> None:
    """Go on if the condition holds, else tell the reader the hint.

    Args:
        condition: Truth of a property of the answer.
        hint: Why the answer lacks it, in one or two sentences; not the solution.

    Raises:
        Hint: If the condition does not hold.

    Example:
        >>> expect(2 > 1, "two should exceed one")
    """
    if not condition:
        raise Hint(hint)


def expect_close(
    value: Any, target: Any, hint: str, *, rtol: float = 1e-6, atol: float = 0.0
) -> None:
    """Go on if numbers or arrays agree in shape and value, else tell the reader the hint.

    Args:
        value: The reader's number or array.
        target: What it should be.
        hint: Why it is not.
        rtol: Tolerance relative to the target.
        atol: Absolute tolerance.

    Raises:
        Hint: If the two differ, or `value` is not numeric.

    Example:
        >>> expect_close(0.1 + 0.2, 0.3, "ten digits are enough")
    """
    try:
        given = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise Hint(f"give a number or an array of numbers, not {type(value).__name__}.") from None
    wanted = np.asarray(target, dtype=float)
    if given.shape != wanted.shape:
        raise Hint(f"the shape is {given.shape}, it should be {wanted.shape}. {hint}")
    if not np.allclose(given, wanted, rtol=rtol, atol=atol or math.ulp(0.0)):
        raise Hint(hint)
