"""How a run is carried out: each setting is one field of `Settings`.

Its key, flag, unit, limits and sentence stand beside it; the flags of the command line, its help,
the checks and a run's identity are read from there, and a test holds ``configs/`` against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from lodestone.border.errors import InputError, combine
from lodestone.border.files import read_path
from lodestone.border.formats import FORMATS
from lodestone.border.numbers import parse_date, read_float, read_int
from lodestone.border.words import suggestion, unknown

__all__ = ["SETTINGS", "Setting", "Settings", "flatten_settings", "names_in", "settings_from_flat"]

#: What a run writes beside its tables, if asked: see the setting.
OUTPUTS = ("gap", "series", "weekly", "worlds")
RULES = ("pro_rata", "contract_first", "defence_first", "highest_bid")


def names_in(value: Any) -> tuple[str, ...]:
    """Return one name or a list of names as a tuple."""
    if value is None:
        return ()
    many = isinstance(value, list | tuple)
    return tuple(str(v) for v in value) if many else (str(value),)


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return read_int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a whole number, got {value!r}")
    if value != value or abs(value) > 1e18 or value != int(value):
        raise ValueError(f"must be a whole number, got {value!r}")
    return int(value)


def _real(value: Any) -> Any:
    if isinstance(value, str):
        return read_float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise ValueError(f"must be a number, got {value!r}")
    return float(value)


def _switch(value: Any) -> Any:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, got {value!r}")
    return value


def _day(value: Any) -> Any:
    return None if value in (None, "") else parse_date(value)


def _folder(value: Any) -> Any:
    if isinstance(value, Path):
        return value
    return None if value in (None, "") else read_path(value)


def _address(value: Any) -> Any:
    if value in (None, ""):
        return None
    if not isinstance(value, str) or len(value) > 1000 or any(ord(c) < 33 for c in value):
        raise ValueError(f"must be an address, got {value!r}")
    return value


def _one_of_rules(value: Any) -> Any:
    return None if value in (None, "") else _word(value, RULES, "rule")


def _formats(value: Any) -> Any:
    found = tuple(_word(v, FORMATS, "format") for v in names_in(value))
    for word in found:
        if found.count(word) > 1:
            raise ValueError(f"names '{word}' twice")
    return found


def _outputs(value: Any) -> Any:
    return tuple(dict.fromkeys(_word(v, OUTPUTS, "output") for v in names_in(value)))


def _word(value: Any, known: tuple[str, ...], what: str) -> str:
    if value not in known:
        raise ValueError(f"unknown {what} '{value}'. {suggestion(str(value), known)}".strip())
    return str(value)


def _setting(
    default: Any,
    about: str,
    *,
    key: str,
    unit: str = "-",
    low: float | None = None,
    high: float | None = None,
    **more: Any,
) -> Any:
    """Declare a setting: its default and sentence, key, unit and limits.

    Further words: ``flag`` (another spelling), ``choices``, ``useful`` (shown by ``run --help``) and
    ``decides`` (it changes numbers, so it is part of a run's identity).
    """
    extra: Any = {"key": key, "unit": unit, "low": low, "high": high, **more}
    return Field(default, description=about, json_schema_extra=extra)


@checked_dataclass(
    frozen=True, config=ConfigDict(extra="forbid", validate_default=False, strict=False)
)
class Settings:
    """How one run is carried out; every field says what it is."""

    worlds: Annotated[int, BeforeValidator(_whole)] = _setting(
        200,
        "replications; each is one joint draw of everything uncertain",
        key="ensemble.worlds",
        unit="worlds",
        low=1,
        high=1_000_000,
        flag="--worlds",
        decides=True,
    )
    seed: Annotated[int, BeforeValidator(_whole)] = _setting(
        0,
        "seed of the random streams",
        key="ensemble.seed",
        low=0,
        high=2**63 - 1,
        flag="--seed",
        decides=True,
    )
    market_days: Annotated[int, BeforeValidator(_whole)] = _setting(
        7,
        "days from one market day to the next",
        key="clock.market_days",
        unit="days",
        low=1,
        high=31,
        decides=True,
    )
    workers: Annotated[int, BeforeValidator(_whole)] = _setting(
        0,
        "how many at once; 0: as many as the work is worth",
        key="workers",
        unit="processes",
        low=0,
        high=4096,
        flag="--workers",
    )
    cluster: Annotated[str | None, BeforeValidator(_address)] = _setting(
        None, "address of a cluster, for studies", key="cluster", useful=False
    )
    out: Annotated[Path | None, BeforeValidator(_folder)] = _setting(
        None,
        "folder of the run (default: results/SCENARIO/STAMP-HASH)",
        key="out",
        flag="--out",
    )
    report_formats: Annotated[tuple[str, ...], BeforeValidator(_formats)] = _setting(
        ("html", "md"),
        "formats of the memo; [] makes none",
        key="report.formats",
        choices=FORMATS,
    )
    outputs: Annotated[tuple[str, ...], BeforeValidator(_outputs)] = _setting(
        ("gap", "series"),
        "what is written beside the tables: gap (closed_gap.csv), series (series.parquet), weekly "
        "(every market day in the tables of runs over 15 years, too), worlds (all kept series of "
        "every world, about 0.09 MB a simulated year, world and case)",
        key="outputs",
        choices=OUTPUTS,
    )
    allocation: Annotated[str | None, BeforeValidator(_one_of_rules)] = _setting(
        None,
        "who is served first unless the scenario says otherwise",
        key="allocation",
        choices=RULES,
        decides=True,
    )
    discount_rate: Annotated[float, BeforeValidator(_real)] = _setting(
        0.05,
        "yearly rate at which money is discounted, in real terms",
        key="discount_rate",
        unit="share a year",
        low=0.0,
        high=0.5,
        decides=True,
    )
    decision_date: Annotated[date | None, BeforeValidator(_day)] = _setting(
        None, "until when the past is known", key="decision_date"
    )
    quiet: Annotated[bool, BeforeValidator(_switch)] = _setting(
        False, "print only the folder of the run", key="quiet", useful=False
    )
    json: Annotated[bool, BeforeValidator(_switch)] = _setting(
        False, "print tables as JSON", key="json", useful=False
    )

    def days_of(self, start: date, end: date) -> float:
        """Market days between two dates."""
        return (end - start).days / self.market_days

    def to_dict(self) -> dict[str, Any]:
        """Return the settings fit for JSON."""
        held = asdict(self)
        held["out"] = str(self.out) if self.out else None
        held["report_formats"] = list(self.report_formats)
        held["outputs"] = list(self.outputs)
        held["decision_date"] = self.decision_date.isoformat() if self.decision_date else None
        return held

    def decisive(self) -> dict[str, Any]:
        """Return what changes numbers, by key, nested as in ``configs/``."""
        out: dict[str, Any] = {}
        for item in SETTINGS.values():
            if item.decides:
                group, _, name = item.key.rpartition(".")
                held = out.setdefault(group, {}) if group else out
                held[name] = getattr(self, item.attribute)
        return out


@dataclass(frozen=True)
class Setting:
    """One setting as users see it: its key, unit, and what it may be."""

    key: str
    attribute: str
    unit: str
    about: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    flag: str | None = None
    useful: bool = True
    decides: bool = False

    def told(self) -> str:
        """What it is, as a sentence."""
        return f"{self.about[:1].upper()}{self.about[1:]}."


def _table() -> dict[str, Setting]:
    """The settings by key, read from the fields of `Settings`."""
    schema = Settings.__pydantic_fields__  # type: ignore[attr-defined]
    found = {}
    for item in fields(Settings):
        extra = dict(schema[item.name].json_schema_extra)
        found[extra["key"]] = Setting(
            attribute=item.name, about=schema[item.name].description, **extra
        )
    return found


SETTINGS: dict[str, Setting] = _table()
_CHECK: TypeAdapter[Settings] = TypeAdapter(Settings)


def flatten_settings(nested: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by dotted key."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}.{k}": v for k, v in value.items()}
        else:
            flat[key] = value
    return flat


def settings_from_flat(flat: Mapping[str, Any]) -> Settings:
    """Check settings by dotted key and make the frozen object of them.

    Raises
    ------
    InputError
        For every unknown key, and every value of the wrong sort or size, at once.
    """
    held: dict[str, Any] = {}
    for key, value in flat.items():
        if key not in SETTINGS:
            raise unknown("setting", key, SETTINGS, key=key)
        held[SETTINGS[key].attribute] = value
    try:
        made = _CHECK.validate_python(held)
    except ValidationError as error:
        by_name = {s.attribute: s for s in SETTINGS.values()}
        found = []
        for wrong in error.errors():
            item = by_name[str(wrong["loc"][0])]
            message = str(wrong["msg"]).removeprefix("Value error, ")
            hint = None if "Did you mean" in message else item.told()
            found.append(InputError(message, key=item.key, hint=hint))
        raise combine(found) from None
    beyond = []
    for item in SETTINGS.values():
        number = getattr(made, item.attribute)
        if item.low is None or item.high is None or item.low <= number <= item.high:
            continue
        message = f"must lie between {item.low:g} and {item.high:g}, got {number:g}"
        hint = item.told()
        if item.unit.startswith("share") and item.low <= number / 100 <= item.high:
            hint = f"{number:g} percent is {number / 100:g}. {hint}"
        beyond.append(InputError(message, key=item.key, hint=hint))
    if beyond:
        raise combine(beyond)
    return made
