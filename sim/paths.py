"""Old name of `lodestone.border.paths`."""

import sys

from lodestone.border import paths

sys.modules[__name__] = paths
