"""Whether a run may begin: everything that can be refused is refused before a world is drawn."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from lodestone.border.errors import InputError
from lodestone.border.files import os_problem
from lodestone.chain.load import load_chain
from lodestone.outputs.selectors import check_expressions
from lodestone.runs.settings import Settings
from lodestone.scenario import Scenario, load_reference

__all__ = ["Budget", "budget", "memory_free", "memory_of_batches", "ready", "room_for"]

#: Disk that a world of a case takes on a market day while a run lasts, bytes (measured: 300 rounded,
#: 1,600 exact, 1,700 with all series).
ROUNDED, EXACT, ALL = 350.0, 1_800.0, 2_000.0
#: Tables and memo, bytes, and of them what grows with market days.
TABLES, TABLES_A_DAY = 10e6, 100e3
#: Memory of a process, bytes: the program, a chain and what is kept of them; a world of a batch on a
#: market day (measured: 7,300); a world of the run while its tables are written.
PROGRAM, A_WORLD_DAY, A_WORLD = 0.4e9, 7_500.0, 30e3
#: Least that a run leaves free.
_SPARE = 50_000_000


@dataclass(frozen=True)
class Budget:
    """What a run will need at its peak.

    Attributes
    ----------
    disk, memory
        Bytes; memory of all its processes on this machine.
    processes
        How many there will be.
    """

    disk: float
    memory: float
    processes: int

    def told(self) -> str:
        """A few words for the user."""
        return f"about {self.disk / 1e9:.1f} GB of disk, {self.memory / 1e9:.1f} GB of memory"


def budget(scenario: Scenario, settings: Settings) -> Budget:
    """Estimate what a run will need at its peak.

    Examples
    --------
    >>> from lodestone.runs.settings import Settings
    >>> from lodestone.scenario import load_scenario
    >>> few = budget(load_scenario("calm_2024"), Settings(worlds=10))
    >>> few.disk < budget(load_scenario("calm_2024"), Settings(worlds=400)).disk
    True
    """
    from lodestone.runs import simulate

    days = settings.days_of(scenario.start, scenario.end)
    cases = 1 if load_reference(scenario) is None else 2
    kept = simulate.keeping(settings, cases > 1)
    a_day = ALL if kept.series is None else EXACT if kept.exact else ROUNDED
    processes = simulate.processes(settings, cases, days)
    return Budget(
        disk=days * settings.worlds * cases * a_day + TABLES + days * TABLES_A_DAY,
        memory=processes * memory_of_batches(settings.worlds, days) + settings.worlds * A_WORLD,
        processes=processes,
    )


def memory_of_batches(worlds: int, days: float) -> float:
    """Memory of a process that runs so many worlds over so many market days, bytes."""
    from lodestone.runs.simulate import chunks

    return PROGRAM + len(chunks(worlds, days)[0]) * days * A_WORLD_DAY


def memory_free() -> float | None:
    """Memory that a new process may take, bytes; None where this system does not tell.

    The limit of a container counts where there is one.
    """
    found = []
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found += [float(x.split()[1]) * 1024 for x in lines if x.startswith("MemAvailable:")]
        group = Path("/sys/fs/cgroup")
        most = (group / "memory.max").read_text(encoding="ascii").strip()
        if most != "max":
            used = float((group / "memory.current").read_text(encoding="ascii"))
            found.append(max(float(most) - used, 0.0))
    except (OSError, ValueError, IndexError):
        pass
    return min(found, default=None)


def ready(scenario: Scenario, settings: Settings) -> None:
    """Refuse a run that could not end well.

    Raises
    ------
    InputError
        The scenario asks for what no run can tell, its reference is wrong, the folder cannot be
        written, or disk or memory are too small.
    """
    check_expressions(scenario, load_chain(scenario.vintage))
    folder = Path(settings.out) if settings.out is not None else Path("results") / scenario.name
    _writable(folder)
    needed = budget(scenario, settings)
    free = shutil.disk_usage(_there(folder)).free
    if needed.disk > free - _SPARE:
        raise InputError(
            f"needs about {needed.disk / 1e9:.1f} GB of disk while it runs, and {free / 1e9:.1f} GB "
            "are free",
            file=folder,
            key="ensemble.worlds",
            hint="Use fewer worlds, an earlier scenario.end or longer clock.market_days, or another "
            "disk with out=DIR.",
        )
    if settings.cluster is None:
        room_for(needed.memory, needed.processes)


def room_for(memory: float, processes: int) -> None:
    """Refuse work that needs more memory than is free.

    Parameters
    ----------
    memory : float
        Of all processes, bytes.
    processes : int
        Among which it is shared.

    Raises
    ------
    InputError
        Says how to do it smaller.
    """
    free = memory_free()
    if free is None or memory <= free:
        return
    many = processes > 1
    fewer = max(int(processes * free / memory), 1)
    raise InputError(
        f"needs about {memory / 1e9:.1f} GB of memory in {processes} process{'es' * many}, and "
        f"{free / 1e9:.1f} GB are free",
        key="workers" if many else "scenario.end",
        hint=(f"Use workers={fewer}, " if many else "Use ")
        + "an earlier scenario.end, longer clock.market_days or fewer worlds.",
    )


def _there(folder: Path) -> Path:
    """The nearest folder above that exists."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return place


def _writable(folder: Path) -> None:
    place = _there(folder)
    if not place.is_dir():
        raise InputError(
            "is a file, not a folder", file=place, key="out", hint="Choose a folder, with out=DIR."
        )
    if not os.access(place, os.W_OK | os.X_OK):
        raise os_problem(PermissionError(13, "", str(place)))
