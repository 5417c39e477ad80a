"""Old name of `lodestone.cli.catalogue`."""

import sys

from lodestone.cli import catalogue

sys.modules[__name__] = catalogue
