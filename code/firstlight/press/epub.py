"""The whole book as one ePub: a file per page, mathematics as drawings, no scripts.

The mathematics is set once, by the same MathJax as on the pages, in Chromium, which
also writes the text as strict XML. The rest is a folder of files in a zip.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import shutil
import uuid
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from firstlight.press.chromium import browser, drive
from firstlight.press.errors import PressError
from firstlight.press.paper import Facts, Sheet, document, facts, read_sheets, style
from firstlight.press.store import file_digest
from firstlight.press.toc import Book

KINDS = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".woff2": "font/woff2"}
_IMAGE = re.compile(r'(<img[^>]* src=")([^"]+)"')
CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="book/content.opf" media-type="application/oebps-package+xml"/>
</rootfiles></container>
"""
PAGE = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"
 xml:lang="en" lang="en"><head><title>{title}</title>
<link rel="stylesheet" type="text/css" href="book.css"/></head>
<body>{body}</body></html>
"""
FONTS = Path(__file__).parents[1] / "figures" / "fonts"
COVER = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><style>
@font-face {{ font-family: "Source Sans 3"; src: url("{fonts}/SourceSans3-Regular.ttf"); }}
@font-face {{ font-family: "Source Sans 3"; font-weight: 700;
  src: url("{fonts}/SourceSans3-Semibold.ttf"); }}
body {{ margin: 0; background: #fcfcfa; color: #1d2129; font-family: "Source Sans 3", sans-serif;
  display: flex; flex-direction: column; height: 1800px; justify-content: space-evenly; }}
svg {{ width: 1200px; }} svg text {{ font-family: inherit; }} p {{ margin: 0 90px; }}
.name {{ font-size: 132px; font-weight: 700; }} .subtitle {{ font-size: 58px; }}
.foot {{ font-size: 36px; color: #5b6270; }}
</style><div><p class="name">{1}</p><p class="subtitle">{2}</p></div>{0}<p class="foot">{3}</p>
"""
DESCRIPTION = (
    "A textbook whose every example is executed and whose every result is asserted by the build "
    "that made it: deep learning, for astronomers."
)
ACCESS = {
    "accessMode": ("textual", "visual"), "accessModeSufficient": ("textual",),
    "accessibilityFeature": ("alternativeText", "structuralNavigation", "tableOfContents"),
    "accessibilityHazard": ("none",),
}  # fmt: skip
# Formulas become drawings with their TeX as title; what only HTML allows becomes plain.
SCRIPT = """<script>
(async () => {
  if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
  document.querySelectorAll("mjx-assistive-mml").forEach(e => e.remove());
  const tex = [];
  if (window.MathJax && MathJax.startup)
    for (const item of MathJax.startup.document.math) tex.push([item.typesetRoot, item.math]);
  for (const [root, words] of tex) {
    const drawing = root && root.querySelector("svg");
    if (!drawing) continue;
    const name = document.createElementNS("http://www.w3.org/2000/svg", "title");
    name.textContent = words.trim();
    drawing.prepend(name);
    drawing.querySelectorAll("*").forEach(e => [...e.attributes].forEach(
      a => a.name.startsWith("data-") && e.removeAttribute(a.name)));
    drawing.removeAttribute("focusable");
    drawing.setAttribute("role", "img");
    const holder = document.createElement("span");
    holder.className = root.getAttribute("display") ? "display" : "inline";
    holder.append(drawing);
    root.replaceWith(holder);
  }
  const writer = new XMLSerializer();
  const sheets = [...document.querySelectorAll(".sheet")].map(e => writer.serializeToString(e));
  document.documentElement.innerHTML = "<body><pre id=out></pre></body>";
  document.querySelector("#out").textContent = JSON.stringify(sheets);
})();
</script>"""


