"""Known words: find the nearest one, and say so when a word is unknown."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from lodestone.border.errors import InputError

__all__ = ["nearest", "suggestion", "unknown"]


def nearest(word: str, known: Iterable[str], also: Mapping[str, str] | None = None) -> str | None:
    """Return the known word most like `word`, or None when nothing is near.

    Case, spaces and hyphens are ignored, so that `United States` finds `united_states`. `also`
    holds other names of known words (`usa`: `united_states`), which count before likeness, as does the
    last part of a word with dots, where only one has it (`worlds`: `ensemble.worlds`).
    """
    plain = {_plain(candidate): candidate for candidate in sorted(map(str, known))}
    target = _plain(str(word))
    if target in plain:
        return plain[target]
    if also and _plain(also.get(target, "")) in plain:
        return plain[_plain(also[target])]
    ends = [name for key, name in plain.items() if key.rpartition(".")[2] == target]
    if len(ends) == 1:
        return ends[0]
    found = difflib.get_close_matches(target, list(plain), n=1, cutoff=0.5)
    if found:
        return plain[found[0]]
    inside = [name for key, name in plain.items() if target and (target in key or key in target)]
    return inside[0] if inside else None


def suggestion(word: str, known: Iterable[str], also: Mapping[str, str] | None = None) -> str:
    """Return `Did you mean 'x'?`, or the list of known words when it is short."""
    words = sorted(map(str, known))
    near = nearest(word, words, also)
    if near is not None:
        return f"Did you mean '{near}'?"
    if words and len(words) <= 20:
        return f"Known: {', '.join(words)}."
    return ""


def unknown(
    kind: str,
    word: object,
    known: Iterable[str],
    file: object = None,
    key: object = None,
    also: Mapping[str, str] | None = None,
) -> InputError:
    """Build (not raise) the error for an unknown word of a kind, with the nearest known one."""
    hint = suggestion(str(word), known, also) or None
    return InputError(f"unknown {kind} '{word}'", file=file, key=key, hint=hint)


def _plain(word: str) -> str:
    return word.strip().lower().replace(" ", "_").replace("-", "_")
