"""One sequence of five variables and 14 frames: how soon it is reconstructed well.

    python benchmarks/five_variables.py

The sequence comes from a well-known question about LSTM autoencoders that learn only
the mean. A good model reaches a mean squared error of 1e-4 in the sequence's own units.
"""

import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skseq import LSTMAutoencoder

FRAMES = """
0.5122 0.0360 0.7027 0.0721 0.1892 0.5177 0.0833 0.6574 0.1204 0.1389
0.4643 0.0364 0.6242 0.1576 0.1818 0.4375 0.0133 0.5733 0.1867 0.2267
0.4838 0.0625 0.6042 0.1771 0.1562 0.4804 0.0175 0.6798 0.1053 0.1974
0.5030 0.0445 0.6712 0.1438 0.1404 0.4987 0.0490 0.6699 0.1536 0.1275
0.4898 0.0388 0.6704 0.1330 0.1579 0.4711 0.0390 0.5877 0.1532 0.2201
0.4627 0.0484 0.5269 0.1882 0.2366 0.5043 0.0807 0.6646 0.1429 0.1118
0.4852 0.0606 0.6364 0.1515 0.1515 0.5279 0.0629 0.6886 0.1514 0.0971
"""
X = np.array(FRAMES.split(), dtype=float).reshape(1, 14, 5)
AIM = 1e-4


def fitted(epochs, **settings):
    """Mean squared error, seconds, and whether the fit warned that it had collapsed."""
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        coder = LSTMAutoencoder(epochs=epochs, random_state=0, **settings).fit(X)
    seconds = time.perf_counter() - start
    error = float(np.mean(np.square(coder.reconstruct(X)[0] - X[0])))
    return error, seconds, any(w.category is ConvergenceWarning for w in caught)


def main():
    for units in (5, 100):
        for difference in (False, True):
            settings = {"units": units, "difference": difference, "learning_rate": 1e-2}
            fitted(1, **settings)  # traces the network
            for epochs in (50, 100, 200, 300, 1000, 3000):
                error, seconds, has_warned = fitted(epochs, **settings)
                warned = ", warned of collapse" if has_warned else ""
                print(
                    f"units={units}, difference={difference}: {error:.1e} after "
                    f"{epochs} epochs, {seconds:.1f} s{warned}",
                    flush=True,
                )
                if error < AIM:
                    break


if __name__ == "__main__":
    main()
