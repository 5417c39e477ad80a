"""What goes wrong becomes one message and an exit status: no traceback reaches a user."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from lodestone.border.errors import InputError, ModelError, clip, printable
from lodestone.border.files import os_problem

__all__ = ["guarded", "plain_streams"]

#: Errors of the operating system that the user can mend by naming another place.
_OURS = frozenset(
    (
        errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR,
        errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL,
    )
)  # fmt: skip


def guarded(work: Callable[[], int], debug: bool = False) -> int:
    """Call `work` and turn what goes wrong into one message and an exit status.

    Parameters
    ----------
    work
        Does what was asked and returns the exit status.
    debug
        Whether a defect of the program leaves its traceback in a file.
    """
    debug = debug or bool(os.environ.get("LODESTONE_DEBUG"))
    from lodestone.runs.stopping import stoppable

    try:
        with stoppable():
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
        _mute()
        return 0
    except OSError as error:
        if error.errno in (errno.EPIPE, errno.EBADF, errno.ESHUTDOWN) and not error.filename:
            _mute()
            return 0 if error.errno == errno.EPIPE else 1
        return _fail(str(os_problem(error)), 2 if error.errno in _OURS else 1)
    except MemoryError:
        return _fail("out of memory. Use fewer worlds or workers: ensemble.worlds=, workers=.", 1)
    except RecursionError as error:
        return _defect(error, "the input is nested too deeply", debug)
    except Exception as error:
        return _defect(error, f"{type(error).__name__}: {error}", debug)


def plain_streams() -> None:
    """Let output show what a terminal cannot print as ``\\x..`` instead of ending in an error."""
    for name in ("stdout", "stderr"):  # closed by who started us: let what is written go nowhere
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        change = getattr(stream, "reconfigure", None)
        if change is not None:
            with contextlib.suppress(OSError, ValueError):
                change(errors="backslashreplace")


def _mute() -> None:
    """Nobody reads any more: let the flush at the end go nowhere."""
    with contextlib.suppress(OSError):
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115


def _fail(message: str, status: int) -> int:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        print(f"lodestone: {printable(message)}", file=sys.stderr, flush=True)
    return status


def _defect(error: BaseException, told: str, debug: bool) -> int:
    """One line for what should not have happened; where asked, the traceback in a file."""
    line = f"a defect of the program ({clip(' '.join(told.split()), 300)})."
    if not debug:
        return _fail(
            f"{line} The same command with --debug writes a log file to report it with.", 1
        )
    name = f"lodestone-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}.log"
    text = "".join(traceback.format_exception(error))
    with contextlib.suppress(OSError):
        path = Path.cwd() / name
        path.write_text(" ".join(sys.argv) + "\n\n" + text, encoding="utf-8", errors="replace")
        return _fail(f"{line} The traceback is in {path}.", 1)
    return _fail(f"{line} No log file could be written to {Path.cwd()}.", 1)
