"""Files of the memo: one Markdown text through pandoc to HTML, Word and Typst, and Typst to PDF."""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lodestone.report.reading import Reading

__all__ = ["COMPARISON", "COMPARISON_BRIEF", "escape", "prose", "write_files", "write_formats"]

TEMPLATES = Path(__file__).parent / "templates"
READER = (
    "markdown-raw_html-raw_tex-tex_math_dollars-citations-yaml_metadata_block-example_lists-smart"
)
BREAKS = {
    "pdf": "```{=typst}\n#pagebreak()\n```",
    "docx": '```{=openxml}\n<w:p><w:r><w:br w:type="page"/></w:r></w:p>\n```',
    "html": "",
    "md": "",
}
#: Vector pictures up to this size go into pages as such, larger ones as pixels.
SVG_BYTES = 130_000
#: Templates of a memo, of its two pages alone, and of a comparison and its two pages.
MEMO = ("brief.md.j2", "annex.md.j2")
BRIEF = ("brief.md.j2",)
COMPARISON = ("compare.md.j2", "compare_annex.md.j2")
COMPARISON_BRIEF = ("compare.md.j2",)
#: Heights of the figure of page one and of those of page two, cm, tried from the largest down
#: until the two pages hold them.
HEIGHTS = (
    (9.4, 7.4),
    (8.4, 6.6),
    (7.6, 6.0),
    (6.8, 5.4),
    (6.0, 4.8),
    (5.2, 4.2),
    (4.4, 3.6),
    (3.6, 3.0),
)
#: What Word does otherwise than Typst, as replacements in the template: its margins, wider letters,
#: and more room around lines of text and rows of tables. Figures of Word files are fitted so.
LIKE_WORD = {
    "margin: (x: 1.9cm, top: 1.6cm, bottom: 1.7cm)": "margin: (x: 1.9cm, top: 1.5cm, bottom: 1.5cm)",
    "size: 9.6pt": "size: 10.4pt",
    "leading: 0.55em, spacing: 0.75em": "leading: 0.6em, spacing: 1.1em",
    "inset: (x: 3pt, y: 2.6pt)": "inset: (x: 5.4pt, y: 5.6pt)",
    "#show table: set text(size: 8.5pt)": "#show table: set text(size: 8.9pt)",
    "leading: 0.45em": "leading: 0.6em",
    "text(size: 8.2pt": "text(size: 8.6pt",
    "spacing: 0.42em": "spacing: 0.95em",
}


def write_formats(reading: Reading, facts: dict[str, Any], wanted: Iterable[str]) -> list[Path]:
    """Write the memo in every format asked for and return the files.

    Parameters
    ----------
    reading
        The run.
    facts
        What the templates show (`lodestone.report.memo.facts`).
    wanted
        Formats, all known.
    """
    folder = reading.results.folder
    made: list[Path] = []
    fitted: dict[str, tuple[float, float]] = {}
    for form in wanted:
        for kind in ("pdf", "docx") if form == "brief" else (form,):
            if kind in ("pdf", "docx") and kind not in fitted:
                fitted[kind] = _fitted(folder, facts, BRIEF, kind)
        if form == "xlsx":
            from lodestone.report.sheets import write_workbook

            made.append(write_workbook(reading, facts))
        elif form == "slide":
            from lodestone.report.slide import write_slide

            made += write_slide(reading, facts)
        elif form == "explorer":
            from lodestone.report.explorer import write_explorer

            made.append(write_explorer([(reading.name, reading)], folder, reading.title))
        elif form == "brief":
            made.append(_file(folder, "report-brief", "pdf", facts, fitted["pdf"], BRIEF))
            made.append(_file(folder, "report-brief", "docx", facts, fitted["docx"], BRIEF))
        else:
            made.append(_file(folder, "report", form, facts, fitted.get(form), MEMO))
    return made


def write_files(
    folder: Path, form: str, facts: dict[str, Any], templates: tuple[str, ...]
) -> list[Path]:
    """Write a document in one format, its first template fitted to two pages.

    `brief` is its PDF and Word.
    """
    made = []
    for kind in ("pdf", "docx") if form == "brief" else (form,):
        fitted = _fitted(folder, facts, templates[:1], kind) if kind in ("pdf", "docx") else None
        stem = "report-brief" if form == "brief" else "report"
        made.append(_file(folder, stem, kind, facts, fitted, templates))
    return made


