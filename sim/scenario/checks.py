"""What a scenario must satisfy on its chain: everything that is wrong, at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError, combine
from lodestone.border.numbers import Distribution, Number, parse_date, parse_number
from lodestone.border.words import nearest, suggestion
from lodestone.border.yamlfile import KeyPath, Place, find_place
from lodestone.chain.overrides import ONE_FOR_ALL
from lodestone.scenario.applied import Applied
from lodestone.scenario.files import locate
from lodestone.scenario.keys import variant_problems
from lodestone.scenario.layers import (
    GROUPS,
    HYPOTHESIS_KEYS,
    NAME,
    REQUIRED,
    flatten_overrides,
    load_mapping,
)
from lodestone.scenario.scenario import Scenario
from lodestone.scenario.together import refuse_circles, refuse_two_rules

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain
    from lodestone.interventions.base import Intervention

__all__ = [
    "checked",
    "DEFAULT_REFERENCE",
    "DEFAULT_VINTAGE",
    "vintage_of",
]

#: Where a distribution without end is held against limits: what one world in a thousand draws.
_FAR = (0.001, 0.999)
DEFAULT_VINTAGE = "2024"
DEFAULT_REFERENCE = "calm_2024"


def vintage_of(data: Mapping[str, Any], file: Path | None) -> str:
    """Return the vintage of a scenario: a name, or the path of a folder beside its file."""
    word = str(data.get("vintage") or DEFAULT_VINTAGE)
    if file is not None:
        beside = (file.parent / word).resolve()
        if (beside / "vintage.yaml").is_file():
            return str(beside)
    return word


def checked(
    data: dict[str, Any],
    file: Path | None,
    places: Mapping[KeyPath, Place],
    typed: Mapping[str, Any],
    chain: Chain | None,
    applied: Applied,
) -> Scenario:
    """Return the scenario of an assembled mapping.

    Parameters
    ----------
    data, file, places
        The mapping, its file, and the file and line of each key: layers have their own.
    typed
        Overrides typed by the user, by place.
    chain
        The chain to check against, or None to load that of the vintage.
    applied
        The variant and the overlays that are in the mapping, and what is below them.

    Raises
    ------
    InputError
        With everything that is wrong.
    """
    return _Checker(data, file, places, typed, chain, applied).scenario()


def _far(value: Distribution) -> list[float]:
    """What one world in a thousand draws of a distribution, at either end."""
    import numpy as np

    return [float(v) for v in value.quantile(np.array(_FAR))]


class _Checker:
    """Turns an assembled mapping into a `Scenario`, collecting everything that is wrong."""

    def __init__(
        self,
        data: dict[str, Any],
        file: Path | None,
        places: Mapping[KeyPath, Place],
        typed: Mapping[str, Any],
        chain: Chain | None,
        applied: Applied,
    ) -> None:
        self.data = data
        self.file = file
        self.places = places
        self.typed = typed
        self.chain = chain
        self.applied = applied
        self.found: list[InputError] = []

    def place(self, key: str) -> dict[str, Any]:
        """Return file (with line, where known) and key of a problem."""
        for typed in self.typed:
            if key == typed or key.startswith(f"{typed}."):
                return {"file": None, "key": f"scenario.{key}"}
        found = find_place(self.places, key)
        return {"file": self.file if found is None else found, "key": key}

    def problem(self, key: str, message: str, hint: str | None = None) -> None:
        """Note one thing that is wrong."""
        self.found.append(InputError(message, hint=hint, **self.place(key)))

    def take(self, error: InputError, key: str) -> None:
        """Note an error raised below, giving it the place we know."""
        self.problem(error.key or key, error.message, error.hint)

    def scenario(self) -> Scenario:
        """Return the checked scenario, or raise one error with all problems."""
        for key in REQUIRED:
            if self.data.get(key) in (None, "") and not (
                key == "interventions" and key in self.data
            ):
                self.problem(key, "is missing", _ADVICE[key])
        name = self.text("name")
        if name and not NAME.match(name):
            self.problem(
                "name", f"'{name}' is not a name", "Use letters, digits and _, a letter first."
            )
        start, end = self.day("start"), self.day("end")
        decision = self.day("decision_date")
        self.horizon(start, end)
        vintage = vintage_of(self.data, self.file)
        chain = self.chain or self.load_chain(vintage)
        for wrong in variant_problems(self.data.get("variants"), self.applied.kinds, chain):
            # A variant that is inherited may change what its heir took out: it is only not for it.
            place = find_place(self.places, str(wrong.key))
            if place is None or place.file == str(self.file) or "intervention" not in wrong.message:
                self.take(wrong, "variants")
        interventions = self.interventions(chain, start, end)
        overrides = self.overrides(chain)
        headline = self.headline()
        hypothesis = self.hypothesis(chain)
        source = self.source(chain)
        reference = self.reference(name, vintage)
        variants = self.mapping("variants")
        title, question = self.text("title"), self.text("question")
        narrative, note = self.text("narrative"), self.text("note")
        self.shows()
        group = self.text("group")
        if group and group not in GROUPS:
            self.problem("group", f"unknown group '{group}'", suggestion(group, GROUPS))
        if self.found:
            raise combine(self.found)
        assert start is not None and end is not None
        return Scenario(
            name=name,
            title=title or name.replace("_", " "),
            question=question,
            narrative=narrative,
            hypothesis=hypothesis,
            vintage=vintage,
            reference=reference,
            start=start,
            end=end,
            interventions=interventions,
            overrides=overrides,
            variants=variants,
            decision_date=decision,
            source_file=self.file,
            variant=self.applied.variant,
            overlays=self.applied.overlays,
            source=source,
            note=note,
            headline=headline,
            places=self.places,
            written=self.data,
        )

    def text(self, key: str) -> str:
        value = self.data.get(key)
        if value is None:
            return ""
        if isinstance(value, Mapping | list | bool) or (
            key == "name" and not isinstance(value, str)
        ):
            self.problem(key, f"must be text, got {value!r}", "Put quotes around it.")
            return ""
        return str(value).strip()

    def names_of(self, key: str, given: Any) -> list[str]:
        """One word or a list of words."""
        if given is None:
            return []
        words = [given] if isinstance(given, str) else given
        if not isinstance(words, list) or not all(isinstance(w, str) and w for w in words):
            self.problem(key, f"must be a word or a list of words, got {given!r}")
            return []
        for word in dict.fromkeys(w for w in words if words.count(w) > 1):
            self.problem(key, f"names '{word}' twice", "Keep one of the two.")
        return words

    def mapping(self, key: str) -> dict[str, Any]:
        value = self.data.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.problem(key, f"must be a mapping by name, got {value!r}", _ADVICE.get(key))
            return {}
        return dict(value)

    def day(self, key: str) -> date | None:
        value = self.data.get(key)
        if value is None:
            return None
        try:
            return parse_date(value)
        except ValueError as error:
            self.problem(key, str(error))
            return None

    def horizon(self, start: date | None, end: date | None) -> None:
        if start is None or end is None:
            return
        if end <= start:
            self.problem(
                "end",
                f"{end} is not after the start {start}",
                "Give an end after the start.",
            )
        elif (end - start).days < 14:
            self.problem("end", f"leaves {(end - start).days} days", "Simulate at least two weeks.")
        elif (end - start).days > 366 * 60:
            self.problem("end", f"leaves {(end - start).days // 365} years", "At most 60 years.")

    def load_chain(self, vintage: str) -> Chain:
        from lodestone.border.paths import vintages
        from lodestone.chain.load import load_chain

        if vintage not in vintages() and not (Path(vintage) / "vintage.yaml").is_file():
            known = vintages()
            raise InputError(
                f"unknown vintage '{vintage}'",
                hint=suggestion(vintage, known),
                **self.place("vintage"),
            )
        return load_chain(vintage)

    def interventions(
        self, chain: Chain, start: date | None, end: date | None
    ) -> dict[str, Intervention]:
        import lodestone.interventions as registry

        made: dict[str, Intervention] = {}
        for name, given in self.mapping("interventions").items():
            if given is None:
                self.problem(
                    f"interventions.{name}",
                    "is empty, and there is nothing below it to take out",
                    suggestion(str(name), [n for n in made if n != name]) or "Give it a kind.",
                )
                continue
            if not NAME.match(str(name)):
                self.problem(
                    f"interventions.{name}",
                    "is not a name",
                    "Use letters, digits and _, a letter first.",
                )
                continue
            try:
                item = registry.build(name, given)
            except InputError as error:
                self.spread(error, f"interventions.{name}")
                continue
            made[name] = item
            for wrong in item.problems(chain, self.applied.read_below(name, item)):
                self.problem(f"interventions.{name}.{wrong.key}", wrong.message, wrong.hint)
        for name, item in made.items():
            others = [n for n in made if n != name]
            for key, other, live in item.refers():
                if other not in others:
                    self.problem(
                        f"interventions.{name}.{key}",
                        f"unknown intervention '{other}'",
                        suggestion(other, others) or "Name another intervention of this scenario.",
                    )
                elif key == "triggered_by.licence" and made[other].kind != "export_licence":
                    self.problem(
                        f"interventions.{name}.{key}",
                        f"'{other}' ({made[other].kind}) grants no licences",
                        "Name an export_licence.",
                    )
                elif live and not made[other].live:
                    self.problem(
                        f"interventions.{name}.{key}",
                        f"'{other}' ({made[other].kind}) cannot be suspended",
                        "Its dates are drawn before the run: give it an end instead.",
                    )
            for wrong in item.beside({n: made[n] for n in others}, start):
                self.problem(f"interventions.{name}.{wrong.key}", wrong.message, wrong.hint)
        refuse_circles(made, self.problem)
        try:
            refuse_two_rules(made)
        except InputError as error:
            self.take(error, "interventions")
        return dict(sorted(made.items()))

    def spread(self, error: InputError, key: str) -> None:
        """Note an error that may stand for several."""
        parts = getattr(error, "parts", None) or [error]
        for part in parts:
            self.take(part, key)

    def overrides(self, chain: Chain) -> dict[str, Number | str]:
        out: dict[str, Number | str] = {}
        try:
            flat = flatten_overrides(self.data.get("overrides"))
        except InputError as error:
            self.take(error, "overrides")
            return out
        known = chain.parameter_names()
        for name, given in flat.items():
            key = f"overrides.{name}"
            if given is None:
                if name not in known:
                    self.problem(key, f"unknown parameter '{name}'", suggestion(name, known))
                else:
                    self.problem(key, "is empty", "Give a number, or leave the line out.")
                continue
            try:
                value: Any = given
                if isinstance(given, Mapping):
                    value = parse_number(given, dates=name.endswith("start_date"))
                tried = [given]
                if isinstance(value, Distribution) and name in ONE_FOR_ALL:
                    self.problem(
                        key, "is one number for all worlds", "Give a number; a sweep tries several."
                    )
                    continue
                if isinstance(value, Distribution):
                    far = _far(value)
                    ends = [float(v if math.isfinite(v) else q)
                            for v, q in zip(value.support(), far, strict=True)]  # fmt: skip
                    tried = [date.fromordinal(int(v)) for v in ends] if value.dates else ends
                for trial in tried:
                    chain.with_overrides({name: trial})
            except ValueError as error:
                self.problem(key, str(error))
            except InputError as error:
                hint = error.hint
                if error.message.startswith("unknown"):
                    hint = f"{hint or ''} See 'lodestone list parameters'.".strip()
                self.problem(key, error.message, hint)
            else:
                out[name] = value if isinstance(value, Distribution | str) else _plain_number(value)
        return dict(sorted(out.items()))

    def shows(self) -> None:
        """Refuse a picture that says neither what it shows nor which way that moves."""
        given = self.data.get("shows")
        if given is None:
            return
        if not isinstance(given, list) or not given:
            self.problem("shows", "must be a list of what a picture shows")
            return
        for n, panel in enumerate(given):
            lacks = (
                [k for k in ("show", "title", "goes") if k not in panel]
                if isinstance(panel, Mapping)
                else ["show", "title", "goes"]
            )
            if lacks:
                self.problem(f"shows.{n}", f"lacks {', '.join(lacks)}")
            elif panel["goes"] not in ("up", "down", "moves"):
                self.problem(f"shows.{n}.goes", f"is '{panel['goes']}'", "Write up, down or moves.")

    def headline(self) -> tuple[str, ...]:
        from lodestone.border.expressions import parse_metric

        given = self.data.get("headline")
        if given is None:
            return ()
        if not isinstance(given, list) or not all(isinstance(g, str) for g in given):
            self.problem("headline", "must be a list of metrics", _ADVICE["headline"])
            return ()
        for number, text in enumerate(given):
            try:
                parse_metric(text)
            except ValueError as error:
                self.problem(f"headline.{number}", f"the expression {error}", _ADVICE["headline"])
            if given.index(text) != number:
                self.problem(f"headline.{number}", f"'{text}' stands twice", "Keep one of the two.")
        return tuple(given)

    def hypothesis(self, chain: Chain) -> dict[str, Any]:
        from lodestone.border.expressions import parse_verdict

        held = self.mapping("hypothesis")
        for key, value in held.items():
            if key not in HYPOTHESIS_KEYS:
                self.problem(f"hypothesis.{key}", "unknown key", suggestion(key, HYPOTHESIS_KEYS))
            elif key != "claims" and value is not None and not isinstance(value, str):
                self.problem(f"hypothesis.{key}", f"must be text, got {value!r}")
        claims = self.names_of("hypothesis.claims", held.get("claims"))
        for claim in claims:
            if not chain.knows_source(str(claim)):
                near = nearest(str(claim), chain.sources)
                self.problem(
                    "hypothesis.claims",
                    f"unknown claim '{claim}'",
                    f"Did you mean '{near}'?" if near else None,
                )
        for key in ("confirmed_if", "refuted_if"):
            if held.get(key):
                try:
                    parse_verdict(str(held[key]))
                except ValueError as error:
                    self.problem(
                        f"hypothesis.{key}",
                        f"the expression {error}",
                        "Write for example 'first_stoppage(region=all) < days(70)'.",
                    )
        if claims:
            held["claims"] = claims
        return held

    def source(self, chain: Chain) -> tuple[str, ...]:
        keys = tuple(self.names_of("source", self.data.get("source")))
        for key in keys:
            if not chain.knows_source(str(key)):
                self.problem(
                    "source", f"unknown source '{key}'", suggestion(str(key), chain.sources)
                )
        return keys

    def reference(self, name: str, vintage: str) -> str | None:
        if "reference" in self.data:
            given = self.data["reference"]
            if given is None or str(given).lower() == "none":
                return None
            reference = str(given)
            if reference == name:
                self.problem("reference", "a scenario cannot be its own reference", "Write none.")
                return None
            try:
                found = locate(reference, beside=self.file)
            except InputError as error:
                self.problem("reference", f"unknown scenario '{reference}'", error.hint)
                return None
            other = vintage_of(load_mapping(found).data, found)
            if other != vintage:
                self.problem(
                    "reference",
                    f"'{reference}' stands on vintage {other}, this scenario on {vintage}",
                    "Name a reference of the same vintage, or none.",
                )
            return reference
        if vintage == DEFAULT_VINTAGE and name != DEFAULT_REFERENCE:
            return DEFAULT_REFERENCE
        if vintage == DEFAULT_VINTAGE and (self.file is None or self.file.stem != name):
            self.problem(
                "name",
                f"'{name}' is the reference that scenarios are measured against, so that this one "
                "would have none",
                "Give it a name of its own, or write 'reference: none'.",
            )
        return None


_ADVICE = {
    "headline": "Write for example 'headline: [\"unmet_share(region=europe)\", first_stoppage]'.",
    "name": "Add 'name: my_scenario'.",
    "question": "Add 'question:' with the question the scenario answers, in one sentence.",
    "start": "Add 'start: 2024-01-01'.",
    "end": "Add 'end: 2028-01-01'.",
    "interventions": "Add 'interventions:' with entries by name, or 'interventions: {}' for none.",
    "variants": "Write 'variants: {name: {interventions: {...}}}'.",
}


def _plain_number(value: Any) -> Number | str:
    return value.isoformat() if isinstance(value, date) else float(value)
