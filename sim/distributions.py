"""Old name of `lodestone.border.numbers`."""

import sys

from lodestone.border import numbers

sys.modules[__name__] = numbers
