"""Files and command lines with a fault in them: one clear message each, and nothing else.

Seeds are fixed, so a failure comes again. The small sample runs with the fast tests, ten thousand
files with the slow ones.
"""

from __future__ import annotations

import csv
import io
import shutil
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lodestone.backcast.episodes import find_episodes, load_episode
from lodestone.border.errors import LONGEST, InputError
from lodestone.border.paths import seeds_root
from lodestone.chain.load import BY_VINTAGE, COMMON, load_chain
from lodestone.cli import main
from lodestone.cli.verbs.check import check_file
from tests.fuzz.mutations import FILES, OVERLAYS, mutate, parsed

#: Seconds that any one check may take on a busy machine.
SLOWEST = 20.0


class Tally:
    """What came of many faulty files."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.seen: dict[str, list[object]] = {"nonsense": [], "misplaced": [], "broken": []}

    def note(self, path: Path, fault, work) -> None:
        """Check one file and hold what is said against what was done to it."""
        began = time.monotonic()
        try:
            work(path)
        except InputError as error:
            told = str(error)
            assert len(told) <= LONGEST, (fault, len(told))
            assert "\x1b" not in told and "\0" not in told
            self.counts["refused"] += 1
            if fault.refuse and not self.placed(path, fault, told):
                self.seen["misplaced"].append((fault, told[:400]))
        except Exception as error:
            self.seen["broken"].append((fault, repr(error)[:400]))
        else:
            self.counts["accepted"] += 1
            if fault.refuse:
                self.seen["nonsense"].append(fault)
        assert time.monotonic() - began < SLOWEST, fault

    @staticmethod
    def placed(path: Path, fault, told: str) -> bool:
        """Whether a message names the file and the key that was changed."""
        words = fault.words or [part for part in fault.at[-2:] if not part.isdigit()]
        return path.name in told and any(word in told for word in words)

    def hold(self, many: int) -> None:
        """Nothing broke; nonsense and misplaced messages are rare."""
        assert not self.seen["broken"]
        assert self.counts["refused"] > 0.8 * many
        assert len(self.seen["nonsense"]) < 0.005 * many + 1, self.seen["nonsense"][:10]
        assert len(self.seen["misplaced"]) <= 0.01 * many + 1, self.seen["misplaced"][:10]


def fuzz_files(folder: Path, files, many: int, seed: int, work) -> None:
    """Check many mutated files."""
    draw = np.random.default_rng(seed)
    texts = {name: parsed(path) for name, path in files.items()}
    names = list(texts)
    tally = Tally()
    for _ in range(many):
        name = names[int(draw.integers(len(names)))]
        text, fault = mutate(texts[name], draw)
        path = folder / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        tally.note(path, fault, work)
        path.unlink()
    tally.hold(many)


def test_some_faulty_scenarios(tmp_path):
    fuzz_files(tmp_path, FILES, 150, 20, lambda path: check_file(str(path)))


@pytest.mark.slow
def test_ten_thousand_faulty_scenarios(tmp_path):
    fuzz_files(tmp_path, FILES, 10_000, 21, lambda path: check_file(str(path)))


@pytest.mark.parametrize("many", [60, pytest.param(1_500, marks=pytest.mark.slow)])
def test_faulty_overlays(tmp_path, many):
    folder = tmp_path / "overlays"
    folder.mkdir()
    fuzz_files(folder, OVERLAYS, many, 22, lambda path: check_file(str(path)))


@pytest.mark.parametrize("many", [40, pytest.param(1_000, marks=pytest.mark.slow)])
def test_faulty_episodes_break_nothing(tmp_path, many):
    """An episode may be changed in many ways that mean something: nothing may break, that is all."""
    draw = np.random.default_rng(23)
    found = find_episodes()
    names = list(found)
    refused = 0
    for number in range(many):
        name = names[int(draw.integers(len(names)))]
        folder = tmp_path / f"{number}"
        shutil.copytree(found[name].parent, folder)
        text, fault = mutate(parsed(found[name]), draw)
        (folder / "episode.yaml").write_text(text, encoding="utf-8")
        try:
            load_episode(folder)
        except InputError as error:
            refused += 1
            assert len(str(error)) <= LONGEST
        except Exception as error:
            raise AssertionError((fault, name)) from error
        shutil.rmtree(folder)
    assert refused > 0.5 * many


def broken_table(text: str, draw: np.random.Generator) -> tuple[str, bool]:
    """A table with one fault, and whether it has to be refused."""
    rows = list(csv.reader(io.StringIO(text)))
    r, c = int(draw.integers(1, len(rows))), int(draw.integers(len(rows[0])))
    kind = int(draw.integers(8))
    lines = text.splitlines()
    if kind == 0:
        lines[r % len(lines)] = '"' + lines[r % len(lines)]
        return "\n".join(lines) + "\n", True
    if kind == 1:
        return text[: len(text) // 2] + "\0" + text[len(text) // 2 :], True
    if kind == 2:
        rows[r] = rows[r][:-1]
    elif kind == 3:
        rows[0][c] += "q"
    elif kind == 4:
        rows[r].append("more")
    elif kind == 5:
        rows[r][c] = "9" * 5000
        if not rows[r][c].isdigit():
            return text, False
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(rows)
        return out.getvalue(), False
    elif kind == 6:
        return "\ufeff" + text, False
    else:
        rows[r][c] = str(draw.choice(["nan", "inf", "-1e400", "=cmd()", "\x1b[31m", "0,5"]))
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(rows)
        return out.getvalue(), False
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue(), True


@pytest.mark.parametrize("many", [12, pytest.param(300, marks=pytest.mark.slow)])
def test_faulty_tables_of_the_seeds(tmp_path, many):
    draw = np.random.default_rng(24)
    root = tmp_path / "seeds"
    shutil.copytree(
        seeds_root(), root, ignore=shutil.ignore_patterns("episodes", "controls", "20[01]*")
    )
    tables = [
        p
        for name in (*COMMON, *BY_VINTAGE)
        for p in (root / f"{name}.csv", root / "2024" / f"{name}.csv")
    ]
    tables = [t for t in tables if t.is_file() and len(t.read_text("utf-8").splitlines()) > 2]
    for _ in range(many):
        path = tables[int(draw.integers(len(tables)))]
        before = path.read_bytes()
        text, refuse = broken_table(before.decode("utf-8"), draw)
        path.write_text(text, encoding="utf-8")
        try:
            load_chain("2024", root)
        except InputError as error:
            told = str(error)
            assert len(told) <= LONGEST
            assert not refuse or path.name in told
        else:
            assert not refuse, (path.name, text[:300])
        path.write_bytes(before)


HUGE = "9" * 5000
#: Command lines that nobody means; none of them may simulate anything.
ODD = [
    ["run"], ["run", ""], ["run", "\0"], ["run", "x" * 300], ["run", "~nobody_at_all/x.yaml"],
    ["run", "calm_2024", "ensemble.worlds=" + HUGE], ["run", "calm_2024", "ensemble.worlds=1e400"],
    ["run", "calm_2024", "ensemble.worlds=-1"], ["run", "calm_2024", "ensemble.worlds=nan"],
    ["run", "calm_2024", "ensemble.seed=" + HUGE], ["run", "calm_2024", "out=" + "x" * 300],
    ["run", "calm_2024", "out=\0"], ["run", "calm_2024", "out=/dev/null/x"],
    ["run", "calm_2024", "clock.market_days=0"], ["run", "calm_2024", "clock.market_days=1e99"],
    ["run", "calm_2024", "k" * 3000 + "=1"], ["run", "calm_2024", "scenario.start=" + "x" * 3000],
    ["run", "calm_2024", "scenario.overrides." + "x" * 3000 + "=1"],
    ["run", "calm_2024", "scenario.overrides.stockpile.japan.days=" + HUGE],
    ["run", "calm_2024", "scenario.title=[1,2]"], ["run", "calm_2024", "scenario.title={a: 1}"],
    ["run", "calm_2024", "overlays=" + "x" * 300], ["run", "calm_2024", "overlays=[\0]"],
    ["run", "calm_2024", "variant=" + "x" * 3000], ["run", "calm_2024", "variant=[a]"],
    ["run", "calm_2024", "report.formats=[pptx]"], ["run", "calm_2024", "report.formats=[html,html]"],
    ["run", "calm_2024", "report.formats={a: 1}"], ["run", "calm_2024", "="], ["run", "calm_2024", "=1"],
    ["run", "calm_2024", "a=b=c=d"], ["run", "calm_2024", "[[[[=1"], ["run", "calm_2024", "x=" + "[" * 3000],
    ["run", "calm_2024", "ensemble.worlds={dist: uniform}"], ["run", "calm_2024", "--worlds"],
    ["run", "calm_2024", "--worlds", "--out"], ["run", "calm_2024", "--worlds=1", "--worlds=2"],
    ["run", "calm_2024", "ensemble.worlds=1", "--worlds", "2"], ["run", "calm_2024", "--wrlds", "2"],
    ["run", "calm_2024", "calm_2024"], ["run", "calm_2024", "cluster=\x1b[31m"],
    ["run", "calm_2024", "discount_rate=9"], ["run", "calm_2024", "decision_date=2024-13-01"],
    ["run", "calm_2024", "scenario.end=9999-12-31"], ["run", "calm_2024", "scenario.start=0001-01-01"],
    ["run", "calm_2024", "workers=99999999999"], ["run", "calm_2024", "quiet=maybe"],
    ["run", "../../../etc/passwd"], ["run", "/"], ["run", "."], ["run", "x.yaml/y.yaml"],
    ["run", "calm_2024", "\ud800=1"], ["run", "\ud800.yaml"], ["show"], ["show", "a", "b"],
    ["show", "\x1b[31mred"], ["show", "calm_2024", "variant=none_such"], ["init"], ["init", "nothing"],
    ["init", "calm_2024", "x=1"], ["check", "\0"], ["check", "x" * 300], ["check", "/"], ["check", "a=b"],
    ["check", "~nobody_at_all/x"], ["list", "nothing"], ["list", "x" * 3000], ["list", "a=b"],
    ["replay"], ["replay", "calm_2024", "--world", HUGE], ["replay", "calm_2024", "--world", "-1"],
    ["replay", "calm_2024", "--world", "1e9"], ["replay", "calm_2024", "--world", "99999999999"],
    ["replay", "calm_2024", "--from", "2031"], ["replay", "calm_2024", "--from", "0000-00"],
    ["replay", "calm_2024", "--from", "2025-01", "--to", "2024-01"], ["report"], ["report", "\0"],
    ["report", "x" * 300], ["report", "."], ["report", ".", "--format", "pptx"], ["sources", "nothing"],
    ["sources", "a", "b"], ["sources", "\0"], ["claims", "\0"], ["claims", "a", "--refresh"],
    ["backcast", "\0"], ["backcast", "nothing"], ["backcast", "x" * 300], ["backcast", "--json"] * 2,
    ["nothing"], ["\x1b[31m"], ["--nothing"], ["run", "--"], ["run", "-"], ["runn", "calm_2024"],
]  # fmt: skip


@pytest.mark.parametrize(
    "words",
    ODD,
    ids=lambda words: " ".join(w[:24] for w in words).encode("unicode_escape").decode()[:60],
)
def test_odd_command_lines_end_in_one_message(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for place in ("lodestone.runs.simulate.simulate", "lodestone.runs.replay.replay"):
        monkeypatch.setattr(place, lambda *_, **__: pytest.fail("it began"))
    status = main(words)
    said = capsys.readouterr().err
    assert status == 2, said
    assert "Traceback" not in said and "defect" not in said and said.startswith("lodestone: ")
    assert len(said) <= LONGEST + 20
    assert "\x1b" not in said and "\0" not in said