def _fitted(
    folder: Path, facts: dict[str, Any], brief: tuple[str, ...], form: str
) -> tuple[float, float]:
    """Return the largest heights with which the brief is two pages, of PDF or as Word sets it."""
    first, last = 0, len(HEIGHTS) - 1
    while first < last:
        middle = (first + last) // 2
        text = markdown(folder, "pdf", facts, HEIGHTS[middle], brief)
        pages = _pages(text, folder, str(facts["title"]), LIKE_WORD if form == "docx" else {})
        first, last = (first, middle) if pages <= 2 else (middle + 1, last)
    return HEIGHTS[first]


def _pages(text: str, folder: Path, title: str, otherwise: dict[str, str]) -> int:
    """Pages of a text as PDF, with some settings of the template otherwise."""
    import typst

    page = folder / ".report.pages.typ"
    source = _typst(text, folder, title)
    for here, there in otherwise.items():
        if here not in source:
            raise ValueError(f"the template no longer holds {here!r}")
        source = source.replace(here, there)
    try:
        page.write_text(source + PAGES, encoding="utf-8")
        found = typst.query(
            page, "<pages>", field="value", one=True, root=folder, ignore_system_fonts=True
        )
        return int(json.loads(found))
    finally:
        page.unlink(missing_ok=True)


