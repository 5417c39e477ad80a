"""Run the examples of ``docs/studies.md`` and keep their pictures: ``python docs/studies.py [NAME]``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from lodestone.border.yamlfile import read_yaml
from lodestone.cli import main
from lodestone.report.study_memo import file_name
from lodestone.studies.values import split_list

HERE = Path(__file__).resolve().parent
PICTURES = HERE / "img" / "studies"


def examples() -> dict[str, dict[str, str]]:
    """Return the examples by name."""
    return dict(read_yaml(HERE / "studies.yaml").data)


def words_of(example: dict[str, str]) -> list[str]:
    """Return the words of an example as ``lodestone sweep`` takes them."""
    return example["words"].split()


def make(name: str, root: Path) -> Path:
    """Run one example and keep the picture of its metric."""
    example = examples()[name]
    folder = root / name
    more = ["--threshold", example["threshold"]] if "threshold" in example else []
    status = main(["sweep", *words_of(example), *more, "--out", str(folder), "--workers", "1"])
    if status:
        raise SystemExit(status)
    PICTURES.mkdir(parents=True, exist_ok=True)
    (asked,) = (w.removeprefix("metric=") for w in words_of(example) if w.startswith("metric="))
    drawn = file_name(split_list(asked)[0], "by_point")
    return Path(shutil.copy(folder / "figures" / f"{drawn}.png", PICTURES / f"{name}.png"))


if __name__ == "__main__":
    for wanted in sys.argv[1:] or examples():
        print(make(wanted, Path("results") / "studies"))
