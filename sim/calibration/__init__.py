"""What history teaches: behaviour fitted as an ensemble, with bands that are meant to be honest."""
