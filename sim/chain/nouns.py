"""The glossary: every noun of the supply chain by name, and the `Chain` that holds them all.

Every noun is one row of a seeds table: where goods are and what they are made of (`supply`), who uses
them and what it costs (`demand`), and on what the numbers stand (`evidence`). Nothing here reads
files, draws random numbers or changes.
"""

from __future__ import annotations

from lodestone.chain.demand import (
    Cost,
    DemandRow,
    OxideUse,
    PlantCost,
    Price,
    Sector,
    Stockpile,
    TierShare,
)
from lodestone.chain.evidence import (
    Assumption,
    Claim,
    Parameter,
    PolicyFact,
    Source,
    TradeFact,
    Vintage,
)
from lodestone.chain.row import (
    BASES,
    COMPARISONS,
    CONFIDENCES,
    FORMS,
    GRADES,
    OWNERS,
    ROLES,
    STAGES,
    STATUSES,
    TIERS,
    Row,
)
from lodestone.chain.supply import (
    Baseline,
    Bloc,
    BlocMember,
    ConcentrateTrade,
    Country,
    Element,
    Facility,
    Material,
    MixShare,
    Recipe,
    Region,
    Route,
    TradePrior,
)
from lodestone.chain.whole import Chain

__all__ = [
    "BASES",
    "COMPARISONS",
    "CONFIDENCES",
    "FORMS",
    "GRADES",
    "OWNERS",
    "ROLES",
    "STAGES",
    "STATUSES",
    "TIERS",
    "Assumption",
    "Baseline",
    "Bloc",
    "BlocMember",
    "Chain",
    "Claim",
    "ConcentrateTrade",
    "Cost",
    "Country",
    "DemandRow",
    "Element",
    "Facility",
    "Material",
    "MixShare",
    "OxideUse",
    "Parameter",
    "PlantCost",
    "PolicyFact",
    "Price",
    "Recipe",
    "Region",
    "Route",
    "Row",
    "Sector",
    "Source",
    "Stockpile",
    "TierShare",
    "TradeFact",
    "TradePrior",
    "Vintage",
]
