"""What holds for every augmenter, and how functions become augmenters."""

import copy
import doctest
import pickle
from contextlib import suppress
from functools import partial
from importlib import import_module
from itertools import product

import numpy as np
import pytest
from sklearn.base import clone

from skseq import augmentation
from skseq.augmentation import (
    AddNoise,
    Compose,
    FrameGain,
    GaussianNoise,
    SpecAugment,
    TimeMask,
    augmenter,
    is_augmenter,
)
from tests.augmentation.augmenters import ALL, EDGES, OF_ARRAYS, TOKENS, arrays, rng

CLASSES = [getattr(augmentation, n) for n in augmentation.__all__ if n[0].isupper()]
MODULES = sorted({cls.__module__ for cls in CLASSES} | {is_augmenter.__module__})

every_augmenter = pytest.mark.parametrize("augment", ALL, ids=lambda a: str(a)[:40])
every_of_arrays = pytest.mark.parametrize(
    "augment", OF_ARRAYS, ids=lambda a: str(a)[:40]
)


def sequences_for(augment):
    return ["a", "ab", "sequence"] if augment in TOKENS else arrays()


def test_the_list_has_every_class():
    assert {type(augment) for augment in ALL} == {*CLASSES}


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_the_docstrings_give_what_they_show(module):
    found = doctest.testmod(import_module(module))
    assert found.attempted
    assert not found.failed


@every_of_arrays
def test_type_width_and_input_stay_and_results_are_finite(augment):
    for number, sequence in enumerate(arrays()):
        before = sequence.copy()
        result = augment(sequence, rng(number))
        assert type(result) is np.ndarray
        assert result.dtype == sequence.dtype
        assert result.shape[1:] == sequence.shape[1:]
        assert len(result) >= 1
        assert np.isfinite(result).all()
        np.testing.assert_array_equal(sequence, before)


@pytest.mark.parametrize("augment", EDGES, ids=lambda a: str(a)[:40])
def test_settings_at_the_ends_of_their_ranges_hold_for_every_length(augment):
    for n_frames, n_features in product(range(1, 10), (1, 2, 3)):
        sequence = rng(n_frames).normal(size=(n_frames, n_features))
        for seed in range(3):
            result = augment(sequence, rng(seed))
            assert result.shape[1] == n_features
            assert len(result) == n_frames or (len(result) and augment.changes_frames)
            assert np.isfinite(result).all()


@every_augmenter
def test_the_same_generator_gives_the_same_bits_and_others_give_others(augment):
    sequence = "sequence" * 4 if augment in TOKENS else arrays()[11]
    bits = [np.asarray(augment(sequence, rng(seed))).tobytes() for seed in range(9)]
    again = [np.asarray(augment(sequence, rng(seed))).tobytes() for seed in range(9)]
    assert bits == again
    assert len(set(bits)) > 1


@every_augmenter
def test_a_sequence_of_numbers_is_changed_by_its_values_alone(augment):
    if augment in TOKENS:
        sequence, other = list("sequence"), tuple("sequence")
        assert tuple(augment(sequence, rng())) == augment(other, rng())
        return
    sequence = arrays()[11]
    strided = np.repeat(sequence, 2, axis=0)[::2]
    for same in (strided, np.asfortranarray(sequence)):
        np.testing.assert_array_equal(augment(same, rng()), augment(sequence, rng()))
    listed = augment(sequence.tolist(), rng())
    np.testing.assert_array_equal(listed, augment(sequence.astype(float), rng()))


@every_of_arrays
def test_a_sequence_of_one_feature_may_be_1d(augment):
    column = arrays()[10]
    flat = augment(column[:, 0], rng(3))
    np.testing.assert_array_equal(flat, augment(column, rng(3))[:, 0])


@every_augmenter
def test_one_that_keeps_its_frames_keeps_their_number(augment):
    assert type(augment.changes_frames) is bool
    if not augment.changes_frames:
        given = list("abc" * 10) if augment in TOKENS else arrays()[11]
        lengths = {len(augment(given, rng(seed))) for seed in range(20)}
        assert lengths == {30}


@every_augmenter
def test_copies_are_equal_and_draw_alike(augment):
    for same in (
        clone(augment),
        copy.deepcopy(augment),
        pickle.loads(pickle.dumps(augment)),
    ):
        assert same == augment
        assert hash(same) == hash(augment)
        assert repr(same) == repr(augment)
        for sequence in sequences_for(augment)[-3:]:
            results = same(sequence, rng(5)), augment(sequence, rng(5))
            np.testing.assert_array_equal(*results)


@every_augmenter
def test_a_changed_parameter_makes_another_augmenter(augment):
    for name, value in augment.get_params(deep=False).items():
        changed = clone(augment).set_params(**{name: [value]})
        assert changed != augment
        assert augment != 3


def test_augmenters_with_other_recordings_are_not_equal():
    first, same, other = (AddNoise(noises=[np.array(x)]) for x in ([1], [1], [2]))
    assert first == same != other


@every_augmenter
@pytest.mark.parametrize("generator", [0, None, np.random.RandomState(0), np.random])
def test_what_is_not_a_generator_is_refused(augment, generator):
    with pytest.raises(
        ValueError, match=r"'rng' parameter .* numpy\.random\.Generator"
    ):
        augment("ab" if augment in TOKENS else arrays()[0], generator)


