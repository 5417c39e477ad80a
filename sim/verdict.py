"""Old name of `lodestone.border.expressions`."""

import sys

from lodestone.border import expressions

sys.modules[__name__] = expressions
