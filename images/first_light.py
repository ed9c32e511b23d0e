"""Writes first_light.svg: one galaxy, a network, and what forty volunteers would say of it.

The galaxy is a frame of the book's own simulator, printed as dots. Forty threads leave its
brightest places, pass the layers of a network and part at the questions of the Galaxy Zoo
as the simulated volunteers do, so that each thread stands for one of them. Only the
network in the middle is a sketch. Run it from anywhere: `python images/first_light.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from firstlight.figures.style import INK, MUTED, PALETTE
from firstlight.sky import galaxies, gz2_tree, population, volunteers
from firstlight.sky.surveys import SDSS

BLUE, OCHRE = PALETTE[0], PALETTE[4]
WIDTH, HEIGHT, MIDDLE = 1200, 380, 190
THREADS, STEP = 40, 2.9  # a ribbon is this many units wide for each of its threads
PIXELS, PITCH, LEFT = 64, 6.1, -6  # the stamp, and where its dots lie
LEVELS = 14  # sizes of dots
SPLIT = -0.24  # light redder than this is printed in ochre
PLAIN = 5  # answers of fewer threads go without words on a phone
SPAN = 3.05  # side of the stamp over the radius that holds 90 % of the light
LAYERS = ((462, 9), (548, 6), (634, 4))  # where the layers stand, and their units
ROOT, STAGES, ENDS = 700, (790, 880, 970), 1056

# Where a walk through the questions ends, from top to bottom: the words beside the branch,
# and the answers on the way.
LEAVES = (
    ("smooth", ("smooth_or_features/smooth",)),
    ("edge-on", ("smooth_or_features/features", "edge_on/yes")),
    ("no arms", ("smooth_or_features/features", "edge_on/no", "spiral/no")),
    ("one arm", ("smooth_or_features/features", "edge_on/no", "spiral/yes", "arms/1")),
    ("two arms", ("smooth_or_features/features", "edge_on/no", "spiral/yes", "arms/2")),
    ("three", ("smooth_or_features/features", "edge_on/no", "spiral/yes", "arms/3")),
    ("four", ("smooth_or_features/features", "edge_on/no", "spiral/yes", "arms/4")),
    ("more", ("smooth_or_features/features", "edge_on/no", "spiral/yes", "arms/more")),
    (
        "cannot tell",
        ("smooth_or_features/features", "edge_on/no", "spiral/yes", "arms/cannot_tell"),
    ),
    ("a star", ("smooth_or_features/star",)),
)

# The galaxy: what differs from the simulator's own draw.
CHOSEN = {
    "r_mag": 13.6, "r90_arcsec": 16.0, "x_r90": 0.0, "y_r90": 0.0, "angle_rad": 0.35,
    "axis_ratio": 0.8, "inclination_rad": 0.62, "sersic_n": 1.6, "bulge_share": 0.24,
    "bulge_radius_r90": 0.13, "boxy": 0.0, "disc_truncation": 0.9, "arms": 2,
    "pitch_rad": 0.40, "arm_strength": 0.97, "arm_sharpness": 3.2, "arm_phase_rad": 0.4,
    "arm_hand": 1.0, "arm_wander_rad": 0.06, "bar_share": 0.0, "ring_share": 0.0,
    "clumpiness": 0.35, "clump_grain_r90": 0.05, "lopsidedness": 0.04, "dust": 0.0,
    "merging": False, "companion_share": 0.0, "tail_share": 0.0, "arc_share": 0.0,
    "star_share": 0.0, "trail_sigma": 0.0, "young_g_r": 0.32, "young_r_i": 0.16, "old_g_r": 0.85,
    "old_r_i": 0.42,
}  # fmt: skip
# Threads show themselves on their way out of the galaxy, and do not scratch its picture.
FADE = (
    '<defs><linearGradient id="fl-fade-in" gradientUnits="userSpaceOnUse" x1="150" '
    f'x2="{LAYERS[0][0]}"><stop stop-color="#fff" stop-opacity="0"/>'
    '<stop offset="1" stop-color="#fff" stop-opacity="1"/></linearGradient>'
    f'<mask id="fl-fade" maskUnits="userSpaceOnUse" x="0" y="0" width="{WIDTH}" '
    f'height="{HEIGHT}"><rect width="{WIDTH}" height="{HEIGHT}" fill="url(#fl-fade-in)"/>'
    "</mask></defs>"
)


@dataclass(frozen=True)
class Galaxy:
    """What is drawn: brightness from 0 to 1, color from -1 (blue) to 1, and the votes."""

    light: np.ndarray
    color: np.ndarray
    votes: np.ndarray


def galaxy() -> Galaxy:
    """A two-armed spiral of the book's simulator under a very good sky, without noise."""
    survey = SDSS.worse(seeing=0.45, depth_mag=-1.5)
    truth = population.draw(400, np.random.default_rng(7), survey, PIXELS)
    truth = truth[truth["kind"] == "disc"].head(1).reset_index(drop=True)
    for column, value in CHOSEN.items():
        truth[column] = value
    truth["pixel_arcsec"] = SPAN * truth["r90_arcsec"] / PIXELS
    for band, seeing in zip("gri", survey.seeing_arcsec, strict=True):
        truth[f"seeing_{band}_arcsec"] = seeing
    images, seen = galaxies.render(truth, np.random.default_rng(3), survey=survey, size=PIXELS)
    stretched = galaxies.stretch(np.maximum(images[0], 0), softening=4.0)
    light = stretched[..., 1] / stretched[..., 1].max()
    color = np.log((images[0, ..., 2] + 2) / (images[0, ..., 0] + 2))
    votes = volunteers.probabilities(pd.concat([truth, seen], axis=1))[0]
    return Galaxy(light, color, votes)


