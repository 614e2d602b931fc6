"""What stands between the frames and a network: an image's layers, or a user's own.

Every kind of front end is a `FrontEnd`. It builds its layers, says how many frames it
makes of how many, gives its weights their first values and knows whether padding can
reach its outputs. Knows nothing of any task.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from skseq._nn.layers import ImageConvolution, WithoutMask, dense, strided_length
from skseq._parameters import (
    CALLABLE,
    NONE,
    POSITIVE_INT,
    POSITIVE_INTS,
    OneOf,
    as_tuple,
    check_value,
    did_you_mean,
)
from skseq._seeding import derive, private_random
from skseq._wording import counted

# The layer that holds all of a user's own, by which it is found in a network.
LAYER = "front_end"

# Numbers of frames of which the first that a front end takes is a long sequence.
_LONG = tuple(360 * 2**i for i in range(7))


# Lengths by which the rule of a front end is found, and how far its edges may reach.
_TRIED = np.array([*range(1, 200), 1000, 1001, 1003, 2**14, 2**14 + 2**12])
_FURTHEST = 256


class FrontEnd(ABC):
    """Layers from frames (n_samples, n_frames, n_features) to others of that form."""

    @abstractmethod
    def build(self, frames, lengths) -> tuple:
        """Return the frames it makes, their lengths, and further inputs of the network.

        All are Keras tensors.
        """

    @abstractmethod
    def output_lengths(self, model, lengths) -> np.ndarray:
        """Work out how many frames it makes of each number of frames."""

    def initial_weights(self, model, seed: int) -> dict[int, np.ndarray]:
        """First values of weights that no rule of ours gives, by the `id` of each."""
        return {}

    def further_inputs(self, model, lengths) -> list:
        """The further inputs of the network, of lengths that are a tensor."""
        return []


@dataclass(frozen=True)
class NoFrontEnd(FrontEnd):
    """Leaves the frames as they are."""

    def build(self, frames, lengths):
        return frames, lengths, []

    def output_lengths(self, model, lengths):
        return lengths


@dataclass(frozen=True)
class ImageFrontEnd(FrontEnd):
    """Reads an image, its columns as frames: 3 x 3 convolutions, then a dense layer.

    Each convolution is pooled, which halves the height and the number of columns.
    """

    filters: tuple[int, ...] = (32, 64)
    features: int = 64

    def build(self, frames, lengths):
        height = frames.shape[-1]
        images = _reshape((-1, height, 1), "image")(frames)
        for i, n_filters in enumerate(self.filters):
            images = ImageConvolution(n_filters, name=f"image_{i}")(images, lengths)
            lengths, height = strided_length(lengths, 2), strided_length(height, 2)
        columns = _reshape((-1, height * images.shape[-1]), "columns")(images)
        return dense(self.features, "image_features", "relu")(columns), lengths, []

    def output_lengths(self, model, lengths):
        for _ in self.filters:
            lengths = strided_length(lengths, 2)
        return lengths


def _reshape(shape, name):
    return keras.layers.Reshape(shape, dtype="float32", name=name)


@dataclass(frozen=True)
class CustomFrontEnd(FrontEnd):
    """Calls a user's function, which builds Keras layers.

    The layers stand in a model of their own, named `LAYER`. How many frames they make
    is an input of the network, since no layer of ours can compute it.
    """

    function: Callable
    parameters: tuple[tuple, ...] = ()

    def build(self, frames, lengths):
        model = self.model(frames.shape[-1])
        lengths = keras.Input((), dtype="int32", name="front_end_lengths")
        return model(frames), lengths, [lengths]

    def model(self, n_features, seed=0) -> keras.Model:
        """Build the layers, touching no global random state.

        Layers draw their seeds from Python's global generator, which is set aside
        meanwhile, so that the same seed gives the same front end.
        """
        shape = (None, n_features)
        frames = keras.Input(shape, dtype="float32", name="front_end_frames")
        with private_random(seed), _own_errors_noted(n_features):
            outputs = self.function(frames, **dict(self.parameters))
        _check_outputs(outputs)
        outputs = WithoutMask(dtype="float32", name="without_mask")(outputs)
        return keras.Model(frames, outputs, name=LAYER)

    def output_lengths(self, model, lengths):
        own = model.get_layer(LAYER)
        distinct, positions = np.unique(lengths, return_inverse=True)
        width = own.input_shape[-1]
        outputs = [n_output_frames(own, (1, int(n), width)) for n in distinct]
        if 0 in outputs:
            _check_is_too_short(own, int(distinct[outputs.index(0)]))
        return np.array(outputs, dtype=np.int64)[positions]

    def further_inputs(self, model, lengths):
        """How many frames it makes of each length, by the rule that its layers keep.

        It is found by trying: no tensor can ask a user's layers for their shapes.
        """
        counts = self.output_lengths(model, _TRIED)
        rule = _rule_of_lengths(_TRIED, counts)
        if rule is None:
            raise ValueError(
                "front_end cannot be exported: the number of frames that it makes "
                "follows no rule of a stride. Build it from convolutions and poolings."
            )
        stride, offset, least = rule
        return [tf.maximum((lengths + offset) // stride, least)]

    def initial_weights(self, model, seed):
        """Its weights come from its own initializers, so it is built again."""
        own = model.get_layer(LAYER)
        fresh = self.model(own.input_shape[-1], seed=derive(seed, LAYER))
        _check_is_built_anew(own.weights, fresh.weights)
        return {
            id(weight): value
            for weight, value in zip(own.weights, fresh.get_weights(), strict=True)
        }


def _rule_of_lengths(lengths, counts) -> tuple[int, int, int] | None:
    """The stride, offset and least value that give these counts, if any do."""
    rise = int(counts[-1] - counts[-2])
    if rise < 1:
        return None
    stride = round(int(lengths[-1] - lengths[-2]) / rise)
    least = int(counts.min())
    for offset in range(-_FURTHEST, _FURTHEST + 1):
        if np.array_equal(np.maximum((lengths + offset) // stride, least), counts):
            return stride, offset, least
    return None


def _check_outputs(outputs) -> None:
    shape = getattr(outputs, "shape", None)
    if shape is None or len(shape) != 3 or shape[-1] is None:
        got = f"shape {tuple(shape)}" if shape is not None else repr(type(outputs))
        raise ValueError(
            "front_end must turn its input tensor (n_samples, n_frames, n_features) "
            "into a tensor (n_samples, n_output_frames, n_output_features) with a "
            f"fixed number of output features. Got {got} instead."
        )

    dtype = keras.backend.standardize_dtype(outputs.dtype)
    if "float" not in dtype:
        raise ValueError(
            f"front_end must return floating-point numbers, but returns {dtype}. Add "
            'keras.ops.cast(frames, "float32") at its end, after keras.ops.abs for '
            "complex numbers; look integers up in a keras.layers.Embedding."
        )


@contextmanager
def _own_errors_noted(n_features) -> Iterator[None]:
    """Say of an error in a user's function that it is theirs, and what it was given."""
    try:
        yield
    except Exception as error:
        error.add_note(
            "front_end raised this. It was called with a Keras tensor of shape (None, "
            f"None, {n_features}): the numbers of samples and of frames are open while "
            "the layers are built, and differ from batch to batch."
        )
        raise


