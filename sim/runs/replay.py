"""One world told day by day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np

from lodestone.outputs.replay import Replay
from lodestone.runs.compiled import compile_scenario
from lodestone.runs.settings import Settings
from lodestone.scenario import Scenario


def replay(
    scenario: Scenario,
    world: int,
    first: date | None,
    last: date | None,
    settings: Settings,
) -> Iterator[str]:
    """One world, tick by tick: the rules in force and the flows, prices and stocks by name.

    Yields
    ------
    str
        Lines of text.
    """
    run = compile_scenario(scenario, settings).batch(np.array([world]))
    teller = Replay(run, first or scenario.start, last or scenario.end)
    run.watchers.append(teller)
    yield from teller.head()
    run.run()
    yield from teller.lines
