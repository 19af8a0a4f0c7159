"""The driver of the benchmark: run.py is its way in."""
