"""What constructor parameters may be, for type checkers, editors and readers.

`_parameters` checks values when a fit starts; here stand the types of those that
several estimators share, and of those that are more than a number or a name.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import keras
import numpy as np
import tensorflow as tf

Ints: TypeAlias = int | tuple[int, ...] | list[int]
IntsOrAuto: TypeAlias = Ints | Literal["auto"]
Cell: TypeAlias = Literal["lstm", "gru"]
Decoder: TypeAlias = Literal["greedy", "beam"]
FrontEnd: TypeAlias = Literal["image"] | Callable[..., Any] | None
Tokenizer: TypeAlias = (
    Literal["auto", "word", "char"] | Callable[[str], Sequence[str]] | None
)
Steps: TypeAlias = Sequence[Any] | None
StepWeight: TypeAlias = Literal["sqrt"] | Callable[[Any], Any] | None

Optimizer: TypeAlias = (
    str | dict[str, Any] | keras.optimizers.Optimizer | type[keras.optimizers.Optimizer]
)
RateSchedule: TypeAlias = Literal["warmup_cosine", "constant"]
LearningRate: TypeAlias = float | keras.optimizers.schedules.LearningRateSchedule
Callback: TypeAlias = keras.callbacks.Callback | type[keras.callbacks.Callback]
Callbacks: TypeAlias = Callback | Sequence[Callback] | None
Path: TypeAlias = str | os.PathLike[str]
Strategy: TypeAlias = tf.distribute.Strategy
RandomState: TypeAlias = int | np.random.RandomState | None
