"""A figure as Python holds it: shown in a notebook, saved, or worked on with matplotlib."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from lodestone.report.figures import Drawing

__all__ = ["Picture"]


class Picture:
    """A drawn figure.

    Attributes
    ----------
    figure
        The matplotlib figure.
    finding
        Its title: what it shows.
    alt
        The same for a reader who cannot see it.
    data
        Exactly what was drawn.
    """

    def __init__(self, drawing: Drawing) -> None:
        self.figure: Any = drawing.figure
        self.finding: str = drawing.finding
        self.alt: str = drawing.alt
        self.data: pd.DataFrame = drawing.data

    def save(self, path: Path | str) -> Path:
        """Write the figure; the ending of the name says as what (png, svg, pdf)."""
        target = Path(path)
        target.write_bytes(self._bytes(target.suffix.lstrip(".") or "png"))
        return target

    def _bytes(self, form: str) -> bytes:
        from lodestone.report.style import look

        out = io.BytesIO()
        stamp: dict[str, dict[str, None]] = {"svg": {"Date": None}, "png": {"Software": None}}
        with look():
            self.figure.savefig(out, format=form, dpi=160, metadata=stamp.get(form))
        return out.getvalue()

    def _repr_png_(self) -> bytes:
        return self._bytes("png")

    def __repr__(self) -> str:
        return f"Picture({self.finding!r})"
