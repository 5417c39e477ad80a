"""Merit order: what each plant could make, and at what cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.chain.nouns import Chain
from lodestone.outputs.parts import Parts, bands
from lodestone.outputs.tables.registry import Source, table
from lodestone.worlds.made import content, nameplate

if TYPE_CHECKING:
    import pandas as pd


@table(
    words=("case", "stage", "element", "facility", "region", "bloc", "basis"),
    numbers=("year", "unit_cost_usd_per_kg", "available_t", "cumulative_t"),
    reads=("available", "output", "declared"),
)
def supply_curve(src: Source) -> pd.DataFrame:
    """Merit order by year, case, stage and element: cost and available tonnes by plant.

    Under the scenario, the part of an exporter's output that buyers abroad used to take
    counts only as far as it passed in that year.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    cases: list[tuple[str, Parts]] = [("scenario", src.scenario)]
    if src.reference:
        cases.insert(0, ("reference", src.reference))
    passes = _passes(src)
    for case, parts in cases:
        chain = src.chain if case == "scenario" else src.calm_chain
        available = bands(parts.array("available"))[1][1]  # (years, f)
        online = (parts.array("available") > 0).mean(axis=-1)
        for y, year in enumerate(src.labels.years):
            for f, (name, *_) in enumerate(parts.rows.facilities):
                if online[y, f] < 0.5:
                    continue
                item = chain.facilities[name]
                for element in item.contents():
                    tonnes = float(available[y, f]) * content(item, chain, element)
                    if tonnes <= 0.0:
                        continue
                    if case == "scenario":
                        tonnes *= passes.get((year, item.region, item.stage, element), 1.0)
                    cash = _unit_cost(chain, item, element)
                    for basis, cost in (
                        ("cash", cash),
                        (
                            "incentive",
                            cash + _capital_charge(chain, item, element, src.discount_rate),
                        ),
                    ):
                        rows.append(
                            {
                                "year": year,
                                "case": case,
                                "stage": item.stage,
                                "element": element,
                                "facility": item.name,
                                "region": item.region,
                                "bloc": _bloc(item.region),
                                "unit_cost_usd_per_kg": cost,
                                "available_t": tonnes,
                                "basis": basis,
                            }
                        )
    frame = pd.DataFrame(rows)
    keys = ["year", "case", "stage", "element", "basis"]
    frame = frame.sort_values(
        [*keys, "unit_cost_usd_per_kg", "facility"], kind="stable", ignore_index=True
    )
    frame["cumulative_t"] = frame.groupby(keys)["available_t"].cumsum()
    names = "year case stage element facility region bloc unit_cost_usd_per_kg available_t"
    return frame[[*names.split(), "cumulative_t", "basis"]]


def _passes(src: Source) -> dict[tuple[int, str, str, str], float]:
    """Share of an exporter's output of an element still to be had, by year and stage."""
    out: dict[tuple[int, str, str, str], float] = {}
    if not src.reference:
        return out
    calm = src.reference.rows
    made = src.reference.means("output")
    shipped = {p: p.means("declared") for p in (src.scenario, src.reference)}

    forms = {
        parts: (np.array(parts.rows.form)[parts.rows.l_material], ~parts.rows.l_home)
        for parts in shipped
    }
    c_forms = np.array(calm.form)[calm.c_material]

    def abroad(parts: Parts, months: list[int], r: int, form: str, e: int) -> float | None:
        """What leaves a region across borders, t of the element; None without a way."""
        lay = parts.rows
        of_link, crosses = forms[parts]
        links = (
            crosses
            & (lay.l_region_from == r)
            & (of_link == form)
            & (lay.contents[lay.l_material, e] > 0)
        )
        if not links.any():
            return None
        weight = lay.contents[lay.l_material[links], e]
        return float((shipped[parts][months][:, links] * weight).sum())

    for year in src.labels.years:
        months = [i for i, m in enumerate(src.labels.months) if m.startswith(str(year))]
        for stage, form in (("separation", "oxide"), ("metal", "metal"), ("magnet", "magnet")):
            for e, element in enumerate(calm.elements):
                for r, region in enumerate(calm.regions):
                    then = abroad(src.reference, months, r, form, e)
                    now = abroad(src.scenario, months, r, form, e)
                    if not then or now is None:
                        continue
                    cells = (calm.c_region == r) & (c_forms == form)
                    output = float(
                        (made[months][:, cells] * calm.contents[calm.c_material[cells], e]).sum()
                    )
                    if output <= 0.0:
                        continue
                    lost = min(then / output, 1.0) * max(1.0 - now / then, 0.0)
                    out[(year, region, stage, element)] = 1.0 - lost
    return out


def _bloc(region: str) -> str:
    """Bloc under which a plant stands in the merit order (by region; see the blocs table)."""
    allied = {"australia", "canada", "europe", "japan", "south_korea", "united_states"}
    if region == "china":
        return "china"
    return "allies" if region in allied else "others"


def _unit_cost(chain: Chain, item: Any, element: str) -> float:
    """Cash cost of a kilogram of an element at a plant, joint cost shared by value."""
    prices = {
        e: chain.prices[(m, "home")].usd_per_kg
        for m, x in chain.materials.items()
        if x.form == "oxide" and (e := x.element) and (m, "home") in chain.prices
    }
    if item.stage == "mine":
        mix = chain.mixes[item.mix or ""]
        basket = sum(share * prices.get(e, 0.0) for e, share in mix.items())
        return float(item.unit_cost_usd_per_kg * prices[element] / max(basket, 1e-9))
    if item.stage in ("separation", "recycling"):
        held = nameplate(item, chain)
        basket = sum(t * prices.get(e, 0.0) for e, t in held.items())
        whole = item.capacity_t_per_year or 1.0
        return float(item.unit_cost_usd_per_kg * whole * prices[element] / max(basket, 1e-9))
    # Conversion is stated per kg of product; the curve counts kg of the element in it.
    share = content(item, chain, element)
    return float(item.unit_cost_usd_per_kg / max(share, 1e-3))


def _capital_charge(chain: Chain, item: Any, element: str, rate: float) -> float:
    """Yearly capital cost of a kilogram: an annuity over 15 years at the discount rate."""
    annuity = rate / (1.0 - (1.0 + rate) ** -15.0)
    capital = chain.plant_cost(item.stage, item.region).capital_usd_per_kg_year
    share = 1.0
    if item.stage == "mine":
        prices = chain.prices[(f"{element}_oxide", "home")].usd_per_kg
        mix = chain.mixes[item.mix or ""]
        basket = sum(
            s * chain.prices[(f"{e}_oxide", "home")].usd_per_kg
            for e, s in mix.items()
            if (f"{e}_oxide", "home") in chain.prices
        )
        share = prices / max(basket, 1e-9)
    return capital * annuity * share
