"""Old name of `lodestone.border.files`."""

import sys

from lodestone.border import files

sys.modules[__name__] = files
