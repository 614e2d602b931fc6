"""Compiled networks: traced once, and used with any weights of their shapes.

A `Program` is a network with its compiled functions; an estimator owns plain arrays
only, loads them into a program that it borrows (see `lending`), and takes the results
out again.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from skseq._engine.optimizers import optimizer_key, plain_learning_rate
from skseq._engine.replicas import n_replicas_of, on_replicas, scope_of
from skseq._nn import rows
from skseq._nn.padding import PaddingSight
from skseq._seeding import derive

MAX_TRAINERS = 4
MAX_FUNCTIONS = 8

# What a traced function takes beside the weights, measured on small networks.
FUNCTION_BYTES = 3 * 2**20


# Of anything in a network; TensorFlow counts in 32 bits.
_MOST = 2**31 - 1


@dataclass(frozen=True)
class Recipe:
    """What a program is made of; equal recipes share programs.

    Attributes
    ----------
    network : callable
        Builds the `keras.Model` from the settings.
    settings : tuple of (name, value) pairs
        Hashable keyword arguments of `network`.
    losses : Losses
        `losses(outputs, targets)` gives one loss per sequence, (n_samples,); equal
        ones can share programs. Its attribute `targets`, a tuple of
        (name, shape, dtype), lists the tensors that it needs beside the outputs.
    strategy : tf.distribute.Strategy or None
        The devices that training is distributed to; None is one device.
    """

    network: Callable
    settings: tuple
    losses: Callable
    strategy: tf.distribute.Strategy | None = None

    def build(self) -> keras.Model:
        """Build the network."""
        check_sizes(dict(self.settings))
        return self.network(**dict(self.settings))


def check_sizes(settings: dict) -> None:
    """Refuse a setting beyond what TensorFlow can count to."""
    for name, value in settings.items():
        sizes = value if isinstance(value, (list, tuple)) else (value,)
        if any(isinstance(size, int) and size > _MOST for size in sizes):
            raise ValueError(f"{name}={value!r} is more than {_MOST}. Lower it.")


class Program:
    """One network, its compiled functions, and the weights loaded last.

    The functions are concrete ones: traced once, whatever the shapes, and checked only
    once per call.
    """

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        with scope_of(recipe.strategy):
            self.model = recipe.build()
        self.was_trained = False
        self._loaded = None
        self._trainers = {}
        self._functions = {}
        self._random_states = [
            v for v in self.model.variables if v.name == "seed_generator_state"
        ]

    def load(self, weights: list[np.ndarray]) -> None:
        """Give the network these weights, unless it holds them already."""
        if self._loaded is not weights:
            self._loaded = None  # until all of them are there
            self.model.set_weights(weights)
            self._loaded = weights

    def weights(self) -> list[np.ndarray]:
        """Copy the network's present weights out."""
        self._loaded = self.model.get_weights()
        return self._loaded

    def seed(self, seed: int) -> None:
        """Restart every random stream of the network, for example dropout's."""
        for i, state in enumerate(self._random_states):
            state.assign([derive(seed, i), 0])

    def infer(self, batch: dict) -> list[np.ndarray]:
        """Run the network on a padded batch; refuse results that are not finite."""
        outputs = [out.numpy() for out in self._infer(*self.inputs(batch))]
        _check_outputs(outputs, np.isfinite)
        return outputs

    def run(self, function: Callable, *tensors, **options) -> list[np.ndarray]:
        """Run a compiled `function(model, *tensors, **options)` of the network.

        It is traced once per set of options, whatever the tensors' shapes. Minus
        infinity is the log-probability of nothing, and the only result that may not be
        finite.
        """
        key = function, *sorted(options.items())
        compiled = self._functions.pop(key, None) or self._compiled(
            function, tensors, options
        )
        self._functions[key] = compiled
        while len(self._functions) > MAX_FUNCTIONS:
            del self._functions[next(iter(self._functions))]
        outputs = [output.numpy() for output in compiled(*tensors)]
        _check_outputs(outputs, lambda output: output < np.inf)
        return outputs

    def losses(self, batch: dict) -> np.ndarray:
        """Loss of each sequence, as at prediction time (no dropout)."""
        return self._losses(*self.inputs_and_targets(batch)).numpy()

    def trainer(self, optimizer: keras.optimizers.Optimizer) -> "Trainer":
        """A training step under this optimizer, its state as new."""
        self.was_trained = True
        key = optimizer_key(optimizer)
        trainer = self._trainers.pop(key, None)
        if trainer is None:
            trainer = Trainer(self, optimizer)
        else:
            trainer.reset()
        trainer.take_rate(optimizer)
        self._trainers[key] = trainer
        while len(self._trainers) > MAX_TRAINERS:
            del self._trainers[next(iter(self._trainers))]
        return trainer

    def inputs(self, batch: dict) -> list:
        """The network's inputs among a batch's arrays.

        As tensors: a compiled function takes twice as long to convert them.
        """
        return [tf.constant(batch[t.name], t.dtype) for t in self.model.inputs]

    def inputs_and_targets(self, batch: dict) -> tuple[list, dict]:
        """A batch's arrays as the compiled functions take them."""
        return self.inputs(batch), self._targets(batch)

    @functools.cached_property
    def rows_are_independent(self) -> bool:
        """Whether a row's outputs are the same to the bit in any batch."""
        return rows.are_independent(self.model)

    @functools.cached_property
    def padding(self) -> PaddingSight:
        """Tells whether padding can reach outputs, so that lengths must be exact."""
        return PaddingSight(self.model)

    def holds(self, weights) -> bool:
        """Whether these weights were loaded last."""
        return weights is not None and self._loaded is weights

    @property
    def n_bytes(self) -> int:
        """About how much memory the program takes."""
        trainers = self._trainers.values()
        n_values = self._n_values + sum(trainer.n_values for trainer in trainers)
        n_functions = 2 + len(self._functions) + len(trainers)
        return 4 * n_values + n_functions * FUNCTION_BYTES

    @functools.cached_property
    def _n_values(self) -> int:
        return _count(self.model.variables)

    def forget_weights(self) -> None:
        """Note that the network's weights are no longer those loaded last."""
        self._loaded = None

    def _compiled(self, function, tensors, options):
        signature = [
            tf.TensorSpec((None,) * np.ndim(t), np.asarray(t).dtype) for t in tensors
        ]

        @tf.function(input_signature=signature, autograph=False)
        def compiled(*tensors):
            return function(self.model, *tensors, **options)

        return compiled.get_concrete_function()

    def _targets(self, batch):
        targets = self.recipe.losses.targets
        return {name: tf.constant(batch[name], dtype) for name, _, dtype in targets}

    @property
    def input_signature(self) -> list[tf.TensorSpec]:
        return [tf.TensorSpec(t.shape, t.dtype) for t in self.model.inputs]

    @property
    def target_signature(self) -> dict[str, tf.TensorSpec]:
        return {n: tf.TensorSpec(s, d) for n, s, d in self.recipe.losses.targets}

    @functools.cached_property
    def _infer(self):
        @tf.function(input_signature=self.input_signature, autograph=False)
        def infer(*inputs):
            return self.model(list(inputs), training=False)

        return infer.get_concrete_function()

    @functools.cached_property
    def _losses(self):
        @tf.function(
            input_signature=[self.input_signature, self.target_signature],
            autograph=False,
        )
        def losses(inputs, targets):
            return self.recipe.losses(self.model(inputs, training=False), targets)

        return losses.get_concrete_function()


