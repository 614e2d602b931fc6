"""What constructor parameters may be, and what a user is told."""

import math
import pickle
import re
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skseq import _parameters as parameters
from skseq._parameters import (
    FRACTION,
    NON_NEGATIVE_INT,
    NON_NEGATIVE_REAL,
    NONE,
    POSITIVE_INT,
    POSITIVE_INTS,
    POSITIVE_REAL,
    PROBABILITY,
    RANDOM_STATE,
    UNIT_INTERVAL,
    VERBOSE,
    Interval,
    OneOf,
    TupleOf,
    check_parameters,
    instance_of,
)
from skseq.exceptions import TrainingDivergedError

CELL = OneOf(["lstm", "gru"])


class Model:
    """A stand-in for an estimator."""

    def __init__(self, **values):
        vars(self).update(values)


def check(value, constraint, name="p"):
    check_parameters(Model(**{name: value}), {name: constraint})


@pytest.mark.parametrize(
    ("constraint", "value"),
    [
        (POSITIVE_INT, 1),
        (POSITIVE_INT, 10**30),
        (POSITIVE_INT, np.int8(3)),
        (POSITIVE_INT, np.uint64(3)),
        (NON_NEGATIVE_INT, 0),
        (POSITIVE_REAL, 1),
        (POSITIVE_REAL, 5e-324),
        (POSITIVE_REAL, np.float32(0.1)),
        (NON_NEGATIVE_REAL, 0),
        (FRACTION, 0.5),
        (PROBABILITY, 0),
        (PROBABILITY, np.float64(0.999)),
        (UNIT_INTERVAL, 1),
        (Interval(float, 0, None, closed="both"), math.inf),
        (Interval(float, None, None, closed="both"), -math.inf),
        (CELL, "gru"),
        (CELL, np.str_("gru")),
        (POSITIVE_INTS, 64),
        (POSITIVE_INTS, (64, np.int64(32))),
        (POSITIVE_INTS, [64]),
        (TupleOf(POSITIVE_INT, min_length=0), ()),
        ((POSITIVE_INT, NONE), None),
        (RANDOM_STATE, np.random.RandomState(0)),
        (RANDOM_STATE, np.int64(3)),
        (RANDOM_STATE, 2**32 - 1),
        (VERBOSE, True),
        (VERBOSE, 2),
        (parameters.BOOLEAN, np.True_),
        (parameters.CALLABLE, len),
        (instance_of(dict), {}),
    ],
)
def test_values_in_range_are_accepted(constraint, value):
    check(value, constraint)


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        (POSITIVE_INT, [0, -1, 2.5, 2.0, "64", None, True, np.True_, math.nan]),
        (POSITIVE_INT, [np.array(3), np.array([3]), [3], math.inf]),
        (POSITIVE_REAL, [0, -1, math.nan, math.inf, "x", None, True, 1j]),
        (NON_NEGATIVE_REAL, [-1e-9, math.nan, np.float32("nan"), math.inf]),
        (FRACTION, [0, 1, 1.0, -0.1, math.nan, -math.inf]),
        (PROBABILITY, [1.0, -0.1, 2.0, math.nan, False]),
        (Interval(float, 0, 0.5, closed="right"), [0, 0.6, math.nan]),
        (CELL, ["lstmm", "LSTM", "", None, 1, ["lstm"], np.array(["lstm", "gru"])]),
        (POSITIVE_INTS, [(), [], (64, 0), (64, True), ("64",), {64}, np.array([64])]),
        (RANDOM_STATE, ["x", -1, 2**32, 1.0, np.random.default_rng(0)]),
        (VERBOSE, ["loud", -1, None]),
        (parameters.BOOLEAN, [0, 1, "True", None]),
        (parameters.CALLABLE, ["len", None]),
    ],
)
def test_values_out_of_range_are_refused(constraint, values):
    for value in values:
        with pytest.raises(ValueError, match="The 'p' parameter of Model must be "):
            check(value, constraint)


