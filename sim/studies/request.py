"""What a study is asked to do, from words or from Python, and back from ``study.yaml``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lodestone.border.errors import InputError
from lodestone.border.paths import OVERLAY
from lodestone.border.words import unknown
from lodestone.studies.metrics import EXAMPLE
from lodestone.studies.values import Axis, read_axis, split_list

__all__ = ["Request", "request_from_values", "request_from_words"]

#: Words of a study that are no key of a run.
STUDY_WORDS = ("design", "points", "design_seed", "metric", "base")
#: Settings that say how a study is carried out: one value each, and no part of any point.
CARRIED_OUT = ("workers", "cluster", "out", "quiet", "json", "report.formats")


@dataclass(frozen=True)
class Request:
    """A study, before its points are made.

    Attributes
    ----------
    scenarios
        Names or paths; several are one more key.
    axes
        Every key of the points, fixed ones too, in the order typed; ``scenario`` stands first.
    design, points, design_seed
        How points are made of them (see `lodestone.studies.design`).
    metrics
        Metrics to show, as typed; empty for the scenario's headline.
    base
        The point that others are compared with: its number, or ``key=value`` words.
    carried
        Settings of how it is carried out, by key.
    """

    scenarios: tuple[str, ...]
    axes: tuple[Axis, ...]
    design: str = "grid"
    points: int | None = None
    design_seed: int = 0
    metrics: tuple[str, ...] = ()
    base: str | None = None
    carried: dict[str, Any] = field(default_factory=dict)

    @property
    def varying(self) -> tuple[Axis, ...]:
        """The keys that have more than one value."""
        return tuple(a for a in self.axes if a.varies)

    def to_dict(self) -> dict[str, Any]:
        """Return what decides the points, fit for ``study.yaml``."""
        return {
            "scenario": list(self.scenarios),
            "keys": {a.key: a.text for a in self.axes if a.key != "scenario"},
            "seeds": os.environ.get(OVERLAY),
            "design": self.design,
            "points": self.points,
            "design_seed": self.design_seed,
            "metrics": list(self.metrics),
            "base": self.base,
        }


def request_from_words(
    names: Sequence[str], words: Iterable[str], carried: Mapping[str, Any] | None = None
) -> Request:
    """Read the words of ``lodestone sweep``.

    Parameters
    ----------
    names
        Scenarios named as words of their own.
    words
        ``key=values`` words.
    carried
        Settings given as flags.

    Raises
    ------
    InputError
        For every word that is not understood; the nearest known one is named.
    """
    given: dict[str, Any] = {}
    metrics: list[str] = []
    for word in words:
        key, sign, text = word.partition("=")
        key = key.lstrip("+")
        if not sign or not key:
            raise InputError(f"'{word}' is not of the form key=values")
        if key == "metric":
            metrics += _listed(text)
            continue
        if key in given:
            raise InputError("is given twice", key=key, hint="Write key=a,b,c.")
        given[key] = text
    return request_from_values(names, given, metrics, carried)


def _listed(text: str) -> list[str]:
    bare = text.strip()
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
    try:
        return [p for p in split_list(bare) if p]
    except ValueError as error:
        raise InputError(str(error), key=f"metric={text}", hint=EXAMPLE) from None


def request_metrics(words: Iterable[str], verb: str) -> list[str]:
    """Return the metrics of ``metric=`` words; every other word is refused."""
    metrics: list[str] = []
    for word in words:
        key, _, text = word.partition("=")
        if key != "metric":
            raise InputError(f"'{word}' means nothing here", key=verb)
        metrics += _listed(text)
    return metrics


def request_from_values(
    names: Sequence[str],
    given: Mapping[str, Any],
    metrics: Sequence[str] = (),
    carried: Mapping[str, Any] | None = None,
) -> Request:
    """Sort values by key into a request (text is read, other values are taken as they are)."""
    from lodestone.studies.metrics import check_metric

    given = dict(given)
    names = list(names)
    if "scenario" in given:
        named = given.pop("scenario")
        names += split_list(named) if isinstance(named, str) else list(named)
    if not names:
        raise InputError(
            "names no scenario",
            key="lodestone sweep",
            hint="Write 'lodestone sweep SCENARIO key=a,b,c'; see 'lodestone list scenarios'.",
        )
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"the scenario '{name}' is given twice", key="scenario")
    known = {k: v for k, v in given.items() if k not in STUDY_WORDS}
    held = dict(carried or {})
    for key in CARRIED_OUT:
        if key in known:
            held[key] = _single(key, known.pop(key))
    for key in known:
        _known(key)
    axes = [Axis("scenario", tuple(names), None, ",".join(names))]
    axes += [_axis(key, value, names) for key, value in known.items()]
    for metric in metrics:
        check_metric(metric)
    base = given.get("base")
    return Request(
        tuple(names),
        tuple(axes),
        design=str(given.get("design") or "grid"),
        points=_whole("points", given.get("points")),
        design_seed=_whole("design_seed", given.get("design_seed")) or 0,
        metrics=tuple(metrics),
        base=None if base is None else str(base),
        carried=held,
    )


def _single(key: str, value: Any) -> Any:
    axis = read_axis(key, value)
    if axis.varies:
        raise InputError(
            "says how a study is carried out and cannot be swept", key=key, hint="Give one value."
        )
    return axis.values[0]


def _known(key: str) -> None:
    """Refuse a key that no run takes (keys of the scenario are checked with their scenario)."""
    from lodestone.border.paths import data_root
    from lodestone.runs.settings import SETTINGS

    if key in ("variant", "overlays", "vintage") or key.startswith("scenario."):
        return
    groups = [p.name for p in data_root("configs").iterdir() if p.is_dir()]
    if key in SETTINGS or key in groups:
        return
    words = [*SETTINGS, *groups, *STUDY_WORDS, "variant", "overlays", "vintage", "scenario"]
    error = unknown("key", key, [*words, "scenario.start", "scenario.end"])
    more = "Keys of the scenario begin with 'scenario.'; see 'lodestone sweep --help'."
    error.hint = f"{error.hint} {more}" if error.hint else more
    raise error


def _axis(key: str, value: Any, names: Sequence[str]) -> Axis:
    if key == "variant" and value == "all":
        return Axis(key, _every_variant(names), None, "all")
    return read_axis(key, value)


def _every_variant(names: Sequence[str]) -> tuple[Any, ...]:
    from lodestone.scenario import load_mapping

    if len(names) > 1:
        raise InputError("stands for the variants of one scenario", key="variant=all")
    return (None, *(load_mapping(names[0]).data.get("variants") or {}))


def _whole(key: str, value: Any) -> int | None:
    if value is None:
        return None
    try:
        number = int(str(value))
    except ValueError:
        raise InputError(f"must be a whole number, got '{value}'", key=key) from None
    if number < (1 if key == "points" else 0):
        raise InputError(f"must be a whole number from 1 on, got {number}", key=key)
    return number


def request_from_file(path: Path) -> Request:
    """Read a request back from ``study.yaml``.

    Raises
    ------
    InputError
        The file is damaged, or of another version of the program.
    """
    from lodestone.border.yamlfile import read_yaml

    data = read_yaml(path).data
    try:
        keys = {str(k): v for k, v in data["keys"].items()}
        asked = {k: data[k] for k in ("design", "points", "design_seed", "base")}
        names, metrics = [str(n) for n in data["scenario"]], [str(m) for m in data["metrics"]]
    except (KeyError, TypeError, AttributeError):
        raise InputError(
            "is damaged or of another version", file=path, hint="Give the command again in full."
        ) from None
    if data.get("seeds") != os.environ.get(OVERLAY):
        raise InputError(
            "was begun with other seeds",
            file=path,
            key="seeds",
            hint=f"Add seeds={data['seeds']}." if data.get("seeds") else "Leave seeds= out.",
        )
    return request_from_values(names, {**keys, **asked}, metrics)
