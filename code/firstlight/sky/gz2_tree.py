"""The Galaxy Zoo 2 decision tree: 11 questions, 37 answers (Willett et al. 2013).

A volunteer sees one galaxy and walks down this tree. The Kaggle Galaxy Challenge
turned the votes into 37 *cumulative* fractions: each answer's share among those
who were asked, times the fraction of its parent answer. "Anything odd?" (Q6) was
put to everybody and sums to one.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Question:
    """One question of the tree.

    Args:
        name: Short name, as it stands before the slash in `ANSWERS`.
        text: The question as the volunteer reads it.
        answers: Short names of the answers, in the catalogue's order.
        parent: `(question index, answer index)` of the answer that leads here,
            counted from zero, or `None` for the two questions put to everybody.
    """

    name: str
    text: str
    answers: tuple[str, ...]
    parent: tuple[int, int] | None


QUESTIONS: tuple[Question, ...] = (
    Question(
        "smooth_or_features",
        "Is the galaxy simply smooth and rounded, with no sign of a disk?",
        ("smooth", "features", "star"),
        None,
    ),
    Question("edge_on", "Could this be a disk viewed edge-on?", ("yes", "no"), (0, 1)),
    Question("bar", "Is there a bar through the center?", ("yes", "no"), (1, 1)),
    Question("spiral", "Is there any sign of a spiral arm pattern?", ("yes", "no"), (1, 1)),
    Question(
        "bulge",
        "How prominent is the central bulge?",
        ("none", "noticeable", "obvious", "dominant"),
        (1, 1),
    ),
    Question("odd", "Is there anything odd?", ("yes", "no"), None),
    Question("roundness", "How rounded is it?", ("round", "between", "cigar"), (0, 0)),
    Question(
        "odd_feature",
        "What is the odd feature?",
        ("ring", "lens", "disturbed", "irregular", "other", "merger", "dust_lane"),
        (5, 0),
    ),
    Question(
        "edge_on_bulge",
        "Does the galaxy have a bulge at its center?",
        ("rounded", "boxy", "none"),
        (1, 0),
    ),
    Question("winding", "How tightly wound are the arms?", ("tight", "medium", "loose"), (3, 0)),
    Question(
        "arms", "How many arms are there?", ("1", "2", "3", "4", "more", "cannot_tell"), (3, 0)
    ),
)

SIZES: tuple[int, ...] = tuple(len(question.answers) for question in QUESTIONS)
STARTS: tuple[int, ...] = tuple(int(start) for start in np.cumsum((0, *SIZES[:-1])))
N_ANSWERS: int = sum(SIZES)
ANSWERS: tuple[str, ...] = tuple(
    f"{question.name}/{answer}" for question in QUESTIONS for answer in question.answers
)


def slices(question: int | str) -> slice:
    """The columns of one question among the 37.

    Args:
        question: Its index (0 to 10) or its name.

    Returns:
        A slice into the last axis of an array of shape `(..., 37)`.

    Raises:
        KeyError: If there is no question of that name or number.

    Example:
        >>> slices("bar")
        slice(5, 7, None)
    """
    if isinstance(question, str):
        names = [q.name for q in QUESTIONS]
        if question not in names:
            raise KeyError(f"question: received {question!r}, expected one of {names}")
        question = names.index(question)
    elif not 0 <= question < len(QUESTIONS):
        raise KeyError(f"question: received {question!r}, expected 0 to {len(QUESTIONS) - 1}")
    return slice(STARTS[question], STARTS[question] + SIZES[question])


def parent_column(question: int) -> int | None:
    """The column (0 to 36) of the answer that leads to `question`; `None` at a root."""
    parent = QUESTIONS[question].parent
    return None if parent is None else STARTS[parent[0]] + parent[1]


def cumulative(conditional: np.ndarray) -> np.ndarray:
    """Turns shares among those asked into the challenge's cumulative fractions.

    Args:
        conditional: Shape `(..., 37)`; within each question the entries sum to 1.

    Returns:
        An array of the same shape, each question multiplied by its parent answer's
        cumulative fraction (Dieleman, Willett & Dambre 2015, MNRAS 450, 1441).

    Raises:
        ValueError: If the last axis does not hold the 37 answers.
    """
    if np.shape(conditional)[-1:] != (N_ANSWERS,):
        raise ValueError(
            f"conditional: received shape {np.shape(conditional)}, expected (..., {N_ANSWERS})."
        )
    result = np.array(conditional, copy=True)
    for index in top_down():
        column = parent_column(index)
        if column is not None:
            result[..., slices(index)] *= result[..., column, None]
    return result


def top_down() -> list[int]:
    """Question indices ordered so that every parent comes before its children."""
    order: list[int] = []
    while len(order) < len(QUESTIONS):
        for index, question in enumerate(QUESTIONS):
            ready = question.parent is None or question.parent[0] in order
            if index not in order and ready:
                order.append(index)
    return order
