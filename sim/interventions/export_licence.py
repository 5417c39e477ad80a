"""Export licences: awarded orders wait in the exporter's licence office."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, ClassVar, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema

from lodestone.border.numbers import Distribution, plain, read_at
from lodestone.border.units import DAYS_PER_WEEK, DAYS_PER_YEAR
from lodestone.border.words import suggestion
from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, Problem, intervention, vocabulary
from lodestone.interventions.context import Context, Steps, random_day
from lodestone.interventions.effects import Acting, Effect, Reviews, cleared_share
from lodestone.interventions.fields import (
    Num,
    Path,
    Words,
    _read_path,
    ends_of,
    goods,
    leaves,
    number,
    places,
    share,
    words,
)
from lodestone.interventions.targets import trade
from lodestone.worlds.conditions import LicenceRule, Rules
from lodestone.worlds.market import Market
from lodestone.worlds.parts import used_there
from lodestone.worlds.view import MarketView


class Grant(Protocol):
    """A share that changes over time."""

    def at(self, now: float, before: float = 0.0) -> np.ndarray:
        """Share on a day, shape (w,)."""


#: To whom the office of the home region is strictest, and strict (A310); all but the first count
#: among the second.
RIVAL, ALLIES = "united_states", "allies"
#: Classes with a meaning of their own: the tiers they stand for when none are named.
KNOWN_CLASSES = {"military": ("defence",), "civilian": ("essential_civilian", "other")}


class LicenceClass(BaseModel):
    """One class of applications that the office treats differently from the rest."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    approval: Path | None = share(
        None, "share granted of what is decided then (default: as for all)", source="definition"
    )
    processing_days: Num | None = number(
        None, "days until a decision (default: as for all)", unit="day", source="definition", low=0
    )
    tiers: Words | None = words(None, "tiers of use it covers (default: all)", names="tier")
    sectors: Words | None = words(None, "sectors it covers (default: all)", names="sector")
    destinations: Words | None = places(None, "destinations it covers (default: all)")


Shares = float | Distribution | dict[date, float | Distribution]


def _read_general(value: object) -> dict[str, Shares]:
    """Read ``[destination, ...]`` or ``{destination: share or {date: share}}``."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list | tuple):
        value = dict.fromkeys(value, 1.0)
    if not isinstance(value, Mapping):
        raise ValueError("must be a list of destinations, or {destination: share}")
    return {str(place): read_at(place, item, _read_path) for place, item in value.items()}


General = Annotated[
    dict[str, Shares],
    PlainValidator(_read_general),
    PlainSerializer(plain),
    WithJsonSchema({"type": ["object", "array"]}),
]


class LicenceEffect(Effect):
    """Lists links for the licence office and sets its numbers, day by day."""

    item: ExportLicence

    def set_up(self, ctx: Context) -> None:
        """Resolve look-alikes, and draw the classes and general licences."""
        self.layout = lay = ctx.layout
        item, name = self.item, self.name
        assert self.on.goods is not None
        listed = self.on.goods.rows
        fitted = ctx.draws["licence.surge"] / ctx.draws["licence.surge.default"]
        self.surge = self.n.surge * fitted
        codes = {ctx.chain.materials[m].customs_code for m in ctx.materials(item.materials)} - {""}
        same = [m for m in lay.materials if ctx.chain.materials[m].customs_code in codes]
        alike = ctx.goods(item.exporter, item.destinations, same)
        self.alike = replace(alike, rows=alike.rows & ~listed)
        # Share of each link, its path over time, and the day of revocation, by destination.
        self.general: list[tuple[np.ndarray, Grant, np.ndarray]] = []
        for place, given in item.general_licences.items():
            share = used_there(lay, ctx.places(place).countries)[lay.links.region_to]
            path = ctx.steps(given, f"{name}/general/{place}")
            since = np.maximum(self.start, path.first_day())
            revoked = random_day(
                ctx, f"{name}/revoked/{place}", since, self.n.revocation_hazard_per_year
            )
            self.general.append((share, path, revoked))
        self.never, self.slower = self._practice(ctx, listed)
        self.military: Steps | None = None
        for word, group in item.licence_classes().items():
            if group.tiers == ("defence",) and group.approval is not None:
                self.military = ctx.steps(group.approval, f"{name}/classes/{word}")

    def _practice(self, ctx: Context, listed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Share of each listed link that is refused for good and time of its review, (l, w)."""
        lay, d, item = self.layout, ctx.draws, self.item
        never, slower = np.zeros((lay.links.n, ctx.count)), np.ones((lay.links.n, ctx.count))
        if item.refused_for_good is not None:
            never[listed] = self.n.refused_for_good
            return never, slower
        # The practice is that of the one exporter whose licences are on record (A310).
        rows = listed & (lay.links.region_from == lay.home)
        rival = used_there(lay, ctx.places(RIVAL).countries)[lay.links.region_to]
        ally = used_there(lay, ctx.places(ALLIES).countries)[lay.links.region_to] - rival
        material = (
            rival * d["licence.refused_material_rival"]
            + ally * d["licence.refused_material_ally"]
            + (1.0 - rival - ally) * d["licence.refused_material_other"]
        )
        magnet = lay.links.magnet[:, None]
        share = np.where(magnet, d["licence.refused_product"], material)
        time = np.where(magnet, 1.0, d["licence.material_review"])
        never[rows], slower[rows] = share[rows], np.broadcast_to(time, never.shape)[rows]
        return never, slower

    def prepare(self, m: Market, calendar: Reviews) -> None:
        """Open the books of the listed links."""
        assert self.on.goods is not None
        m.office.open(self.on.goods.rows)

    def granted_under_general(self, now: float, links: int) -> np.ndarray:
        """Share of each link's orders under a general licence that stands, shape (l, w)."""
        general = np.zeros((links, len(self.start)))
        for part, path, revoked in self.general:
            general = np.maximum(general, part * path.at(now) * (now < revoked))
        return general

    def approval_now(self, now: float, m: MarketView) -> np.ndarray:
        """Share of listed trade that is granted now, shape (w,); NaN where not in force."""
        lay = m.layout
        assert self.on.goods is not None
        links = self.on.goods.rows
        base = lay.links.base[links]
        general = self.granted_under_general(now, lay.links.n)[links]
        granted = general + (1.0 - general) * self.n.now("approval", now)
        share = (base * granted).sum(axis=0) / max(float(base.sum()), 1e-12)
        return np.where(self.share(now, now + 1.0) > 0.0, share, np.nan)


