"""Old name of `lodestone.runs.settings`."""

import sys

from lodestone.runs import settings

sys.modules[__name__] = settings
