"""Write docs/questions.md: thirty questions with the command, the number and its band.

    python docs/questions.py [--worlds N]

Runs each scenario that docs/questions.yaml names once, asks it everything from the series of its worlds,
and throws the run away. Some six minutes with 64 worlds on two free cores.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
HEAD = """\
# Thirty questions

Written by `python docs/questions.py`; do not edit by hand. {worlds} worlds. The number is the median,
in brackets 5-95 % of the worlds. RUN is a folder that the command above it names;
`delta(...)` is the difference from the reference in the same world.
"""


def told(folder: Path, expressions: list[str], base: Path | None = None) -> str:
    """What a run says to metrics, in the sentences of a memo; a difference is told with its level.

    Parameters
    ----------
    folder
        The run.
    expressions
        Metrics, or ``delta(...)`` of them.
    base
        Run of the scenario as written, where the run is of a variant: differences are from it.
    """
    from lodestone.outputs.results import Results
    from lodestone.report.asked import Row, frame_of, title_of
    from lodestone.report.phrases import sentence
    from lodestone.report.reading import Reading
    from lodestone.report.together import sentences
    from lodestone.studies.again import metric_of_run
    from lodestone.studies.metrics import metric_of, unit_of

    reading = Reading(Results.load(folder))
    other = None if base is None else Results.load(base)
    rows = []
    for text in expressions:
        inner = text.removeprefix("delta(").removesuffix(")") if text.startswith("delta(") else text
        item = metric_of(inner)
        calm = None
        if other is not None:
            calm = metric_of_run(other, inner)
        elif reading.reference:
            calm = metric_of_run(reading.results, f"reference({inner})")
        picked = dict(item.selectors)
        title = title_of(frame_of(reading), item.name, picked)
        own = metric_of_run(reading.results, inner)
        rows.append(Row(inner, item.name, picked, unit_of(inner), title, own, calm))
    if base is None:
        return " ".join(sentences(reading, rows, len(rows)))
    text = " ".join(sentence(reading, row) for row in rows)
    text = text.replace("with and without the measures", "with and without the variant")
    text = text.replace("the measures change", "the variant changes")
    return text.replace("the reference", "the scenario as written")


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


def asked(folder: Path, item: dict[str, Any], base: Path | None = None) -> str:
    """What a finished run answers."""
    if item.get("table") == "bottlenecks":
        return binding(folder)
    return told(folder, item["ask"], base)


def command_of(item: dict[str, Any]) -> str:
    """The command of a question, as it is typed."""
    if "command" in item:
        return f"`{item['command']}`"
    if "run" not in item:
        return ""
    words = f"lodestone run {item['run']}"
    if "variant" in item:
        words = f"lodestone compare {item['run']} variant=[{item['variant']}]"
    asked = [f"lodestone metric RUN '{e}'" for e in item.get("ask", ())]
    return "<br>".join(
        f"`{w}`" for w in [words, *asked, *([item["also"]] if "also" in item else [])]
    )


def answers(questions: list[dict[str, Any]], worlds: int) -> dict[int, str]:
    """What each question gives, by its number from 1; a scenario is run once for all of its own."""
    import lodestone as lode

    out, runs = {}, {}
    for number, item in enumerate(questions, start=1):
        if "command" in item:
            out[number] = "the command's own table"
        elif "run" in item:
            runs.setdefault((item["run"], item.get("variant")), []).append((number, item))
        else:
            out[number] = f"not yet: {item['missing']}"
    for (name, variant), items in runs.items():
        with tempfile.TemporaryDirectory() as place:
            settings = {"worlds": worlds, "outputs": ["worlds"]}
            run = lode.run(name, variant=variant, out=Path(place) / "run", **settings)
            base = lode.run(name, out=Path(place) / "base", **settings) if variant else None
            for number, item in items:
                out[number] = asked(run.folder, item, base and base.folder)
                if "missing" in item:
                    out[number] += f"<br>not yet: {item['missing']}"
                print(number, item["text"], flush=True)
    return out


def main() -> None:
    """Ask everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int)
    typed = parser.parse_args()
    plan = yaml.safe_load((HERE / "questions.yaml").read_text(encoding="utf-8"))
    worlds = typed.worlds or int(plan["worlds"])
    lines = [HEAD.format(worlds=worlds), "| | question | command | answer |", "|---:|---|---|---|"]
    found = answers(plan["questions"], worlds)
    for number, item in enumerate(plan["questions"], start=1):
        cells = [str(number), item["text"], command_of(item), found[number]]
        lines.append("| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
    (HERE / "questions.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
