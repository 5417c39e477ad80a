"""Draw what each kind of intervention does alone: `python docs/build.py --pictures [KIND ...]`.

Every kind has an example, `docs/examples/KIND.yaml`: a scenario like any other, whose reference
differs from it by that one intervention. Its title and narrative are the title and the caption of
the picture `docs/img/kind_KIND.png`; its `shows:` says which series are drawn, and which way they move. Both
cases are run with the same worlds; colour is the example, grey the reference.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.units import DAYS_PER_YEAR
from lodestone.border.yamlfile import read_yaml
from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.outputs.parts import bands
from lodestone.outputs.series import Quantity, Query, check_query, find_series
from lodestone.outputs.series.book import SeriesBook
from lodestone.scenario import Scenario, load_reference, load_scenario

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain
    from lodestone.interventions.base import Intervention

DOCS = Path(__file__).resolve().parent
EXAMPLES = DOCS / "examples"
WORLDS, SEED, MARKET_DAYS = 16, 0, 7.0
DPI = 110
#: Flows are shown as the mean of so many market days: sailings come in steps.
SMOOTH = 4


@dataclass(frozen=True)
class Panel:
    """One panel: which series, of what, its title, and which way the example moves it."""

    show: str
    of: dict[str, Any]
    title: str
    goes: str

    @property
    def series(self) -> Quantity:
        """The series."""
        return find_series(self.show)

    @property
    def unit(self) -> str:
        """Unit in which it is drawn: a flow by the year, a share in per cent."""
        unit = {"share": "%", "multiple": "× price in China"}.get(
            self.series.unit, self.series.unit
        )
        return f"{unit} a year" if self.series.kind == "flow" else unit

    def query(self, chain: Chain) -> Query:
        """What is asked of a run."""
        words = [(k, (v,) if isinstance(v, str) else tuple(v)) for k, v in self.of.items()]
        return check_query(Query(self.show, tuple(words)), chain, None, f"shows.{self.show}")


@dataclass
class Shown:
    """A panel's series in both cases.

    Attributes
    ----------
    days : list of date
        Market days.
    own, calm : ndarray, shape (T, w)
        In the example and in its reference.
    within : ndarray of bool, shape (T,)
        Market days on which the kind is in force.
    """

    panel: Panel
    days: list[date]
    own: np.ndarray
    calm: np.ndarray
    within: np.ndarray

    def moved(self) -> float:
        """Mean difference from the reference while the kind is in force, median over worlds."""
        return float(np.median((self.own - self.calm)[self.within].mean(axis=0)))

    def as_said(self) -> bool:
        """Whether it moves the way that the panel says."""
        by = self.moved()
        return abs(by) > 1e-9 and self.panel.goes in ("moves", "up" if by > 0.0 else "down")


# ---- examples --------------------------------------------------------------------------------


def example(kind: str, folder: Path = EXAMPLES) -> Scenario:
    """Return the example of a kind."""
    return load_scenario(folder / f"{kind}.yaml")


def panels(kind: str, folder: Path = EXAMPLES) -> list[Panel]:
    """Return what is shown of a kind."""
    given = read_yaml(folder / f"{kind}.yaml").data["shows"]
    return [
        Panel(
            show=item["show"],
            of={k: v for k, v in item.items() if k not in ("show", "title", "goes")},
            title=item["title"],
            goes=item["goes"],
        )
        for item in given
    ]


def own_items(kind: str, scenario: Scenario) -> dict[str, Intervention]:
    """Return the interventions of the kind: those by which the example differs."""
    return {n: item for n, item in scenario.interventions.items() if item.kind == kind}


def _smooth(path: np.ndarray) -> np.ndarray:
    """Mean of the market days up to now, at most ``SMOOTH`` of them, shape (T, w)."""
    total = np.cumsum(path, axis=0)
    out = total.copy()
    out[SMOOTH:] -= total[:-SMOOTH]
    return out / np.minimum(np.arange(1, len(path) + 1), SMOOTH)[:, None]


def watched(
    scenario: Scenario, wanted: list[Panel], worlds: int = WORLDS
) -> tuple[list[date], list[np.ndarray]]:
    """Run a scenario and return its market days and the path (T, w) of every panel."""
    chain = load_chain(scenario.vintage)
    run = BatchRun(scenario, chain, SEED, np.arange(worlds), MARKET_DAYS)
    queries = [panel.query(run.chain) for panel in wanted]
    book = SeriesBook(run, queries)
    run.watchers.append(book)
    run.run()
    days = [scenario.start + timedelta(days=int(t)) for t in book.times]
    paths = []
    for panel, query in zip(wanted, queries, strict=True):
        path, kind = book.path(query), panel.series.kind
        path = path * {"flow": DAYS_PER_YEAR / MARKET_DAYS, "share": 100.0}.get(kind, 1.0)
        paths.append(path if kind == "level" else _smooth(path))
    return days, paths


def both(
    kind: str, worlds: int = WORLDS, folder: Path = EXAMPLES, before: list[np.ndarray] | None = None
) -> list[Shown]:
    """Run the example of a kind and its reference and return its panels.

    ``before`` holds the paths of the reference where it has been run already.
    """
    scenario, wanted = example(kind, folder), panels(kind, folder)
    calm = load_reference(scenario)
    if calm is None:
        raise ValueError(f"the example of {kind} has no reference")
    days, own = watched(scenario, wanted, worlds)
    if before is None:
        _, before = watched(calm, wanted, worlds)
    inside = np.zeros(len(days), dtype=bool)
    for item in own_items(kind, scenario).values():
        first, last = _span(item, scenario)
        inside |= [(first or days[0]) <= d < (last or scenario.end) for d in days]
    return [Shown(p, days, a, b, inside) for p, a, b in zip(wanted, own, before, strict=True)]


# ---- drawing ---------------------------------------------------------------------------------


def picture(kind: str, paths: list[Shown]) -> bytes:
    """Draw the picture of a kind, as PNG."""
    import pandas as pd
    from PIL import Image

    from lodestone.report.figures import settle
    from lodestone.report.style import BLUE, GREY, VERMILLION, canvas, date_axis, look

    scenario = example(kind)
    items = own_items(kind, scenario).values()
    colour = VERMILLION if all(i.role == "disruption" for i in items) else BLUE
    others = [i for i in scenario.interventions.values() if i.kind != kind]
    note = f"Median and 5–95 % of {paths[0].own.shape[1]} worlds; grey: the same worlds without it"
    note += " (median). Dashed: its first day"
    note += " and its last." if any(_span(i, scenario)[1] for i in items) else "."
    if others:
        note += f" Shaded, in both cases: {_ground(others, scenario)}."
    with look():
        figure, axes = canvas(scenario.title, note, 1, len(paths), size=(7.6, 2.35))
        for at, (ax, path) in enumerate(zip(axes[0], paths, strict=True)):
            _, q = bands(path.own)
            middle = bands(path.calm)[1][1]
            thin = slice(None, None, max(1, len(path.days) // 160))
            days = [pd.Timestamp(d) for d in path.days][thin]
            ax.fill_between(days, q[0][thin], q[2][thin], color=colour, alpha=0.2, linewidth=0)
            ax.plot(days, q[1][thin], color=colour)
            ax.plot(days, middle[thin], color=GREY, linewidth=1.0)
            _height(ax, np.concatenate([q.ravel(), middle]), path)
            date_axis(ax, (days[0], days[-1]), ticks=5 if len(paths) == 2 else 4)
            width = 36 if len(paths) == 2 else 23
            ax.set_title("\n".join(textwrap.wrap(path.panel.title, width)), pad=8)
            ax.set_ylabel(path.panel.unit, size=8.5)
            ax.yaxis.set_major_formatter(lambda x, _: f"{x:,g}")
            _mark(ax, items, others, scenario)
            if at == 0:
                _name(ax, days, q[1][thin], middle[thin], path.within[thin], colour)
        figure.align_titles()
        settle(figure)
        held = io.BytesIO()
        figure.savefig(held, format="png", dpi=DPI)
    small = io.BytesIO()
    # Few colours are all there is: a palette of 64 makes the file a third as large.
    flat = Image.open(held).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    flat.save(small, format="png", optimize=True)
    return small.getvalue()


def _span(item: Any, scenario: Scenario) -> tuple[date | None, date | None]:
    """Return the first day in force and the first no longer, as far as they lie in the run."""
    start = item.start if isinstance(item.start, date) else None
    end = item.end if isinstance(item.end, date) else None
    if start and not end and isinstance(item.duration, int | float):
        end = start + timedelta(days=round(item.duration))
    return start, end if end and end < scenario.end else None


def _ground(items: list[Any], scenario: Scenario) -> str:
    """Return in words what an example gives its kind to act on."""
    words = []
    for item in items:
        start, end = _span(item, scenario)
        dates = f" from {start:%B %Y}" if start else ""
        dates += f" to {end:%B %Y}" if end else ""
        words.append(f"{item.note.rstrip('.') or item.kind.replace('_', ' ')}{dates}")
    return "; ".join(words)


def _height(axes: Any, drawn: np.ndarray, path: Shown) -> None:
    """Let the axis begin at zero, unless what is to be seen would be too flat then."""
    low, high = float(drawn.min()), float(drawn.max())
    apart = float(np.abs(np.median(path.own - path.calm, axis=1)).max())
    if high <= 0.0 <= low:
        axes.set_ylim(0.0, 1.0)
    elif low >= 0.0 and (low < 0.6 * high or apart > 0.15 * high):
        axes.set_ylim(0.0, 1.12 * high)
    else:
        room = max(0.12 * (high - low), 0.02 * abs(high))
        axes.set_ylim(low - room, high + room)


def _mark(axes: Any, items: Iterable[Any], others: Iterable[Any], scenario: Scenario) -> None:
    """Shade what is in force in both cases, and draw the first and the last day of the kind."""
    from lodestone.report.style import FAINT, INK

    for item in others:
        start, end = _span(item, scenario)
        if start:
            axes.axvspan(start, end or scenario.end, color=FAINT, alpha=0.5, linewidth=0, zorder=0)
    for when in {d for item in items for d in _span(item, scenario) if d}:
        axes.axvline(when, color=INK, linewidth=0.8, linestyle=(0, (3, 3)), zorder=1)


def _name(axes: Any, days: list[Any], own: Any, calm: Any, within: Any, colour: str) -> None:
    """Write `with` and `without` beside the two lines where they are far apart."""
    from lodestone.report.style import GREY

    last = len(days) - 1
    apart = np.abs(own - calm) * within
    at = int(np.median(np.flatnonzero(apart >= 0.8 * apart.max())))
    over = own[at] >= calm[at]
    low, high = axes.get_ylim()
    for value, text, shade, up in ((own, "with", colour, over), (calm, "without", GREY, not over)):
        if (up and value[at] > high - 0.1 * (high - low)) or (
            not up and value[at] < low + 0.1 * (high - low)
        ):
            up = not up
        axes.annotate(
            text,
            (days[at], float(value[at])),
            xytext=(0, 4 if up else -4),
            textcoords="offset points",
            ha="right" if at > 0.8 * last else "left",
            va="bottom" if up else "top",
            color=shade,
            weight="bold",
            size=8.5,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.6},
        )


def draw(kinds: Iterable[str]) -> Iterator[tuple[str, list[Shown], int]]:
    """Run the examples of kinds and write their pictures; yield kind, panels and bytes written."""
    for kind in kinds:
        paths = both(kind)
        content = picture(kind, paths)
        target = picture_file(kind)
        part = target.with_name(f".{target.name}.part")
        part.write_bytes(content)
        part.replace(target)
        yield kind, paths, len(content)


def picture_file(kind: str) -> Path:
    """Return where the picture of a kind stands."""
    return DOCS / "img" / f"kind_{kind}.png"
