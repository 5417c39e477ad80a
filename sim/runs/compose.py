"""Settings composed from ``configs/`` and what the user gave, without waiting for Hydra."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lodestone.border.paths import data_root
from lodestone.border.words import unknown
from lodestone.border.yamlfile import read_yaml
from lodestone.runs.settings import SETTINGS, Settings, flatten_settings, settings_from_flat

__all__ = ["compose_settings"]


def compose_settings(given: Mapping[str, Any] | None = None) -> Settings:
    """Compose the settings from ``configs/`` and what the user gave.

    Parameters
    ----------
    given
        Value by key; the keys of `SETTINGS`, or a group of ``configs/`` (``ensemble=quick``).

    Raises
    ------
    InputError
        For an unknown key or group, or a value of the wrong sort or size.
    """
    given = dict(given or {})
    root = data_root("configs")
    groups = {
        p.name: sorted(f.stem for f in p.glob("*.yaml")) for p in root.iterdir() if p.is_dir()
    }
    for key, value in given.items():
        if key in groups:
            if value not in groups[key]:
                raise unknown(f"choice of {key}", value, groups[key], key=key)
        elif key not in SETTINGS:
            known = [*SETTINGS, *groups, "variant", "overlays", "scenario.start", "scenario.end"]
            error = unknown("setting", key, known, key=None)
            more = "See 'lodestone run --help'."
            error.hint = f"{error.hint} {more}" if error.hint else more
            raise error
    flat = flatten_settings(_composed(root, {k: v for k, v in given.items() if k in groups}))
    flat |= {key: value for key, value in given.items() if key in SETTINGS}
    return settings_from_flat(flat)


def _composed(root: Path, chosen: Mapping[str, str]) -> dict[str, Any]:
    """``settings.yaml`` with its groups, as Hydra composes them: plain files, read without it."""
    data = dict(read_yaml(root / "settings.yaml").data)
    out: dict[str, Any] = {}
    for entry in data.pop("defaults"):
        if entry == "_self_":
            out |= data
            continue
        for group, usual in entry.items():
            out[group] = read_yaml(root / group / f"{chosen.get(group, usual)}.yaml").data
    return out
