"""What is dug, separated, made and recycled, and what plants could make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lodestone.outputs.series import rows
from lodestone.outputs.series.asked import FORM_OF, Asked
from lodestone.outputs.series.sums import Absent, Look, Rows, Sum
from lodestone.outputs.series.vocabulary import series

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun


@series(
    "t", "flow", ("material", "element", "stage", "region", "facility"), "all",
    of_element="oxides",  # an element is produced when its oxide is separated
)  # fmt: skip
def production_t(asked: Asked) -> Look:
    """Output in the basis of its stage; oxides are primary and recycled unless a stage says which."""
    if asked.get("facility") is not None:
        return _by_facility(asked)
    lay, stages = asked.lay, set(asked.get("stage") or ())
    out = asked.sum()
    if not stages or "mine" in stages:
        out.add(_dug(asked), _mines(asked))
    made = asked.made("region")
    cell = asked.counted[lay.cells.material] * made[lay.cells.material, lay.cells.region]
    oxide = np.zeros_like(cell)
    if stages and not {"separation", "recycling"} <= stages:
        # Only one source of oxide is asked for: what separators make of each element, or the rest.
        oxide = np.where(np.array(lay.form)[lay.cells.material] == "oxide", cell, 0.0)
        cell = cell - oxide
    out.add(rows.output, cell)
    if np.any(oxide) and stages & {"separation", "recycling"}:
        split = _separated(asked, made)
        if "separation" in stages:
            out.terms.append((split, np.zeros(1, dtype=int), np.ones((1, 1))))
        else:
            whole = Sum(asked.worlds).add(rows.output, oxide)
            out.terms.append((_rest(whole, split), np.zeros(1, dtype=int), np.ones((1, 1))))
    return out.some(f"nobody in the chain makes {asked.told()}")


def _mines(asked: Asked) -> np.ndarray:
    """Share of each mine that is meant, shape (mines,)."""
    ore, names = asked.lay.ore, asked.goods
    pool = np.array([1.0 if m in names else 0.0 for m, _ in ore.pools])
    mines = np.repeat(pool[ore.by_pool.ids], np.diff([*ore.by_pool.starts, len(ore.mines)]))
    return mines * asked.holds()[ore.mines]


def _dug(asked: Asked) -> Rows:
    """What mines dig, of an element what their ore holds of it, t contained oxide."""
    if asked.get("element") is None:
        return rows.dug
    part = (asked.lay.ore.mix[:, :, 0] * asked.in_ore).sum(axis=1)[:, None]
    return lambda run, mines: rows.dug(run, mines) * part[mines]


def _separated(asked: Asked, made: np.ndarray) -> Rows:
    """What separators make of the elements whose oxides count, t, one row."""
    lay = asked.lay
    places = lay.separation.regions
    weight = np.zeros((len(places), len(lay.elements)))
    for e, name in enumerate(lay.elements):
        row = lay.material_at.get(lay.names.oxide(name), -1)
        if row >= 0:
            weight[:, e] = asked.counted[row] * made[row, places]
    weight = np.where(lay.separation.oxide_cell[places] >= 0, weight, 0.0)

    def read(run: BatchRun, _: np.ndarray) -> np.ndarray:
        return (run.day.flows.separated * weight[:, :, None]).sum(axis=(0, 1))[None]

    return read


def _rest(whole: Sum, part: Rows) -> Rows:
    """What is left of a sum beside a part of it, t, one row."""
    return lambda run, row: np.maximum(whole.of(run)[None] - part(run, row), 0.0)


def _by_facility(asked: Asked) -> Look:
    lay, names = asked.lay, asked.get("facility") or ()
    at = [lay.plants.at[n] for n in names if n in lay.plants.at]
    if not at:
        raise Absent(
            f"{', '.join(names)}: not modelled in this vintage (cancelled, closed or part of another row)"
        )
    goods, elements = asked.goods, asked.get("element")
    if elements is not None and asked.get("material") is None:
        # A plant is asked for by name: whatever it makes of the element counts.
        known = lay.chain.materials.items()
        goods = [m for m, item in known if item.element is None or item.element in elements]
    counted = np.where([m in goods for m in lay.materials], asked.contained, 0.0)
    stages, out = asked.get("stage"), asked.sum()
    for row in at:
        f = lay.plants.rows[row]
        if stages is not None and f.stage not in stages:
            continue
        if f.stage == "mine":
            if f.material in goods:
                mine = lay.ore.mines == row
                out.add(_dug(asked), mine.astype(float))
            continue
        form = FORM_OF[f.stage]
        made = [m for m in goods if m in lay.material_at and lay.chain.materials[m].form == form]
        able = {"metal": lay.names.metals_of(f), "magnet": lay.names.magnets_of(f)}.get(
            f.stage, made
        )
        for m in made:
            if m in able:
                k = lay.material_at[m]
                weight = np.where(np.arange(len(lay.materials)) == k, counted, 0.0)
                out.add(_made_by(row), weight)
    return out.some(f"{', '.join(names)}: no output of {asked.told()} that the chain keeps apart")


def _made_by(plant: int) -> Rows:
    """What a plant makes of each material, t."""
    at = np.array([plant])
    return lambda run, goods: np.stack([run.day.facility_output(at, int(m)) for m in goods])


@series("t a year", "level", ("stage", "region", "facility"), "all")
def able_t(asked: Asked) -> Look:
    """What plants that stand and run could make in a year, t of their own basis."""
    stages, names = asked.get("stage"), asked.get("facility")
    weight = asked.holds() * np.array(
        [
            (stages is None or f.stage in stages) and (names is None or f.name in names)
            for f in asked.lay.plants.rows
        ]
    )
    return asked.sum().add(rows.able, weight).some(f"no plant in the chain is {asked.told()}")


@series("t REO", "level", ("element", "region"), "concentrates")
def ore_at_mines_t(asked: Asked) -> Look:
    """Ore that lies at mines."""
    out = asked.sum().add(rows.ore_at_mines(asked.in_ore), asked.pools())
    return out.some(f"nobody in the chain digs {asked.told()}")