def _file(
    folder: Path,
    stem: str,
    form: str,
    facts: dict[str, Any],
    heights: tuple[float, float] | None,
    templates: tuple[str, ...],
) -> Path:
    """Write one file whole or not at all."""
    text = markdown(folder, form, facts, heights, templates)
    target = folder / f"{stem}.{form}"
    part = folder / f".{stem}.part.{form}"
    write: Callable[[str, Path, Path, str], None] = {
        "md": _markdown,
        "html": _html,
        "docx": _docx,
        "pdf": _pdf,
    }[form]
    try:
        write(text, part, folder, str(facts["title"]))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def markdown(
    folder: Path,
    form: str,
    facts: dict[str, Any],
    heights: tuple[float, float] | None,
    templates: tuple[str, ...],
) -> str:
    """Return a document's text for a format, from one template or several.

    `heights` are those of the figures of page one and two, cm; None: as wide as the page.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        comment_start_string="<#",
        comment_end_string="#>",
        autoescape=False,
    )
    environment.filters["md"] = escape
    environment.filters["prose"] = prose
    shown = dict(facts)
    for key in ("figures", "others"):
        shown[key] = [_with_file(folder, form, f) for f in facts[key]]
    shown["lead"] = facts["lead"] and _with_file(folder, form, facts["lead"])
    tall = [f"{h:.2f}cm" for h in heights] if heights and form in ("pdf", "docx") else ["", ""]
    context = {**shown, "plain": form == "md", "breaks": BREAKS[form], "heights": tall}
    parts = [environment.get_template(name).render(context) for name in templates]
    return "\n".join(parts)


def _with_file(folder: Path, form: str, figure: dict[str, str]) -> dict[str, str]:
    """Name the picture that a format takes: vectors where they are small, pixels elsewhere."""
    vector = folder / "figures" / f"{figure['figure']}.svg"
    small = vector.is_file() and vector.stat().st_size <= SVG_BYTES
    fit = form == "pdf" or (form == "html" and small)
    return {**figure, "ext": "svg" if fit else "png"}


def _markdown(text: str, part: Path, folder: Path, title: str) -> None:
    del folder, title
    lines = [line for line in text.split("\n") if not line.startswith(":::")]
    part.write_text(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)), encoding="utf-8")


def _pandoc(text: str, to: str, part: Path | None, folder: Path, title: str, *more: str) -> str:
    import pypandoc

    # In the folder itself: a list of folders is cut at its colons, and names may hold some.
    extra = ["--columns=60", "--wrap=none", "--resource-path=.", "--metadata=lang:en"]
    extra += [f"--metadata=pagetitle:{title}", f"--lua-filter={TEMPLATES / 'memo.lua'}", *more]
    return pypandoc.convert_text(
        text,
        to,
        format=READER,
        outputfile=None if part is None else str(part.resolve()),
        extra_args=extra,
        cworkdir=str(folder.resolve()),
    )


def _html(text: str, part: Path, folder: Path, title: str) -> None:
    template = f"--template={TEMPLATES / 'memo.html'}"
    _pandoc(text, "html5", part, folder, title, "--standalone", "--embed-resources", template)


#: Tells a query how many pages the brief takes.
PAGES = "\n#context [#metadata(counter(page).final().first()) <pages>]\n"


def _typst(text: str, folder: Path, title: str) -> str:
    template = f"--template={TEMPLATES / 'memo.typ'}"
    return _pandoc(text, "typst", None, folder, title, "--standalone", template)


def _pdf(text: str, part: Path, folder: Path, title: str) -> None:
    import typst

    page = folder / ".report.part.typ"
    try:
        page.write_text(_typst(text, folder, title), encoding="utf-8")
        typst.compile(page, output=part, root=folder, ignore_system_fonts=True)
    finally:
        page.unlink(missing_ok=True)


def _docx(text: str, part: Path, folder: Path, title: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        reference = Path(place) / "reference.docx"
        reference.write_bytes(_reference_docx())
        _pandoc(text, "docx", part, folder, title, f"--reference-doc={reference}")
    _settle_docx(part)


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


def _reference_docx() -> bytes:
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
    own += _style("Memo Question", 22, bold=True) + _style("Memo Answer", 20, extra=shade)

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
            "BodyText": 20,
        }
        for ident, size in sizes.items():
            text = _sized(text, ident, size)
        return text.replace("</w:styles>", f"{own}</w:styles>")

    def document(text: str) -> str:
        return re.sub(r"<w:sectPr\s*/>|<w:sectPr.*?</w:sectPr>", _PAGE, text, flags=re.S)

    return _rezipped(held, {"word/styles.xml": styles, "word/document.xml": document})


def _sized(text: str, ident: str, size: int) -> str:
    """Set size and tight spacing of a style of the reference document."""
    pattern = re.compile(rf'(<w:style [^>]*w:styleId="{ident}".*?)(</w:style>)', re.S)
    found = pattern.search(text)
    if not found:
        return text
    body = re.sub(
        r"<w:sz w:val=\"\d+\"\s*/>|<w:szCs w:val=\"\d+\"\s*/>|<w:color [^>]*/>", "", found[1]
    )
    body = re.sub(r"<w:spacing [^>]*/>", '<w:spacing w:before="60" w:after="50"/>', body)
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


def _settle_docx(path: Path) -> None:
    """Make tables as wide as the page, and leave out every time stamp."""

    def document(text: str) -> str:
        text = re.sub(r"<w:tblW [^>]*/>", '<w:tblW w:type="pct" w:w="5000"/>', text)
        text = re.sub(r"<w:tblLayout [^>]*/>", "", text)
        return re.sub(r"(<w:tblW [^>]*/>)", rf"\1{_GRID}", text)

    def core(text: str) -> str:
        return re.sub(r"<dcterms:(created|modified)[^>]*>.*?</dcterms:\1>", "", text)

    path.write_bytes(
        _rezipped(path.read_bytes(), {"word/document.xml": document, "docProps/core.xml": core})
    )


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


def escape(value: object) -> str:
    """Return text that Markdown shows as it is, also in a table's cell."""
    text = " ".join(str(value).split())
    for sign in "\\`*_{}[]<>#|~^@$":
        text = text.replace(sign, f"\\{sign}")
    return text


def prose(value: object) -> str:
    """Return a sentence of ours with `code` left as code and all other signs as they are."""
    parts = str(value).split("`")
    return "".join(f"`{p}`" if i % 2 else _kept(p) for i, p in enumerate(parts))


def _kept(text: str) -> str:
    body = escape(text)
    return (" " if text[:1] == " " else "") + body + (" " if text[-1:] == " " and body else "")
