"""Every random number of a fit, as a function of one integer and of where it is used.

A fit draws one seed and derives all others from it by name ("shuffle", epoch 3), so
that no number depends on how many were drawn before it. Touches no global state, but
for `private_random`, which puts it back.
"""

import hashlib
import json
import operator
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from sklearn.utils import check_random_state

# Seeds lie in [0, 2**31 - 1), which NumPy, Keras and TensorFlow all take.
_N_SEEDS = 2**31 - 1

# Two threads that seed the one global generator in turn would both get neither stream.
_GLOBAL_GENERATORS = threading.RLock()


def draw_seed(random_state=None) -> int:
    """Draw the one seed from which all random numbers of a fit follow.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        As everywhere in scikit-learn: the same int gives the same seed, a
        `RandomState` is advanced by one draw, and None draws from NumPy's global
        generator.

    Returns
    -------
    seed : int
        A Python integer in ``[0, 2**31 - 1)``.

    Raises
    ------
    ValueError
        If `random_state` cannot seed a `RandomState`.
    """
    return int(check_random_state(random_state).randint(_N_SEEDS))


def derive(seed: int, *path: int | str) -> int:
    """Derive the seed of one place from the seed of the whole.

    Parameters
    ----------
    seed : int
        The seed of the fit, or one derived from it.
    *path : int or str
        Names the place, e.g. ``"shuffle", epoch``. The integer 1 and the string "1"
        are two places.

    Returns
    -------
    seed : int
        A Python integer in ``[0, 2**31 - 1)``, a hash of `seed` and `path`: the same
        in every process, on every machine and under every version of Python.

    Raises
    ------
    TypeError
        If an entry is neither an integer nor a string.

    Examples
    --------
    >>> from skseq._seeding import derive
    >>> derive(0, "dropout", 1), derive(0, "dropout", 2)
    (842849450, 1520079865)
    """
    return _digest(seed, path) % _N_SEEDS


def generator(seed: int, *path: int | str) -> np.random.Generator:
    """Make the random generator of one place.

    Parameters
    ----------
    seed : int
        The seed of the fit, or one derived from it.
    *path : int or str
        Names the place, as in `derive`.

    Returns
    -------
    rng : numpy.random.Generator
        A fresh generator, independent of those of all other places.
    """
    return np.random.default_rng(_digest(seed, path))


@contextmanager
def private_random(seed: int) -> Iterator[None]:
    """Seed the global generators of Python and NumPy, and put them back afterwards.

    For running the user's own code, which may draw from them. Inside, `random` and
    `numpy.random` start from `seed`; on leaving, also by an exception, both continue
    as if nothing had been drawn. Threads that enter wait for one another. A thread
    that draws from the global generators without entering is not held up, and draws
    from the seeded ones.

    Parameters
    ----------
    seed : int
        Where both generators start, in ``[0, 2**32)``.
    """
    with _GLOBAL_GENERATORS:
        python_state = random.getstate()
        numpy_state = np.random.get_state()  # noqa: NPY002
        try:
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            yield
        finally:
            np.random.set_state(numpy_state)  # noqa: NPY002
            random.setstate(python_state)


def _digest(seed: int, path: tuple[int | str, ...]) -> int:
    """Hash an unambiguous text of `seed` and `path` to 128 bits."""
    parts = [part if isinstance(part, str) else operator.index(part) for part in path]
    text = json.dumps([operator.index(seed), *parts])
    digest = hashlib.blake2b(text.encode("ascii"), digest_size=16).digest()
    return int.from_bytes(digest, "little")
