"""The documentation is alive: its commands run as typed, its links resolve, its tables are current."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lodestone.cli import commands as known_commands
from lodestone.cli import main
from lodestone.interventions import REGISTRY
from lodestone.outputs.results import COLUMNS
from lodestone.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "benchmarks/README.md"])
FAST = ("list", "show", "check", "init", "sources", "claims")


def fenced(language: str) -> list[str]:
    """Return the README's fenced blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.S)


def commands() -> list[list[str]]:
    """Return the `lodestone` commands of the README, words as typed."""
    found = []
    for block in fenced("sh"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["lodestone"]:
                found.append(words[1:])
    return found


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the README's scenario where its text says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LODESTONE_SCENARIOS", raising=False)
    (block,) = fenced("yaml")
    name = re.search(r"Save this as `([\w.]+)`", README.read_text(encoding="utf-8"))
    assert name is not None
    path = tmp_path / name[1]
    path.write_text(block, encoding="utf-8")
    return path


def test_the_readme_shows_every_kind_of_command():
    verbs = [words[0] for words in commands()]
    assert {"list", "show", "check", "run"} <= set(verbs)


@pytest.mark.parametrize("words", [w for w in commands() if w[0] in FAST], ids=" ".join)
def test_a_fast_command_of_the_readme_runs(words, example, capsys):
    assert main(words) == 0
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("words", [w for w in commands() if w[0] == "run"], ids=" ".join)
def test_a_run_of_the_readme_names_what_exists(words, example):
    variant = next((w.removeprefix("variant=") for w in words if w.startswith("variant=")), None)
    assert load_scenario(words[1], variant=variant).question


def test_the_scenario_of_the_readme_is_short_and_says_what_it_seems_to(example):
    text = example.read_text(encoding="utf-8")
    assert len(text.strip().splitlines()) <= 10
    scenario = load_scenario(str(example))
    (ban,) = scenario.interventions.values()
    assert ban.kind == "export_ban"
    assert scenario.reference == "calm_2024"


def test_a_mistake_in_the_scenario_of_the_readme_is_found(example, capsys):
    example.write_text(example.read_text(encoding="utf-8").replace("japan", "jappan"))
    assert main(["check", example.name]) == 2
    assert "japan" in capsys.readouterr().err


def test_the_make_targets_of_the_readme_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {t for block in fenced("sh") for t in re.findall(r"^make ([a-z-]+)", block, re.M)}
    assert {"run", "test"} <= named <= targets


def test_the_page_of_interventions_is_current():
    done = subprocess.run(
        [sys.executable, ROOT / "docs/build.py", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_page_of_interventions_names_every_kind_and_key():
    page = (ROOT / "docs/interventions.md").read_text(encoding="utf-8")
    for kind, model in REGISTRY.items():
        section = page.split(f"\n## {kind}\n")[1].split("\n## ")[0]
        missing = [
            key
            for key in model.model_fields
            if f"| `{key}` |" not in section and f"| `{key}` |" not in page.split("\n## ")[1]
        ]
        assert not missing, f"{kind}: {missing}"


@pytest.mark.parametrize("table", [t for t in COLUMNS if any(COLUMNS[t])])
def test_every_column_of_a_run_folder_is_explained(table):
    page = (ROOT / "docs/reading_results.md").read_text(encoding="utf-8")
    section = page.split(f"\n## `{table}.csv`")[1].split("\n## ")[0]
    for column in [*COLUMNS[table][0], *COLUMNS[table][1]]:
        stem = re.sub(r"_(mean|p05|p50|p95)$", "", column)
        assert f"`{column}`" in section or f"`{stem}_*`" in section, column


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_design_names_code_and_parameters_that_exist():
    from lodestone.chain.load import load_chain

    text = (ROOT / "DESIGN.md").read_text(encoding="utf-8")
    for path in re.findall(r"`((?:sim/|seeds/|benchmarks/)[\w/.]+\.(?:py|csv|md))`", text):
        assert (ROOT / path).exists(), path
    known = load_chain("2024").parameters
    heads = {name.split(".")[0] for name in known}
    for name in re.findall(r"`([a-z]+\.[a-z_0-9]+)`", text):
        if name.split(".")[0] in heads and not name.endswith((".py", ".md")):
            assert name in known, name


def test_the_decisions_are_numbered_without_gaps():
    text = (ROOT / "DESIGN.md").read_text(encoding="utf-8")
    numbers = [int(n) for n in re.findall(r"^### (\d+)\. ", text, re.M)]
    assert numbers == list(range(1, len(numbers) + 1))
    parts = re.split(r"^### \d+\. ", text, flags=re.M)[1:]
    for part in parts:
        assert "*Decision.*" in part and "*Cost.*" in part and "*Would change it:*" in part


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_the_commands_that_a_page_names_exist(page):
    named = set(re.findall(r"`lodestone ([a-z]+)", page.read_text(encoding="utf-8")))
    assert named <= set(known_commands()), f"{page.name}: {sorted(named - set(known_commands()))}"
