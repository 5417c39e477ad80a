"""Work over processes: the one pool, for runs, replays of history, calibration and studies.

Any executor of ``concurrent.futures`` does; a cluster gives its own. Workers of the local one die
with the process that started them. On Linux they are copies of it (``fork``) and have at once what
it has loaded and laid; elsewhere, and where another thread than the first one asks, they start
afresh (``spawn``) and take two seconds to load the engine.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from typing import Any

#: Seconds between two looks of a worker at its parent.
LOOK_SECONDS = 1.0
#: Seconds that workers get to end by themselves when work is broken off.
GRACE_SECONDS = 2.0

#: Seconds of work below which no second process is started.
WORTH_SECONDS = 8.0

Job = tuple[Callable[..., Any], tuple[Any, ...]]


def _tied(parent: int) -> None:
    """Set up a worker: it dies with its parent, and Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            # PR_SET_PDEATHSIG: the kernel kills the worker when its parent ends.
            ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent watch").start()
    if os.getppid() != parent:
        os._exit(1)


def _how() -> str:
    """How workers are started here."""
    alone = threading.current_thread() is threading.main_thread()
    return "fork" if sys.platform == "linux" and alone else "spawn"


@contextmanager
def pool(workers: int) -> Iterator[Executor | None]:
    """A pool of local processes, None for one worker; broken off, it ends its workers at once.

    Parameters
    ----------
    workers : int
        Processes; one or less works in this process.
    """
    if workers <= 1:
        yield None
        return
    import gc
    import multiprocessing

    executor = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context(_how()),
        initializer=_tied,
        initargs=(os.getpid(),),
    )
    # The first piece of work starts the copies: here, and not where the caller has more under way.
    # Python warns of threads that are not copied: those of numerical libraries look after
    # themselves, and a worker needs none of the others.
    # What the copies share is left out of their garbage collections, which would copy it.
    gc.freeze()
    with _deaf(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        executor.submit(os.getpid)
    gc.unfreeze()
    try:
        yield executor
    except BaseException:
        end(executor)
        raise
    executor.shutdown()


def end(executor: ProcessPoolExecutor) -> None:
    """End a pool at once: nothing more begins, and workers that go on are killed."""
    processes = list((getattr(executor, "_processes", None) or {}).values())
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    limit = time.monotonic() + GRACE_SECONDS
    for process in processes:
        process.join(max(limit - time.monotonic(), 0.0))
        if process.is_alive():
            process.kill()


@contextmanager
def _deaf() -> Iterator[None]:
    """Hold back Ctrl-C while workers are started: they inherit that it is not theirs to hear."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def results(
    executor: Executor | None,
    jobs: Sequence[Job],
    done: Callable[[int], None] | None = None,
) -> list[Any]:
    """Results of jobs in their order, worked one after the other where there is no executor.

    Parameters
    ----------
    executor : Executor or None
    jobs : sequence of (function, arguments)
    done : callable, optional
        Called with the number of each job when it is done, in the order in which they end.
    """
    say = done or (lambda number: None)
    out: list[Any] = [None] * len(jobs)
    if executor is None:
        for number, (work, arguments) in enumerate(jobs):
            out[number] = work(*arguments)
            say(number)
        return out
    with _deaf():
        futures = {executor.submit(work, *given): n for n, (work, given) in enumerate(jobs)}
    try:
        for future in as_completed(futures):
            out[futures[future]] = future.result()
            say(futures[future])
    except BaseException:
        for future in futures:
            future.cancel()
        raise
    return out


def count(asked: int, seconds: float, jobs: int, worth: float = WORTH_SECONDS) -> int:
    """How many processes some work gets.

    Parameters
    ----------
    asked : int
        Processes asked for; 0 leaves it to the work.
    seconds : float
        Work to be done on one core, roughly.
    jobs : int
        Pieces that it can be divided into.
    worth : float
        Seconds of work below which no second process is started.
    """
    if asked == 0 and seconds < worth:
        return 1
    return max(1, min(asked or os.cpu_count() or 1, jobs))
