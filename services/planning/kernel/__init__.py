"""The compiled inner loop of the annealing: plain integer arrays in, a better plan in the same arrays out.

Everything here is Numba's subset of Python. ``layout`` names the columns; ``schedule`` changes a plan and
``settling`` brings its times up to date; ``moves`` and ``pooling`` propose; ``loop`` accepts or takes back.
"""
