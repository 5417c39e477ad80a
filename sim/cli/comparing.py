"""From words to cases: run folders, scenarios that are run for it, variants, points of a study."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError
from lodestone.border.words import unknown

if TYPE_CHECKING:
    import pandas as pd

    from lodestone.cli.verb import Words
    from lodestone.report.cases import Case
    from lodestone.runs.settings import Settings
    from lodestone.scenario import Scenario

__all__ = ["cases_of", "compare_words"]


def compare_words(words: Words) -> tuple[pd.DataFrame, list[Path], Path]:
    """Compare what was typed after the verb; return the table, the files and the folder."""
    from lodestone.runs.settings import settings_from_flat

    pairs = list(words.pairs)
    variants = [p.partition("=")[2] for p in pairs if p.startswith("variant=")]
    pairs = [p for p in pairs if not p.startswith(("variant=", "out="))]
    out = [p.partition("=")[2] for p in words.pairs if p.startswith("out=")]
    given = dict(words.settings)
    target = given.pop("out", None) or (out[-1] if out else None)
    formats = [f for f in words.flags.get("--format", "html,md").split(",") if f]
    settings_from_flat({"report.formats": formats})  # refused before anything is run
    quiet = words.on("--quiet") or words.on("--json")
    typed = ["lodestone", "compare", *words.names, *words.pairs]
    return compare_names(
        words.names, pairs, given, variants, target, formats, shlex.join(map(str, typed)), quiet
    )


def compare_names(
    names: Sequence[str],
    pairs: Sequence[str],
    settings: dict[str, Any],
    variants: Sequence[str],
    out: str | Path | None,
    formats: Sequence[str],
    command: str,
    quiet: bool,
) -> tuple[pd.DataFrame, list[Path], Path]:
    """Gather the cases, run what is missing, and write the comparison."""
    from lodestone.outputs.provenance import sha
    from lodestone.report.cases import Comparison
    from lodestone.report.compare import write_comparison

    cases = cases_of(names, pairs, settings, variants, quiet)
    held = Comparison(tuple(cases))
    if out is None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        out = Path("results") / "compare" / f"{stamp}-{sha(command)}"
    folder = Path(out).expanduser()
    if folder.exists() and not folder.is_dir():
        raise InputError("is a file, not a folder", file=folder, key="out")
    made = write_comparison(cases, folder, formats, command)
    return held.table(), made, folder


#: What days are counted from at a point of a study, whose shock may be drawn or swept.
FIRST_MEASURE = "the first own measure"


def cases_of(
    names: Sequence[str],
    pairs: Sequence[str],
    settings: dict[str, Any],
    variants: Sequence[str],
    quiet: bool,
) -> list[Case]:
    """Return the cases of what was named, in order; scenarios are run where they must be.

    Raises
    ------
    InputError
        There are fewer than two; known before anything is run.
    """
    from lodestone.report.cases import case_of_run

    if not names:
        raise InputError(
            "names nothing to compare",
            key="lodestone compare",
            hint="See 'lodestone compare --help'.",
        )
    found: list[Case | tuple[Scenario, Settings]] = []
    for name in names:
        path = Path(name).expanduser()
        if (path / "study.yaml").is_file():
            found += _points(path)
        elif path.is_dir():
            found.append(case_of_run(path))
        else:
            found += _scenarios(name, pairs, settings, variants)
    if len(found) < 2:
        raise InputError(
            "needs two cases or more",
            key="lodestone compare",
            hint="Name a second run or scenario, or write variant=all.",
        )
    return [case_of_run(_run(*one, quiet)) if isinstance(one, tuple) else one for one in found]


def _scenarios(
    name: str, pairs: Sequence[str], settings: dict[str, Any], variants: Sequence[str]
) -> list[tuple[Scenario, Settings]]:
    from lodestone.runs.job import job_from_words

    job = job_from_words([name], pairs, {**settings, "report.formats": []})
    base = replace(job.settings, out=None)
    (whole,) = job.load()
    known = list(whole.variants)
    wanted: list[str | None] = [None]
    for word in variants:
        if word == "all":
            if not known:
                raise InputError("has no variants", key=f"{name} variant=all")
            wanted += known
        else:
            wanted += [w.strip() for w in word.strip("[]").split(",") if w.strip()]
    for variant in wanted[1:]:
        if variant not in known:
            raise unknown("variant", str(variant), known, key=f"{name} variant")
    return [(replace(job, variant=v).load()[0], base) for v in dict.fromkeys(wanted)]


def _run(scenario: Scenario, settings: Settings, quiet: bool) -> Path:
    """Return the folder of a finished run of the same content, or run it."""
    from lodestone.cli.console import Progress, say
    from lodestone.runs.folders import finished_folder
    from lodestone.runs.ready import ready
    from lodestone.runs.simulate import simulate

    if settings.cluster is not None:
        raise InputError(
            "a comparison is carried out on this machine",
            key="cluster",
            hint="Leave it out; 'lodestone run' and 'lodestone sweep' take a cluster.",
        )
    ready(scenario, settings)
    found = finished_folder(scenario, settings)
    if found is not None:
        return found
    told = scenario.name + (f" ({scenario.variant})" if scenario.variant else "")
    if not quiet:
        say(f"running {told}")
    with Progress(quiet=quiet) as progress:
        return Path(simulate(scenario, settings, progress=progress))


def _points(folder: Path) -> list[Case]:
    import pandas as pd

    from lodestone.report.asked import Frame
    from lodestone.report.cases import case_of_point
    from lodestone.studies.points import short_names
    from lodestone.studies.study import open_study

    study = open_study(folder)
    if not study.points:
        raise InputError(
            "holds no finished point of this version of the data and code",
            file=folder,
            key="lodestone compare",
            hint="Run the sweep again; what is finished is not repeated.",
        )
    names = short_names(study.keys)
    cases = []
    for point in study.points:
        label = ", ".join(f"{names[k]}={v}" for k, v in point.values.items())
        scenario = point.scenario
        happens = {
            n: i.written() for n, i in scenario.interventions.items() if i.role == "disruption"
        }
        cases.append(
            case_of_point(
                label or point.key,
                study.worlds(point),
                point.settings.seed,
                scenario.vintage,
                asked=(*study.plan.request.metrics, *scenario.headline, *study.plan.shown),
                frame=Frame(pd.Timestamp(scenario.end) - pd.Timedelta(days=1), FIRST_MEASURE),
                happens=happens,
                shocks=study.shocks(point),
            )
        )
    return cases
