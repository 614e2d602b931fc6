"""Generates the frames of a hidden Markov model, and knows how well they can be read.

Knows nothing of files.
"""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state, check_scalar

from skseq._data.sequences import check_sequences
from skseq._wording import counted


@dataclass(frozen=True, eq=False)
class HiddenMarkovModel:
    """The model that :func:`make_hidden_markov` draws from, which knows the optimum.

    Attributes
    ----------
    start : ndarray of shape (n_states,)
        Probability of each state in the first frame.
    transition : ndarray of shape (n_states, n_states)
        Probability of the state in the column, one frame after the state in the row.
    means : ndarray of shape (n_states, n_features)
        What a frame is in each state, without noise.
    deviations : ndarray of shape (n_states, n_features)
        Standard deviations of the noise in each state, which is Gaussian and
        independent between features.

    Notes
    -----
    The state that is most probable in `posteriors` is the right one most often: its
    share of right frames is the best that any model can have on the average.
    """

    start: np.ndarray
    transition: np.ndarray
    means: np.ndarray
    deviations: np.ndarray

    def posteriors(self, X):
        """Compute how probable each state is in each frame, given the whole sequence.

        This is the forward-backward algorithm [1]_ with the true parameters, in logs.

        Parameters
        ----------
        X : list of n_samples array-likes of shape (n_frames, n_features)
            The sequences, in any form that an estimator takes. A frame alone, as a
            sequence of one, has the posteriors of who does not know its neighbors.

        Returns
        -------
        posteriors : list of n_samples ndarrays of shape (n_frames, n_states)
            p(state | sequence); each row adds up to one.

        Raises
        ------
        TypeError
            If X is of a kind that holds no sequences.
        ValueError
            If a sequence is empty or not finite, or its frames have other features.

        References
        ----------
        .. [1] L. R. Rabiner, "A tutorial on hidden Markov models and selected
               applications in speech recognition", Proceedings of the IEEE, 77(2),
               pp. 257-286, 1989.

        Examples
        --------
        >>> import numpy as np
        >>> from skseq.datasets import make_hidden_markov
        >>> X, y, model = make_hidden_markov(200, random_state=0, return_model=True)
        >>> best = [p.argmax(axis=1) for p in model.posteriors(X)]
        >>> float(np.mean(np.concatenate(best) == np.concatenate(y)).round(2))
        0.9
        """
        sequences = check_sequences(BaseEstimator(), X, reset=True)
        n_features = self.means.shape[1]
        if sequences.n_features != n_features:
            raise ValueError(
                f"X must have frames of {counted(n_features, 'feature')}, as the model "
                f"draws them. Got {sequences.n_features} instead; pass a list of "
                f"arrays of shape (n_frames, {n_features}), also for one sequence."
            )
        return [self._of_sequence(frames.astype(float)) for frames in sequences]

    def _of_sequence(self, frames: np.ndarray) -> np.ndarray:
        """Join what frames before and after say of each state, (n_frames, n_states)."""
        emission = self._log_emission(frames)
        with np.errstate(divide="ignore"):  # a state that is never first, or next
            start, transition = np.log(self.start), np.log(self.transition)
        forward, backward = np.empty_like(emission), np.zeros_like(emission)
        forward[0] = start + emission[0]
        for t in range(1, len(frames)):
            before = np.logaddexp.reduce(forward[t - 1][:, None] + transition, axis=0)
            forward[t] = before + emission[t]
        for t in range(len(frames) - 2, -1, -1):
            after = emission[t + 1] + backward[t + 1]
            backward[t] = np.logaddexp.reduce(transition + after, axis=1)
        return softmax(forward + backward, axis=1)

    def _log_emission(self, frames: np.ndarray) -> np.ndarray:
        """The log density of frames in each state, up to a constant."""
        scaled = (frames[:, None] - self.means) / self.deviations
        return -(scaled**2 / 2 + np.log(self.deviations)).sum(axis=2)


