"""Experiments that put edits to use: training on edited faces, and what that changes."""
