"""History replayed: episodes as data, what is read from a run for them, and the score."""
