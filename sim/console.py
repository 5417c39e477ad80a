"""Old name of `lodestone.cli.console`."""

import sys

from lodestone.cli import console

sys.modules[__name__] = console