@pytest.mark.parametrize(
    ("name", "value", "constraint", "sentence"),
    [
        ("units", 0, POSITIVE_INT, "must be an int in the range [1, inf). Got 0 "),
        ("dropout", 1.0, PROBABILITY, "must be a float in the range [0.0, 1.0). Got"),
        ("tol", 0, POSITIVE_REAL, "must be a float in the range (0.0, inf). Got 0 "),
        ("cell", 1, CELL, "must be a str among {'lstm', 'gru'}. Got 1 instead."),
        ("cell", "lstmm", CELL, "Got 'lstmm' instead. Did you mean 'lstm'?"),
        ("units", 0, POSITIVE_INTS, "[1, inf) or a non-empty tuple or list of ints "),
        ("units", (64, 0), POSITIVE_INTS, "Got (64, 0) instead. units[1] is 0."),
        ("units", [], POSITIVE_INTS, "Got [] instead. units has 0 entries."),
        (
            "seed",
            -1,
            RANDOM_STATE,
            "must be an int in the range [0, 4294967295], an instance of "
            "'numpy.random.mtrand.RandomState' or None. Got -1 instead.",
        ),
    ],
)
def test_the_error_says_what_must_hold_and_what_was_found(
    name, value, constraint, sentence
):
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        check(value, constraint, name)
    assert str(caught.value).startswith(f"The {name!r} parameter of Model must be ")


@pytest.mark.parametrize(
    ("name", "value", "constraint"),
    [
        ("max_iter", -1, NON_NEGATIVE_INT),
        ("tol", -1.0, NON_NEGATIVE_REAL),
        ("tol", "x", NON_NEGATIVE_REAL),
        ("random_state", 2**32, RANDOM_STATE),
    ],
)
def test_the_error_is_worded_as_in_scikit_learn(name, value, constraint):
    theirs = LogisticRegression(**{name: value})
    with pytest.raises(ValueError, match="must be") as expected:
        theirs.fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="must be") as actual:
        check_parameters(theirs, {name: constraint})
    assert str(actual.value) == str(expected.value)


@pytest.mark.parametrize(
    ("names", "value", "ours"),
    [
        ("lstm gru", "LSTM", "lstm"),
        ("lstm gru", "RNN", "lstm"),
        ("additive dot", "luong", "dot"),
        ("additive dot", "Bahdanau", "additive"),
        ("additive dot", True, "additive"),
        ("mse mae", "mean_squared_error", "mse"),
        ("mse mae", "MAE", "mae"),
        ("adamax adam adamw", "adma", "adam"),
        ("adamax adam adamw", "Adamax", "adamax"),
        ("decoder dropout", "attention", None),
    ],
)
def test_a_value_of_another_library_is_answered_with_ours(names, value, ours):
    hint = OneOf(names.split()).hint("p", value)
    assert hint == (f"Did you mean {ours!r}?" if ours else "")


def test_the_first_bad_parameter_is_reported_and_unlisted_ones_are_not_looked_at():
    model = SimpleNamespace(a=1, b=0, c=0, d=object())
    constraints = dict.fromkeys("abc", POSITIVE_INT)
    with pytest.raises(ValueError, match="'b' parameter of SimpleNamespace"):
        check_parameters(model, constraints)


def test_a_table_of_names_to_functions_serves_as_the_choices():
    table = {"greedy": min, "beam": max}
    assert str(OneOf(table)) == "a str among {'greedy', 'beam'}"
    assert str(OneOf({"b", "c", "a"})) == "a str among {'a', 'b', 'c'}"


def test_a_huge_value_does_not_fill_the_screen():
    with pytest.raises(ValueError, match="instead") as caught:
        check(list(range(10**5)), POSITIVE_INT)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_divergence_error_crosses_processes_whole(protocol):
    error = TrainingDivergedError(3, batch=2, sample=17)
    error.add_note("in fold 4")
    copy = pickle.loads(pickle.dumps(error, protocol))
    assert type(copy) is TrainingDivergedError
    assert (copy.epoch, copy.batch, copy.sample) == (3, 2, 17)
    assert str(copy) == str(error)
    assert copy.__notes__ == ["in fold 4"]


def test_a_divergence_error_says_where_and_what_to_do():
    assert issubclass(TrainingDivergedError, ValueError)
    text = str(TrainingDivergedError(3, batch=2, sample=17))
    for part in ("epoch 3, batch 2", "X[17]", "learning_rate", "optimizer__clipnorm"):
        assert part in text
    text = str(TrainingDivergedError(1))
    assert "epoch 1. Lower" in text
    assert "None" not in text


@pytest.mark.parametrize("kind", [int, float])
def test_a_duration_is_not_a_number(kind):
    assert not Interval(kind, 0, None).accepts(np.timedelta64(3, "D"))
