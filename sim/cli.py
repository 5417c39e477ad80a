"""The command line: words typed, one call, an exit status. No logic and no defaults of its own.

Exit status: 0 done; 2 the input is wrong; 3 a check of the model failed; 130 interrupted;
1 anything else.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.errors import InputError, ModelError
from lodestone.words import suggestion, unknown

if TYPE_CHECKING:
    from lodestone.config import Settings
    from lodestone.scenario import Scenario

__all__ = ["VERBS", "guarded", "main", "run_job"]


# --------------------------------------------------------------------------- errors to exit status


def guarded(work: Callable[[], int]) -> int:
    """Call `work` and turn what goes wrong into one message and an exit status."""
    try:
        status = work()
        sys.stdout.flush()
        return status
    except InputError as error:
        return _fail(str(error), 2)
    except ModelError as error:
        return _fail(f"a check of the model failed: {error}. Nothing is reported as a result.", 3)
    except KeyboardInterrupt:
        return _fail("interrupted. Finished work is kept; the same command takes it up again.", 130)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - keeps the final flush silent
        return 0
    except OSError as error:
        return _os_failure(error)
    except MemoryError:
        return _fail("out of memory. Use fewer worlds or workers: ensemble.worlds=, workers=.", 1)


def _fail(message: str, status: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    print(f"lodestone: {message}", file=sys.stderr, flush=True)
    return status


def _os_failure(error: OSError) -> int:
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _fail(
            f"{where}the disk is full. Free some space or choose another folder with out=DIR; "
            "no half-written file was left under its final name.",
            1,
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR):
        return _fail(
            f"{where}{error.strerror}. Choose a folder you may write to, for example with out=DIR.",
            2,
        )
    if os.environ.get("LODESTONE_DEBUG"):
        raise error
    return _fail(f"{where}{error.strerror or error}", 1)


# --------------------------------------------------------------------------- reading the words


@dataclass
class Words:
    """What was typed after the verb: names, ``key=value`` words, and flags with their values."""

    names: list[str] = field(default_factory=list)
    pairs: list[str] = field(default_factory=list)
    flags: dict[str, str] = field(default_factory=dict)

    def on(self, flag: str) -> bool:
        """Whether a switch was given."""
        return flag in self.flags

    def one(self, what: str, verb: str) -> str:
        """Return the only name, or say what is missing."""
        if not self.names:
            raise InputError(f"names no {what}", key=verb, hint=f"See 'lodestone {verb} --help'.")
        if len(self.names) > 1:
            raise InputError(
                f"takes one {what}, got {', '.join(self.names)}", key=f"lodestone {verb}"
            )
        return self.names[0]

    def no_pairs(self, verb: str) -> None:
        """Refuse ``key=value`` words where none are meant."""
        if self.pairs:
            raise InputError(f"'{self.pairs[0]}' means nothing here", key=f"lodestone {verb}")


_SHORT = {"-q": "--quiet", "-h": "--help"}
_SWITCHES = ("--quiet", "--json", "--help")


def _split(
    argv: Sequence[str], verb: str, valued: Sequence[str] = (), switches: Sequence[str] = ()
) -> Words:
    """Sort the words after a verb; `valued` are its flags with a value, `switches` those without.

    ``--json`` is a switch, except where it is one of `valued`: then it may name a file.
    """
    words = Words()
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            is_pair = "=" in word and not Path(word).exists()
            (words.pairs if is_pair else words.names).append(word)
            continue
        flag, sign, value = word.partition("=")
        flag = _SHORT.get(flag, flag)
        if flag in words.flags:
            raise InputError("is given twice", key=flag)
        if (flag in _SWITCHES or flag in switches) and flag not in valued:
            if sign:
                raise InputError("takes no value", key=flag)
            words.flags[flag] = ""
        elif flag in valued:
            if not sign:
                if not rest and flag == "--json":
                    rest = ["-"]
                if not rest:
                    raise InputError("needs a value", key=flag, hint=f"Write {flag} VALUE.")
                value = rest.pop(0)
            words.flags[flag] = value
        else:
            known = [*valued, *switches, *_SWITCHES]
            raise InputError(
                f"unknown option '{flag}'",
                key=f"lodestone {verb}",
                hint=f"{suggestion(flag, known)} See 'lodestone {verb} --help'.".strip(),
            )
    return words


def _setting_flags() -> dict[str, str]:
    """Return setting keys by their flag."""
    from lodestone.config import SETTINGS

    return {s.flag: s.key for s in SETTINGS.values() if s.flag}


# --------------------------------------------------------------------------- verbs


def _list(argv: Sequence[str]) -> int:
    from lodestone.catalogue import CATEGORIES, catalogue, filtered, intervention_keys
    from lodestone.console import print_table, say

    words = _split(argv, "list")
    words.no_pairs("list")
    if not words.names:
        rows = [{"category": c, "command": f"lodestone list {c}"} for c in CATEGORIES]
        print_table(rows, ["category", "command"], as_json=words.on("--json"))
        return 0
    category, *filters = words.names
    rows = catalogue(category)
    if category.startswith("intervention") and len(filters) == 1:
        kinds = [row["kind"] for row in rows]
        if filters[0] in kinds:
            rows, filters = intervention_keys(filters[0]), []
    everything = rows
    for word in filters:
        rows = filtered(rows, word)
    if not rows:
        if everything:
            first = next(iter(everything[0]))
            hint = suggestion(filters[0], [str(row[first]) for row in everything])
            say(f"no {category} match '{' '.join(filters)}'. {hint}".rstrip())
        else:
            say(f"there are no {category}")
        if words.on("--json"):
            print("[]")
        return 0
    numeric = [c for c in rows[0] if all(isinstance(r[c], int | float | None) for r in rows)]
    print_table(rows, list(rows[0]), as_json=words.on("--json"), right=numeric)
    return 0


def _load(words: Words, name: str) -> Scenario:
    from lodestone.config import job_from_words

    return job_from_words([name], words.pairs).load()[0]


def _show(argv: Sequence[str]) -> int:
    from lodestone.catalogue import levers, relative, source_rows
    from lodestone.chain.load import load_chain
    from lodestone.console import paragraph, print_table

    words = _split(argv, "show")
    scenario = _load(words, words.one("scenario", "show"))
    if words.on("--json"):
        print(json.dumps(scenario.to_dict(), ensure_ascii=False))
        return 0
    print(f"{scenario.title}  ({scenario.name})")
    print(f"\nQuestion\n{paragraph(scenario.question, '  ')}")
    if scenario.narrative:
        print(f"\nNarrative\n{paragraph(scenario.narrative, '  ')}")
    hypothesis = scenario.hypothesis
    if hypothesis:
        print(f"\nHypothesis\n{paragraph(str(hypothesis.get('text', '')), '  ')}")
        for key, what in (("confirmed_if", "confirmed if"), ("refuted_if", "refuted if")):
            if hypothesis.get(key):
                print(f"  {what}: {hypothesis[key]}")
        if hypothesis.get("claims"):
            print(f"  press claims: {', '.join(hypothesis['claims'])}")
    print(f"\nFrom {scenario.start} to {scenario.end}, vintage {scenario.vintage}, ", end="")
    print(f"measured against {scenario.reference or 'nothing (reference: none)'}")
    if scenario.decision_date:
        print(f"What follows {scenario.decision_date} is supposed, not known.")
    if scenario.source_file:
        print(f"File: {relative(scenario.source_file)}")
    print("\nInterventions" + ("" if scenario.interventions else ": none"))
    for name, item in sorted(scenario.interventions.items(), key=lambda p: (str(p[1].start), p[0])):
        when = f"{item.start or scenario.start} to "
        if item.duration is not None:
            when += f"{item.duration} days later"
        else:
            when += str(item.end or "the end")
        print(f"  {when}  {name}: {item.kind} ({item.role})")
        if item.targets():
            print(paragraph(item.targets(), "      "))
        if item.note:
            print(paragraph(item.note, "      "))
        if item.source:
            print(f"      sources: {', '.join(item.source)}")
    for name, content in scenario.variants.items():
        changed = ", ".join((content or {}).get("interventions") or content or {})
        print(f"  variant={name} changes {changed}")
    cited = scenario.sources()
    if cited:
        print()
        print_table(
            source_rows(load_chain(scenario.vintage), cited),
            ["key", "title", "date"],
            title="Sources",
        )
    print()
    print("Levers you may override (PLACE.KEY=VALUE)")
    for place, rows in levers(scenario).items():
        print_table(rows, ["key", "now", "unit", "meaning"], title=f"\n{place}.")
    print()
    print("Also any of 'lodestone list parameters', as scenario.overrides.PARAMETER=VALUE.")
    return 0


def _init(argv: Sequence[str]) -> int:
    from lodestone.chain.load import load_chain
    from lodestone.scenario import load_mapping, write_scenario

    words = _split(argv, "init")
    words.no_pairs("init")
    document = load_mapping(words.one("scenario", "init"))
    chain = load_chain(str(document.data.get("vintage") or "2024"))
    sys.stdout.write(write_scenario(document, chain))
    return 0


def run_job(scenarios: Sequence[Scenario], settings: Settings) -> list[Path]:
    """Run scenarios one after the other, with progress, summary table and report.

    Returns
    -------
    list of Path
        The absolute run folders.
    """
    from lodestone.console import Progress, say
    from lodestone.scenario import outside_ranges
    from lodestone.simulate import simulate

    folders = []
    for scenario in scenarios:
        for remark in outside_ranges(scenario):
            say(f"warning: {scenario.name}: {remark}")
        own = settings
        if settings.out is not None and len(scenarios) > 1:
            own = replace(settings, out=settings.out / scenario.name)
        with Progress(quiet=settings.quiet) as progress:
            folder = Path(simulate(scenario, own, progress=progress)).resolve()
        if settings.report_formats:
            from lodestone.report import write_report

            if not settings.quiet:
                say(f"{scenario.name}: writing the report")
            made = write_report(folder, settings.report_formats)
            if not settings.quiet:
                say(f"report: {made[0]}")
        folders.append(folder)
    for scenario, folder in zip(scenarios, folders, strict=True):
        if not settings.quiet:
            _summary(scenario, folder, settings)
    for folder in folders:
        print(folder)
    return folders


def _told(scenario: Scenario) -> str:
    """The scenario's name with the variant and overlays applied."""
    applied = [a for a in (scenario.variant, *scenario.overlays) if a]
    return f"{scenario.name} ({', '.join(map(str, applied))})" if applied else scenario.name


