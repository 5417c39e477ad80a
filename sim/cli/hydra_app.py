"""The plain Hydra application: ``python -m sim scenario=NAME [--multirun] ...``."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lodestone.border.errors import InputError
from lodestone.border.files import read_path
from lodestone.border.paths import data_root
from lodestone.border.words import unknown
from lodestone.border.yamlfile import read_yaml
from lodestone.cli.exits import guarded
from lodestone.cli.running import run_job
from lodestone.runs.grammar import PATHS, parse_words
from lodestone.runs.job import one_variant, refuse_two_spellings, with_decision_date
from lodestone.runs.settings import SETTINGS, flatten_settings, names_in, settings_from_flat

__all__ = ["hydra_main"]


def hydra_main(argv: list[str]) -> int:
    """Run the plain Hydra application: ``python -m sim scenario=NAME [--multirun] ...``.

    Every scenario file found is stored in Hydra's ConfigStore under the group ``scenario``, so
    choice, inheritance, ``glob(*)`` and multirun work from a clone, a wheel or any folder.

    Returns
    -------
    int
        The exit status.
    """
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    # Hydra reads its overrides in one block, before its flags.
    words = [w for w in argv if not w.startswith("-") and ("=" in w or w.startswith("~"))]
    argv = [_as_path(w) for w in words] + [w for w in argv if w not in words]
    _known_words(argv, words)
    argv, files = _store_scenarios(argv)
    failed: list[int] = []

    def task(cfg: Any) -> None:
        from lodestone.scenario import build_scenario, load_mapping

        def work() -> int:
            held: Any = _literal(OmegaConf.to_container(cfg, resolve=False))
            mapping = held.pop("scenario")
            variant = one_variant(held.pop("variant"))
            overlays = names_in(held.pop("overlays"))
            settings = settings_from_flat(flatten_settings(held))
            # As typed: Hydra's own list would fill in what looks like an interpolation.
            listed: Any = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
            typed = [str(w).lstrip("+") for w in listed]
            overrides = {
                key.removeprefix("scenario."): value
                for key, value in parse_words(w for w in typed if w.startswith("scenario.")).items()
            }
            refuse_two_spellings(overrides)
            # What was typed is laid on last, above the variant and the overlays: below it stands the
            # file, but for what was taken out.
            file = files[str(HydraConfig.get().runtime.choices["scenario"])]
            document = load_mapping(file)
            taken_out = any(w.startswith("~scenario.") for w in typed)
            scenario = build_scenario(
                mapping if taken_out else document.data,
                file=file,
                places=document.places,
                variant=variant,
                overlays=overlays,
                overrides=overrides,
            )
            folders = run_job([with_decision_date(scenario, settings)], settings)
            record = Path(HydraConfig.get().runtime.output_dir) / "run_folder.txt"
            record.write_text("\n".join(str(f) for f in folders) + "\n", encoding="utf-8")
            return 0

        status = guarded(work)
        if status:
            failed.append(status)
        if status == 130:
            raise KeyboardInterrupt

    decorated = hydra.main(
        version_base="1.3", config_path=str(data_root("configs").resolve()), config_name="config"
    )(task)
    old, full = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = ["lodestone", *argv]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # else Hydra prints the error itself and exits with 1
    try:
        decorated()
    except KeyboardInterrupt:
        return 130
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(" ".join(str(error).split()), hint="See 'python -m sim --help'.") from None
    finally:
        sys.argv = old
        if full is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full
    return failed[0] if failed else 0


def _as_path(word: str) -> str:
    """Quote a path for Hydra's grammar where it holds spaces, colons or other alphabets."""
    key, _, text = word.partition("=")
    if key not in PATHS or not re.search(r"[^A-Za-z0-9_./~,${}-]", text) or text[0] in "'\"":
        return word
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"{key}='{escaped}'"


