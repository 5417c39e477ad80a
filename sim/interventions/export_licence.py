"""Export licences: awarded orders wait in the exporter's licence office."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema

from lodestone.border.numbers import plain
from lodestone.border.words import suggestion
from lodestone.interventions.base import (
    Intervention,
    Num,
    Path,
    Problem,
    Words,
    _leaves,
    _read_path,
    intervention,
    number,
    share,
    vocabulary,
    words,
)
from lodestone.interventions.effects import Context, Effect, cleared_share, timing
from lodestone.interventions.effects import Path as DrawnPath
from lodestone.interventions.triggers import random_day
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.office import LicenceRule

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain
    from lodestone.worlds.layout import Layout

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
    destinations: Words | None = words(None, "destinations it covers (default: all)", names="place")


def _read_general(value: Any) -> dict[str, Any]:
    """Read ``[destination, ...]`` or ``{destination: share or {date: share}}``."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list | tuple):
        value = dict.fromkeys(value, 1.0)
    if not isinstance(value, Mapping):
        raise ValueError("must be a list of destinations, or {destination: share}")
    out = {}
    for place, item in value.items():
        try:
            out[str(place)] = _read_path(item)
        except ValueError as error:
            raise ValueError(f"at {place}: {error}") from None
    return out


General = Annotated[
    dict[str, Any],
    PlainValidator(_read_general),
    PlainSerializer(plain),
    WithJsonSchema({"type": ["object", "array"]}),
]


@dataclass
class LicenceEffect(Effect):
    """Lists links for the licence office and sets its numbers, day by day."""

    links: np.ndarray  # (l,) bool
    lookalike: np.ndarray  # (l,) bool
    approval: DrawnPath
    military: DrawnPath | None
    processing: np.ndarray  # (w,) weeks
    refile: np.ndarray  # (w,) weeks
    capacity: np.ndarray  # (w,) multiple of normal filings
    growth: np.ndarray  # (w,) a year
    surge: np.ndarray  # (w,)
    general: list[tuple[np.ndarray, Any, np.ndarray]]  # (l, 1), path, day of revocation (w,)
    spillover: np.ndarray  # (w,)
    spillover_weeks: np.ndarray  # (w,)
    cleared: np.ndarray  # (w,) days
    renewal: np.ndarray  # (w,)
    valid: np.ndarray | None
    layout: Layout

    def prepare(self, day: Any, calendar: Any) -> None:
        """Open the books of the listed links."""
        day.office.open(self.links)

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Hand today's rule to the office."""
        lay, w = day.layout, len(self.start)
        known = self.known(t0)
        if np.any(known):
            cells = np.unique(lay.links.destination[self.links])
            rules.most("announced", cells, (lay.cells.n, w), known)
        active = self.share(t0, t1)
        if not np.any(active):
            return
        since = np.maximum(t0 - np.where(np.isfinite(self.start), self.start, t0), 0.0)
        approval = self.approval.at(t0)
        if self.valid is not None:
            approval = approval * np.where(since > self.valid, self.renewal, 1.0)
        general = self._general(t0, lay.links.n)
        weeks = since / 7.0
        # Held for testing at first; the share fades around the weeks given.
        fading = 1.0 / (1.0 + np.exp(np.clip((weeks - self.spillover_weeks) / 0.8, -40.0, 40.0)))
        rules.licences.append(
            LicenceRule(
                links=self.links,
                lookalike=self.lookalike,
                active=active,
                approval=approval,
                military_approval=approval if self.military is None else self.military.at(t0),
                processing_weeks=self.processing,
                refile_weeks=self.refile,
                capacity=self.capacity * (1.0 + self.growth) ** (since / 365.25),
                surge=self.surge,
                general=general,
                held_share=self.spillover * fading * (active > 0),
                cleared=cleared_share(self, self.cleared, active, t0, t1),
            )
        )

    def _general(self, now: float, links: int) -> np.ndarray:
        """Share of each link's orders under a general licence that stands, shape (l, w)."""
        general = np.zeros((links, len(self.start)))
        for part, path, revoked in self.general:
            general = np.maximum(general, part * path.at(now) * (now < revoked))
        return general

    def approval_now(self, now: float, day: Any) -> np.ndarray:
        """Share of listed trade that is granted now, shape (w,); NaN where not in force."""
        lay = day.layout
        base = lay.links.base[self.links]
        general = self._general(now, lay.links.n)[self.links]
        granted = general + (1.0 - general) * self.approval.at(now)
        share = (base * granted).sum(axis=0) / max(float(base.sum()), 1e-12)
        return np.where(self.share(now, now + 1.0) > 0.0, share, np.nan)


