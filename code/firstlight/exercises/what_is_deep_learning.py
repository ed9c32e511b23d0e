"""Exercises of the chapter *What is Deep Learning?*"""

from collections.abc import Callable
from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]


def _check_fewest_neurons(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not its value at one k.")
    one, two = answer(1), answer(2)
    expect(two != 3 * 2 - 1, "you added three pieces for each layer; composition multiplies them.")
    expect(two != 3, "that is the count for folds into two runs; this layer makes three.")
    expect(two != 9, "nine is the number of pieces at k = 2; how many places to bend lie between?")
    expect(two != 10, "m neurons make m + 1 pieces, so fewer neurons than pieces, not more.")
    expect(
        one == 2 and two == 8 and answer(5) == 242,
        "draw k = 1: three runs, hence two bends. Then ask what one more layer does to each run.",
    )


def _parameters(depth: int, width: int) -> int:
    return 3 * width + (depth - 1) * (width + 1) * width + width + 1


def _check_widest(answer: Any) -> None:
    expect(callable(answer), "give the function itself: widest, without brackets.")
    for depth, budget in ((1, 1200), (2, 1200), (4, 1200), (8, 1200), (3, 5000)):
        width = answer(depth, budget)
        true, free = _widest(depth, budget), _widest(depth, budget, biases=False)
        case = f"At depth {depth} and a budget of {budget} you give {width}"
        expect(width == int(width), f"{case}; a width is a whole number of neurons.")
        expect(
            width == true or width != free,
            f"{case}, which fits only if the biases are forgotten: one for each neuron.",
        )
        expect(width != true + 1, f"{case}, the first width that is over the budget; stop before.")
        expect(
            depth == 1 or width != _widest(depth - 1, budget),
            f"{case}: there is one hidden layer too few. The output is no hidden layer.",
        )
        expect(
            width == true,
            f"{case}, with {_parameters(depth, int(width))} parameters; one neuron more or less "
            "comes closer. Add up: first layer, the layers between, output.",
        )


def _widest(depth: int, budget: int, *, biases: bool = True) -> int:
    def cost(width: int) -> int:
        without = 2 * width + (depth - 1) * width * width + width
        return _parameters(depth, width) if biases else without

    width = 1
    while cost(width + 1) <= budget:
        width += 1
    return width


def _check_merge(answer: Any) -> None:
    expect(callable(answer), "give the function itself: merge, without brackets.")
    random = np.random.default_rng(7)
    w1, b1 = random.normal(size=(3, 4)), random.normal(size=4)
    w2, b2 = random.normal(size=(4, 4)), random.normal(size=4)
    square = random.normal(size=(4, 4))
    merged = answer(square, b1, w2, b2)
    expect(
        isinstance(merged, tuple | list) and len(merged) == 2,
        "give two things: the weights and the bias.",
    )
    expect(
        not np.allclose(merged[0], w2 @ square),
        "the order of the matrices: x stands on the left, so the first layer's stands first.",
    )
    expect_close(
        merged[0], square @ w2, "multiply the two brackets out: which matrix multiplies x?"
    )
    expect(
        not np.allclose(merged[1], b1 + b2),
        "the first layer's bias passes through the second layer too; it does not come out as it was.",  # noqa: E501
    )
    expect(
        not np.allclose(merged[1], b1 @ w2),
        "what became of the second layer's own bias?",
    )
    weights, bias = answer(w1, b1, w2, b2)
    x = random.normal(size=(5, 3))
    expect_close(
        x @ weights + bias, (x @ w1 + b1) @ w2 + b2, "one layer and two disagree on a random input."
    )


_SHAPES = {
    "redshift from five magnitudes": "stacked",
    "class of a star from a light curve of any length": "recurrent",
    "which pixels belong to a galaxy": "u-net",
    "next value of a light curve, as the nights arrive": "recurrent",
}
_SHAPE_HINTS = {
    "redshift from five magnitudes": "five magnitudes have no order in time and are no image; "
    "nothing need be shared or carried along.",
    "class of a star from a light curve of any length": "a light curve of any length does not fit "
    "a fixed list of inputs; which shape uses the same weights at every step?",
    "which pixels belong to a galaxy": "the answer is itself an image, sharp to the pixel; "
    "which shape ends at the size it began with?",
    "next value of a light curve, as the nights arrive": "each night must update what is known so "
    "far; which shape carries a state along?",
}


def _check_shape(answer: Any) -> None:
    expect(isinstance(answer, dict), "give the dictionary, with the four tasks as its keys.")
    missing = [task for task in _SHAPES if answer.get(task, ...) in (None, ...)]
    expect(not missing, f"still open: {'; '.join(missing)}.")
    for task, shape in _SHAPES.items():
        given = str(answer[task]).lower().replace(" ", "-").replace("unet", "u-net")
        expect(
            given in ("stacked", "recurrent", "u-net"),
            f'{answer[task]!r} is none of "stacked", "recurrent", "u-net".',
        )
        expect(given == shape, f"{task}: {_SHAPE_HINTS[task]}")


def _check_avoidable(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not its value for one network.")
    value = float(answer(5.0, 4.0))
    expect(abs(value - 1) > 1e-9, "errors do not subtract; their squares do.")
    expect(abs(value - 1.25) > 1e-9, "that is a ratio; a distance is asked for, in units of y.")
    expect(abs(value - 9) > 1e-9, "that is its square; take the root.")
    expect(abs(value - 41**0.5) > 1e-9, "the two legs make the hypotenuse; which side is rmse?")
    expect_close(value, 3.0, "try rmse = 5 and floor = 4: a right triangle that you know.")
    expect_close(float(answer(1.0, 1.0)), 0.0, "at the floor nothing is avoidable.")


def _check_redshifts(answer: Any) -> None:
    from firstlight.sky import photometry

    expect(callable(answer), "give a function of the magnitudes, not the redshifts or the model.")
    sky = photometry.simulate(1500, seed=987_654_321, red=True)
    truth = np.log1p(sky.redshift)
    guess = np.asarray(answer(sky.magnitudes), dtype=float)
    expect(
        guess.shape != (1500, 1),
        "the shape is (1500, 1): Keras gives a column; take [:, 0].",
    )
    expect(guess.shape == (1500,), f"the shape is {guess.shape}, it should be (1500,).")
    expect(np.isfinite(guess).all(), "some answers are not finite; was the step too large?")
    expect(guess.std() > 1e-3, "the answer is the same for every galaxy: nothing was learned yet.")
    error = float(np.sqrt(np.mean((guess - truth) ** 2)))
    as_redshift = float(np.sqrt(np.mean((np.log1p(np.clip(guess, -0.9, None)) - truth) ** 2)))
    expect(as_redshift > 0.03 or as_redshift > error, "these are redshifts; ln(1 + z) is asked.")
    expect(
        error < 0.026,
        f"the error is {error:.4f}; a straight line through the magnitudes has about 0.029, a good "
        "network 0.021. Were the magnitudes normalized as in training? Did the loss still fall?",
    )


def _line() -> Callable[[Any], Any]:
    """Least squares of ln(1 + z) on the magnitudes: the weaker rival."""
    from firstlight.sky import photometry

    sky = photometry.simulate(4000, seed=3, red=True)
    table = np.column_stack([np.ones(4000), sky.magnitudes])
    slope, *_ = np.linalg.lstsq(table, np.log1p(sky.redshift), rcond=None)
    return lambda m: np.column_stack([np.ones(len(m)), m]) @ slope


def _best(magnitudes: Any) -> Any:
    from firstlight.sky import photometry

    return photometry.posterior_mean(magnitudes, red=True)


EXERCISES = {
    "fewest_neurons": Exercise(
        check=_check_fewest_neurons,
        right=lambda: lambda k: 3**k - 1,
        praise="Right: five such layers have the bends of 242 neurons side by side.",
        wrong={
            "added": (lambda: lambda k: 3 * k - 1, "composition multiplies"),
            "two runs": (lambda: lambda k: 2**k - 1, "folds into two runs"),
            "pieces": (lambda: lambda k: 3**k, "the number of pieces"),
            "one too many": (lambda: lambda k: 3**k + 1, "not more"),
            "value": (lambda: 242, "not its value"),
        },
    ),
    "widest": Exercise(
        check=_check_widest,
        right=lambda: _widest,
        praise="Right. For one hidden layer the width grows with the budget, for more with its "
        "square root.",
        wrong={
            "no biases": (
                lambda: lambda d, b: _widest(d, b, biases=False),
                "biases are forgotten",
            ),
            "first over": (lambda: lambda d, b: _widest(d, b) + 1, "over the budget"),
            "output counted": (
                lambda: lambda d, b: _widest(max(d - 1, 1), b),
                "one hidden layer too few",
            ),
            "timid": (lambda: lambda d, b: _widest(d, b) - 1, "one neuron more or less"),
            "fraction": (lambda: lambda d, b: _widest(d, b) + 0.5, "whole number"),
        },
    ),
    "merge": Exercise(
        check=_check_merge,
        right=lambda: lambda w1, b1, w2, b2: (w1 @ w2, b1 @ w2 + b2),
        praise="Right: without a bend, any number of layers is one layer.",
        wrong={
            "order": (lambda: lambda w1, b1, w2, b2: (w2 @ w1, b1 @ w2 + b2), "stands first"),
            "biases added": (lambda: lambda w1, b1, w2, b2: (w1 @ w2, b1 + b2), "as it was"),
            "second bias lost": (lambda: lambda w1, b1, w2, b2: (w1 @ w2, b1 @ w2), "own bias"),
            "only weights": (lambda: lambda w1, b1, w2, b2: w1 @ w2, "two things"),
            "added matrices": (
                lambda: lambda w1, b1, w2, b2: (w1 + w2, b1 @ w2 + b2),
                "multiply the two brackets",
            ),
        },
    ),
    "right_shape": Exercise(
        check=_check_shape,
        right=lambda: dict(_SHAPES),
        praise="Right. The shape states what you believe about the data before you see it.",
        wrong={
            "all stacked": (lambda: dict.fromkeys(_SHAPES, "stacked"), "fixed list of inputs"),
            "all recurrent": (lambda: dict.fromkeys(_SHAPES, "recurrent"), "no order in time"),
            "pixels stacked": (
                lambda: {**_SHAPES, "which pixels belong to a galaxy": "stacked"},
                "sharp to the pixel",
            ),
            "nights in a u-net": (
                lambda: {**_SHAPES, "next value of a light curve, as the nights arrive": "u-net"},
                "carries a state",
            ),
            "not filled in": (lambda: dict.fromkeys(_SHAPES, ...), "still open"),
            "other word": (lambda: dict.fromkeys(_SHAPES, "deep"), "is none of"),
        },
    ),
    "avoidable": Exercise(
        check=_check_avoidable,
        right=lambda: lambda rmse, floor: (rmse**2 - floor**2) ** 0.5,
        praise="Right: at 10 % above the floor, the network's own share is 46 % of the floor.",
        wrong={
            "difference": (lambda: lambda rmse, floor: rmse - floor, "do not subtract"),
            "ratio": (lambda: lambda rmse, floor: rmse / floor, "that is a ratio"),
            "no root": (lambda: lambda rmse, floor: rmse**2 - floor**2, "take the root"),
            "sum": (lambda: lambda rmse, floor: (rmse**2 + floor**2) ** 0.5, "hypotenuse"),
        },
    ),
    "redshifts": Exercise(
        check=_check_redshifts,
        right=lambda: _best,
        praise="Right: it beats the straight line on a sky it has never seen.",
        wrong={
            "a column": (lambda: lambda m: np.zeros((len(m), 1)), "take [:, 0]"),
            "one number": (lambda: lambda m: 0.3, "the shape is ()"),
            "constant": (lambda: lambda m: np.full(len(m), 0.3), "same for every galaxy"),
            "redshifts": (lambda: lambda m: np.expm1(_best(m)), "these are redshifts"),
            "not finite": (lambda: lambda m: np.full(len(m), np.nan), "not finite"),
            "straight line": (_line, "a straight line through"),
            "the answers": (lambda: np.zeros(10), "a function of the magnitudes"),
        },
    ),
}