def _known_words(argv: list[str], words: list[str]) -> None:
    """Refuse unknown settings with the nearest known one, before Hydra refuses them without."""
    from lodestone.scenario import locate

    if any(w.startswith(("--config", "-cd", "-cn", "-cp")) for w in argv):
        return
    groups = [p.name for p in data_root("configs").iterdir() if p.is_dir()]
    known = [*SETTINGS, *groups, "scenario", "variant", "overlays"]
    for word in words:
        key, _, value = word.partition("=")
        if key[0] in "+~" or key.startswith(("scenario.", "hydra.", "hydra/")) or "@" in key:
            continue
        if key not in known:
            raise unknown("setting", key, known)
        if key == "scenario" and not value.startswith(("glob", "choice", "'", '"')):
            for name in value.split(","):
                locate(name)


def _store_scenarios(argv: list[str]) -> tuple[list[str], dict[str, Path]]:
    """Put scenario files into Hydra's store: all that are found, and paths that were typed.

    Returns
    -------
    tuple
        The words with each path replaced by the name it is stored under, and the file of each
        name.
    """
    from hydra.core.config_store import ConfigStore
    from omegaconf import OmegaConf

    from lodestone.scenario import find_scenarios, load_mapping

    found: dict[str, Path] = {name: item.path for name, item in find_scenarios().items()}
    words, named, whole = [], set(), False
    for word in argv:
        if word.startswith("scenario="):
            typed = word.removeprefix("scenario=")
            quoted = len(typed) > 1 and typed[0] in "'\"" and typed[-1] == typed[0]
            choices = [typed[1:-1]] if quoted else typed.split(",")
            for i, choice in enumerate(choices):
                if choice.endswith((".yaml", ".yml")):
                    # Hydra's grammar takes no name with spaces or letters of other alphabets.
                    choices[i] = re.sub(r"[^A-Za-z0-9_-]", "_", Path(choice).stem)
                    found[choices[i]] = read_path(choice).resolve()
            named |= set(choices)
            whole |= "(" in word  # glob(*) and the like may mean any of them
            word = "scenario=" + ",".join(choices)
        words.append(word)
    store = ConfigStore.instance()
    wanted = named or {default_scenario()}
    for name, path in found.items():
        if not whole and name not in wanted:
            # Its name is enough to be listed: Hydra copies the whole store at every look.
            store.store(group="scenario", name=name, node={"name": name}, provider="lodestone")
            continue
        try:
            data = load_mapping(path).data
        except InputError:
            if name in named:
                raise
            continue
        nested = {**data, "overrides": _nested(data.get("overrides") or {})}
        node = OmegaConf.create(_escaped(nested))
        # Let every word through: our own checks name the nearest known one, Hydra's do not.
        OmegaConf.set_struct(node, False)
        store.store(group="scenario", name=name, node=node, provider="lodestone")
    return words, found


def default_scenario() -> str:
    """The scenario that ``configs/config.yaml`` runs where none is named."""
    chosen = read_yaml(data_root("configs") / "config.yaml").data["defaults"]
    return str(next(c["scenario"] for c in chosen if isinstance(c, dict) and "scenario" in c))


def _escaped(value: Any) -> Any:
    """A user's file as Hydra may hold it: what looks like an interpolation is text."""
    if isinstance(value, str):
        return value.replace("${", _MARK)
    if isinstance(value, Mapping):
        return {_escaped(str(key)): _escaped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(item) for item in value]
    return value


def _literal(value: Any) -> Any:
    """The contrary of `_escaped`; nothing is resolved."""
    if isinstance(value, str):
        return value.replace(_MARK, "${")
    if isinstance(value, Mapping):
        return {_literal(key): _literal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_literal(item) for item in value]
    return value


#: Stands for ``${`` while Hydra holds a user's text.
_MARK = "\ue000{"


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return dotted names as nested mappings: the one spelling Hydra's overrides can reach."""
    out: dict[str, Any] = {}
    for name, value in flat.items():
        at = out
        *heads, last = name.split(".")
        for head in heads:
            at = at.setdefault(head, {})
        at[last] = value
    return out