def make_hidden_markov(
    n_samples=300,
    *,
    n_states=5,
    n_features=3,
    min_frames=20,
    max_frames=100,
    stay=0.9,
    separation=1.0,
    random_state=None,
    return_model=False,
) -> Any:
    """Generate sequences of a hidden Markov model, with the state of each frame.

    States tend to last, and what is seen of them is so noisy that a frame alone often
    does not tell its state, but the frames around it do. Since the model is known, so
    is the best share of right states that can be reached.

    Parameters
    ----------
    n_samples : int, default=300
        Number of sequences.
    n_states : int, default=5
        Number of states, at least 2.
    n_features : int, default=3
        Number of features of a frame. More features make states easier to tell apart.
    min_frames : int, default=20
        Fewest frames in a sequence.
    max_frames : int, default=100
        Most frames in a sequence; every number between is equally likely.
    stay : float, default=0.9
        Probability that the next frame has the same state, between 0 and 1. With larger
        values, frames farther away are of help.
    separation : float, default=1.0
        Standard deviation of the means of states, while that of the noise is about 1.
        Larger values make states easier to tell apart.
    random_state : int, RandomState instance or None, default=None
        Draws the sequences, but not the model: another int gives other sequences of the
        same model. Pass an int for the same sequences in each call.
    return_model : bool, default=False
        Whether to return the model too.

    Returns
    -------
    X : list of n_samples ndarrays of shape (n_frames, n_features), dtype=float32
        What is seen.
    y : list of n_samples ndarrays of shape (n_frames,), dtype=int
        The state of each frame, from 0.
    model : :class:`HiddenMarkovModel`
        The parameters that all was drawn with; only if `return_model` is True.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of range.

    Notes
    -----
    The model depends on `n_states`, `n_features`, `stay` and `separation` alone. Its
    means are drawn from a Gaussian, its deviations evenly from 0.7 to 1.3, and where a
    state leads if it ends evenly from all distributions over the others. Sequences
    start in the stationary distribution, so that all frames have the same one.

    With the defaults, the state that is most probable given the whole sequence is right
    in 89 % of the frames, and the one that is most probable given the frame alone in
    65 %.

    Examples
    --------
    >>> from skseq.datasets import make_hidden_markov
    >>> X, y = make_hidden_markov(3, random_state=0)
    >>> X[0].shape, y[0][:12]
    ((64, 3), array([3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4]))
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(n_states, "n_states", Integral, min_val=2)
    check_scalar(n_features, "n_features", Integral, min_val=1)
    check_scalar(min_frames, "min_frames", Integral, min_val=1)
    check_scalar(max_frames, "max_frames", Integral, min_val=min_frames)
    _check_between("stay", stay, 1.0)
    _check_between("separation", separation, 1e6)
    rng = check_random_state(random_state)
    model = _make_model(n_states, n_features, stay, separation)
    lengths = rng.randint(min_frames, max_frames + 1, size=n_samples)
    y = [_draw_states(rng, model, n_frames) for n_frames in lengths]
    X = [
        rng.normal(model.means[states], model.deviations[states]).astype(np.float32)
        for states in y
    ]
    return (X, y, model) if return_model else (X, y)


def _check_between(name: str, value, high: float) -> None:
    """Check a real number above zero and below a bound, which NaN is not."""
    check_scalar(value, name, Real)
    if not 0 < value < high:
        raise ValueError(f"{name} == {value}, must be > 0 and < {high:g}.")


def _make_model(
    n_states: int, n_features: int, stay: float, separation: float
) -> HiddenMarkovModel:
    """Draw a model, the same one for the same sizes."""
    rng = np.random.RandomState(0)
    means = separation * rng.standard_normal((n_states, n_features))
    deviations = rng.uniform(0.7, 1.3, size=(n_states, n_features))
    transition = np.zeros((n_states, n_states))
    others = ~np.eye(n_states, dtype=bool)
    leaving = rng.dirichlet(np.ones(n_states - 1), size=n_states)
    transition[others] = (1 - stay) * leaving.ravel()
    transition[~others] = stay
    return HiddenMarkovModel(_stationary(transition), transition, means, deviations)


def _stationary(transition: np.ndarray) -> np.ndarray:
    """The distribution of states that a transition leaves as it is, (n_states,)."""
    n_states = len(transition)
    balance = np.vstack([transition.T - np.eye(n_states), np.ones(n_states)])
    shares = np.linalg.lstsq(balance, np.eye(n_states + 1)[-1], rcond=None)[0]
    shares = np.maximum(shares, 0.0)
    return shares / shares.sum()


def _draw_states(
    rng: np.random.RandomState, model: HiddenMarkovModel, n_frames: int
) -> np.ndarray:
    """Walk from state to state, (n_frames,)."""
    steps = np.cumsum(np.vstack([model.transition, model.start]), axis=1)
    steps /= steps[:, -1:]  # a draw below one never falls beyond the last state
    states = np.empty(n_frames, dtype=int)
    state = -1  # the row of the start
    for t, draw in enumerate(rng.uniform(size=n_frames)):
        state = states[t] = np.searchsorted(steps[state], draw, "right")
    return states
