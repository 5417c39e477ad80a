"""What a part keeps of the series, row by row: the arrays of a run on disk, declared once.

The recorder fills these arrays, `lodestone.outputs.kept.Series` hands them to metrics, tables read
them from the parts. Rows that add up to a series of the vocabulary say so (``of``); a test holds the
two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from lodestone.outputs.series.vocabulary import SERIES


@dataclass(frozen=True)
class Kept:
    """An array of a part.

    Attributes
    ----------
    name, of : str
        ``of`` is the series of which it holds the rows; empty where nothing else asks for it.
    axis : str
        What its rows are; see `lodestone.outputs.labels.Labels`.
    per : str
        One step of its first axis: a market day (``week``), ``month``, ``quarter`` or ``year``.
    unit : str
    about : str
        What it is, where its series does not say so.
    code : bool
        Whether it holds small whole numbers, not quantities.
    """

    name: str
    of: str
    axis: str
    per: str
    unit: str
    about: str = ""
    code: bool = False

    def what(self) -> str:
        """What it is, in a sentence."""
        return self.about or SERIES[self.of].about


def _gross(rows: str) -> str:
    return f"planned use less what arrives, averaged over four weeks, by {rows}"


_ALL = (
    Kept("planned", "planned_t", "group", "week", "t a week"),
    Kept("gross", "", "group", "week", "t a week", _gross("group")),
    Kept("unmet", "unmet_t", "group", "week", "t a week"),
    Kept("military_planned", "planned_t", "military_group", "week", "t a week"),
    Kept("military_gross", "", "military_group", "week", "t a week", _gross("military users")),
    Kept("military_unmet", "unmet_t", "military_group", "week", "t a week"),
    Kept("home", "price_home", "material", "week", "USD/kg"),
    Kept("ask", "price_ask", "priced_cell", "week", "USD/kg"),
    Kept("paid", "price_paid", "priced_cell", "week", "USD/kg"),
    Kept("cost", "cost_usd_million", "cost", "week", "USD million a week"),
    Kept("licences", "licences_granted_share", "run", "week", "share"),
    Kept("stopped", "stoppages", "group", "week", "yes or no",
         "whether a class of users of the group stands still", code=True),
    Kept("caught_up", "", "group", "week", "t a week", "use put off earlier and made up now"),
    Kept("reserve_bought", "", "region", "week", "USD million a week", "what public reserves buy, at the ask"),
    Kept("reserve_sold", "", "region", "week", "USD million a week", "what public reserves sell, at the ask"),
    Kept("declared", "exports_t", "link", "month", "t per month"),
    Kept("grey", "leak_t", "link", "month", "t per month"),
    Kept("output", "production_t", "cell", "month", "t per month"),
    Kept("stock", "stock_t", "cell", "month", "t",
         "stocks of makers, traders and users at the end of the month"),
    Kept("reserve", "reserve_t", "cell", "month", "t"),
    Kept("rent", "", "link", "month", "USD million per month", "rent of quotas on what is declared"),
    Kept("used", "use_t", "cell", "month", "t per month", "what users take"),
    Kept("ore", "ore_t", "ore_link", "month", "t per month"),
    Kept("binding", "", "group", "month", "code",
         "what binds users who go short: stage plus 8 x (element + 1)", code=True),
    Kept("available", "able_t", "plant", "year", "t a year"),
    Kept("idle", "", "plant", "year", "t a year", "what plants could make but do not for want of margin"),
    Kept("recycled", "", "region_element", "year", "t per year", "oxide won from scrap and old goods"),
    Kept("gap", "", "gap", "quarter", "t per quarter", "how planned use of each element is met"),
)  # fmt: skip
#: Arrays of a part by name.
KEPT = {item.name: item for item in _ALL}