def shares(votes: np.ndarray) -> list[int]:
    """How many of the forty threads end at each leaf: largest remainders, so that all do."""
    exact = []
    for _, way in LEAVES:
        part = votes[gz2_tree.ANSWERS.index(way[-1])]
        exact.append(THREADS * float(part))
    whole = np.floor(np.array(exact) * THREADS / sum(exact) + 1e-9).astype(int)
    rest = np.array(exact) * THREADS / sum(exact) - whole
    for leaf in np.argsort(-rest, kind="stable")[: THREADS - whole.sum()]:
        whole[leaf] += 1
    return [int(n) for n in whole]


def dots(shown: Galaxy) -> Iterator[tuple[bool, int, float, float]]:
    """Every dot of the galaxy: is it blue, its size from 1 to LEVELS, and where it lies."""
    for row, column in np.ndindex(shown.light.shape):
        off = np.hypot(row - (PIXELS - 1) / 2, column - (PIXELS - 1) / 2) / (PIXELS / 2)
        fade = np.clip((1.0 - off) / 0.16, 0, 1)  # the stamp has no edge
        size = round(LEVELS * float(shown.light[row, column] * fade) ** 1.16 - 0.45)
        if size > 0:
            blue = shown.color[row, column] < SPLIT or off > 0.4
            x = LEFT + PITCH * (column + 0.5)
            y = MIDDLE + PITCH * (row - (PIXELS - 1) / 2)
            yield bool(blue), size, x, y


def starts(shown: Galaxy) -> list[tuple[float, float]]:
    """Where the threads leave the galaxy: its brightest places, well apart, from the top."""
    found: list[tuple[int, int]] = []
    for index in np.argsort(-shown.light.round(3), axis=None, kind="stable"):
        row, column = divmod(int(index), PIXELS)
        if all((row - r) ** 2 + (column - c) ** 2 >= 30 for r, c in found):
            found.append((row, column))
        if len(found) == THREADS:
            break
    return [
        (LEFT + PITCH * (c + 0.5), MIDDLE + PITCH * (r - (PIXELS - 1) / 2))
        for r, c in sorted(found)
    ]


def ribbons(counts: list[int]) -> list[list[tuple[int, float]]]:
    """For every thread, from the top leaf down: its places along the tree.

    Threads with the same answers so far lie side by side, always in the same order: ribbons
    part, and inside a ribbon no thread crosses another.
    """
    places = _leaf_places(counts)
    threads: list[list[tuple[int, float]]] = []
    leaf_of = [leaf for leaf, n in enumerate(counts) for _ in range(n)]
    for rank, leaf in enumerate(leaf_of):
        walk = []
        for depth in range(len(STAGES)):
            key = LEAVES[leaf][1][: depth + 1]
            group = [k for k, other in enumerate(leaf_of) if LEAVES[other][1][: depth + 1] == key]
            middle = sum(places[leaf_of[k]] for k in group) / len(group)
            walk.append((STAGES[depth], middle + STEP * (group.index(rank) - (len(group) - 1) / 2)))
        own = [k for k, other in enumerate(leaf_of) if other == leaf]
        end = places[leaf] + STEP * (own.index(rank) - (len(own) - 1) / 2)
        walk.append((ENDS, end))
        threads.append(walk)
    return threads


def _leaf_places(counts: list[int]) -> dict[int, float]:
    """Middle of each leaf that has threads, spread over the height in the order of LEAVES."""
    shown = [leaf for leaf, n in enumerate(counts) if n]
    thick = {leaf: max(STEP * counts[leaf], 20.0) for leaf in shown}
    gap = (HEIGHT - 36 - sum(thick.values())) / max(len(shown) - 1, 1)
    places, y = {}, 18.0
    for leaf in shown:
        places[leaf] = y + thick[leaf] / 2
        y += thick[leaf] + gap
    return places


