"""How far to trust an answer: which inputs move it, what history says, what is not modelled."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lodestone.report.asked import Row
from lodestone.report.families import family
from lodestone.report.wording import capital, human, joined, number, stepped

if TYPE_CHECKING:
    from lodestone.report.reading import Reading
    from lodestone.studies.sensitivity import Sample

__all__ = [
    "Fact",
    "episode_of",
    "facts_of",
    "how_sure",
    "inputs_told",
    "not_modelled",
    "rough",
]

#: Which episode of history tests a kind of measure; kinds without one have none.
EPISODES = {
    "export_licence": "licensing_2025",
    "general_licence": "licensing_2025",
    "truce": "licensing_2025",
    "end_use_denial": "licensing_2025",
    "export_quota": "quota_2010",
    "export_ban": "quota_2010",
    "tariff": "quota_2010",
    "production_quota": "quota_2010",
    "grey_channel": "quota_2010",
    "enforcement": "quota_2010",
    "outage": "myanmar_2024",
    "route_closure": "myanmar_2024",
    "mining_ban": "myanmar_2024",
    "demand_shock": "demand_2020",
    "demand_growth": "demand_2020",
}
TITLES = {
    "licensing_2025": "the licences of 2025",
    "quota_2010": "the export quota of 2010 to 2014",
    "myanmar_2024": "the closure of Myanmar's mines in 2024",
    "demand_2020": "the boom in demand of 2020 to 2022",
}
#: Series of a fact that speak to a family of metrics.
SERIES = {
    "shortage": ("unmet_t", "unmet_share", "stoppages", "use_t", "stock_t", "cover_days"),
    "price": ("price_home", "price_ask", "price_paid", "spot_share"),
    "money": ("price_home", "price_ask", "price_paid"),
    "trade": ("exports_t", "imports_t", "leak_t", "licences_granted_share", "quota_use"),
    "supply": ("production_t",),
    "need": ("use_t",),
}
#: Simplifications that bear on a family of metrics (DESIGN.md, known weaknesses).
LIMITS = {
    "shortage": (
        "single plants and their suppliers (inside a region all who buy in China share what comes, and so "
        "do all who buy elsewhere; stocks outside a few regions are set by a default)",
    ),
    "lost": (
        "what other suppliers of a stopped user lose (lost output is the missing kilograms that are not "
        "caught up, times a value per kilogram: an upper bound)",
    ),
    "price": (
        "prices in a closure longer than any observed one (they rise to what the last user pays)",
    ),
    "money": (
        "how public money is raised (it is an outlay here; duties are counted after pass-through, so "
        "items of cost must not be added up)",
    ),
    "trade": (
        "ports, carriers and single firms (links are those of the base year and of contracts)",
    ),
    "supply": (
        "plants that nobody has announced, one by one (capacity that high prices would call up is one "
        "flow a region; announced plants come late as such plants do)",
    ),
    "need": ("new uses and users (use follows published paths, and stays after their end)",),
}
ALWAYS = (
    "doubt about the structure of the model (bands hold drawn inputs, slips of projects and outages)",
)
#: Metrics asked for that are searched for inputs that decide them.
MOST_TRIED = 4
#: Units that a number of a fact is told without, or with another word.
PLAIN_UNITS = {"index": "", "ratio": "", "share": "", "multiple": "times", "%": "%"}


@dataclass(frozen=True)
class Fact:
    """A fact of history and what the model made of it."""

    episode: str
    id: str
    text: str
    metric: str
    observed: str
    simulated: str
    unit: str
    passed: bool


def plain(name: str) -> str:
    """Return a draw's name in words: `intervention.mp_price_floor.pass_through`."""
    parts = [human(p) for p in name.removeprefix("draw.").split(".")]
    return f"{parts[-1]} of {' '.join(parts[:-1])}" if len(parts) > 1 else parts[0]


def input_titles(reading: Reading) -> dict[str, str]:
    """Return titles of the inputs by name, kept in the run folder as `inputs.csv`."""
    text = kept(reading, "inputs.csv", ("seeds", "parameters.csv"))
    rows = csv.DictReader(io.StringIO(text))
    return {r["parameter"]: r["title"] for r in rows if r.get("parameter") and r.get("title")}


