"""What can happen: one file per kind of intervention.

Importing this package registers every kind; each module holds one class under the decorator
`lodestone.interventions.base.intervention`. See `lodestone.interventions.base` for how a kind is declared.
"""

from __future__ import annotations

import importlib
import pkgutil

from lodestone.interventions.base import REGISTRY, Intervention, intervention, kinds
from lodestone.interventions.read import build

__all__ = ["REGISTRY", "Intervention", "build", "intervention", "kinds"]

for _module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")
