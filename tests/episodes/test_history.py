"""The historical vintages hold together, and the scenarios on them behave as those years did.

Bounds are wide on purpose: what is asserted is structure (what binds, who pays, what moves first),
before any fit of behavioural parameters.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from lodestone.border.paths import vintages
from lodestone.chain.balance import balance
from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.scenario import build_scenario, load_scenario

OLD = ("2009", "2019")
WORLDS = 7
QUOTA = {
    (2009, 1): 21728, (2009, 2): 28417, (2010, 1): 22282, (2010, 2): 7976, (2011, 1): 14508,
    (2011, 2): 15738, (2012, 1): 21226, (2012, 2): 9770, (2013, 1): 15499, (2013, 2): 15500,
    (2014, 1): 15110, (2014, 2): 15501,
}  # fmt: skip


class Diary:
    """Prices by month, Chinese trade by half-year, ore landed by month."""

    def __init__(self, run: BatchRun) -> None:
        lay = self.lay = run.layout
        self.run = run
        forms = np.array(lay.form)[lay.links.material]
        self.raw = np.isin(forms, ("oxide", "metal")) & ~lay.links.home
        self.raw &= lay.links.region_from == lay.home
        self.days: list[date] = []
        self.kept: dict[str, list[np.ndarray]] = {}
        self.landed: dict[tuple[str, str], np.ndarray] = {}
        run.watchers.append(self)

    def market_day(self, run: BatchRun, now: float, rules: object) -> None:
        st, f, w = run.day.state, run.day.flows, np.ones(run.day.state.worlds)
        self.days.append(run.calendar.date_of(now))
        month = run.calendar.date_of(now).isoformat()[:7]
        for row, t in enumerate(f["ore_landed"].sum(axis=1)):
            if run.layout.ore.home[row]:
                continue
            key = (run.layout.regions[run.layout.ore.region_from[row]], month)
            self.landed[key] = self.landed.get(key, 0.0) + t
        book = run.day.quotas[0] if run.day.quotas else None
        for name, value in {
            "home": np.exp(st.log_home), "ask": np.exp(st.log_ask),
            "declared": f["declared"][self.raw].sum(axis=0) * w, "by_link": f["declared"] * w,
            "grey": (f["grey"] * w)[self.raw].sum(axis=0), "used": f["used"] * w,
            "planned": f["planned"] * w, "unmet": f["unmet"].sum(axis=0) * w,
            "rent": book.rent.copy() if book else 0.0 * w,
            "charged": book.used.copy() if book else 0.0 * w,
            "left": book.left.copy() if book else 0.0 * w,
        }.items():  # fmt: skip
            self.kept.setdefault(name, []).append(np.array(value))

    def __getitem__(self, name: str) -> np.ndarray:
        return np.array(self.kept[name])

    def when(self, first: str, last: str) -> np.ndarray:
        """Market days from one ISO date to another, both included."""
        a, b = date.fromisoformat(first), date.fromisoformat(last)
        return np.array([a <= d <= b for d in self.days])

    def abroad(self, material: str) -> np.ndarray:
        """Ask outside the home region, weighted by need, (t, w)."""
        lay = self.lay
        rows = np.flatnonzero((lay.cells.material == lay.material_at[material]) & ~lay.cells.home)
        need = lay.cells.need[rows]
        return (self["ask"][:, rows] * need).sum(axis=1) / need.sum()

    def inside(self, material: str) -> np.ndarray:
        """Home price, (t, w)."""
        return self["home"][:, self.lay.material_at[material]]


def play(scenario) -> Diary:
    run = BatchRun(scenario, load_chain(scenario.vintage), 0, np.arange(WORLDS))
    diary = Diary(run)
    run.run()
    return diary


@lru_cache(maxsize=8)
def history(name: str, end: str | None = None) -> Diary:
    return play(load_scenario(name, overrides={"end": end} if end else {}))


def shock(vintage: str, start: str, end: str, interventions: dict) -> Diary:
    """An analyst's own question on an old vintage, as a file would ask it."""
    return play(
        build_scenario(
            {"name": "own_shock", "question": "What then?", "vintage": int(vintage),
             "start": start, "end": end, "reference": f"calm_{vintage}",
             "interventions": interventions}
        )
    )  # fmt: skip


