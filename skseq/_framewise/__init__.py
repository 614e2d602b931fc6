"""One label or value per frame, or one per sequence.

The mathematics of a linear chain, `transitions` and `chain`, can be imported without
TensorFlow, and so this file imports nothing.
"""
