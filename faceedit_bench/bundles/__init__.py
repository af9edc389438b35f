"""Bundles: a run that somebody else made, in one zip that can be checked without running the method.

<run id>.json              the record, as `faceedit-bench export` writes it
samples.parquet            one row per edited picture with its scores, as in the run's folder
pictures/<edit>/<id>.png   a few edited pictures, chosen by a rule that the rows' bytes decide (choice.py)
pictures/source/<id>.png   what they were edited from

`make` writes one; `verify` computes the scores again from the rows, and rows from the pictures; `submit` adds
the record to the leaderboards.
"""