@intervention("export_licence")
class ExportLicence(Intervention):
    """Exports of listed goods need a licence.

    Applications are filed by class (destination, tier, product), wait for the processing time,
    first come first served, within a capacity that grows. ``approval`` is the share granted of
    what is decided at a date; what is refused is filed again after ``refile_days``, so an
    approval below one slows the flow and does not remove demand for good.
    """

    title: ClassVar[str] = "exports of listed goods wait for a licence, and only part is granted"
    live: ClassVar[bool] = True

    exporter: Words = words(..., "regions that require the licence", names="place")
    materials: Words = words(..., "goods that need one", names="material")
    destinations: Words = words(("all",), "buyers concerned", names="place")
    processing_days: Num = number(
        63.0,
        "days from filing to decision (45 working days by statute are 63 calendar days)",
        unit="day",
        source="o18",
        low=0.0,
        high=1500.0,
    )
    approval: Path = share(1.0, "share granted of what is decided then", source="definition")
    refile_days: Num = number(
        30.0,
        "days after which a refused application is filed again",
        unit="day",
        source="A36",
        low=1.0,
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
        1.0, "probability that an expiring licence is renewed", source="definition"
    )
    valid_days: Num | None = number(
        None,
        "days a licence is valid (null: does not expire)",
        unit="day",
        source="definition",
        low=1.0,
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
        places = vocabulary(chain, "place")
        found += [
            Problem(
                key=f"general_licences.{place}",
                message=f"unknown place '{place}'",
                hint=suggestion(place, places),
            )
            for place in self.general_licences
            if place not in places
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
                        hint=suggestion(word, known),
                    )
                    for word in getattr(item, key) or ()
                    if word not in known
                ]
            for where, value in _leaves(f"classes.{name}.approval", item.approval):
                least, most = (value, value) if isinstance(value, float) else value.support()
                if least < 0 or most > 1:
                    found.append(
                        Problem(
                            key=where,
                            message=f"is {value}, not a share",
                            hint="A share lies between 0 and 1, not in percent.",
                        )
                    )
        return found

    def compile(self, name: str, ctx: Context) -> LicenceEffect:
        """Resolve listed links and look-alikes, and draw the office's numbers."""
        lay = ctx.layout
        listed, _ = ctx.links(self.exporter, self.destinations, self.materials)
        codes = {ctx.chain.materials[m].customs_code for m in (ctx.rows(self.materials) or [])} - {
            ""
        }
        alike = [m for m in lay.materials if ctx.chain.materials[m].customs_code in codes]
        lookalike = lay.link_mask(
            set(ctx.places(self.exporter)), ctx.places(self.destinations), alike
        )
        general: list[tuple[np.ndarray, Any, np.ndarray]] = []
        when = timing(self, name, ctx)
        hazard = ctx.number(self.revocation_hazard_per_year, f"{name}/revocation_hazard_per_year")
        for place, given in self.general_licences.items():
            where = ctx.places((place,))
            share = np.array([where.get(lay.regions[r], 0.0) for r in lay.links.region_to])
            path = ctx.path(given, f"{name}/general/{place}")
            granted = next((d for d, v in zip(path.days, path.values, strict=True) if v.any()), 0.0)
            since = np.maximum(when["start"], granted)
            revoked = random_day(ctx, f"{name}/revoked/{place}", since, hazard)
            general.append((share[:, None], path, revoked))
        military = None
        for word, item in self.licence_classes().items():
            if item.tiers == ("defence",) and item.approval is not None:
                military = ctx.path(item.approval, f"{name}/classes/{word}")
        return LicenceEffect(
            **when,
            links=listed,
            lookalike=lookalike & ~listed,
            approval=ctx.path(self.approval, f"{name}/approval"),
            military=military,
            processing=ctx.number(self.processing_days, f"{name}/processing_days") / 7.0,
            refile=ctx.number(self.refile_days, f"{name}/refile_days") / 7.0,
            capacity=ctx.number(self.capacity, f"{name}/capacity"),
            growth=ctx.number(self.capacity_growth, f"{name}/capacity_growth"),
            surge=ctx.number(self.surge, f"{name}/surge")
            * (ctx.draws["licence.surge"] / ctx.draws["licence.surge.default"]),
            general=general,
            spillover=ctx.number(self.spillover, f"{name}/spillover"),
            spillover_weeks=ctx.number(self.spillover_weeks, f"{name}/spillover_weeks"),
            cleared=ctx.number(self.cleared_days, f"{name}/cleared_days"),
            renewal=ctx.number(self.renewal_probability, f"{name}/renewal_probability"),
            valid=None
            if self.valid_days is None
            else ctx.number(self.valid_days, f"{name}/valid_days"),
            layout=lay,
        )