def median(values: np.ndarray) -> float:
    return float(np.median(values))


# ---- the vintages -----------------------------------------------------------------------------


def test_the_old_vintages_are_found():
    assert set(vintages()) >= {*OLD, "2024"}


@pytest.mark.parametrize("vintage", [*OLD, "2024"])
def test_every_control_total_is_met_within_the_tolerance_of_the_data(vintage):
    checks = balance(load_chain(vintage)).checks
    assert len(checks) > 20
    assert [(c.stage, c.region, c.element, c.gap) for c in checks if not c.ok] == []


@pytest.mark.parametrize("vintage", OLD)
def test_shipments_add_up_to_what_is_made_and_used(vintage):
    b = balance(load_chain(vintage))
    for (m, r), made in b.production.items():
        assert sum(t for (x, o, _), t in b.trade.items() if (x, o) == (m, r)) == pytest.approx(made)
    need: dict[tuple[str, str], float] = dict(b.plant_need)
    for (_, m, r), t in b.use.items():
        need[(m, r)] = need.get((m, r), 0.0) + t
    for (m, r), t in need.items():
        came = sum(x for (n, _, d), x in b.trade.items() if (n, d) == (m, r))
        assert came == pytest.approx(t, rel=1e-6)


@pytest.mark.parametrize("vintage", OLD)
def test_without_growth_the_calm_chain_stays_flat_for_five_years(vintage):
    flat = {
        "overrides.demand.growth_scale": 0, "overrides.project.scale": 0,
        "end": f"{int(vintage) + 5}-01-08",
    }  # fmt: skip
    diary = play(load_scenario(f"calm_{vintage}", overrides=flat))
    lay = diary.lay
    home = diary["home"] / np.exp(lay.prices.home)[None]
    ask = diary["ask"] / np.exp(lay.prices.log_reference)[None]
    assert len(home) > 260
    for ratio in (home, ask):
        assert ratio.min() > 0.97 and ratio.max() < 1.03
    flow = diary["declared"] / diary["declared"][0]
    assert flow.min() > 0.97 and flow.max() < 1.03
    assert diary["unmet"].sum() == 0.0


def test_the_files_are_what_the_derivation_writes():
    script = Path(__file__).resolve().parents[2] / "docs" / "vintages.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_in_2009_lanthanum_and_cerium_are_most_of_what_leaves_and_japan_buys_most():
    b = balance(load_chain("2009"))
    chain = load_chain("2009")
    out = {
        (m, d): t
        for (m, o, d), t in b.trade.items()
        if o == "china" != d and chain.materials[m].form in ("oxide", "metal")
    }
    total = sum(out.values())
    assert 40000 < total < 51000
    assert sum(t for (m, _), t in out.items() if m in ("la_oxide", "ce_oxide")) > 0.65 * total
    by_buyer = {d: sum(t for (_, x), t in out.items() if x == d) for _, d in out}
    assert max(by_buyer, key=by_buyer.__getitem__) == "japan"


def test_prices_of_2009_carry_the_export_tax_and_nothing_else():
    chain = load_chain("2009")
    for m, tax in (("la_oxide", 0.15), ("ndpr_oxide", 0.15), ("dy_oxide", 0.25)):
        home, ask = (chain.prices[(m, k)].usd_per_kg for k in ("home", "ask"))
        assert ask == pytest.approx((home + 0.3) * (1 + tax), rel=1e-3)


# ---- the quota of 2010 ------------------------------------------------------------------------


def test_the_quota_is_respected_in_tonnes_half_by_half():
    diary = history("quota_2010")
    charged, days = diary["charged"], diary.days
    for year in range(2009, 2015):
        done = {}
        for half in (1, 2):
            rows = [
                i for i, d in enumerate(days) if d.year == year and (d.month > 6) == (half == 2)
            ]
            done[half] = charged[rows[-1]]
        first, second = QUOTA[(year, 1)], QUOTA[(year, 2)]
        assert np.all(done[1] <= first * (1 + 1e-9)), year
        assert np.all(done[2] <= (first + second) * (1 + 1e-9)), year
    # What is charged is what is shipped by declaration, less the share outside the lines.
    whole = diary.when("2012-01-01", "2012-12-31")
    assert diary["declared"][whole].sum(axis=0) == pytest.approx(charged[whole].max(axis=0))
    early = diary.when("2010-01-01", "2010-12-31")
    assert 0.75 * diary["declared"][early].sum(axis=0) == pytest.approx(charged[early].max(axis=0))