@intervention("export_licence")
class ExportLicence(Intervention):
    """Exports of listed goods need a licence.

    Applications are filed by class (destination, tier, product), wait for the processing time,
    first come first served, within a capacity that grows. ``approval`` is the share granted of
    what is decided at a date; what is refused is filed again after ``refile_days``, so an
    approval below one slows the flow: in the long run ``min(1, approval * capacity)`` of the orders
    that are not refused for good pass. While approval is below one a Chinese office refuses part for
    good, little of products and much of materials (A310); ``refused_for_good`` sets that share. Who
    is not refused files what he trades, and a quarter's trade ahead when licences begin; the others
    look elsewhere at once, and a class that is never granted gives up after two years (A319).
    """

    title: ClassVar[str] = "exports of listed goods wait for a licence, and only part is granted"
    live: ClassVar[bool] = True
    where = trade("exporter", "destinations", "materials")
    effect: ClassVar[type[Effect]] = LicenceEffect

    exporter: Words = places(..., "regions that require the licence")
    materials: Words = goods(..., "goods that need one")
    destinations: Words = places(("all",), "buyers concerned")
    processing_days: Num = number(
        63.0,
        "days from filing to decision (45 working days by statute are 63 calendar days)",
        unit="day",
        source="o18",
        low=0.0,
        high=1500.0,
    )
    approval: Path = share(
        1.0,
        "share granted of what is decided then; the rest is filed again, so that in the long run "
        "min(1, approval x capacity) of the orders that are not refused for good pass (0.5 at a "
        "capacity of 2: all); at 1 nothing is refused",
        source="definition",
    )
    refused_for_good: Num | None = share(
        None,
        "share of the trade that is refused for good, whatever is filed, while approval is below 1 "
        "(default: drawn as the Chinese office is on record, by good and destination: parameters "
        "licence.refused_*)",
        source="A310",
        when=({"approval": ()}, {"renewal_probability": ()}),
    )
    refile_days: Num = number(
        30.0,
        "days after which a refused application is filed again",
        unit="day",
        source="A36",
        low=1.0,
        when=({"approval": ()}, {"classes": ()}, {"renewal_probability": ()}),
    )
    capacity: Num = number(
        2.0,
        "what the office can decide a week, as a multiple of a normal week's filings",
        unit="multiple",
        source="A36",
        low=0.0,
    )
    capacity_growth: Num = number(
        0.0,
        "growth of that capacity",
        unit="share per year",
        source="definition",
        low=-1.0,
        high=20.0,
    )
    classes: dict[str, LicenceClass] = Field(
        default_factory=dict,
        description="classes treated differently, by name: {military: {approval: 0}}; 'military' "
        "and 'civilian' mean the tiers of those users unless tiers are named",
    )
    general_licences: General = Field(
        default_factory=dict,
        description="destinations whose buyers skip the queue, with the share of their trade",
        json_schema_extra={"unit": "share", "source": "definition", "low": 0.0, "high": 1.0},
    )
    revocation_hazard_per_year: Num = number(
        0.0,
        "rate at which the general licences of a destination are revoked for good",
        unit="1/year",
        source="A82",
        low=0.0,
        high=52.0,
        when={"general_licences": ()},
    )
    spillover: Num = share(
        0.5, "share of unlisted goods of the same customs code held for testing", source="A35"
    )
    spillover_weeks: Num = number(
        7.5, "weeks for which such goods are held", unit="week", source="A35", low=0.0
    )
    cleared_days: Num = number(
        10.0,
        "days after the start during which goods cleared before still leave",
        unit="day",
        source="A35",
        low=0.0,
    )
    surge: Num = number(
        1.2,
        "most that is released a week, as a multiple of a normal week (catching up is flat)",
        unit="multiple",
        source="A35",
        low=0.0,
    )
    renewal_probability: Num = share(
        1.0,
        "probability that an expiring licence is renewed",
        source="definition",
        when={"valid_days": ()},
    )
    valid_days: Num | None = number(
        None,
        "days a licence is valid (null: does not expire)",
        unit="day",
        source="definition",
        low=1.0,
        when={"renewal_probability": ()},
    )

    def licence_classes(self) -> dict[str, LicenceClass]:
        """Return the classes with the tiers that well-known names stand for filled in."""
        out = {}
        for name, item in self.classes.items():
            selected = item.tiers or item.sectors or item.destinations
            known = KNOWN_CLASSES.get(name)
            if known and not selected:
                item = item.model_copy(update={"tiers": known})
            out[name] = item
        return out

    def check(self, chain: Chain) -> list[Problem]:
        """Check the names and shares inside classes and general licences."""
        found: list[Problem] = []
        also = naming.also_called(chain)
        found += [
            Problem(
                key=f"general_licences.{place}",
                message=f"unknown place '{place}'",
                hint=suggestion(place, naming.place_words(chain), also),
            )
            for place in self.general_licences
            if not naming.known_place(chain, place)
        ]
        for name, item in self.licence_classes().items():
            if not (item.tiers or item.sectors or item.destinations):
                found.append(
                    Problem(
                        key=f"classes.{name}",
                        message="does not say whom it covers",
                        hint="Add tiers, sectors or destinations, or call it military or civilian.",
                    )
                )
            if item.tiers != ("defence",) or item.sectors or item.destinations:
                found.append(
                    Problem(
                        key=f"classes.{name}",
                        message="only the military class (tier defence) has a book of its own yet",
                        hint="For other groups write a second licence with its own destinations.",
                    )
                )
            elif item.processing_days is not None:
                found.append(
                    Problem(
                        key=f"classes.{name}.processing_days",
                        message="the military class is reviewed as long as the others",
                        hint="Set its approval instead.",
                    )
                )
            for key, category in (
                ("tiers", "tier"),
                ("sectors", "sector"),
                ("destinations", "place"),
            ):
                known = vocabulary(chain, category)
                found += [
                    Problem(
                        key=f"classes.{name}.{key}",
                        message=f"unknown {category} '{word}'",
                        hint=suggestion(word, known, also),
                    )
                    for word in getattr(item, key) or ()
                    if word not in known
                    and not (category == "place" and naming.known_place(chain, word))
                ]
            for where, value in leaves(f"classes.{name}.approval", item.approval):
                least, most = ends_of(value)
                if least < 0 or most > 1:
                    found.append(
                        Problem(
                            key=where,
                            message=f"is {value}, not a share",
                            hint="A share lies between 0 and 1, not in percent.",
                        )
                    )
        return found

    def act(self, rules: Rules, on: Acting) -> None:
        """Hand today's rule to the office."""
        rules.announced.raise_to(on.cells, on.known)
        if not np.any(on.active):
            return
        effect, t0 = on.effect, on.t0
        assert isinstance(effect, LicenceEffect)
        begun = np.where(np.isfinite(effect.start), effect.start, t0)
        since = np.maximum(t0 - begun, 0.0)
        approval = on.approval
        if self.valid_days is not None:
            approval = approval * np.where(since > on.valid_days, on.renewal_probability, 1.0)
        weeks = since / DAYS_PER_WEEK
        # Held for testing at first; the share fades around the weeks given.
        late = np.clip((weeks - on.spillover_weeks) / 0.8, -40.0, 40.0)
        fading = 1.0 / (1.0 + np.exp(late))
        military = effect.military
        rules.licences.append(
            LicenceRule(
                links=on.goods.rows,
                lookalike=effect.alike.rows,
                active=on.active,
                approval=approval,
                military_approval=approval if military is None else military.at(t0),
                processing_weeks=on.processing_days / DAYS_PER_WEEK,
                refile_weeks=on.refile_days / DAYS_PER_WEEK,
                capacity=on.capacity * (1.0 + on.capacity_growth) ** (since / DAYS_PER_YEAR),
                surge=effect.surge,
                general=effect.granted_under_general(t0, on.m.layout.links.n),
                held_share=on.spillover * fading * (on.active > 0),
                cleared=cleared_share(effect, on.cleared_days, on.active, t0, on.t1),
                refused=effect.never * (approval < 1.0),  # an office that grants all refuses none
                slower=effect.slower,
                part=on.goods,
                alike=effect.alike,
                market=on.m,
            )
        )

    def passes_in_the_end(self, approval: Path | None = None) -> tuple[float, float]:
        """Return the least and the most of normal orders that pass in the long run.

        What is refused is filed again, so that ``1 / approval`` decisions are needed for each
        order: ``min(1, approval * capacity)`` passes. Of a path of approvals the last one counts,
        of licences that expire the share renewed; growth of the office is left out.

        Parameters
        ----------
        approval
            Of a class of applications; by default that of all.
        """
        path = self.approval if approval is None else approval
        granted = ends_of(list(path.values())[-1] if isinstance(path, Mapping) else path)
        able, renewed = ends_of(self.capacity), (1.0, 1.0)
        if self.valid_days is not None:
            renewed = ends_of(self.renewal_probability)
        low, high = (min(1.0, a * c * r) for a, c, r in zip(granted, able, renewed, strict=True))
        return low, high

    def _told_refused(self) -> str:
        """What remarks say of the trade that is refused for good."""
        if self.refused_for_good is None:
            return (
                " that are not refused for good (a Chinese office refuses up to 15 % of trade in "
                "magnets, and of oxides and metals 80 to 100 % to the United States, 30 to 95 % to "
                "its allies, 10 to 70 % to others: set refused_for_good)"
            )
        low, high = ends_of(self.refused_for_good)
        if high <= 0.0:
            return ""
        return f" that are not among the {_percent(low, high)} refused for good"

    def remarks(self, chain: Chain) -> list[str]:
        """What an approval below one lets through in the long run."""
        found = super().remarks(chain)
        classes = {n: c.approval for n, c in self.licence_classes().items()}
        each = {"approval": self.approval}
        each |= {f"classes.{n}.approval": a for n, a in classes.items() if a is not None}
        lasting = self._told_refused()
        for key, path in each.items():
            since, last = list(path.items())[-1] if isinstance(path, Mapping) else ("", path)
            granted = ends_of(last)
            if granted[0] >= 1.0:
                continue
            who = "normal orders" if key == "approval" else "its normal orders"
            who += lasting
            when = f"from {since} on " if since else ""
            found.append(
                f"{key}: {when}{_percent(*granted)} of what is decided is granted and the rest is "
                f"filed again after {_days(self.refile_days)} days, so that in the long run "
                f"{_percent(*self.passes_in_the_end(path))} of {who} pass (approval times the "
                f"office's capacity of {_times(self.capacity)} normal filings"
                + (", times the share renewed" if self.valid_days is not None else "")
                + (", which grows" if ends_of(self.capacity_growth)[1] > 0.0 else "")
                + ", at most all); to stop trade for good write an export_ban with a share"
            )
        return found


def _times(value: float | Distribution) -> str:
    low, high = ends_of(value)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _percent(low: float, high: float) -> str:
    return f"{100 * low:.0f} %" if low == high else f"{100 * low:.0f} to {100 * high:.0f} %"


def _days(value: float | Distribution) -> str:
    low, high = ends_of(value)
    return f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"
