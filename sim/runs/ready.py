"""Whether a run may begin: everything that can be refused is refused before a world is drawn."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lodestone.border.errors import InputError
from lodestone.border.files import os_problem
from lodestone.chain.load import load_chain
from lodestone.outputs.selectors import check_expressions
from lodestone.runs.settings import Settings
from lodestone.scenario import Scenario, load_reference

__all__ = ["BYTES_A_WORLD_DAY", "ready"]

#: Disk that a world of a case takes while a run lasts, bytes a market day (measured: 4.9 kB).
BYTES_A_WORLD_DAY = 5_000.0
#: Least that a run leaves free.
_SPARE = 50_000_000


def ready(scenario: Scenario, settings: Settings) -> None:
    """Refuse a run that could not end well.

    Raises
    ------
    InputError
        The scenario asks for what no run can tell, its reference is wrong, the setting means
        nothing here, the folder cannot be written, or the disk is too small.
    """
    check_expressions(scenario, load_chain(scenario.vintage))
    reference = load_reference(scenario)
    if settings.cluster is not None:
        raise InputError(
            "a single run is carried out on this machine",
            key="cluster",
            hint="Leave it out; 'lodestone sweep' takes a cluster.",
        )
    folder = Path(settings.out) if settings.out is not None else Path("results") / scenario.name
    _writable(folder)
    days = (scenario.end - scenario.start).days / settings.market_days
    needed = days * settings.worlds * (1 if reference is None else 2) * BYTES_A_WORLD_DAY
    free = shutil.disk_usage(_there(folder)).free
    if needed > free - _SPARE:
        raise InputError(
            f"needs about {needed / 1e9:.1f} GB of disk while it runs, and {free / 1e9:.1f} GB "
            "are free",
            file=folder,
            key="ensemble.worlds",
            hint="Use fewer worlds or longer market days, or another disk with out=DIR.",
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
