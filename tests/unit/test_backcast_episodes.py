"""Episode files: what is read, and that what cannot be meant is refused with its reason."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lodestone.backcast.episodes import Episode, load_episode, locate_episodes
from lodestone.backcast.score import Replayed, evaluate_episode, judge
from lodestone.backcast.statistics import KINDS
from lodestone.border.errors import InputError
from lodestone.border.yamlfile import dump_yaml
from lodestone.cli import main

SCENARIO: dict[str, Any] = {
    "name": "short_ban",
    "question": "Is it read?",
    "start": "2024-01-01",
    "end": "2024-08-01",
    "interventions": {
        "ban": {
            "kind": "export_ban",
            "exporter": "china",
            "materials": "ndfeb_magnets",
            "start": "2024-03-01",
            "end": "2024-04-29",
        }
    },
}
FACT: dict[str, Any] = {
    "id": "may",
    "text": "exports after the ban",
    "series": {"metric": "exports_t", "material": "ndfeb_magnets", "origin": "china"},
    "statistic": {"kind": "index", "at": "2024-05", "base": ["2024-01", "2024-02"]},
    "observed": 100,
    "band": [80, 120],
    "source": "somewhere",
}
EPISODE: dict[str, Any] = {
    "name": "small",
    "scenario": "short_ban.yaml",
    "window": ["2024-01", "2024-07"],
    "facts": [FACT],
}


def write(folder: Path, episode: Any = EPISODE, scenario: Any = SCENARIO) -> Path:
    """Write an episode folder with its own scenario."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "short_ban.yaml").write_text(dump_yaml(scenario))
    text = episode if isinstance(episode, str) else dump_yaml(episode)
    (folder / "episode.yaml").write_text(text)
    return folder


def changed(path: str, value: Any) -> dict[str, Any]:
    """The episode with the value at a dotted place of its fact (or, with '/', of itself) changed."""
    out = copy.deepcopy(EPISODE)
    at: Any = out if path.startswith("/") else out["facts"][0]
    *heads, last = path.removeprefix("/").split(".")
    for head in heads:
        at = at[head]
    if value is KeyError:
        del at[last]
    else:
        at[last] = value
    return out


def test_a_folder_with_its_own_scenario_is_read(tmp_path):
    episode = load_episode(write(tmp_path / "own"))
    assert episode.scenario.name == "short_ban"
    assert episode.scenario.vintage == "2024"
    assert str(episode.scenario.end) == "2024-08-01"
    (fact,) = episode.facts
    assert (fact.low, fact.observed, fact.high) == (80, 100, 120)
    assert fact.unit == "index"
    assert not episode.remarks


def test_the_scenario_beside_the_file_wins_over_one_of_its_name(tmp_path):
    own = SCENARIO | {"name": "calm_2024", "reference": "none"}
    folder = write(tmp_path / "own", EPISODE | {"scenario": "calm_2024"})
    (folder / "calm_2024.yaml").write_text(dump_yaml(own))
    assert load_episode(folder).scenario.question == "Is it read?"
    assert load_episode(folder / "episode.yaml").name == "small"


