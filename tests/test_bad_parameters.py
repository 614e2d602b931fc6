"""Every bad parameter, weight and state has an error of its own that names it."""

import copy
import math
import re
from functools import partial

import keras
import numpy as np
import pytest

from skseq import TrainingDivergedError
from tests.estimators import (
    AUTOENCODER,
    COUNT,
    COUNTS,
    CTC,
    ESTIMATORS,
    FLAG,
    TINY,
    TRANSLATOR,
)
from tests.refusals import complaints

X, Y = CTC.draw(6)
SOURCES, TARGETS = TRANSLATOR.draw(6)
NAN = math.nan

make = partial(CTC.make, **TINY, bidirectional=False)
make_translator = partial(TRANSLATOR.make, **TINY)
make_coder = partial(AUTOENCODER.make, **TINY)


def named(value):
    """Name a case the same in every process, as running tests in several needs."""
    if isinstance(value, set):
        value = sorted(value)
    return re.sub(" at 0x[0-9a-fA-F]+", "", str(value))


@pytest.fixture(scope="module")
def fitted():
    return make().fit(X, Y)


@pytest.fixture(scope="module")
def translator():
    return make_translator().fit(SOURCES, TARGETS)


# -- parameters that one look at them shows to be bad --------------------------------

FRACTION = r"must be a float in the range \(0\.0, 1\.0\)"
POSITIVE = r"must be a float in the range \(0\.0, inf\)"

# The parameters that all estimators have; a case has those that are its own, and the
# widths where there may be none.
BAD_VALUES = {
    "preprocess": (
        "None or a list of augmenters and of transformers that learn nothing",
        ["log", 3, [3], [len], {"log": 1}],
    ),
    "units": (COUNTS, [0, -1, 2.5, "64", None, True, [], (64, 0), (2, True)]),
    "cell": (r"among \{'lstm', 'gru'\}", ["lstmm", None, 3, "LSTM"]),
    "bidirectional": (FLAG, ["yes", 1, None]),
    "dropout": (r"a float in the range \[0\.0, 1\.0\)", [1.0, -0.1, 2.0, NAN, "0"]),
    "learning_rate": (POSITIVE, [0, -1, NAN, math.inf, "x", None, True]),
    "global_clipnorm": (r"must be None or a float in .*\(0\.0, inf\)", [0, -1, NAN]),
    "epochs": (COUNT, [0, -1, 1.5, NAN, None, "10"]),
    "learning_rate_schedule": (
        "must be a str among {'warmup_cosine', 'constant'}",
        ["cosine", None, 3],
    ),
    "batch_size": (
        COUNT.replace("must be ", r"must be a str among \{'auto'\} or "),
        [0, -2, 2.5, "all", None],
    ),
    "shuffle": (FLAG, [None, "no", 0]),
    "early_stopping": (FLAG, [None, "auto", 5]),
    "validation_fraction": (FRACTION, [0, 1.0, -0.1, NAN, None]),
    "n_iter_no_change": (COUNT, [0, 2.5, None]),
    "checkpoint": ("None or a path", [3, True, ["path"], "", "a\0b", "\ud800"]),
    "distribute": (
        "must be None or an instance of '.*Strategy",
        ["mirrored", 3, True],
    ),
    "warm_start": (FLAG, [None, "yes"]),
    "random_state": ("an int in the range .*RandomState", ["x", -1, 2**32, 1.5]),
    "verbose": ("an int in the range .* or a bool", ["loud", -1, 0.5, None]),
}


@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_every_parameter_with_a_fixed_range_is_in_a_table(case):
    assert BAD_VALUES.keys() & case.bad_values.keys() <= {"units"}
    checked = {*BAD_VALUES, *case.bad_values}
    assert set(case.make().get_params()) - checked == case.free


