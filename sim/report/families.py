"""What each metric is about, for choosing figures, remarks and windows."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FAMILIES", "family"]

#: What a metric is about; decides which figures and which remarks belong to an answer.
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "shortage": (
        "gross_unmet_t",
        "unmet_t",
        "unmet_share",
        "unmet_share_between",
        "unmet_share_peak",
        "first_stoppage",
        "stoppage_weeks",
        "time_to_recover_weeks",
        "lost_output_usd_million",
        "lost_output_usd_million_per_day",
        "lost_in_a_year_usd_million",
        "lost_output_per_usd",
        "first_short_year",
        "mine_decision_year",
        "cover_days_low",
        "use_of_plan",
        "military_unmet_share",
        "first_military_stockout",
    ),
    "price": (
        "price_multiple_home",
        "price_multiple_ask",
        "price_multiple_paid",
        "price_peak_multiple",
        "price_usd_per_kg",
        "price_gap_peak",
        "paid_usd_per_kg",
    ),
    "money": (
        "public_outlay_usd_million",
        "premium_usd_million",
        "tariff_usd_million",
        "burden_usd_million",
        "export_revenue_usd_million",
        "trade_value_usd_million",
    ),
    "trade": (
        "magnet_exports_t",
        "traded_t",
        "leak_t",
        "export_share",
        "import_share",
        "import_reliance",
        "supply_share",
        "licences_granted_share",
    ),
    "need": ("need_t", "need_share", "need_value_usd_million"),
}


def family(name: str) -> str:
    """Return what a metric is about: shortage, price, money, trade, need or supply."""
    return next((f for f, names in FAMILIES.items() if name in names), "supply")
