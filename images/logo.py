"""Writes logo.svg: a two-armed spiral whose stars are the units of a small network.

Run it from anywhere: `python images/logo.py`. Nothing is random and nothing is typed by
hand, so the same file comes out every time; a test compares.
"""

import math
from pathlib import Path

BLUE, OCHRE = "#2a78b5", "#c98a1b"
PITCH = math.radians(24)
FIRST, LAST, STARS = 0.9, 4.55, 7  # the arms run between these angles, radians


def spiral(angle: float, arm: int) -> tuple[float, float]:
    """A point on a logarithmic arm, `angle` radians from its start."""
    radius = 7.0 * math.exp(angle * math.tan(PITCH))
    turn = angle + arm * math.pi
    return 64 + radius * math.cos(turn), 64 + radius * math.sin(turn)


def path(arm: int) -> str:
    """One arm as a smooth line."""
    steps = 90
    points = [spiral(FIRST + (LAST - FIRST) * k / steps, arm) for k in range(steps + 1)]
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def svg() -> str:
    """The whole drawing."""
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128" role="img">',
        "<title>First Light: a spiral galaxy drawn as a network</title>",
        f'<circle cx="64" cy="64" r="9" fill="{OCHRE}"/>',
    ]
    for arm in (0, 1):
        lines.append(
            f'<path d="{path(arm)}" fill="none" stroke="{BLUE}" stroke-width="3" '
            'stroke-linecap="round" opacity="0.55"/>'
        )
    for arm in (0, 1):
        for star in range(STARS):
            x, y = spiral(FIRST + (LAST - FIRST) * star / (STARS - 1), arm)
            lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{2.2 + star / 3:.2f}" '
                         f'fill="{BLUE}"/>')  # fmt: skip
    return "\n".join([*lines, "</svg>"]) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("logo.svg").write_text(svg(), encoding="utf-8")
