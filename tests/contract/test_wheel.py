"""The wheel is complete: it has the data, and works from an empty folder without the clone."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a freshly built and unpacked wheel."""
    top = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(top)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = top.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(top / "site")
    return top / "site"


def test_the_data_and_templates_are_in_it(unpacked):
    for folder in ("configs", "scenarios", "seeds"):
        shipped = {
            p.relative_to(ROOT / folder)
            for p in (ROOT / folder).rglob("*")
            if p.suffix in {".csv", ".yaml"}
        }
        inside = unpacked / "lodestone" / "_data" / folder
        assert shipped
        assert shipped <= {p.relative_to(inside) for p in inside.rglob("*")}
    sources = {
        Path("lodestone") / p.relative_to(ROOT / "sim") for p in (ROOT / "sim").rglob("*.py")
    }
    sources.discard(Path("lodestone/_build.py"))  # builds the wheel, is not in it
    assert sources <= {p.relative_to(unpacked) for p in unpacked.rglob("*.py")}
    assert (unpacked / "lodestone" / "report" / "templates" / "brief.md.j2").is_file()
    assert not list(unpacked.rglob("tests"))


def test_it_lists_its_scenarios_from_an_empty_folder(unpacked, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(unpacked)}
    where = subprocess.run(
        [sys.executable, "-c", "import lodestone; print(lodestone.__file__)"],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(unpacked)
    listed = subprocess.run(
        [sys.executable, "-m", "lodestone", "list", "scenarios"],
        cwd=tmp_path,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert listed.returncode == 0, listed.stderr
    for path in (ROOT / "scenarios").glob("*.yaml"):
        assert path.stem in listed.stdout
