"""Toy sequences that a small network learns in a second."""

import numpy as np

SILENCE = 2  # frames of it before, between and after the symbols


def symbol_runs(n_samples=12, *, n_symbols=3, max_symbols=4, noise=0.05, seed=0):
    """Noisy one-hot frames, one to three a symbol, with silence around each.

    Returns the frames, the symbols of each sequence, and the first and last frame of
    each symbol.
    """
    rng = np.random.default_rng(seed)
    X, y, spans = [], [], []
    for _ in range(n_samples):
        symbols = rng.integers(n_symbols, size=rng.integers(1, max_symbols + 1))
        counts = rng.integers(1, 4, size=len(symbols))
        starts = SILENCE + np.cumsum(counts + SILENCE) - (counts + SILENCE)
        frames = np.zeros((starts[-1] + counts[-1] + SILENCE, n_symbols))
        for symbol, start, count in zip(symbols, starts, counts, strict=True):
            frames[start : start + count, symbol] = 1
        X.append(frames + rng.normal(scale=noise, size=frames.shape))
        y.append(symbols)
        spans.append(list(zip(starts, starts + counts - 1, strict=True)))
    return X, y, spans


def as_text(y):
    """Name the symbols by letters: one string a sequence."""
    return ["".join("abcdefgh"[i] for i in symbols) for symbols in y]


def reversals(n_samples=12, *, n_symbols=3, max_symbols=4, seed=0):
    """Lists of letters, and the same from last to first."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, max_symbols + 1, size=n_samples)
    X = [list(as_text([rng.integers(n_symbols, size=n)])[0]) for n in lengths]
    return X, [letters[::-1] for letters in X]


def roughened(estimator, scale=0.5, seed=0):
    """Give a copy of a fitted estimator random weights, biases among them.

    Much that padding can break is hidden while the biases are zero.
    """
    rng = np.random.default_rng(seed)
    rough = estimator.__class__(**estimator.get_params())
    vars(rough).update(vars(estimator))
    rough._weights = [
        rng.normal(scale=scale, size=w.shape).astype("float32")
        for w in estimator._weights
    ]
    rough._resume_weights = rough._weights
    return rough