@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_a_bad_value_is_named_with_what_is_allowed(case):
    offenders = {}
    for name, (allowed, values) in {**BAD_VALUES, **case.bad_values}.items():
        pattern = f"The '{name}' parameter of {case.Estimator.__name__} .*{allowed}"
        for value in values:
            estimator = case.make(**{name: value})  # the constructor does not mind
            fit = partial(estimator.fit, case.X, case.y)
            call = (name, str(value)), fit, ValueError, pattern
            offenders |= complaints(estimator, [call])
    assert not offenders


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"contamination": "autoo"}, ValueError, "Did you mean 'auto'?"),
        ({"front_end": len}, TypeError, "unexpected keyword argument 'front_end'"),
        ({"front_end__width": 3}, TypeError, "unexpected .* 'front_end__width'"),
        ({"step_weight": np.zeros_like}, ValueError, "step_weight must return .* zero"),
    ],
)
def test_a_bad_object_of_the_autoencoder_is_named(params, error, message):
    with pytest.raises(error, match=message):
        make_coder(**params).fit(X)


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("cell", "lsmt", "Did you mean 'lstm'?"),
        ("units", (64, 0), r"units\[1\] is 0"),
        ("units", [], "units has 0 entries"),
        ("optimizer", "adamm", "Did you mean 'adam"),
    ],
)
def test_a_bad_value_comes_with_a_hint(name, value, hint):
    with pytest.raises(ValueError, match=hint):
        make(**{name: value}).fit(X, Y)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"optimizer": "adamm"}, ValueError, r"'optimizer'.*among \{'adadelta'"),
        ({"optimizer": None}, ValueError, "optimizer's name, class, config or inst"),
        ({"optimizer": 3}, ValueError, "Got 3 instead"),
        ({"optimizer": dict}, TypeError, "'optimizer' parameter must be a Keras"),
        ({"optimizer": lambda **_: None}, TypeError, "must be a Keras optimizer"),
        ({"optimizer": {"lr": 1}}, ValueError, "'optimizer' parameter must"),
        ({"optimizer__mometum": 0.9}, ValueError, "Invalid parameter 'mometum' .* SGD"),
        (
            {"optimizer": keras.optimizers.SGD(), "learning_rate": 0.5},
            ValueError,
            "learning_rate=0.5 has no effect.*optimizer__learning_rate",
        ),
        ({"callbacks": "x"}, TypeError, "callbacks must be keras.callbacks.Callback"),
        ({"callbacks": [object()]}, TypeError, "instances or classes"),
        (
            {"callbacks__patience": 1},
            ValueError,
            "callbacks__patience matches no callback",
        ),
        (
            {"callbacks": keras.callbacks.EarlyStopping, "callbacks__patients": 1},
            ValueError,
            "patients",
        ),
        (
            {"conv_filters": (3, 3), "conv_strides": (1, 2, 3)},
            ValueError,
            "conv_strides has 3 entries, but conv_filters has 2",
        ),
        ({"front_end__width": 3}, ValueError, "front_end__width"),
        ({"front_end": "image", "front_end__width": 3}, ValueError, "front_end__width"),
        (
            {"front_end": "image", "front_end__filters": 0},
            ValueError,
            "front_end__filters",
        ),
        ({"front_end": len, "front_end__width": 3}, ValueError, "front_end__width"),
        ({"skip_frames": 10**30}, ValueError, r"skip_frames=10+ is more than 2147"),
        ({"units": (3, 2**40)}, ValueError, r"units=\(3, 1099511627776\) is more than"),
    ],
)
def test_a_bad_object_or_combination_is_named(params, error, message):
    with pytest.raises(error, match=message):
        make(**params).fit(X, Y)


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        {"batch_size": 1000},
        {"random_state": np.int64(3)},
        {"random_state": np.random.RandomState(3)},
        {"random_state": 2**32 - 1},
        {"units": np.int32(3)},
        {"units": [3]},
        {"learning_rate": np.float32(0.1)},
        {"learning_rate": 1},
        {"front_end": "image", "front_end__filters": 2, "front_end__features": 2},
        {"learning_rate": keras.optimizers.schedules.CosineDecay(0.1, 3)},
        {"optimizer": "SGD"},
        {"optimizer": keras.optimizers.SGD(0.1)},
        {"optimizer": keras.optimizers.serialize(keras.optimizers.SGD(0.1))},
        {"callbacks": keras.callbacks.TerminateOnNaN()},
        {"checkpoint": None, "verbose": False},
    ],
    ids=named,
)
def test_unusual_values_are_accepted(params):
    assert make(**params).fit(X, Y).n_iter_ == 1