def test_nothing_carries_over_the_year():
    diary = history("quota_2010")
    for year in range(2010, 2015):
        first = next(i for i, d in enumerate(diary.days) if d.year == year)
        assert np.all(diary["left"][first] <= QUOTA[(year, 1)])
        second = next(i for i, d in enumerate(diary.days) if d.year == year and d.month > 6)
        assert np.all(diary["left"][second] > 0.0)


def test_it_binds_in_2010_and_is_not_used_up_in_2011():
    diary = history("quota_2010")
    use = {
        y: median(diary["charged"][diary.when(f"{y}-01-01", f"{y}-12-31")].max(axis=0))
        / (QUOTA[(y, 1)] + QUOTA[(y, 2)])
        for y in range(2009, 2013)
    }
    assert use[2009] < 0.9 and use[2010] > 0.8 and use[2011] < 0.9
    shipped = {
        y: median(diary["declared"][diary.when(f"{y}-01-01", f"{y}-12-31")].sum(axis=0))
        for y in (2009, 2010, 2011)
    }
    assert abs(shipped[2009] / 43894 - 1) < 0.1  # customs tonnes of those years
    assert abs(shipped[2010] / 39813 - 1) < 0.15
    assert abs(shipped[2011] / 18600 - 1) < 0.5  # too much by a third


def test_the_rent_is_the_same_per_kilogram_for_cheap_and_dear_elements():
    diary = history("quota_2010")
    when = diary.when("2011-05-01", "2011-08-31")
    wedge = {
        m: median((diary.abroad(m) / 1.15 - diary.inside(m))[when])
        for m in ("la_oxide", "ce_oxide", "sm_oxide")
    }
    assert min(wedge.values()) > 10
    # One rent; what buyers expect and hold differs from good to good.
    assert max(wedge.values()) < 2.0 * min(wedge.values())


def test_a_quota_by_weight_multiplies_what_is_cheap_most():
    diary = history("quota_2010")
    peak = {
        m: median(
            diary.abroad(m).max(axis=0)
            / diary.abroad(m)[diary.when("2009-01-01", "2009-12-31")].mean(axis=0)
        )
        for m in ("la_oxide", "ndpr_oxide")
    }
    assert peak["la_oxide"] > 8 and peak["ndpr_oxide"] > 2.5


def test_smuggling_comes_by_itself_and_only_with_the_quota():
    diary = history("quota_2010")
    assert diary["grey"][diary.when("2009-01-01", "2010-03-31")].sum() < 0.01 * (
        diary["declared"][diary.when("2009-01-01", "2010-03-31")].sum()
    )
    rows = diary.when("2011-01-01", "2011-12-31")
    share = diary["grey"][rows].sum(axis=0) / diary["declared"][rows].sum(axis=0)
    assert median(share) > 0.4
    assert history("no_cut_2010")["grey"].sum() == 0.0


def test_without_the_cut_neodymium_does_not_run_away():
    diary = history("no_cut_2010")
    price = diary.abroad("ndpr_oxide")
    base = price[diary.when("2009-01-01", "2009-12-31")].mean(axis=0)
    assert median(price.max(axis=0) / base) < 5.0
    assert diary.abroad("la_oxide").max() < 3.5 * 4.88


def test_a_quota_that_nobody_could_fill_carries_no_rent():
    """Goods that are not there are not kept back by the quota: buyers wait for the makers."""
    quota = {
        "kind": "export_quota", "exporter": "china", "materials": ["oxides", "metals"],
        "tonnes": {"2009": 60000}, "start": "2009-01-01", "end": "2010-01-01",
    }  # fmt: skip
    standstill = {
        "kind": "outage", "region": "china", "stage": "separation", "share_lost": 1.0,
        "start": "2009-02-01", "end": "2009-10-01",
    }  # fmt: skip
    diary = shock("2009", "2009-01-01", "2010-01-01", {"quota": quota, "standstill": standstill})
    assert diary.inside("ndpr_oxide").max() > 2 * 16.3
    assert diary["rent"].max() < 0.5


