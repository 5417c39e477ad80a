"""``lodestone check``: scenario files and seeds validated."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError
from lodestone.border.files import json_text, read_path
from lodestone.border.paths import OVERLAY
from lodestone.border.words import suggestion
from lodestone.cli.running import shipped_told, short
from lodestone.cli.verb import Words, verb

if TYPE_CHECKING:
    from lodestone.scenario import Scenario

MORE = """
Names file, line, key, what is wrong, the nearest known word and how to fix it. Without a file it
checks everything found and prints the mass balance of the vintages. With key=value it checks the
scenarios as 'lodestone run' would take them: variant, overlays, changed keys, settings.

  lodestone check mine.yaml
  lodestone check mine.yaml variant=late scenario.end=2027-01-01
  lodestone check seeds/2024/facilities.csv
  lodestone check"""


@verb(
    about="validates scenario files and seeds",
    usage="lodestone check [FILE ...] [key=value ...] [--json]",
    order=110,
    more=MORE,
)
def work(words: Words) -> int:
    """Validate files; without one, everything found."""
    from lodestone.cli.console import print_table, say

    targets = words.names
    if not targets:
        words.no_pairs()
    failures: list[str] = []
    warnings: list[str] = []
    shipped: list[int] = []
    checked: list[dict[str, Any]] = []

    def attempt(what: str, work: Callable[[], Any]) -> None:
        try:
            odd = work()
            warnings.extend(odd if isinstance(odd, list) else [])
        except InputError as error:
            if str(error) not in failures:  # wrong seeds are wrong for every scenario
                failures.append(str(error))
            checked.append({"checked": what, "result": "wrong"})
        else:
            checked.append({"checked": what, "result": "ok"})

    balance: list[dict[str, Any]] = []
    if targets:
        for target in targets:
            attempt(target, lambda t=target: check_file(t, words.pairs, shipped))  # type: ignore[misc]
    else:
        from lodestone.border.paths import vintages
        from lodestone.scenario import find_overlays, find_scenarios

        for vintage in vintages():
            attempt(f"seeds {vintage}", lambda v=vintage: _check_seeds(v, balance))  # type: ignore[misc]
        if failures and OVERLAY in os.environ:
            return _refused(failures, checked, words.on("--json"))
        from lodestone.claims import check_claims

        attempt("press claims", check_claims)
        for name, item in find_scenarios().items():
            attempt(f"scenario {name}", lambda p=item.path: _check_scenario(p, shipped))  # type: ignore[misc]
        for name, item in find_overlays().items():
            attempt(f"overlay {name}", lambda p=item.path: _check_overlay(p))  # type: ignore[misc]
        from lodestone.backcast.episodes import find_episodes, load_episode

        for name, path in find_episodes().items():
            attempt(f"episode {name}", lambda p=path: list(load_episode(p.resolve()).remarks))  # type: ignore[misc]
    if sum(shipped):
        say(shipped_told(sum(shipped)))
    # The verdict comes last, where it is seen.
    for warning in warnings:
        say(f"warning: {warning}")
    if words.on("--json"):
        print(
            json_text(
                {
                    "checked": checked,
                    "problems": failures,
                    "warnings": warnings,
                    "balance": balance,
                }
            )
        )
    else:
        print_table(checked, ["checked", "result"])
        if balance:
            print()
            columns = [c for c in _BALANCE if c in balance[0]]
            numbers = ["target", "model", "gap_pct", "tolerance_pct"]
            shown = [r | {c: short(r.get(c)) for c in numbers} for r in balance]
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


def _refused(failures: list[str], checked: list[dict[str, Any]], as_json: bool) -> int:
    """Tell what is wrong with rows of the user's own, and nothing else: all else stands on them."""
    from lodestone.cli.console import say

    if as_json:
        told = {"checked": checked, "problems": failures, "warnings": [], "balance": []}
        print(json_text(told))
    for failure in failures:
        say(f"lodestone: {failure}")
    return 2


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


