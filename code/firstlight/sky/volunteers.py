"""Simulated Galaxy Zoo volunteers: what people would answer, seeing what is to be seen.

A volunteer does not know the truth. The evidence below is built from the *apparent*
galaxy only: the contrast of each feature after seeing and noise (`visible_*` columns
of `sky.galaxies`), the blurred axis ratio, the blur itself. A spiral whose arms the
atmosphere has erased is voted smooth, as it was in Galaxy Zoo.

Evidence becomes logits, logits become shares among those asked, and the shares
multiply down the tree. One constant per answer (`BIAS`) is tuned so that the mean of
every answer agrees with the real votes of Galaxy Zoo 2 in Stripe 82 (`calibrate`).
"""

import numpy as np
import pandas as pd
from scipy.special import expit, softmax

from . import checks, gz2_tree

VOLUNTEERS = 40  # votes a galaxy, as in the main Galaxy Zoo 2 sample

# One constant per answer, from `calibrate` on 30 000 simulated galaxies.
BIAS: tuple[float, ...] = (
    2.046, -1.214, -0.832, 0.876, -0.876, -0.928, 0.928, -1.648, 1.648, 0.034, 0.482, 0.06,
    -0.576, -1.639, 1.639, 0.792, 0.409, -1.201, 1.363, 0.213, -0.336, -1.283, 1.63, -0.64,
    -0.947, 0.229, -0.722, 0.493, 1.567, -0.357, -1.21, -0.456, 0.338, -0.346, -0.425, -0.552,
    1.44,
)  # fmt: skip

# The mean cumulative fractions of the 19 761 galaxies of the Stripe 82 catalogue
# (Galaxy Zoo 2, table 5; Willett et al. 2013), in the order of gz2_tree.ANSWERS.
TARGET_MEANS: tuple[float, ...] = (
    0.6498, 0.2962, 0.0540, 0.0543, 0.2417, 0.0671, 0.1745, 0.1378, 0.1039, 0.0168, 0.1007,
    0.0983, 0.0258, 0.2148, 0.7851, 0.2372, 0.3271, 0.0854, 0.0503, 0.0148, 0.0177, 0.0160,
    0.0669, 0.0414, 0.0072, 0.0355, 0.0047, 0.0136, 0.0610, 0.0526, 0.0238, 0.0114, 0.0685,
    0.0111, 0.0048, 0.0039, 0.0377,
)  # fmt: skip


# What a volunteer's answer hangs on.
SEEN = (
    "kind", "inclination_rad", "disc_thickness", "bulge_share", "bulge_axis_ratio", "pitch_rad",
    "arms", "seeing_r_arcsec", "r90_arcsec", "visible_arms", "visible_bar", "visible_ring",
    "visible_clumps", "visible_lopsided", "visible_companion", "visible_tail", "visible_arc",
    "visible_star", "visible_dust", "visible_boxy", "visible_trail",
)  # fmt: skip


def probabilities(truth: pd.DataFrame, bias: tuple[float, ...] = BIAS) -> np.ndarray:
    """The fraction of infinitely many volunteers who would give each answer.

    Args:
        truth: Truth table with the `visible_*` columns of `sky.galaxies.render`.
        bias: One constant per answer, added to its logit.

    Returns:
        `(n, 37)` float32 cumulative fractions, as the challenge defines them.

    Raises:
        ValueError: If a column of `SEEN` is missing or not finite, or `bias` is not of 37.
    """
    _check_answers("bias", bias)
    conditional = _conditional(evidence(truth) + np.asarray(bias))
    return gz2_tree.cumulative(conditional).astype(np.float32)


