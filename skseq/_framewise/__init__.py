"""From sequences to one output per sequence, or one per frame.

One network with three heads: `classifier`, `regressor` and `tagger` have the
estimators, `estimator` their base. The mathematics of a chain of labels, `transitions`
and `chain`, can be imported without TensorFlow, and so this file imports nothing.
"""