def write(book: Book, target: Path) -> None:
    """Pack the book.

    Args:
        book: The book, built.
        target: The file to write.

    Raises:
        PressError: If there is no Chromium, or a page has not been built.
    """
    program = browser("The ePub, whose formulas it draws,")
    known, sheets = facts(book), read_sheets(book)
    texts = _set(book, program, known, sheets)
    names = {found.group(2) for text in texts for found in _IMAGE.finditer(text)}
    images = {name: f"images/{_short(name)}{Path(name).suffix}" for name in names}
    files = {"book/book.css": style(book, "fonts").encode()}
    for name, inside in images.items():
        files[f"book/{inside}"] = (book.html / name).read_bytes()
    for font in sorted((book.html / "_static" / "fonts").glob("*.woff2")):
        files[f"book/fonts/{font.name}"] = font.read_bytes()
    for sheet, text in zip(sheets, texts, strict=True):
        body = _packed(text, images)
        page = PAGE.format(title=html.escape(sheet.title), body=body)
        files[f"book/{_file(sheet.number)}"] = page.encode()
    files["book/cover.png"] = _picture(book, program, known)
    files["book/cover.xhtml"] = _cover(known).encode()
    files["book/nav.xhtml"] = _navigation(sheets).encode()
    drawn = {_file(s.number) for s, text in zip(sheets, texts, strict=True) if "<svg" in text}
    files["book/content.opf"] = _package(known, sheets, sorted(files), drawn, book).encode()
    _pack(files, target)


def _set(book: Book, program: str, known: Facts, sheets: list[Sheet]) -> list[str]:
    """Every page as strict XML, with its formulas drawn."""
    scratch = book.press / "paper"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    for sheet in sheets:
        _tidy(sheet)
        for image in sheet.article.find_all("img", src=True):
            image["data-src"] = image.attrs.pop("src")  # not to be loaded: only its name counts
    body = "\n".join(str(sheet.article) for sheet in sheets)
    source = scratch / "book.html"
    source.write_text(document(book, known.title, body, SCRIPT), "utf-8")
    dumped = drive(program, source, "--dump-dom").decode("utf-8")
    shutil.rmtree(scratch, ignore_errors=True)
    found = re.search(r'<pre id="out">(.+)</pre>', dumped, re.DOTALL)
    if found is None:
        raise PressError(f"{program} did not write the pages of the ePub.")
    texts: list[str] = json.loads(html.unescape(found.group(1)))
    return [text.replace(" data-src=", " src=") for text in texts]


def _tidy(sheet: Sheet) -> None:
    """What HTML forgives and ePub does not."""
    for element in sheet.article.find_all(True):
        if element.name in ("table", "td", "th", "col", "tr", "thead", "tbody"):
            for name in ("border", "align", "valign", "width"):
                element.attrs.pop(name, None)
        if element.name == "data":  # a measured value; its name is no number
            element.name = "span"
            element.attrs.pop("value", None)
        if element.name == "a" and element.get("href", "").startswith("http"):
            element["href"] = re.sub(r"[\s|]", lambda m: f"%{ord(m.group()):02X}", element["href"])


def _file(number: int) -> str:
    return f"page-{number}.xhtml"


