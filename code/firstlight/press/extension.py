"""The book's Sphinx extension: numbers from the ledger, quizzes, exercises, figures, costs.

Listed in `_config.yml` under `sphinx: extra_extensions`. What an author writes:

=====================================  =====================================================
``{claim}`study.metric:.3f` ``          a measured value (`shown`)
``{source}`firstlight.claims:claim` ``  a link to the code (`sources`)
``{quiz}``                              a question with feedback on every option (`quiz`)
``{objectives}``, ``{exercise}``,       what is learned and asked; a solution is everything
``{solution}`` ... ``{solution-end}``   between the two marks, folded (`study_aids`)
``{predict}``, ``{caption}``            a guess to commit to; words under a figure (`study_aids`)
``{measured}``, ``{unmeasured}``        text that depends on what was measured (`study_aids`)
``{ledger}``, ``{ledger} claims``       the status tables (`costs`)
``{drawing}``, ``{ways}``,              the landing page: a drawing in the page, links side by
``{studies}``                           side, papers and this build in one table (`landing`)
=====================================  =====================================================
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.typing import ExtensionMetadata

from firstlight.press import (
    costs,
    drawings,
    landing,
    lightness,
    mending,
    quiz,
    render,
    shown,
    sources,
    study_aids,
    stylesheets,
)

MATHJAX = "mathjax/tex-chtml.js"


def alone(app: Sphinx, config: Config) -> None:
    """Settings without which a page would ask another host for something."""
    for listeners in app.events.listeners.values():
        for listener in list(listeners):
            if listener.handler.__module__ == "sphinx_thebe":
                app.disconnect(listener.id)
    # Hidden folders, such as a test's cache with its own README, hold no pages.
    config.exclude_patterns = [*config.exclude_patterns, "**/.*", ".*"]  # type: ignore[attr-defined]
    if (Path(app.confdir) / "_static" / MATHJAX).is_file():
        config.mathjax_path = MATHJAX  # type: ignore[attr-defined]
        settings = dict(config.mathjax3_config or {})  # type: ignore[attr-defined]
        # Its menu offers voices that it would fetch from elsewhere.
        settings["options"] = {**settings.get("options", {}), "enableMenu": False}
        config.mathjax3_config = settings  # type: ignore[attr-defined]


def tidy_scripts(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Leave out scripts that a page does not need.

    Jupyter Book puts every script that it finds under `_static` into every page: MathJax
    would come twice, with all its parts, and where there is nothing to set.
    """
    context["script_files"] = [s for s in context.get("script_files", []) if _needed(s)]
    context["css_files"] = [
        c for c in context.get("css_files", []) if "thebe" not in str(getattr(c, "filename", c))
    ]


def _needed(script: Any) -> bool:
    name = str(getattr(script, "filename", script))
    attributes = getattr(script, "attributes", {})
    return "mathjax/" not in name or "defer" in attributes or "async" in attributes


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register everything.

    Args:
        app: The Sphinx application.

    Returns:
        Version, and that pages may be read and written side by side.
    """
    parts = (
        shown, sources, quiz, study_aids, drawings, render, costs, landing, mending, lightness,
        stylesheets,
    )  # fmt: skip
    for part in parts:
        part.setup(app)
    app.connect("config-inited", alone)
    app.connect("html-page-context", tidy_scripts, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
