"""History as data: episodes, their facts, and how they are scored.

The room has the name of the verb, so it can be called: ``lodestone.backcast("licensing_2025")`` is
`lodestone.api.backcast`.
"""

import importlib
import sys
import types
from typing import Any


class _Room(types.ModuleType):
    def __call__(self, *episodes: Any, **settings: Any) -> Any:
        """Replay history and score it (see `lodestone.api.backcast`)."""
        return importlib.import_module("lodestone.api").backcast(*episodes, **settings)


sys.modules[__name__].__class__ = _Room
