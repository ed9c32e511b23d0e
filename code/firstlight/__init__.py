"""First Light: the companion package of *Deep Learning for Astronomers*.

Importing it costs nothing: TensorFlow is loaded only where a model is.
"""

import os

__version__ = "0.1.0"
__all__ = ["seed", "__version__"]


def seed(offset: int = 0) -> int:
    """The one place from which a chapter takes its seed.

    Args:
        offset: Added to the seed, for parts of a chapter that must not share
            random numbers (training and test skies, say).

    Returns:
        `FIRSTLIGHT_SEED` from the environment (1 where it is not set) times
        1000, plus `offset`: so two seeds never meet through their offsets.

    Raises:
        ValueError: If `FIRSTLIGHT_SEED` is not a whole number from 0 to 4 000 000.

    Example:
        >>> import firstlight
        >>> firstlight.seed()  # doctest: +SKIP
        1000
    """
    text = os.environ.get("FIRSTLIGHT_SEED", "1")
    if not text.strip().isdigit() or int(text) > 4_000_000:
        raise ValueError(
            f"FIRSTLIGHT_SEED: received {text!r}, expected a whole number from 0 to 4000000. "
            "Unset the variable, or set it to a number such as 1."
        )
    return 1000 * int(text) + offset
