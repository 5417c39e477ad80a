"""Write what the documentation takes from the program: `python docs/build.py [--check] [RUN]`.

`docs/interventions.md` comes from the registry of interventions, `docs/claims.md` from the register
of press claims and the stored verdicts, the table in `docs/verdicts.md` from
`docs/verdicts.csv`, `docs/systems.md` from the table of systems, `docs/scenarios.md`
from the scenario files. With
a run folder of `licence_shock_april_2025`, `docs/img/shortage.png` is drawn from it as well. `--check`
writes nothing and says whether the text is up to date.

`python docs/build.py --verdicts [NAME ...]` runs the scenarios named, or all that have a hypothesis,
with 64 worlds and writes their rows of `docs/verdicts.csv` (`--worlds N`, `--workers N`).

`python docs/build.py --predictions` writes `docs/predictions.md` from `seeds/predictions.yaml`. It refuses
to where anything is changed against the commit, because the page names it (`--draft` marks the page).

`python docs/build.py --pictures [KIND ...]` runs the example of each kind of intervention against its
reference and draws `docs/img/kind_KIND.png` (see `docs/pictures.py`); about three minutes for all.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
PICTURE = "shortage_by_region"

HEAD = """\
# Kinds of intervention

Written by `python docs/build.py` from the registry in `sim/interventions/`; do not edit by hand.
`lodestone list interventions KIND` prints the same.

An intervention is a named entry under `interventions:` in a scenario file. The order never matters.
It changes the rules, never the goods: at every step the rules are put together anew from those in
force, so two that overlap end correctly.

How to read the tables: `required` has no default. *Range* is what the program accepts, not what is
likely. *Source* is a key of the bibliography or of the assumptions (`lodestone sources KEY`);
`definition` marks a switch or a neutral value. Wherever a unit stands, a number may be a
distribution, drawn once per world:

```yaml
processing_days: {dist: triangular, low: 30, mode: 63, high: 100}   # also uniform, normal, lognormal, choice
```

Each kind is shown alone: its example is run on the chain of 2024 with and without it (16 worlds, from
`python docs/build.py --pictures`). A kind that needs something to act on gets it in both cases, and the
caption says so. Sizes and dates of the examples are made up, large enough to be seen; each is a
scenario that can be run, `lodestone run docs/examples/export_ban.yaml`, or copied.

A number that may also be a path over time is a mapping from dates: `{2025-04-04: 0.0, 2025-06-04: 0.25}`,
each value holding from its date on. Materials are names, `all`, `ndfeb_magnets`, or a form
(`concentrates`, `oxides`, `metals`, `magnets`); places are regions, countries, blocs or `all`.
"""


CLAIMS = """\
# Press claims

Written by `python docs/build.py` from `seeds/claims.csv` and `seeds/claims_verdicts.csv`; do not edit
by hand. `lodestone claims` prints the verdicts, `lodestone claims --refresh --worlds 64` makes them
anew, `lodestone claims SCENARIO` asks one scenario.

{counts}

*Inside* means that the range of the words and ours (the data, or 5-95 % of the worlds) meet; *outside*
that they do not. Words without a number are read as one (A71); numbers are rounded (A70); links of
the base year are known by fit (A72).
"""


VERDICTS = DOCS / "verdicts.csv"
VERDICT_COLUMNS = (
    "scenario", "reference", "worlds", "seed", "confirmed", "refuted", "confirmed_if", "refuted_if",
)  # fmt: skip
#: The table stands between these lines of `docs/verdicts.md`; all else there is written by hand.
MARKS = ("<!-- table of docs/verdicts.csv -->\n", "<!-- end of the table -->\n")
CATALOGUE = """\
# Scenarios by question

Written by `python docs/build.py` from `scenarios/`; do not edit by hand. `lodestone list scenarios`
prints the same, `lodestone show NAME` all there is to know of one. A variant is run with `variant=NAME`,
an overlay is laid over any scenario with `overlays=[NAME]`.
"""


SYSTEMS = """\
# From the press to the model

Written by `python docs/build.py` from `seeds/systems.csv`; do not edit by hand.