def poll(
    fractions: np.ndarray, seed: int, n_volunteers: int | np.ndarray = VOLUNTEERS
) -> np.ndarray:
    """Asks a finite number of volunteers, each walking down the tree.

    Args:
        fractions: `(n, 37)` true cumulative fractions.
        seed: Same seed, same votes.
        n_volunteers: How many look at a galaxy; one number, or one per galaxy `(n,)`.

    Returns:
        `(n, 37)` float32 cumulative vote fractions: multinomial draws, question by
        question, among those whom the tree leads there.

    Raises:
        ValueError: If the shape is not `(n, 37)`, a fraction is not one, or nobody votes.
    """
    checks.whole("poll", "seed", seed, 0, 2**63)
    fractions = np.asarray(fractions, dtype=np.float64)
    if fractions.ndim != 2 or fractions.shape[1] != gz2_tree.N_ANSWERS:
        raise ValueError(f"fractions: received shape {fractions.shape}, expected (n, 37).")
    if not ((fractions > -1e-6) & (fractions < 1 + 1e-6)).all():
        raise ValueError(
            f"fractions: received values from {fractions.min():g} to {fractions.max():g}, expected "
            "fractions from 0 to 1 without NaN."
        )
    fractions = np.clip(fractions, 0, 1)
    asked = np.asarray(n_volunteers)
    whole = np.issubdtype(asked.dtype, np.integer) and asked.shape in ((), (len(fractions),))
    if not whole or (asked < 1).any():
        raise ValueError(
            f"n_volunteers: received {n_volunteers!r}, expected a whole number of 1 or more, or "
            f"one for each of the {len(fractions)} galaxies."
        )
    asked = np.broadcast_to(asked, (len(fractions),))
    rng = np.random.default_rng(seed)
    counts = np.zeros(fractions.shape, dtype=np.int64)
    for question in gz2_tree.top_down():
        columns, parent = gz2_tree.slices(question), gz2_tree.parent_column(question)
        reached = asked if parent is None else counts[:, parent]
        share = fractions[:, columns]
        share = share / np.maximum(share.sum(axis=1, keepdims=True), 1e-12)
        share[:, -1] = np.maximum(1 - share[:, :-1].sum(axis=1), 0)
        counts[:, columns] = rng.multinomial(reached, share)
    return (counts / asked[:, None]).astype(np.float32)


def seen(visible: np.ndarray, half: float, steepness: float = 2.0) -> np.ndarray:
    """Chance that a volunteer notices a contrast; one half at `half`."""
    ratio = (np.maximum(visible, 1e-9) / half) ** steepness
    return ratio / (1 + ratio)


def apparent_axis_ratio(truth: pd.DataFrame) -> np.ndarray:
    """Axis ratio after blurring, from the tilt, the bulge and the seeing."""
    cos_i = np.cos(truth["inclination_rad"].to_numpy())
    disc_q = np.sqrt(cos_i**2 + (1 - cos_i**2) * truth["disc_thickness"].to_numpy() ** 2)
    is_disc = truth["kind"].isin(["disc", "irregular"]).to_numpy()
    bulge = np.where(is_disc, truth["bulge_share"], 1.0)
    q2 = bulge * truth["bulge_axis_ratio"].to_numpy() ** 2 + (1 - bulge) * disc_q**2
    q2 = np.where(truth["kind"] == "star", 1.0, q2)
    blur2 = (1.3 * truth["seeing_r_arcsec"] / truth["r90_arcsec"]).to_numpy() ** 2
    return np.sqrt((q2 + blur2) / (1 + blur2))


