"""What the tasks share whose frames pass a front end, convolutions and recurrences.

`estimator` has their base, `network` the layers, `data` the batches, `convolutions`
what is left to be chosen, `stream` the network of a stream. Knows no task.
"""
