"""The commands as typed: what they print, and their exit status."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lodestone.border.errors import InputError, ModelError
from lodestone.border.yamlfile import parse_yaml
from lodestone.cli import commands, main
from lodestone.runs.compose import compose_settings
from lodestone.runs.settings import SETTINGS, Settings

SHOCK = "licence_shock_april_2025"
PLACE = f"scenario.interventions.{'april_2025_licences'}"
SUMMARY = (
    "metric,region,sector,element,unit,mean,p05,p50,p95,reference_p50,delta_p50,delta_p05,delta_p95\n"
    "unmet_t,all,all,all,t_magnet,1.23456,1,2,3,0,2,1,3\n"
    "unmet_t,japan,all,all,t_magnet,9,9,9,9,9,9,9,9\n"
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LODESTONE_SCENARIOS", raising=False)
    return tmp_path


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list:
    """Put a recorder in the place of the simulation: these tests are about the words."""
    calls: list = []

    def simulate(scenario, settings, progress=None, executor=None):
        assert executor is None
        calls.append((scenario, settings))
        for done in range(1, settings.worlds + 1):
            progress(done, settings.worlds, scenario.name)
        folder = tmp_path / "results" / f"{scenario.name}_{len(calls)}"
        folder.mkdir(parents=True)
        (folder / "summary.csv").write_text(SUMMARY)
        return folder

    def replay(scenario, world, first, last, settings):
        return [f"{scenario.name} {world} {first} {last} {settings.seed}"]

    monkeypatch.setattr("lodestone.runs.simulate.simulate", simulate)
    monkeypatch.setattr("lodestone.runs.replay.replay", replay)
    return calls


def run(*words: str) -> int:
    """Type a command; a run writes no report here."""
    more = ["report=none"] if words[0] == "run" else []
    return main([words[0], *more, *words[1:]])


# ------------------------------------------------------------------------------- help


def test_help_names_every_command(capsys):
    assert main([]) == 0
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for verb in ("list", "show", "init", "run", "replay", "check", "sources", "report"):
        assert f"  {verb} " in text


@pytest.mark.parametrize("verb", sorted(commands()))
def test_help_of_a_command_has_an_example(verb, capsys):
    for words in ([verb, "--help"], ["help", verb]):
        assert main(words) == 0
        assert f"  lodestone {verb}" in capsys.readouterr().out


def test_help_of_run_shows_every_useful_setting_with_default_and_unit(capsys):
    main(["run", "--help"])
    text = capsys.readouterr().out
    for key, item in SETTINGS.items():
        if item.useful:
            assert f"  {key}=" in text
    assert "ensemble.worlds=200" in text
    assert "clock.market_days=7" in text
    assert "days" in text


def test_the_defaults_of_the_configuration_are_those_of_the_settings():
    assert compose_settings() == Settings()
    assert compose_settings({"ensemble": "quick"}).worlds == 20
    assert compose_settings({"report": "none"}).report_formats == ()


# ------------------------------------------------------------------------------- list, show, init


@pytest.mark.parametrize(
    ("category", "word"),
    [
        ("scenarios", SHOCK),
        ("overlays", "defence_first"),
        ("interventions", "export"),
        ("parameters", "market.contract_share"),
        ("regions", "japan"),
        ("materials", "ndfeb_magnets"),
        ("sectors", "ev_traction"),
        ("facilities", "us_vulcan"),
        ("blocs", "quad"),
        ("vintages", "2024"),
    ],
)
def test_list_prints_a_line_each_and_filters(category, word, capsys):
    assert main(["list", category]) == 0
    everything = capsys.readouterr().out.splitlines()
    assert main(["list", category, word.upper()]) == 0
    some = capsys.readouterr().out.splitlines()
    assert any(line.startswith(word) for line in some)
    assert 2 <= len(some) <= len(everything)
    assert main(["list", category, word, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == len(some) - 1


def test_list_of_scenarios_gives_the_question_and_of_parameters_range_and_source(capsys):
    main(["list", "scenarios", SHOCK])
    assert "How many days after licensing starts" in capsys.readouterr().out
    main(["list", "parameters", "market.contract_share", "--json"])
    (row,) = json.loads(capsys.readouterr().out)
    assert row["unit"] == "share"
    assert row["default"] == 0.75
    assert " to " in row["range"]
    assert row["source"]


def test_list_of_one_kind_gives_its_keys(capsys):
    assert main(["list", "interventions", "price_floor"]) == 0
    text = capsys.readouterr().out
    assert "floor_usd_per_kg" in text
    assert "USD/kg" in text


def test_list_without_a_category_gives_the_categories(capsys):
    assert main(["list"]) == 0
    assert "vintages" in capsys.readouterr().out


def test_list_of_nothing_says_so(capsys):
    assert main(["list", "regions", "atlantis"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "no regions match 'atlantis'" in printed.err


def test_show_gives_question_measures_sources_and_levers(capsys):
    assert main(["show", SHOCK]) == 0
    text = capsys.readouterr().out
    for part in (
        "How many days after licensing starts",
        "Missing magnets stop the first users",
        "first_stoppage(region=all) < days(70)",
        "2025-04-04 to the end  april_2025_licences: export_licence (disruption)",
        "Announcement 18 of 2025",
        f"{PLACE}.\n",
        "processing_days  ",
        "triangular(30, 63, 100)",
        "variant=no_talks",
        "measured against calm_2024",
    ):
        assert part in text, part


def test_show_applies_what_is_typed(capsys):
    assert main(["show", SHOCK, "variant=no_talks", f"{PLACE}.processing_days=12", "--json"]) == 0
    held = json.loads(capsys.readouterr().out)
    assert held["interventions"]["april_2025_licences"]["processing_days"] == 12
    assert held["interventions"]["april_2025_licences"]["approval"] == {"2025-04-04": 0.1}


def test_init_gives_a_file_that_checks(capsys, here):
    assert main(["init", "cutoff_total"]) == 0
    text = capsys.readouterr().out
    assert parse_yaml(text).data["name"] == "cutoff_total"
    (here / "mine.yaml").write_text(text)
    assert main(["check", "mine.yaml"]) == 0


# ------------------------------------------------------------------------------- run


def test_run_prints_a_table_and_last_the_folder(runs, capsys):
    assert run("run", SHOCK, "--worlds", "5") == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert Path(lines[-1]) == Path.cwd() / "results" / f"{SHOCK}_1"
    assert Path(lines[-1]).is_absolute()
    assert any(line.split()[:2] == ["unmet_t", "whole"] for line in lines)
    assert "5 of 5 worlds" in printed.err
    assert runs[0][1].worlds == 5


def test_run_hands_on_settings_overrides_variant_and_overlays(runs):
    status = run(
        "run",
        SHOCK,
        "ensemble.worlds=3",
        "ensemble.seed=7",
        "clock.market_days=14",
        "workers=1",
        "discount_rate=0.03",
        "allocation=defence_first",
        "decision_date=2025-12-31",
        "variant=no_talks",
        "overlays=[defence_first,grey_channels]",
        "scenario.end=2027-01-01",
        f"{PLACE}.processing_days={{dist: uniform, low: 10, high: 20}}",
        "scenario.overrides.stockpile.japan.days=60",
        "out=folder",
    )
    assert status == 0
    scenario, settings = runs[0]
    assert (settings.worlds, settings.seed, settings.market_days, settings.workers) == (3, 7, 14, 1)
    assert (settings.discount_rate, settings.allocation) == (0.03, "defence_first")
    assert settings.out == Path("folder")
    assert str(scenario.decision_date) == "2025-12-31"
    assert str(scenario.end) == "2027-01-01"
    assert scenario.overlays == ("defence_first", "grey_channels")
    item = scenario.interventions["april_2025_licences"]
    assert item.processing_days.support() == (10, 20)
    assert list(item.approval.values()) == [0.1]
    assert scenario.overrides == {"stockpile.japan.days": 60.0}


def test_run_takes_dates_in_a_mapping(runs):
    assert (
        run("run", SHOCK, f"{PLACE}.approval={{2025-04-04: 0.0, 2025-07-01: 0.5}}", "--worlds=1")
        == 0
    )
    assert [str(d) for d in runs[0][0].interventions["april_2025_licences"].approval] == [
        "2025-04-04",
        "2025-07-01",
    ]


def test_several_scenarios_go_to_folders_of_their_own(runs, capsys):
    assert run("run", SHOCK, "myanmar_outage", "--worlds", "2", "--out", "many", "--quiet") == 0
    assert [settings.out for _, settings in runs] == [
        Path("many") / SHOCK,
        Path("many/myanmar_outage"),
    ]
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_quiet_prints_only_the_folder(runs, capsys):
    assert run("run", "myanmar_outage", "-q", "--worlds", "2") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert len(printed.out.splitlines()) == 1


def test_quiet_keeps_warnings(runs, capsys):
    typed = "scenario.interventions.april_2025_licences.capacity=3"
    assert run("run", SHOCK, "-q", "--worlds", "2", typed) == 0
    printed = capsys.readouterr()
    (warning,) = printed.err.splitlines()
    assert warning.startswith(f"warning: {SHOCK}: april_2025_licences: approval: ")
    assert len(printed.out.splitlines()) == 1


def test_remarks_on_what_is_shipped_are_counted_and_those_on_what_is_typed_are_told(runs, capsys):
    assert run("run", "current_law", "--worlds", "2") == 0
    printed = capsys.readouterr().err
    assert (
        "warning" not in printed and "6 remarks on what is shipped: see 'lodestone show'" in printed
    )
    typed = "scenario.interventions.april_2025_licences.capacity=3"
    assert run("run", "current_law", typed, "--worlds", "2") == 0
    warned = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    assert warned and all("april_2025_licences" in line for line in warned)
    assert run("run", "current_law", "overlays=[stockpile_90d]", "--worlds", "2") == 0
    printed = capsys.readouterr().err
    assert "warning: current_law: overlay_allied_reserve: buys only" in printed
    assert "6 remarks on what is shipped" in printed


def test_so_does_check_also_of_a_file_that_inherits(here, capsys):
    path = here / "mine.yaml"
    path.write_text(
        "name: mine\nquestion: Why?\ndefaults: [current_law]\ninterventions:\n"
        "  cut: {kind: export_licence, exporter: china, materials: magnets, approval: 0.5}\n",
        encoding="utf-8",
    )
    assert main(["check", str(path)]) == 0
    printed = capsys.readouterr().err.splitlines()
    assert printed[0] == "6 remarks on what is shipped: see 'lodestone show' or the memo"
    assert printed[1].startswith("warning: mine: cut: approval: ")
    assert main(["check", "current_law", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == []
    assert main(["show", "current_law"]) == 0
    assert "april_2025_licences: approval: from" in " ".join(capsys.readouterr().out.split())


def test_json_prints_the_table_as_one_line_before_the_folder(runs, capsys):
    assert run("run", SHOCK, "--json", "--worlds", "2") == 0
    table, folder = capsys.readouterr().out.splitlines()
    assert json.loads(table)[0]["p50"] == 2.0
    assert Path(folder).is_dir()


def test_a_file_of_the_user_runs_from_anywhere(runs, capsys, here):
    main(["init", SHOCK])
    path = here / "deep" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(capsys.readouterr().out.replace(f"name: {SHOCK}", "name: mine"))
    assert run("run", str(path), "--worlds", "1") == 0
    assert runs[0][0].name == "mine"


def test_replay_hands_on_world_and_dates(runs, capsys):
    words = [
        "replay",
        SHOCK,
        "--world",
        "3",
        "--from",
        "2025-04",
        "--to",
        "2025-06",
        "ensemble.seed=5",
    ]
    assert main(words) == 0
    assert capsys.readouterr().out == f"{SHOCK} 3 2025-04-01 2025-06-30 5\n"


# ------------------------------------------------------------------------------- wrong input

WRONG = [
    (["rnu", SHOCK], "Did you mean 'run'?"),
    (["list", "scenaros"], "Did you mean 'scenarios'?"),
    (["run"], "names no scenario"),
    (["run", "licence_shock_april"], f"Did you mean '{SHOCK}'?"),
    (["run", "nowhere.yaml"], "no such file"),
    (["run", SHOCK, "--worlds", "many"], "ensemble.worlds: must be a whole number, got 'many'"),
    (["run", SHOCK, "--worlds", "2.5"], "ensemble.worlds: must be a whole number"),
    (["run", SHOCK, "--worlds", "0"], "ensemble.worlds: must lie between 1"),
    (["run", SHOCK, "--worlds", "-3"], "ensemble.worlds: must lie between 1"),
    (["run", SHOCK, "--worlds"], "--worlds: needs a value"),
    (["run", SHOCK, "--worlds", "3", "ensemble.worlds=4"], "given twice"),
    (["run", SHOCK, "--wrlds", "3"], "Did you mean '--worlds'?"),
    (["run", SHOCK, "ensemble.wrlds=3"], "Did you mean 'ensemble.worlds'?"),
    (["run", SHOCK, "ensemble.worlds=1,2"], "several values"),
    (["run", SHOCK, "ensemble.worlds=[1,2]"], "must be a whole number"),
    (["run", SHOCK, "ensemble.worlds=nan"], "must be a whole number"),
    (["run", SHOCK, "ensemble.seed=1", "ensemble.seed=2"], "given twice"),
    (["run", SHOCK, "ensemble=quik"], "Did you mean 'quick'?"),
    (["run", SHOCK, "workers=-1"], "must lie between 0"),
    (["run", SHOCK, "discount_rate=5"], "must lie between 0 and 0.5"),
    (["run", SHOCK, "allocation=defense_first"], "Did you mean 'defence_first'?"),
    (["run", SHOCK, "report.formats=[htm]"], "Did you mean 'html'?"),
    (["run", SHOCK, "scenario.end=2020-01-01"], "scenario.end: 2020-01-01 is not after the start"),
    (["run", SHOCK, "scenario.strat=2020-01-01"], "Did you mean 'start'?"),
    (["run", SHOCK, f"{PLACE}.procesing_days=3"], "Did you mean 'processing_days'?"),
    (["run", SHOCK, f"{PLACE}.exporter=chna"], "Did you mean 'china'?"),
    (["run", SHOCK, f"{PLACE}.source=c999"], "unknown source 'c999'"),
    (["run", SHOCK, f"{PLACE}.spillover=1.5"], "above the highest possible 1"),
    (["run", SHOCK, f"{PLACE}.processing_days=uniform(1,2)"], "{dist: uniform, low: 1, high: 2}"),
    (["run", "current_law", "scenario.interventions.mp_price_floor.floor_usd_per_kg=0.11"], "110 USD per tonne"),
    (["run", SHOCK, "scenario.overrides.stockpile.japn.days=1"], "Did you mean 'stockpile.japan.days'?"),
    (["run", SHOCK, "scenario.overrides.facility.us_vulcan.capacity_t_per_year=-1"], "below 0"),
    (
        ["run", SHOCK, "scenario.overrides.stockpile.japan.days=1", "scenario.overrides={stockpile.japan.days: 2}"],
        "both nested and dotted",
    ),
    (["run", SHOCK, "variant=no_talk"], "Did you mean 'no_talks'?"),
    (["run", SHOCK, "overlays=[defence_frist]"], "Did you mean 'defence_first'?"),
    (["show", SHOCK, "calm_2024"], "takes one scenario"),
    (["replay", SHOCK, "--world", "x"], "--world: must be a world's number"),
    (["replay", SHOCK, "--from", "soon"], "--from: must be YYYY-MM"),
    (["replay", SHOCK, "--from", "2026-01", "--to", "2025-01"], "is before"),
    (["report", "nowhere"], "is not a run folder"),
    (["report", ".", "--format", "htm"], "Did you mean 'html'?"),
    (["sources", "c9999"], "unknown scenario, source or parameter"),
    (["check", "nowhere.yaml"], "no such file"),
    (["init"], "names no scenario"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "says"), WRONG, ids=[" ".join(w)[:60] for w, _ in WRONG])
def test_wrong_input_is_status_2_with_one_message_and_no_traceback(words, says, runs, capsys):
    assert run(*words) == 2
    printed = capsys.readouterr()
    assert says in printed.err
    assert "Traceback" not in printed.err
    assert runs == []


def test_check_names_file_line_key_and_nearest_word(here, capsys):
    (here / "bad.yaml").write_text(
        "name: bad\nquestion: What?\nstart: 2024-01-01\nend: 2026-01-01\n"
        "interventions:\n  stop:\n    kind: export_ban\n    exporter: chna\n    materials: smco\n"
    )
    assert main(["check", "bad.yaml", SHOCK]) == 2
    printed = capsys.readouterr()
    assert (
        "bad.yaml:8: interventions.stop.exporter: unknown place 'chna'. Did you mean 'china'?"
        in printed.err
    )
    assert f"{SHOCK}  ok" in printed.out


def test_check_looks_into_variants(here, capsys):
    main(["init", SHOCK])
    text = capsys.readouterr().out.replace("processing_days: 20", "processing_dayz: 20")
    (here / "v.yaml").write_text(text)
    assert main(["check", "v.yaml"]) == 2
    assert "processing_days" in capsys.readouterr().err


def test_check_takes_what_run_takes(capsys):
    key = "scenario.overrides.demand.growth_outlook"
    assert main(["check", SHOCK, f"{key}=0.01", "ensemble.worlds=20"]) == 0
    assert main(["check", SHOCK, f"{key}=0.2"]) == 0
    assert (
        f"{key.removeprefix('scenario.overrides.')} = 0.2 lies outside" in capsys.readouterr().err
    )
    for word, told in (
        (f"{key}=99", "above 0.25"),
        ("variant=no_talk", "'no_talks'"),
        ("ensemble.worlds=0", "must lie between"),
    ):
        assert main(["check", SHOCK, word]) == 2
        assert told in capsys.readouterr().err


def test_check_of_seeds_names_the_row(here, capsys):
    import shutil

    from lodestone.border.paths import seeds_root

    shutil.copytree(seeds_root(), here / "seeds")
    table = here / "seeds" / "2024" / "prices.csv"
    lines = table.read_text().splitlines()
    header = lines[0].split(",")
    cells = lines[1].split(",")
    cells[header.index("usd_per_kg")] = "nan"
    table.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
    assert main(["check", str(table)]) == 2
    assert f"{table}:2" in capsys.readouterr().err


def test_check_without_a_file_covers_everything_and_prints_the_balance(capsys):
    status = main(["check", "--json"])
    held = json.loads(capsys.readouterr().out)
    assert {row["result"] for row in held["checked"]} == {"ok"}
    names = {row["checked"] for row in held["checked"]}
    assert {"seeds 2024", f"scenario {SHOCK}", "overlay defence_first"} <= names
    assert held["balance"]
    assert status == (0 if all(row["ok"] for row in held["balance"]) else 3)


# ------------------------------------------------------------------------------- other endings


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (ModelError("mass of dy is not conserved", place="china", world=3, date="2025-04-07"), 3,
         "mass of dy is not conserved at china in world 3 on 2025-04-07"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "results/x.csv"), 1, "the disk is full"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/locked"), 2, "/locked"),
        (MemoryError(), 1, "out of memory"),
        (InputError("is wrong", file="f.yaml", key="k", hint="Mend it."), 2, "f.yaml: k: is wrong. Mend it."),
    ],
    ids=["interrupt", "model", "disk", "locked", "memory", "input"],
)  # fmt: skip
def test_what_goes_wrong_mid_run_gives_one_message_and_its_status(
    error, status, says, runs, capsys, monkeypatch
):
    def fail(scenario, settings, progress=None, executor=None):
        progress(1, 10, scenario.name)
        raise error

    monkeypatch.setattr("lodestone.runs.simulate.simulate", fail)
    assert run("run", SHOCK, "--worlds", "10") == status
    printed = capsys.readouterr()
    assert says in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""


# ------------------------------------------------------------------------------- sources


def test_sources_of_a_scenario_a_key_and_a_parameter(capsys):
    assert main(["sources", SHOCK]) == 0
    text = capsys.readouterr().out
    assert "mofcom_2025_18" in text
    assert main(["sources", "c120"]) == 0
    assert f"scenario {SHOCK}" in capsys.readouterr().out
    assert main(["sources", "market.contract_share"]) == 0
    assert "0.75 share" in capsys.readouterr().out
    assert main(["sources", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) > 196


# ------------------------------------------------------------------------------- the Hydra application


def hydra(*words: str) -> int:
    from lodestone.__main__ import run as python_m_sim

    return python_m_sim([*words, "report=none"])


def test_hydra_runs_a_scenario_with_its_overrides_above_the_variant(runs, capsys):
    status = hydra(
        f"scenario={SHOCK}",
        "ensemble.worlds=2",
        "variant=no_talks",
        f"{PLACE}.processing_days=12",
        "scenario.overrides.stockpile.japan.days=9",
    )
    assert status == 0
    scenario, settings = runs[0]
    assert settings.worlds == 2
    assert scenario.interventions["april_2025_licences"].processing_days == 12
    assert list(scenario.interventions["april_2025_licences"].approval.values()) == [0.1]
    assert scenario.overrides == {"stockpile.japan.days": 9.0}
    (record,) = Path("results/hydra").glob("*/run_folder.txt")
    assert record.read_text().strip() == capsys.readouterr().out.splitlines()[-1]


def test_hydra_multirun_goes_over_seeds_and_scenarios(runs):
    status = hydra(
        "scenario=calm_2024,myanmar_outage", "--multirun", "ensemble.worlds=1", "ensemble.seed=0,1"
    )
    assert status == 0
    assert [(s.name, settings.seed) for s, settings in runs] == [
        ("calm_2024", 0),
        ("calm_2024", 1),
        ("myanmar_outage", 0),
        ("myanmar_outage", 1),
    ]
    (study,) = Path("results/multirun").iterdir()
    assert sorted(p.name for p in study.iterdir() if p.is_dir()) == ["0", "1", "2", "3"]
    assert Path.cwd().name != "0"


def test_hydra_takes_a_file_of_the_user(runs, capsys, here):
    main(["init", SHOCK])
    (here / "own.yaml").write_text(capsys.readouterr().out.replace(f"name: {SHOCK}", "name: own"))
    assert hydra(f"scenario={here / 'own.yaml'}", "ensemble.worlds=1") == 0
    assert runs[0][0].name == "own"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["scenario=licence_shok"], f"Did you mean '{SHOCK}'?"),
        (["ensemble.wrlds=3"], "Did you mean 'ensemble.worlds'?"),
        (["ensemble.worlds=many"], "must be a whole number"),
        ([f"scenario={SHOCK}", f"+{PLACE}.procesing_days=3"], "Did you mean 'processing_days'?"),
        ([f"scenario={SHOCK}", f"{PLACE}.procesing_days=3"], "Did you mean 'processing_days'?"),
        (["+typo.here=1"], "unknown setting 'typo.here'"),
        (["ensemble=quik"], "quik"),
    ],
)
def test_hydra_refuses_wrong_input_with_status_2(words, says, runs, capsys):
    assert hydra(*words) == 2
    printed = capsys.readouterr()
    assert says in printed.err
    assert "Traceback" not in printed.err
    assert runs == []


# ------------------------------------------------------------------------------- as a process


def process(*words: str, **more) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "sim", *words], capture_output=True, text=True, check=False, **more
    )


def clone() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}


def test_a_process_ends_with_the_status(here):
    assert process("list", "regions", env=clone()).returncode == 0
    wrong = process("show", "nothing", env=clone())
    assert wrong.returncode == 2
    assert wrong.stdout == ""
    assert wrong.stderr.startswith("lodestone: unknown scenario 'nothing'")


def test_a_closed_pipe_is_no_error(here):
    command = f"{sys.executable} -m sim list parameters | head -1"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, env=clone(), check=False
    )
    assert done.stderr == ""


def test_listing_starts_quickly_and_loads_nothing_heavy(here):
    code = (
        "import sys; from lodestone.cli import main; main(['list', 'scenarios']); "
        "heavy = {'matplotlib', 'pandas', 'hydra', 'omegaconf', 'numpy', 'simpy'} & set(sys.modules); "
        "sys.exit(','.join(sorted(heavy)) or 0)"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=clone(), check=False
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 5  # generous: a busy machine without compiled bytecode


def test_help_of_the_hydra_application(here):
    done = process("--help", env=clone())
    assert done.returncode == 0
    assert "scenario:" in done.stdout
    assert SHOCK in done.stdout