def test_an_optimizer_that_was_used_before_can_be_given():
    used = keras.optimizers.SGD(0.1)
    used.build([keras.Variable([1.0, 2.0])])
    assert make(optimizer=used).fit(X, Y).n_iter_ == 1


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (
            {"attention": None, "coverage_penalty": 0.5},
            ValueError,
            "coverage_penalty=0.5 needs attention.*Set coverage_penalty=0, or fit with",
        ),
        (
            {"min_output_length": 5, "max_output_length": 4},
            ValueError,
            "min_output_length=5 exceeds max_output_length=4. Lower",
        ),
        ({"attention": "dott"}, ValueError, "Did you mean 'dot'?"),
        ({"front_end": len}, TypeError, "unexpected keyword argument 'front_end'"),
        ({"front_end__width": 3}, TypeError, "unexpected .* 'front_end__width'"),
        (
            {"min_frequency": 99},
            ValueError,
            "No token of X occurs min_frequency=99 times; the most frequent one occurs",
        ),
        (
            {"source_tokenizer": None},
            TypeError,
            r'X\[0\] is a raw string.*Set source_tokenizer="word" or "char"',
        ),
        (
            {"target_tokenizer": str.upper},
            TypeError,
            r"target_tokenizer\(y\[0\]\) must be a list, got str",
        ),
        (
            {"source_tokenizer": lambda text: [1]},
            TypeError,
            r"source_tokenizer\(X\[0\]\)\[0\] must be a string token, got int",
        ),
        (
            {"source_tokenizer": {SOURCES[0]: ["a"]}.__getitem__},
            ValueError,
            r"source_tokenizer\(X\[1\]\) failed on .*KeyError",
        ),
    ],
)
def test_a_bad_object_or_combination_of_the_translator_is_named(params, error, message):
    with pytest.raises(error, match=message):
        make_translator(**params).fit(SOURCES, TARGETS)


def test_decoding_parameters_are_checked_together_after_the_fit_too(translator):
    changed = copy.deepcopy(translator)
    changed.set_params(min_output_length=3, max_output_length=2)
    for use in (changed.predict, changed.predict_n_best):
        with pytest.raises(ValueError, match="min_output_length=3 exceeds"):
            use(SOURCES)
    plain = make_translator(attention=None).fit(SOURCES, TARGETS)
    plain.set_params(attention="dot", coverage_penalty=1)
    with pytest.raises(ValueError, match="coverage_penalty=1 needs attention"):
        plain.predict(SOURCES)


# -- parameters that only the data show to be bad -------------------------------------


@pytest.mark.parametrize(
    ("fraction", "counts"),
    [(0.01, "leaves 6 to train on and 0"), (0.99, "leaves 0 to train on and 6")],
)
def test_a_validation_split_must_leave_both_parts_something(fraction, counts):
    clf = make(early_stopping=True, validation_fraction=fraction)
    with pytest.raises(
        ValueError, match=rf"{counts} to validate.*pass a validation set"
    ):
        clf.fit(X, Y)