def n_output_frames(model, shape) -> int:
    """Frames out for one input shape; a kernel longer than the input gives none."""
    try:
        n_frames = model.compute_output_shape(shape)[1]
    except ValueError:
        return 0
    if n_frames is None:
        raise ValueError(
            f"The number of frames that front_end makes of {shape[1]} cannot be worked "
            "out. Give its own layers a compute_output_shape method."
        )
    return max(0, n_frames)


def _check_is_too_short(model, n_frames) -> None:
    """Raise ValueError if layers refuse a number of frames, but not for being small.

    Layers that take a long sequence, and refuse one that is a little longer, take
    multiples of some number only.
    """
    width = model.input_shape[-1]
    long = next((n for n in _LONG if n_output_frames(model, (1, n, width))), None)
    if long is not None:
        longer = (long + more for more in (1, 2, 3, 5, 7))
        if all(n_output_frames(model, (1, n, width)) for n in longer):
            return
    try:
        model.compute_output_shape((1, n_frames, width))
    except ValueError as error:
        raise ValueError(
            f"front_end cannot take {counted(n_frames, 'frame')}: "
            f"{str(error).rstrip('.')}. X holds sequences of any number of frames, so "
            "build front_end from layers that take all of them."
        ) from error


def _check_is_built_anew(present, fresh) -> None:
    """Each call must make new layers, and the same ones."""
    if {id(w) for w in present} & {id(w) for w in fresh}:
        raise ValueError(
            "front_end must make new layers whenever it is called. It used one again, "
            "so that two networks would share its weights."
        )
    before, now = [w.shape for w in present], [w.shape for w in fresh]
    if before != now:
        raise ValueError(
            "front_end must make the same layers whenever it is called with the same "
            f"parameters. Its weights had the shapes {before} and now have {now}. Pass "
            "what it depends on as front_end__ parameters."
        )


