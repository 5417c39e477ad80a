"""Words for what a run is taken apart into: costs, ways of meeting use, stages that bind."""

from __future__ import annotations

#: Items of the cost curve, USD million a week; parts overlap (premium is inside purchase).
COST_ITEMS = ("purchase", "premium", "tariff", "holding", "lost_output", "public_outlay")
#: What can bind, in the order of the codes of the bottleneck series.
STAGES = ("none", "trade", "magnet", "metal", "separation")
#: What makes up planned use, in the order of the series.
ITEMS = (
    "exporter",  # declared imports from the region that sets home prices
    "others",  # net imports from everybody else, less what is lost in making metal: rerouting
    "new_supply",  # separated in the region itself
    "recycling",  # won from scrap and old goods
    "scrap_left",  # what making magnets leaves as scrap: never positive
    "leak",  # undeclared imports
    "stock_draw",  # taken out of stocks of sellers, plants, users and the public, and of goods at sea
    "demand_destruction",  # not wanted at these prices
    "substitution",  # designed away, lighter or without
    "unmet",  # wanted and not there (less what is made up later)
)


def row_of(item: str, region: int, element: int, regions: int, elements: int) -> int:
    """Row of an item in the series."""
    return (ITEMS.index(item) * regions + region) * elements + element
