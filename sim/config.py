"""How to run: settings composed by Hydra, handed on as frozen dataclasses.

This is the only module that imports Hydra and OmegaConf, and it does so late, inside functions,
because they are slow to import. What a user types is read with Hydra's own grammar for values,
so ``lodestone run`` and the plain Hydra application ``python -m sim`` understand the same words.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.errors import InputError
from lodestone.paths import data_root
from lodestone.words import suggestion, unknown

if TYPE_CHECKING:
    from lodestone.scenario import Scenario

__all__ = [
    "SETTINGS",
    "Job",
    "Settings",
    "compose_settings",
    "hydra_main",
    "job_from_words",
    "parse_words",
]

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


@dataclass(frozen=True)
class Job:
    """What one ``lodestone run`` is asked to do.

    Attributes
    ----------
    scenarios
        Names or paths.
    settings
        How.
    overrides
        Values by dotted place in the scenario.
    variant, overlays
        To apply to each scenario.
    words
        The words as typed, for the record.
    """

    scenarios: tuple[str, ...]
    settings: Settings
    overrides: dict[str, Any] = field(default_factory=dict)
    variant: str | None = None
    overlays: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def load(self) -> list[Scenario]:
        """Return the scenarios, read and checked, with the settings' decision date applied."""
        from lodestone.scenario import load_scenario

        out = []
        for name in self.scenarios:
            scenario = load_scenario(
                name, variant=self.variant, overlays=self.overlays, overrides=self.overrides
            )
            out.append(with_decision_date(scenario, self.settings))
        names = [s.name for s in out]
        for name in names:
            if names.count(name) > 1:
                raise InputError(
                    f"two scenarios are called '{name}'", hint="Give each file a name of its own."
                )
        return out


def with_decision_date(scenario: Scenario, settings: Settings) -> Scenario:
    """Return the scenario with the decision date of the settings, if they give one."""
    if settings.decision_date is None:
        return scenario
    return replace(scenario, decision_date=settings.decision_date)


# --------------------------------------------------------------------------- reading words


def parse_words(words: Iterable[str]) -> dict[str, Any]:
    """Read ``key=value`` words with Hydra's grammar for values.

    Returns
    -------
    dict
        Value by dotted key, in the order typed.

    Raises
    ------
    InputError
        For a word without ``=``, a value that cannot be read, a sweep, or a key given twice.
    """
    words = list(words)
    if not words:
        return {}
    read: dict[str, Any] = {}
    for word in words:
        key, sign, text = word.partition("=")
        key = key.lstrip("+")
        if not sign or not key:
            raise InputError(
                f"'{word}' is not of the form key=value",
                hint="Write for example ensemble.worlds=50.",
            )
        if key in read:
            raise InputError("is given twice", key=key, hint="Keep one of the two.")
        read[key] = _read_value(key, text)
    return read


def _read_value(key: str, text: str) -> Any:
    """Read one value; simple ones without importing Hydra's parser."""
    plain = text.strip()
    if plain in ("null", "None", ""):
        return None if plain != "" else ""
    if plain in ("true", "false"):
        return plain == "true"
    for kind in (int, float):
        try:
            return kind(plain)
        except ValueError:
            continue
    if all(c.isalnum() or c in "_-./~:" for c in plain) and not plain.startswith(("~", "-")):
        return plain
    return _read_with_hydra(key, plain)


def _read_with_hydra(key: str, text: str) -> Any:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import QuotedString
    from hydra.errors import HydraException

    try:
        override = OverridesParser.create().parse_override(f"value={text}")
    except HydraException as error:
        name = text.split("(")[0]
        reason = str(error).splitlines()[0]
        hint = "Quote text with spaces or brackets: key='two words'."
        if name in ("uniform", "triangular", "normal", "lognormal", "linspace", "logspace"):
            hint = (
                "A distribution is written {dist: uniform, low: 1, high: 2}; "
                "linspace and the like belong to a sweep."
            )
        raise InputError(f"'{text}' cannot be read ({reason})", key=key, hint=hint) from None
    if override.is_sweep_override():
        raise InputError(
            f"'{text}' stands for several values",
            key=key,
            hint="Give one value, or a list in brackets: [a,b].",
        )

    def bare(value: Any) -> Any:
        if isinstance(value, QuotedString):
            return value.text
        if isinstance(value, Mapping):
            return {str(bare(k)): bare(v) for k, v in value.items()}
        if isinstance(value, list):
            return [bare(v) for v in value]
        return value

    return bare(override.value())


