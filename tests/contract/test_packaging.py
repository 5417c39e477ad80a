"""The locked versions and the project file agree, and neither names a place to download from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def _name(requirement: str) -> str:
    return re.split(r"[<>=!~;\[ ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_every_dependency_is_locked_with_hashes():
    locked = {_name(line) for line in LOCK.splitlines() if re.match(r"[a-z0-9]", line)}
    project = PROJECT["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(name for extra in extras for name in extra)]
    assert {_name(w) for w in wanted} <= locked
    entries = re.split(r"\n(?=[a-z0-9])", LOCK)
    for entry in entries[1:]:
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_the_lock_names_no_index_and_no_path():
    for line in LOCK.splitlines():
        assert not re.search(r"://|--(extra-)?index|--find-links|(^|\s)/", line), line


def test_the_version_is_the_same_everywhere():
    version = PROJECT["project"]["version"]
    assert f"version: {version}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_the_command_and_the_uv_of_the_makefile_are_named():
    assert PROJECT["project"]["scripts"] == {"lodestone": "lodestone.cli:main"}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^UV_VERSION := \d+\.\d+\.\d+$", makefile, re.M)
    for target in ("run", "test", "test-slow", "lint", "types", "bench", "docs", "clean"):
        assert re.search(rf"^{target}:.*## ", makefile, re.M), target


def test_changelog_says_which_numbers_moved():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    entries = re.split(r"^## ", text, flags=re.M)[1:]
    assert entries
    for entry in entries:
        assert re.search(r"### Numbers moved\n\n\S", entry), entry.splitlines()[0]