# -- what a user writes ---------------------------------------------------------------

FRONT_ENDS = {None: NoFrontEnd, "image": ImageFrontEnd}

IMAGE_CONSTRAINTS = {"filters": POSITIVE_INTS, "features": POSITIVE_INT}

FRONT_END = (NONE, OneOf([name for name in FRONT_ENDS if name]), CALLABLE)


def make_front_end(front_end, parameters=()) -> FrontEnd:
    """The front end that a name, None or a function stands for.

    `parameters` are pairs of names and values, as a network's settings hold them.
    """
    if callable(front_end):
        return CustomFrontEnd(front_end, tuple(parameters))
    return FRONT_ENDS[front_end](**dict(parameters))


def front_end_of(settings: dict) -> FrontEnd:
    """The front end in the settings of a network; they may name none."""
    name, parameters = "front_end", "front_end_parameters"
    return make_front_end(settings.get(name), settings.get(parameters, ()))


def as_written(settings: dict) -> dict[str, str]:
    """The settings of a network as a user gives them: names of parameters, reprs."""
    written = {n: v for n, v in settings.items() if n != "front_end_parameters"}
    for name, value in settings.get("front_end_parameters", ()):
        written[f"front_end__{name}"] = value
    return {name: repr(value) for name, value in written.items()}


def _meant(function, parameters: dict) -> str:
    """Suggest a name for the first parameter that a function does not have."""
    try:
        known = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ""
    for name in parameters:
        near = did_you_mean(name, known) if name not in known else ""
        if near:
            return near.replace("'", "'front_end__", 1)
    return ""


def check_front_end(front_end, parameters: dict, owner: str) -> tuple[tuple, ...]:
    """Check the parameters routed to a front end; return them as settings hold them."""
    kind = FRONT_ENDS.get(front_end) if not callable(front_end) else None
    if kind is NoFrontEnd and parameters:
        raise ValueError(
            f"front_end__{next(iter(parameters))} has no effect where front_end=None. "
            "Give a front_end, or leave the parameter out."
        )
    if isinstance(front_end, type) and issubclass(front_end, keras.layers.Layer):
        name = front_end.__name__
        raise ValueError(
            f"front_end={name} is a class of layers. Pass a function that builds them: "
            f"front_end=lambda frames: keras.layers.{name}(...)(frames)."
        )
    try:
        if kind is None:
            inspect.signature(front_end).bind("frames", **parameters)
        else:
            inspect.signature(kind).bind(**parameters)
    except (TypeError, ValueError) as error:
        names = ", ".join(f"front_end__{name}" for name in parameters)
        arguments = f"frames and {names}" if names else "frames alone"
        raise ValueError(
            f"front_end={front_end!r} cannot be called with {arguments}: "
            f"{error}.{_meant(kind or front_end, parameters)}"
        ) from error
    if kind is ImageFrontEnd:
        for name, value in parameters.items():
            check_value(owner, f"front_end__{name}", value, IMAGE_CONSTRAINTS[name])
        plain = {"filters": as_tuple, "features": int}
        parameters = {name: plain[name](value) for name, value in parameters.items()}
    return tuple(sorted(parameters.items()))
