"""Exercises that answer back: `check("module.exercise", answer)` says why an answer is wrong.

One module per chapter holds its exercises; it is imported when one of them is checked.
"""

from typing import Any

__all__ = ["check"]


def __getattr__(name: str) -> Any:
    if name != "check":
        raise AttributeError(f"firstlight.exercises has no {name!r}; it has check.")
    from firstlight.exercises.engine import check

    return check