def kept(reading: Reading, name: str, shipped: tuple[str, ...]) -> str:
    """Return a table that explains the run, kept in its folder from the first report on.

    A report made later, without the data that are shipped, reads what was kept. Empty where
    neither is there.
    """
    from lodestone.border.errors import InputError
    from lodestone.border.files import save_text
    from lodestone.border.paths import data_root

    own = reading.results.folder / name
    if own.is_file():
        return own.read_text(encoding="utf-8")
    try:
        source = data_root().joinpath(*shipped)
    except InputError:
        return ""
    if not source.is_file():
        return ""
    text = source.read_text(encoding="utf-8")
    save_text(own, text)
    return text


def backcast(reading: Reading) -> list[Fact]:
    """Return every fact of the shipped backcast (`backcast.csv`)."""
    text = kept(reading, "backcast.csv", ("docs", "backcast.csv"))
    return [
        Fact(
            r["episode"],
            r["id"],
            r["text"].rstrip("."),
            r["metric"],
            r["observed"],
            r["simulated_p50"],
            r["unit"],
            r["pass"] == "true",
        )
        for r in csv.DictReader(io.StringIO(text))
        if r.get("scored") == "true"
    ]


def episode_of(reading: Reading) -> str | None:
    """Return the episode that tests most of the scenario's own measures."""
    kinds = [EPISODES[m.kind] for m in reading.marks if m.kind in EPISODES]
    disruptions = [
        EPISODES[m.kind] for m in reading.marks if m.kind in EPISODES and m.role == "disruption"
    ]
    named = disruptions or kinds
    return max(named, key=named.count) if named else None


def facts_of(reading: Reading, rows: list[Row]) -> list[str]:
    """Say what the backcast says about just these metrics, and which facts it fails by name."""
    facts = backcast(reading)
    if not facts:
        return ["No scorecard of the backcast is shipped with this installation."]
    told = []
    families = list(dict.fromkeys(family(row.name) for row in rows))
    series = {s for f in families for s in SERIES.get(f, ())}
    near = [f for f in facts if f.metric in series]
    words = {"need": "use", "money": "prices (on which the money hangs)", "supply": "output"}
    if "price" in families and "money" in families:
        families.remove("money")
    names = joined([words.get(f, {"price": "prices"}.get(f, f)) for f in families])
    if near:
        good = sum(f.passed for f in near)
        told.append(
            f"Replayed history tests {names} by {len(near)} facts, of which {good} fall into their band."
        )
    else:
        told.append(f"No fact of the replayed history tests {names}: here the model is untested.")
    episode = episode_of(reading)
    kinds = {m.kind for m in reading.marks}
    if episode is None:
        kind = joined(sorted(human(k) for k in kinds))
        if kinds:
            told.append(f"No episode of history resembles the measure at stake ({kind}).")
        return told
    own = [f for f in facts if f.episode == episode]
    failed = [f for f in own if not f.passed]
    text = f"The nearest episode is {TITLES.get(episode, human(episode))}: {len(own) - len(failed)} of {len(own)} facts in band"
    if failed:
        misses = [
            f"{f.text} (observed {_short(f.observed)}, model {_like(f.simulated, f.observed)}{_unit(f.unit)})"
            for f in failed[:3]
        ]
        text += f"; missed: {'; '.join(misses)}"
        if len(failed) > 3:
            text += f"; and {len(failed) - 3} more"
    told.append(f"{text}.")
    return told


def _unit(unit: str) -> str:
    word = PLAIN_UNITS.get(unit, unit)
    return f" {word}" if word else ""


def _short(value: str) -> str:
    try:
        return number(float(value))
    except ValueError:
        return value or "nothing"


def _like(value: str, observed: str) -> str:
    """Return a simulated number in the digits of the observed one."""
    try:
        shown, size = float(value), abs(float(observed))
    except ValueError:
        return _short(value)
    step = 10.0 ** (math.floor(math.log10(size)) - 1) if size else 0.01
    return stepped(shown, step)


