"""Many machines: a dask cluster through the same executor interface as the local pool.

The scheduler is the user's: ``cluster=tcp://HOST:8786``, or the file that ``dask scheduler
--scheduler-file F`` writes. Workers need Lodestone of the same code and seeds; that is asked of
each before any work is sent. A user's own rows (``seeds=FOLDER``) travel with the work. What a lost worker was doing is done again by another; a task that
takes several workers with it fails alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lodestone.border.errors import InputError
from lodestone.border.paths import OVERLAY

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
    rows = own_rows()
    try:
        _same_everywhere(client, address, vintages, rows)
        executor = client.get_executor(retries=RETRIES, pure=False)
        yield _WithRows(executor, rows) if rows else executor
    finally:
        client.close(timeout=5)


def own_rows() -> dict[str, bytes]:
    """The user's own tables in use, by place in their folder; none without ``seeds=``."""
    if OVERLAY not in os.environ:
        return {}
    folder = Path(os.environ[OVERLAY])
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*.csv"))}


#: Seeds in use hold for a whole process, so that its threads take turns.
_turn = threading.Lock()


def with_rows(rows: Mapping[str, bytes], work: Callable[..., Any], *given: Any) -> Any:
    """Do some work on a worker with a user's own rows laid over its seeds."""
    from lodestone.chain.overlay import seeds_in_use

    if not rows:
        return work(*given)
    digest = hashlib.sha256()
    for place, data in sorted(rows.items()):
        digest.update(f"{place} {len(data)} ".encode() + data)
    user = getattr(os, "getuid", lambda: "user")()
    folder = Path(tempfile.gettempdir()) / f"lodestone-rows-{user}-{digest.hexdigest()[:16]}"
    with _turn:
        for place, data in rows.items():
            path = folder / place
            if not path.is_file() or path.read_bytes() != data:
                path.parent.mkdir(parents=True, exist_ok=True)
                hidden = path.with_name(f".{path.name}.{os.getpid()}")
                hidden.write_bytes(data)
                hidden.replace(path)
        with seeds_in_use(folder):
            return work(*given)


class _WithRows(Executor):
    """An executor whose work carries a user's own rows."""

    def __init__(self, inner: Executor, rows: Mapping[str, bytes]) -> None:
        self.inner, self.rows = inner, rows

    def submit(self, work: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        """Send some work; keywords are not carried."""
        assert not named
        return self.inner.submit(with_rows, self.rows, work, *given)


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
    _answers(address if "address" in held else _address_in(path))
    try:
        return make(**held, timeout=PATIENCE, set_as_default=False, name="lodestone")
    except (OSError, TimeoutError, ValueError, KeyError) as error:
        raise InputError(
            f"the cluster does not answer at '{address}' ({type(error).__name__})",
            key="cluster",
            hint="Is 'dask scheduler' running there, and is the port open? See docs/studies.md.",
        ) from None


def _address_in(file: Path) -> str:
    """Where the scheduler that wrote a file listens."""
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["address"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            "is no scheduler file",
            file=file,
            key="cluster",
            hint="'dask scheduler --scheduler-file F' writes it.",
        ) from None


def _answers(address: str) -> None:
    """Refuse an address where nobody listens, before a client is made that keeps on asking."""
    place = urlsplit(address if "://" in address else f"tcp://{address}")
    try:
        host, port = place.hostname, place.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise InputError(
            f"'{address}' is no address of a cluster",
            key="cluster",
            hint="Write tcp://HOST:PORT (dask's own port is 8786), or the path of a scheduler file.",
        )
    if place.scheme not in ("tcp", "tls"):
        return
    try:
        socket.create_connection((host, port), timeout=PATIENCE).close()
    except OSError as error:
        raise InputError(
            f"the cluster does not answer at '{address}' ({error.strerror or error})",
            key="cluster",
            hint="Is 'dask scheduler' running there, and is the port open? See docs/studies.md.",
        ) from None


def identity(vintages: Sequence[str]) -> dict[str, str]:
    """What a worker runs: hashes of its code and of the seeds of some vintages."""
    from lodestone.outputs.provenance import code_hash, seeds_hash

    return {"code": code_hash(), "seeds": seeds_hash(*vintages)}


def _same_everywhere(
    client: Any, address: str, vintages: Sequence[str], rows: Mapping[str, bytes]
) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except (OSError, TimeoutError):
        raise InputError(
            f"the cluster at '{address}' has no worker",
            key="cluster",
            hint="Start some with 'dask worker ADDRESS'; see docs/studies.md.",
        ) from None
    try:
        found = client.run(with_rows, rows, identity, vintages)
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
