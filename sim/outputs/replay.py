"""A way into the array: one world told tick by tick in names."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

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
        say = self.lines.append
        say(f"== {today}")
        active = [e.name for e in run.effects if e.share(now, now + run.market_days)[0] > 0]
        say(f"  rules in force: {', '.join(active) or 'none'}")
        if rules.licences:
            share = run.day.office.granted_share()[0]
            say(
                f"  licences granted of filed to date: {share:.0%}"
                if share == share
                else "  no applications yet"
            )
        for book in run.day.quotas:
            say(f"  quota left {book.left[0]:,.0f} t, rent {book.rent[0]:.2f} USD/kg")
        say("  prices, USD/kg (home; mean ask outside; base year in brackets):")
        for m, name in enumerate(lay.materials):
            cells = [
                c
                for c in range(lay.cells.n)
                if lay.cells.material[c] == m and not lay.cells.home[c]
            ]
            ask = float(np.exp(st.log_ask[cells, 0]).mean()) if cells else float("nan")
            say(
                f"    {name:24s} {np.exp(st.log_home[m, 0]):9.2f} {ask:9.2f}"
                f"   ({np.exp(lay.prices.home[m, 0]):.2f}; {np.exp(lay.prices.ask[m, 0]):.2f})"
            )
        say("  stock, output, shipments abroad of the largest cells, t:")
        crossing = np.where(lay.links.home[:, None], 0.0, f["declared"])
        out = lay.links.sum_by_origin(np.ascontiguousarray(crossing))
        order = np.argsort(-f["output"][:, 0])[:14]
        for c in order:
            m, r = lay.cells.keys[c]
            say(
                f"    {m:24s} {r:16s} stock {st.seller_stock[c, 0]:9.1f} made {f['output'][c, 0]:8.1f}"
                f" shipped abroad {out[c, 0]:8.1f}"
            )
        short = f["unmet"][:, 0]
        if np.any(short > 0.01):
            say("  users who go short, t missing (share of what they want):")
            for u in np.argsort(-short)[:12]:
                if short[u] > 0.01:
                    s, m, r = lay.users.keys[u]
                    s += " (military)" if lay.users.defence[u, 0] == 1.0 else ""
                    share = short[u] / max(f["wanted"][u, 0], 1e-12)
                    say(f"    {s:30s} {m:24s} {r:16s} {short[u]:8.2f} ({share:.0%})")
        else:
            say("  nobody goes short")
        grey = float(f["grey"][:, 0].sum())
        if grey > 0:
            say(f"  grey shipments {grey:.2f} t")
