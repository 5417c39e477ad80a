"""The verbs of the Python interface."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.api.run import Run
from lodestone.api.study import StudyResult
from lodestone.border.errors import InputError
from lodestone.chain.overlay import seeds_in_use

if TYPE_CHECKING:
    import pandas as pd

    from lodestone.chain.nouns import Chain
    from lodestone.scenario import Scenario
    from lodestone.studies.request import Request

__all__ = [
    "backcast",
    "compare",
    "load",
    "load_chain",
    "load_scenario",
    "metrics",
    "run",
    "sweep",
    "table",
]

#: Short names of settings, as keywords.
SHORT = {
    "worlds": "ensemble.worlds",
    "seed": "ensemble.seed",
    "market_days": "clock.market_days",
    "formats": "report.formats",
}
#: Parts of a scenario that a change may begin with.
PARTS = ("start", "end", "interventions", "overrides", "reference", "decision_date")


def settings_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by their key, from keywords."""
    return {SHORT.get(k, k): v for k, v in given.items() if v is not None}


def full_key(key: str) -> str:
    """Return a key as the command line spells it: ``scenario.`` may be left out in Python."""
    if key.split(".")[0] in PARTS and key not in ("decision_date",):
        return f"scenario.{key}"
    return SHORT.get(key, key)


def load_chain(vintage: str = "2024") -> Chain:
    """Return the supply chain of a vintage: frozen, checked, with the source of every number."""
    from lodestone.chain import load

    return load.load_chain(vintage)


def load_scenario(
    name: str | Path,
    changes: Mapping[str, Any] | None = None,
    *,
    variant: str | None = None,
    overlays: Iterable[str] = (),
) -> Scenario:
    """Return a scenario, read and checked.

    Parameters
    ----------
    name
        A name of `lodestone list scenarios`, or the path of a YAML file.
    changes
        Values by dotted place: ``{"overrides.stockpile.japan.days": 60}``.
    variant, overlays
        To apply.

    Raises
    ------
    InputError
        With ``file``, ``key`` and ``hint``.
    """
    import lodestone.scenario as room

    own = {k.removeprefix("scenario."): _plain(v) for k, v in (changes or {}).items()}
    return room.load_scenario(name, variant=variant, overlays=tuple(overlays), overrides=own)


def run(
    name: str | Path | Scenario,
    changes: Mapping[str, Any] | None = None,
    *,
    worlds: int | None = None,
    variant: str | None = None,
    overlays: Iterable[str] = (),
    seeds: Path | str | None = None,
    progress: bool = False,
    **settings: Any,
) -> Run:
    """Run a scenario against its reference, as ``lodestone run`` does, to the bit.

    Parameters
    ----------
    name
        A scenario's name, the path of a YAML file, or a scenario of `load_scenario`.
    changes
        Values by dotted place: ``{"interventions.NAME.KEY": 45, "start": "2024-01-01"}``.
    worlds
        Replications (200).
    variant, overlays
        To apply.
    seeds
        Folder of rows of your own, laid over the shipped seeds.
    progress
        Show a progress bar.
    settings
        ``seed``, ``market_days``, ``workers``, ``out``, ``allocation``, ``discount_rate``,
        ``formats`` (of the report; none by default).

    Returns
    -------
    Run

    Raises
    ------
    InputError, ModelError
        As on the command line, which prints them.
    """
    from lodestone.cli.console import Progress
    from lodestone.runs.compose import compose_settings
    from lodestone.runs.simulate import simulate
    from lodestone.scenario.scenario import Scenario as Held

    given = settings_of({"formats": [], "worlds": worlds, **settings})
    held = compose_settings({k: str(v) if isinstance(v, Path) else v for k, v in given.items()})
    if isinstance(name, Held) and (changes or variant or tuple(overlays)):
        raise InputError(
            "a scenario that was read is run as it is", hint="Pass changes to lode.load_scenario()."
        )
    with seeds_in_use(seeds), Progress(quiet=not progress) as bar:
        if isinstance(name, Held):
            item = name
        else:
            item = load_scenario(name, changes, variant=variant, overlays=overlays)
        done = Run(simulate(item, held, progress=bar))
        if held.report_formats:
            done.report(held.report_formats)
    return done


def sweep(
    name: str | Path | Sequence[str],
    keys: Mapping[str, Any] | None = None,
    *,
    metrics: Sequence[str] | str = (),
    base: str | int | None = None,
    design: str = "grid",
    points: int | None = None,
    worlds: int | None = None,
    report: bool = False,
    progress: bool = False,
    yes: bool = False,
    seeds: Path | str | None = None,
    **settings: Any,
) -> StudyResult:
    """Run a scenario at many points, as ``lodestone sweep`` does; what is done is not run again.

    Parameters
    ----------
    name
        A scenario or several; or the folder of a study, which is then gone on with.
    keys
        What each key is to be: a list of values, text as on the command line
        (``"linspace(0,1,5)"``, ``"uniform(0,1)"``), or one value. ``scenario.`` may be left out.
    metrics
        What to show, with selectors.
    base
        The point from which differences are taken: its number, or ``"key=value"``.
    design, points
        ``grid``, ``zip``, ``lhs`` or ``sobol``; the number of sampled points.
    report
        Write figures and the report.
    yes
        Run it although it is large.
    seeds
        Folder of rows of your own, laid over the shipped seeds.
    settings
        As of `run`, and ``cluster``.

    Returns
    -------
    StudyResult

    Raises
    ------
    InputError
        Anything wrong with a word or a point, before anything runs.
    """
    with seeds_in_use(seeds):
        request = _request(
            name,
            {**(keys or {}), "design": design, "points": points, "base": base},
            [metrics] if isinstance(metrics, str) else list(metrics),
            settings_of({"worlds": worlds, **settings}),
        )
        return _run_study(request, yes=yes, report=report, progress=progress)


