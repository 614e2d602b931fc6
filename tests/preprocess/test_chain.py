"""What a step makes of a sequence is checked, and a bad step is named."""

import numpy as np
import pytest

from skseq.augmentation import augmenter
from skseq.preprocessing import SequenceNormalizer
from tests.estimators import AUTOENCODER, CTC, TRANSLATOR


def test_no_step_can_write_to_what_the_user_passed():
    @augmenter
    def careless(sequence, rng):
        sequence[:] = 0
        return sequence

    X = [np.ones((4, 2)) for _ in range(3)]
    for steps in ([careless], [SequenceNormalizer(), careless]):
        with pytest.raises(ValueError, match=r", careless, failed on X\[\d\]: .*read-"):
            CTC.tiny(preprocess=steps).fit(X, ["a", "b", "a"])
    assert all((x == 1).all() for x in X)


def test_a_broken_promise_to_keep_the_frames_is_found():
    @augmenter(changes_frames=False)
    def shorter(sequence, rng):
        return sequence[1:]

    with pytest.raises(
        ValueError, match=r"shorter, turned \d+ frames of X\[\d+\] into"
    ):
        AUTOENCODER.tiny(preprocess=[shorter]).fit(AUTOENCODER.X)


@pytest.mark.parametrize("made", [[], [3], "b", None])
def test_a_step_that_makes_no_tokens_is_named(made):
    @augmenter
    def spoil(sequence, rng):
        return made

    with pytest.raises(ValueError, match=r"preprocess\[0\], spoil, turned X\[0\], .*"):
        TRANSLATOR.tiny(preprocess=[spoil]).fit(["a b"] * 3, ["x", "y", "z"])


def wider(sequence, rng):
    return np.hstack([sequence, sequence])


def of_another_type(sequence, rng):
    return sequence.astype("float16")


def lost(sequence, rng):
    return sequence * np.nan


def far(sequence, rng):
    return sequence * 1e300


def gone(sequence, rng):
    return sequence[:0]


def failing(sequence, rng):
    raise RuntimeError("no luck")


def test_integers_of_an_augmenter_keep_their_type_where_they_fit():
    factors = iter([-1, -1, -1, -1000])

    @augmenter
    def scale(sequence, rng):
        return sequence * [next(factors), 1]  # of int64

    X = [np.full((6, 2), 100, "int16") for _ in range(4)]
    reader = CTC.tiny(preprocess=[scale], epochs=1)
    with pytest.raises(ValueError, match=r"from int16 to int64; .*astype\(sequence"):
        reader.fit(X, ["a", "b", "a", "b"])
    assert next(factors, None) is None  # what fits was taken


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (wider, r"changed the number of features of X\[\d\] from 2 to 4"),
        (of_another_type, r"changed the dtype of X\[\d\] from float64 to float16"),
        (lost, r"turned X\[\d\] into values that are NaN, infinite or too large"),
        (far, r"turned X\[\d\] into values that are NaN, infinite or too large"),
        (gone, r"turned X\[\d\] into an array of shape \(0, 2\) and dtype float64"),
        (failing, r"failed on X\[\d\]: no luck"),
    ],
)
def test_a_bad_augmenter_is_named_with_the_sample(function, message):
    name = function.__name__
    steps = [SequenceNormalizer(), augmenter(function)]
    X = [np.random.default_rng(i).normal(size=(6, 2)) for i in range(4)]
    reader = CTC.tiny(preprocess=steps)
    with pytest.raises(ValueError, match=rf"^preprocess\[1\], {name}, {message}"):
        reader.fit(X, ["a", "b", "a", "b"])
    assert not hasattr(reader, "_weights")
