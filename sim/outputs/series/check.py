"""A series as somebody asks for it, held against the list of series and the words of a chain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lodestone.border.errors import InputError
from lodestone.border.words import unknown
from lodestone.chain import naming
from lodestone.chain.nouns import STAGES, TIERS, Chain
from lodestone.outputs.items import COST_ITEMS
from lodestone.outputs.series.asked import Query
from lodestone.outputs.series.vocabulary import CHANNELS, DESIGNS, SERIES, TRADE, Quantity

#: Series that say nothing without a selector of this name.
NEEDED = {"moved_share": "design", "cost_usd_million": "item"}


def check_query(query: Query, chain: Chain, file: Any, key: str) -> Query:
    """Check the names of a query against the chain; return it with aliases resolved.

    ``region`` means the origin of exports and leaks and the destination of imports.

    Raises
    ------
    InputError
        An unknown series, selector or name; names the nearest known one.
    """
    if query.metric not in SERIES:
        raise unknown("metric", query.metric, SERIES, file, f"{key}.metric")
    item, words = SERIES[query.metric], {}
    for selector, names in query.words:
        _check_names(item, selector, names, chain, file, f"{key}.{selector}")
        words[selector] = names
    if "region" in words and item.selectors == TRADE:
        side = "destination" if item.arrives else "origin"
        if side in words:
            message = f"'region' means the {side} here, and both are given"
            raise InputError(message, file=file, key=f"{key}.region")
        words[side] = words.pop("region")
    meant = Query(query.metric, tuple(sorted(words.items())), query.case, query.per)
    _check_enough(item, meant, chain, file, key)
    return meant


def _vocabulary(chain: Chain) -> dict[str, Iterable[str]]:
    """Words of the selectors that are neither places nor materials."""
    return {
        "element": chain.elements,
        "stage": STAGES,
        "sector": chain.sectors,
        "tier": TIERS,
        "facility": chain.facilities,
        "channel": CHANNELS,
        "item": COST_ITEMS,
        "design": DESIGNS,
    }


def _check_names(
    item: Quantity, selector: str, names: Iterable[str], chain: Chain, file: Any, key: str
) -> None:
    """Refuse a selector that the series does not take, and a word that it does not know."""
    if selector not in item.selectors:
        error = unknown("selector", selector, (*item.selectors, "case", "per"), file, key)
        error.message = f"{item.name} takes no selector '{selector}'"
        raise error
    for name in names:
        if selector == "material":
            chain.materials_named(name, file, key)
        elif selector in ("region", "origin", "destination", "market"):
            naming.places(chain, name, file, key)
        elif name not in (known := _vocabulary(chain)[selector]):
            raise unknown(selector, name, known, file, key)


def _check_enough(item: Quantity, query: Query, chain: Chain, file: Any, key: str) -> None:
    """Refuse a query that says too little to mean something, or means nothing."""
    words, default = {selector for selector, _ in query.words}, item.meant(query)

    def refuse(message: str, hint: str | None = None, at: str = key) -> InputError:
        return InputError(message, file=file, key=at, hint=hint)

    if item.name.startswith("price_"):
        if not {"material", "element"} & words:
            message = "a price needs a material (or an element, for its oxide)"
            raise refuse(message, "Write for example material: dy_oxide.")
        if not query.priced(chain, default):
            hint = "Ore is paid by what it contains: ask for an oxide."
            raise refuse("has no price of its own", hint, f"{key}.material")
    if item.name == "production_t" and not {"material", "element", "stage", "facility"} & words:
        message = "production needs a material, an element, a stage or a facility"
        raise refuse(message, "Write for example material: ndfeb_magnets.")
    needed = NEEDED.get(item.name)
    if needed is not None and needed not in words:
        raise refuse(
            f"{item.name} needs {needed}", f"One of {', '.join(_vocabulary(chain)[needed])}."
        )
    if "material" in item.selectors and not query.goods(chain, default):
        raise refuse("material, stage and element name nothing in common")