def network(order: list[int]) -> list[list[tuple[int, float]]]:
    """For every thread, by its end from the top: its way through the layers, which sort them.

    Args:
        order: Rank, from the top of the galaxy, of the place where each thread begins.
    """
    walks: list[list[tuple[int, float]]] = [[] for _ in order]
    for depth, (x, units) in enumerate(LAYERS, 1):
        part = depth / (len(LAYERS) + 1)
        wish = [(1 - part) * begin + part * end for end, begin in enumerate(order)]
        ranked = sorted(range(len(order)), key=lambda k: (wish[k], k))
        for rank, thread in enumerate(ranked):
            unit, inside = divmod(rank * units, len(order))
            y = unit_height(units, unit) + 0.35 * STEP * (inside / units - len(order) / units / 2)
            walks[thread].append((x, y))
    return walks


def unit_height(units: int, unit: int) -> float:
    """Where the unit of a layer stands."""
    return MIDDLE + (unit - (units - 1) / 2) * (34 - units)


def curve(points: list[tuple[float, float]]) -> str:
    """A smooth line that is level at every point."""
    text = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
        half = (x0 + x1) / 2
        text += f"C{half:.1f} {y0:.1f} {half:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"
    return text


def drawn_galaxy(shown: Galaxy) -> Iterator[str]:
    """The dots, as lines of no length with round ends: one path for each size and color."""
    groups: dict[tuple[bool, int], list[str]] = {}
    for blue, size, x, y in dots(shown):
        groups.setdefault((blue, size), []).append(f"M{x:.1f} {y:.1f}h0")
    for (blue, size), marks in sorted(groups.items()):
        name, color = ("blue", BLUE) if blue else ("ochre", OCHRE)
        yield (f'<path class="fl-{name}" d="{"".join(marks)}" stroke="{color}" '
               f'stroke-width="{0.7 + 0.4 * size:.2f}"/>')  # fmt: skip


def drawn_threads(shown: Galaxy, counts: list[int]) -> Iterator[str]:
    """Forty threads, from a place in the galaxy to an answer."""
    begin = starts(shown)
    order = [int(k) for k in np.random.default_rng(4).permutation(THREADS)]
    leaf_of = [leaf for leaf, n in enumerate(counts) for _ in range(n)]
    middles = network(order)
    for rank, walk in enumerate(ribbons(counts)):
        root = (ROOT, MIDDLE + STEP * (rank - (THREADS - 1) / 2))
        line = curve([begin[order[rank]], *middles[rank], root, *walk])
        name, color = ("blue", BLUE) if "arms" in LEAVES[leaf_of[rank]][1][-1] else ("ochre", OCHRE)
        yield f'<path class="fl-{name}" d="{line}" stroke="{color}"/>'


def drawn_words(counts: list[int]) -> Iterator[str]:
    """At each end its answer, and how many of the forty give it."""
    for leaf, y in _leaf_places(counts).items():
        kind = "fl-ink" if counts[leaf] >= PLAIN else "fl-ink fl-minor"
        yield (
            f'<text class="{kind}" x="{ENDS + 14}" y="{y + 7:.1f}" fill="{INK}">'
            f'{LEAVES[leaf][0]}<tspan class="fl-muted" dx="7" fill="{MUTED}">'
            f"{counts[leaf]}</tspan></text>"
        )


def told(counts: list[int]) -> str:
    """What the drawing shows, for those who cannot see it."""
    ends = ", ".join(f"{LEAVES[leaf][0]} {n}" for leaf, n in enumerate(counts) if n)
    return (
        "At left a two-armed spiral galaxy, printed as dots, blue in its arms and ochre in its "
        "bulge. Forty threads leave its brightest places, cross three layers of a network and "
        f"part into the answers of forty volunteers: {ends}."
    )


def svg() -> str:
    """The whole drawing."""
    shown = galaxy()
    counts = shares(shown.votes)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>First Light: a galaxy, a network, and what forty people say they see</title>",
        f"<desc>{told(counts)}</desc>",
        FADE,
        '<g class="fl-threads" fill="none" stroke-width="1.05" mask="url(#fl-fade)">',
        *drawn_threads(shown, counts),
        '</g>\n<g class="fl-dots" fill="none" stroke-linecap="round">',
        *drawn_galaxy(shown),
        f'</g>\n<g class="fl-units" fill="{INK}">',
        *(f'<circle cx="{x}" cy="{unit_height(units, k):.1f}" r="6.5"/>'
          for x, units in LAYERS for k in range(units)),
        '</g>\n<g class="fl-words" font-family="Source Sans 3, sans-serif" font-size="21">',
        *drawn_words(counts),
        "</g>\n</svg>",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("first_light.svg").write_text(svg(), encoding="utf-8")
