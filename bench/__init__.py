"""Benchmarks: each compares the platform with the least that could do the same, in one run. ``python -m bench``."""
