"""What is kept of a run: recorder, tables, results, metrics, provenance."""
