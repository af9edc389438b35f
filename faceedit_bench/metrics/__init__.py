"""Metrics: one file per metric or family; `specs.py` lists what is offered, `states.py` what they remember."""
