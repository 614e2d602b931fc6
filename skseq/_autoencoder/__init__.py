"""Sequences to codes and back, and how badly that goes.

`estimator` has the estimator.
"""
