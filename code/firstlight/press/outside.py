"""Do the addresses that the book names still answer? `python -m firstlight.press.outside`.

Needs the network, and nothing installed; a workflow runs it once a week. A page that
is gone is an error. A site that refuses programs, or is slow today, is only mentioned.
"""

from __future__ import annotations

import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from firstlight.archive.registry import REGISTRY

SOURCES = ("book/**/*.md", "README.md", "CONTRIBUTING.md", "CITATION.cff", "references.bib")
AGENT = "Mozilla/5.0 (compatible; a textbook's weekly check of its links)"
GONE = {404, 410, 451}
_URL = re.compile(r"https?://[^\s<>\"'`{}\\|^\]]+")
_DOI = re.compile(r"(?:doi\s*=\s*[{\"]|doi:\s*)(10\.\d{4,9}/[^\s}\",]+)", re.IGNORECASE)
_ARXIV = re.compile(r"arXiv:\s*([a-z-]+/\d{7}|\d{4}\.\d{4,5})", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """What an address answered.

    Args:
        url: The address.
        dead: Whether it is certainly gone, or is not what it was.
        words: What to tell the author; empty if all is well.
    """

    url: str
    dead: bool
    words: str


def addresses(text: str) -> list[str]:
    """Every address in a text, DOIs and arXiv numbers included, each once.

    Example:
        >>> addresses("See https://example.org/a (arXiv:1503.07077).")
        ['https://example.org/a', 'https://arxiv.org/abs/1503.07077']
    """
    found = [_trim(url) for url in _URL.findall(text)]
    found += [f"https://doi.org/{doi}" for doi in _DOI.findall(text)]
    found += [f"https://arxiv.org/abs/{number}" for number in _ARXIV.findall(text)]
    return list(dict.fromkeys(found))


def _trim(url: str) -> str:
    """Without the sentence's punctuation, and without a bracket that it did not open."""
    while url and (url[-1] in ".,;:!?*_" or (url[-1] == ")" and url.count("(") < url.count(")"))):
        url = url[:-1]
    return url


def collect(root: Path) -> dict[str, list[str]]:
    """Where each address is named.

    Args:
        root: The book's folder.

    Returns:
        For every address the files, relative to the book, or the data that it brings.
    """
    places: dict[str, list[str]] = {}
    for pattern in SOURCES:
        for path in sorted(root.glob(pattern)):
            for url in addresses(path.read_text("utf-8")):
                places.setdefault(url, []).append(path.relative_to(root).as_posix())
    for entry in REGISTRY.values():
        if entry.url:
            places.setdefault(entry.url, []).append(f"data {entry.name}")
    return places


def ask(url: str, size: int | None = None, timeout_s: float = 30) -> Answer:
    """Ask an address whether it is still there.

    Args:
        url: The address.
        size: Bytes that are expected there, None for a page.
        timeout_s: How long to wait.

    Returns:
        What it answered; never raises.
    """
    for method in ("HEAD", "GET"):  # some sites know only the second
        request = urllib.request.Request(url, method=method, headers={"User-Agent": AGENT})
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:
                length = answer.headers.get("Content-Length")
            if size and length and int(length) != size:
                return Answer(url, True, f"has {length} bytes, expected {size}")
            return Answer(url, False, "")
        except urllib.error.HTTPError as error:
            words, dead = f"answers {error.code} {error.reason}", error.code in GONE
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            words, dead = f"cannot be reached: {reason}", "Name or service" in str(reason)
    return Answer(url, dead, words)


def sizes() -> dict[str, int]:
    """Bytes that each file of real data should have, by its address."""
    return {e.url: e.size for e in REGISTRY.values() if e.url and not e.rough_size}


def check(places: dict[str, list[str]], at_once: int = 8) -> list[Answer]:
    """Ask every address.

    Args:
        places: Addresses, as `collect` returns them.
        at_once: How many at a time.

    Returns:
        The answers that need a look, the dead ones first.
    """
    known = sizes()
    with ThreadPoolExecutor(at_once) as pool:
        answers: Iterable[Answer] = pool.map(lambda url: ask(url, known.get(url)), places)
        troubled = [answer for answer in answers if answer.words]
    return sorted(troubled, key=lambda answer: not answer.dead)


def main(root: Path = Path(".")) -> int:
    """Check the book in a folder and say what was found.

    Returns:
        1 if an address is dead, else 0.
    """
    places = collect(root)
    troubled = check(places)
    for answer in troubled:
        kind = "GONE" if answer.dead else "look"
        print(f"{kind}  {answer.url} {answer.words} (in {', '.join(places[answer.url])})")
    dead = sum(answer.dead for answer in troubled)
    print(f"{len(places)} addresses, {dead} gone, {len(troubled) - dead} unclear.")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
