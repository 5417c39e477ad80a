"""Where the data folders are: at the top of a clone, or inside an installed wheel."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from lodestone.border.errors import InputError
from lodestone.border.words import unknown

__all__ = ["data_root", "seeds_root", "vintages"]

#: Environment variable that names the user's own rows, where `$LODESTONE_SEEDS` holds them merged.
OVERLAY = "LODESTONE_SEEDS_OVERLAY"
FOLDERS = ("seeds", "scenarios", "configs")


@cache
def data_root(folder: str | None = None) -> Path:
    """Return the folder that holds `seeds/`, `scenarios/` and `configs/`.

    Parameters
    ----------
    folder
        One of those names, to get that folder itself.

    Raises
    ------
    InputError
        If the installation holds none of them, or `folder` is not one of the names.
    """
    if folder is not None:
        if folder not in FOLDERS:
            raise unknown("data folder", folder, FOLDERS)
        return data_root() / folder
    here = Path(__file__).resolve().parents[1]
    for root in (here.parent, here / "_data"):
        if (root / "seeds" / "elements.csv").is_file():
            return root
    raise InputError(
        "the data folder 'seeds' is missing from this installation",
        file=here.parent / "seeds",
        hint="Install the package again, or run inside a complete clone.",
    )


def seeds_root(root: Path | str | None = None) -> Path:
    """Return the seeds folder: `root`, else `$LODESTONE_SEEDS`, else the shipped one."""
    if root is not None:
        return Path(root)
    setting = os.environ.get("LODESTONE_SEEDS")
    return Path(setting) if setting else data_root("seeds")


def vintages(root: Path | str | None = None) -> list[str]:
    """Return the names of the vintages: folders of seeds that hold a `vintage.yaml`."""
    folder = seeds_root(root)
    return sorted(path.parent.name for path in folder.glob("*/vintage.yaml"))