def _short(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def _packed(text: str, images: dict[str, str]) -> str:
    """Links and images as they are within the ePub."""
    text = re.sub(
        r'href="#(p(\d+)[^"]*)"', lambda m: f'href="{_file(int(m.group(2)))}#{m.group(1)}"', text
    )
    return _IMAGE.sub(lambda found: f'{found.group(1)}{images[found.group(2)]}"', text)


def _picture(book: Book, program: str, known: Facts) -> bytes:
    """The cover as an image, for the shelf of a reading machine."""
    title, _, subtitle = known.title.partition(": ")
    drawing = book.root / "images" / "first_light.svg"
    image = drawing.read_text("utf-8") if drawing.is_file() else ""
    scratch = book.press / "paper"
    scratch.mkdir(parents=True, exist_ok=True)
    source, shot = scratch / "cover.html", scratch / "cover.png"
    words = [html.escape(word) for word in (title, subtitle, known.author)]
    source.write_text(COVER.format(image, *words, fonts=FONTS.as_uri()), "utf-8")
    drive(program, source, f"--screenshot={shot}", "--window-size=1200,1800", "--hide-scrollbars")
    picture = shot.read_bytes()
    shutil.rmtree(scratch, ignore_errors=True)
    return picture


def _cover(known: Facts) -> str:
    title, _, subtitle = known.title.partition(": ")
    words = [f"Version {known.version}. Every result in it was measured by the build that made "
             f"these pages; {known.claims} claims held.", known.author, known.address]  # fmt: skip
    foot = "".join(f"<p>{html.escape(word)}</p>" for word in words if word)
    body = f'<h1>{html.escape(title)}</h1><p class="subtitle">{html.escape(subtitle)}</p>{foot}'
    return PAGE.format(title=html.escape(known.title), body=body)


def _navigation(sheets: list[Sheet]) -> str:
    lines, part = [], False
    for sheet in sheets:
        if sheet.part:
            lines += ["</ol></li>"] if part else []
            lines.append(f"<li><span>{html.escape(sheet.part)}</span><ol>")
            part = True
        inner = "".join(
            f'<li><a href="{_file(sheet.number)}#{name}">{html.escape(title)}</a></li>'
            for name, title in sheet.sections()
        )
        inner = f"<ol>{inner}</ol>" if inner else ""
        link = f'<a href="{_file(sheet.number)}">{html.escape(sheet.title)}</a>'
        lines.append(f"<li>{link}{inner}</li>")
    lines += ["</ol></li>"] if part else []
    body = f'<nav epub:type="toc"><h1>Contents</h1><ol>{"".join(lines)}</ol></nav>'
    return PAGE.format(title="Contents", body=body)


def _package(
    known: Facts, sheets: list[Sheet], names: list[str], drawn: set[str], book: Book
) -> str:
    """The list of all files, and the order in which they are read."""
    items = []
    for number, path in enumerate(names):
        name = path.removeprefix("book/")
        kind = {".xhtml": "application/xhtml+xml", ".css": "text/css", **KINDS}[Path(name).suffix]
        extra = ' properties="nav"' if name == "nav.xhtml" else ""
        extra = ' properties="svg"' if name in drawn else extra
        extra = ' properties="cover-image"' if name == "cover.png" else extra
        key = Path(name).stem if name.endswith(".xhtml") else f"file-{number}"
        items.append(f'<item id="{key}" href="{name}" media-type="{kind}"{extra}/>')
    spine = ["cover", "nav", *(f"page-{sheet.number}" for sheet in sheets)]
    order = "".join(f'<itemref idref="{name}"/>' for name in spine)
    state = file_digest(book.press / "pages.json")
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{known.address} {known.version} {state}")
    changed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    access = "".join(
        f'<meta property="schema:{name}">{value}</meta>'
        for name, values in ACCESS.items()
        for value in values
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<package xmlns="http://www.idpf.org/2007/opf" '
        'version="3.0" unique-identifier="id" xml:lang="en"><metadata '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<dc:identifier id="id">urn:uuid:{identity}</dc:identifier>'
        f"<dc:title>{html.escape(known.title)}</dc:title><dc:language>en</dc:language>"
        f"<dc:creator>{html.escape(known.author)}</dc:creator>"
        f"<dc:description>{DESCRIPTION}</dc:description>"
        f"<dc:rights>Text and figures CC BY 4.0, code BSD-3-Clause</dc:rights>{access}"
        f'<meta property="dcterms:modified">{changed}</meta></metadata>'
        f"<manifest>{''.join(items)}</manifest><spine>{order}</spine></package>\n"
    )


def _pack(files: dict[str, bytes], target: Path) -> None:
    """Write the zip, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", CONTAINER)
        for name, content in sorted(files.items()):
            archive.writestr(name, content)
    part.replace(target)
