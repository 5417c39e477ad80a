"""Cross-checks of the chain: names, shares, recipes, dates, provenance.

`check_chain` returns every problem; an empty list means that the chain is sound. The checks read
the vocabulary of a column from the nouns, so a new column is checked without being told.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from lodestone.border.errors import InputError
from lodestone.border.expressions import parse_metric
from lodestone.border.words import suggestion
from lodestone.chain import nouns
from lodestone.chain.facts import find_fact, span_of
from lodestone.chain.nouns import BASES, STAGES, Chain, Row

__all__ = ["Problem", "check_chain", "sort_problems"]

#: Table -> column that its low and high are the range of.
RANGED = {
    "demand": "t_per_year",
    "oxide_uses": "share_of_residual",
    "baseline": "tonnes",
    "costs": "value",
    "prices": "usd_per_kg",
    "plant_costs": "capital_usd_per_kg_year",
}
#: Share or amount that is rounding.
TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the seeds: where, what, and the nearest known word."""

    file: str
    line: int
    key: str
    message: str
    hint: str = ""

    @property
    def place(self) -> str:
        """File and line, as an editor understands them."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def __str__(self) -> str:
        parts = [self.place, self.key, self.message]
        text = ": ".join(part for part in parts if part)
        return f"{text}. {self.hint}" if self.hint else text


def sort_problems(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems by file and line, without repetitions."""
    return sorted(set(problems), key=lambda item: (item.file, item.line, item.key, item.message))


def check_chain(chain: Chain, files: Mapping[str, Path] | None = None) -> list[Problem]:
    """Return every problem of a chain.

    Parameters
    ----------
    chain
        The chain as read.
    files
        Table name -> file, so that a problem can name it; by default the table's name is used.
    """
    check = _Check(chain, files or {})
    check.words()
    check.provenance()
    check.shares()
    check.recipes()
    check.materials()
    check.plant_costs()
    check.facilities()
    check.reach()
    check.parameters()
    check.claims()
    return sort_problems(check.problems)


