"""One run: a scenario and settings become a run folder."""
