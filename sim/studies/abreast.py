"""Points that differ in numbers of measures are run side by side, as worlds of one batch.

A market day costs much the same for eight worlds as for eighty. So the worlds of several points
stand in one batch, each point's numbers in its own columns, and are cut apart afterwards. A world
has the same bytes in any company, and draws are those of its number, so nothing but time depends
on it.

What may differ are numbers of measures and of behaviour. Each that does is replaced by one that can
only be drawn (`Abreast`); whoever reads it otherwise refuses it, its key is remembered, and points
that differ in it stand apart from then on. So do points in which it is nought or one and in which it
is not (a measure that does nothing is stepped over), and those that differ in a few numbers of
behaviour (`ALONE`) or in one that the worlds of one draw and those of another do not. On which days
measures are announced and in force may differ: what a measure leaves behind is asked of each world.
Run alone are points that watch for what starts a measure, and each point where anything else goes
wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.abreast import Abreast, NotAbreast
from lodestone.border.numbers import Distribution
from lodestone.chain.overrides import ONE_FOR_ALL
from lodestone.interventions.fields import declared
from lodestone.interventions.triggers import Trigger
from lodestone.studies.bench import WRONG, Bench
from lodestone.studies.evaluate import Running, start_task

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun
    from lodestone.interventions.base import Intervention
    from lodestone.runs.compiled import Compiled
    from lodestone.scenario import Scenario
    from lodestone.studies.task import Task

__all__ = ["columns_of", "start_tasks"]

#: Columns of a batch at most, and columns times market days: some 250 MB.
COLUMNS, TOGETHER = 128, 32_768
#: Numbers at which a measure may do nothing at all, so that none of it is looked at.
NOTHING = (0.0, 1.0)
#: Numbers of behaviour in which points stand apart: one for all worlds, by which the law of price is
#: laid out; and growth, whose sums over uses round otherwise where it is the same in all worlds.
ALONE = (*ONE_FOR_ALL, "demand.growth_outlook", "demand.growth_scale", "demand.fade_years")
#: Keys of numbers that somebody reads otherwise than by drawing them: found as studies run.
_apart: set[str] = set()


def columns_of(worlds: int, days: float, points: int) -> int:
    """Columns of a batch in which so many points of so many worlds and market days stand."""
    wide = max(worlds, 2)
    most = min(COLUMNS, int(TOGETHER / max(days, 1.0)))
    return wide * max(min(most // wide, points), 1)


def start_tasks(tasks: Sequence[Task], bench: Bench) -> list[Running]:
    """Run the worlds of some tasks, side by side where they can be; metrics are left to the bench."""
    found: dict[int, Running] = {}
    for numbers in _together(tasks):
        own = [tasks[n] for n in numbers]
        found |= zip(numbers, _start(own, bench), strict=True)
    return [found[n] for n in range(len(tasks))]


def _start(tasks: Sequence[Task], bench: Bench) -> list[Running]:
    """Run tasks as one batch; where that fails, by what they do not differ in, or one by one."""
    if len(tasks) > 1:
        try:
            return _abreast(tasks, bench)
        except NotAbreast as error:
            if error.key and error.key not in _apart:
                _apart.add(error.key)
                return start_tasks(tasks, bench)
        except Exception:  # whatever it is, it is told of the point that has it
            pass
    return [start_task(task, bench) for task in tasks]


# --------------------------------------------------------------------------- which ones


def _together(tasks: Sequence[Task]) -> list[list[int]]:
    """Numbers of the tasks that are run as one batch, in the order of the first of each."""
    alike: dict[Any, list[int]] = {}
    for number, task in enumerate(tasks):
        alike.setdefault(_form(task) or number, []).append(number)
    out = []
    for numbers in alike.values():
        first = tasks[numbers[0]]
        worlds = max(first.settings.worlds, 2)
        days = first.settings.days_of(first.scenario.start, first.scenario.end)
        each = columns_of(worlds, days, len(numbers)) // worlds
        out += [list(map(int, p)) for p in np.array_split(numbers, -(-len(numbers) // each))]
    return out


def _form(task: Task) -> tuple[Any, ...] | None:
    """All that decides how a task is run but the numbers that may differ; None: it is run alone."""
    from lodestone.runs.compiled import compile_scenario

    if len(task.shocks) > 1 or task.piece != (0, 1) or len(task.batches()) > 1:
        return None
    try:
        ground = compile_scenario(task.scenario, task.settings).ground
    except WRONG:
        return None
    s = task.scenario
    if any(isinstance(value, np.ndarray) for value in s.overrides.values()):
        return None
    drawn = {*ground.base.parameters} - {*ALONE}
    triggers = [item.triggered_by for item in s.interventions.values()]
    if any(isinstance(trigger, Trigger) and trigger.watches for trigger in triggers):
        return None
    return (
        bool(task.shocks), task.asked, repr(task.settings), s.vintage, s.start, s.end,
        id(ground.layout),
        tuple(
            (k, _number_form(f"overrides.{k}", v) if k in drawn else repr(v))
            for k, v in sorted(s.overrides.items())
        ),
        tuple((name, _item_form(s.interventions[name])) for name in sorted(s.interventions)),
    )  # fmt: skip


def _item_form(item: Intervention) -> tuple[Any, ...]:
    """A measure without the numbers that may differ."""
    told = declared(type(item))
    return tuple(
        (key, _number_form(f"{item.kind}.{key}", value) if told[key].unit else repr(value))
        for key, value in item
    )


def _number_form(key: str, value: Any) -> Any:
    """A number, or numbers by date or place, without what may differ."""
    if key in _apart:
        return repr(value)
    if isinstance(value, Mapping):
        return tuple((repr(k), _number_form(key, v)) for k, v in value.items())
    if isinstance(value, Distribution):
        return repr(value) if value.dates else "drawn"
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if plain and value not in NOTHING else repr(value)


# --------------------------------------------------------------------------- as one


def _scenario(each: Sequence[Scenario], wide: int) -> Scenario:
    """Scenarios of one form as one, whose numbers that differ are each point's in its columns."""
    first = each[0]
    items = {
        name: item.model_copy(
            update={
                key: _one(f"{item.kind}.{key}", [getattr(s.interventions[name], key) for s in each], wide)
                for key, told in declared(type(item)).items()
                if told.unit
            }
        )
        for name, item in first.interventions.items()
    }  # fmt: skip
    overrides = {
        key: _one(f"overrides.{key}", [s.overrides[key] for s in each], wide)
        for key in first.overrides
    }
    return replace(first, interventions=items, overrides=overrides)


