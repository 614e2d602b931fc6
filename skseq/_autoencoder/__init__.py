"""Sequences to codes and back, and how badly that goes."""

import skseq._nn.backend  # noqa: F401 - before Keras is imported
from skseq._autoencoder.estimator import LSTMAutoencoder as LSTMAutoencoder
