"""From a sequence of tokens to another one: `estimator` has the estimator."""
