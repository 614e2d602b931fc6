"""What all estimators are given, and what all of them learn, with what it may be.

Each task adds its own to these tables.
"""

import keras
import tensorflow as tf

from skseq._engine.schedules import SCHEDULES
from skseq._nn.layers import CELLS
from skseq._parameters import (
    BOOLEAN,
    FRACTION,
    NON_NEGATIVE_INT,
    NONE,
    PATH,
    POSITIVE_INT,
    POSITIVE_INTS,
    POSITIVE_REAL,
    PROBABILITY,
    RANDOM_STATE,
    VERBOSE,
    Interval,
    OneOf,
    instance_of,
)
from skseq._preprocess.steps import STEPS

BATCH_SIZE = (OneOf(["auto"]), POSITIVE_INT)

CONSTRAINTS = {
    "units": POSITIVE_INTS,
    "cell": OneOf(CELLS),
    "bidirectional": BOOLEAN,
    "dropout": PROBABILITY,
    "learning_rate": (
        POSITIVE_REAL,
        instance_of(keras.optimizers.schedules.LearningRateSchedule),
    ),
    "global_clipnorm": (NONE, POSITIVE_REAL),
    "epochs": POSITIVE_INT,
    "learning_rate_schedule": OneOf(SCHEDULES),
    "batch_size": BATCH_SIZE,
    "shuffle": BOOLEAN,
    "early_stopping": BOOLEAN,
    "validation_fraction": FRACTION,
    "n_iter_no_change": POSITIVE_INT,
    "checkpoint": (NONE, PATH),
    "preprocess": (NONE, STEPS),
    "distribute": (NONE, instance_of(tf.distribute.Strategy)),
    "warm_start": BOOLEAN,
    "random_state": RANDOM_STATE,
    "verbose": VERBOSE,
}

FITTED = {
    "n_iter_": Interval(int, 1, 2**31 - 1, closed="both"),
    "history_": instance_of(dict),
    "batch_size_": POSITIVE_INT,
    "_seed": NON_NEGATIVE_INT,
    "_steps": (NONE, STEPS),
    "_settings": instance_of(dict),
    "_exact_lengths": BOOLEAN,
}

# What can change without changing the outcome of a fit that resumes.
NOT_IN_ORIGIN = {"epochs", "verbose", "checkpoint", "distribute"}