def test_a_partial_fit_cannot_stop_early():
    with pytest.raises(ValueError, match="cannot stop early"):
        make(early_stopping=True).partial_fit(X, Y)


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ({"y_val": Y}, "y_val was given without X_val"),
        ({"X_val": X}, "In X_val: .*requires y to be passed"),
        ({"X_val": X, "y_val": Y[1:]}, r"In X_val and y_val: .*samples: \[6, 5\]"),
        ({"X_val": X, "y_val": ["z"] * 6}, r"In X_val and y_val: y\[0\] has .* 'z'"),
        ({"X_val": [x[:, :2] for x in X], "y_val": Y}, "In X_val and y_val: .*2 feat"),
    ],
)
def test_a_bad_validation_set_is_named(validation, message):
    with pytest.raises(ValueError, match=message):
        make().fit(X, Y, **validation)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["a", "b"], r"y\[\d\] has the label 'c'"),
        (["a", "b", "c", "a"], "must hold each label once"),
        ([], "must be a collection of labels"),
        ([["a"], ["b"]], "must be a collection of labels"),
        (["a", 1], "all integers or all strings"),
        ([0.5, 1.5], "all integers or all strings"),
        ([None], "must be a collection of labels"),
    ],
)
def test_bad_classes_are_refused(classes, message):
    with pytest.raises(ValueError, match=message):
        make().partial_fit(X, Y, classes=classes)


def test_classes_and_labels_are_settled_by_the_first_call(fitted):
    clf = make().partial_fit(X, Y)
    with pytest.raises(ValueError, match=r"y\[0\] has the label 'z' at position 1"):
        clf.partial_fit(X, ["az", *Y[1:]])
    with pytest.raises(ValueError, match=r"\['a', 'b'\] must be those of the first"):
        clf.partial_fit(X, Y, classes=["a", "b"])
    with pytest.raises(ValueError, match=r"y\[0\] has the label 'z'"):
        clf.set_params(warm_start=True).fit(X, ["z"] * 6)


@pytest.mark.parametrize("n", [0, -1, 2.5, None, True])
def test_a_bad_number_of_hypotheses_is_refused(fitted, n):
    with pytest.raises(ValueError, match=rf"'n' parameter .* {COUNT}"):
        fitted.predict_n_best(X, n)


# -- y ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (None, ValueError, "requires y to be passed, but the target y is None"),
        ("abcabc", TypeError, r"got a single str.*Did you mean \[y\]"),
        (Y[:-1], ValueError, r"inconsistent numbers of samples: \[6, 5\]"),
        ([*Y[:-1], None], ValueError, r"y\[5\] is missing"),
        ([*Y[:-1], b"a"], TypeError, r"y\[5\] is bytes"),
        ([[1.5]] * 6, ValueError, r"continuous \(y\[0\]\[0\]=1.5\)"),
        ([*Y[:-1], 3], ValueError, r"y\[5\] is the scalar label 3"),
        (np.ones((6, 3)), ValueError, "Padding cannot be told from labels"),
        (np.eye(6), ValueError, "looks one-hot"),
        ([""] * 6, ValueError, "every label sequence is empty"),
        (iter(Y), TypeError, r"must have a length.*list\(y\)"),
        (set(Y), TypeError, "ordered collection"),
    ],
    ids=named,
)
def test_a_bad_y_is_named(y, error, message):
    with pytest.raises(error, match=message):
        make().fit(X, y)


def test_x_and_y_may_not_change_places(fitted):
    with pytest.raises(ValueError, match=r"X\[0\] is text"):
        make().fit(Y, X)
    with pytest.raises(ValueError, match=r"X\[0\] is text"):
        fitted.predict(fitted.predict(X))


CURE = r'Shorten y\[\d\], {}, or set infeasible="drop"'
LONGER = r"lengthen X\[0\]"
LOWER = "lower conv_strides or skip_frames"
NARROW = r"widen the image or set front_end__filters=\(32,\), .*"


def one_in_two(frames):
    return frames[:, ::2]


