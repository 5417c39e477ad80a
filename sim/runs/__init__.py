"""One run: a scenario and its reference, compiled once, run in batches, written into a folder."""
