"""What a calibration leaves behind, written and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lodestone.border.paths import seeds_root
from lodestone.calibration.findings import FACTS, PARAMETERS

__all__ = ["kept_rows", "scale_of_kept", "shipped_facts", "write"]


def write(study: Any, folder: Path, seeds: bool = False) -> list[Path]:
    """Write posterior and tables into the calibration's folder, or into the seeds.

    Parameters
    ----------
    study : Study
    folder : Path
    seeds : bool
        The seeds: every world of every scenario then draws from this posterior.

    Returns
    -------
    list of Path
    """
    import pandas as pd

    from lodestone.border.files import save_table, save_text
    from lodestone.calibration.posterior import parameter_rows, posterior_text
    from lodestone.chain.load import POSTERIOR

    root = seeds_root() if seeds else folder
    save_text(root / POSTERIOR, posterior_text(study.posterior))
    save_table(root / FACTS, pd.DataFrame(study.facts))
    save_table(root / PARAMETERS, pd.DataFrame(parameter_rows(study.posterior)))
    return [root / POSTERIOR, root / FACTS, root / PARAMETERS]


def kept_rows(name: str) -> list[dict[str, Any]]:
    """Rows of a table that a calibration left in the seeds; none if there is none."""
    import pandas as pd

    path = seeds_root() / name
    if not path.is_file():
        return []
    rows: list[dict[str, Any]] = pd.read_csv(path).to_dict("records")
    return rows


def shipped_facts() -> list[dict[str, Any]]:
    """Rows of ``fit_facts.csv``; none where no posterior is shipped, whose table it would be."""
    return kept_rows(FACTS) if (seeds_root() / "posterior.csv").is_file() else []


def scale_of_kept(rows: Sequence[Mapping[str, Any]]) -> float:
    """Scale of the discrepancy of a calibration, given its facts; 0 without one."""
    return next((float(r["scale"]) for r in rows if r["view"] == "in_fit"), 0.0)