@pytest.mark.parametrize(
    ("n_frames", "text", "params", "message", "cure"),
    [
        (2, "abc", {}, "3 labels but X.0. has only 2 output frames .* here 3", LONGER),
        (2, "aa", {}, "2 labels but X.0. has only 2 output frames .* here 3", LONGER),
        (
            4,
            "aab",
            {"skip_frames": 1},
            "3 labels but X.0. has only 3 output frames .4 before .* here 4",
            LOWER,
        ),
        (
            8,
            "abc",
            {"conv_filters": 2, "conv_strides": 4},
            "3 labels but X.0. has only 2 output frames .8 before .* here 3",
            LOWER,
        ),
        (
            8,
            "abc",
            {"conv_filters": (2, 2), "conv_strides": 2},
            "3 labels but X.0. has only 2 output frames",
            LOWER,
        ),
        (
            9,
            "abcd",
            {"front_end": "image"},
            "4 labels but X.0. has only 3 output frames",
            NARROW,
        ),
        (
            9,
            "abcdaa",
            {"front_end": "image", "front_end__filters": (4,)},
            "6 labels but X.0. has only 5 output frames",
            "widen the image",
        ),
        (
            8,
            "abcda",
            {"front_end": one_in_two},
            "5 labels but X.0. has only 4 output frames",
            "let front_end leave more frames",
        ),
        (
            2,
            "",
            {"skip_frames": 2},
            "0 labels but X.0. has only 0 output frames",
            LOWER,
        ),
    ],
)
def test_too_few_frames_are_explained(n_frames, text, params, message, cure):
    long_X = [np.tile(x, (4, 1)) for x in X]
    clf = make(**params)
    cure = CURE.format(cure)
    with pytest.raises(ValueError, match=rf"^y.0. has {message}.*{cure}"):
        clf.fit([long_X[0][:n_frames], *long_X[1:]], [text, *Y[1:]])


def test_all_who_have_too_few_frames_are_listed():
    short = [x[:1] for x in X]
    y = ["ab", "a", "aa", "b", "abc", "ab"]
    with pytest.raises(ValueError, match=r"y\[0\].*.*3 others are as short: 2, 4, 5\."):
        make().fit(short, y)


def test_dropping_all_leaves_nothing_to_train_on():
    clf = make(infeasible="drop")
    with (
        pytest.warns(UserWarning, match="Dropped 6 of 6"),
        pytest.raises(ValueError, match="No sequence is left to train on"),
    ):
        clf.fit([x[:1] for x in X], ["ab"] * 6)


def test_nothing_left_of_a_sequence_is_an_error(fitted):
    clf = make(skip_frames=4).fit(X, ["a"] * 6)
    for use in (clf.predict, clf.predict_proba, clf.score_samples):
        with pytest.raises(ValueError, match=r"X\[1\] has 4 frames.*leave none"):
            use([X[0], X[1][:4]])


# -- texts ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (None, ValueError, "requires y to be passed, but the target y is None"),
        ("a b", TypeError, r"got a single str.*Did you mean \[y\]"),
        (TARGETS[:-1], ValueError, r"inconsistent numbers of samples: \[6, 5\]"),
        ([*TARGETS[:-1], None], ValueError, r"y\[5\] is missing"),
        ([*TARGETS[:-1], " "], ValueError, r"y\[5\] is empty or only white space"),
        ([*TARGETS[:-1], ["a"]], ValueError, "y mixes raw strings"),
        ([[1]] * 6, TypeError, "Set target_tokenizer=None"),
        (iter(TARGETS), TypeError, r"must have a length.*list\(y\)"),
    ],
    ids=named,
)
def test_bad_target_texts_are_named(translator, y, error, message):
    copied = copy.deepcopy(translator)
    uses = [make_translator().fit, copied.partial_fit, copied.score]
    if y is not None:
        uses += [copied.score_samples, copied.predict_proba, copied.predict_attention]
    for use in uses:
        with pytest.raises(error, match=message):
            use(SOURCES, y)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (None, ValueError, "X is None; expected a list of texts"),
        ("a b", TypeError, r"got a single str.*Did you mean \[X\]"),
        ([], ValueError, r"Found array with 0 sample\(s\) \(X is empty\)"),
        (["a", np.nan], ValueError, r"X\[1\] is missing"),
        (["a", b"b"], TypeError, r"X\[1\] is bytes"),
        (np.zeros((2, 3)), ValueError, "X is a 2-D array"),
        ([[1, 2]], TypeError, "Set source_tokenizer=None"),
    ],
    ids=named,
)
def test_bad_source_texts_are_named(translator, X, error, message):
    uses = [translator.predict, translator.predict_proba, translator.predict_n_best]
    for use in (*uses, translator.predict_attention, translator.score_samples):
        with pytest.raises(error, match=message):
            use(X)
    with pytest.raises(error, match=message):
        make_translator().fit(X, ["a"] * 2)