def _summary(scenario: Scenario, folder: Path, settings: Settings) -> None:
    """Print the headline rows of a run folder's summary (all regions, sectors and elements)."""
    from lodestone.console import print_table

    with (folder / "summary.csv").open(encoding="utf-8", newline="") as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    head = [
        r for r in rows if all(r.get(k) in ("all", "") for k in ("region", "sector", "element"))
    ]
    columns = ["metric", "unit", "p05", "p50", "p95", "reference_p50", "delta_p50"]
    numbers = columns[2:]
    shown = [r | {c: _short(r.get(c)) for c in numbers} for r in head or rows]
    print_table(
        shown,
        columns,
        as_json=settings.json,
        title=f"{_told(scenario)} against {scenario.reference or 'nothing'}, {settings.worlds} worlds",
        right=numbers,
    )


def _short(cell: Any) -> Any:
    try:
        return float(f"{float(cell):.4g}")
    except (TypeError, ValueError):
        return cell


def _run(argv: Sequence[str]) -> int:
    from lodestone.config import job_from_words

    flags = _setting_flags()
    words = _split(argv, "run", list(flags))
    if not words.names:
        raise InputError(
            "names no scenario",
            key="lodestone run",
            hint="Write 'lodestone run licence_shock_april_2025', or see 'lodestone list scenarios'.",
        )
    given: dict[str, Any] = {flags[f]: v for f, v in words.flags.items() if f in flags}
    for switch in ("quiet", "json"):
        if words.on(f"--{switch}"):
            given[switch] = True
    job = job_from_words(words.names, words.pairs, given)
    run_job(job.load(), job.settings)
    return 0


