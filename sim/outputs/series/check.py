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
from lodestone.outputs.series.vocabulary import CHANNELS, DESIGNS, SERIES, TRADE


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
    metric = SERIES[query.metric]
    known: dict[str, Iterable[str]] = {
        "element": chain.elements,
        "stage": STAGES,
        "sector": chain.sectors,
        "tier": TIERS,
        "facility": chain.facilities,
        "channel": CHANNELS,
        "item": COST_ITEMS,
        "design": DESIGNS,
    }
    words: dict[str, tuple[str, ...]] = {}
    for selector, names in query.words:
        here = f"{key}.{selector}"
        if selector not in metric.selectors:
            error = unknown("selector", selector, (*metric.selectors, "case", "per"), file, here)
            error.message = f"{query.metric} takes no selector '{selector}'"
            raise error
        for name in names:
            if selector == "material":
                chain.materials_named(name, file, here)
            elif selector in ("region", "origin", "destination", "market"):
                naming.places(chain, name, file, here)
            elif name not in known[selector]:
                raise unknown(selector, name, known[selector], file, here)
        words[selector] = names
    if "region" in words and metric.selectors == TRADE:
        side = "destination" if metric.arrives else "origin"
        if side in words:
            raise InputError(
                f"'region' means the {side} here, and both are given",
                file=file,
                key=f"{key}.region",
            )
        words[side] = words.pop("region")
    meant = Query(query.metric, tuple(sorted(words.items())), query.case, query.per)
    default = metric.meant(meant)
    if query.metric.startswith("price_"):
        if not {"material", "element"} & set(words):
            raise InputError(
                "a price needs a material (or an element, for its oxide)",
                file=file,
                key=key,
                hint="Write for example material: dy_oxide.",
            )
        if not meant.priced(chain, default):
            raise InputError("has no price of its own", file=file, key=f"{key}.material",
                             hint="Ore is paid by what it contains: ask for an oxide.")  # fmt: skip
    named = {"material", "element", "stage", "facility"} & set(words)
    if query.metric == "production_t" and not named:
        raise InputError(
            "production needs a material, an element, a stage or a facility",
            file=file,
            key=key,
            hint="Write for example material: ndfeb_magnets.",
        )
    for needed, least in (("design", "moved_share"), ("item", "cost_usd_million")):
        if query.metric == least and needed not in words:
            held = known[needed]
            raise InputError(f"{least} needs {needed}", file=file, key=key,
                             hint=f"One of {', '.join(held)}.")  # fmt: skip
    if "material" in metric.selectors and not meant.goods(chain, default):
        raise InputError("material, stage and element name nothing in common", file=file, key=key)
    return meant
