"""Many machines: a dask cluster through the same executor interface as the local pool.

The scheduler is the user's: ``cluster=tcp://HOST:8786``, or the file that ``dask scheduler
--scheduler-file F`` writes. Workers need Lodestone of the same code and seeds; that is asked of
each before any work is sent. What a lost worker was doing is done again by another; a task that
takes several workers with it fails alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["cluster_executor"]

#: Seconds within which the scheduler has to answer, and a worker has to be there.
PATIENCE = 20.0
#: How often a task is tried on another worker after its worker was lost.
RETRIES = 3


@contextmanager
def cluster_executor(address: str, vintages: Sequence[str]) -> Iterator[Executor]:
    """Yield an executor on a dask cluster.

    Parameters
    ----------
    address
        ``tcp://HOST:PORT``, ``HOST:PORT``, or the path of a scheduler file.
    vintages
        Whose seeds the work reads.

    Raises
    ------
    InputError
        The extra ``cluster`` is not installed, the scheduler does not answer, it has no worker,
        or a worker has other code or other seeds.
    """
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "needs dask.distributed, which is not installed",
            key="cluster",
            hint="pip install 'lodestone-sim[cluster]', here and on the workers.",
        ) from None
    client = _connected(Client, address)
    try:
        _same_everywhere(client, address, vintages)
        yield client.get_executor(retries=RETRIES, pure=False)
    finally:
        client.close(timeout=5)


def _connected(make: Any, address: str) -> Any:
    import logging

    path = Path(address).expanduser()
    held = (
        {"scheduler_file": str(path)}
        if path.suffix == ".json" or path.is_file()
        else {"address": address}
    )
    if "scheduler_file" in held and not path.is_file():
        raise InputError(
            "there is no such scheduler file",
            file=path,
            key="cluster",
            hint="'dask scheduler --scheduler-file F' writes it.",
        )
    logging.getLogger("distributed").setLevel(logging.ERROR)
    try:
        return make(**held, timeout=PATIENCE, set_as_default=False, name="lodestone")
    except (OSError, TimeoutError, ValueError, KeyError) as error:
        raise InputError(
            f"the cluster does not answer at '{address}' ({type(error).__name__})",
            key="cluster",
            hint="Is 'dask scheduler' running there, and is the port open? See docs/studies.md.",
        ) from None


def identity(vintages: Sequence[str]) -> dict[str, str]:
    """What a worker runs: hashes of its code and of the seeds of some vintages."""
    from lodestone.outputs.provenance import code_hash, seeds_hash

    return {"code": code_hash(), "seeds": seeds_hash(*vintages)}


def _same_everywhere(client: Any, address: str, vintages: Sequence[str]) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except (OSError, TimeoutError):
        raise InputError(
            f"the cluster at '{address}' has no worker",
            key="cluster",
            hint="Start some with 'dask worker ADDRESS'; see docs/studies.md.",
        ) from None
    try:
        found = client.run(identity, vintages)
    except Exception as error:  # whatever a worker without Lodestone raises
        raise InputError(
            f"a worker cannot run Lodestone ({type(error).__name__}: {error})",
            key="cluster",
            hint="Install the same version on the workers: pip install 'lodestone-sim[cluster]'.",
        ) from None
    own = identity(vintages)
    for worker, said in found.items():
        for what in ("code", "seeds"):
            if said[what] != own[what]:
                raise InputError(
                    f"the worker {worker} has other {what} ({said[what]}, here {own[what]})",
                    key="cluster",
                    hint="Install the same version on every machine.",
                )
