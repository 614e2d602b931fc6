"""A graph answers for sequences that it can read, and for no other."""

import numpy as np
import pytest
import tensorflow as tf

from skseq._nn import portable
from skseq._nn.answerable import Batch

FRAMES = np.arange(24, dtype="float32").reshape(4, 3, 2)


def batch(lengths, frames=FRAMES):
    return Batch.of(tf.constant(frames), tf.constant(lengths, tf.int32), "frames")


@pytest.mark.parametrize(
    ("lengths", "words"),
    [([3, 0, 1, -2], "must be at least 1"), ([3, 4, 1, 9], "No length may exceed the")],
)
def test_a_length_that_is_none_is_refused_or_its_sequence_is_marked(lengths, words):
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"{words}(?s:.*)1, 3$"):
        batch(lengths)
    with portable.without_assertions():
        found = batch(lengths)
    assert found.is_sound.numpy().tolist() == [True, False, True, False]
    assert found.answered_lengths.numpy().tolist() == [3, 0, 1, 0]
    assert ((found.lengths >= 1) & (found.lengths <= 3)).numpy().all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_frames_must_be_finite_up_to_each_length_only(value):
    frames = FRAMES.copy()
    frames[0, 2, 1] = frames[1, 1, 0] = value
    within = batch([2, 1, 3, 3], frames).demand_finite("Be finite.")
    assert within.is_sound.numpy().all()
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Be finite\.(?s:.*)\n1$"):
        batch([2, 2, 3, 3], frames).demand_finite("Be finite.")
    with portable.without_assertions():
        found = batch([2, 2, 3, 3], frames).demand_finite("Be finite.")
    assert found.is_sound.numpy().tolist() == [True, False, True, True]


def test_where_there_is_no_answer_values_are_nan():
    with portable.without_assertions():
        found = batch([3, 0, 3, 3])
    for values in (FRAMES, FRAMES[:, 0].astype("float64"), FRAMES[:, 0, 0]):
        answers = found.answered(tf.constant(values)).numpy()
        assert answers.dtype == values.dtype
        assert np.isnan(answers[1]).all()
        kept = [0, 2, 3]
        assert (answers[kept] == values[kept]).all()


def test_what_a_graph_holds_comes_after_its_checks():
    @tf.function
    def looked_up(lengths):
        found = Batch.of(tf.constant(FRAMES), lengths, "frames")
        return tf.gather([1.0], tf.cast(found.frames[0, 2, 1], tf.int32))  # not there

    with pytest.raises(tf.errors.InvalidArgumentError, match="must be at least 1"):
        looked_up(tf.constant([3, 0, 1, 1]))
