"""What the registry says of one file of real data."""

from dataclasses import dataclass
from urllib.parse import quote

__all__ = ["Entry", "Repository", "Wheel"]


@dataclass(frozen=True)
class Wheel:
    """Where a file lies inside an installed package.

    Args:
        package: Name on the package index.
        version: The version whose file was pinned.
        path: Path below the folder the package is installed in, with `/`.
    """

    package: str
    version: str
    path: str


@dataclass(frozen=True)
class Entry:
    """One file of real data.

    Args:
        name: Its name here and its path below the cache folder.
        sha256: Of the whole file, in hexadecimal.
        size: In bytes.
        licence: Under which terms it may be used.
        citation: What to cite.
        description: What it holds, in one line.
        url: Where a download comes from; empty for a wheel.
        wheel: Where a wheel holds it; `None` for a download.
        small: Part of the small optional set that a build of the book tries to fetch.
        rough_size: The size is only known roughly.
    """

    name: str
    sha256: str
    size: int
    licence: str
    citation: str
    description: str
    url: str = ""
    wheel: Wheel | None = None
    small: bool = True
    rough_size: bool = False

    @property
    def source(self) -> str:
        """Where it comes from, in words short enough for a table."""
        if self.wheel is not None:
            return f"package {self.wheel.package} {self.wheel.version}"
        return self.url


@dataclass(frozen=True)
class Repository:
    """A GitHub repository at a commit, with what its files have in common."""

    address: str
    commit: str
    licence: str
    citation: str

    def entry(self, name: str, path: str, size: int, sha256: str, description: str) -> Entry:
        url = f"https://raw.githubusercontent.com/{self.address}/{self.commit}/{quote(path)}"
        terms = (self.licence, self.citation)
        return Entry(name, sha256, size, *terms, description, url=url)
