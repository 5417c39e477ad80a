"""One file a verb; each registers itself and is found without being told."""
