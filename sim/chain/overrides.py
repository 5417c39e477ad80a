"""Every number of the chain that may be overridden, by its dotted name."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

from lodestone.border.errors import InputError
from lodestone.border.words import unknown
from lodestone.chain.demand import Price, Sector, Stockpile
from lodestone.chain.evidence import Parameter
from lodestone.chain.row import Row, metadata
from lodestone.chain.supply import Facility

_FACILITY_KEYS = ("capacity_t_per_year", "start_date", "ramp_months", "unit_cost_usd_per_kg")
_SECTOR_KEYS = (
    "cover_weeks",
    "heavy_free_ceiling",
    "ree_free_ceiling",
    "lost_output_usd_per_kg",
    "growth_2030",
    "growth_2035",
    "elasticity_short",
)
_SECTOR_RANGES = {
    "cover_weeks": ("cover_low", "cover_high"),
    "lost_output_usd_per_kg": ("lost_output_low", "lost_output_high"),
    "elasticity_short": ("elasticity_low", "elasticity_high"),
}

#: Numbers of behaviour that are one for all worlds: the law of price is laid out by them.
ONE_FOR_ALL = ("market.lane_response", "market.resale_cost")


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The tables whose numbers a scenario may override."""

    facilities: dict[str, Facility]
    sectors: dict[str, Sector]
    stockpiles: dict[str, Stockpile]
    prices: dict[tuple[str, str], Price]
    parameters: dict[str, Parameter]

    def parameter_names(self) -> dict[str, Parameter]:
        """Return every number that may be overridden: dotted name -> `Parameter`."""
        return dict(self._named)

    @cached_property
    def _named(self) -> dict[str, Parameter]:
        found = dict(self.parameters)
        for name, item in self.facilities.items():
            for key in _FACILITY_KEYS:
                value = getattr(item, key)
                default = value.isoformat() if isinstance(value, dt.date) else value
                low, high = None, None
                if key == "unit_cost_usd_per_kg":
                    low, high = item.unit_cost_low, item.unit_cost_high
                found[f"facility.{name}.{key}"] = _chain_parameter(
                    f"facility.{name}.{key}", item, key, default, low, high
                )
        for name, sector in self.sectors.items():
            for key in _SECTOR_KEYS:
                low_key, high_key = _SECTOR_RANGES.get(key, (None, None))
                found[f"sector.{name}.{key}"] = _chain_parameter(
                    f"sector.{name}.{key}",
                    sector,
                    key,
                    getattr(sector, key),
                    getattr(sector, low_key) if low_key else None,
                    getattr(sector, high_key) if high_key else None,
                )
        for name, pile in self.stockpiles.items():
            found[f"stockpile.{name}.days"] = _chain_parameter(
                f"stockpile.{name}.days", pile, "days", pile.days, pile.low, pile.high
            )
        for (material, market), price in self.prices.items():
            dotted = f"price.{material}.{market}_usd_per_kg"
            found[dotted] = _chain_parameter(
                dotted, price, "usd_per_kg", price.usd_per_kg, price.low, price.high
            )
        return found

    def with_overrides(self, overrides: Mapping[str, Any], file: object = None) -> Self:
        """Return a chain with some numbers replaced, addressed by their dotted names.

        Parameters
        ----------
        overrides
            Dotted name -> number (or ISO date for `start_date`), as `parameter_names` lists.
        file
            Where the overrides stand, for the message of an error.

        Raises
        ------
        InputError
            If a name is unknown (naming the nearest), or a value is not of its kind or range.
        """
        if not overrides:
            return self
        facilities, sectors = dict(self.facilities), dict(self.sectors)
        stockpiles, prices = dict(self.stockpiles), dict(self.prices)
        parameters = dict(self.parameters)
        known = self.parameter_names()
        for dotted, value in overrides.items():
            if dotted not in known:
                raise unknown("parameter", dotted, _near_names(dotted, known), file, dotted)
            head, _, rest = dotted.partition(".")
            if head == "facility" and dotted not in self.parameters:
                name, key = rest.rsplit(".", 1)
                facilities[name] = _replaced(facilities[name], key, value, file, dotted)
            elif head == "sector" and dotted not in self.parameters:
                name, key = rest.rsplit(".", 1)
                sectors[name] = _replaced(sectors[name], key, value, file, dotted)
            elif head == "stockpile" and dotted not in self.parameters:
                name = rest.rsplit(".", 1)[0]
                stockpiles[name] = _replaced(stockpiles[name], "days", value, file, dotted)
            elif head == "price" and dotted not in self.parameters:
                name, key = rest.rsplit(".", 1)
                place = (name, key.split("_")[0])
                prices[place] = _replaced(prices[place], "usd_per_kg", value, file, dotted)
            else:
                item = parameters[dotted]
                number = _within(value, *item.limits(), item.unit, file, dotted)
                parameters[dotted] = replace(item, default=number)
        return replace(
            self,
            facilities=facilities,
            sectors=sectors,
            stockpiles=stockpiles,
            prices=prices,
            parameters=parameters,
        )

    def value(self, dotted: str) -> float:
        """Return the default of a behavioural parameter."""
        try:
            default = self.parameters[dotted].default
        except KeyError:
            raise unknown("parameter", dotted, self.parameters, key=dotted) from None
        return _number(default, None, dotted)


