"""A slider without scripts: frames drawn beforehand, of which the reader chooses one."""

import base64
import io
import math
import re
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from firstlight.figures.display import MIME, bundle, put
from firstlight.figures.style import INK, PAPER

__all__ = ["MOST", "frames", "frames_bundle"]

# Stops of 24 CSS pixels, as a finger needs them, fill a phone.
MOST = 13
_WIDTH, _DPI = 1080, 110
_SYMBOL = re.compile(r"\$([^$]*)\$")
_SIMPLE = re.compile(r"[^\W\d_](?:_\{?(\w+)\}?)?")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

Frame = tuple[str, Figure, str]


def frames(
    figures: Sequence[Frame], *, name: str, start: int = 0, format: str | None = None
) -> None:
    """Show figures as the stops of a slider, one at a time, and close them.

    The page needs no script for it: the stops are radio buttons. On paper, in a notebook
    and for a browser without styles all frames stand side by side. A `{caption}` follows.

    Args:
        figures: For each stop its label (short: the value), its figure, its alt text as
            for `figures.show`. All figures have one size; axes with the same limits make
            the eye see what moves.
        name: What the slider changes, such as "weight $w_1$"; between dollar signs one
            letter, with a subscript or not.
        start: Index of the frame shown first.
        format: As for `figures.show`.

    Raises:
        ValueError: If there are fewer than two frames or more than 13, if labels are
            missing, long or alike, sizes differ, an alt text is short, or `start` is no frame.

    Example:
        >>> import matplotlib.pyplot as plt
        >>> def line(slope):
        ...     fig, ax = plt.subplots()
        ...     ax.plot([0, slope])
        ...     return f"{slope}", fig, f"A line that ends at {slope} on the right."
        >>> frames([line(-1), line(1)], name="slope $w$", start=1)
    """
    data = frames_bundle(figures, name=name, start=start, format=format)
    for _, fig, _ in figures:
        plt.close(fig)
    put(data)


def frames_bundle(
    figures: Sequence[Frame], *, name: str, start: int = 0, format: str | None = None
) -> dict[str, Any]:
    """The slider as Jupyter data: the book's own type, and all frames in one PNG.

    Args:
        figures: See `frames`. Their colors are the dark ones afterwards.
        name: See `frames`.
        start: See `frames`.
        format: See `frames`.

    Returns:
        Dictionary from mime type to data. The book's type holds `name`, `start` and
        `frames`: what `bundle` gives of each, with its `label` and its `words`, which
        name it where it stands alone.

    Raises:
        ValueError: See `frames`.

    Example:
        >>> import matplotlib.pyplot as plt
        >>> alt = "Nothing at all, on purpose."
        >>> data = frames_bundle([(a, plt.figure(), alt) for a in "ab"], name="letter")
        >>> [frame["words"] for frame in data[MIME]["frames"]]
        ['letter: a', 'letter: b']
    """
    figures = tuple((_label(label), fig, alt) for label, fig, alt in figures)
    _check(figures, start)
    plain = _plain(name)
    drawn, said = [], []
    pictures: list[Image.Image] = []
    for label, fig, alt in figures:
        data = bundle(fig, alt=alt, format=format)
        words = f"{plain} = {label}" if _is_number(label) else f"{plain}: {label}"
        drawn.append({**data[MIME], "label": label, "words": words})
        pictures.append(Image.open(io.BytesIO(base64.b64decode(data["image/png"]))))
        said.append(f"{words}. {data['text/plain']}")
    figure = {"name": " ".join(name.split()), "start": start, "frames": drawn}
    sheet = _side_by_side(pictures, [frame["words"] for frame in drawn])
    return {MIME: figure, "image/png": sheet, "text/plain": "\n".join(said)}


def _label(label: str) -> str:
    """A label as it is shown: a number has a minus sign, not a hyphen."""
    text = " ".join(str(label).split())
    return text.replace("-", "−") if _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text.replace("−", "-"))
    except ValueError:
        return False
    return True


def _plain(name: str) -> str:
    """The slider's name without markup: weight $w_1$ is weight w₁."""
    text = " ".join(name.split())
    for symbol in _SYMBOL.findall(text):
        if not _SIMPLE.fullmatch(symbol):
            raise ValueError(
                f"name: received {name!r}, expected one letter between dollar signs, with a "
                "subscript or not, such as 'weight $w_1$'; write a Greek letter as itself: $σ$."
            )
    if not text or "$" in _SYMBOL.sub("", text):
        raise ValueError(
            f"name: received {name!r}, expected what the slider changes, such as 'bias $b$'."
        )
    bare = _SYMBOL.sub(r"\1", text)
    return re.sub(r"_\{?(\w+)\}?", lambda m: m.group(1).translate(_SUBSCRIPTS), bare)


def _check(figures: Sequence[Frame], start: int) -> None:
    """Refuse what would make no slider."""
    labels = [label for label, _, _ in figures]
    if not 2 <= len(labels) <= MOST:
        raise ValueError(
            f"frames: received {len(labels)} frames, expected 2 to {MOST} (the stops must fit a "
            "phone); show one figure with figures.show, and thin out more."
        )
    wrong = [label for label in labels if not 0 < len(label) <= 20]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if wrong or twice:
        raise ValueError(
            f"frames: received the labels {labels}, expected one of 1 to 20 characters for each "
            f"frame, no two alike; change {', '.join(repr(label) for label in wrong or twice)}."
        )
    sizes = {label: tuple(float(s) for s in fig.get_size_inches()) for label, fig, _ in figures}
    if len(set(sizes.values())) > 1:
        raise ValueError(
            f"frames: received figures of different sizes in inches, {sizes}, expected one size, "
            "so that nothing jumps; give plt.subplots(figsize=...) the same for all."
        )
    if isinstance(start, bool) or not isinstance(start, int) or not 0 <= start < len(labels):
        raise ValueError(
            f"start: received {start!r}, expected the index of a frame, 0 to {len(labels) - 1}."
        )


def _side_by_side(pictures: list[Image.Image], words: list[str]) -> str:
    """All frames in one picture, each under its words; as base64 PNG."""
    columns = 2 if pictures[0].width > 1.5 * pictures[0].height or len(pictures) == 2 else 3
    rows = math.ceil(len(pictures) / columns)
    width = _WIDTH // columns
    height = round(width * pictures[0].height / pictures[0].width)
    head = 26
    size = (width * columns / _DPI, (height + head) * rows / _DPI)
    fig = Figure(figsize=size, dpi=_DPI, facecolor=PAPER)
    fig.set_layout_engine("none")
    for number, (picture, text) in enumerate(zip(pictures, words, strict=True)):
        left, top = number % columns * width, (rows - number // columns) * (height + head)
        small = picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        fig.figimage(np.asarray(small)[::-1], left, top - height - head, origin="lower")
        fig.text((left + 8) / (width * columns), (top - head / 2) / ((height + head) * rows), text,
                 color=INK, fontsize=10, fontweight="bold", va="center")  # fmt: skip
    stream = io.BytesIO()
    fig.savefig(stream, format="png", dpi=_DPI, metadata={"Software": None})
    return base64.b64encode(stream.getvalue()).decode()
