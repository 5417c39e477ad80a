"""Loops compiled on first use. The only importer of numba.

A compiled function is plain Python over arrays whose last axis is the world; numba compiles it on
first use and keeps the machine code beside the file. ``function.py_func`` is the same text
interpreted: the tests compare the two bit for bit, so there is one implementation and one reference.

Rows of a group stand together: ``starts`` has one entry more than there are groups, and group ``g``
owns rows ``starts[g]:starts[g + 1]``. Sums run over rows in order, world by world, so a world has
the same bytes in any batch. No loop draws, decides or knows a name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

#: Stands for "no such rule" where a loop takes an optional array.
NONE = np.zeros((0, 0))


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a kernel; the machine code is kept where the installation can be written."""
    try:
        return numba.njit(cache=True, error_model="numpy", nogil=True)(function)
    except RuntimeError:  # nowhere to keep it: compile in every process
        return numba.njit(error_model="numpy", nogil=True)(function)
