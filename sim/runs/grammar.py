"""Values as Hydra's grammar reads them, so that every command understands the same words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lodestone.border.errors import InputError

__all__ = ["PATHS", "parse_words"]

#: Settings that are paths: what is typed is meant as it stands, unless it is quoted.
PATHS = ("out",)
#: Characters that mean something in Hydra's grammar; text without them is text, in any alphabet.
_MEANS = frozenset("[]{}()'\",=\\$*?&|;<>!%@#`^+")


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
    if key in PATHS and plain[0] not in "'\"":
        return text
    if not _MEANS.intersection(plain) and not plain.startswith(("~", "-")):
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
