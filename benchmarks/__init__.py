"""Ours against named peers, and against our own promises, one file per question; ``make bench`` runs them all.

Each is ``python -m benchmarks.<name> [--quick]``: it prints its table and, as its last line, one JSON
object. Timings live here and never in tests.
"""
