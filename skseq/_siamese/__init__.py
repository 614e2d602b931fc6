"""From labelled sequences, or pairs of them, to vectors in which equals are near.

`estimator` has the estimator, `data` what it learns from and `draws` its batches. The
mathematics of `distances`, `pairs` and `thresholds` can be imported without
TensorFlow, and so this file imports nothing.
"""
