"""A mapping of a scenario file read as an intervention, and pydantic's report in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import BaseModel, ValidationError

from lodestone.border.errors import InputError, combine
from lodestone.border.words import nearest, suggestion
from lodestone.interventions.base import REGISTRY, Intervention, kinds

__all__ = ["build", "near_kind"]


def build(name: str, given: object, file: object = None) -> Intervention:
    """Make one intervention from its mapping in a scenario file.

    Raises
    ------
    InputError
        For an unknown kind or key, a missing key, or a value of the wrong sort. Names and
        magnitudes are checked later, against the chain, by `Intervention.problems`.
    """
    at = f"interventions.{name}"
    if not isinstance(given, Mapping):
        raise InputError(
            f"must be a mapping with a kind, got {given!r}",
            file=file,
            key=at,
            hint="Write its keys indented below the name, beginning with 'kind:'.",
        )
    kind = given.get("kind")
    if kind is None:
        slip = next((k for k in given if k not in Intervention.model_fields and near_kind(k)), None)
        if slip is not None:
            at = f"{at}.{slip}"
            raise InputError("unknown key", file=file, key=at, hint="Did you mean 'kind'?")
        raise InputError(
            "lacks its kind", file=file, key=at, hint=f"Add 'kind:', one of {', '.join(kinds())}."
        )
    if not isinstance(kind, str) or kind not in REGISTRY:
        raise InputError(
            f"unknown kind of intervention '{kind}'",
            file=file,
            key=f"{at}.kind",
            hint=suggestion(str(kind), REGISTRY),
        )
    cls = REGISTRY[str(kind)]
    # An unknown key is refused before empty values drop: null means, as by default.
    found = [_unknown_key(cls, at, [str(k)], file) for k in given if k not in cls.model_fields]
    try:
        made = cls.model_validate(
            {k: v for k, v in given.items() if v is not None and k in cls.model_fields}
        )
    except ValidationError as error:
        raise combine([*found, *_readable(error, cls, at, file)]) from None
    if found:
        raise combine(found)
    return made


def near_kind(key: object) -> bool:
    """Whether a key is a slip of ``kind``."""
    return nearest(str(key), ("kind", *Intervention.model_fields)) == "kind"


def _unknown_key(cls: type[Intervention], at: str, place: list[str], file: object) -> InputError:
    known = _keys_at(cls, place[:-1])
    hint = f"Known keys are {', '.join(known)}."
    if re.fullmatch(r"\d+", place[-1]):
        hint = "A decimal comma? Numbers are written with a point: 0.5."
    elif near := nearest(place[-1], known):
        hint = f"Did you mean '{near}'?"
    return InputError("unknown key", file=file, key=".".join((at, *place)), hint=hint)


def _readable(
    error: ValidationError, cls: type[Intervention], at: str, file: object
) -> list[InputError]:
    """Turn pydantic's report into errors with key, what is wrong and how to fix it."""
    found = []
    for item in error.errors():
        place = [str(part) for part in item["loc"]]
        key = ".".join((at, *place))
        sort = item["type"]
        if sort == "extra_forbidden":
            found.append(_unknown_key(cls, at, place, file))
        elif sort == "missing":
            what = cls.model_fields[place[0]].description if place[0] in cls.model_fields else ""
            found.append(
                InputError(
                    "is missing", file=file, key=key, hint=f"Add it: {what}." if what else None
                )
            )
        else:
            message = item["msg"].removeprefix("Value error, ")
            if sort in ("literal_error", "enum"):
                expected = str(item.get("ctx", {}).get("expected", ""))
                message = f"must be {expected}, got {item['input']!r}"
            found.append(InputError(message[:1].lower() + message[1:], file=file, key=key))
    return found


def _keys_at(cls: type[BaseModel], place: list[str]) -> list[str]:
    """Return the keys known at a nested place of a model."""
    model: type[BaseModel] = cls
    for part in place:
        info = model.model_fields.get(part)
        if info is None:
            continue
        for arg in getattr(info.annotation, "__args__", ()):
            if isinstance(arg, type) and issubclass(arg, BaseModel):
                model = arg
    return list(model.model_fields)