BAD = {
    "unknown metric": ("series.metric", "export_t", ["series.metric", "exports_t"]),
    "no metric": ("series.metric", KeyError, ["series", "'metric' is missing"]),
    "unknown statistic": ("statistic.kind", "indx", ["statistic.kind", "'index'"]),
    "no statistic": ("statistic", KeyError, ["'statistic' is missing"]),
    "no kind": ("statistic.kind", KeyError, ["'kind' is missing"]),
    "no base": ("statistic.base", KeyError, ["index needs 'base'"]),
    "a key of another kind": ("statistic.over", "2024-05", ["statistic.over", "unknown key"]),
    "unknown selector": ("series.orign", "china", ["series.orign", "'origin'"]),
    "selector of another metric": ("series.sector", "wind", ["takes no selector 'sector'"]),
    "unknown material": ("series.material", "ndfeb_magnet", ["series.material", "ndfeb_magnets"]),
    "unknown region": ("series.origin", "chna", ["series.origin", "'china'"]),
    "unknown destination": ("series.destination", ["japan", "eropa"], ["destination", "'europe'"]),
    "unknown channel": ("series.channel", "gray", ["series.channel", "'grey'"]),
    "unknown case": ("series.case", "base", ["series.case"]),
    "unknown period": ("series.per", "months", ["series.per", "'month'"]),
    "empty selector": ("series.material", [], ["series.material", "is empty"]),
    "month outside the window": ("statistic.at", "2024-12", ["statistic.at", "outside the window"]),
    "month before the window": ("statistic.base", ["2023-12", "2024-01"], ["outside the window"]),
    "not a month": ("statistic.at", "2024-13", ["statistic.at", "YYYY-MM"]),
    "not a date": ("statistic.at", "spring", ["statistic.at", "YYYY-MM"]),
    "range backwards": ("statistic.base", ["2024-02", "2024-01"], ["before it begins"]),
    "range of three": ("statistic.base", ["2024-01", "2024-02", "2024-03"], ["[from, to]"]),
    "band upside down": ("band", [120, 80], ["band", "upside down"]),
    "band of one": ("band", [80], ["band", "[low, high]"]),
    "band open": ("band", [None, None], ["open on both sides"]),
    "band in words": ("band", ["low", "high"], ["band", "number"]),
    "nan": ("observed", float("nan"), ["observed", "nan"]),
    "nan in the band": ("band", [float("nan"), 120], ["band", "nan"]),
    "infinite": ("observed", float("inf"), ["observed", "finite"]),
    "observed in words": ("observed", "many", ["observed", "number"]),
    "no observed": ("observed", KeyError, ["'observed' is missing"]),
    "no band": ("band", KeyError, ["'band' is missing"]),
    "no id": ("id", KeyError, ["'id' is missing"]),
    "no series": ("series", KeyError, ["'series' is missing"]),
    "unknown key": ("obsreved", 3, ["obsreved", "'observed'"]),
    "unknown key above": ("/fcts", [], ["fcts", "'facts'"]),
    "no facts": ("/facts", KeyError, ["facts", "is missing"]),
    "facts by name": ("/facts", {"may": 1}, ["facts", "list"]),
    "no scenario": ("/scenario", KeyError, ["scenario", "is missing"]),
    "unknown scenario": ("/scenario", "licence_shock_april_205", ["licence_shock_april_2025"]),
    "no window": ("/window", KeyError, ["window", "is missing"]),
    "window of one": ("/window", "2024-01", ["window", "range"]),
    "duplicate id": ("/facts", [FACT, FACT], ["facts.1.id", "twice"]),
    "sum of prices": ("/facts", [FACT | {"series": {"metric": "price_home", "material": "dy_oxide"}, "statistic": {"kind": "sum", "over": "2024-05"}}], ["does not add up"]),
    "price of nothing": ("series", {"metric": "price_home"}, ["needs a material"]),
    "price of ore": ("series", {"metric": "price_home", "material": "concentrates"}, ["no price of its own"]),
    "production of nothing": ("series", {"metric": "production_t"}, ["needs a material"]),
    "unknown facility": ("series", {"metric": "production_t", "facility": "cn_bayan_oboo"}, ["series.facility", "Did you mean"]),
    "unknown element": ("series", {"metric": "use_t", "element": "nd"}, ["series.element"]),
    "nothing in common": ("series", {"metric": "use_t", "material": "dy_oxide", "element": "tb"}, ["nothing in common"]),
    "two thresholds": ("statistic", {"kind": "duration", "above": 1, "below": 2, "over": "2024-05"}, ["only one of"]),
    "both at and over": ("statistic", {"kind": "ratio", "at": "2024-05", "over": "2024-05", "against": FACT["series"]}, ["only one of"]),
    "bad series against": ("statistic", {"kind": "ratio", "at": "2024-05", "against": {"metric": "exprts_t"}}, ["statistic.against", "exports_t"]),
    "no points": ("/points", "observed.csv", ["points", "no such file"]),
    "scored maybe": ("scored", "maybe", ["scored", "true or false"]),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_meant_is_refused(what, tmp_path, capsys):
    path, value, words = BAD[what]
    folder = write(tmp_path / "bad", changed(path, value))
    assert main(["backcast", str(folder)]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert "Traceback" not in said.err
    assert "episode.yaml" in said.err
    for word in words:
        assert word in said.err, said.err


@pytest.mark.parametrize("text", ["facts: [", "- 1\n- 2\n", "name: a\nname: b\n", "\tname: x\n"])
def test_what_is_not_yaml_is_refused(text, tmp_path, capsys):
    assert main(["backcast", str(write(tmp_path / "bad", text))]) == 2
    assert "episode.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("panel,date,value\nmay,2024-05,1\n", ["source", "missing"]),
        ("panel,date,value,source\nmai,2024-05,1,x\n", [":2", "'may'"]),
        ("panel,date,value,source\nmay,May,1,x\n", [":2", "date"]),
        ("panel,date,value,source\nmay,2024-05,nan,x\n", [":2", "finite number"]),
    ],
)
def test_bad_points_are_refused(rows, words, tmp_path):
    folder = write(tmp_path / "bad", changed("/points", "observed.csv"))
    (folder / "observed.csv").write_text(rows)
    with pytest.raises(InputError) as error:
        load_episode(folder)
    assert all(w in str(error.value) for w in ["observed.csv", *words]), str(error.value)


def test_a_date_that_the_scenario_does_not_simulate_is_refused(tmp_path):
    short = SCENARIO | {"end": "2024-04-15"}
    with pytest.raises(InputError, match="is not simulated"):
        load_episode(write(tmp_path / "bad", EPISODE, short))


def test_a_scenario_without_reference_has_no_reference_case(tmp_path):
    alone = SCENARIO | {"reference": "none"}
    folder = write(tmp_path / "bad", changed("series.case", "reference"), alone)
    with pytest.raises(InputError, match="there is no reference"):
        load_episode(folder)


