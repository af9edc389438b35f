"""Judges: pinned networks that metrics ask, how they look at a face, and the programs that train the demo ones."""
