"""Predictions are read as facts are, and refused where they could not be scored."""

from __future__ import annotations

import pytest

from lodestone.border.errors import InputError
from lodestone.border.paths import seeds_root
from lodestone.border.yamlfile import dump_yaml, read_yaml
from lodestone.calibration.predictions import read_predictions


def test_the_six_can_be_decided():
    episode, found = read_predictions()
    assert [p.fact.id for p in found] == ["P1", "P2", "P3", "P4", "P5", "P6"]
    assert episode.scenario.name == "current_law"
    for item in found:
        assert item.by and item.void and len(item.resolved) == 10
        last = max(k.last for k in item.fact.keys.values() if hasattr(k, "last"))
        assert episode.scenario.end.toordinal() >= last
        # Nothing is foretold that was over when the page was made.
        assert item.resolved >= "2027-01-01"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"void": None}, "'void' is missing"),
        ({"observed": 3}, "unknown key"),
        ({"series": {"metric": "exports", "material": "ndfeb_magnets"}}, "exports_t"),
    ],
)
def test_what_cannot_be_scored_is_refused(tmp_path, change, says):
    data = read_yaml(seeds_root() / "predictions.yaml").data
    data["predictions"][0] |= change
    data["predictions"][0] = {k: v for k, v in data["predictions"][0].items() if v is not None}
    path = tmp_path / "predictions.yaml"
    path.write_text(dump_yaml(data))
    with pytest.raises(InputError) as error:
        read_predictions(path)
    assert says in f"{error.value} {error.value.hint}"
