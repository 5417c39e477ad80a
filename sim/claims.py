"""The register of press claims: the stored verdicts, and how they are made anew.

`seeds/claims.csv` holds what the press says and how it is tested, `seeds/claims_verdicts.csv` what
came of it when the table was last made on purpose (`lodestone claims --refresh`).
"""

from __future__ import annotations

import csv
import math
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError
from lodestone.border.expressions import parse_metric
from lodestone.border.paths import seeds_root
from lodestone.border.words import suggestion
from lodestone.chain.load import load_chain
from lodestone.outputs.claims import COLUMNS, against_data, untested

if TYPE_CHECKING:
    from lodestone.runs.settings import Settings
    from lodestone.scenario import Scenario

__all__ = ["check_claims", "judged_by_data", "read_rows", "refresh", "run_rows", "stored_rows"]

STORED = "claims_verdicts.csv"
#: Words of the stored table stand once, in the register.
KEPT = tuple(c for c in COLUMNS if c not in ("statement", "grade"))


def stored_rows() -> list[dict[str, Any]]:
    """Return the stored table in the order of the register; nothing is simulated.

    Raises
    ------
    InputError
        The table is missing, or its claims are not those of the register.
    """
    path = seeds_root() / STORED
    hint = "Make it anew with 'lodestone claims --refresh'."
    if not path.is_file():
        raise InputError("the file is missing", file=path, hint=hint)
    held = {row["claim"]: row for row in read_rows(path)}
    register = load_chain().claims
    missing = [name for name in register if name not in held]
    if missing or len(held) != len(register):
        what = f"it lacks {missing[0]}" if missing else "it holds claims that are none"
        raise InputError(f"the table does not fit claims.csv: {what}", file=path, hint=hint)
    return [
        {"claim": name, "statement": item.statement, "grade": item.grade} | held[name]
        for name, item in register.items()
    ]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read a table of verdicts: numbers as numbers, blanks as None."""
    with path.open(encoding="utf-8", newline="") as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    numbers = COLUMNS[COLUMNS.index("claimed_low") : -1]
    for row in rows:
        for name in numbers:
            row[name] = float(row[name]) if row.get(name) else None
    return rows


def check_claims(vintage: str = "2024") -> None:
    """Refuse a register whose tests ask for a metric or a scenario that does not exist.

    Raises
    ------
    InputError
        Names file, claim and the nearest known word.
    """
    from lodestone.outputs.metrics import METRICS
    from lodestone.scenario import find_scenarios

    scenarios = find_scenarios()
    file = seeds_root() / "claims.csv"
    for item in load_chain(vintage).claims.values():
        if item.test != "run":
            continue
        if item.scenario not in scenarios:
            hint = suggestion(item.scenario, scenarios)
            raise InputError(
                f"unknown scenario '{item.scenario}'", file=file, key=item.name, hint=hint
            )
        metric = parse_metric(item.expression)
        if metric.name not in METRICS:
            hint = suggestion(metric.name, METRICS)
            raise InputError(f"unknown metric '{metric.name}'", file=file, key=item.name, hint=hint)
        code = METRICS[metric.name].function.__code__
        known = code.co_varnames[1 : code.co_argcount]
        for key, _ in metric.selectors:
            if key not in known:
                hint = suggestion(key, known)
                raise InputError(f"unknown selector '{key}'", file=file, key=item.name, hint=hint)


def judged_by_data() -> list[dict[str, Any]]:
    """Return the rows of all claims that need no run: facts of the seeds, and the untestable."""
    chain = load_chain()
    return [
        against_data(item, chain) if item.test == "data" else untested(item)
        for item in chain.claims.values()
        if item.test != "run"
    ]


def run_rows(
    scenario: Scenario, settings: Settings, progress: Any = None
) -> tuple[Path, list[dict[str, Any]]]:
    """Return the claim check of a scenario's run, from a finished run if there is one.

    A finished run counts if scenario, reference, settings, seeds and code are the same.
    """
    from lodestone.runs.folders import finished_folder
    from lodestone.runs.simulate import simulate

    folder = finished_folder(scenario, settings)
    if folder is None:
        folder = simulate(scenario, settings, progress=progress)
    return folder, read_rows(folder / "claims.csv")


def refresh(settings: Settings, progress: Callable[[str], Any] | None = None) -> Path:
    """Run every scenario that a claim names and write the stored table.

    Parameters
    ----------
    settings
        Worlds, seed and workers; where to write runs is not asked, they are thrown away.
    progress
        Told the name of each scenario, returns a progress for its worlds.

    Returns
    -------
    Path
        The table.
    """
    from lodestone.border.files import csv_text, save_text
    from lodestone.runs.simulate import simulate
    from lodestone.scenario import load_scenario

    check_claims()
    chain = load_chain()
    rows = {row["claim"]: row for row in judged_by_data()}
    names = dict.fromkeys(c.scenario for c in chain.claims.values() if c.test == "run")
    with tempfile.TemporaryDirectory(prefix="lodestone-claims-") as top:
        for name in names:
            own = replace(settings, out=Path(top) / name, report_formats=())
            folder = simulate(
                load_scenario(name), own, progress=progress(name) if progress else None
            )
            for row in read_rows(folder / "claims.csv"):
                if chain.claims[row["claim"]].scenario == name:
                    rows[row["claim"]] = row
    path = seeds_root() / STORED
    table = ([_cell(rows[name][column]) for column in KEPT] for name in chain.claims)
    save_text(path, csv_text(KEPT, table))
    return path


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.8g}" if isinstance(value, float) else str(value)


def tally(rows: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Count the verdicts."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
    return counts
