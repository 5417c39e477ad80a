"""What was laid over a scenario file: variant, overlays, words typed; and what that changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.difference import REMARKS
from lodestone.border.errors import InputError
from lodestone.border.numbers import plain
from lodestone.border.paths import data_root
from lodestone.border.yamlfile import KeyPath, Place

if TYPE_CHECKING:
    from lodestone.interventions.base import Intervention

__all__ = ["SHIPPED", "Applied", "as_shipped", "both_set"]

#: Keys of a scenario, beside its measures, of which remarks tell.
SHIPPED = ("start", "end", "headline", "hypothesis")


@dataclass(frozen=True)
class Applied:
    """What a scenario is made of beside its file.

    Attributes
    ----------
    variant, overlays
        Names.
    kinds
        Kind of each intervention by name, before variant and overlays: what a variant may name.
    below
        The interventions as the file has them, with the variant, and with the overlays.
    """

    variant: str | None = None
    overlays: tuple[str, ...] = ()
    kinds: Mapping[str, str | None] = field(default_factory=dict)
    below: Sequence[Mapping[str, Any]] = ()

    def read_below(self, name: str, item: Intervention) -> set[str]:
        """Return the keys that nothing reads in a measure, and that a lower layer has in use.

        A variant that changes the rule of a reserve leaves its other keys without effect: that is
        a remark on this run, not a mistake.
        """
        import lodestone.interventions as registry

        idle = {one.key for one in item.unread()}
        found: set[str] = set()
        for entries in self.below if idle else ():
            given = entries.get(name)
            try:
                under = registry.build(name, given)
            except InputError:
                continue
            there = under.model_fields_set - {one.key for one in under.unread()}
            found |= idle & there
        return found


def both_set(
    earlier: Sequence[tuple[str, Mapping[str, Any]]], name: str, content: Mapping[str, Any]
) -> list[str]:
    """Return a sentence for each measure that an overlay and an earlier one set differently.

    Parameters
    ----------
    earlier
        Name and content of the overlays below it, in order.
    name, content
        Of the overlay that is laid over them.
    """
    found = []
    told: set[tuple[str, str]] = set()
    for other, held in reversed(earlier):
        for what, (old, new) in _entries(held, content).items():
            keys = [
                k
                for k in new
                if k in old and k not in REMARKS and old[k] != new[k] and (what, k) not in told
            ]
            told |= {(what, k) for k in keys}
            if keys:
                said = ", ".join(f"{k} {_value(old[k])} and {_value(new[k])}".strip() for k in keys)
                found.append(
                    f"overlays {other} and {name} both set {what} ({said}): the later one, {name}, "
                    "wins"
                )
    return found


def _entries(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Measures that two overlays have, and their numbers of the base line, each as a mapping."""
    out = {}
    ours, theirs = (x.get("interventions") or {} for x in (old, new))
    for name in ours:
        if name in theirs:
            one, two = ours[name], theirs[name]
            if isinstance(one, Mapping) and isinstance(two, Mapping):
                out[name] = (one, two)
            elif one != two:
                out[name] = ({"": one}, {"": two})
    one, two = (x.get("overrides") or {} for x in (old, new))
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        out["overrides"] = (one, two)
    return out


def as_shipped(
    data: Mapping[str, Any],
    filed: Mapping[str, Any],
    places: Mapping[KeyPath, Place],
    typed: Iterable[str],
) -> frozenset[str]:
    """Return what stands in a scenario as the program ships it, nobody's own word in it.

    Parameters
    ----------
    data, places
        The mapping with all layers laid, and where its keys stand.
    filed
        Its measures without overlays and words typed.
    typed
        Places of the words typed.

    Returns
    -------
    frozenset of str
        Names of measures, and those of `SHIPPED` that hold.
    """
    own: set[str] = {word.partition(".")[0] for word in typed}
    there: set[str] = set()
    for path, place in places.items():
        if not path:
            continue
        what = path[1] if path[0] == "interventions" and len(path) > 1 else path[0]
        (there if _is_shipped(place.file) else own).add(what)
    held = data.get("interventions")
    now = held if isinstance(held, Mapping) else {}
    same = {n for n, item in now.items() if n in there and filed.get(n) == item}
    return frozenset((same | (set(SHIPPED) & there)) - own)


@cache
def _is_shipped(file: str) -> bool:
    return Path(file).resolve().is_relative_to(data_root("scenarios").resolve())


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    return "a mapping" if isinstance(value, Mapping) else str(plain(value))
