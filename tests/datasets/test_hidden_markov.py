"""A hidden Markov model draws what its parameters say, and knows the best tags."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from scipy.stats import norm

from skseq.datasets import make_hidden_markov


@pytest.fixture(scope="module")
def drawn():
    """400 sequences at the defaults, their states and the model."""
    return make_hidden_markov(400, random_state=0, return_model=True)


def brute_force(model, frames):
    """The posteriors of states, summed over every path there is."""
    n_states = len(model.start)
    density = norm.pdf(frames[:, None], model.means, model.deviations).prod(axis=2)
    posteriors = np.zeros((len(frames), n_states))
    for path in product(range(n_states), repeat=len(frames)):
        steps = [model.transition[step] for step in pairwise(path)]
        mass = model.start[path[0]] * np.prod(steps)
        mass *= np.prod([density[t, state] for t, state in enumerate(path)])
        posteriors[range(len(frames)), path] += mass
    return posteriors / posteriors.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("n_states", "n_features"), [(2, 1), (3, 2), (4, 3)])
def test_posteriors_are_those_of_all_paths_summed(n_states, n_features):
    X, _, model = make_hidden_markov(
        4,
        n_states=n_states,
        n_features=n_features,
        min_frames=1,
        max_frames=6,
        stay=0.6,
        random_state=1,
        return_model=True,
    )
    for frames, found in zip(X, model.posteriors(X), strict=True):
        np.testing.assert_allclose(found, brute_force(model, frames), atol=1e-10)


def test_posteriors_know_what_can_never_be():
    X, _, model = make_hidden_markov(
        3, n_states=3, max_frames=6, min_frames=6, random_state=0, return_model=True
    )
    forward = np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]])
    model = replace(model, start=np.array([1.0, 0.0, 0.0]), transition=forward)
    for frames, found in zip(X, model.posteriors(X), strict=True):
        np.testing.assert_allclose(found, brute_force(model, frames), atol=1e-10)
        assert found[0].tolist() == [1, 0, 0]


def test_posteriors_stay_finite_in_long_sequences_and_far_from_all_means():
    *_, model = make_hidden_markov(1, return_model=True)
    long = np.random.default_rng(0).normal(size=(3000, 3))
    far = np.full((5, 3), 1e4)
    for found in model.posteriors([long, far]):
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found.sum(axis=1), 1)


def test_posteriors_are_as_often_right_as_they_say(drawn):
    X, y, model = drawn
    posteriors, states = np.concatenate(model.posteriors(X)), np.concatenate(y)
    for state in range(5):
        said, is_right = posteriors[:, state], states == state
        for low in (0.1, 0.3, 0.5, 0.7):
            near = (said >= low) & (said < low + 0.2)
            assert is_right[near].mean() == pytest.approx(said[near].mean(), abs=0.08)


def test_neighbors_tell_a_state_that_a_frame_alone_does_not(drawn):
    X, y, model = drawn
    states = np.concatenate(y)
    best = np.concatenate([p.argmax(axis=1) for p in model.posteriors(X)])
    frames = np.concatenate(X)
    # All frames have the distribution of the first, so Bayes' rule needs no more.
    density = norm.pdf(frames[:, None], model.means, model.deviations).prod(axis=2)
    alone = (model.start * density).argmax(axis=1)
    assert np.mean(best == states) == pytest.approx(0.893, abs=0.015)
    assert np.mean(alone == states) == pytest.approx(0.647, abs=0.015)


def test_a_frame_alone_has_the_posteriors_of_bayes_rule(drawn):
    X, _, model = drawn
    frames = X[0]
    found = np.concatenate(model.posteriors(frames[:, None]))
    density = norm.pdf(frames[:, None], model.means, model.deviations).prod(axis=2)
    joint = model.start * density
    np.testing.assert_allclose(found, joint / joint.sum(axis=1, keepdims=True))


def test_states_follow_each_other_as_the_model_says(drawn):
    _, y, model = drawn
    counts = np.zeros((5, 5))
    for states in y:
        np.add.at(counts, (states[:-1], states[1:]), 1)
    found = counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, model.transition, atol=0.02)
    np.testing.assert_allclose(np.diag(model.transition), 0.9)
    np.testing.assert_allclose(model.transition.sum(axis=1), 1)


def test_every_frame_has_the_distribution_of_the_first():
    _, y, model = make_hidden_markov(
        4000, min_frames=3, max_frames=3, random_state=0, return_model=True
    )
    for t in range(3):
        shares = np.bincount([states[t] for states in y], minlength=5) / len(y)
        np.testing.assert_allclose(shares, model.start, atol=0.03)
    np.testing.assert_allclose(model.start @ model.transition, model.start)


def test_frames_have_the_means_and_deviations_of_their_states(drawn):
    X, y, model = drawn
    frames, states = np.concatenate(X), np.concatenate(y)
    for state in range(5):
        own = frames[states == state]
        np.testing.assert_allclose(own.mean(axis=0), model.means[state], atol=0.08)
        np.testing.assert_allclose(own.std(axis=0), model.deviations[state], rtol=0.05)
        off_diagonal = np.corrcoef(own.T)[np.triu_indices(3, 1)]
        np.testing.assert_allclose(off_diagonal, 0, atol=0.06)


def test_another_random_state_draws_from_the_same_model():
    (X, y, model), (again, *_), (other, _, same) = (
        make_hidden_markov(3, random_state=s, return_model=True) for s in (0, 0, 1)
    )
    np.testing.assert_equal(X, again)
    assert not np.array_equal(X[0][0], other[0][0])
    np.testing.assert_equal(vars(model), vars(same))
    without = make_hidden_markov(3, random_state=0)
    np.testing.assert_equal(without, (X, y))


def test_separation_scales_the_means_alone():
    near, far = (
        make_hidden_markov(1, separation=s, return_model=True)[2] for s in (1.0, 3.0)
    )
    np.testing.assert_allclose(far.means, 3 * near.means)
    np.testing.assert_array_equal(far.deviations, near.deviations)


def test_sequences_have_the_shapes_asked_for():
    X, y = make_hidden_markov(
        200, n_states=2, n_features=4, min_frames=1, max_frames=3, random_state=0
    )
    assert {x.shape for x in X} == {(n, 4) for n in (1, 2, 3)}
    assert all(len(x) == len(states) for x, states in zip(X, y, strict=True))
    assert {x.dtype for x in X} == {np.dtype(np.float32)}
    assert {*np.concatenate(y).tolist()} == {0, 1}
    assert {states.dtype for states in y} == {np.dtype(int)}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_samples": 0}, ValueError, "n_samples == 0, must be >= 1"),
        ({"n_states": 1}, ValueError, "n_states == 1, must be >= 2"),
        ({"n_features": 0}, ValueError, "n_features == 0, must be >= 1"),
        ({"min_frames": 0}, ValueError, "min_frames == 0, must be >= 1"),
        ({"max_frames": 19}, ValueError, "max_frames == 19, must be >= 20"),
        ({"stay": 1}, ValueError, "stay == 1, must be > 0 and < 1"),
        ({"stay": float("nan")}, ValueError, "stay == nan, must be > 0"),
        ({"stay": "long"}, TypeError, "stay must be an instance of float"),
        ({"separation": 0}, ValueError, "separation == 0, must be > 0"),
        ({"separation": float("inf")}, ValueError, r"== inf, .* < 1e\+06"),
    ],
)
def test_hidden_markov_refuses_bad_parameters(options, error, message):
    with pytest.raises(error, match=message):
        make_hidden_markov(**options)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([np.zeros((4, 2))], ValueError, "frames of 3 features.* Got 2 instead; pass"),
        ([np.full((4, 3), np.nan)], ValueError, r"NaN \(X\[0\]\[0, 0\]"),
        ([np.zeros((0, 3))], ValueError, r"X\[0\]"),
        (np.zeros((4, 3)), ValueError, r"Got 1 .* \(n_frames, 3\), also for one"),
        (None, ValueError, "X is None"),
        (3, TypeError, "X"),
    ],
)
def test_posteriors_refuse_what_the_model_cannot_have_drawn(X, error, message):
    *_, model = make_hidden_markov(1, return_model=True)
    with pytest.raises(error, match=message):
        model.posteriors(X)