def _one(key: str, values: Sequence[Any], wide: int) -> Any:
    """Values of several points as one: itself where all are the same."""
    first = values[0]
    if len({repr(value) for value in values}) == 1:
        return first
    if isinstance(first, Mapping):
        return {k: _one(key, [value[k] for value in values], wide) for k in first}
    return Abreast(key, tuple(values), wide)


def _abreast(tasks: Sequence[Task], bench: Bench) -> list[Running]:
    """Run tasks of one form as one batch.

    Raises
    ------
    NotAbreast
        A number that differs is read by something that all worlds share.
    """
    from lodestone.runs.compiled import compile_scenario

    first = tasks[0]
    each = [compile_scenario(task.scenario, task.settings) for task in tasks]
    own = np.resize(first.batches()[0], max(first.settings.worlds, 2))
    both = each[0].with_(_scenario([task.scenario for task in tasks], len(own)))
    if any(case.ground.layout is not both.ground.layout for case in each):
        raise NotAbreast("", "they stand on other ground")
    shocks = _shocks(tasks, each, own)
    batches = bench.record_abreast(tasks, both, np.tile(own, len(tasks)), shocks)
    points = zip(tasks, batches, strict=True)
    return [Running(t.key, [b], None if t.shocks else b.shock) for t, b in points]


def _shocks(
    tasks: Sequence[Task], each: Sequence[Compiled], own: np.ndarray
) -> Callable[[BatchRun], np.ndarray]:
    """Day of the first disruption in each column, of each task as it would find it alone."""
    from lodestone.runs.compiled import shock_days

    def days(run: BatchRun) -> np.ndarray:
        found = [
            np.resize(task.shocks[0], len(own))
            if task.shocks
            else shock_days(case, task.reference, own, run, k * len(own))
            for k, (task, case) in enumerate(zip(tasks, each, strict=True))
        ]
        return np.concatenate(found)

    return days
