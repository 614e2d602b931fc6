"""Sequences to codes and back, and how badly that goes."""

from skseq._autoencoder.estimator import LSTMAutoencoder as LSTMAutoencoder