def _replay(argv: Sequence[str]) -> int:
    from lodestone.config import job_from_words

    flags = {"--seed": "ensemble.seed"}
    words = _split(argv, "replay", ["--world", "--from", "--to", *flags])
    name = words.one("scenario", "replay")
    given = {flags[f]: v for f, v in words.flags.items() if f in flags}
    job = job_from_words([name], words.pairs, given)
    text = words.flags.get("--world", "0")
    if not text.isdigit():
        raise InputError(f"must be a world's number from 0 on, got '{text}'", key="--world")
    scenario = job.load()[0]
    first = _moment(words.flags.get("--from"), "--from") or scenario.start
    last = _moment(words.flags.get("--to"), "--to", end=True) or scenario.end
    if last < first:
        raise InputError(f"{last} is before {first}", key="--to")
    from lodestone.simulate import replay

    for line in replay(scenario, int(text), first, last, job.settings):
        print(line)
    return 0


def _moment(text: str | None, flag: str, end: bool = False) -> Any:
    """Read YYYY-MM-DD or YYYY-MM (its first or last day)."""
    import calendar
    from datetime import date

    if text is None:
        return None
    try:
        if len(text) == 7:
            first = date.fromisoformat(f"{text}-01")
            return (
                first.replace(day=calendar.monthrange(first.year, first.month)[1]) if end else first
            )
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"must be YYYY-MM or YYYY-MM-DD, got '{text}'", key=flag) from None