def job_from_words(
    scenarios: Iterable[str], words: Iterable[str], flags: Mapping[str, Any] | None = None
) -> Job:
    """Sort what was typed into settings and changes to the scenario.

    Parameters
    ----------
    scenarios
        Names or paths.
    words
        ``key=value`` words.
    flags
        Settings given as flags, by key of `SETTINGS`.
    """
    words = list(words)
    read = parse_words(words)
    for key, value in (flags or {}).items():
        if key in read and value is not None:
            raise InputError("is given twice, as a word and as a flag", key=key)
        if value is not None:
            read[key] = value
    overrides: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    variant: str | None = None
    overlays: tuple[str, ...] = ()
    for key, value in read.items():
        if key == "variant":
            variant = None if value is None else str(value)
        elif key == "overlays":
            overlays = _names(value)
        elif key.startswith("scenario."):
            overrides[key.removeprefix("scenario.")] = value
        elif key == "scenario":
            raise InputError(
                "name the scenario as a word of its own", key=key, hint=f"lodestone run {value} ..."
            )
        else:
            settings[key] = value
    _refuse_two_spellings(overrides)
    return Job(
        tuple(scenarios), compose_settings(settings), overrides, variant, overlays, tuple(words)
    )


def _names(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(v) for v in value) if isinstance(value, list) else (str(value),)


def _refuse_two_spellings(overrides: Mapping[str, Any]) -> None:
    """Refuse one parameter typed twice, nested and dotted."""
    from lodestone.scenario import flatten_overrides

    seen: set[str] = set()
    for key, value in overrides.items():
        if key == "overrides":
            names = set(flatten_overrides(value, at="scenario.overrides"))
        elif key.startswith("overrides."):
            names = set(flatten_overrides({key.removeprefix("overrides."): value}))
        else:
            continue
        if both := sorted(seen & names):
            raise InputError(
                "the same parameter is typed both nested and dotted",
                key=f"scenario.overrides.{both[0]}",
                hint="The two spellings mean the same: keep one.",
            )
        seen |= names


# --------------------------------------------------------------------------- settings


def compose_settings(given: Mapping[str, Any] | None = None) -> Settings:
    """Compose the settings from ``configs/`` and what the user gave.

    Parameters
    ----------
    given
        Value by key; the keys of `SETTINGS`, or a group of ``configs/`` (``ensemble=quick``).

    Raises
    ------
    InputError
        For an unknown key or group, or a value of the wrong sort or size.
    """
    given = dict(given or {})
    root = data_root("configs")
    groups = {
        p.name: sorted(f.stem for f in p.glob("*.yaml")) for p in root.iterdir() if p.is_dir()
    }
    for key, value in given.items():
        if key in groups:
            if value not in groups[key]:
                raise unknown(f"choice of {key}", value, groups[key], key=key)
        elif key not in SETTINGS:
            known = [*SETTINGS, *groups, "variant", "overlays", "scenario.start", "scenario.end"]
            error = unknown("setting", key, known, key=None)
            more = "See 'lodestone run --help'."
            error.hint = f"{error.hint} {more}" if error.hint else more
            raise error
    chosen = [f"{key}={value}" for key, value in given.items() if key in groups]
    flat = _compose(root, chosen)
    flat |= {key: value for key, value in given.items() if key in SETTINGS}
    return settings_from_flat(flat)


def _compose(root: Path, chosen: list[str]) -> dict[str, Any]:
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from omegaconf import OmegaConf

    GlobalHydra.instance().clear()
    with initialize_config_dir(str(root.resolve()), version_base="1.3", job_name="lodestone"):
        composed = compose("settings", overrides=chosen)
    return flatten_settings(OmegaConf.to_container(composed, resolve=True))  # type: ignore[arg-type]


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
        items = _names(value)
        for item in items:
            if item not in setting.choices:
                raise wrong(f"unknown format '{item}'", suggestion(item, setting.choices))
        return items
    if value is None or value == "":
        return None
    if kind == "date":
        from lodestone.distributions import parse_date

        try:
            return parse_date(value)
        except ValueError as error:
            raise wrong(str(error)) from None
    if kind == "path":
        return Path(str(value)).expanduser()
    if setting.choices and value not in setting.choices:
        raise wrong(f"unknown value '{value}'", suggestion(str(value), setting.choices))
    return str(value)


# --------------------------------------------------------------------------- the Hydra application