def test_the_new_plants_come_late():
    run = BatchRun(load_scenario("calm_2009"), load_chain("2009"), 0, np.arange(101))
    july = (date(2010, 7, 8) - date(2009, 1, 1)).days
    rows = [run.layout.plants.at[n] for n in ("my_lamp", "us_mp_ndpr")]
    first = run.day.online[rows].min(axis=0)
    months = (np.median(first) - july) / 30.44
    assert 14 < months < 36
    lamp = np.median(run.day.online[rows[0]])
    assert lamp > (date(2011, 12, 31) - date(2009, 1, 1)).days


# ---- 2019 to 2022 -----------------------------------------------------------------------------


def test_the_boom_drives_prices_and_keeps_them_together():
    diary = history("demand_2020")
    nd = diary.inside("ndpr_oxide")
    spring = nd[diary.when("2020-05-01", "2020-05-31")].mean(axis=0)
    january = nd[diary.when("2020-01-01", "2020-01-31")].mean(axis=0)
    assert -0.15 < median(spring / january - 1) < 0.05
    later = diary.when("2021-06-01", "2022-06-30")
    assert median(nd[later].max(axis=0) / spring) > 1.6
    year = diary.when("2021-01-01", "2021-12-31")
    ratio = diary.abroad("ndpr_oxide")[year] / nd[year]
    assert median(ratio.mean(axis=0)) < 1.1
    late = nd[diary.when("2022-10-01", "2022-12-31")].mean(axis=0)
    assert median(late / nd[later].max(axis=0)) < 0.8
    calm = history("calm_2019").inside("ndpr_oxide")
    assert calm.max() < 2.5 * calm[0].min()


def test_quotas_raised_in_time_would_have_softened_the_boom():
    early = play(load_scenario("demand_2020", variant="quotas_follow_at_once"))
    late = history("demand_2020")
    assert median(early.inside("ndpr_oxide").max(axis=0)) < median(
        late.inside("ndpr_oxide").max(axis=0)
    )


# ---- Myanmar ----------------------------------------------------------------------------------


def test_imports_from_myanmar_reach_their_trough_in_the_third_to_fifth_month():
    diary = history("myanmar_2024", "2025-09-01")

    def landed(place: str | None, month: str) -> float:
        return sum(
            median(t) for (o, m), t in diary.landed.items() if m == month and place in (o, None)
        )

    usual = np.mean([landed("myanmar", f"2024-{k:02d}") for k in range(4, 10)])
    months = ["2024-11", "2024-12", *(f"2025-{k:02d}" for k in range(1, 7))]
    change = {m: landed("myanmar", m) / usual - 1 for m in months}
    assert min(change, key=change.__getitem__) in ("2025-01", "2025-02", "2025-03")
    assert -0.95 < min(change.values()) < -0.8
    assert change["2024-11"] > -0.2 and change["2025-06"] > -0.2
    everywhere = {
        m: landed(None, m) / np.mean([landed(None, f"2024-{k:02d}") for k in range(4, 10)]) - 1
        for m in ("2025-01", "2025-02")
    }
    # Light ore of other origins goes on.
    assert -0.5 < everywhere["2025-01"] < -0.1 and -0.55 < everywhere["2025-02"] < -0.3
    tb = diary.inside("tb_oxide")
    before = tb[diary.when("2024-09-16", "2024-09-30")].mean(axis=0)
    after = tb[diary.when("2025-03-16", "2025-03-31")].mean(axis=0)
    assert 1.05 < median(after / before) < 1.35
    assert np.all(after > before)


# ---- other shocks need no code ----------------------------------------------------------------


@lru_cache
def banned_to_japan():
    """The two months without shipments to Japan in 2010, and the same months without the ban."""
    ban = {
        "kind": "export_ban", "exporter": "china", "destinations": "japan",
        "materials": ["oxides", "metals"], "start": "2010-09-21", "end": "2010-11-19",
    }  # fmt: skip
    cut = shock("2009", "2010-01-01", "2011-07-01", {"senkaku": ban})
    return cut, shock("2009", "2010-01-01", "2011-07-01", {})


