"""Public money falls into its parts, region by region."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lodestone.outputs.results import Results
from lodestone.runs.settings import Settings
from lodestone.runs.simulate import simulate
from lodestone.scenario import load_scenario


def _run(tmp_path: Path, name: str, variant: str | None, end: str) -> Results:
    scenario = load_scenario(name, variant=variant, overrides={"end": end})
    settings = Settings(worlds=4, out=tmp_path / "run", report_formats=())
    return Results.load(simulate(scenario, settings))


def test_outlay_is_support_and_purchases_less_sales(tmp_path):
    results = _run(tmp_path, "truce_snapback_2026", "stock_90_days", "2028-01-01")
    table = results.table("public_money").set_index(["region", "item"])
    means = table["usd_million_mean"].unstack("item")
    whole = means["other_support"] + means["stock_bought"] - means["stock_sold"]
    assert np.allclose(means["outlay"], whole, rtol=1e-6, atol=1e-6)
    places = means.drop(index="all").sum()
    assert np.allclose(places, means.loc["all"], rtol=1e-6)
    delta = table["delta_usd_million_p50"].loc["all"]
    assert delta["stock_bought"] > 10  # the allied stock is filled
    for item in ("stock_bought", "stock_sold", "stock_left"):
        assert (means[item] >= -1e-9).all()
