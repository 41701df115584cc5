"""Benchmarks: the platform beside the least that could do the same, in one run. ``python -m bench``."""