def test_unknown_episodes_and_folders_are_named(tmp_path, capsys):
    assert main(["backcast", "licensing_2052"]) == 2
    assert "licensing_2025" in capsys.readouterr().err
    assert main(["backcast", str(tmp_path)]) == 2
    assert "episode.yaml" in capsys.readouterr().err
    assert main(["backcast", str(write(tmp_path / "a")), str(write(tmp_path / "b"))]) == 2
    assert "two episodes are called 'small'" in capsys.readouterr().err


def test_a_folder_of_episodes_means_all_of_them(tmp_path):
    write(tmp_path / "b", EPISODE | {"name": "second"})
    write(tmp_path / "a", EPISODE | {"name": "first"})
    assert [load_episode(p).name for p in locate_episodes(str(tmp_path))] == ["first", "second"]


def test_an_observed_value_outside_its_band_is_remarked(tmp_path):
    episode = load_episode(write(tmp_path / "odd", changed("observed", 130)))
    (remark,) = episode.remarks
    assert "may" in remark and "outside its own band" in remark


def test_dates_may_be_observed_as_dates(tmp_path):
    episode = load_episode(
        write(
            tmp_path / "own",
            EPISODE
            | {
                "facts": [
                    FACT
                    | {
                        "statistic": {"kind": "first_date", "above": 1, "from": "2024-02", "per": "month"},
                        "observed": "2024-05",
                        "band": ["2024-04", "2024-06"],
                    }
                ]
            },
        )
    )  # fmt: skip
    (fact,) = episode.facts
    assert (fact.low, fact.observed, fact.high, fact.unit) == (2, 3, 4, "months")


def test_every_kind_of_statistic_says_its_unit_and_why_it_may_be_undefined():
    for name, kind in KINDS.items():
        assert kind.undefined, name
        assert kind.needs, name


def test_overrides_of_a_calibration_are_checked(tmp_path):
    episode = load_episode(write(tmp_path / "own"))
    with pytest.raises(InputError, match=r"market\.scarcity_elasticity"):
        evaluate_episode(episode, {"market.scarcity_elasticit": 0.4}, 2)
    with pytest.raises(InputError, match="finite"):
        evaluate_episode(episode, {"market.scarcity_elasticity": np.array([0.4, np.nan])}, 2)
    with pytest.raises(InputError, match="one value for all worlds"):
        evaluate_episode(episode, {"sector.wind.cover_weeks": np.array([4.0, 5.0])}, 2)


# ---- judging ----------------------------------------------------------------------------


def judged(episode: Episode, values: list[float]) -> Any:
    """The verdict on the only fact, given its value in every world."""
    (verdict,) = judge(episode, Replayed({"may": np.array(values)}, {}, {}))
    return verdict


@pytest.fixture
def small(tmp_path) -> Episode:
    return load_episode(write(tmp_path / "own"))


@pytest.mark.parametrize(
    ("values", "passed"),
    [([80.0, 80.0, 500.0], True), ([79.9], False), ([120.0], True), ([0.0, 100.0, 300.0], True)],
)
def test_the_median_world_decides_and_the_ends_of_a_band_belong_to_it(small, values, passed):
    verdict = judged(small, values)
    assert verdict.passed is passed
    assert verdict.row()["pass"] is passed


def test_worlds_without_a_value_are_left_out_and_named(small):
    verdict = judged(small, [100.0, 101.0, 102.0, np.nan])
    assert verdict.passed is True and verdict.p50 == 101.0
    assert "1 of 4 worlds" in verdict.reason


@pytest.mark.parametrize("values", [[np.nan] * 3, [100.0, np.nan], [100.0, np.inf, np.inf]])
def test_what_most_worlds_do_not_define_is_not_evaluable(small, values):
    verdict = judged(small, values)
    row = verdict.row()
    assert verdict.status == "not_evaluable" and row["pass"] is None and row["reason"]
    assert row["simulated_p50"] is None


def test_dates_that_seldom_fail_to_come_are_the_latest_there_are(small):
    verdict = judged(small, [90.0, 100.0, 110.0, np.inf, 95.0])
    assert verdict.passed is True and verdict.p50 == 100.0
    assert verdict.row()["simulated_p95"] is None


def test_an_open_band_has_no_end_on_that_side(tmp_path):
    episode = load_episode(write(tmp_path / "own", changed("band", [None, 120])))
    assert judged(episode, [-1e9]).passed is True
    assert judged(episode, [-1e9]).row()["band"] == [None, 120]


def test_a_share_may_be_stated_in_per_cent_and_days_in_weeks(tmp_path):
    fact = FACT | {
        "series": {"metric": "cover_days"},
        "statistic": {"kind": "value", "at": "2024-02"},
        "unit": "weeks",
    }
    (read,) = load_episode(write(tmp_path / "a", EPISODE | {"facts": [fact]})).facts
    assert read.factor == pytest.approx(1 / 7)
    fact |= {"series": {"metric": "unmet_share"}, "unit": "%"}
    (read,) = load_episode(write(tmp_path / "b", EPISODE | {"facts": [fact]})).facts
    assert read.factor == 100.0
