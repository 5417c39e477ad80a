"""Old name of `lodestone.border.words`."""

import sys

from lodestone.border import words

sys.modules[__name__] = words
