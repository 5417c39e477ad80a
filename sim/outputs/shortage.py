"""What goes missing: one definition for metrics, tables and the facts of history."""

from __future__ import annotations

import numpy as np


def shortfall(
    planned: np.ndarray, wanted: np.ndarray, unmet: np.ndarray, late: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Planned use that does not happen for lack of goods, and use put off that is made up.

    What is wanted in a week is the use of that week and a part of what was put off before; what
    lacks falls on both alike. Use put off was counted as missing when it was due, so it is not
    counted again where it lacks once more.

    Parameters
    ----------
    planned, wanted, unmet, late : ndarray, shape (u, w)
        Planned use; what is wanted, with what was put off; what of it lacks; what was put off and is
        due now, t.

    Returns
    -------
    missing, made_up : ndarray, shape (u, w)
        t; ``missing`` is at most what is planned.
    """
    share = np.minimum(unmet / np.maximum(wanted, 1e-300), 1.0)
    return np.minimum(share * (wanted - late), planned), late * (1.0 - share)