def hydra_main(argv: list[str]) -> int:
    """Run the plain Hydra application: ``python -m sim scenario=NAME [--multirun] ...``.

    Every scenario file found is stored in Hydra's ConfigStore under the group ``scenario``, so
    choice, inheritance, ``glob(*)`` and multirun work from a clone, a wheel or any folder.

    Returns
    -------
    int
        The exit status.
    """
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    # Hydra reads its overrides in one block, before its flags.
    words = [w for w in argv if not w.startswith("-") and ("=" in w or w.startswith("~"))]
    argv = words + [w for w in argv if w not in words]
    _known_words(argv, words)
    argv, files = _store_scenarios(argv)
    failed: list[int] = []

    def task(cfg: Any) -> None:
        from lodestone.cli import guarded, run_job
        from lodestone.scenario import build_scenario

        def work() -> int:
            held: Any = OmegaConf.to_container(cfg, resolve=True)
            mapping = held.pop("scenario")
            variant, overlays = held.pop("variant"), _names(held.pop("overlays"))
            settings = settings_from_flat(flatten_settings(held))
            typed = [w.lstrip("+") for w in HydraConfig.get().overrides.task]
            overrides = {
                key.removeprefix("scenario."): value
                for key, value in parse_words(w for w in typed if w.startswith("scenario.")).items()
            }
            _refuse_two_spellings(overrides)
            # What was typed is laid on last, above the variant and the overlays.
            scenario = build_scenario(
                mapping,
                file=files[str(HydraConfig.get().runtime.choices["scenario"])],
                variant=variant,
                overlays=overlays,
                overrides=overrides,
            )
            folders = run_job([with_decision_date(scenario, settings)], settings)
            record = Path(HydraConfig.get().runtime.output_dir) / "run_folder.txt"
            record.write_text("\n".join(str(f) for f in folders) + "\n", encoding="utf-8")
            return 0

        status = guarded(work)
        if status:
            failed.append(status)
        if status == 130:
            raise KeyboardInterrupt

    decorated = hydra.main(
        version_base="1.3", config_path=str(data_root("configs").resolve()), config_name="config"
    )(task)
    old, full = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = ["lodestone", *argv]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # else Hydra prints the error itself and exits with 1
    try:
        decorated()
    except KeyboardInterrupt:
        return 130
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(" ".join(str(error).split()), hint="See 'python -m sim --help'.") from None
    finally:
        sys.argv = old
        if full is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full
    return failed[0] if failed else 0


def _known_words(argv: list[str], words: list[str]) -> None:
    """Refuse unknown settings with the nearest known one, before Hydra refuses them without."""
    from lodestone.scenario import locate

    if any(w.startswith(("--config", "-cd", "-cn", "-cp")) for w in argv):
        return
    groups = [p.name for p in data_root("configs").iterdir() if p.is_dir()]
    known = [*SETTINGS, *groups, "scenario", "variant", "overlays"]
    for word in words:
        key, _, value = word.partition("=")
        if key[0] in "+~" or key.startswith(("scenario.", "hydra.", "hydra/")) or "@" in key:
            continue
        if key not in known:
            raise unknown("setting", key, known)
        if key == "scenario" and not value.startswith(("glob", "choice", "'", '"')):
            for name in value.split(","):
                locate(name)


def _store_scenarios(argv: list[str]) -> tuple[list[str], dict[str, Path]]:
    """Put scenario files into Hydra's store: all that are found, and paths that were typed.

    Returns
    -------
    tuple
        The words with each path replaced by the name it is stored under, and the file of each
        name.
    """
    from hydra.core.config_store import ConfigStore
    from omegaconf import OmegaConf

    from lodestone.scenario import find_scenarios, load_mapping

    found: dict[str, Path] = {name: item.path for name, item in find_scenarios().items()}
    words, named = [], set()
    for word in argv:
        if word.startswith("scenario="):
            choices = word.removeprefix("scenario=").split(",")
            for i, choice in enumerate(choices):
                if choice.endswith((".yaml", ".yml")):
                    choices[i] = Path(choice).stem
                    found[choices[i]] = Path(choice).expanduser().resolve()
            named |= set(choices)
            word = "scenario=" + ",".join(choices)
        words.append(word)
    store = ConfigStore.instance()
    for name, path in found.items():
        try:
            data = load_mapping(path).data
        except InputError:
            if name in named:
                raise
            continue
        nested = {**data, "overrides": _nested(data.get("overrides") or {})}
        node = OmegaConf.create(json.loads(json.dumps(nested)))
        # Let every word through: our own checks name the nearest known one, Hydra's do not.
        OmegaConf.set_struct(node, False)
        store.store(group="scenario", name=name, node=node, provider="lodestone")
    return words, found


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return dotted names as nested mappings: the one spelling Hydra's overrides can reach."""
    out: dict[str, Any] = {}
    for name, value in flat.items():
        at = out
        *heads, last = name.split(".")
        for head in heads:
            at = at.setdefault(head, {})
        at[last] = value
    return out
