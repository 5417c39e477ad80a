"""Write docs/questions.md: thirty questions with the command, the number and its band.

    python docs/questions.py [--worlds N]

Runs each scenario that docs/questions.yaml names once (a finished run of the same content is taken
up), and asks it. Half an hour with 100 worlds on two cores.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
HEAD = """\
# Thirty questions

Written by `python docs/questions.py`; do not edit by hand. {worlds} worlds. The number is the median,
in brackets 5-95 % of the worlds. `lodestone metric RUN 'EXPRESSION'` asks a finished run for any of
them; `delta(...)` is the difference from the reference in the same world.
"""


def told(folder: Path, expression: str) -> str:
    """A metric of a run as `median unit (5 to 95 %)`."""
    from lodestone.report.phrases import shown
    from lodestone.studies.tables import tidy

    row = tidy([folder], [expression]).iloc[0]
    unit = str(row.get("unit") or "")
    low, middle, high = (float(row[q]) for q in ("p05", "p50", "p95"))
    return shown(low, middle, high, unit, signed=expression.startswith("delta("))


def binding(folder: Path) -> str:
    """What binds most in each year, with the share of worlds."""
    import pandas as pd

    table = pd.read_csv(folder / "bottlenecks.csv", keep_default_na=False)
    table = table[table["region"] == "all"].assign(year=table["date"].str[:4])
    sums = table.groupby(["year", "binding_stage", "binding_element"])["share_of_worlds"].mean()
    best = sums.groupby("year").idxmax()
    return "; ".join(
        f"{year}: {stage} ({element}, {100 * sums[(year, stage, element)]:.0f} % of worlds)"
        for year, stage, element in best
    )


def answer(item: dict[str, Any], worlds: int) -> tuple[str, str]:
    """The command of a question and what it gives."""
    if "command" in item:
        return f"`{item['command']}`", "the command's own table"
    if "run" not in item:
        return "", f"not yet: {item['missing']}"
    import lodestone as lode

    variant = item.get("variant")
    run = lode.run(item["run"], worlds=worlds, variant=variant)
    words = f"lodestone run {item['run']}" + (f" variant={variant}" if variant else "")
    if item.get("table") == "bottlenecks":
        result = binding(run.folder)
    else:
        result = "<br>".join(f"`{e}`: {told(run.folder, e)}" for e in item["ask"])
    if "also" in item:
        words += f"`<br>`{item['also']}"
    if "missing" in item:
        result += f"<br>not yet: {item['missing']}"
    return f"`{words}`", result


def main() -> None:
    """Ask everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int)
    typed = parser.parse_args()
    plan = yaml.safe_load((HERE / "questions.yaml").read_text(encoding="utf-8"))
    worlds = typed.worlds or int(plan["worlds"])
    lines = [HEAD.format(worlds=worlds), "| | question | command | answer |", "|---:|---|---|---|"]
    for number, item in enumerate(plan["questions"], start=1):
        command, result = answer(item, worlds)
        cells = [str(number), item["text"], command, result]
        lines.append("| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
        print(number, item["text"], flush=True)
    (HERE / "questions.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
