"""Triggers: an intervention that starts when the state of a world calls for it, or at random.

A trigger is looked at on every market day before the rules are folded. Where it fires it writes
the start (and end) of its intervention once, for the worlds concerned; the fold then reads those
dates like any others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from lodestone.border.numbers import Distribution, Number, plain, read_at
from lodestone.border.words import suggestion
from lodestone.chain import naming
from lodestone.chain.nouns import Chain

#: Stages whose output can be watched.
WATCHED = ("mine", "separation", "metal", "magnet")


@dataclass(frozen=True)
class Trigger:
    """What must hold for an intervention to start.

    Attributes
    ----------
    after : str or None
        Another intervention: only in worlds in which that one happens.
    approval_below : float or Distribution or None
        Share of licence applications granted, below which the trigger counts.
    licence : str or None
        Whose approval is watched (default: the lowest of all licences in force).
    share_below : float or Distribution or None
        Share of world output of ``stage`` held by ``region``, half-year average.
    region, stage : str or None
    months : float or Distribution
        How long the condition must have held without a break.
    hazard_per_year : float or Distribution or None
        Then it starts at random at this rate (None: at once).
    gain : float or Distribution
        The rate is multiplied by 1 + gain x depth, where depth is how far the watched share lies
        below its threshold, as a part of the threshold.
    """

    after: str | None = None
    approval_below: Number | None = None
    licence: str | None = None
    share_below: Number | None = None
    region: str | None = None
    stage: str | None = None
    months: Number = 0.0
    hazard_per_year: Number | None = None
    gain: Number = 0.0

    @property
    def watches(self) -> bool:
        """Whether it has to be looked at as the run goes."""
        return not (
            self.approval_below is None
            and self.share_below is None
            and self.hazard_per_year is None
        )

    def written(self) -> dict[str, object]:
        """The trigger as a scenario file would hold it."""
        return {f.name: plain(getattr(self, f.name)) for f in fields(self)}

    def problems(self, chain: Chain) -> list[tuple[str, str, str | None]]:
        """What is wrong with it, as (key, message, hint)."""
        found: list[tuple[str, str, str | None]] = []
        for key, most in (
            ("approval_below", 1.0),
            ("share_below", 1.0),
            ("months", 600.0),
            ("hazard_per_year", 52.0),
            ("gain", 1000.0),
        ):
            value = getattr(self, key)
            if value is None:
                continue
            ends = value.support() if isinstance(value, Distribution) else (value, value)
            if ends[0] < 0.0 or ends[1] > most:
                found.append((key, f"must lie between 0 and {most:g}", None))
        if not self.watches and self.after is None:
            hint = "Give approval_below, share_below or hazard_per_year."
            found.append(("", "names no condition", hint))
        if self.approval_below is not None and self.share_below is not None:
            found.append(("share_below", "is given together with approval_below", "Keep one."))
        if self.licence is not None and self.approval_below is None:
            found.append(("licence", "is given without approval_below", "Add the threshold."))
        watched = self.approval_below is not None or self.share_below is not None
        if self.gain != 0.0 and (self.hazard_per_year is None or not watched):
            hint = "Give hazard_per_year with approval_below or share_below, or leave gain out."
            found.append(("gain", "multiplies a rate by how far a threshold is missed", hint))
        if self.share_below is None:
            for key in ("region", "stage"):
                if getattr(self, key) is not None:
                    found.append((key, "is given without share_below", "Add the threshold."))
            return found
        if self.region not in chain.regions:
            what = "is missing" if self.region is None else f"unknown region '{self.region}'"
            hint = (
                "Say whose share."
                if self.region is None
                else suggestion(self.region, chain.regions, naming.also_called(chain))
            )
            found.append(("region", what, hint))
        if self.stage not in WATCHED:
            what = "is missing" if self.stage is None else f"unknown stage '{self.stage}'"
            found.append(("stage", what, f"One of {', '.join(WATCHED)}."))
        return found


def read_trigger(value: object) -> str | Trigger:
    """Read the name of another intervention, or a mapping of conditions."""
    if isinstance(value, Trigger) or (isinstance(value, str) and value):
        return value
    if not isinstance(value, Mapping) or not value:
        raise ValueError(
            "must be the name of another intervention, or conditions such as "
            "{approval_below: 0.5, months: 2}"
        )
    known = [f.name for f in fields(Trigger)]
    names: dict[str, str] = {}
    numbers: dict[str, Number] = {}
    for key, item in value.items():
        if key not in known:
            raise ValueError(f"unknown condition '{key}'. {suggestion(str(key), known)}")
        if item is None:
            continue
        if key in ("after", "licence", "region", "stage"):
            if not isinstance(item, str) or not item:
                raise ValueError(f"at {key}: must be a name, got {item!r}")
            names[str(key)] = item
            continue
        numbers[str(key)] = read_at(key, item)
    return Trigger(**names, **numbers)  # type: ignore[arg-type]  # keys by sort, above


def write_trigger(value: str | Trigger) -> str | dict[str, object]:
    """Write what `read_trigger` reads."""
    if not isinstance(value, Trigger):
        return value
    return {k: v for k, v in value.written().items() if v is not None}
