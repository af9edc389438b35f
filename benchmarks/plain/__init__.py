"""Networks and training loops as one writes them without this toolkit: what ours are timed against.

From the papers and what their released programs do; layers one after the other, conditions as planes,
formulas spelled out. Parameters come in the order of ours, so that weights can be copied one by one.
"""
