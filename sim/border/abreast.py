"""A number of several points of a study whose worlds stand side by side in one batch.

It is made inside and never read from a file. It can be drawn, and nothing else: whoever would read
it as a plain number is told that these points cannot be run abreast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from lodestone.border.numbers import Distribution, Number

__all__ = ["Abreast", "NotAbreast"]


class NotAbreast(TypeError):
    """A number that differs between points is read in a way that all worlds of a batch share.

    Attributes
    ----------
    key
        Of the number; empty where it is not known.
    """

    def __init__(self, key: str, how: str) -> None:
        super().__init__(f"{key or 'a number'} of several points: {how}")
        self.key = key


@dataclass(frozen=True, eq=False)
class Abreast:
    """One number for each of several points.

    Attributes
    ----------
    key
        What it is called, for `NotAbreast`.
    each
        The number of each point, plain or to be drawn.
    wide
        Columns of each point, side by side in the order of the points.
    """

    key: str
    each: tuple[Number, ...]
    wide: int

    @property
    def drawn(self) -> bool:
        """Whether it differs between the worlds of a point."""
        return any(isinstance(number, Distribution) for number in self.each)

    def _refuse(self, *_: object) -> NoReturn:
        raise NotAbreast(self.key, "it is not only drawn")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._refuse()

    # An array leaves operations with it to the refusals below.
    __array_ufunc__ = None
    __array__ = __float__ = __int__ = __index__ = __bool__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse
    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __neg__ = __abs__ = _refuse
    __str__ = __format__ = __round__ = _refuse