class _Check:
    def __init__(self, chain: Chain, files: Mapping[str, Path]) -> None:
        self.chain = chain
        self.files = files
        self.problems: list[Problem] = []
        self.vocabulary: dict[str, Mapping[str, Any] | set[str]] = {
            "regions": chain.regions,
            "countries": chain.countries,
            "elements": chain.elements,
            "materials": chain.materials,
            "mixes": chain.mixes,
            "sectors": chain.sectors,
            "facilities": chain.facilities,
            "sources": set(chain.sources) | set(chain.assumptions),
        }

    def add(self, table: str, line: int, key: str, message: str, hint: str = "") -> None:
        file = self.files.get(table)
        self.problems.append(Problem(str(file or f"{table}.csv"), line, key, message, hint))

    def rows(self, table: str) -> Iterable[tuple[int, Any]]:
        return self.chain.tables.get(table, ())

    def words(self) -> None:
        """Every word of a vocabulary is known."""
        for table, rows in self.chain.tables.items():
            if not rows:
                continue
            columns = _vocabulary_columns(type(rows[0][1]))
            for line, row in rows:
                for name, column, of in columns:
                    value = getattr(row, name)
                    if value is None:
                        continue
                    known = self.vocabulary[of]
                    for word in value if isinstance(value, tuple) else (value,):
                        if word not in known:
                            kind = "source" if of == "sources" else of.rstrip("s")
                            hint = suggestion(word, known)
                            self.add(table, line, column, f"unknown {kind} '{word}'", hint)

    def provenance(self) -> None:
        """Every row names a source; low <= high; no number hides as text."""
        for table, rows in self.chain.tables.items():
            for line, row in rows:
                if not isinstance(row, Row):
                    continue
                if not row.source:
                    self.add(table, line, "source", "the row names no source")
                if row.low is not None and row.high is not None and row.low > row.high:
                    self.add(table, line, "low", f"low {row.low:g} is above high {row.high:g}")
                    continue
                if table in RANGED:
                    value = getattr(row, RANGED[table])
                    self._within(table, line, RANGED[table], value, (row.low, row.high))

    def _within(
        self,
        table: str,
        line: int,
        column: str,
        value: float,
        ends: tuple[float | None, float | None],
    ) -> None:
        low, high = ends
        if low is not None and high is not None and not low - TINY <= value <= high + TINY:
            message = f"{value:g} lies outside its own range, {low:g} to {high:g}"
            self.add(table, line, column, message)

    def shares(self) -> None:
        """Shares that describe a whole add up to it."""
        for mix, content in self.chain.mixes.items():
            total = math.fsum(content.values())
            if total > 1 + 1e-9:
                self._group("element_mix", "mix", mix, f"the shares of '{mix}' sum to {total:.4f}")
        for sector, tiers in self.chain.tiers.items():
            self._whole("tiers", "sector", sector, tiers.values())
        for sector in self.chain.sectors:
            if sector not in self.chain.tiers:
                self.add("tiers", 0, "sector", f"the sector '{sector}' has no tiers")
        uses: dict[str, list[float]] = {}
        for use in self.chain.oxide_uses:
            uses.setdefault(use.material, []).append(use.share_of_residual)
        for material, values in uses.items():
            self._whole("oxide_uses", "material", material, values)
        flows: dict[tuple[str, str], list[float]] = {}
        for flow in self.chain.concentrate_trade:
            flows.setdefault((flow.material, flow.origin), []).append(flow.share_of_origin_output)
        for (material, origin), values in flows.items():
            self._whole("concentrate_trade", "origin", f"{material} from {origin}", values)
        weights: dict[str, list[float]] = {}
        for country in self.chain.countries.values():
            weights.setdefault(country.region, []).append(country.share_of_region_demand)
        for region in self.chain.regions:
            self._whole("countries", "region", region, weights.get(region, ()))

    def plant_costs(self) -> None:
        """Every stage has a row without a region, and nothing is built faster than the fastest."""
        for stage in STAGES:
            if (stage, "") not in self.chain.plant_costs:
                self.add("plant_costs", 0, "stage", f"no row of {stage} without a region")
        for line, row in self.rows("plant_costs"):
            if row.region and row.region not in self.chain.regions:
                hint = suggestion(row.region, self.chain.regions)
                self.add("plant_costs", line, "region", f"unknown region '{row.region}'", hint)
            if row.build_months_least > row.build_months:
                message = "the least time is above the usual time"
                self.add("plant_costs", line, "build_months_least", message)

    def _whole(self, table: str, key: str, what: str, values: Iterable[float]) -> None:
        total = math.fsum(values)
        if abs(total - 1) > 1e-4:
            self._group(table, key, what, f"the shares of '{what}' sum to {total:.4f}, not 1")

    def _group(self, table: str, key: str, what: str, message: str) -> None:
        word = what.split(" from ")[-1]
        lines = [line for line, row in self.rows(table) if getattr(row, key, None) == word]
        self.add(table, lines[0] if lines else 0, key, message)

    def recipes(self) -> None:
        """No recipe makes an element out of nothing, and units fit the forms."""
        order = {form: place for place, form in enumerate(nouns.FORMS)}
        for line, recipe in self.rows("recipes"):
            made = self.chain.materials.get(recipe.output)
            used = self.chain.materials.get(recipe.input)
            if made is None or used is None:
                continue
            if order[used.form] >= order[made.form]:
                message = f"{used.form} cannot be an input of {made.form}"
                self.add("recipes", line, "input", message)
            if used.element is None:
                self.add("recipes", line, "input", "an input must hold one element")
                continue
            element = self.chain.elements.get(used.element)
            if element is None:
                continue
            per_tonne = element.element_per_oxide if used.form == "oxide" else 1.0
            given = recipe.input_t_per_t_output * per_tonne
            if given + 1e-9 < recipe.contained_element_t_per_t_output:
                message = (
                    f"one tonne of {recipe.output} would contain "
                    f"{recipe.contained_element_t_per_t_output:g} t of {used.element} "
                    f"but is given {given:.4g} t"
                )
                self.add("recipes", line, "contained_element_t_per_t_output", message)
        for name, inputs in self.chain.recipes.items():
            total = math.fsum(item.contained_element_t_per_t_output for item in inputs.values())
            if total > 1 + 1e-9:
                self._group("recipes", "output", name, f"'{name}' would contain {total:g} t per t")
        for name, item in self.chain.materials.items():
            if item.form in ("metal", "magnet") and name not in self.chain.recipes:
                self.add("recipes", 0, "output", f"no recipe makes '{name}'")

    def materials(self) -> None:
        """Forms, units, prices and oxides of every element hang together."""
        for line, item in self.rows("materials"):
            if BASES[item.form] != item.basis:
                message = f"a {item.form} is counted in {BASES[item.form]}, not {item.basis}"
                self.add("materials", line, "basis", message)
            if (item.element is None) != (item.form in ("concentrate", "magnet")):
                self.add("materials", line, "element", f"does not fit the form '{item.form}'")
            if item.form == "concentrate":
                continue
            for market in ("home", "ask"):
                price = self.chain.prices.get((item.name, market))
                if price is None:
                    self.add("prices", 0, "material", f"no {market} price of '{item.name}'")
        for name in self.chain.elements:
            if f"{name}_oxide" not in self.chain.materials:
                self.add("materials", 0, "material", f"the element '{name}' has no '{name}_oxide'")
        for line, row in self.rows("demand"):
            material = self.chain.materials.get(row.material)
            if material is not None and material.form != "magnet":
                self.add("demand", line, "material", f"'{row.material}' is not a magnet")
            sector = self.chain.sectors.get(row.sector)
            if sector is not None and sector.kind != "magnet":
                self.add("demand", line, "sector", f"'{row.sector}' does not use magnets")
        for line, row in self.rows("oxide_uses"):
            material = self.chain.materials.get(row.material)
            if material is not None and material.form != "oxide":
                self.add("oxide_uses", line, "material", f"'{row.material}' is not an oxide")

    def facilities(self) -> None:
        """Stage, material, basis, mix, dates and country of each facility fit together."""
        basis = {
            "mine": "t_reo",
            "separation": "t_reo",
            "recycling": "t_oxide",
            "metal": "t_metal",
            "magnet": "t_magnet",
        }
        magnets = sorted({"ndfeb", *self.chain.materials})
        held = dict.fromkeys(e for _, item in self.rows("facilities") for e in item.contents())
        for element in held:
            if element not in self.chain.elements:
                word, known = (
                    f"{element}_t_per_year",
                    [f"{e}_t_per_year" for e in self.chain.elements],
                )
                message = f"unknown column '{word}': there is no element '{element}'"
                self.add("facilities", 1, word, message, suggestion(word, known))
        for line, item in self.rows("facilities"):
            if item.capacity_basis != basis[item.stage]:
                message = f"a plant of stage {item.stage} is counted in {basis[item.stage]}"
                self.add("facilities", line, "capacity_basis", message)
            form = {"mine": "concentrate", "metal": "metal", "magnet": "magnet"}.get(item.stage)
            if form is None:
                if item.material != "oxide":
                    self.add(
                        "facilities",
                        line,
                        "material",
                        f"a plant of stage {item.stage} makes 'oxide'",
                    )
            elif item.material != "ndfeb" or item.stage != "magnet":
                made = self.chain.materials.get(item.material)
                if made is None:
                    hint = suggestion(item.material, magnets)
                    message = f"unknown material '{item.material}'"
                    self.add("facilities", line, "material", message, hint)
                elif made.form != form:
                    message = f"a plant of stage {item.stage} does not make {made.form}s"
                    self.add("facilities", line, "material", message, f"It makes {form}s.")
            if item.stage == "mine" and item.mix is None:
                self.add("facilities", line, "mix", "a mine needs an element mix")
            if item.stage in ("separation", "recycling"):
                if item.recovery is None:
                    self.add(
                        "facilities",
                        line,
                        "recovery",
                        f"a plant of stage {item.stage} needs a recovery",
                    )
                for word in item.separates:
                    if word not in ("all", "light", "heavy") and word not in self.chain.elements:
                        hint = suggestion(word, [*self.chain.elements, "all", "light", "heavy"])
                        self.add("facilities", line, "separates", f"unknown '{word}'", hint)
            owners = (*self.chain.regions, *nouns.OWNERS)
            if item.owner_bloc not in owners:
                hint = suggestion(item.owner_bloc, owners)
                message = f"unknown owner '{item.owner_bloc}'"
                self.add("facilities", line, "owner_bloc", message, hint)
            country = self.chain.countries.get(item.country)
            if country is not None and country.region != item.region:
                message = f"'{item.country}' lies in '{country.region}', not '{item.region}'"
                self.add("facilities", line, "region", message)
            ends = item.unit_cost_low, item.unit_cost_high
            cost = item.unit_cost_usd_per_kg
            self._within("facilities", line, "unit_cost_usd_per_kg", cost, ends)
            end = dt.date(self.chain.vintage.base_year, 12, 31)
            running = item.start_date is None or item.start_date <= end
            if not running and item.output_2024_t:
                message = f"has output in the base year but starts on {item.start_date}"
                self.add("facilities", line, "start_date", message)
            if item.status in ("planned", "permitting", "construction") and item.start_date is None:
                self.add("facilities", line, "start_date", f"a {item.status} plant needs a date")
        words = self.chain.material_words()
        for line, row in self.rows("stockpiles"):
            for word in row.materials:
                if word not in words:
                    hint = suggestion(word, words)
                    self.add("stockpiles", line, "material", f"unknown material '{word}'", hint)
        for line, row in self.rows("policies"):
            if row.start and row.end and row.end < row.start:
                self.add("policies", line, "end", f"{row.end} is before the start {row.start}")

    def reach(self) -> None:
        """Every link of trade has a route, and every user can be reached."""
        served: dict[str, set[str]] = {}
        for line, prior in self.rows("trade_priors"):
            served.setdefault(prior.form, set()).add(prior.destination)
            self._route("trade_priors", line, prior.origin, prior.destination)
        for line, flow in self.rows("concentrate_trade"):
            self._route("concentrate_trade", line, flow.origin, flow.destination)
        for line, item in self.rows("facilities"):
            if item.destination is not None:
                self._route("facilities", line, item.region, item.destination)
        for line, row in self.rows("demand"):
            if row.t_per_year > 0 and row.region not in served.get("magnet", ()):
                self.add("demand", line, "region", f"no trade prior brings magnets to {row.region}")
        for line, row in self.rows("oxide_uses"):
            if row.share_of_residual > 0 and row.region not in served.get("oxide", ()):
                self.add("oxide_uses", line, "region", f"no trade prior reaches {row.region}")

    def _route(self, table: str, line: int, origin: str, destination: str) -> None:
        if origin != destination and (origin, destination) not in self.chain.routes:
            self.add(table, line, "destination", f"no route from {origin} to {destination}")

    def parameters(self) -> None:
        """Defaults are numbers inside their ranges; a calm world stays calm."""
        for line, item in self.rows("parameters"):
            value = item.default
            if not isinstance(value, float):
                self.add("parameters", line, "default", f"'{value}' is not a number")
                continue
            for bound, wrong in ((item.low, "below low"), (item.high, "above high")):
                if bound is None:
                    continue
                if (value < bound) if wrong == "below low" else (value > bound):
                    message = f"{item.name}: {value:g} is {wrong} {bound:g}"
                    self.add("parameters", line, "default", message)

    def claims(self) -> None:
        """Claims agree with the bibliography and with each other, and their tests can be read."""
        claims = self.chain.claims
        if not claims:
            return
        known = {*self.chain.parameter_names(), *self.chain.tables}
        for line, item in self.rows("claims"):
            source = self.chain.sources.get(item.name)
            if source is None or source.kind != "claim":
                self.add("claims", line, "claim", f"'{item.name}' is no claim of the bibliography")
            else:
                ours = (item.grade, item.article_date.isoformat())
                if ours != (source.grade, source.date):
                    message = (
                        f"{ours} is not what the bibliography says {(source.grade, source.date)}"
                    )
                    self.add("claims", line, "grade", message)
            for other in item.conflicts_with:
                if other not in claims:
                    hint = suggestion(other, claims)
                    self.add("claims", line, "conflicts_with", f"unknown claim '{other}'", hint)
                elif item.name not in claims[other].conflicts_with:
                    message = f"{other} does not name {item.name} in turn"
                    self.add("claims", line, "conflicts_with", message)
            # An older vintage has not the plants and uses that a claim of today speaks about.
            of_its_time = item.article_date.year - self.chain.vintage.base_year <= 3
            if item.parameter and of_its_time and item.parameter not in known:
                hint = suggestion(item.parameter, known)
                message = f"unknown parameter or table '{item.parameter}'"
                self.add("claims", line, "parameter", message, hint)
            for key, message, hint in claim_problems(item):
                self.add("claims", line, key, message, hint)
        for line, source in self.rows("bibliography"):
            if source.kind == "claim" and source.key not in claims:
                self.add("bibliography", line, "key", f"claim '{source.key}' is not in claims.csv")