def not_modelled(rows: list[Row]) -> str:
    """Return what is not modelled and bears on the metrics asked for: two things, and what always is."""
    families = list(dict.fromkeys(family(row.name) for row in rows))
    keys = ["lost"] if any(r.name.startswith("lost_") for r in rows) else []
    keys += families
    found = [text for key in keys for text in LIMITS.get(key, ())][:2]
    return f"Not modelled: {'; '.join([*found, *ALWAYS])}."


def how_sure(reading: Reading) -> str:
    """Say what the number of worlds allows to be told."""
    worlds = len(reading.results.worlds)
    both = "" if reading.reference is None else ", with and without the measures on the same draws"
    return f"{worlds} worlds, each one joint draw of everything uncertain{both}. {rough(worlds)}"


def rough(worlds: int) -> str:
    """Say how rare an event a number of worlds can miss, and whether the bands are rough."""
    rare = 100 * (1 - 0.05 ** (1 / worlds))
    told = f"{rare:.0f} %" if rare >= 1 else f"{rare:.1f} %"
    text = f"An event that none of the worlds shows may still have a probability of up to {told}."
    if worlds < 100:
        text += " With fewer than 100 worlds the ends of the bands are rough themselves."
    return text


def inputs_told(reading: Reading, rows: list[Row], n: int = 3) -> list[str]:
    """Return a lead and the inputs that decide a metric, as sentences; or why none is named.

    The first of the metrics asked for that the measures move and that any input decides is told.
    """
    from lodestone.studies.sensitivity import FEWEST, decisive

    moved = [row for row in rows if not row.still]
    if not moved:
        return ["The measures move none of the numbers asked for, so no input moves a difference."]
    worlds = moved[0].own.size
    if worlds < FEWEST:
        return [
            f"{worlds} worlds are too few to tell inputs from chance ({FEWEST} are needed): run more "
            f"to see what moves {lower_first(moved[0].title)}."
        ]
    for row in moved[:MOST_TRIED]:
        if found := decisive(_sample(reading, row), n):
            break
    what = lower_first(row.title if found else moved[0].title)
    kind = "the difference" if found and _differs(row) else "the size"
    if not found:
        return [f"No single input stands out from chance as the one that moves {what}."]
    titles = input_titles(reading)
    words = {
        "raises": "the higher, the larger",
        "lowers": "the higher, the smaller",
        "mixed": "in both directions",
    }
    head = f"Inputs that decide {kind} of: {what}. Over {worlds} worlds; strength from 0 to 1."
    lines = []
    for item in found:
        line = f"{capital(titles.get(item.name) or plain(item.name))}: {words.get(item.direction, item.direction)}"
        line += f" (strength {item.index:.2f})"
        if item.moves_with:
            also = joined([titles.get(m) or plain(m) for m in item.moves_with[:2]])
            line += f"; drawn together with {also}"
        lines.append(f"{line}.")
    return [head, *lines]


def _differs(row: Row) -> bool:
    """Whether differences tell anything: not where the reference never comes to it."""
    return row.calm is not None and bool(np.isfinite(row.calm).any())


def _sample(reading: Reading, row: Row) -> Sample:
    """Inputs that vary and the difference from the reference (alone: the level), by world."""
    from lodestone.studies.sensitivity import Sample

    worlds, values = reading.results.worlds, row.own
    if _differs(row):
        assert row.calm is not None
        with np.errstate(invalid="ignore"):
            values = np.where(row.own == row.calm, 0.0, row.own - row.calm)
    known = ~np.isnan(values)
    inputs = worlds.loc[known, [c for c in worlds.columns if c.startswith("draw.")]]
    inputs = inputs.rename(columns=lambda c: c.removeprefix("draw."))
    varying = [c for c in inputs.columns if inputs[c].nunique(dropna=True) > 1]
    return Sample(
        inputs=inputs[varying].reset_index(drop=True),
        values=values[known],
        metric=row.text,
        unit=row.unit,
        world=worlds["world"].to_numpy()[known],
        point=np.zeros(int(known.sum()), int),
    )


def lower_first(text: str) -> str:
    """Return a title inside a sentence: first letter small, except in names and symbols."""
    head = text.split(" ", 1)[0]
    return (
        text
        if head.isupper() or any(c.isupper() for c in head[1:])
        else text[:1].lower() + text[1:]
    )
