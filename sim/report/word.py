"""Word files: pandoc's document with the memo's styles, its figures fitted to the pages.

Word breaks pages where a file is opened, so what a page takes is measured here from above: in letters
as wide as Arial's and lines as high as Calibri's, space above and below paragraphs added up. What fits
so fits in Word.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["Page", "lines", "measure", "reference_docx", "settle_docx"]

FONT = "Calibri"
_PAGE = (
    '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/>'
    '<w:pgMar w:top="851" w:right="1077" w:bottom="851" w:left="1077" w:header="567" '
    'w:footer="567" w:gutter="0"/></w:sectPr>'
)


def _style(name: str, size: int, *, bold: bool = False, extra: str = "", colour: str = "") -> str:
    ident = name.replace(" ", "")
    return (
        f'<w:style w:type="paragraph" w:customStyle="1" w:styleId="{ident}"><w:name w:val="{name}"/>'
        f'<w:basedOn w:val="Normal"/><w:qFormat/><w:pPr><w:spacing w:before="40" w:after="60"/>{extra}'
        f"</w:pPr><w:rPr>{'<w:b/>' if bold else ''}"
        f"{f'<w:color w:val={chr(34)}{colour}{chr(34)}/>' if colour else ''}"
        f'<w:sz w:val="{size}"/><w:szCs w:val="{size}"/></w:rPr></w:style>'
    )


@cache
def reference_docx() -> bytes:
    """Return pandoc's own reference document with the memo's page, sizes and styles."""
    import pypandoc

    path = pypandoc.get_pandoc_path()
    import subprocess

    held = subprocess.run(
        [path, "--print-default-data-file", "reference.docx"], check=True, capture_output=True
    ).stdout
    shade = (
        '<w:pBdr><w:left w:val="single" w:sz="24" w:space="6" w:color="0072B2"/></w:pBdr>'
        '<w:shd w:val="clear" w:color="auto" w:fill="EEF3F7"/>'
    )
    own = _style("Memo Small", 16, colour="444444")
    own += _style("Memo Question", 22, bold=True) + _style("Memo Answer", 19, extra=shade)

    def styles(text: str) -> str:
        text = re.sub(
            r"<w:rFonts [^>]*/>",
            f'<w:rFonts w:ascii="{FONT}" w:hAnsi="{FONT}" w:cs="{FONT}"/>',
            text,
        )
        sizes = {
            "Title": 34,
            "Heading1": 32,
            "Heading2": 24,
            "ImageCaption": 16,
            "Compact": 17,
            "BodyText": 19,
            "VerbatimChar": 17,
        }
        for ident, size in sizes.items():
            text = _sized(text, ident, size)
        text = re.sub(r'<w:spacing w:after="200"\s*/>', '<w:spacing w:after="60"/>', text, count=1)
        return text.replace("</w:styles>", f"{own}</w:styles>")

    def document(text: str) -> str:
        return re.sub(r"<w:sectPr\s*/>|<w:sectPr.*?</w:sectPr>", _PAGE, text, flags=re.S)

    return _rezipped(held, {"word/styles.xml": styles, "word/document.xml": document})


def _sized(text: str, ident: str, size: int) -> str:
    """Set size and, of a paragraph, tight spacing of a style of the reference document."""
    before, after = (20, 10) if ident == "Compact" else (60, 50)
    pattern = re.compile(rf'(<w:style [^>]*w:styleId="{ident}".*?)(</w:style>)', re.S)
    found = pattern.search(text)
    if not found:
        return text
    body = re.sub(
        r"<w:sz w:val=\"\d+\"\s*/>|<w:szCs w:val=\"\d+\"\s*/>|<w:color [^>]*/>", "", found[1]
    )
    body = re.sub(
        r"<w:spacing [^>]*/>", f'<w:spacing w:before="{before}" w:after="{after}"/>', body
    )
    mark = f'<w:color w:val="1A1A1A"/><w:sz w:val="{size}"/><w:szCs w:val="{size}"/>'
    if "<w:rPr>" in body:
        body = body.replace("<w:rPr>", f"<w:rPr>{mark}", 1)
    else:
        body += f"<w:rPr>{mark}</w:rPr>"
    return text[: found.start()] + body + found[2] + text[found.end() :]


_GRID = (
    '<w:tblBorders><w:top w:val="single" w:sz="8" w:color="1A1A1A"/>'
    '<w:bottom w:val="single" w:sz="8" w:color="1A1A1A"/>'
    '<w:insideH w:val="single" w:sz="4" w:color="CCCCCC"/></w:tblBorders>'
)


def settle_docx(path: Path) -> None:
    """Make tables as wide as the page, fit the figures, and leave out every time stamp."""

    def document(text: str) -> str:
        text = re.sub(r"<w:tblLayout [^>]*/>", "", text)
        text = re.sub(r"<w:tblW [^>]*/>", '<w:tblW w:type="pct" w:w="5000"/>', text)
        text = re.sub(r"(<w:tblW [^>]*/>)", rf'\1{_GRID}<w:tblLayout w:type="fixed"/>', text)
        return _fitted(_wide_columns(text), read_styles(styles))

    def core(text: str) -> str:
        return re.sub(r"<dcterms:(created|modified)[^>]*>.*?</dcterms:\1>", "", text)

    held = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(held)) as inner:
        styles = inner.read("word/styles.xml").decode("utf-8")
    path.write_bytes(_rezipped(held, {"word/document.xml": document, "docProps/core.xml": core}))


def _rezipped(held: bytes, changes: dict[str, Callable[[str], str]]) -> bytes:
    """Return a zip with some of its texts changed, every entry dated 1980."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(held)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name in changes:
                data = changes[name](data.decode("utf-8")).encode("utf-8")
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, data)
    return out.getvalue()


