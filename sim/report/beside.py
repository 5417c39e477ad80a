"""What stands beside the answer: public money taken apart, and remarks on the scenario."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lodestone.report.wording import MINUS, capital, human, joined

if TYPE_CHECKING:
    from lodestone.report.reading import Reading

__all__ = ["own_remarks", "public_table", "public_told", "remarks"]


#: Countries of a remark on a measure that is finer than the regions.
_LISTED = re.compile(r"(?<=only )[a-z_, ]+(?= in [a-z_]+,)|(?<= in )[a-z_]+(?=, so plants)")


#: Letters of a remark that stands in the brief.
LONGEST = 180


def _titled(found: re.Match[str]) -> str:
    words = found[0].replace("_", " ").split(" ")
    return " ".join(w if w in ("and", "others", "of") else capital(w) for w in words)


def remarks(reading: Reading) -> list[str]:
    """What was odd about the scenario when it was run, as it was said on the screen."""
    outside = {str(x) for x in reading.results.provenance.get("outside_ranges") or ()}
    told = [str(x) for x in reading.results.provenance.get("remarks") or ()]
    return [_sentence(t) for t in dict.fromkeys(told) if t not in outside]


def own_remarks(reading: Reading, most: int = 2) -> list[str]:
    """The remarks on what is asked here: on a measure of the scenario's own, or on the whole of it.

    Long ones, which tell the author of a scenario how a word is taken, stand in the annex alone.
    """
    from lodestone.report.trust import input_titles

    titles = input_titles(reading)
    spec = reading.scenario.get("interventions") or {}
    own = {mark.name for mark in reading.marks} if reading.reference else set(spec)
    found = []
    for text in reading.results.provenance.get("remarks") or ():
        head = str(text).split(" ", 1)[0].strip(":'`")
        if head in own or head not in spec:
            told = str(text).split(";", 1)[0].replace(head, titles.get(head) or human(head), 1)
            if len(told) <= LONGEST:
                found.append(_sentence(_LISTED.sub(_titled, told)))
    return found[:most]


def _sentence(text: str) -> str:
    body = capital(text.strip())
    return body if body.endswith((".", "!", "?")) else f"{body}."


#: Million USD below which public stocks are not told of in the brief.
LEAST = 5.0
PUBLIC = {
    "outlay": "Net outlay",
    "other_support": "Price floors and funding of plants",
    "stock_bought": "Bought for public stocks",
    "stock_sold": "Sold from public stocks",
    "stock_left": "Worth of public stocks at the end (not in the outlay)",
}


def _public(reading: Reading) -> tuple[Any, str] | None:
    """The table of public money and the stem of its differences (alone: its levels)."""
    if not reading.results.has("public_money"):
        return None
    table = reading.results.table("public_money")
    if table.empty:
        return None
    paired = reading.reference is not None and "delta_usd_million_p50" in table
    return table, "delta_usd_million" if paired else "usd_million"


def public_told(reading: Reading) -> str:
    """Say what public stocks buy, sell and hold at the end; blank where they do not differ."""
    from lodestone.report.phrases import shown

    held = _public(reading)
    if held is None:
        return ""
    table, stem = held
    rows = table[table["region"] == "all"].set_index("item")
    parts = []
    for item, words in (
        ("stock_bought", "buy for"),
        ("stock_sold", "sell for"),
        ("stock_left", "hold goods at the end worth"),
    ):
        low, middle, high = (float(rows[f"{stem}_{q}"][item]) for q in ("p05", "p50", "p95"))
        if abs(middle) >= LEAST:
            paired = stem != "usd_million"
            told = shown(low, middle, high, "USD million", signed=paired)
            sign = "" if not paired else " more" if middle > 0 else " less"
            parts.append(f"{words} {told.lstrip('+' + MINUS)}{sign}")
    if not parts:
        return ""
    than = " against the reference" if stem != "usd_million" else ""
    return (
        f"Public stocks{than}, present value to the end of the run: they {joined(parts)}. Net outlay "
        "counts sales and leaves out what is held."
    )


def public_table(reading: Reading) -> dict[str, Any] | None:
    """Public money by region and item: with, without, difference."""
    from lodestone.report.phrases import shown

    held = _public(reading)
    if held is None:
        return None
    table, stem = held
    paired = stem != "usd_million"

    def told(row: Any, stem: str, signed: bool) -> str:
        low, middle, high = (float(row[f"{stem}_{q}"]) for q in ("p05", "p50", "p95"))
        if max(abs(low), abs(high)) < 0.05:
            return "0"
        return shown(low, middle, high, "USD million", signed=signed).replace("USD ", "")

    rows = []
    for row in table.to_dict("records"):
        where = "All" if row["region"] == "all" else capital(human(row["region"]))
        line = [where, PUBLIC.get(row["item"], human(row["item"])), told(row, "usd_million", False)]
        if paired:
            line += [
                told(row, "reference_usd_million", False),
                told(row, "delta_usd_million", True),
            ]
        if set(line[2:]) != {"0"}:
            rows.append(line)
    columns = ["Region", "Public money, USD, present value", "With the measures"]
    if paired:
        columns += ["Reference", "Difference"]
    return {"columns": columns, "rows": rows, "widths": [14, 34, 20, 20, 20][: len(columns)]}
