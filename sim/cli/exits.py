"""What goes wrong becomes one message and an exit status."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable

from lodestone.border.errors import InputError, ModelError

__all__ = ["guarded"]


def guarded(work: Callable[[], int]) -> int:
    """Call `work` and turn what goes wrong into one message and an exit status."""
    try:
        status = work()
        sys.stdout.flush()
        return status
    except InputError as error:
        return _fail(str(error), 2)
    except ModelError as error:
        return _fail(f"a check of the model failed: {error}. Nothing is reported as a result.", 3)
    except KeyboardInterrupt:
        return _fail("interrupted. Finished work is kept; the same command takes it up again.", 130)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - keeps the final flush silent
        return 0
    except OSError as error:
        return _os_failure(error)
    except MemoryError:
        return _fail("out of memory. Use fewer worlds or workers: ensemble.worlds=, workers=.", 1)


def _fail(message: str, status: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    print(f"lodestone: {message}", file=sys.stderr, flush=True)
    return status


def _os_failure(error: OSError) -> int:
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _fail(
            f"{where}the disk is full. Free some space or choose another folder with out=DIR; "
            "no half-written file was left under its final name.",
            1,
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR):
        return _fail(
            f"{where}{error.strerror}. Choose a folder you may write to, for example with out=DIR.",
            2,
        )
    if os.environ.get("LODESTONE_DEBUG"):
        raise error
    return _fail(f"{where}{error.strerror or error}", 1)
