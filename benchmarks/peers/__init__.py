"""The same work written by hand in Keras and PyTorch, for comparison only."""