def evidence(truth: pd.DataFrame) -> np.ndarray:
    """Logits of all 37 answers before bias, `(n, 37)`, from what is visible.

    Raises:
        ValueError: If a column of `SEEN` is missing or not finite.
    """
    checks.table("evidence", truth, SEEN)
    v = {
        name.removeprefix("visible_"): truth[name].to_numpy()
        for name in truth.columns
        if name.startswith("visible_")
    }
    q = apparent_axis_ratio(truth)
    blur = (truth["seeing_r_arcsec"] / truth["r90_arcsec"]).to_numpy()
    sharp = 1 / (1 + (blur / 0.45) ** 2)
    arms, bar, ring = seen(v["arms"], 0.11), seen(v["bar"], 0.045), seen(v["ring"], 0.07)
    clumpy, lopsided = seen(v["clumps"], 0.26), seen(v["lopsided"], 0.11)
    dust, tail, arc = seen(v["dust"], 0.007), seen(v["tail"], 0.10), seen(v["arc"], 0.05)
    companion, star, trail = (
        seen(v["companion"], 0.11),
        seen(v["star"], 0.10),
        seen(v["trail"], 0.04),
    )
    boxy = seen(v["boxy"], 0.015)
    is_disc = (truth["kind"] == "disc").to_numpy()
    pointlike = (truth["kind"] == "star").to_numpy().astype(float)
    thin = expit((0.38 - q) / 0.045)

    featured = _either(arms, 0.8 * bar, 0.7 * ring, 0.75 * clumpy, thin * is_disc, dust, 0.4 * tail)
    odd = _either(0.95 * companion, tail, arc, 0.75 * ring, dust, 0.45 * star, trail,
                  0.6 * clumpy, 0.5 * lopsided, 0.5 * pointlike)  # fmt: skip
    bulge = np.sqrt(np.where(is_disc, truth["bulge_share"], 0.6 * (1 - clumpy)))
    pitch = np.log(truth["pitch_rad"].to_numpy())
    log = np.zeros((len(truth), gz2_tree.N_ANSWERS))

    def put(question: str, *columns: np.ndarray) -> None:
        log[:, gz2_tree.slices(question)] = np.stack(np.broadcast_arrays(*columns), axis=1)

    zero = np.zeros(len(truth))
    starlike = 2.8 * pointlike + 1.9 * trail + 0.6 * np.minimum(blur, 1)
    put("smooth_or_features", zero, 4.6 * featured, starlike)
    put("edge_on", (0.40 - q) / 0.066 - 3.0 * arms, zero)
    put("bar", 4.8 * bar, zero)
    put("spiral", 7.0 * arms, zero)
    put("bulge", *(-sharp * (bulge - c) ** 2 / 0.085 for c in (-0.15, 0.15, 0.45, 0.85)))
    put("odd", 3.9 * odd, zero)
    put("roundness", *(-((q - c) ** 2) / (2 * 0.125**2) for c in (0.93, 0.68, 0.40)))
    put("odd_feature", 5.2 * ring, 2.1 * arc, 2.0 * tail + 2.0 * lopsided, 4.0 * clumpy,
        1.4 * star + 1.8 * trail + 1.0 * pointlike, 3.8 * companion + tail, 4.2 * dust)  # fmt: skip
    put("edge_on_bulge", sharp * 6 * bulge, 3.5 * boxy, zero)
    put("winding", *(-arms * (pitch - np.log(np.radians(c))) ** 2 / 0.14 for c in (12, 22, 37)))
    put("arms", *_arm_numbers(truth, arms))
    return log


def _either(*chances: np.ndarray) -> np.ndarray:
    """Chance that at least one of independent features is noticed."""
    return 1 - np.prod([1 - chance for chance in chances], axis=0)


def _arm_numbers(truth: pd.DataFrame, arms: np.ndarray) -> list[np.ndarray]:
    """Logits of 1, 2, 3, 4, more and "can't tell", surer where arms stand out."""
    number = np.minimum(truth["arms"].to_numpy(), 5)
    columns = [
        arms * np.select([number == m, np.abs(number - m) == 1], [3.9, 1.2], 0.0)
        for m in range(1, 6)
    ]
    return [*columns, 3.2 * (1 - arms)]


def calibrate(
    truth: pd.DataFrame, target: tuple[float, ...] = TARGET_MEANS, steps: int = 60
) -> np.ndarray:
    """Finds the `bias` for which the mean of every answer agrees with `target`.

    Args:
        truth: A rendered sky's truth, as large as can be had.
        target: Mean cumulative fractions, 37.
        steps: Rounds of iterative proportional fitting.

    Returns:
        `(37,)` biases, zero on average within each question.

    Raises:
        ValueError: If `target` is not of 37 positive numbers or the table lacks a column.
    """
    _check_answers("target", target)
    if not min(target) > 0:
        raise ValueError(f"target: received {min(target)}, expected positive fractions.")
    log = evidence(truth)
    bias = np.zeros(gz2_tree.N_ANSWERS)
    for _ in range(steps):
        mean = gz2_tree.cumulative(_conditional(log + bias)).mean(axis=0)
        bias += 0.9 * np.log(np.asarray(target) / np.maximum(mean, 1e-9))
        for question in range(len(gz2_tree.QUESTIONS)):
            columns = gz2_tree.slices(question)
            bias[columns] -= bias[columns].mean()
    return bias


def _check_answers(name: str, values: tuple[float, ...]) -> None:
    if np.shape(values) != (gz2_tree.N_ANSWERS,) or not np.isfinite(values).all():
        raise ValueError(
            f"{name}: received shape {np.shape(values)}, expected {gz2_tree.N_ANSWERS} finite "
            "numbers, one per answer."
        )


def _conditional(logits: np.ndarray) -> np.ndarray:
    shares = np.empty_like(logits)
    for question in range(len(gz2_tree.QUESTIONS)):
        columns = gz2_tree.slices(question)
        shares[:, columns] = softmax(logits[:, columns], axis=1)
    return shares
