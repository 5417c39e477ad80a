"""The two errors a user can meet, each with its exit status.

`InputError` (exit 2) means that something the user wrote is wrong. `ModelError` (exit 3) means
that a check of the model failed, so nothing may be reported as a result. Anything else is a
defect of the program (exit 1).
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["LONGEST", "InputError", "ModelError", "clip", "combine", "printable"]

#: Longest message that a user is shown, in characters.
LONGEST = 1500
#: Longest part of a message: what a file holds may be a page, and is quoted in messages.
_PART = 480
#: Longest place: file and key are needed to find it, so they get more.
_PLACE = 600


def printable(text: object) -> str:
    """Return text without what could steer a terminal: control characters are written out.

    Line breaks and tabs stay; so does every letter of every alphabet. Marks that turn the
    direction of writing and halves of surrogate pairs are written out too.
    """
    out = []
    for letter in str(text):
        code = ord(letter)
        if letter in "\n\t":
            out.append(letter)
        elif code < 32 or 127 <= code < 160 or code in _TURNING or 0xD800 <= code < 0xE000:
            out.append(f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
        else:
            out.append(letter)
    return "".join(out)


_TURNING = frozenset(
    (0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
)


def clip(text: str, most: int = _PART) -> str:
    """Return text of at most so many characters: its middle is left out."""
    if len(text) <= most:
        return text
    tail = most // 4
    return f"{text[: most - tail - 5]} ... {text[-tail:]}"


class InputError(Exception):
    """The user's input is wrong.

    Parameters
    ----------
    message
        What is wrong, in one sentence.
    file
        File in which it stands, if any.
    key
        Key, row or command-line word that is wrong, if any.
    hint
        How to put it right, often the nearest known word.
    """

    exit_code = 2

    def __init__(
        self,
        message: str,
        file: object = None,
        key: object = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = None if file is None else str(file)
        self.key = None if key is None else str(key)
        self.hint = hint

    #: The problems, where there are several.
    parts: Sequence[InputError] = ()

    def __str__(self) -> str:
        return self.told()

    def told(self, most: int = LONGEST) -> str:
        """Return file, key, what is wrong and how to fix it, fit for a terminal."""
        if self.parts:
            return _several(self.parts, most)
        place = ": ".join(clip(part, _PLACE // 2) for part in (self.file, self.key) if part)
        message = clip(self.message)
        text = f"{place}: {message}" if place else message
        if self.hint:
            text = text if text.endswith((".", "?", "!")) else text + "."
            text = f"{text} {clip(self.hint, 320)}"
        return printable(text)


def combine(found: Sequence[InputError]) -> InputError:
    """Return one error for several: the first alone, or all of them a line each."""
    flat = [part for error in found for part in (error.parts or (error,))]
    if len(flat) == 1:
        return flat[0]
    error = InputError(f"{len(flat)} problems", file=flat[0].file)
    error.parts = tuple(flat)
    return error


def _several(parts: Sequence[InputError], most: int) -> str:
    """Problems a line each, as many as there is room for."""
    lines = [f"{len(parts)} problems:"]
    room = most - 60
    for number, part in enumerate(parts):
        line = f"  {part.told(700)}"
        if number and len(line) + sum(len(held) + 1 for held in lines) > room:
            lines.append(f"  and {len(parts) - number} more")
            break
        lines.append(line)
    return "\n".join(lines)


class ModelError(Exception):
    """A check of the model failed, for example the mass balance.

    Parameters
    ----------
    message
        Which law was broken and by how much.
    place
        Where: element, region, stage or facility.
    world
        The world (replication) in which it happened.
    date
        The simulated date.
    """

    exit_code = 3

    def __init__(
        self,
        message: str,
        place: object = None,
        world: int | None = None,
        date: object = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.place = None if place is None else str(place)
        self.world = world
        self.date = None if date is None else str(date)

    def __str__(self) -> str:
        parts = [self.message]
        if self.place:
            parts.append(f"at {self.place}")
        if self.world is not None:
            parts.append(f"in world {self.world}")
        if self.date:
            parts.append(f"on {self.date}")
        return " ".join(parts)
