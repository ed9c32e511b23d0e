"""The press: executes the chapters, keeps what they measured, and renders the pages.

`python -m firstlight.press book` does all of it. The parts, in the order in which
a build goes through them: `toc` (which pages), `chapter` (which cells), `store`
(what is stale, and why), `execute` and `worker` (run it, watched by `trace`),
`ledger` (what was measured), `pages` and `links` (the HTML), `build` (all of it in a row).
"""
