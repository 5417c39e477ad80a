"""The first day of some worlds before any intervention: drawn once, copied for whoever starts there.

Draws, announced plants, coefficients and the steady state depend on the layout, on the numbers of
behaviour, on the random seed, the worlds and the length of a market day, and on nothing that a
measure says. Points of a study that differ in numbers of measures start from the same day. Where
they stand side by side in one batch, the day is worked out for the worlds of one of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.abreast import Abreast
from lodestone.border.numbers import Distribution
from lodestone.chain.nouns import Chain, Parameter
from lodestone.engine.tick import market_of, open_market
from lodestone.equations.demand import growth_multiple
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market
from lodestone.worlds.projects import Projects
from lodestone.worlds.randomness import draw, uniforms
from lodestone.worlds.state import Draws

if TYPE_CHECKING:
    from lodestone.engine.ground import Ground
    from lodestone.worlds.layout import Layout

#: First days kept in a process, the latest used last, and their worlds in all: some 0.3 MB a world.
KEPT, WORLDS_KEPT = 8, 128
#: Middle and last year of the demand tables.
MIDDLE_YEAR, LAST_YEAR = 2030.5, 2035.5
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Opening:
    """A first day; nothing writes into it, whoever starts there takes copies.

    Attributes
    ----------
    draws : dict
        Behavioural parameters, shape (1,) or (w,) each.
    projects : Projects
        Announced plants, as drawn.
    times : int
        How often the worlds of its market stand side by side in draws and projects.
    """

    draws: Draws
    projects: Projects
    _market: Market
    times: int = 1

    def beside(self, times: int) -> Opening:
        """The first day of the same worlds several times, side by side."""
        if times == 1:
            return self
        wide = len(self._market.worlds)
        draws = {k: np.tile(v, times) if v.size == wide else v for k, v in self.draws.items()}
        return replace(self, draws=draws, projects=self.projects.copy(times), times=times)

    def market(self, online: np.ndarray) -> Market:
        """The market of that day, with a state and books of its own.

        Parameters
        ----------
        online : ndarray, shape (f, w)
            Day on which each plant comes on line (``inf``: never).
        """
        held = self._market
        if self.times > 1:
            state, worlds = held.state.spread(self.times), np.tile(held.worlds, self.times)
            growth = growth_path(held.layout, self.draws, held.layout.start)
            return market_of(held.layout, self.draws, online, held.days, worlds, growth, state)
        state = held.state.copy()
        office, ledger = state.books
        own: dict[str, Any] = {"office": office, "ledger": ledger, "quotas": [], "flows": Flows()}
        return replace(held, state=state, online=online, **own)


_kept: OrderedDict[tuple[Any, ...], tuple[Layout, Opening]] = OrderedDict()
#: How many first days this process has drawn: tests count them.
drawn = 0


def opening_of(
    ground: Ground, behaviour: dict[str, Any], seed: int, worlds: np.ndarray, market_days: float
) -> Opening:
    """The first day of some worlds; the one at hand where an earlier one is the same.

    Parameters
    ----------
    ground : Ground
        What all worlds share.
    behaviour : dict
        Overrides of numbers of behaviour, see `draw_parameters`.
    worlds : ndarray of int, shape (w,)
        Where the same ones come again and again, the day is worked out for them once.
    market_days : float
        Length of a tick, days.
    """
    global drawn
    lay = ground.layout
    by_world = any(isinstance(v, np.ndarray | Abreast) for v in behaviour.values())
    times = 1 if by_world else _times(worlds)
    worlds = worlds[: len(worlds) // times]
    said = sorted((k, _text(v)) for k, v in behaviour.items())
    key = (id(lay), tuple(said), seed, worlds.tobytes(), float(market_days))
    if key not in _kept:
        draws = draw_parameters(lay.chain, behaviour, seed, worlds)
        projects = Projects(lay, draws, seed, worlds)
        growth = growth_path(lay, draws, lay.start)
        market = open_market(lay, draws, projects.online(), market_days, worlds, growth)
        # The layout is held, so that no other one takes its place in memory and its worlds.
        _kept[key] = lay, Opening(draws, projects, market)
        drawn += 1
        while len(_kept) > 1 and (len(_kept) > KEPT or _worlds_kept() > WORLDS_KEPT):
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    return _kept[key][1].beside(times)


def _times(worlds: np.ndarray) -> int:
    """How often the same worlds, at least two columns of them, stand side by side."""
    again = np.flatnonzero(worlds == worlds[0])
    wide = max(int(again[1]), 2) if len(again) > 1 else len(worlds)
    times, left = divmod(len(worlds), wide)
    return times if not left and np.array_equal(np.tile(worlds[:wide], times), worlds) else 1


def _worlds_kept() -> int:
    return sum(o.projects.luck.shape[1] for _, o in _kept.values())


def _text(value: Any) -> Any:
    """An override fit for a key: a value a world by its bytes."""
    return value.tobytes() if isinstance(value, np.ndarray) else repr(value)


def parameter_spec(item: Parameter) -> float | Distribution:
    """What a behavioural parameter is drawn from: its range, or its value where it has none."""
    value = float(item.default)  # type: ignore[arg-type]
    if item.shape == "fixed" or item.low is None or item.high is None or item.low >= item.high:
        return value
    if item.shape == "uniform":
        return Distribution("uniform", (("low", item.low), ("high", item.high)))
    mode = min(max(value, item.low), item.high)
    return Distribution("triangular", (("low", item.low), ("mode", mode), ("high", item.high)))


def draw_parameters(
    chain: Chain, overrides: dict[str, Any], seed: int, worlds: np.ndarray
) -> Draws:
    """Behavioural parameters of every world.

    Parameters
    ----------
    chain : Chain
    overrides : dict
        Dotted name -> number or Distribution, as the scenario gives it; or an array with one
        value a world.
    seed : int
    worlds : ndarray of int, shape (w,)

    Returns
    -------
    dict
        Name -> values of shape (1,) or (w,), and ``NAME.default`` -> its default, shape (1,).
    """
    out: Draws = {}
    # What history has pinned comes together, as one member of the posterior a world; the rest
    # keeps its prior.
    one = two = np.zeros(len(worlds), dtype=int)
    part = np.zeros(len(worlds))
    if chain.posterior:
        # A little of a second member goes in, and a hair, so that no two worlds are the same.
        members = len(next(iter(chain.posterior.values())))
        one = (uniforms(seed, "posterior/member", worlds) * members).astype(int)
        two = (uniforms(seed, "posterior/second", worlds) * members).astype(int)
        part = 0.25 * uniforms(seed, "posterior/part", worlds)
    for name, item in chain.parameters.items():
        if item.default is None or isinstance(item.default, str):
            continue
        if name in overrides:
            spec = overrides[name]
        elif name in chain.posterior:
            values = np.array(chain.posterior[name])
            near = 0.02 * (uniforms(seed, f"posterior/{name}", worlds) - 0.5) * np.ptp(values)
            spec = values[one] + (values[two] - values[one]) * part + near
            least, most = values.min(), values.max()
            spec = least + np.abs(spec - least)  # turned back at the edges
            spec = most - np.abs(most - spec)
        else:
            spec = parameter_spec(item)
        if isinstance(spec, np.ndarray):  # one value a world, as a calibration gives it
            out[name] = np.resize(spec, len(worlds)) if spec.size == 1 else spec
        else:
            out[name] = draw(spec, seed, f"parameter/{name}", worlds)
        out[f"{name}.default"] = np.full(1, float(item.default))
    return out


def growth_path(layout: Layout, draws: Draws, start: date) -> Callable[[float], np.ndarray]:
    """Demand multiple of the base year by sector and day.

    Compound growth between mid-2024, mid-2030 and mid-2035, and on at the last rate, which fades
    with the time constant ``demand.fade_years``; scaled by ``demand.growth_scale`` in logs (0
    keeps the base year). Magnets grow faster or slower than published by ``demand.growth_outlook``,
    one draw for all uses: forecasters differ in the economy that they expect.
    """
    year0 = float(layout.chain.vintage.base_year) + 0.5
    rows = [layout.chain.sectors[s] for s in layout.sectors]
    g30 = np.log(np.maximum([s.growth_2030 for s in rows], 1e-6))[:, None]
    g35 = np.log(np.maximum([s.growth_2035 for s in rows], 1e-6))[:, None]
    scale = draws["demand.growth_scale"][None, :]
    fade = draws["demand.fade_years"][None, :]
    magnet = np.array([s.kind == "magnet" for s in rows])[:, None]
    outlook = magnet * draws["demand.growth_outlook"][None, :]
    logs = (g30 + outlook * (MIDDLE_YEAR - year0), g35 + outlook * (LAST_YEAR - year0))
    first = start.year + (start - date(start.year, 1, 1)).days / DAYS_PER_YEAR
    years = (year0, MIDDLE_YEAR, LAST_YEAR)

    def at(day: float) -> np.ndarray:
        return growth_multiple(first + day / DAYS_PER_YEAR, logs, fade, scale, years)

    return at
