"""Processes of this machine, as an executor."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

__all__ = ["local_pool"]


@contextmanager
def local_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Yield an executor of so many processes; they end when the work is done or broken off."""
    import multiprocessing

    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield pool
    except BaseException:
        processes = list((getattr(pool, "_processes", None) or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(5.0)
        raise
    pool.shutdown()