def check_file(word: str, pairs: Sequence[str] = (), shipped: list[int] | None = None) -> list[str]:
    """Check whatever a word is: a scenario, an overlay, an episode, or part of the seeds.

    With ``key=value`` words it is a scenario, changed as they say. To ``shipped`` goes how many
    remarks there are on what is shipped and not changed, which are not returned.
    """
    from lodestone.scenario import find_scenarios

    if pairs:
        from lodestone.runs.job import job_from_words

        return _lines(_tellable(job_from_words([word], pairs).load()[0], shipped=shipped))

    path = read_path(word)
    if not path.exists():
        found = find_scenarios()
        if word in found:
            return _check_scenario(found[word].path, shipped)
        raise InputError("no such file, and no scenario of that name", file=word,
                         hint=suggestion(word, found) or None)  # fmt: skip
    inside = path if path.is_dir() else path.parent
    if path.name == "episode.yaml" or (path / "episode.yaml").is_file():
        from lodestone.backcast.episodes import load_episode

        return list(load_episode(path).remarks)
    if path.is_dir() or path.suffix == ".csv" or path.name == "vintage.yaml":
        from lodestone.border.paths import vintages
        from lodestone.chain.load import load_chain

        root = next(
            (p for p in (inside, *inside.resolve().parents) if (p / "elements.csv").is_file()), None
        )
        if root is None:
            raise InputError("is not part of a seeds folder", file=path)
        name = inside.resolve().name
        names = [name] if (root / name / "vintage.yaml").is_file() else vintages(root)
        for vintage in names:
            load_chain(vintage, root)
        return []
    if _is_overlay(path):
        _check_overlay(path)
        return []
    return _check_scenario(path, shipped)


#: The reference by its name and days.
References = dict[tuple[Any, ...], "Scenario | None"]
#: Keys of which a scenario has at least one and an overlay none.
_SCENARIO_ONLY = ("defaults", "start", "end", "name", "reference", "vintage", "variants")


def _is_overlay(path: Path) -> bool:
    """Whether a file is an overlay: by its folder, else by what it holds."""
    from lodestone.border.yamlfile import read_yaml_kept

    if path.parent.resolve().name == "overlays":
        return True
    data = read_yaml_kept(path).data
    changes = "interventions" in data or "overrides" in data
    return changes and not any(key in data for key in _SCENARIO_ONLY)


def _check_scenario(path: Path, shipped: list[int] | None = None) -> list[str]:
    """Check a scenario file with each of its variants; return what is odd."""
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
    known: References = {}
    scenario = load_scenario(path)
    told = _tellable(scenario, known, shipped)
    for variant in scenario.variants:
        told |= {
            remark: who
            for remark, who in _tellable(load_scenario(path, variant=variant), known).items()
            if remark not in told
        }
    return _lines(told)


def _lines(told: dict[str, str]) -> list[str]:
    return [f"{who}: {remark}" for remark, who in told.items()]


def _tellable(
    scenario: Scenario, known: References | None = None, shipped: list[int] | None = None
) -> dict[str, str]:
    """Refuse what no run could tell; return what is odd, and of which scenario or variant.

    ``known`` holds the references that variants of the same file have read before.
    """
    from lodestone.chain.load import load_chain
    from lodestone.outputs.selectors import check_expressions, own_remarks
    from lodestone.runs.identity import remarks
    from lodestone.scenario import load_reference

    chain = load_chain(scenario.vintage)
    check_expressions(scenario, chain)
    known = {} if known is None else known
    key = (scenario.reference, scenario.start, scenario.end)
    if key not in known:
        known[key] = load_reference(scenario)
    who = scenario.name + (f" (variant {scenario.variant})" if scenario.variant else "")
    own, more = own_remarks(scenario, chain)
    if shipped is not None:
        shipped.append(more)
    return dict.fromkeys((*own, *remarks(scenario, known[key])), who)


def _check_overlay(path: Path) -> None:
    """Check an overlay by laying it over the reference.

    One that changes measures without their kind is laid over a scenario that has them: of its own
    folder, else of those known.
    """
    from lodestone.border.yamlfile import read_yaml_kept
    from lodestone.scenario import DEFAULT_REFERENCE, find_scenarios, load_mapping, load_scenario

    held = read_yaml_kept(path).data.get("interventions")
    items = held.items() if isinstance(held, dict) else ()
    changed = {k for k, v in items if isinstance(v, dict) and "kind" not in v}
    beside = [p for p in sorted(path.parent.glob("*.yaml")) if p != path] if changed else []
    for other in (*beside, *(item.path for item in find_scenarios().values())) if changed else ():
        try:
            measures = load_mapping(other).data.get("interventions") or {}
        except InputError:
            continue
        if changed <= set(measures):
            _tellable(load_scenario(str(other), overlays=[str(path)]))
            return
    _tellable(load_scenario(DEFAULT_REFERENCE, overlays=[str(path)]))
