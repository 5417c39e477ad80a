"""Files of the memo: one Markdown text through pandoc to HTML, Word and Typst, and Typst to PDF."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lodestone.report.reading import Reading

__all__ = ["COMPARISON", "Documents", "escape", "markdown", "prose", "write_formats"]

TEMPLATES = Path(__file__).parent / "templates"
READER = (
    "markdown-raw_html-raw_tex-tex_math_dollars-citations-yaml_metadata_block-example_lists-smart"
)
BREAKS = {
    "pdf": "```{=typst}\n#context [#metadata(here().position()) <end>]\n#pagebreak()\n```",
    "docx": '```{=openxml}\n<w:p><w:pPr><w:spacing w:before="0" w:after="0" w:line="20" '
    'w:lineRule="exact"/></w:pPr><w:r><w:br w:type="page"/></w:r></w:p>\n```',
    "html": "",
    "md": "",
}
#: Vector pictures up to this size go into pages as such, larger ones as pixels.
SVG_BYTES = 130_000
#: Templates of a memo and of a comparison: the two pages, then the annexes.
MEMO = ("brief.md.j2", "annex.md.j2")
COMPARISON = ("compare.md.j2", "compare_annex.md.j2")
#: Width of a page's text, cm, and where it ends, points from the top of the page (A4, `memo.typ`).
WIDE_CM, END_PT = 17.2, (29.7 - 1.7) * 72 / 2.54
#: Parts of the page's width that figures take: to measure the text, at least.
LEAST = 0.3
#: Tells a query where the text of a page ends.
MARK = "```{=typst}\n#context [#metadata(here().position()) <end>]\n```"


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
    pages = Documents(folder, facts, MEMO)
    for form in wanted:
        if form == "xlsx":
            from lodestone.report.sheets import write_workbook

            made.append(write_workbook(reading, facts))
        elif form == "slide":
            from lodestone.report.slide import write_slide

            made += write_slide(reading, facts)
        elif form == "explorer":
            from lodestone.report.explorer import write_explorer

            made.append(write_explorer([(reading.name, reading)], folder, reading.title))
        else:
            made += pages.write(form)
    return made


class Documents:
    """A document in the formats of text, its first template fitted to two pages.

    Parameters
    ----------
    folder
        Where it goes, and where its figures are.
    facts
        What the templates show.
    templates
        The two pages and the annexes.
    """

    def __init__(self, folder: Path, facts: dict[str, Any], templates: tuple[str, ...]) -> None:
        self.folder, self.facts, self.templates = folder, facts, templates

    @property
    def title(self) -> str:
        """Title of the document."""
        return str(self.facts["title"])

    def write(self, form: str) -> list[Path]:
        """Write one format whole or not at all; `brief` is the two pages as PDF and Word."""
        if form == "brief":
            return [
                self._file("report-brief", kind, self.templates[:1]) for kind in ("pdf", "docx")
            ]
        return [self._file("report", form, self.templates)]

    def _file(self, stem: str, form: str, templates: tuple[str, ...]) -> Path:
        target = self.folder / f"{stem}.{form}"
        part = self.folder / f".{stem}.part.{form}"
        try:
            if form == "pdf":
                brief = len(templates) == 1
                _pdf(self.brief if brief else self._typst(templates), part, self.folder)
            else:
                text = markdown(self.folder, form, self.facts, None, templates)
                write = {"md": _markdown, "html": _html, "docx": _docx}[form]
                write(text, part, self.folder, self.title)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return target

    def _typst(self, templates: tuple[str, ...]) -> str:
        text = markdown(self.folder, "pdf", self.facts, self._heights, templates)
        return _typst(text, self.folder, self.title)

    @cached_property
    def brief(self) -> str:
        """The two pages as Typst."""
        return self._typst(self.templates[:1])

    @cached_property
    def _heights(self) -> list[float]:
        """Heights of the figures, cm: on each page as wide as each other, and as the page holds."""
        facts = self.facts
        whole = [[facts["lead"]] if facts["lead"] else [], list(facts["others"])]
        tall = [[WIDE_CM * _shape(self.folder, f) for f in figures] for figures in whole]
        if not any(tall):
            return []
        small = [LEAST * high for highs in tall for high in highs]
        text = markdown(self.folder, "pdf", facts, small, self.templates[:1])
        ends = _ends(_typst(f"{text}\n{MARK}\n", self.folder, self.title), self.folder)
        heights = []
        for highs, (page, end), number in zip(tall, ends, (1, 2), strict=True):
            left = (END_PT - end) * 2.54 / 72 if page == number else 0.0
            part = min(LEAST + 0.98 * left / sum(highs), 1.0) if highs else 1.0
            heights += [part * high for high in highs]
        return heights


def _shape(folder: Path, figure: dict[str, str]) -> float:
    """Height of a figure over its width."""
    from PIL import Image

    with Image.open(folder / "figures" / f"{figure['figure']}.png") as picture:
        return picture.height / picture.width


def _ends(source: str, folder: Path) -> list[tuple[int, float]]:
    """Page and height (points from the top) at which each marked text ends."""
    import typst

    page = folder / ".report.ends.typ"
    try:
        page.write_text(source, encoding="utf-8")
        found = typst.query(page, "<end>", field="value", root=folder, ignore_system_fonts=True)
    finally:
        page.unlink(missing_ok=True)
    return [(int(at["page"]), float(at["y"].removesuffix("pt"))) for at in json.loads(found)]


def markdown(
    folder: Path,
    form: str,
    facts: dict[str, Any],
    heights: Sequence[float] | None,
    templates: tuple[str, ...],
) -> str:
    """Return a document's text for a format, from one template or several.

    `heights` are those of the figures of the two pages in their order, cm; None: as wide as the page.
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
    first = [shown["lead"]] if shown["lead"] else []
    for figure, height in zip([*first, *shown["others"]], heights or (), strict=False):
        figure["height"] = f"{height:.2f}cm"
    context = {**shown, "plain": form == "md", "breaks": BREAKS[form]}
    parts = [environment.get_template(name).render(context) for name in templates]
    return "\n".join(parts)


def _with_file(folder: Path, form: str, figure: dict[str, str]) -> dict[str, str]:
    """Name the picture that a format takes: vectors where they are small, pixels elsewhere."""
    vector = folder / "figures" / f"{figure['figure']}.svg"
    small = vector.is_file() and vector.stat().st_size <= SVG_BYTES
    fit = form == "pdf" or (form == "html" and small)
    return {**figure, "ext": "svg" if fit else "png", "height": ""}


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


def _typst(text: str, folder: Path, title: str) -> str:
    template = f"--template={TEMPLATES / 'memo.typ'}"
    return _pandoc(text, "typst", None, folder, title, "--standalone", template)


def _pdf(source: str, part: Path, folder: Path) -> None:
    import typst

    page = folder / ".report.part.typ"
    try:
        page.write_text(source, encoding="utf-8")
        typst.compile(page, output=part, root=folder, ignore_system_fonts=True)
    finally:
        page.unlink(missing_ok=True)


def _docx(text: str, part: Path, folder: Path, title: str) -> None:
    from lodestone.report.word import reference_docx, settle_docx

    with tempfile.TemporaryDirectory() as place:
        reference = Path(place) / "reference.docx"
        reference.write_bytes(reference_docx())
        _pandoc(text, "docx", part, folder, title, f"--reference-doc={reference}")
    settle_docx(part)


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
