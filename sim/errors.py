"""Old name of `lodestone.border.errors`."""

import sys

from lodestone.border import errors

sys.modules[__name__] = errors