The press articles behind this project name {count} levers, projects, pacts, mechanisms and actors.
Each row says with which kinds of intervention it is described, in which scenarios and overlays it
acts, and which test holds it to its word. {none} rows cannot be simulated; the last column says why.
A test reads the table: no row is empty, and every name in it exists.
"""


def main(words: list[str]) -> int:
    """Write or check the documents; return the exit status."""
    sys.path.insert(0, str(DOCS.parent))
    contrary = False
    if "--verdicts" in words:
        words = [w for w in words if w != "--verdicts"]
        worlds, workers = (_taken(words, k, v) for k, v in (("--worlds", 64), ("--workers", 1)))
        judge_scenarios(words, worlds, workers)
        words = []
    if "--predictions" in words:
        page = DOCS / "predictions.md"
        page.write_text(predictions("--draft" in words), encoding="utf-8")
        print(page)
        return 0
    if "--pictures" in words:
        contrary = draw_kinds([w for w in words if w != "--pictures"])
        words = []
    pages = {
        DOCS / "interventions.md": interventions(),
        DOCS / "claims.md": claims(),
        DOCS / "verdicts.md": verdicts(),
        DOCS / "systems.md": systems(),
        DOCS / "scenarios.md": scenarios(),
    }
    if "--check" in words:
        old = [p for p, text in pages.items() if not (p.is_file() and p.read_text("utf-8") == text)]
        for page in old:
            print(f"{page.name} is out of date: run python docs/build.py", file=sys.stderr)
        bare = _kinds_without_picture()
        for kind in bare:
            print(
                f"{kind} has no picture: run python docs/build.py --pictures {kind}",
                file=sys.stderr,
            )
        return 1 if old or bare else 0
    for page, text in pages.items():
        page.write_text(text, encoding="utf-8")
    for folder in words:
        picture(Path(folder))
    return 1 if contrary else 0


PREDICTIONS = """\
# Predictions

Written by `python docs/build.py --predictions`; do not edit by hand. {standing}

Made with commit `{commit}` (code `{code}`, seeds `{seeds}`), {worlds} worlds of the scenario `current_law`,
behaviour from `seeds/posterior.csv`, everything else drawn. Bands are 5 to 95 %: the spread of the worlds
and the model's discrepancy for facts of this kind together, scaled by {scale:.2f} as cross-validation asks
(`docs/scorecard.md`). {breath}

**Hit**: the published value lies inside the band. **Miss**: it lies outside. **Void**: what decides it is
not published, as said in each row, or the state of the world is another one than the scenario's: a law,
ban, quota, licence regime or closure that changes the good of the prediction came into force after this
page was made and before its last date, and `scenarios/current_law.yaml` of this commit draws it in no
world. Void is said by whoever scores, with the measure named; it needs no consent of ours. Nothing is
scored twice, and no prediction is taken back. Of six honest bands one may miss.

