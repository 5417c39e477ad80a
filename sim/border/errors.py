"""The two errors a user can meet, each with its exit status.

`InputError` (exit 2) means that something the user wrote is wrong. `ModelError` (exit 3) means
that a check of the model failed, so nothing may be reported as a result. Anything else is a
defect of the program (exit 1).
"""

from __future__ import annotations

__all__ = ["InputError", "ModelError"]


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

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.file, self.key) if part)
        text = f"{place}: {self.message}" if place else self.message
        if self.hint:
            text = text if text.endswith((".", "?", "!")) else text + "."
            text = f"{text} {self.hint}"
        return text


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
