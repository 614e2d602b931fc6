"""What stands before the recurrences where a user leaves it open."""

from functools import partial

import keras
import numpy as np
import pytest

from skseq import load
from skseq._encoder.convolutions import pick_convolutions
from tests.estimators import CTC, TINY

make = partial(CTC.make, **TINY, conv_filters="auto")


def frames(*lengths, n_features=2):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, n_features)) for n in lengths]


def chosen(reader, X, y):
    """The filters and strides that `fit` is about to build a network with."""
    data = reader._check_data(X, y, None, reset=True)
    settings = reader._make_settings(data, None, {})
    return settings["conv_filters"], settings["conv_strides"]


def taken(fitted):
    return fitted._settings["conv_filters"], fitted.conv_strides_


@pytest.mark.parametrize(
    ("lengths", "texts", "strides"),
    [
        ((40, 60), ["ab", "abc"], (4,)),
        ((40, 16), ["ab", "ab"], (4,)),
        ((40, 12), ["ab", "ab"], (2,)),  # 3 frames of 12 would be less than 2 per label
        ((40, 8), ["ab", "aab"], (1,)),  # equal neighbours need a frame between them
        ((40, 12), ["ab", "a"], (4,)),
    ],
)
def test_strides_leave_each_sequence_twice_what_its_labels_need(
    lengths, texts, strides
):
    assert chosen(make(), frames(*lengths), texts) == ((64,), strides)


def test_one_label_per_sample_is_read_at_half_the_pace():
    assert chosen(make(), frames(40, 60), [0, 1]) == ((64,), (2,))


def test_sequences_of_the_validation_set_count_and_hopeless_ones_do_not():
    few = {"X_val": frames(12), "y_val": ["ab"]}
    assert make().fit(frames(40, 60), ["ab", "ba"], **few).conv_strides_ == (2,)
    dropping = make(infeasible="drop")
    with pytest.warns(UserWarning, match="Dropped 1 of 3"):
        dropping.fit(frames(40, 60, 1), ["ab", "ba", "ab"])
    assert dropping.conv_strides_ == (4,)


def test_frames_that_are_skipped_do_not_count():
    assert chosen(make(skip_frames=7), frames(40), ["ab"]) == ((64,), (2,))


GIVEN = {
    "one convolution": ({"conv_filters": 3}, ((3,), (4,))),
    "two": ({"conv_filters": (3, 4)}, ((3, 4), (2, 2))),
    "three": ({"conv_filters": (3, 4, 5)}, ((3, 4, 5), (2, 2, 1))),
    "none": ({"conv_filters": ()}, ((), ())),
    "a stride": ({"conv_strides": 3}, ((64,), (3,))),
    "two strides": ({"conv_strides": (3, 1)}, ((64, 64), (3, 1))),
    "both": ({"conv_filters": (3, 4), "conv_strides": 1}, ((3, 4), (1, 1))),
    "front end": ({"front_end": lambda frames: frames}, ((), ())),
    "front end and convolution": (
        {"front_end": lambda frames: frames, "conv_filters": 3},
        ((3,), (1,)),
    ),
}


@pytest.mark.parametrize("name", GIVEN)
def test_what_a_user_sets_is_never_overruled(name):
    given, expected = GIVEN[name]
    assert chosen(make(**given), frames(40, 60), ["ab", "ba"]) == expected


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n == "two" else pytest.mark.slow) for n in GIVEN],
)
def test_the_network_is_built_with_what_was_chosen(name):
    given, expected = GIVEN[name]
    reader = make(**given).fit(frames(40, 60), ["ab", "ba"])
    assert taken(reader) == expected
    layers = [x for x in reader.model_.layers if x.name.startswith("conv_")]
    assert tuple(layer.convolution.filters for layer in layers) == expected[0]
    strides = tuple(stride for x in layers for stride in x.convolution.strides)
    assert strides == expected[1]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"front_end": "image", "conv_strides": 2}, "front_end takes their place"),
        ({"front_end": "image", "conv_strides": (2,)}, "front_end takes their place"),
        ({"conv_filters": (), "conv_strides": (2, 1)}, r"conv_filters=\(\)"),
    ],
)
def test_strides_of_no_convolution_are_refused(given, why):
    message = rf"has no effect without convolutions: {why}\. Give conv_f"
    with pytest.raises(ValueError, match=message):
        make(**given).fit([np.ones((40, 6)), np.ones((60, 6))], ["ab", "ba"])


