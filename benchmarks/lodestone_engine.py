"""The toy chain through Lodestone's own engine: prices, orders, stocks and the ledger included.

The chain is built from the nouns of `lodestone.chain` with nothing read from `seeds/` but the parameters
of behaviour, each at its default. The engine does more than the other ways: buyers order, prices
move, every stage holds stocks, and the mass balance is checked each week. Therefore its tonnes
cannot equal theirs world by world; what must agree is the weekly rate when nothing breaks.

Differences that remain: inside a region goods arrive at once, a pair of regions has one transit
time at all stages, and what the plain chain piles up before a full stage is sold to another use.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from benchmarks.harness import runner
from benchmarks.toy import LANES, REGIONS, Toy, outage_draws

PER_YEAR = 365.25 / 7
START = date(2024, 1, 1)
ROW: dict[str, Any] = {"source": ("definition",), "date": "2024", "confidence": "low"}
STAGE_NAMES = ("mine", "separation", "metal", "magnet")


def steady(toy: Toy) -> list[dict[str, np.ndarray]]:
    """Return what arrives, is used and is made in a week at each stage when nothing breaks.

    Returns
    -------
    list of dict
        One entry a stage and a last one for the users: `arrives`, `used`, `made`, each (region,).
    """
    flows, arrives = [], np.zeros(REGIONS)
    stages = toy.facilities // REGIONS
    for stage in range(stages):
        capacity = toy.capacity[stage * REGIONS : (stage + 1) * REGIONS]
        used = capacity if stage == 0 else np.minimum(capacity, arrives)
        made = capacity if stage == 0 else used * toy.recovery
        flows.append({"arrives": arrives, "used": used, "made": made})
        here = toy.source // REGIONS == stage
        arrives = np.zeros(REGIONS)
        np.add.at(
            arrives,
            toy.destination[here] % REGIONS,
            toy.share[here] * made[toy.source[here] % REGIONS],
        )
    return [*flows, {"arrives": arrives, "used": arrives, "made": arrives}]


def region(index: int) -> str:
    """Return the name of a region of the toy chain."""
    return f"region_{index % REGIONS}"


def engine_chain(toy: Toy) -> Any:
    """Return the toy chain as a `lodestone.chain.nouns.Chain` of one element and four stages."""
    from dataclasses import replace

    from lodestone.chain import nouns
    from lodestone.chain.load import load_chain

    flows = steady(toy)
    magnets, metals, users = flows[3]["made"], flows[2]["made"], flows[4]["used"]
    regions = [region(r) for r in range(REGIONS)]
    goods = {
        "concentrate_light": ("concentrate", None, "t_reo"),
        "ndpr_oxide": ("oxide", "ndpr", "t_oxide"),
        "ndpr_metal": ("metal", "ndpr", "t_metal"),
        "ndfeb_standard": ("magnet", None, "t_magnet"),
    }
    price = {"ndpr_oxide": 60.0, "ndpr_metal": 80.0, "ndfeb_standard": 120.0}
    facilities = {}
    for f, capacity in enumerate(toy.capacity):
        stage, here = STAGE_NAMES[f // REGIONS], region(f)
        material = ("concentrate_light", "oxide", "ndpr_metal", "ndfeb")[f // REGIONS]
        facilities[f"{stage}_{here}"] = nouns.Facility(
            name=f"{stage}_{here}",
            title=f"{stage}, {here}",
            country=here,
            region=here,
            stage=stage,
            material=material,
            capacity_t_per_year=float(capacity) * PER_YEAR,
            capacity_basis=("t_reo", "t_reo", "t_metal", "t_magnet")[f // REGIONS],
            mix="pure" if stage == "mine" else None,
            recovery=toy.recovery if stage == "separation" else None,
            separates=("all",) if stage == "separation" else (),
            status="operating",
            unit_cost_usd_per_kg=1.0,
            owner_bloc="other",
            role="existing",
            **ROW,
        )
    surplus = np.maximum(flows[2]["arrives"] - flows[2]["used"], 0.0)
    # What is made of metal beyond what magnets draw has no use in the engine: scale metal to it.
    recipes = {
        output: {
            source: nouns.Recipe(
                output=output,
                input=source,
                input_t_per_t_output=1 / toy.recovery,
                contained_element_t_per_t_output=1.0,
                **ROW,
            )
        }
        for output, source in (("ndpr_metal", "ndpr_oxide"), ("ndfeb_standard", "ndpr_metal"))
    }
    lanes = [
        (form, region(r), region(r + step), share)
        for form in ("oxide", "metal", "magnet")
        for r in range(REGIONS)
        for step, share in LANES
    ]
    days = {
        (region(s), region(d)): float(t) * 7
        for s, d, t in zip(toy.source, toy.destination, toy.transit, strict=True)
        if s < REGIONS and s % REGIONS != d % REGIONS
    }
    sectors = {
        name: nouns.Sector(
            name=name,
            title=name,
            kind=kind,
            growth_2030=1.0,
            growth_2035=1.0,
            cover_weeks=4.6,
            elasticity_short=0.05,
            heavy_free_ceiling=0.0,
            ree_free_ceiling=0.0,
            substitution_lag_weeks=90.0,
            lost_output_usd_per_kg=1000.0,
            lifetime_years=10.0,
            **ROW,
        )
        for name, kind in (("users", "magnet"), ("other_uses", "oxide"))
    }
    whole = load_chain("2024")
    return nouns.Chain(
        vintage=nouns.Vintage(name="toy", base_year=2024, start=START),
        regions={r: nouns.Region(name=r, title=r, **ROW) for r in regions},
        countries={},
        blocs={},
        elements={
            "ndpr": nouns.Element(
                name="ndpr",
                title="the element",
                oxide="oxide",
                element_per_oxide=1.0,
                group="light",
                thin_data=False,
                **ROW,
            )
        },
        materials={
            name: nouns.Material(
                name=name, title=name, form=form, element=element, basis=basis, **ROW
            )
            for name, (form, element, basis) in goods.items()
        },
        recipes=recipes,
        mixes={"pure": {"ndpr": 1.0}},
        facilities=facilities,
        baseline=tuple(
            nouns.Baseline(
                stage=stage, region=r, material=material, tonnes=float(t) * PER_YEAR, **ROW
            )
            for stage, material, made in (
                ("metal", "ndpr_metal", metals),
                ("magnet", "ndfeb", magnets),
            )
            for r, t in zip(regions, made, strict=True)
        ),
        concentrate_trade=tuple(
            nouns.ConcentrateTrade(
                material="concentrate_light",
                origin=region(r),
                destination=region(r + step),
                share_of_origin_output=share,
                **ROW,
            )
            for r in range(REGIONS)
            for step, share in LANES
        ),
        trade_priors=tuple(
            nouns.TradePrior(form=form, origin=o, destination=d, weight=share, **ROW)
            for form, o, d, share in lanes
        ),
        routes={
            pair: nouns.Route(
                origin=pair[0],
                destination=pair[1],
                transit_days=transit,
                express_days=transit,
                freight_usd_per_kg=0.3,
                express_usd_per_kg=0.3,
                **ROW,
            )
            for pair, transit in days.items()
        },
        sectors=sectors,
        tiers={},
        demand=tuple(
            nouns.DemandRow(
                sector="users",
                region=r,
                material="ndfeb_standard",
                t_per_year=float(t) * PER_YEAR,
                **ROW,
            )
            for r, t in zip(regions, users, strict=True)
        ),
        oxide_uses=tuple(
            nouns.OxideUse(
                sector="other_uses",
                material="ndpr_oxide",
                region=r,
                share_of_residual=float(t / surplus.sum()),
                **ROW,
            )
            for r, t in zip(regions, surplus, strict=True)
        ),
        prices={
            (m, market): nouns.Price(material=m, market=market, usd_per_kg=p, **ROW)
            for m, p in price.items()
            for market in ("home", "ask")
        },
        costs=(),
        plant_costs=whole.plant_costs,
        stockpiles={},
        policies=(),
        trade_facts=(),
        parameters={n: replace(p, shape="fixed") for n, p in whole.parameters.items()},
        sources=whole.sources,
        assumptions=whole.assumptions,
    )


def outages_of(toy: Toy, layout: Any, worlds: int, seed: int) -> Any:
    """Return the outages that the plain chain draws, as an effect on the engine's facilities."""
    from lodestone.interventions import build
    from lodestone.interventions.base import Context, compile_effect
    from lodestone.worlds.timeline import Timeline

    last = toy.weeks * 7.0
    draws = np.stack([outage_draws(toy.facilities, seed, w) for w in range(worlds)], axis=2)
    switches = np.cumsum(draws, axis=1) * 7.0  # (facility, switch, world), days
    starts, ends = switches[:, 0::2], switches[:, 1::2]
    met = (starts < last).any(axis=(0, 2))
    spans = Timeline(starts.transpose(1, 0, 2)[met].copy(), ends.transpose(1, 0, 2)[met].copy())
    names = [f"{STAGE_NAMES[f // REGIONS]}_{region(f)}" for f in range(toy.facilities)]
    context = Context(layout, {}, seed, np.arange(worlds), START, last)
    item = build("outages", {"kind": "outage", "facilities": names, "source": ["definition"]})
    effect: Any = compile_effect(item, "outages", context)
    effect.rows = np.array([layout.plants.at[name] for name in names])
    effect.spans = spans
    return effect


