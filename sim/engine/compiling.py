"""Loops compiled on first use. The only importer of numba.

A compiled function is plain Python over arrays whose last axis is the world; numba compiles it on
first use and keeps the machine code beside the file. ``function.py_func`` is the same text
interpreted: the tests compare the two bit for bit, so there is one implementation and one reference.

Rows of a group stand together: ``starts`` has one entry more than there are groups, and group ``g``
owns rows ``starts[g]:starts[g + 1]``. Sums run over rows in order, world by world, so a world has
the same bytes in any batch. No loop draws, decides or knows a name.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core.caching import FunctionCache

#: Stands for "no such rule" where a loop takes an optional array.
NONE = np.zeros((0, 0))
#: Days after which machine code that nobody used is thrown away.
KEPT_DAYS = 30.0

_PACKAGE = Path(__file__).resolve().parents[1]
_IMPORT = re.compile(
    r"^\s*(?:from|import) lodestone\.([\w.]+)(?: import ([\w, ]+|\())?", re.MULTILINE
)


class _Kept(FunctionCache):
    """Machine code on disk; what cannot be read or written is made anew, never an error."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Machine code of a signature, None where there is none that can be read."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # whatever a damaged file raises when it is unpickled
            with contextlib.suppress(Exception):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep machine code, if the disk lets us."""
        with contextlib.suppress(OSError, EOFError):
            super().save_overload(sig, data)


def cache_root() -> Path:
    """Folder of machine code: ``$NUMBA_CACHE_DIR``, else one in the user's cache folder."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        return Path(given) / "lodestone"
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "lodestone" / "compiled"


@cache
def code_of(path: Path) -> str:
    """Hash of a file and of every file of this package that it imports, however far down.

    Numba looks at the time of the file alone that holds a loop; an equation in another file that
    the loop calls is inlined into its machine code, and must make it stale as well.
    """
    seen: set[Path] = set()
    todo = [path]
    while todo:
        file = todo.pop()
        if file in seen or not file.is_file():
            continue
        seen.add(file)
        for place, names in _IMPORT.findall(file.read_text(encoding="utf-8")):
            whole = _PACKAGE.joinpath(*place.split("."))
            todo += [whole.with_suffix(".py"), whole / "__init__.py"]
            todo += [whole / f"{n.strip()}.py" for n in names.split(",") if n.strip("( ")]
    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    for file in sorted(seen):
        digest.update(str(file.name).encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


@cache
def _folder(code: str) -> Path | None:
    """Folder of the machine code of some code, None where none can be kept."""
    folder = cache_root() / code
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        if not os.access(folder, os.W_OK):
            return None
    except OSError:
        return None
    _sweep(folder.parent)
    return folder


@cache
def _sweep(root: Path) -> None:
    """Throw away machine code that was not used for long."""
    oldest = time.time() - KEPT_DAYS * 86400.0
    with contextlib.suppress(OSError):
        for old in root.iterdir():
            if old.is_dir() and old.stat().st_mtime < oldest:
                shutil.rmtree(old, ignore_errors=True)


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a loop on first use; machine code is kept by the hash of the code it was made from."""
    made: Any = numba.njit(error_model="numpy", nogil=True)(function)
    folder = _folder(code_of(Path(function.__code__.co_filename).resolve()))
    if folder is None:  # nowhere to keep it: compile in every process
        return made
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        made._cache = _Kept(function)
    except (RuntimeError, OSError):
        pass
    finally:
        config.CACHE_DIR = before
    return made


@compiled
def holds(values: np.ndarray) -> bool:
    """Whether a row (w,) holds anything: rows of nothing are stepped over, sums stay the same."""
    some = values.shape[0] > 0 and values[0] != 0.0
    if not some:
        for w in range(values.shape[0]):  # to the end: without a way out it runs as vectors
            some |= values[w] != 0.0
    return some


@compiled
def fill(values: np.ndarray, value: float) -> None:
    """Set a row (w,) to a value: a plain loop compiles in a tenth of the time of a slice."""
    for w in range(values.shape[0]):
        values[w] = value


@compiled
def add_rows(at: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
    """Add rows (n, w) to the rows ``at`` (n,) of ``out`` (m, w), one after the other; raised.

    As ``numpy.add.at`` adds them, number for number; that takes some thirty times as long.
    """
    for n in range(at.shape[0]):
        if holds(values[n]):
            for w in range(values.shape[1]):
                out[at[n], w] += values[n, w]