@pytest.mark.parametrize("was_text", [True, False])
def test_tokens_of_the_other_type_are_refused(was_text):
    letters, numbers = [["b", "a"], ["a"]], [[1, 2], [2]]
    own, other = (letters, numbers) if was_text else (numbers, letters)
    tokenizers = {"source_tokenizer": None, "target_tokenizer": None}
    fitted = make_translator(**tokenizers).fit(own, own)
    fitted.set_params(warm_start=True)
    saw, got = ("str", "int") if was_text else ("int", "str")
    of_X, of_y = (
        rf"{name} must hold tokens of the type that training saw, which is {saw}\. "
        rf"Got {name}\[0\]\[0\]=.*, of type {got}, instead\. Convert"
        for name in "Xy"
    )
    for use in (fitted.predict, fitted.predict_n_best, fitted.predict_proba):
        with pytest.raises(TypeError, match=of_X):
            use(other)
    for use in (fitted.fit, fitted.partial_fit, fitted.score, fitted.score_samples):
        with pytest.raises(TypeError, match=of_X):
            use(other, own)
        with pytest.raises(TypeError, match=of_y):
            use(own, other)
    with pytest.raises(TypeError, match=f"In X_val and y_val: {of_y}"):
        make_translator(**tokenizers).fit(own, own, X_val=own, y_val=other)


def test_texts_are_not_put_together_without_a_tokenizer(translator):
    changed = copy.deepcopy(translator).set_params(target_tokenizer=None)
    for use in (changed.predict, changed.predict_n_best):
        with pytest.raises(ValueError, match=r"target_tokenizer=None cannot.*Set"):
            use(SOURCES)
    changed.set_params(target_tokenizer="words")
    with pytest.raises(ValueError, match="The 'target_tokenizer' parameter of Seq2Seq"):
        changed.predict(SOURCES)
    changed.set_params(target_tokenizer="word")
    assert changed.predict(SOURCES).tolist() == translator.predict(SOURCES).tolist()


@pytest.mark.parametrize("n", [0, -1, 2.5, None, True])
def test_a_bad_number_of_outputs_is_refused(translator, n):
    with pytest.raises(ValueError, match=rf"'n' parameter .* {COUNT}"):
        translator.predict_n_best(SOURCES, n)


def test_a_text_of_unknown_tokens_only_is_translated(translator):
    assert isinstance(translator.predict(["fish and chips"])[0], str)


# -- state ------------------------------------------------------------------------


def test_divergence_names_epoch_batch_and_sample():
    unscaled = [*X[:3], np.full_like(X[3], 3e38), *X[4:]]
    clf = make(conv_filters=2, standardize=False, batch_size=2, shuffle=False)
    with pytest.raises(TrainingDivergedError) as caught:
        clf.fit(unscaled, Y)
    assert (caught.value.epoch, caught.value.sample) == (1, 3)
    assert caught.value.batch in (1, 2, 3)
    assert "Lower learning_rate" in str(caught.value)