def test_training_that_continues_keeps_what_was_taken(tmp_path):
    short = frames(6, 8), ["ab", "ba"]
    reader = make(warm_start=True).fit(frames(40, 60), ["ab", "ba"])
    with pytest.raises(ValueError, match="only 2 output frames"):
        reader.fit(frames(6, 5), ["aba", "bab"])
    assert reader.fit(*short).conv_strides_ == (4,)
    reader.partial_fit(*short)
    path = tmp_path / "reader.skseq"
    reader.save(path)
    assert load(path).partial_fit(*short).conv_strides_ == (4,)
    assert reader.set_params(warm_start=False).fit(*short).conv_strides_ == (1,)


def test_room_is_asked_for_from_the_longest_strides_on():
    asked = []

    def room(strides):
        asked.append(strides)
        return 1

    found = pick_convolutions("auto", "auto", room, {}, has_front_end=False, most=4)
    assert found == ((64,), (1,))
    assert asked == [(4,), (2,)]


# -- standardization ------------------------------------------------------------------


def test_frames_are_read_in_units_of_their_deviation():
    X = frames(40, 60)
    reader = make().fit(X, ["ab", "ba"])
    np.testing.assert_allclose(reader.mean_, np.concatenate(X).mean(axis=0))
    np.testing.assert_allclose(reader.scale_, np.concatenate(X).std(axis=0))
    scaled = [x * [1e3, 1e-2] + [7, -5] for x in X]
    other = make().fit(scaled, ["ab", "ba"])
    for a, b in zip(reader.predict_proba(X), other.predict_proba(scaled), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_the_pixels_of_images_are_scaled_alike():
    X = [x + np.arange(4) for x in frames(40, 60, n_features=4)]
    pixels = np.concatenate(X)
    options = {"front_end": "image", "front_end__filters": 2, "front_end__features": 2}
    reader = make(**options).fit(X, ["ab", "ba"])
    np.testing.assert_allclose(reader.mean_, np.full(4, pixels.mean()))
    np.testing.assert_allclose(reader.scale_, np.full(4, pixels.std()))


def test_frames_may_be_read_as_they_are():
    reader = make(standardize=False).fit(frames(40, 60), ["ab", "ba"])
    assert reader.mean_.tolist() == [0, 0]
    assert reader.scale_.tolist() == [1, 1]


def test_sequences_of_weight_zero_and_validation_sets_do_not_change_the_scale():
    X, strange = frames(40, 60), [100 + x for x in frames(50)]
    validation = {"X_val": strange, "y_val": ["ab"]}
    reader = make().fit(
        [*X, *strange], ["ab", "ba", "ab"], sample_weight=[1, 1, 0], **validation
    )
    np.testing.assert_allclose(reader.mean_, np.concatenate(X).mean(axis=0))


def test_frames_that_are_indices_are_looked_up_as_they_are():
    def look_up(frames):
        return keras.layers.Embedding(5, 3)(frames[..., 0])

    rng = np.random.default_rng(0)
    X = [rng.integers(5, size=(n, 1)) for n in (20, 30, 20)]
    texts = ["ab", "ba", "ab"]
    reader = make(front_end=look_up, standardize=False).fit(X, texts)
    together, alone = reader.predict_proba(X), reader.predict_proba(X[:1])
    np.testing.assert_allclose(together[0], alone[0], atol=1e-6)
    with pytest.raises(ValueError, match=r"Embedding, but standardize=True changes"):
        make(front_end=look_up).fit(X, texts)