# ---- what a page takes --------------------------------------------------------------------

#: Twips of a page's text: 1/1440 inch.
WIDE, HIGH = 11906 - 2 * 1077, 16838 - 2 * 851
#: Part of a page that is filled; the rest is kept for what printers and other fonts do otherwise.
FILLED = 0.98
#: Smallest part of the page's width that a figure takes.
LEAST = 0.3
#: Height of a line over the size of its letters (Calibri: 1.22), width of a letter that is not listed.
LINE, OTHER = 1.221, 0.6
#: Twips around a cell: margins left and right, the rule below.
CELL, RULE = 216, 15
EMU = 635
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"


@dataclass
class Page:
    """What stands between two page breaks: height of all but the pictures (twips), and their sizes."""

    text: float = 0.0
    pictures: list[tuple[int, int]] = field(default_factory=list)

    @property
    def height(self) -> float:
        """Height with the pictures, as a part of a page."""
        return (self.text + sum(high for _, high in self.pictures) / EMU) / HIGH


@dataclass(frozen=True)
class Style:
    """Size of letters (half points), bold, space above and below (twips) of a paragraph."""

    size: int = 24
    bold: bool = False
    before: int = 0
    after: int = 200


def measure(path: Path) -> list[Page]:
    """Return what each page of a Word file takes, from above, pages as its own breaks make them."""
    with zipfile.ZipFile(path) as held:
        styles = read_styles(held.read("word/styles.xml").decode("utf-8"))
        return _pages(held.read("word/document.xml").decode("utf-8"), styles)


def read_styles(text: str) -> dict[str, Style]:
    """Return the paragraph styles of a Word file by their id."""
    found = {e.get(f"{_W}styleId"): e for e in ElementTree.fromstring(text).iter(f"{_W}style")}
    done: dict[str, Style] = {}

    def style(name: str | None) -> Style:
        if name is None or name not in found:
            return Style()
        if name not in done:
            element = found[name]
            based = element.find(f"{_W}basedOn")
            base = style(None if based is None else based.get(f"{_W}val"))
            done[name] = _changed(element, base)
        return done[name]

    for name in found:
        style(name)
    return done


def _changed(element: Element, base: Style) -> Style:
    size = element.find(f"{_W}rPr/{_W}sz")
    space = element.find(f"{_W}pPr/{_W}spacing")
    given = {} if space is None else space.attrib
    return Style(
        base.size if size is None else int(size.get(f"{_W}val", base.size)),
        base.bold or element.find(f"{_W}rPr/{_W}b") is not None,
        int(given.get(f"{_W}before", base.before)),
        int(given.get(f"{_W}after", base.after)),
    )


def _pages(document: str, styles: dict[str, Style]) -> list[Page]:
    body = ElementTree.fromstring(document)[0]
    pages = [Page()]
    for block in body:
        page = pages[-1]
        if block.tag == f"{_W}tbl":
            page.text += _table(block, styles)
        elif block.tag == f"{_W}p":
            page.text += _paragraph(block, styles, WIDE)
            for extent in block.iter(f"{_WP}extent"):
                page.pictures.append((int(extent.get("cx", 0)), int(extent.get("cy", 0))))
            if any(b.get(f"{_W}type") == "page" for b in block.iter(f"{_W}br")):
                pages.append(Page())
    return pages


