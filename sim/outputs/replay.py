"""A way into the array: one world told tick by tick in names, by the series of the one list."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from lodestone.outputs.series import Absent, Look, Query, check_query, find_series, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lodestone.engine.run import BatchRun
    from lodestone.worlds.conditions import Conditions


class Replay:
    """Tells each market day between two dates.

    Parameters
    ----------
    run : BatchRun
        A batch of one world (beside a copy of itself).
    first, last : date
        Days told, both inclusive.
    """

    def __init__(self, run: BatchRun, first: date, last: date) -> None:
        self.run, self.first, self.last = run, first, last
        self.lines: list[str] = []
        self.asks = [self._look("price_ask", material=m) for m in run.layout.materials]
        self.granted = self._look("licences_granted_share")
        self.leak = self._look("leak_t")

    def _look(self, name: str, **words: str) -> Look | None:
        """What reads a series, or None where the run has none such."""
        given = tuple((k, (v,)) for k, v in words.items())
        query = check_query(Query(name, given), self.run.chain, None, name)
        try:
            return find_series(name).on(query, self.run)
        except Absent:
            return None

    def head(self) -> Iterator[str]:
        """Who, which world, and what was drawn for it."""
        run = self.run
        yield f"{run.scenario.name}, world {int(run.asked[0])}, {self.first} to {self.last}"
        yield "drawn for this world:"
        for name, values in sorted(run.draws.items()):
            if values.size > 1 and not name.endswith(".default"):
                yield f"  {name} = {values[0]:.4g}"
        for what, where, _, days in run.timelines():
            if np.isfinite(days[0]):
                yield f"  {run.calendar.date_of(days[0])} {what} ({where})"

    def market_day(self, run: BatchRun, now: float, rules: Conditions) -> None:
        """Tell one market day."""
        today = run.calendar.date_of(now)
        if not self.first <= today <= self.last:
            return
        lay, st, f = run.layout, run.day.state, run.day.flows

        def value(look: Look | None) -> float:
            return float("nan") if look is None else float(np.ravel(look(run, rules)[0])[0])

        say = self.lines.append
        say(f"== {today}")
        active = [e.name for e in run.effects if e.share(now, now + run.market_days)[0] > 0]
        say(f"  rules in force: {', '.join(active) or 'none'}")
        if rules.licences:
            share = value(self.granted)
            say(
                f"  licences granted of filed to date: {share:.0%}"
                if share == share
                else "  no applications yet"
            )
        for book in run.day.quotas:
            say(f"  quota left {book.left[0]:,.0f} t, rent {book.rent[0]:.2f} USD/kg")
        say("  prices, USD/kg (home; ask outside, by what is used; base year in brackets):")
        home = rows.home(run)
        for m, name in enumerate(lay.materials):
            say(
                f"    {name:24s} {home[m, 0]:9.2f} {value(self.asks[m]):9.2f}"
                f"   ({np.exp(lay.prices.home[m, 0]):.2f}; {np.exp(lay.prices.ask[m, 0]):.2f})"
            )
        say("  stock, output, shipments abroad of the largest cells, t:")
        crossing = np.where(lay.links.home[:, None], 0.0, rows.declared(run, rows.ALL))
        made = rows.output(run, rows.ALL)[:, 0]
        out = lay.links.sum_by_origin(np.ascontiguousarray(crossing))
        order = np.argsort(-made)[:14]
        for c in order:
            m, r = lay.cells.keys[c]
            say(
                f"    {m:24s} {r:16s} stock {st.seller_stock[c, 0]:9.1f} made {made[c]:8.1f}"
                f" shipped abroad {out[c, 0]:8.1f}"
            )
        short = rows.missing(run)[:, 0]
        if np.any(short > 0.01):
            say("  users who go short, t missing (share of what they plan to use):")
            for u in np.argsort(-short)[:12]:
                if short[u] > 0.01:
                    s, m, r = lay.users.keys[u]
                    s += " (military)" if lay.users.defence[u, 0] == 1.0 else ""
                    share = short[u] / max(f.planned[u, 0], 1e-12)
                    say(f"    {s:30s} {m:24s} {r:16s} {short[u]:8.2f} ({share:.0%})")
        else:
            say("  nobody goes short")
        grey = value(self.leak)
        if grey > 0:
            say(f"  grey shipments {grey:.2f} t")
