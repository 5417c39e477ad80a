"""The explorer: one page that works from a file, with every series of a run or a comparison.

Long series are thinned to `MOST_DATES` dates, and many cases further, so that the page stays small;
the page says so, and the run folder's tables hold them all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.report.style import letter
from lodestone.report.wording import capital, human

if TYPE_CHECKING:
    import pandas as pd

    from lodestone.report.reading import Reading

__all__ = ["explorer_data", "write_explorer"]

TEMPLATES = Path(__file__).parent / "templates"
MOST_DATES = 420
#: Bytes of series beyond which dates are thinned further, so that a page stays under 5 MB.
MOST_BYTES = 3_800_000
TITLES = {
    "unmet_share": "Net shortfall, share of planned use",
    "delta_unmet": "Difference in net shortfall, t of magnet a week",
    "delta_gross": "Difference in shortfall before stocks, t of magnet a week",
    "price_ask": "Spot price outside China",
    "price_paid": "Price paid outside China",
    "price_home": "Price inside China",
    "cost": "Cost a week",
    "delta_cost": "Difference in cost a week",
    "magnet_exports": "Magnet exports a month, all channels",
}
UNITS = {
    "unmet_share": ("share of planned use", ".1%"),
    "delta_unmet": ("t of magnet a week", ",.4~g"),
    "delta_gross": ("t of magnet a week", ",.4~g"),
    "price_ask": ("USD of 2024 per kg", ",.4~g"),
    "price_paid": ("USD of 2024 per kg", ",.4~g"),
    "price_home": ("USD of 2024 per kg", ",.4~g"),
    "cost": ("million USD of 2024 a week", ",.4~g"),
    "delta_cost": ("million USD of 2024 a week", ",.4~g"),
    "magnet_exports": ("t of magnet a month", ",.4~g"),
}
BAND = ("p05", "p50", "p95")


def write_explorer(cases: Sequence[tuple[str, Reading]], folder: Path, title: str) -> Path:
    """Write `explorer.html` of a run (one case) or a comparison and return it.

    Parameters
    ----------
    cases
        Name and reading; a single case is shown with its reference.
    folder
        Where the page goes.
    title
        Heading of the page.
    """
    import jinja2
    import vl_convert

    first = cases[0][1]
    most = MOST_DATES
    while True:
        data = explorer_data(cases, most)
        text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
        if len(text) <= MOST_BYTES or most < 60:
            break
        most = max(50, min(most, data["dates"]) // 2 + 1)
    thin = ""
    if data["dates"] < data["of_dates"]:
        thin = f" Series are thinned to {data['dates']} of {data['of_dates']} dates; the tables hold all."
    note = (
        "Lines: medians of the worlds; shades: 5\u201395 %. Choose with the boxes (Tab and arrow keys); "
        "the address holds the view. " + ("" if len(cases) > 1 else _against(first))
    ).rstrip() + thin
    page = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False).from_string(
        (TEMPLATES / "explorer.html.j2").read_text(encoding="utf-8")
    )
    question = str(first.scenario.get("question", ""))
    script: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]
    bundle = script.replace("</script", "<\\/script")
    html = page.render(title=title, question=question, note=note, bundle=bundle, data=text)
    target = folder / "explorer.html"
    part = folder / ".explorer.part.html"
    try:
        part.write_text(html, encoding="utf-8")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _against(reading: Reading) -> str:
    if reading.reference is None:
        return "The scenario was run alone."
    return f"Reference: {reading.reference}; differences are taken in the same world."


def explorer_data(cases: Sequence[tuple[str, Reading]], most: int = MOST_DATES) -> dict[str, Any]:
    """Return everything the page shows: series by metric and key, event marks, words.

    Series of more than `most` dates are thinned.
    """
    first = cases[0][1]
    series: dict[str, Any] = {}
    words = dict(TITLES)
    words |= {"all": "all", "with": "With the measures", "reference": "Reference"}
    alone = len(cases) == 1
    for name, reading in cases:
        own = "with" if alone else name
        words.setdefault(own, own)
        _shortage(series, reading, own, alone)
        _prices(series, reading, own, alone)
        _costs(series, reading, own)
        _exports(series, reading, own, alone)
    for held in series.values():
        for key in held["values"]:
            for word in key.split("|")[:3]:
                words.setdefault(word, capital(human(word)))
    marks = [
        {"letter": letter(first, m), "name": human(m.name), "date": f"{m.start:%Y-%m-%d}"}
        for m in first.marks[:26]
    ]
    _thin(series, most)
    return {
        "series": series,
        "marks": marks,
        "words": words,
        "since": f"{first.since:%Y-%m}",
        "dates": max(len(held["dates"]) for held in series.values()),
        "of_dates": max(len(reading.curve()) for _, reading in cases),
    }


def _thin(series: dict[str, Any], most: int) -> None:
    """Keep every n-th date of what is longer than `most`."""
    for held in series.values():
        every = -(-len(held["dates"]) // most)
        if every > 1:
            held["dates"] = held["dates"][::every]
            for key, values in held["values"].items():
                held["values"][key] = {q: column[::every] for q, column in values.items()}


def _put(
    series: dict[str, Any], metric: str, key: Sequence[str], held: dict[str, pd.Series]
) -> None:
    """Add a series; dates are shared by all series of a metric."""
    unit, form = UNITS[metric]
    own = series.setdefault(metric, {"unit": unit, "format": form, "dates": [], "values": {}})
    index = held["p50"].index
    dates = [f"{d:%Y-%m-%d}" for d in index]
    if not own["dates"]:
        own["dates"] = dates
    if dates != own["dates"]:
        at = {d: i for i, d in enumerate(dates)}
        picked = [at.get(d) for d in own["dates"]]
    else:
        picked = list(range(len(dates)))
    values = {}
    for q, column in held.items():
        thin = column.to_numpy(dtype=float)
        values[q] = [_number(thin[i]) if i is not None else None for i in picked]
    own["values"]["|".join(key)] = values


def _number(value: float) -> float | None:
    return None if not math.isfinite(value) else float(f"{value:.4g}")


def _band(table: pd.DataFrame, stem: str) -> dict[str, pd.Series]:
    return {q: table[f"{stem}_{q}"] for q in BAND if f"{stem}_{q}" in table}


def _shortage(series: dict[str, Any], reading: Reading, own: str, alone: bool) -> None:
    groups = [("all", "all")]
    groups += [(r, "all") for r in reading.members("region")]
    groups += [("all", s) for s in reading.members("sector")]
    whole = reading.curve().index
    for region, sector in groups:
        curve = reading.curve(region, sector)
        _put(series, "unmet_share", (region, sector, "all", own), _band(curve, "unmet_share"))
        calm = curve["reference_unmet_share_p50"]
        if alone and calm.notna().any():
            _put(series, "unmet_share", (region, sector, "all", "reference"), {"p50": calm})
        if reading.reference is not None:
            delta = reading.delta(region, sector).reindex(whole, fill_value=0.0)
            for metric, stem in (("delta_unmet", "unmet"), ("delta_gross", "gross_unmet")):
                if np.abs(delta[f"{stem}_p95"]).max() + np.abs(delta[f"{stem}_p05"]).max() > 0:
                    _put(series, metric, (region, sector, "all", own), _band(delta, stem))


def _prices(series: dict[str, Any], reading: Reading, own: str, alone: bool) -> None:
    for kind in ("ask", "paid", "home"):
        for material in reading.materials:
            prices = reading.prices(material, kind)
            if prices is None:
                continue
            metric = f"price_{kind}"
            _put(series, metric, ("all", "all", material, own), _band(prices, "usd_per_kg"))
            calm = prices["reference_usd_per_kg_p50"]
            if alone and calm.notna().any():
                _put(series, metric, ("all", "all", material, "reference"), {"p50": calm})


def _costs(series: dict[str, Any], reading: Reading, own: str) -> None:
    table = reading.results.table("cost_curve")
    metric, stem = ("cost", "usd_million_per_week")
    if reading.costs_differ:
        metric, stem = "delta_cost", "delta_usd_million_per_week"
    for (region, item), rows in table.groupby(["region", "item"], sort=False):
        held = rows.set_index("date").sort_index()
        if held[f"{stem}_mean"].abs().max() > 0.01:
            _put(series, metric, (str(region), "all", str(item), own), _band(held, stem))


def _exports(series: dict[str, Any], reading: Reading, own: str, alone: bool) -> None:
    rows = reading.magnet_trade
    for case, told in (("scenario", own), ("reference", "reference")):
        if case == "reference" and not alone:
            continue
        part = rows[rows["case"] == case]
        months = sorted(rows["month"].unique())
        for origin, held in part.groupby("origin", sort=False):
            sums = held.groupby("month")["tonnes_mean"].sum().reindex(months, fill_value=0.0)
            if sums.max() > 1.0:
                _put(series, "magnet_exports", (str(origin), "all", "all", told), {"p50": sums})