class Trainer:
    """A compiled training step: one network under one optimizer."""

    def __init__(self, program: Program, optimizer: keras.optimizers.Optimizer):
        self.program, self.optimizer = program, optimizer
        if program.recipe.strategy is not None:  # its variables belong to a strategy
            with program.recipe.strategy.scope():
                self.optimizer = type(optimizer).from_config(optimizer.get_config())
        self._first_state = self._build()
        self._copied_weights = self._copies_of_weights(self._first_state)
        self.n_values = _count(self.optimizer.variables)
        self.given_learning_rate = None
        self._step = self._compile()

    def _build(self) -> list[np.ndarray]:
        """Build the optimizer; return its first state.

        An optimizer may start from the weights, as a schedule-free one does. Each
        weight is given a value of its own meanwhile, by which its copies are known.
        """
        model = self.program.model
        values, weights = model.get_weights(), model.trainable_variables
        for i, weight in enumerate(weights):
            weight.assign(np.full(weight.shape, i + 0.5))
        with scope_of(self.program.recipe.strategy):
            self.optimizer.build(weights)
        model.set_weights(values)
        return self.state()

    def _copies_of_weights(self, state: list[np.ndarray]) -> dict[int, int]:
        """Which of the variables of a state that was just built copy which weight."""
        weights = self.program.model.trainable_variables
        return {
            j: i
            for j, value in enumerate(state)
            for i, weight in enumerate(weights)
            if value.shape == weight.shape
            and np.all(value.flat[:1] == i + 0.5)  # most differ there already
            and np.all(value == i + 0.5)
        }

    def reset(self) -> None:
        """Forget what was learnt."""
        self.set_state(self._first_state)

    def take_rate(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Take this optimizer's learning rate."""
        self.given_learning_rate = plain_learning_rate(optimizer)
        self._set_given_rate()

    def under_given_rate(self, state: list[np.ndarray]) -> list[np.ndarray]:
        """A state of this kind of optimizer, but the learning rate that was given."""
        if self.given_learning_rate is None:
            return state
        rate = self.optimizer.learning_rate
        return [
            np.full_like(value, self.given_learning_rate) if v is rate else value
            for v, value in zip(self.optimizer.variables, state, strict=True)
        ]

    def _set_given_rate(self) -> None:
        if self.given_learning_rate is not None:  # a schedule is part of the step
            self.learning_rate = self.given_learning_rate

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return float(tf.convert_to_tensor(self.optimizer.learning_rate))

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.optimizer.learning_rate = value

    def start_from_weights(self) -> None:
        """Give what starts as a copy of the network's weights their present values."""
        weights = self.program.model.trainable_variables
        for j, i in self._copied_weights.items():
            self.optimizer.variables[j].assign(weights[i])

    def finish(self) -> None:
        """Let the optimizer put its averaged weights in place, if it keeps any."""
        self.program.forget_weights()
        self.optimizer.finalize_variable_values(self.program.model.trainable_variables)

    @property
    def keeps_averages(self) -> bool:
        """Whether the optimizer averages the weights over its steps."""
        return bool(self.optimizer.use_ema)

    def state(self) -> list[np.ndarray]:
        """Copy the optimizer's variables out."""
        return [v.numpy() for v in self.optimizer.variables]

    def set_state(self, state: list[np.ndarray]) -> None:
        for variable, value in zip(self.optimizer.variables, state, strict=True):
            variable.assign(value)

    def accepts(self, state: list[np.ndarray]) -> bool:
        """Tell whether a state is of this kind of optimizer."""
        ours, theirs = (
            [(value.shape, value.dtype) for value in values]
            for values in (self._first_state, state)
        )
        return ours == theirs

    def step(self, batch: dict, sample_weight: np.ndarray, learning_rate=None):
        """Learn from one batch; return the loss of each of its sequences.

        With a learning rate the optimizer takes it, and keeps it for later steps.
        """
        self.program.forget_weights()
        inputs, targets = self.program.inputs_and_targets(batch)
        rate = np.float32(np.nan if learning_rate is None else learning_rate)
        with np.errstate(under="ignore"):  # a weight may be too small to count
            weights = sample_weight.astype("float32")
        return self._step(inputs, targets, weights, rate).numpy()

    def _rate_setter(self) -> Callable:
        """What sets the learning rate inside a step, where that is cheap."""
        optimizer = self.optimizer
        if plain_learning_rate(optimizer) is None:
            return lambda rate: None  # it follows a schedule

        def set_rate(rate):  # NaN leaves it
            present = tf.convert_to_tensor(optimizer.learning_rate)
            given = tf.cast(rate, present.dtype)
            optimizer.learning_rate = tf.where(tf.math.is_nan(rate), present, given)

        return set_rate

    def _compile(self):
        model, optimizer = self.program.model, self.optimizer
        recipe, variables = self.program.recipe, model.trainable_variables
        n_replicas = n_replicas_of(recipe.strategy)
        set_rate = self._rate_setter()

        def compute(batch, sample_weight, n_samples):
            inputs, targets = batch
            with tf.GradientTape() as tape:
                losses = recipe.losses(model(inputs, training=True), targets)
                total = tf.reduce_sum(losses * sample_weight)
                total /= tf.cast(n_samples, total.dtype)
                for penalty in model.losses:
                    total += penalty / n_replicas
                total = optimizer.scale_loss(total)  # by its loss_scale_factor
            gradients = tape.gradient(total, [v.value for v in variables])
            return losses, [_summed_rows(gradient) for gradient in gradients]

        signature = self.program.input_signature, self.program.target_signature

        numbers = tf.TensorSpec((None,), "float32"), tf.TensorSpec((), "float32")

        @tf.function(input_signature=[*signature, *numbers], autograph=False)
        def step(inputs, targets, sample_weight, rate):
            set_rate(rate)
            losses, gradients = on_replicas(
                recipe.strategy, compute, (inputs, targets), sample_weight
            )
            optimizer.apply(gradients, variables)
            return losses

        return step.get_concrete_function()


def _count(variables) -> int:
    """How many numbers variables hold."""
    return sum(math.prod(variable.shape) for variable in variables)


def _summed_rows(gradient):
    """A gradient as one tensor.

    An embedding's comes as rows, which Keras would clip and square one by one.
    """
    return gradient if gradient is None else tf.convert_to_tensor(gradient)


class NotFiniteError(ValueError):
    """A network gave values that are NaN or infinite."""


def _check_outputs(outputs: list[np.ndarray], are_good: Callable) -> None:
    if not all(are_good(array).all() for array in outputs if array.dtype.kind == "f"):
        raise NotFiniteError(
            "The network gives values that are not finite: its weights or its inputs "
            "are too large, or a front_end of your own cannot handle X (the root of a "
            "value below zero, for example). Scale X as it was scaled for fit, or fit "
            "anew if the weights were read from a file."
        )
