"""The former place of `lodestone.runs`; what it gave is handed on."""

from __future__ import annotations

from lodestone.runs.folders import finished_folder
from lodestone.runs.replay import replay
from lodestone.runs.simulate import check_verdicts, simulate

__all__ = ["check_verdicts", "finished_folder", "replay", "simulate"]
