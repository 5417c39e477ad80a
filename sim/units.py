"""Old name of `lodestone.border.units`."""

import sys

from lodestone.border import units

sys.modules[__name__] = units
