"""Data sets: what is on disk or drawn, as sequences of faces."""
