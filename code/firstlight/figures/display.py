"""Put a figure on the page: light and dark, with alt text, then closed."""

import base64
import io
import re
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colors as mcolors
from matplotlib.collections import Collection, QuadMesh
from matplotlib.figure import Figure
from matplotlib.image import _ImageBase
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from firstlight.figures.style import DARK, INK, LIGHT, PAPER

__all__ = ["MIME", "bundle", "put", "show"]

MIME = "application/vnd.firstlight.figure+json"
MANY_VERTICES = 20_000
PNG_DPI = 200
_SHORTEST_ALT = 15
_DARK_OF: dict[tuple[float, ...], tuple[float, ...]] = {
    mcolors.to_rgb(a): mcolors.to_rgb(b) for a, b in zip(LIGHT, DARK, strict=True)
}
_DARK_OF[(0.0, 0.0, 0.0)] = _DARK_OF[mcolors.to_rgb(INK)]


def show(fig: Figure, *, alt: str, format: str | None = None) -> None:
    """Show a figure on the page, for light and dark readers, and close it.

    In a notebook it appears where it is called; in a plain script nothing is drawn.

    Args:
        fig: Matplotlib figure, drawn in the style of `figures.use()`.
        alt: What a reader who cannot see it must know, with the values read off;
            an f-string, usually.
        format: `"svg"` or `"png"`; by default svg, unless the figure holds images or
            more than 20 000 vertices.

    Raises:
        ValueError: If the alt text is missing or too short to say anything.

    Example:
        >>> import matplotlib.pyplot as plt
        >>> fig, ax = plt.subplots()
        >>> show(fig, alt="An empty pair of axes, waiting for its first galaxy.")
    """
    data = bundle(fig, alt=alt, format=format)
    plt.close(fig)
    put(data)


def put(data: dict[str, Any]) -> None:
    """Display a bundle in a notebook; in a plain script do nothing.

    Args:
        data: Dictionary from mime type to data, the book's own type among them.
    """
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return
    if get_ipython() is not None:
        display(data, raw=True, metadata={"firstlight": True})


def bundle(fig: Figure, *, alt: str, format: str | None = None) -> dict[str, Any]:
    """The figure as Jupyter data: the book's own type, and a PNG for everyone else.

    Args:
        fig: Matplotlib figure. Its colors are the dark ones afterwards.
        alt: See `show`.
        format: See `show`.

    Returns:
        Dictionary from mime type to data. The book's type holds `light` and `dark`
        (SVG text or base64 PNG), `format`, `alt`, and `width` and `height` in CSS pixels.

    Raises:
        ValueError: If `alt` is too short or `format` unknown.

    Example:
        >>> import matplotlib.pyplot as plt
        >>> data = bundle(plt.figure(), alt="Nothing at all, on purpose.")
        >>> sorted(data[MIME])
        ['alt', 'dark', 'format', 'height', 'light', 'width']
    """
    alt = " ".join(alt.split())
    if len(alt) < _SHORTEST_ALT or alt.lower().startswith(("figure of", "image of", "picture of")):
        raise ValueError(
            f"alt text: received {alt!r}, expected a sentence of at least {_SHORTEST_ALT} "
            "characters that says what the figure shows, with the values read off "
            "(and not 'image of ...', which a screen reader says already)."
        )
    kind = format or _best_format(fig)
    if kind not in ("svg", "png"):
        raise ValueError(f"format: received {format!r}, expected 'svg', 'png' or None.")
    fallback = _draw(fig, "png", dpi=110, paper=PAPER)
    light = _draw(fig, kind, dpi=PNG_DPI)
    darken(fig)
    dark = _draw(fig, kind, dpi=PNG_DPI)
    width, height = (round(float(inches) * 96) for inches in fig.get_size_inches())
    figure = {"light": light, "dark": dark, "format": kind, "alt": alt,
              "width": width, "height": height}  # fmt: skip
    return {MIME: figure, "image/png": fallback, "text/plain": alt}


