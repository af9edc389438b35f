"""Run folders on disk: plain files that can be read without this package."""
