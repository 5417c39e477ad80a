"""``lodestone report``: the memo of a run folder."""

from __future__ import annotations

from pathlib import Path

from lodestone.border.errors import InputError
from lodestone.border.files import read_path
from lodestone.cli.verb import Flag, Words, verb

MORE = """
RUN is the folder that 'lodestone run' printed as its last line.

  lodestone report results/licence_shock_april_2025/20260101T120000Z-1a2b3c4d"""


@verb(
    about="renders the memo of a run folder again",
    usage="lodestone report RUN [--format brief,html,pdf,docx,md,xlsx,slide,explorer]",
    order=80,
    flags=(Flag("--format"),),
    more=MORE,
)
def work(words: Words) -> int:
    """Write the memo of a run folder again."""
    from lodestone.runs.settings import settings_from_flat

    words.no_pairs()
    folder = read_path(words.one("run folder"))
    if not folder.is_dir():
        raise InputError(
            "is not a run folder",
            file=folder,
            hint="Name the folder that 'lodestone run' printed last.",
        )
    formats = [f for f in words.flags.get("--format", "html,md").split(",") if f]
    checked = settings_from_flat({"report.formats": formats}).report_formats
    from lodestone.report import write_report

    for path in write_report(folder, checked):
        print(Path(path).resolve())
    return 0