def _backcast(argv: Sequence[str]) -> int:
    from lodestone.backcast.episodes import find_episodes, load_episode, locate_episodes
    from lodestone.backcast.score import BATCH, score, totals
    from lodestone.config import job_from_words
    from lodestone.console import Progress, print_table, say

    flags = {"--worlds": "ensemble.worlds", "--seed": "ensemble.seed", "--workers": "workers"}
    words = _split(argv, "backcast", ["--json", "--write", *flags])
    given: dict[str, Any] = {flags[f]: v for f, v in words.flags.items() if f in flags}
    typed = [pair.partition("=")[0] for pair in words.pairs]
    if not {"ensemble.worlds", "ensemble"} & {*given, *typed}:
        given["ensemble.worlds"] = BATCH
    job = job_from_words([], words.pairs, given)
    settings = job.settings
    files = [path for name in words.names or find_episodes() for path in locate_episodes(name)]
    if not files:
        raise InputError("there are no episodes", key="lodestone backcast")
    episodes = [
        load_episode(path, overrides=job.overrides, variant=job.variant, overlays=job.overlays)
        for path in dict.fromkeys(files)
    ]
    for name in [e.name for e in episodes]:
        if [e.name for e in episodes].count(name) > 1:
            raise InputError(f"two episodes are called '{name}'", hint="Name each once.")
    quiet = words.on("--quiet") or settings.quiet
    if not quiet:
        for remark in (r for e in episodes for r in e.remarks):
            say(f"note: {remark}")
    with Progress(quiet=quiet) as progress:
        scored = score(
            episodes,
            worlds=settings.worlds,
            seed=settings.seed,
            market_days=float(settings.market_days),
            allocation=settings.allocation,
            workers=settings.workers,
            progress=progress,
        )
    rows = [v.row() for _, _, verdicts in scored for v in verdicts]
    target = words.flags.get("--json")
    if target is not None and target != "-":
        from lodestone.outputs.tables import save_text

        path = Path(target).expanduser()
        if not path.parent.is_dir():
            raise InputError("no such folder", file=path.parent, key="--json")
        save_text(path, json.dumps(rows, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    if target == "-" or settings.json:
        print(json.dumps(rows, ensure_ascii=False, allow_nan=False))
    elif not quiet:
        columns = ["fact", "observed", "band", "unit", "p50", "p05_to_p95", "result"]
        for episode, _, verdicts in scored:
            print_table(
                [v.shown() for v in verdicts],
                columns,
                title=f"{episode.name}: {episode.title} ({episode.scenario.name})",
                right=["observed", "band", "p50", "p05_to_p95"],
            )
            print()
        print_table(
            totals(scored, _crossed()),
            ["episode", "passed", "failed", "not_evaluable", "facts", "share", "covered"],
            title=f"Facts in band at the median of {settings.worlds} worlds, and observed values "
            "within 5-95 % of them",
            right=["passed", "failed", "not_evaluable", "facts", "share", "covered"],
        )
    if "--write" in words.flags:
        from lodestone.backcast.panels import panels
        from lodestone.report.scorecard import write_scorecard

        made = write_scorecard(
            Path(words.flags["--write"]).expanduser(),
            [(e.name, e.title, vs, panels(e, r, vs)) for e, r, vs in scored],
            totals(scored, _crossed()),
            settings.worlds,
            _crossed(),
            _kept_rows(KNOWN),
            _kept_rows(PROFILES),
        )
        for path in made:
            print(path.resolve())
    return 0


def _crossed() -> dict[tuple[str, str], tuple[float, bool]]:
    """Simulated median and verdict of each fact when its episode was left out of the fit."""
    return {
        (r["episode"], r["fact"]): (float(r["simulated_p50"] or "nan"), bool(r["pass"]))
        for r in _kept_rows(CROSS)
    }


def _kept_rows(name: str) -> list[dict[str, Any]]:
    """Rows of a table that a calibration left in the seeds; none if there is none."""
    import pandas as pd

    from lodestone.paths import seeds_root

    path = seeds_root() / name
    if not path.is_file():
        return []
    rows: list[dict[str, Any]] = pd.read_csv(path, keep_default_na=False).to_dict("records")
    return rows


#: Where the scores of unseen episodes are kept, what history says of each parameter, and how each
#: fact answers to each parameter alone.
CROSS, KNOWN, PROFILES = "crossvalidation.csv", "identified.csv", "fact_profiles.csv"


def _calibrate(argv: Sequence[str]) -> int:
    from lodestone.backcast.calibrate import (
        Plan,
        calibrate,
        cross_validate,
        fact_profiles,
        findings,
        load_fit,
        posterior_text,
    )
    from lodestone.backcast.episodes import find_episodes, locate_episodes
    from lodestone.console import print_table, say
    from lodestone.paths import seeds_root

    numbers = {"--population": 48, "--generations": 60, "--starts": 2, "--seed": 0, "--workers": 0}
    words = _split(
        argv,
        "calibrate",
        ["--leave-out", "--out", "--begin", *numbers],
        ["--write", "--cross-validate"],
    )
    if words.pairs:
        raise InputError("takes no settings", key=words.pairs[0])
    chosen: dict[str, int] = {}
    for flag, usual in numbers.items():
        text = words.flags.get(flag, str(usual))
        if not text.isdigit() or (flag in list(numbers)[:3] and int(text) < 1):
            raise InputError(f"must be a whole number, got {text!r}", key=flag)
        chosen[flag] = int(text)
    episodes = [p for name in words.names or find_episodes() for p in locate_episodes(name)]
    # Worlds in which nothing happens hold a fit to be right for the right reason.
    files = episodes + sorted(p.parent for p in (seeds_root() / "controls").glob("*/episode.yaml"))
    left = words.flags.get("--leave-out")
    if left is not None:
        unseen = locate_episodes(left)
        files = [p for p in files if p not in unseen]
    if not files:
        raise InputError("there are no episodes", key="lodestone calibrate")
    plan = Plan(
        tuple(dict.fromkeys(files)),
        population=max(chosen["--population"], 4),
        generations=chosen["--generations"],
        starts=chosen["--starts"],
        seed=chosen["--seed"],
    )
    usual_place = "results/calibration" + (f"_without_{Path(left).name}" if left else "")
    folder = Path(words.flags.get("--out", usual_place)).expanduser()
    quiet = words.on("--quiet")
    begin = None
    if "--begin" in words.flags:
        begin = load_fit(Path(words.flags["--begin"]).expanduser())
    fit = calibrate(plan, folder, chosen["--workers"], None if quiet else say, begin=begin)
    facts, parameters = findings(plan, fit)
    if not quiet:
        print_table(facts, ["episode", "fact", "band", "best", "p05_to_p95", "in_band"])
        print()
        print_table(parameters, ["parameter", "range", "best", "p05_to_p95", "spread", "verdict"])
    if words.on("--write"):
        import pandas as pd

        from lodestone.chain.load import POSTERIOR
        from lodestone.outputs.tables import save_table, save_text

        path = seeds_root() / POSTERIOR
        save_text(path, posterior_text(fit))
        print(path.resolve())
        for name, rows in ((KNOWN, parameters), (PROFILES, fact_profiles(plan, fit))):
            save_table(seeds_root() / name, pd.DataFrame(rows))
            print((seeds_root() / name).resolve())
    if words.on("--cross-validate"):
        import pandas as pd

        from lodestone.outputs.tables import save_table

        rows = cross_validate(
            plan, folder, fit, episodes, chosen["--workers"], say=None if quiet else say
        )
        path = seeds_root() / CROSS if words.on("--write") else folder / CROSS
        save_table(path, pd.DataFrame(rows))
        passed = sum(r["pass"] for r in rows)
        print(f"{passed} of {len(rows)} unseen facts in band")
        print(path.resolve())
    print(folder.resolve())
    return 0


def _report(argv: Sequence[str]) -> int:
    from lodestone.config import settings_from_flat

    words = _split(argv, "report", ["--format"])
    words.no_pairs("report")
    folder = Path(words.one("run folder", "report")).expanduser()
    if not folder.is_dir():
        raise InputError(
            "is not a run folder",
            file=folder,
            hint="Name the folder that 'lodestone run' printed last.",
        )
    formats = [f for f in words.flags.get("--format", "html,md").split(",") if f]
    checked = settings_from_flat({"report.formats": formats}).report_formats
    from lodestone.report import write_report

    for path in write_report(folder, checked):
        print(Path(path).resolve())
    return 0


def _sources(argv: Sequence[str]) -> int:
    from lodestone.catalogue import source_rows, uses_of
    from lodestone.chain.load import load_chain
    from lodestone.console import print_table
    from lodestone.scenario import find_scenarios

    words = _split(argv, "sources")
    words.no_pairs("sources")
    as_json = words.on("--json")
    columns = ["key", "title", "publisher", "date", "kind", "url"]
    if not words.names:
        chain = load_chain()
        keys = [*chain.sources, *chain.assumptions]
        print_table(source_rows(chain, keys), columns, as_json=as_json)
        return 0
    name = words.one("scenario or key", "sources")
    scenarios = find_scenarios()
    if name in scenarios or name.endswith((".yaml", ".yml")):
        scenario = _load(words, name)
        chain = load_chain(scenario.vintage)
        seeds = {k for held in chain.tables.values() for row in held for k in _row_sources(row)}
        cited = scenario.sources()
        rows = [r | {"used_by": "scenario"} for r in source_rows(chain, cited)]
        rest = sorted(k for k in seeds - set(cited) if chain.knows_source(k))
        rows += [r | {"used_by": "seeds"} for r in source_rows(chain, rest)]
        print_table(rows, ["used_by", *columns], as_json=as_json)
        return 0
    chain = load_chain()
    parameters = chain.parameter_names()
    if name in parameters:
        item = parameters[name]
        print_table(source_rows(chain, item.source), columns, as_json=as_json)
        if not as_json:
            span = "" if item.low is None else f", range {item.low:g} to {item.high:g}"
            print(f"{name}: {item.title}: {item.default} {item.unit}{span} ({item.confidence})")
        return 0
    if not chain.knows_source(name):
        raise unknown(
            "scenario, source or parameter",
            name,
            [*chain.sources, *chain.assumptions, *scenarios, *parameters],
        )
    print_table(source_rows(chain, [name]), [*columns, "grade"], as_json=as_json)
    used = uses_of(chain, name)
    if used and not as_json:
        print()
        print_table(used, ["where", "rows"], title="Used by", right=["rows"])
    return 0


def _row_sources(row: Any) -> tuple[str, ...]:
    held = row[1] if isinstance(row, tuple) and len(row) == 2 else row
    return tuple(getattr(held, "source", ()))


def _claims(argv: Sequence[str]) -> int:
    from lodestone.claims import read_rows, refresh, run_rows, stored_rows
    from lodestone.config import job_from_words
    from lodestone.console import Progress, say

    flags = _setting_flags()
    words = _split(argv, "claims", list(flags), ["--refresh"])
    if words.on("--refresh") and words.names:
        raise InputError("takes no scenario: it makes the whole table anew", key="--refresh")
    if not words.names and not words.on("--refresh"):
        words.no_pairs("claims")
        _print_claims(stored_rows(), words)
        return 0
    given: dict[str, Any] = {flags[f]: v for f, v in words.flags.items() if f in flags}
    if words.on("--refresh"):
        job = job_from_words([], words.pairs, given)
        bars: list[Progress] = []

        def begin(name: str) -> Progress:
            if not words.on("--quiet"):
                say(f"{name}: {job.settings.worlds} worlds")
            bars.append(Progress(quiet=words.on("--quiet")))
            return bars[-1]

        print(refresh(job.settings, begin))
        return 0
    name = words.one("scenario", "claims")
    folder = Path(name).expanduser()
    if (folder / "provenance.json").is_file() and (folder / "claims.csv").is_file():
        words.no_pairs("claims")
        _print_claims(read_rows(folder / "claims.csv"), words)
        return 0
    job = job_from_words([name], words.pairs, {**given, "report.formats": []})
    with Progress(quiet=words.on("--quiet")) as progress:
        folder, rows = run_rows(job.load()[0], job.settings, progress)
    _print_claims(rows, words)
    if not words.on("--quiet"):
        say(f"from the run {folder.resolve()}")
    return 0


def _print_claims(rows: list[dict[str, Any]], words: Words) -> None:
    """Print verdicts: all columns as JSON, else who says what, the verdict and why."""
    from lodestone.claims import tally
    from lodestone.console import print_table, say
    from lodestone.outputs.claims import COLUMNS

    columns = COLUMNS if words.on("--json") else ("claim", "verdict", "tested", "statement", "why")
    print_table(rows, list(columns), as_json=words.on("--json"))
    if not words.on("--json") and not words.on("--quiet"):
        counts = ", ".join(f"{n} {verdict}" for verdict, n in sorted(tally(rows).items()))
        say(f"{len(rows)} claims: {counts}" if rows else "no claim is tested by this scenario")


def _check(argv: Sequence[str]) -> int:
    from lodestone.console import print_table, say

    words = _split(argv, "check")
    words.no_pairs("check")
    targets = words.names
    failures: list[str] = []
    checked: list[dict[str, Any]] = []

    def attempt(what: str, work: Callable[[], Any]) -> None:
        try:
            work()
        except InputError as error:
            failures.append(str(error))
            checked.append({"checked": what, "result": "wrong"})
        else:
            checked.append({"checked": what, "result": "ok"})

    balance: list[dict[str, Any]] = []
    if targets:
        for target in targets:
            attempt(target, lambda t=target: _check_one(Path(t).expanduser(), t))  # type: ignore[misc]
    else:
        from lodestone.paths import vintages
        from lodestone.scenario import find_overlays, find_scenarios

        for vintage in vintages():
            attempt(f"seeds {vintage}", lambda v=vintage: _check_seeds(v, balance))  # type: ignore[misc]
        from lodestone.claims import check_claims

        attempt("press claims", check_claims)
        for name, item in find_scenarios().items():
            attempt(f"scenario {name}", lambda p=item.path: _check_scenario(p))  # type: ignore[misc]
        for name, item in find_overlays().items():
            attempt(f"overlay {name}", lambda p=item.path: _check_overlay(p))  # type: ignore[misc]
        from lodestone.backcast.episodes import find_episodes, load_episode

        for name, path in find_episodes().items():
            attempt(f"episode {name}", lambda p=path: load_episode(p))  # type: ignore[misc]
    if words.on("--json"):
        print(
            json.dumps({"checked": checked, "problems": failures, "balance": balance}, default=str)
        )
    else:
        print_table(checked, ["checked", "result"])
        if balance:
            print()
            columns = [c for c in _BALANCE if c in balance[0]]
            numbers = ["target", "model", "gap_pct", "tolerance_pct"]
            shown = [r | {c: _short(r.get(c)) for c in numbers} for r in balance]
            print_table(shown, columns, title="Mass balance of the vintages", right=numbers)
    for failure in failures:
        say(f"lodestone: {failure}")
    if failures:
        return 2
    off = [row for row in balance if not row.get("ok", True)]
    if off:
        say(f"lodestone: {len(off)} rows of the mass balance are outside their tolerance")
        return 3
    return 0


_BALANCE = (
    "vintage",
    "stage",
    "region",
    "element",
    "target",
    "model",
    "gap_pct",
    "tolerance_pct",
    "ok",
)


def _check_seeds(vintage: str, balance: list[dict[str, Any]]) -> None:
    from lodestone.chain.balance import balance_table
    from lodestone.chain.load import load_chain

    balance += [{"vintage": vintage, **row} for row in balance_table(load_chain(vintage))]


def _check_one(path: Path, word: str) -> None:
    """Check whatever a path is: a scenario file, an overlay, or part of the seeds."""
    from lodestone.scenario import find_scenarios

    if not path.exists():
        found = find_scenarios()
        if word in found:
            _check_scenario(found[word].path)
            return
        raise InputError("no such file, and no scenario of that name", file=word,
                         hint=suggestion(word, found) or None)  # fmt: skip
    inside = path if path.is_dir() else path.parent
    if path.name == "episode.yaml" or (path / "episode.yaml").is_file():
        from lodestone.backcast.episodes import load_episode

        load_episode(path)
        return
    if path.is_dir() or path.suffix == ".csv" or path.name == "vintage.yaml":
        from lodestone.chain.load import load_chain
        from lodestone.paths import vintages

        root = next(
            (p for p in (inside, *inside.resolve().parents) if (p / "elements.csv").is_file()), None
        )
        if root is None:
            raise InputError("is not part of a seeds folder", file=path)
        name = inside.resolve().name
        names = [name] if (root / name / "vintage.yaml").is_file() else vintages(root)
        for vintage in names:
            load_chain(vintage, root)
        return
    if path.parent.name == "overlays":
        _check_overlay(path)
    else:
        _check_scenario(path)


def _check_scenario(path: Path) -> None:
    """Check a scenario file with each of its variants."""
    from lodestone.scenario import load_mapping, load_scenario

    if path.parent.name == "scenarios":
        name = load_mapping(path).data.get("name")
        if name is not None and name != path.stem:
            raise InputError(
                f"the scenario calls itself '{name}'",
                file=path,
                key="name",
                hint=f"In a folder of scenarios the name is the file's: {path.stem}.",
            )
    from lodestone.simulate import check_verdicts

    scenario = load_scenario(path)
    check_verdicts(scenario)
    for variant in scenario.variants:
        check_verdicts(load_scenario(path, variant=variant))


def _check_overlay(path: Path) -> None:
    """Check an overlay by laying it over the reference."""
    from lodestone.scenario import DEFAULT_REFERENCE, load_scenario

    load_scenario(DEFAULT_REFERENCE, overlays=[str(path)])


# --------------------------------------------------------------------------- help


@dataclass(frozen=True)
class Verb:
    """One command: what it does in a line, how it is written, and help that teaches."""

    work: Callable[[Sequence[str]], int]
    about: str
    usage: str
    more: str


VERBS: dict[str, Verb] = {
    "list": Verb(
        _list,
        "what there is: scenarios, parameters, regions ...",
        "lodestone list [CATEGORY] [WORD] [--json]",
        """
Categories: scenarios, overlays, interventions, parameters, metrics, regions, materials, sectors,
facilities, blocs, episodes, vintages. A WORD keeps only the lines that contain it.

  lodestone list scenarios                  each with the question it answers
  lodestone list parameters market          name, unit, default, range and source
  lodestone list interventions              kinds and their keys
  lodestone list interventions tariff       the keys of one kind, with defaults and units
  lodestone list facilities united_states""",
    ),
    "show": Verb(
        _show,
        "a scenario's question, story, interventions, sources and levers",
        "lodestone show SCENARIO [key=value ...] [--json]",
        """
A SCENARIO is a name of 'lodestone list scenarios' or the path of a YAML file of yours.

  lodestone show licence_shock_april_2025
  lodestone show licence_shock_april_2025 variant=no_talks""",
    ),
    "init": Verb(
        _init,
        "prints a scenario file to copy and edit",
        "lodestone init SCENARIO > my_scenario.yaml",
        """
The file is self-contained: what the scenario inherits is written out.

  lodestone init licence_shock_april_2025 > mine.yaml
  lodestone check mine.yaml
  lodestone run mine.yaml""",
    ),
    "run": Verb(
        _run,
        "runs scenarios against their reference and writes a run folder",
        "lodestone run SCENARIO [SCENARIO ...] [key=value ...] [options]",
        """
Runs each scenario and its reference on common random numbers, writes the run folder with
tables, figures and report, prints a summary table and, as its last line, the folder's path.

  lodestone run licence_shock_april_2025
  lodestone run licence_shock_april_2025 ensemble.worlds=50 variant=no_talks
  lodestone run current_law scenario.end=2030-01-01 report.formats=[]
  lodestone run mine.yaml 'overlays=[path/to/overlay.yaml]' --worlds 20 --out results/mine

Change the scenario by name:
  scenario.start=2024-01-01  scenario.end=2027-01-01
  scenario.interventions.april_2025_licences.processing_days=45
  'scenario.interventions.april_2025_licences.approval={2025-04-04: 0, 2025-07-01: 0.5}'
  scenario.overrides.stockpile.japan.days=60      any of 'lodestone list parameters'
  variant=NAME   'overlays=[a,b]'                 see 'lodestone show SCENARIO'
Any number may be uncertain: '{dist: triangular, low: 30, mode: 63, high: 100}'.

Options: --worlds N, --seed N, --workers N, --out DIR (as the settings of these names);
--quiet: only the folder; --json: the table as one line of JSON before the folder.
Groups: ensemble=quick (20 worlds), ensemble=thorough (1,000 worlds), report=none.""",
    ),
    "replay": Verb(
        _replay,
        "one world, tick by tick: the rules in force and the flows by name",
        "lodestone replay SCENARIO --world K [--from D] [--to D] [key=value ...]",
        """
D is YYYY-MM-DD or YYYY-MM; the default is the whole run. Worlds count from 0.

  lodestone replay licence_shock_april_2025 --world 3 --from 2025-04 --to 2025-06""",
    ),
    "backcast": Verb(
        _backcast,
        "replays history and scores it fact by fact",
        "lodestone backcast [EPISODE|FOLDER ...] [key=value ...] [--json FILE] [--write DIR]",
        """
Without an episode: all of 'lodestone list episodes'. A FOLDER is any folder with an episode.yaml,
or with such folders (docs/episodes.md); its scenario may lie beside it. Each fact is evaluated in every world, and the
median is held against its band. A fact that cannot be evaluated says why, and counts as failed.

  lodestone backcast licensing_2025
  lodestone backcast ensemble.worlds=200 --json scorecard.json
  lodestone backcast path/to/my_episode scenario.overrides.licence.surge=1.3
  lodestone backcast --write docs            writes docs/scorecard.md and its figures in docs/img

Options: --worlds N (default 64), --seed N, --workers N; --json FILE (without a file: printed);
--write DIR; --quiet.""",
    ),
    "calibrate": Verb(
        _calibrate,
        "fits behaviour to history: one vector for all episodes, and how well it is known",
        "lodestone calibrate [EPISODE|FOLDER ...] [--leave-out EPISODE] [--write]",
        """
Without an episode: all of 'lodestone list episodes', and always the control worlds of
seeds/controls, in which nothing happens. Searches the sourced ranges of the parameters
of behaviour for vectors that bring the facts into their bands, and keeps every vector tried in
results/calibration; an interrupted search goes on where it was. With --leave-out the facts of one
episode stay unseen. With --cross-validate each is left out in turn, and its facts are scored.

  lodestone calibrate
  lodestone calibrate --leave-out licensing_2025
  lodestone calibrate --cross-validate              every episode left out in turn, and scored
  lodestone calibrate --generations 100 --write     --write makes seeds/posterior.csv anew, and the
                                                    tables of what history says of each number

Options: --population N (48), --generations N (60 from each start, a quarter of it again from the
best of all, before the last steps down), --starts N (2), --seed N, --workers N,
--out DIR, --begin FOLDER (start at the best of an earlier calibration), --quiet.""",
    ),
    "report": Verb(
        _report,
        "renders the memo of a run folder again",
        "lodestone report RUN [--format html,md]",
        """
RUN is the folder that 'lodestone run' printed as its last line.

  lodestone report results/licence_shock_april_2025/20260101T120000Z-1a2b3c4d""",
    ),
    "sources": Verb(
        _sources,
        "where each number comes from",
        "lodestone sources [SCENARIO|KEY] [--json]",
        """
Without a word: the whole bibliography. With a scenario: what it stands on. With the key of a
source: the entry and where it is used. With a parameter's name: where its value comes from.

  lodestone sources licence_shock_april_2025
  lodestone sources c120""",
    ),
    "claims": Verb(
        _claims,
        "press claims set against the data and the runs: inside, outside, not testable",
        "lodestone claims [SCENARIO|RUN] [key=value ...] [--json]",
        """
Without a scenario: the stored table of all claims; nothing is simulated. With a scenario: the
claims that its hypothesis names and those that are tested in it, from a finished run of the same
scenario and settings under results/, else from a new run without report. With a run folder: its own.

Inside: the claimed range and ours (data, or 5-95 % of the worlds) meet. Outside: they do not.
A claim without a number is read as one; 'note' in seeds/claims.csv says how.

  lodestone claims
  lodestone claims licence_shock_april_2025 ensemble.worlds=50
  lodestone claims --refresh --worlds 64      runs every scenario that a claim names, and writes
                                              seeds/claims_verdicts.csv""",
    ),
    "check": Verb(
        _check,
        "validates scenario files and seeds",
        "lodestone check [FILE ...] [--json]",
        """
Names file, line, key, what is wrong, the nearest known word and how to fix it. Without a file it
checks everything found and prints the mass balance of the vintages.

  lodestone check mine.yaml
  lodestone check seeds/2024/facilities.csv
  lodestone check""",
    ),
}


def _help() -> str:
    width = max(map(len, VERBS))
    lines = [
        "Lodestone: disruptions of the rare-earth magnet supply chain. Who runs short, when, how",
        "surely, at what cost, and what would have helped.",
        "",
        "  lodestone COMMAND ...        'lodestone COMMAND --help' explains one, with examples",
        "",
        *(f"  {name.ljust(width)}  {verb.about}" for name, verb in VERBS.items()),
        "",
        "A first run (20 worlds):",
        "  lodestone list scenarios",
        "  lodestone show licence_shock_april_2025",
        "  lodestone run licence_shock_april_2025 ensemble=quick",
        "",
        "Exit status: 0 done, 2 wrong input, 3 a check of the model failed, 130 interrupted, 1 else.",
    ]
    return "\n".join(lines)


def _verb_help(name: str) -> str:
    verb = VERBS[name]
    parts = [f"{verb.usage}\n\n{verb.about[:1].upper()}{verb.about[1:]}.", verb.more.rstrip()]
    if name == "run":
        from lodestone.catalogue import shown
        from lodestone.config import SETTINGS, Settings

        defaults = Settings()
        lines = ["", "Settings (key=value), with default and unit:"]
        for item in SETTINGS.values():
            if not item.useful:
                continue
            value = shown(getattr(defaults, item.attribute))
            unit = "" if item.unit == "-" else f" {item.unit}"
            choices = f" ({', '.join(item.choices)})" if item.choices else ""
            lines.append(
                f"  {f'{item.key}={value}'.ljust(26)}{unit.ljust(14)} {item.about}{choices}"
            )
        parts.append("\n".join(lines))
    return "\n".join(parts)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)

    def work() -> int:
        if not words or words[0] in ("--help", "-h", "help"):
            if len(words) > 1 and words[1] in VERBS:
                print(_verb_help(words[1]))
            else:
                print(_help())
            return 0
        if words[0] in ("--version", "-V"):
            from lodestone import __version__

            print(f"lodestone-sim {__version__}")
            return 0
        name, *rest = words
        if name not in VERBS:
            error = unknown("command", name, VERBS)
            error.hint = f"{error.hint or ''} See 'lodestone --help'.".strip()
            raise error
        if "--help" in rest or "-h" in rest:
            print(_verb_help(name))
            return 0
        return VERBS[name].work(rest)

    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
