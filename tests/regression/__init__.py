"""Numbers as they were: three short runs, hashed."""
