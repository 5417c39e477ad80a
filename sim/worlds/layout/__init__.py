"""From nouns to arrays: which row of which array is which thing, and its base-year numbers.

Labels become indices here, once, before the tick. Each table is built by one pure function.
"""

from lodestone.worlds.layout.layout import Layout
from lodestone.worlds.layout.rows import WEEKS_PER_YEAR, Segments, column

__all__ = ["WEEKS_PER_YEAR", "Layout", "Segments", "column"]