def _table(table: Element, styles: dict[str, Style]) -> float:
    grid = [int(c.get(f"{_W}w", 0)) for c in table.iter(f"{_W}gridCol")]
    high = 0.0
    for row in table.iter(f"{_W}tr"):
        cells = zip(row.iter(f"{_W}tc"), grid, strict=False)
        high += RULE + max(
            sum(_paragraph(p, styles, wide - CELL) for p in cell.iter(f"{_W}p"))
            for cell, wide in cells
        )
    return high


def _paragraph(paragraph: Element, styles: dict[str, Style], wide: float) -> float:
    """Height of a paragraph without its pictures, twips."""
    named = paragraph.find(f"{_W}pPr/{_W}pStyle")
    style = styles.get("Normal" if named is None else named.get(f"{_W}val", ""), Style())
    exact = paragraph.find(f"{_W}pPr/{_W}spacing")
    if exact is not None and exact.get(f"{_W}lineRule") == "exact":
        return float(exact.get(f"{_W}line", 0))
    listed = paragraph.find(f"{_W}pPr/{_W}numPr") is not None
    text = "".join(t.text or "" for t in paragraph.iter(f"{_W}t"))
    bold = style.bold or paragraph.find(f"{_W}r/{_W}rPr/{_W}b") is not None
    count = lines(text, style.size / 2, (wide - (720 if listed else 0)) / 20, bold)
    return style.before + style.after + count * LINE * style.size * 10


def lines(text: str, size: float, wide: float, bold: bool = False) -> int:
    """Return how many lines a text takes, in letters as wide as Arial's.

    Parameters
    ----------
    text
        Words.
    size
        Of the letters, points.
    wide
        Width of a line, points.
    bold
        Whether the letters are.
    """
    widths = _widths(bold)
    space = widths[" "] * size
    count, at = 1, 0.0
    for word in text.split():
        long = size * sum(widths.get(c, OTHER) for c in word)
        if at and at + space + long > wide:
            count, at = count + 1, long
        else:
            at += long + (space if at else 0.0)
        while at > wide:  # a word longer than a line is broken
            count, at = count + 1, at - wide
    return count


@cache
def _widths(bold: bool) -> dict[str, float]:
    """Widths of letters over their size, from the metrics of Helvetica (those of Arial)."""
    import matplotlib

    name = "phvb8a.afm" if bold else "phvr8a.afm"
    text = (Path(matplotlib.get_data_path()) / "fonts" / "afm" / name).read_text("latin-1")
    found = re.findall(r"^C (\d+) ; WX (\d+) ;", text, re.M)
    return {chr(int(c)): int(wide) / 1000 for c, wide in found if 32 <= int(c) < 127}


def _wide_columns(document: str) -> str:
    """Give every table columns that fill the page: those of pandoc, in their proportion."""

    def grid(found: re.Match[str]) -> str:
        wide = [int(w) for w in re.findall(r'w:w="(\d+)"', found[0])]
        columns = "".join(f'<w:gridCol w:w="{WIDE * w // sum(wide)}"/>' for w in wide)
        return f"<w:tblGrid>{columns}</w:tblGrid>"

    return re.sub(r"<w:tblGrid>.*?</w:tblGrid>", grid, document, flags=re.S)


def _fitted(document: str, styles: dict[str, Style]) -> str:
    """Give the figures of each of the first two pages the one width with which the page holds them."""
    sizes: list[tuple[int, int] | None] = []
    pages = _pages(document, styles)
    for at, page in enumerate(pages):
        whole = [WIDE * EMU * high / wide for wide, high in page.pictures]
        if at > 1 or len(pages) == 1:
            sizes += [None] * len(whole)
            continue
        part = (FILLED * HIGH - page.text) * EMU / sum(whole) if whole else 1.0
        part = min(max(part, LEAST), 1.0)
        sizes += [(int(part * WIDE * EMU), int(part * high)) for high in whole]
    place = iter(sizes)

    def drawing(found: re.Match[str]) -> str:
        size = next(place)
        if size is None:
            return found[0]
        new = f'cx="{size[0]}" cy="{size[1]}"'
        return re.sub(
            r'(?<=<wp:extent )cx="\d+" cy="\d+"|(?<=<a:ext )cx="\d+" cy="\d+"', new, found[0]
        )

    return re.sub(r"<w:drawing>.*?</w:drawing>", drawing, document, flags=re.S)