def claim_problems(item: nouns.Claim) -> list[tuple[str, str, str]]:
    """Return what is wrong with the numbers and the test of a claim: column, message, hint."""
    found: list[tuple[str, str, str]] = []

    def wrong(key: str, message: str, hint: str = "") -> None:
        found.append((key, message, hint))

    for key in ("value", "low", "high", "reading_low", "reading_high"):
        cell = getattr(item, key)
        dated = item.unit == "date" or key.startswith("reading")
        if isinstance(cell, str):
            try:
                if not dated:
                    raise ValueError
                span_of(cell)
            except (ValueError, TypeError):
                wrong(key, f"'{cell}' is not a {'date' if dated else 'number'}")
    if found:
        return found
    if isinstance(item.low, float) and isinstance(item.high, float) and item.low > item.high:
        wrong("low", f"low {item.low:g} is above high {item.high:g}")
    if bool(item.test) == bool(item.not_testable):
        wrong("not_testable", "a claim has either a test or a reason why there is none")
    if not item.test:
        return found
    if not item.comparison:
        wrong("comparison", "a test needs a comparison")
    needs = {"about": ("value",), "between": ("low", "high")}.get(item.comparison, ())
    for key in needs:
        if getattr(item, key) is None:
            wrong(key, f"'{item.comparison}' needs it")
    either = {"at_least": ("low", "value"), "at_most": ("high", "value"),
              "reading": ("reading_low", "reading_high")}.get(item.comparison, ())  # fmt: skip
    if either and all(getattr(item, key) is None for key in either):
        wrong(either[0], f"'{item.comparison}' needs it, or {either[1]}")
    if (item.test == "run") != bool(item.scenario):
        wrong("scenario", "a run has a scenario, data have none")
    try:
        asked = parse_metric(item.expression)
        if item.test == "data":
            known = find_fact(asked.name).selectors
            for key, _ in asked.selectors:
                if key not in known:
                    wrong("expression", f"unknown selector '{key}'", suggestion(key, known))
    except InputError as error:
        wrong("expression", error.message, error.hint or "")
    except ValueError as error:
        wrong("expression", f"'{item.expression}' {error}")
    return found


def _vocabulary_columns(kind: type[Any]) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (item.name, item.metadata.get("column") or item.name, item.metadata["of"])
        for item in fields(kind)
        if item.metadata.get("of")
    )
