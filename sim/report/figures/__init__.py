"""The figures: one function each, found by the registry, drawn from the run folder only.

A figure function takes a `Reading` and returns a `Drawing`, or None where the run holds nothing
to draw (a scenario without interventions has no time line of them). To add one, write a function
under `@figure(title=..., needs=[...])` in a module of this package; nothing else.
"""

from __future__ import annotations

import importlib
import io
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lodestone.outputs.results import COLUMNS, Results

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from lodestone.report.reading import Reading

__all__ = ["FIGURES", "Drawing", "FigureSpec", "draw_all", "figure", "registered", "save", "settle"]

#: Dots an inch of pictures in pixels.
DPI = 160


@dataclass(frozen=True)
class Drawing:
    """A figure that has been drawn.

    Attributes
    ----------
    figure
        The matplotlib figure.
    finding
        What it shows, as a sentence with numbers: the title.
    alt
        What a reader who cannot see it needs to know.
    data
        Exactly what was drawn, to be saved beside it.
    """

    figure: Figure
    finding: str
    alt: str
    data: pd.DataFrame


Draw = Callable[["Reading"], "Drawing | None"]


@dataclass(frozen=True)
class FigureSpec:
    """A registered figure.

    Attributes
    ----------
    name, title
        File name and plain title.
    needs
        Tables of the run folder.
    order
        Place in the annex.
    about
        Families of metrics it speaks to (`lodestone.report.asked.FAMILIES`), or `any`.
    page
        Where it may stand: `one` (also on page one), `two`, or `annex` alone.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    order: int
    about: tuple[str, ...]
    page: str
    draw: Draw


FIGURES: dict[str, FigureSpec] = {}


def figure(
    title: str,
    needs: Sequence[str],
    order: int = 100,
    about: Sequence[str] = (),
    page: str = "annex",
) -> Callable[[Draw], Draw]:
    """Register a figure function under its own name; a second one of that name raises."""

    def register(function: Draw) -> Draw:
        name = function.__name__
        if name in FIGURES:
            raise ValueError(f"the figure '{name}' is registered twice")
        missing = [table for table in needs if table not in COLUMNS]
        if missing:
            raise ValueError(f"the figure '{name}' needs unknown tables: {missing}")
        FIGURES[name] = FigureSpec(name, title, tuple(needs), order, tuple(about), page, function)
        return function

    return register


def registered() -> list[FigureSpec]:
    """Return all figures in the order of the memo, importing every module of this package."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return sorted(FIGURES.values(), key=lambda spec: (spec.order, spec.name))


def draw_all(run: Reading | Path | str) -> list[Path]:
    """Draw every figure of a run (a reading of it, or its folder) into its `figures/`.

    Each becomes `NAME.png`, `NAME.svg` and `NAME.csv` (what was drawn); `index.csv` lists name,
    title, finding and alt text. The bytes depend on the run folder's tables alone.

    Raises
    ------
    InputError
        If a table that a figure needs is missing or damaged.
    """
    import pandas as pd

    from lodestone.report.reading import Reading
    from lodestone.report.style import look

    reading = run if isinstance(run, Reading) else Reading(Results.load(run))
    target = reading.results.folder / "figures"
    written, index = [], []
    specs = registered()
    for table in sorted({table for spec in specs for table in spec.needs}):
        reading.results.table(table)
    target.mkdir(exist_ok=True)
    for spec in specs:
        with look():
            drawing = spec.draw(reading)
            if drawing is None:
                for suffix in ("png", "svg", "csv"):
                    (target / f"{spec.name}.{suffix}").unlink(missing_ok=True)
                continue
            settle(drawing.figure)
            for suffix in ("png", "svg"):
                written.append(save(drawing.figure, target / f"{spec.name}.{suffix}"))
        written.append(_write(target / f"{spec.name}.csv", _csv(drawing.data)))
        about = " ".join(spec.about)
        index.append((spec.name, spec.title, drawing.finding, drawing.alt, about, spec.page))
    listing = pd.DataFrame(index, columns=["figure", "title", "finding", "alt", "about", "page"])
    written.append(_write(target / "index.csv", _csv(listing)))
    return written


def _csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, lineterminator="\n", float_format="%.6g").encode()


def settle(figure: Figure) -> None:
    """Lay the figure out once and round the places of its axes.

    The layout's solver orders its variables by memory address, so that its last digits differ
    from run to run; rounded to a ten-thousandth of the figure they do not.
    """
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
    figure.set_layout_engine(None)
    for axes in figure.axes:
        axes.set_position(tuple(round(x, 4) for x in axes.get_position().bounds))


def save(figure: Figure, path: Path) -> Path:
    """Save a figure without a time stamp, so that the same run gives the same bytes."""
    buffer = io.BytesIO()
    if path.suffix == ".png":
        _paint(figure, buffer)
    else:
        figure.savefig(buffer, format=path.suffix[1:], dpi=DPI, metadata={"Date": None})
    return _write(path, buffer.getvalue())


def _paint(figure: Figure, out: io.BytesIO) -> None:
    """Write a picture with 128 colours of its own: a third of the bytes, no visible difference."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba())
    flat = picture.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    flat.save(out, format="PNG", compress_level=6)


def _write(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path
