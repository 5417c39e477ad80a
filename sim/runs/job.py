"""What a command is asked to do: scenarios, changes to them, and settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError
from lodestone.runs.compose import compose_settings
from lodestone.runs.grammar import parse_words
from lodestone.runs.settings import Settings, names_in

if TYPE_CHECKING:
    from lodestone.scenario import Scenario

__all__ = ["Job", "job_from_words", "one_variant", "refuse_two_spellings", "with_decision_date"]


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
        """Return the scenarios, read and checked, with the settings' decision date applied.

        All of them, their references and what they ask for are checked before the first is run.
        """
        from lodestone.runs.rerun import is_config, kept_scenario
        from lodestone.scenario import load_scenario

        out = []
        for name in self.scenarios:
            if is_config(name):
                if self.overrides or self.variant or self.overlays:
                    raise InputError(
                        "a run is repeated as it was", file=name, hint="Leave the changes out."
                    )
                scenario = kept_scenario(name)
            else:
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
            variant = one_variant(value)
        elif key == "overlays":
            overlays = names_in(value)
        elif key.startswith("scenario."):
            overrides[key.removeprefix("scenario.")] = value
        elif key == "scenario":
            raise InputError(
                "name the scenario as a word of its own", key=key, hint=f"lodestone run {value} ..."
            )
        else:
            settings[key] = value
    refuse_two_spellings(overrides)
    scenarios = tuple(scenarios)
    if len(scenarios) == 1:
        from lodestone.runs.rerun import is_config, kept_settings

        if is_config(scenarios[0]):
            settings = {**kept_settings(scenarios[0]), **settings}
    return Job(scenarios, compose_settings(settings), overrides, variant, overlays, tuple(words))


def one_variant(value: Any) -> str | None:
    """Return the variant that was typed; a list of them is refused."""
    if isinstance(value, list | tuple):
        listed = ",".join(map(str, value))
        raise InputError(
            f"takes one variant, got {', '.join(map(str, value))}",
            key="variant",
            hint=f"Several are for 'lodestone sweep SCENARIO variant=[{listed}]' or 'lodestone "
            "compare'.",
        )
    return None if value is None else str(value)


def refuse_two_spellings(overrides: Mapping[str, Any]) -> None:
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