"""


def predictions(draft: bool) -> str:
    """The page of pre-registered predictions, from the commit as it stands."""
    import subprocess

    from lodestone.calibration.card import breath
    from lodestone.calibration.kept import scale_of_kept, shipped_facts
    from lodestone.calibration.predictions import WORLDS, predict
    from lodestone.outputs.provenance import code_hash, commit, seeds_hash

    changed = subprocess.run(
        ["git", "status", "--porcelain", "--", "sim", "seeds", "scenarios", "configs"],
        cwd=DOCS.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if (changed.returncode or changed.stdout.strip()) and not draft:
        sys.exit("uncommitted changes: a prediction names its commit (or --draft)")
    rows = shipped_facts()
    standing = (
        "**A draft**: it registers nothing. The model of prices is still being changed."
        if draft
        else "Registered by the commit that adds this page."
    )
    text = PREDICTIONS.format(
        standing=standing, commit=commit(), code=code_hash(), seeds=seeds_hash("2024"), worlds=WORLDS,
        scale=scale_of_kept(rows), breath=breath(rows),
    )  # fmt: skip
    lines = [
        "| | what | 5 % | median | 95 % | unit | decided | by | void where |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for item in predict():
        values = " | ".join(f"{x:.3g}" for x in (item.p05, item.p50, item.p95))
        lines.append(
            f"| {item.fact.id} | {item.fact.text} | {values} | {item.fact.unit} | from "
            f"{item.resolved} | {item.by} | {item.void} |"
        )
    return text + "\n".join(lines) + "\n"


def _kinds_without_picture() -> list[str]:
    from lodestone.interventions import REGISTRY

    return [k for k in sorted(REGISTRY) if not (DOCS / "img" / f"kind_{k}.png").is_file()]


def draw_kinds(kinds: list[str]) -> bool:
    """Draw what kinds, or all of them, do alone; return whether one contradicts its words."""
    from lodestone.interventions import REGISTRY

    unknown = [k for k in kinds if k not in REGISTRY]
    if unknown:
        sys.exit(f"no kind of intervention: {', '.join(unknown)}")
    # Run as a script, this folder is on the path; tests and others may not have it there.
    sys.path.insert(0, str(DOCS))
    from pictures import draw

    contrary = False
    for kind, paths, size in draw(kinds or sorted(REGISTRY)):
        print(f"{kind} ({size / 1000:.0f} kB)")
        for path in paths:
            word = "" if path.as_said() else f"  NOT {path.panel.goes}, AS ITS EXAMPLE SAYS"
            contrary |= bool(word)
            print(f"  {path.panel.title}: {path.moved():+.3g} {path.panel.unit}{word}")
    return contrary


def _taken(words: list[str], key: str, otherwise: int) -> int:
    """Take an option with a number out of the words."""
    if key not in words:
        return otherwise
    at = words.index(key)
    value = int(words[at + 1])
    del words[at : at + 2]
    return value


def with_hypothesis() -> list[str]:
    """Return the names of the shipped scenarios that have a hypothesis to judge."""
    from lodestone.border.paths import data_root
    from lodestone.scenario import load_scenario

    paths = sorted(data_root("scenarios").glob("*.yaml"))
    return [p.stem for p in paths if load_scenario(p).hypothesis.get("confirmed_if")]


def verdict_rows() -> dict[str, dict[str, str]]:
    """Return the stored verdicts by scenario."""
    if not VERDICTS.is_file():
        return {}
    with VERDICTS.open(encoding="utf-8", newline="") as file:
        return {row["scenario"]: row for row in csv.DictReader(file)}


def judge_scenarios(names: list[str], worlds: int = 64, workers: int = 1) -> None:
    """Run scenarios and write their rows of the stored verdicts; rows of others stay."""
    from dataclasses import replace

    from lodestone.border.files import csv_text, save_text
    from lodestone.runs.settings import Settings
    from lodestone.runs.simulate import simulate
    from lodestone.scenario import load_scenario

    known = with_hypothesis()
    for name in names or known:
        if name not in known:
            sys.exit(f"{name} is no shipped scenario with a hypothesis: {', '.join(known)}")
        scenario = load_scenario(name)
        with tempfile.TemporaryDirectory(prefix="lodestone-verdict-") as top:
            out = Path(top) / name
            settings = replace(
                Settings(), worlds=worlds, workers=workers, report_formats=(), out=out
            )
            folder = simulate(scenario, settings)
            with (folder / "verdict.csv").open(encoding="utf-8", newline="") as file:
                found = {row["kind"]: row for row in csv.DictReader(file)}
        rows = {k: row for k, row in verdict_rows().items() if k in known}
        shares = {k: f"{float(found[k]['probability']):.3f}" for k in found}
        rows[name] = {
            "scenario": name,
            "reference": str(scenario.reference),
            "worlds": str(worlds),
            "seed": str(settings.seed),
            "confirmed": shares["confirmed_if"],
            "refuted": shares["refuted_if"],
            "confirmed_if": scenario.hypothesis["confirmed_if"],
            "refuted_if": scenario.hypothesis["refuted_if"],
        }
        table = [[rows[n][c] for c in VERDICT_COLUMNS] for n in sorted(rows)]
        save_text(VERDICTS, csv_text(VERDICT_COLUMNS, table))
        print(f"{name}: confirmed {rows[name]['confirmed']}, refuted {rows[name]['refuted']}")


def verdicts() -> str:
    """Return `docs/verdicts.md` with the table of the stored verdicts in its place."""
    from lodestone.scenario import load_scenario

    page = DOCS / "verdicts.md"
    before, _, rest = page.read_text("utf-8").partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    table = _rows(
        ("scenario", "hypothesis", "against", "confirmed", "refuted", "neither", "worlds"),
        (
            (
                f"`{name}`",
                load_scenario(name).hypothesis["text"],
                f"`{row['reference']}`",
                f"{100 * float(row['confirmed']):.0f} %",
                f"{100 * float(row['refuted']):.0f} %",
                f"{100 * (1 - float(row['confirmed']) - float(row['refuted'])):.0f} %",
                row["worlds"],
            )
            for name, row in verdict_rows().items()
        ),
    )
    return f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{after}"


def interventions() -> str:
    """Return `docs/interventions.md` as the registry would have it."""
    from lodestone.interventions import REGISTRY
    from lodestone.interventions.base import Intervention

    parts = [HEAD, "## Keys common to all kinds\n", _table(Intervention, Intervention, True)]
    for kind in sorted(REGISTRY):
        model = REGISTRY[kind]
        parts.append(f"## {kind}\n\n{_sentence(model.title)}\n")
        parts.append(_example(kind))
        for group in model.one_of:
            ways = " or ".join(" with ".join(f"`{key}`" for key in way) for way in group)
            parts.append(f"Give exactly one of: {ways}.\n")
        parts.append(_table(model, Intervention, False))
    return "\n".join(parts)


def _example(kind: str) -> str:
    """Return picture, caption and interventions of the example of a kind."""
    from lodestone.scenario import load_mapping

    path = DOCS / "examples" / f"{kind}.yaml"
    data = load_mapping(path).data
    text = path.read_text("utf-8")
    snippet = text[text.index("\ninterventions:") + 1 :].rstrip()
    ground = data["reference"]
    caption = " ".join(data["narrative"].split())
    if ground != "calm_2024":
        also = load_mapping(DOCS / "examples" / f"{ground}.yaml").data["title"]
        caption += f" Both cases stand on [{ground}](examples/{ground}.yaml): {also[0].lower() if also[:2] == 'A ' else also[0]}{also[1:]}."
    return (
        f"![{data['title']}](img/kind_{kind}.png)\n\n*{caption}*\n\n"
        f"From [examples/{kind}.yaml](examples/{kind}.yaml):\n\n```yaml\n{snippet}\n```\n"
    )


def claims() -> str:
    """Return `docs/claims.md`: verdicts, contradictions and what they bear on, reasons for no test."""
    from lodestone.chain.load import load_chain
    from lodestone.claims import stored_rows, tally

    chain, rows = load_chain(), {row["claim"]: row for row in stored_rows()}
    counts = tally(rows.values())
    tested = counts["inside"] + counts["outside"]
    parts = [
        CLAIMS.format(
            counts=f"{len(rows)} claims; {tested} tested, of which {counts['inside']} inside and "
            f"{counts['outside']} outside; {counts['not testable']} not testable."
        ),
        "## Tested\n",
        _rows(
            ("claim", "statement", "our grade", "verdict", "against", "why", "note"),
            (
                (
                    k,
                    r["statement"],
                    r["grade"],
                    r["verdict"],
                    r["tested"],
                    r["why"],
                    chain.claims[k].note,
                )
                for k, r in rows.items()
                if r["tested"]
            ),
        ),
        "## Claims that contradict each other\n",
        "Where two bear on one number of ours with a range, the range spans both and the row names both.\n",
        _rows(("claim", "against", "bears on", "range there"), _pairs(chain)),
        "## Not testable\n",
        _rows(
            ("claim", "statement", "our grade", "why", "note"),
            (
                (k, r["statement"], r["grade"], r["why"], chain.claims[k].note)
                for k, r in rows.items()
                if not r["tested"]
            ),
        ),
    ]
    return "\n".join(parts)


def systems() -> str:
    """Return `docs/systems.md`: what the press names, and what runs it, group by group."""
    import csv

    from lodestone.border.paths import seeds_root

    with (seeds_root() / "systems.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    none = sum(bool(row["reason"]) for row in rows)
    parts = [SYSTEMS.format(count=len(rows), none=none)]
    for group in dict.fromkeys(row["group"] for row in rows):
        parts.append(f"## {group}\n")
        cells = [
            (
                row["system"],
                row["thing"],
                row["claims"].replace(";", ", "),
                *(_code(row[key]) for key in ("kinds", "scenarios", "overlays")),
                f"`{row['test'].split('::')[1]}`",
                row["reason"],
            )
            for row in rows
            if row["group"] == group
        ]
        head = ("system", "is a", "claims", "kinds", "scenarios", "overlays", "test", "why not")
        parts.append(_rows(head, cells))
    return "\n".join(parts)


def scenarios() -> str:
    """Return `docs/scenarios.md`: the shipped scenarios by group and question, and the overlays."""
    from lodestone.border.paths import data_root
    from lodestone.cli.catalogue import group_of
    from lodestone.scenario import load_mapping
    from lodestone.scenario.layers import GROUPS

    folder = data_root("scenarios")
    rows: dict[str, list[tuple[str, ...]]] = {group: [] for group in GROUPS}
    for path in sorted(folder.glob("*.yaml")):
        data = load_mapping(path).data
        variants = ";".join(data.get("variants") or {})
        cells = (data["question"].strip(), f"`{path.stem}`", _code(variants))
        rows[group_of(path.stem, path)].append(cells)
    parts = [CATALOGUE]
    for group, what in GROUPS.items():
        if rows[group]:
            parts.append(f"## {group.capitalize()}: {what}\n")
            parts.append(_rows(("question", "scenario", "variants"), rows[group]))
    laid = []
    for path in sorted((folder / "overlays").glob("*.yaml")):
        data = load_mapping(path, overlay=True).data
        laid.append((data["question"].strip(), f"`{path.stem}`"))
    return "\n".join([*parts, "## Overlays\n", _rows(("question", "overlay"), laid)])


def _code(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split(";") if name)


def _pairs(chain: Any) -> list[tuple[str, ...]]:
    """Return every pair of claims in conflict, with the rows of ours that cite both."""
    found = []
    for name, item in chain.claims.items():
        for other in item.conflicts_with:
            if other < name:
                continue
            places = sorted({p for p in (item.parameter, chain.claims[other].parameter) if p})
            ranges = [
                f"{getattr(row, 'name', '') or getattr(row, 'item', '')}: {row.low:g} to {row.high:g}"
                for table in ("parameters", "costs")
                for _, row in chain.tables[table]
                if {name, other} <= set(row.source) and row.low is not None and row.high is not None
            ]
            both = [f"{c}: {chain.claims[c].statement}" for c in (name, other)]
            found.append((*both, ", ".join(places), "; ".join(ranges)))
    return found


def _rows(head: tuple[str, ...], rows: Any) -> str:
    """Return a table in Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(c).replace("|", "\\|") for c in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _table(model: Any, base: Any, common: bool) -> str:
    from lodestone.cli.catalogue import shown

    rows = ["| key | default | unit | range | meaning | source |", "|---|---|---|---|---|---|"]
    for key, info in model.model_fields.items():
        if not common and key in base.model_fields:
            continue
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        required = info.is_required()
        default = "required" if required else shown(info.get_default(call_default_factory=True))
        unit = extra.get("unit") or (f"names of {extra['names']}" if "names" in extra else "")
        choices = _choices(info.annotation)
        cells = [
            f"`{key}`",
            default,
            unit,
            choices or _range(extra.get("low"), extra.get("high")),
            info.description or "",
            f"`{extra['source']}`" if extra.get("source") else "",
        ]
        rows.append("| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |")
    return "\n".join(rows) + "\n"


def _choices(annotation: Any) -> str:
    """Return the words that a key may take, where it takes words of a list."""
    from typing import Literal, get_args, get_origin

    options = [annotation, *get_args(annotation)]
    for option in options:
        if get_origin(option) is Literal:
            return ", ".join(str(word) for word in get_args(option))
    return ""


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    if high is None:
        return f"from {low:g}"
    if low is None:
        return f"to {high:g}"
    return f"{low:g} to {high:g}"


def picture(folder: Path) -> None:
    """Copy the picture of the README out of a run folder, drawing the figures if need be."""
    drawn = folder / "figures" / f"{PICTURE}.png"
    if not drawn.is_file():
        from lodestone.report import draw_figures

        draw_figures(folder)
    (DOCS / "img").mkdir(exist_ok=True)
    (DOCS / "img" / "shortage.png").write_bytes(drawn.read_bytes())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
