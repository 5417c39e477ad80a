"""What Ctrl-C and a request to end do: the first ends in good order, the second at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: Exit status of a command that was interrupted.
INTERRUPTED = 130


@contextmanager
def stoppable() -> Iterator[None]:
    """Take SIGTERM as Ctrl-C, and a second one of either as an order to end at once.

    The first is a ``KeyboardInterrupt``: finished work is kept and workers are ended. The second
    kills the workers and leaves with status 130. Does nothing outside the main thread, where no
    signals arrive.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seen = 0

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal seen
        seen += 1
        if seen > 1:
            _end_children()
            os._exit(INTERRUPTED)
        raise KeyboardInterrupt

    before = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_children() -> None:
    import multiprocessing

    for process in multiprocessing.active_children():
        with contextlib.suppress(Exception):
            process.kill()