def darken(fig: Figure) -> None:
    """Exchange the house's light colors for its dark ones, in place, over all artists.

    Args:
        fig: Matplotlib figure. Colors that are not the house's are left as they are,
            except black, which becomes light ink.
    """
    for artist in fig.findobj():
        if isinstance(artist, Line2D):
            _swap(artist, "color", "markerfacecolor", "markeredgecolor")
        elif isinstance(artist, Text):
            _swap(artist, "color")
        elif isinstance(artist, Patch):
            _swap(artist, "facecolor", "edgecolor")
        elif isinstance(artist, Collection):
            if artist.get_array() is None:
                _swap(artist, "facecolor")
            _swap(artist, "edgecolor")
    for artist in fig.findobj():
        for effect in artist.get_path_effects() or []:
            settings = getattr(effect, "_gc", {})
            for key in ("foreground", "linewidth"):
                if key == "foreground" and key in settings:
                    settings[key] = _dark(settings[key])


def _swap(artist: Any, *properties: str) -> None:
    for name in properties:
        color = getattr(artist, f"get_{name}")()
        if isinstance(color, str) and color in ("none", "auto", "face"):
            continue
        getattr(artist, f"set_{name}")(_dark(color))


def _dark(color: Any) -> Any:
    """Dark partners of one color or of an array of them, opacities kept."""
    rgba = mcolors.to_rgba_array(color)
    swapped = [
        (*_DARK_OF.get(tuple(float(c) for c in row[:3]), tuple(row[:3])), row[3]) for row in rgba
    ]
    single = isinstance(color, str) or np.ndim(color) == 1
    return swapped[0] if single and len(swapped) == 1 else swapped


def _best_format(fig: Figure) -> str:
    vertices = 0
    for artist in fig.findobj():
        if isinstance(artist, (_ImageBase, QuadMesh)):
            return "png"
        if isinstance(artist, Line2D):
            vertices += len(np.asarray(artist.get_xydata()))
        elif isinstance(artist, Collection):
            sizes = [len(np.asarray(path.vertices)) for path in artist.get_paths()]
            markers = max(1, len(np.asarray(artist.get_offsets())))
            vertices += sum(sizes) * (markers if len(sizes) == 1 else 1)
    return "png" if vertices > MANY_VERTICES else "svg"


def _draw(fig: Figure, kind: str, dpi: int, paper: str = "none") -> str:
    """Render to SVG text or base64 PNG; on nothing, so that the page shines through."""
    faces = [(axes, axes.patch.get_alpha()) for axes in fig.axes] if paper == "none" else []
    for axes, _ in faces:
        if _is_paper(axes.get_facecolor()):
            axes.patch.set_alpha(0)
    stream = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    with mpl.rc_context({"svg.hashsalt": "first light", "svg.fonttype": "path"}):
        fig.savefig(stream, format=kind, dpi=dpi, facecolor=paper, metadata=metadata)
    for axes, alpha in faces:
        axes.patch.set_alpha(alpha)
    data = stream.getvalue()
    return _slim(data.decode()) if kind == "svg" else base64.b64encode(data).decode()


def _slim(svg: str) -> str:
    """An SVG without what no reader sees: metadata, comments, air, thousandths of a point."""
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<!DOCTYPE.*?>", "", svg, flags=re.DOTALL)
    svg = re.sub(r">\s+<", "><", svg)
    return re.sub(r'(?<= )(?:d|x|y)="[^"]*"', _rounded, svg)


def _rounded(attribute: re.Match[str]) -> str:
    text = re.sub(r"-?\d+\.\d{3,}", lambda m: f"{float(m.group()):.2f}", attribute.group())
    return re.sub(r"\s*([A-Za-z])\s+", r"\1", text)


def _is_paper(color: Any) -> bool:
    rgb = mcolors.to_rgb(color)
    return any(rgb == mcolors.to_rgb(paper) for paper in (LIGHT[0], DARK[0]))
