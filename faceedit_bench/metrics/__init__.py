"""Metrics: one file per metric or family; `specs.py` lists them, `states.py` is what they remember."""