@every_of_arrays
@pytest.mark.parametrize(
    ("sequence", "message"),
    [
        (np.zeros((0, 3)), r"at least one frame\. Got shape \(0, 3\) instead"),
        (np.zeros((2, 0)), r"Got shape \(2, 0\)"),
        (np.zeros((2, 2, 2)), r"Got shape \(2, 2, 2\)"),
        (np.float64(3), r"Got shape \(\)"),
        (np.array([True]), r"numbers\. Got dtype bool instead; convert it"),
        (np.array(["a"]), r"numbers, but got text\. Tokens are changed by TokenDrop"),
        (np.array([None]), r"Got dtype object"),
    ],
)
def test_what_is_not_a_sequence_of_frames_is_refused(augment, sequence, message):
    with pytest.raises(ValueError, match=f"needs a sequence .*{message}"):
        augment(sequence, rng(1))


COLLECTIONS = {
    "arrays of several lengths": [np.zeros((2, 3)), np.zeros((4, 3))],
    "waveforms of several lengths": [np.zeros(2), np.zeros(4)],
    "arrays of one length": [np.zeros((2, 3)), np.zeros((2, 3))],
    "an array of objects": np.array([np.zeros(2), np.zeros(4)], object),
    "a tuple of lists": ([[1.0], [2.0]], [[1.0]]),
}


@every_augmenter
@pytest.mark.parametrize("sequences", COLLECTIONS.values(), ids=COLLECTIONS)
def test_a_whole_collection_is_to_be_augmented_one_by_one(augment, sequences):
    with pytest.raises(ValueError, match=r"\[augment\(x, rng\) for x in X\]"):
        augment(sequences, rng())


@pytest.mark.filterwarnings("error")
@every_of_arrays
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_counted_and_refused(augment, value):
    sequence = np.full((9, 2), 0.5)
    sequence[3:5] = value
    with pytest.raises(ValueError, match="finite sequence, but 4 values of this one"):
        augment(sequence, rng())


@pytest.mark.filterwarnings("error")
@every_of_arrays
@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_no_augmenter_gives_values_that_are_not_finite(augment, dtype):
    largest = np.finfo(dtype).max * np.array([1, -1, 1, -1] * 9, dtype)
    results = []
    for seed in range(3):
        with suppress(ValueError):
            results.append(augment(largest, rng(seed)))
    assert all(np.isfinite(result).all() for result in results)


def test_values_too_large_to_compute_with_are_named():
    message = r"FrameGain makes values NaN or infinite.* from -1e\+308 to 1e\+308"
    with pytest.raises(ValueError, match=message):
        FrameGain(10, 10)(np.array([1e308, -1e308]), rng())


def test_integers_are_rounded_and_clipped():
    loud = FrameGain(10, 10)(np.array([-2, 0, 20], dtype=np.int8), rng())
    assert loud.tolist() == [-20, 0, 127]
    soft = FrameGain(0.4, 0.4)(np.array([1, 2, 3], dtype=np.uint8), rng())
    assert soft.tolist() == [0, 1, 1]
    for dtype in (np.int16, np.int32, np.int64, np.uint64):
        bounds = np.iinfo(dtype)
        ends = np.array([bounds.min, bounds.max], dtype=dtype)
        loud = FrameGain(9, 9)(ends, rng())
        assert loud[0] == bounds.min
        assert loud[1] == pytest.approx(bounds.max, rel=1e-6)


@pytest.mark.parametrize("Augmenter", CLASSES)
def test_a_bad_parameter_is_refused_when_called_and_named(Augmenter):
    instance = next(a for a in ALL if type(a) is Augmenter)
    sequence = "ab" if instance in TOKENS else arrays()[0]
    for name in instance.get_params(deep=False):
        bad = clone(instance).set_params(**{name: {1: 2}})
        message = f"'{name}' parameter of {Augmenter.__name__} must be "
        with pytest.raises(ValueError, match=message):
            bad(sequence, rng())


@pytest.mark.parametrize(
    "Ranged", [c for c in CLASSES if {"low", "high"} <= {*c.__init__.__annotations__}]
)
def test_a_range_that_ends_below_its_start_is_refused(Ranged):
    with pytest.raises(ValueError, match=r"'high' parameter .* \[1\.5, inf\)\. Got 1 "):
        Ranged(low=1.5, high=1)(np.ones(3), rng())


# -- functions as augmenters ----------------------------------------------------------


@augmenter(changes_frames=False)
def double(sequence, rng):
    return sequence * 2


def test_a_marked_function_is_an_augmenter_and_crosses_processes():
    assert is_augmenter(double)
    step = Compose([double, FrameGain(2, 2)])
    assert not step.changes_frames
    same = pickle.loads(pickle.dumps(clone(step)))
    assert same == step
    np.testing.assert_array_equal(same(np.ones(2), rng()), [4, 4])


def test_a_mark_says_whether_frames_change_and_the_careful_answer_is_the_default():
    marked = augmenter(lambda sequence, rng: sequence[::-1])
    assert marked.changes_frames
    assert Compose([double, marked]).changes_frames
    assert (
        augmenter(partial(np.multiply, 2), changes_frames=False).changes_frames is False
    )


def test_an_instance_of_a_users_class_needs_no_mark():
    class Reverse:
        changes_frames = True

        def __call__(self, sequence, rng):
            return sequence[::-1]

    assert is_augmenter(Reverse())
    assert not is_augmenter(Reverse)


@pytest.mark.parametrize("step", [len, None, "x", TimeMask, lambda s, rng: s, object()])
def test_what_is_not_marked_is_not_an_augmenter(step):
    assert not is_augmenter(step)


@pytest.mark.parametrize("function", [3, "x", TimeMask])
def test_only_functions_are_marked(function):
    with pytest.raises(ValueError, match="must be a function of a sequence"):
        augmenter(function)
    with pytest.raises(ValueError, match=r"'changes_frames' parameter .* a bool"):
        augmenter(changes_frames=1)


def test_a_warp_of_time_changes_frames_and_masks_do_not():
    assert not SpecAugment().changes_frames
    assert SpecAugment(time_warp=5).changes_frames
    assert not GaussianNoise().changes_frames
