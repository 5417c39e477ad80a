"""What is frozen: every array at the end of three short runs, and every table of their folders.

Three scenarios on two vintages, eight worlds each. A name maps to a hash of all its bytes and to a
mean, so that a change can say which numbers moved and about how far.
"""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pandas as pd

from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.runs.settings import Settings
from lodestone.runs.simulate import simulate
from lodestone.scenario import Scenario, load_scenario

FROZEN = Path(__file__).with_name("frozen.json")
WORLDS = 8
#: Scenario -> its last day here: each covers what it is about, in a year and a half or two.
CASES = {
    "licence_shock_april_2025": "2025-08-04",
    "quota_2010": "2011-01-10",
    "mp_deal_2025": "2026-03-02",
}
#: Tables of words that a new row of `seeds/assumptions.csv` or `bibliography.csv` may change.
WORDS = ("assumptions.csv", "sources.csv")

Entry = dict[str, Any]


def scenario(name: str) -> Scenario:
    """A scenario cut to the window that is frozen."""
    return load_scenario(name, overrides={"end": CASES[name]})


def state_of(run: BatchRun) -> dict[str, np.ndarray]:
    """Everything that changed in a run, by name: state, ledger, what was sold and used last."""
    state, ledger = run.day.state, run.day.ledger
    held = {f"state/{name}": value for name, value in state.arrays().items()}
    held |= {f"ledger/{n}": getattr(ledger, n) for n in ("stock", "mined", "recovered", "used")}
    held |= {f"flows/{name}": value for name, value in run.day.flows.items()}
    return {name: value for name, value in held.items() if isinstance(value, np.ndarray)}


def frozen_array(values: np.ndarray) -> Entry:
    """Hash of the bytes of an array (nothing is nothing, whatever its sign), and its finite mean."""
    values = np.ascontiguousarray(values)
    values = values + 0.0 if values.dtype.kind == "f" else values
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    digest = hashlib.sha256(repr(values.shape).encode() + values.tobytes()).hexdigest()[:16]
    return {"hash": digest, "mean": float(finite.mean()) if finite.size else 0.0}


def frozen_table(table: pd.DataFrame) -> Entry:
    """Hash of a table as text with all digits, and the mean over its finite numbers."""
    text = table.to_csv(index=False, float_format="%.17g")
    numbers = table.select_dtypes("number").to_numpy(dtype=float)
    numbers = numbers[np.isfinite(numbers)]
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return {"hash": digest, "mean": float(numbers.mean()) if numbers.size else 0.0}


def tables_of(folder: Path) -> dict[str, Entry]:
    """Every table of a run folder."""
    out = {}
    for path in sorted(folder.iterdir()):
        if path.name in WORDS:
            continue
        if path.suffix == ".csv":
            out[f"table/{path.name}"] = frozen_table(pd.read_csv(path))
        elif path.suffix == ".parquet":
            out[f"table/{path.name}"] = frozen_table(pd.read_parquet(path))
    return out


def measure(name: str, folder: Path) -> dict[str, Entry]:
    """Run a case and say what came out: name -> hash and mean."""
    given = scenario(name)
    run = BatchRun(given, load_chain(given.vintage), seed=0, worlds=np.arange(WORLDS))
    run.run()
    found = {key: frozen_array(values) for key, values in sorted(state_of(run).items())}
    settings = replace(Settings(), worlds=WORLDS, workers=1, report_formats=(), out=folder / name)
    return found | tables_of(simulate(given, settings))


def arithmetic() -> str:
    """What the last digit hangs on beside the code: libraries and the machine's own functions."""
    x = np.linspace(0.01, 3.0, 997)
    probe = b"".join(f(x).tobytes() for f in (np.exp, np.log, np.tanh, np.log1p))
    kept = hashlib.sha256(probe + (x**0.37).tobytes()).hexdigest()[:12]
    return f"numpy {np.__version__}, numba {numba.__version__}, {platform.machine()}, {kept}"


def moved(frozen: dict[str, Entry], found: dict[str, Entry], exact: bool) -> list[str]:
    """Which entries differ, in words; without ``exact`` only means are held against each other."""
    out = []
    for name in sorted(set(frozen) | set(found)):
        if name not in found:
            out.append(f"{name}: gone")
        elif name not in frozen:
            out.append(f"{name}: new")
        else:
            old, new = frozen[name], found[name]
            near = np.isclose(old["mean"], new["mean"], rtol=1e-6, atol=1e-12)
            if (old["hash"] != new["hash"]) if exact else not near:
                out.append(f"{name}: mean {old['mean']:.9g} -> {new['mean']:.9g}")
    return out


def load() -> dict[str, Any]:
    """The frozen past."""
    return dict(json.loads(FROZEN.read_text(encoding="utf-8")))


def save(found: dict[str, dict[str, Entry]]) -> None:
    """Freeze what came out now."""
    text = json.dumps({"arithmetic": arithmetic(), "cases": found}, indent=1, sort_keys=True)
    FROZEN.write_text(text + "\n", encoding="utf-8")
