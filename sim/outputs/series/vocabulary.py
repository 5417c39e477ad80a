"""The one list of what can be seen of a run: a name, a unit, and how it is read off a market day.

A *series* is one number of every world on every market day. It is defined once, by a function under
:func:`series`; facts of episodes, replay, the documentation's pictures, tests and the recorder read
it from here, and a metric that bears the name of a series is a statistic of it. What a part keeps
of a series, row by row, stands in `lodestone.outputs.series.kept`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lodestone.border.words import unknown
from lodestone.outputs.series.asked import Asked, Query
from lodestone.outputs.series.sums import Look

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun

#: What series of trade, of use and of prices may be asked of.
TRADE = ("material", "element", "stage", "origin", "destination", "channel", "region")
USE = ("material", "element", "stage", "region", "sector", "tier")
PRICE = ("material", "element", "stage", "market", "region")
#: Every selector of a series, and the two that say which run and what length of period.
SELECTORS = (
    "material", "element", "stage", "region", "sector", "tier", "facility", "origin",
    "destination", "channel", "market", "item", "design", "case", "per",
)  # fmt: skip
CHANNELS = ("declared", "grey", "all")
#: Ways in which a user gets by with less: without heavy elements, or without rare earths.
DESIGNS = ("heavy_free", "ree_free")


@dataclass(frozen=True)
class Quantity:
    """A series by name.

    Attributes
    ----------
    name, unit : str
        ``unit`` is that of one value; a flow adds the period.
    kind : str
        ``flow`` adds up over time, ``level`` is averaged, ``share`` is one flow over another,
        ``last`` and ``to_date`` count from a first day on.
    about : str
        What it is, in a sentence.
    selectors : tuple of str
        What it may be asked of.
    look : callable
        ``look(asked)`` gives what reads a market day.
    goods : str
        Materials that are meant where none is named.
    of_element : str
        The same where an element is named.
    arrives : bool
        Whether a market day's value belongs to the days before it (what has landed since).
    """

    name: str
    unit: str
    kind: str
    about: str
    selectors: tuple[str, ...]
    look: Callable[[Asked], Look]
    goods: str
    of_element: str
    arrives: bool

    def meant(self, query: Query) -> str:
        """Materials that a query of this series means where it names none."""
        if query.get("sector") is not None:
            return "all"
        return self.goods if query.get("element") is None else self.of_element

    def on(self, query: Query, run: BatchRun) -> Look:
        """What reads the series off each market day of a batch that has not started yet.

        Raises
        ------
        Absent
            The run has no such series.
        """
        return self.look(Asked(query, run, self.meant(query)))


#: Series by name, in the order of their files.
SERIES: dict[str, Quantity] = {}


def series(
    unit: str,
    kind: str,
    selectors: tuple[str, ...],
    goods: str,
    *,
    of_element: str | None = None,
    arrives: bool = False,
) -> Callable[[Callable[[Asked], Look]], Callable[[Asked], Look]]:
    """Register a series under its function's name; its docstring says what it is."""

    def register(look: Callable[[Asked], Look]) -> Callable[[Asked], Look]:
        name = look.__name__
        if name in SERIES:
            raise ValueError(f"two series are called {name}")
        about = " ".join((look.__doc__ or "").split("\n\n")[0].split())
        SERIES[name] = Quantity(
            name, unit, kind, about, selectors, look, goods, of_element or goods, arrives
        )
        return look

    return register


def find_series(name: str) -> Quantity:
    """A series by name.

    Raises
    ------
    InputError
        Unknown; names the nearest.
    """
    if name not in SERIES:
        raise unknown("series", name, SERIES, key=name)
    return SERIES[name]
