"""Settings composed from ``configs/`` by Hydra. Hydra is imported late: it is slow to import."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lodestone.border.paths import data_root
from lodestone.border.words import unknown
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
    chosen = [f"{key}={value}" for key, value in given.items() if key in groups]
    flat = _compose(root, chosen)
    flat |= {key: value for key, value in given.items() if key in SETTINGS}
    return settings_from_flat(flat)


def _compose(root: Path, chosen: list[str]) -> dict[str, Any]:
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from omegaconf import OmegaConf

    GlobalHydra.instance().clear()
    with initialize_config_dir(str(root.resolve()), version_base="1.3", job_name="lodestone"):
        composed = compose("settings", overrides=chosen)
    return flatten_settings(OmegaConf.to_container(composed, resolve=True))  # type: ignore[arg-type]
