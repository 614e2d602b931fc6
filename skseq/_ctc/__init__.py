"""From feature frames to a shorter sequence of labels.

`estimator` has the estimator. The mathematics, `lattice`, `search` and `decoders`, can
be imported without TensorFlow, and so this file imports nothing.
"""
