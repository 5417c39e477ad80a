"""The phases of a market day, one file each, in the order of `engine/tick.py`."""
