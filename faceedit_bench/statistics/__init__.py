"""Statistics of two methods: paired differences, correction for many edits, how many faces are needed."""
