"""How a run is carried out: one table of settings, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from lodestone.border.errors import InputError
from lodestone.border.words import suggestion, unknown

__all__ = ["SETTINGS", "Setting", "Settings", "flatten_settings", "names_in", "settings_from_flat"]

FORMATS = ("html", "md", "pdf", "docx")
RULES = ("pro_rata", "contract_first", "defence_first", "highest_bid")


@dataclass(frozen=True)
class Settings:
    """How one run is carried out.

    Attributes
    ----------
    worlds
        Number of replications.
    seed
        Of the random streams.
    market_days
        Days between two market days.
    workers
        Processes; 0 means as many as the work is worth, up to the number of cores.
    cluster
        Address of a cluster, or None.
    out
        Folder of the run, or None for the usual place.
    report_formats
        Formats of the memo; empty for none.
    allocation
        Allocation rule everywhere unless a scenario says otherwise, or None.
    discount_rate
        Share a year, real.
    decision_date
        Overrides the scenario's, or None.
    quiet, json
        What is printed.
    """

    worlds: int = 200
    seed: int = 0
    market_days: int = 7
    workers: int = 0
    cluster: str | None = None
    out: Path | None = None
    report_formats: tuple[str, ...] = ("html", "md")
    allocation: str | None = None
    discount_rate: float = 0.05
    decision_date: date | None = None
    quiet: bool = False
    json: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the settings fit for JSON."""
        held = asdict(self)
        held["out"] = str(self.out) if self.out else None
        held["report_formats"] = list(self.report_formats)
        held["decision_date"] = self.decision_date.isoformat() if self.decision_date else None
        return held


@dataclass(frozen=True)
class Setting:
    """One setting as users see it: its key, unit, and what it may be."""

    key: str
    attribute: str
    kind: str
    unit: str
    about: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    flag: str | None = None
    useful: bool = True


SETTINGS: dict[str, Setting] = {
    s.key: s
    for s in (
        Setting(
            "ensemble.worlds", "worlds", "int", "worlds",
            "replications; each is one joint draw of everything uncertain", 1, 1_000_000,
            flag="--worlds",
        ),
        Setting(
            "ensemble.seed", "seed", "int", "-", "of the random streams", 0, 2**63 - 1,
            flag="--seed",
        ),
        Setting("clock.market_days", "market_days", "int", "days", "from one market day to the next", 1, 31),
        Setting(
            "workers", "workers", "int", "processes", "0: as many as the work is worth", 0, 4096,
            flag="--workers",
        ),
        Setting("cluster", "cluster", "text", "-", "address of a cluster instead of local processes"),
        Setting(
            "out", "out", "path", "-", "folder of the run (default: results/SCENARIO/STAMP-HASH)",
            flag="--out",
        ),
        Setting(
            "report.formats", "report_formats", "list", "-", "formats of the memo; [] makes none",
            choices=FORMATS,
        ),
        Setting(
            "allocation", "allocation", "text", "-",
            "who is served first unless the scenario says otherwise", choices=RULES,
        ),
        Setting("discount_rate", "discount_rate", "float", "share a year", "real", 0.0, 0.5),
        Setting("decision_date", "decision_date", "date", "-", "until when the past is known"),
        Setting("quiet", "quiet", "bool", "-", "print only the folder of the run", useful=False),
        Setting("json", "json", "bool", "-", "print tables as JSON", useful=False),
    )
}  # fmt: skip


def names_in(value: Any) -> tuple[str, ...]:
    """Return one name or a list of names as a tuple."""
    if value is None:
        return ()
    return tuple(str(v) for v in value) if isinstance(value, list) else (str(value),)


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
    """Check settings by dotted key and make the frozen object of them."""
    held: dict[str, Any] = {}
    for key, value in flat.items():
        if key not in SETTINGS:
            raise unknown("setting", key, SETTINGS, key=key)
        held[SETTINGS[key].attribute] = _checked(SETTINGS[key], value)
    assert {f.name for f in fields(Settings)} >= set(held)
    return Settings(**held)


_SORTS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a date written YYYY-MM-DD",
}


def _checked(setting: Setting, value: Any) -> Any:
    """Return a setting's value as its sort, or raise `InputError`."""
    key, kind = setting.key, setting.kind

    def wrong(what: str, hint: str | None = None) -> InputError:
        return InputError(what, key=key, hint=hint or f"It is {setting.about}.")

    if kind in ("int", "float"):
        number = value
        if isinstance(value, str):
            try:
                number = float(value)
            except ValueError:
                raise wrong(f"must be {_SORTS[kind]}, got '{value}'") from None
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise wrong(f"must be {_SORTS[kind]}, got {value!r}")
        if number != number or (kind == "int" and number != int(number)):
            raise wrong(f"must be {_SORTS[kind]}, got {value!r}")
        if setting.low is not None and not setting.low <= number <= (setting.high or number):
            raise wrong(f"must lie between {setting.low:g} and {setting.high:g}, got {value}")
        return int(number) if kind == "int" else float(number)
    if kind == "bool":
        if not isinstance(value, bool):
            raise wrong(f"must be {_SORTS[kind]}, got {value!r}")
        return value
    if kind == "list":
        items = names_in(value)
        for item in items:
            if item not in setting.choices:
                raise wrong(f"unknown format '{item}'", suggestion(item, setting.choices))
        return items
    if value is None or value == "":
        return None
    if kind == "date":
        from lodestone.border.numbers import parse_date

        try:
            return parse_date(value)
        except ValueError as error:
            raise wrong(str(error)) from None
    if kind == "path":
        return Path(str(value)).expanduser()
    if setting.choices and value not in setting.choices:
        raise wrong(f"unknown value '{value}'", suggestion(str(value), setting.choices))
    return str(value)