def _chain_parameter(
    dotted: str, row: Row, key: str, default: Any, low: float | None, high: float | None
) -> Parameter:
    meta = metadata(type(row), key)
    return Parameter(
        name=dotted,
        title=f"{key.replace('_', ' ')} of {getattr(row, 'title', None) or dotted.split('.')[1]}",
        unit="date" if key == "start_date" else (meta["unit"] or "-"),
        default=default,
        low=low,
        high=high,
        shape="triangular" if low is not None else "fixed",
        standing="chain",
        source=row.source,
        date=row.date,
        confidence=row.confidence,
        note=row.note,
    )


def _near_names(dotted: str, known: Iterable[str]) -> list[str]:
    """Narrow the known names to the likely ones; a full comparison of hundreds is slow."""
    names = list(known)
    head = dotted.split(".")[0]
    close = [name for name in names if name.split(".")[0] == head]
    if not close:
        heads = sorted({name.split(".")[0] for name in names})
        near = difflib.get_close_matches(head, heads, n=1, cutoff=0.5)
        close = [name for name in names if near and name.split(".")[0] == near[0]]
    return close or names


def _number(value: Any, file: object, dotted: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"'{value}' is not a number", file=file, key=dotted)
    if value != value or value in (float("inf"), float("-inf")):
        raise InputError(f"'{value}' is not a finite number", file=file, key=dotted)
    return float(value)


def _replaced(row: Any, key: str, value: Any, file: object, dotted: str) -> Any:
    if key == "start_date":
        if isinstance(value, dt.date):
            return replace(row, start_date=value)
        try:
            return replace(row, start_date=dt.date.fromisoformat(str(value)))
        except ValueError:
            raise InputError(
                f"'{value}' is not a date", file=file, key=dotted, hint="Write 2027-09-01."
            ) from None
    meta = metadata(type(row), key)
    number = _within(value, meta["low"], meta["high"], meta["unit"], file, dotted)
    return replace(row, **{key: number})


def _within(
    value: Any, low: float | None, high: float | None, unit: str, file: object, dotted: str
) -> float:
    """Return a number, or refuse it beyond its limits."""
    number = _number(value, file, dotted)
    told = f" {unit}" if unit not in ("", "-") else ""
    hint = "A share lies between 0 and 1, not in percent." if unit == "share" else None
    for wrong, limit in (("below", low), ("above", high)):
        if limit is not None and (number < limit if wrong == "below" else number > limit):
            raise InputError(
                f"{number:g} is {wrong} {limit:g}{told}, the limit of what can be meant",
                file=file,
                key=dotted,
                hint=hint,
            )
    return number
