"""A study as Python holds it: its results, figures, thresholds and sensitivity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lodestone.api.pictures import Picture
from lodestone.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["StudyResult"]


class StudyResult(Study):
    """A study with what it shows. `results`, `failed`, `worlds` and `long` are those of `Study`."""

    def figure(self, metric: str | None = None, kind: str = "auto") -> Picture:
        """Draw a metric over the swept keys.

        Parameters
        ----------
        metric
            With selectors; by default the first that the study shows.
        kind
            ``auto``, ``line``, ``heat``, ``multiples`` or ``tornado``.
        """
        from lodestone.report.figures import settle
        from lodestone.report.study_memo import study_figure
        from lodestone.report.style import look

        drawing = study_figure(self, metric or self.plan.shown[0], kind)
        with look():
            settle(drawing.figure)
        return Picture(drawing)

    def threshold(self, text: str, key: str | None = None) -> pd.DataFrame:
        """Find where a threshold begins to hold: ``unmet_share_peak < 0.05 in 95%``."""
        from lodestone.studies.threshold import find_threshold, read_threshold

        return find_threshold(self, read_threshold(text), key)

    def sensitivity(self, metric: str) -> pd.DataFrame:
        """Rank the draws and swept keys that decide a metric, over all points and worlds."""
        from lodestone.studies.sensitivity import indices
        from lodestone.studies.study import sample

        return indices(sample(self, metric))

    def to_xarray(self, metric: str) -> Any:
        """Return a metric of a grid as a labelled array: an axis a swept key, and the worlds.

        Raises
        ------
        InputError
            The study is no grid, or xarray is not installed.
        """
        from lodestone.border.errors import InputError
        from lodestone.studies.metrics import unit_of

        try:
            import xarray  # noqa: F401
        except ImportError:
            raise InputError(
                "needs xarray, which is not installed", hint="pip install xarray"
            ) from None
        if self.plan.request.design != "grid":
            raise InputError("only a grid has axes", key="design")
        frame = self.long(metric).set_index([*self.keys, "world"])["value"]
        array = frame.to_xarray()
        array.attrs = {"unit": unit_of(metric), "metric": metric}
        return array
