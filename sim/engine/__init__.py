"""Time: the calendar (the only user of SimPy) and the market day."""
