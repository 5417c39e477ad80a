"""Old name of `lodestone.border.yamlfile`."""

import sys

from lodestone.border import yamlfile

sys.modules[__name__] = yamlfile
