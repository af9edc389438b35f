"""Judges: pinned networks that metrics ask, how they look at a face, and the training of the demo ones."""
