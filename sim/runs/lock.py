"""A run folder belongs to one process at a time."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lodestone.border.errors import InputError

LOCK = ".lock"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a run folder; a lock that was left by a process that is gone counts for nothing.

    The lock is the system's (``flock``), so it ends with the process that holds it, however it
    ends. The file says who that is: process, machine and since when.

    Raises
    ------
    InputError
        Another process works in the folder; names it.
    """
    path = folder / LOCK
    file = _open(path)
    try:
        _write(file, folder)
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(file)


def _open(path: Path) -> int:
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _locked(file):
            told = _read(file)
            os.close(file)
            raise _taken(path.parent, told)
        try:  # the file may have been taken away between opening and locking it
            same = os.fstat(file).st_ino == path.stat().st_ino
        except OSError:
            same = False
        if not same:
            os.close(file)
            continue
        told = _read(file)
        here = told.get("host") in (None, socket.gethostname())
        if not here:
            os.close(file)
            raise _taken(path.parent, told)
        return file


def _locked(file: int) -> bool:
    """Take the system's lock on an open file; False where another process has it."""
    try:
        import fcntl
    except ImportError:  # no such lock on this system: the file alone says who works here
        return not _alive(_read(file).get("pid"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _alive(process: Any) -> bool:
    if not isinstance(process, int):
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _read(file: int) -> dict[str, Any]:
    os.lseek(file, 0, os.SEEK_SET)
    try:
        told = json.loads(os.read(file, 4096).decode())
    except (ValueError, OSError):
        return {}
    return told if isinstance(told, dict) else {}


def _write(file: int, folder: Path) -> None:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since})
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)
    os.write(file, text.encode())


def _taken(folder: Path, told: dict[str, Any]) -> InputError:
    who = (
        f"process {told.get('pid', '?')} on {told.get('host', '?')}, since {told.get('since', '?')}"
    )
    return InputError(
        f"another run works in this folder ({who})",
        file=folder,
        key="out",
        hint=f"Wait for it, give another folder with out=DIR, or, if that run is over, remove "
        f"{folder / LOCK}.",
    )