class Delivered:
    """Adds up what reaches the users of magnets, (region, world)."""

    def __init__(self, layout: Any, worlds: int) -> None:
        self.rows = np.flatnonzero(layout.users.magnet)
        self.at = [int(layout.regions[layout.users.region[u]].split("_")[1]) for u in self.rows]
        self.tonnes = np.zeros((REGIONS, worlds))

    def market_day(self, run: Any, now: float, rules: Any) -> None:
        """Add the deliveries of a market day."""
        np.add.at(self.tonnes, self.at, run.day.flows["to_users"][self.rows])


@runner(
    "Lodestone's engine, all worlds at once (orders, prices, stocks, ledger)",
    worlds=1024,
    same="rate",
)
def lodestone_engine(toy: Toy, worlds: int, seed: int, outages: bool = True) -> np.ndarray:
    """Return the tonnes delivered to users, (region, world)."""
    from lodestone.engine.run import BatchRun
    from lodestone.scenario import build_scenario

    chain = engine_chain(toy)
    end = START + timedelta(weeks=toy.weeks)
    given = {
        "name": "toy",
        "question": "How fast is it?",
        "reference": "none",
        "start": START.isoformat(),
        "end": end.isoformat(),
        "interventions": {},
    }
    wide = max(worlds, 2)
    with np.errstate(all="ignore"):  # the toy chain has none of the other magnets
        run = BatchRun(build_scenario(given, chain=chain), chain, seed, np.arange(wide))
    if outages:
        run.effects.append(outages_of(toy, run.layout, wide, seed))
    seen = Delivered(run.layout, wide)
    run.watchers.append(seen)
    run.run()
    return seen.tonnes[:, :worlds]