def _request(
    name: str | Path | Sequence[str],
    keys: Mapping[str, Any],
    metrics: Sequence[str],
    settings: dict[str, Any],
) -> Request:
    """Return what is asked, in full or as the folder of a study holds it."""
    from dataclasses import replace

    from lodestone.studies.request import CARRIED_OUT, STUDY_WORDS, request_from_values
    from lodestone.studies.study import open_study

    carried = {k: settings.pop(k) for k in CARRIED_OUT if k in settings}
    if isinstance(name, str | Path) and (Path(name) / "study.yaml").is_file():
        if settings or any(k not in STUDY_WORDS for k in keys):
            raise InputError("a study's folder is gone on with as it is", file=name)
        request = open_study(name).plan.request
        return replace(request, carried={**request.carried, **carried})
    names = [str(name)] if isinstance(name, str | Path) else [str(n) for n in name]
    given = {full_key(k): _plain(v) for k, v in keys.items()}
    return request_from_values(names, {**settings, **given}, metrics, carried)


def _run_study(request: Request, *, yes: bool, report: bool, progress: bool) -> StudyResult:
    from lodestone.cli.console import Progress
    from lodestone.report.study_memo import write_study_report
    from lodestone.studies.sweep import begin, measure, run_plan

    plan, folder = begin(request)
    size = measure(plan, folder)
    if (why := size.too_large()) and not yes:
        raise InputError(
            f"the study is large: {why} ({size.told()})", hint="Pass yes=True to run it."
        )
    with Progress(quiet=not progress) as bar:
        done = run_plan(plan, folder, bar)
    study = StudyResult(plan, folder, done["failed"])
    study.save()
    if report and study.points:
        write_study_report(study)
    return study


def _plain(value: Any) -> Any:
    """Return a value without numpy and dates, as the command line would have read it."""
    from datetime import date

    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value.isoformat() if isinstance(value, date) else value


def load(folder: Path | str) -> Run | StudyResult:
    """Open a run folder or a study folder.

    Raises
    ------
    InputError
        It is neither.
    """
    path = Path(folder)
    if (path / "study.yaml").is_file():
        from lodestone.studies.study import open_study

        found = open_study(path)
        return StudyResult(found.plan, found.store)
    return Run(path)


def compare(
    *what: Any,
    variant: str | Sequence[str] = (),
    out: Path | str | None = None,
    formats: Sequence[str] = ("html", "md"),
    **settings: Any,
) -> pd.DataFrame:
    """Compare runs, scenarios, variants or a study's points in the same worlds.

    Parameters
    ----------
    what
        Runs, run folders, names of scenarios, or a study; the first case is the base.
    variant
        ``all``, or names of variants of the scenarios.
    out
        Folder of the comparison; a new one under ``results/compare`` by default.
    formats
        Of its memo.
    settings
        Of the runs, as for `run`.

    Returns
    -------
    DataFrame
        A row a case and metric, with paired differences to the base; ``attrs["folder"]``.

    Raises
    ------
    InputError
        The cases do not hold the same worlds, or are fewer than two.
    """
    from lodestone.cli.comparing import compare_names

    names = [str(getattr(item, "folder", item)) for item in what]
    variants = [variant] if isinstance(variant, str) else list(variant)
    given = {k: v for k, v in settings_of(settings).items() if k != "report.formats"}
    table, _, folder = compare_names(
        names, [], given, variants, out, formats, "lode.compare(...)", True
    )
    table.attrs["folder"] = str(folder.resolve())
    return table


def backcast(*episodes: str | Path, worlds: int = 64, seed: int = 0, workers: int = 0) -> Any:
    """Replay history and score it fact by fact.

    Parameters
    ----------
    episodes
        Names or folders; all shipped episodes without any.

    Returns
    -------
    DataFrame
        A row a fact, with the columns of ``lodestone backcast --json``.
    """
    import pandas as pd

    from lodestone.backcast.episodes import find_episodes, load_episode, locate_episodes
    from lodestone.backcast.score import score

    names = [str(e) for e in episodes] or list(find_episodes())
    files = [path for name in names for path in locate_episodes(name)]
    loaded = [load_episode(path) for path in dict.fromkeys(files)]
    scored = score(loaded, worlds=worlds, seed=seed, workers=workers)
    return pd.DataFrame([v.row() for _, _, verdicts in scored for v in verdicts])


def metrics() -> pd.DataFrame:
    """Return every metric there is: ``metric, unit, title``."""
    import pandas as pd

    from lodestone.outputs.metrics import METRICS

    return pd.DataFrame(
        [{"metric": m.name, "unit": m.unit, "title": m.title} for m in METRICS.values()]
    )


def table(what: Any, metrics: Sequence[str], path: Path | str | None = None, **style: Any) -> Any:
    """Put metrics of runs and points of studies into one tidy table.

    Parameters
    ----------
    what
        A run, a study, a folder, or a list of them.
    metrics
        With selectors; ``delta(...)`` and ``reference(...)`` too.
    path
        Where to write it: CSV, Parquet or XLSX by the ending.
    style
        ``decimal_comma=True``: CSV with ``;`` and a decimal comma.

    Returns
    -------
    DataFrame
        ``run, scenario, variant, point``, swept keys, ``metric, unit, worlds, mean, p05, p50,
        p95``.
    """
    from lodestone.studies.tables import save_tidy, tidy

    items = list(what) if isinstance(what, list | tuple) else [what]
    found = tidy([i if isinstance(i, str | Path) else i.folder for i in items], metrics)
    if path is not None:
        save_tidy(found, Path(path), **style)
    return found