def test_a_ban_on_one_destination_for_fifty_nine_days():
    cut, calm = banned_to_japan()
    lay = cut.lay
    japan = cut.raw & (lay.links.region_to == lay.region_at["japan"])
    oxides = np.array(lay.form)[lay.links.material] != "magnet"
    arrives = oxides & ~lay.links.home & (lay.links.region_to == lay.region_at["japan"])
    during = cut.when("2010-09-28", "2010-11-08")
    assert cut["by_link"][during][:, japan].sum() == 0.0
    others = cut.raw & ~japan
    assert cut["by_link"][during][:, others].sum() > 0.9 * calm["by_link"][during][:, others].sum()
    after = cut.when("2010-11-22", "2011-03-31")
    # Japan refills its shelves, from China and from those who sell on, less what it has learnt to save.
    refilled = cut["by_link"][after][:, arrives].sum() / calm["by_link"][after][:, arrives].sum()
    assert refilled > 0.98


def test_who_is_shut_out_pays_most_and_those_who_sell_on_pay_for_it():
    cut, calm = banned_to_japan()
    lay = cut.lay
    here = lay.cells.at[("ce_oxide", "japan")]
    there = lay.cells.at[("ce_oxide", "united_states")]
    peak = (cut["ask"] / calm["ask"])[cut.when("2010-09-21", "2010-12-31")].max(axis=0)
    assert median(peak[here]) > 1.3 and median(peak[there]) < median(peak[here])


def border_shut(until: str):
    closure = {
        "kind": "route_closure", "origin": "myanmar", "destination": "china",
        "materials": "concentrates", "start": "2020-02-01", "end": until, "bonded_clears": True,
    }  # fmt: skip
    return shock("2019", "2019-07-01", "2021-01-01", {"border": closure})


def test_a_border_closed_for_a_month_is_bridged_by_ore_in_bond():
    cut, calm = border_shut("2020-03-01"), shock("2019", "2019-07-01", "2021-01-01", {})
    for month in ("2020-02", "2020-03", "2020-05", "2020-08"):
        ratio = cut.landed[("myanmar", month)] / calm.landed[("myanmar", month)]
        assert 0.9 < median(ratio) < 1.1
    tb = cut.inside("tb_oxide") / calm.inside("tb_oxide")
    assert 1.0 < median(tb.max(axis=0)) < 1.3
    assert abs(median(tb[-1]) - 1) < 0.05
    assert cut["unmet"].sum() == 0.0


def test_a_border_closed_for_five_months_is_not():
    cut, calm = border_shut("2020-07-01"), shock("2019", "2019-07-01", "2021-01-01", {})
    share = {
        m: median(cut.landed[("myanmar", m)] / calm.landed[("myanmar", m)])
        for m in ("2020-03", "2020-06", "2020-08")
    }
    # Bond lasts eleven weeks; when the border opens ore passes at once.
    assert share["2020-03"] > 0.9 and share["2020-06"] < 0.3 and share["2020-08"] > 0.9
    tb = cut.inside("tb_oxide") / calm.inside("tb_oxide")
    assert median(tb.max(axis=0)) > 1.1


@pytest.mark.parametrize("vintage", OLD)
def test_a_recession(vintage):
    year = int(vintage) + 1
    slump = {
        "kind": "demand_shock", "regions": "all", "sectors": "all", "factor": 0.8,
        "start": f"{year}-01-01", "end": f"{year}-09-01",
    }  # fmt: skip
    low = shock(vintage, f"{vintage}-07-01", f"{year + 2}-01-01", {"slump": slump})
    calm = shock(vintage, f"{vintage}-07-01", f"{year + 2}-01-01", {})
    during = low.when(f"{year}-03-01", f"{year}-08-31")
    for m in ("ndpr_oxide", "dy_oxide", "la_oxide"):
        assert median((low.inside(m) / calm.inside(m))[during].min(axis=0)) < 0.95
    used = low["used"][during].sum() / calm["used"][during].sum()
    assert 0.77 < used < 0.85
