"""The posterior: the pooled members after the last assimilation, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lodestone.calibration.plan import Ensemble, fitted_parameters
from lodestone.calibration.priors import to_values

__all__ = ["parameter_rows", "posterior_text", "posterior_values", "pool"]

#: Share of the prior's spread (in normal scores) below which a parameter is called pinned, and
#: above which free.
PINNED, FREE = 0.5, 0.85


def pool(ensembles: Sequence[Ensemble]) -> Ensemble:
    """The members of several ensembles as one; a parameter counts as moved where any moved it."""
    first = ensembles[0]
    return Ensemble(
        first.names,
        np.any([e.moved for e in ensembles], axis=0),
        np.concatenate([e.scores for e in ensembles], axis=1),
        np.concatenate([e.worlds for e in ensembles]),
        np.concatenate([e.predicted for e in ensembles]),
    )


def posterior_values(ensemble: Ensemble) -> dict[str, np.ndarray]:
    """Moved parameter -> its value in every member, shape (n,)."""
    items = [p for p in fitted_parameters() if p.name in ensemble.names]
    rows = dict(zip(ensemble.names, ensemble.scores, strict=True))
    moved = dict(zip(ensemble.names, ensemble.moved, strict=True))
    kept = [p for p in items if moved[p.name]]
    return to_values(kept, np.array([rows[p.name] for p in kept]).reshape(len(kept), -1))


def posterior_text(ensemble: Ensemble) -> str:
    """The posterior as the CSV that ``load_chain`` reads: a column a parameter, a row a member."""
    values = posterior_values(ensemble)
    rows = np.stack(list(values.values()), axis=1)
    lines = [",".join(values), *(",".join(f"{x:.6g}" for x in row) for row in rows)]
    return "\n".join(lines) + "\n"


def parameter_rows(ensemble: Ensemble) -> list[dict[str, Any]]:
    """What history says of each parameter.

    Returns
    -------
    list of dict
        ``parameter, range, p05, p50, p95, spread, shift, verdict``; ``spread`` is the standard
        deviation as a share of the prior's and ``shift`` the mean in the prior's standard
        deviations, both in normal scores; ``verdict`` is ``pinned``, ``narrowed``, ``free`` (moved
        little) or ``not seen`` (keeps its prior).
    """
    known = {p.name: p for p in fitted_parameters()}
    items = [known[name] for name in ensemble.names]
    values = to_values(items, ensemble.scores)
    out = []
    for item, row, moved in zip(items, ensemble.scores, ensemble.moved, strict=True):
        low, middle, high = np.quantile(values[item.name], (0.05, 0.5, 0.95))
        spread = float(row.std())
        word = "pinned" if spread < PINNED else "narrowed" if spread < FREE else "free"
        out.append(
            {
                "parameter": item.name,
                "range": f"{item.low:g}..{item.high:g}",
                "p05": f"{low:.4g}",
                "p50": f"{middle:.4g}",
                "p95": f"{high:.4g}",
                "spread": f"{spread:.2f}",
                "shift": f"{float(row.mean()):+.2f}",
                "verdict": word if moved else "not seen",
            }
        )
    return out
