"""Front ends."""

import keras
import numpy as np

from skseq._nn.layers import ImageConvolution, shortened
from skseq._seeding import derive, generator, private_random

IMAGE_FILTERS = (32, 64)


IMAGE_FEATURES = 64


def no_front_end(frames, lengths):
    """Leave the frames as they are."""
    return frames, lengths


def image_front_end(frames, lengths, filters=IMAGE_FILTERS, features=IMAGE_FEATURES):
    """Read columns of an image: 3 x 3 convolutions with pooling, then dense features.

    Each convolution halves the height and the number of columns.
    """
    height = frames.shape[-1]
    images = _reshape((-1, height, 1), "image")(frames)
    for i, n_filters in enumerate(filters):
        images = ImageConvolution(n_filters, name=f"image_{i}")(images, lengths)
        lengths, height = shortened(lengths, 2), shortened(height, 2)
    columns = _reshape((-1, height * images.shape[-1]), "columns")(images)
    dense = keras.layers.Dense(
        features,
        activation="relu",
        kernel_initializer="zeros",
        dtype="float32",
        name="image_features",
    )
    return dense(columns), lengths


def _reshape(shape, name):
    return keras.layers.Reshape(shape, dtype="float32", name=name)


FRONT_ENDS = {None: no_front_end, "image": image_front_end}


def custom_encoder(n_features, encoder, parameters, seed=0):
    """Build a user's front end as a model of its own, touching no global random state.

    Layers draw their seeds from Python's global generator: it is set aside meanwhile,
    so the same seed gives the same front end.
    """
    frames = keras.Input((None, n_features), dtype="float32", name="encoder_frames")
    with private_random(seed):
        states = encoder(frames, **dict(parameters))
    _check_encoder_output(states)
    return keras.Model(frames, states, name="encoder")


def _check_encoder_output(states):
    shape = getattr(states, "shape", None)
    if shape is None or len(shape) != 3 or shape[-1] is None:
        got = f"shape {tuple(shape)}" if shape is not None else repr(type(states))
        raise ValueError(
            "encoder must turn its input tensor (n_samples, n_frames, n_features) into "
            "a tensor (n_samples, n_output_frames, n_output_features) with a fixed "
            f"number of output features. Got {got} instead."
        )


def _encoder_output_lengths(encoder, lengths):
    """Ask a custom encoder for the output length of each distinct input length."""
    distinct, positions = np.unique(lengths, return_inverse=True)
    width = encoder.input_shape[-1]
    outputs = [_output_frames(encoder, (1, int(n), width)) for n in distinct]
    return np.array(outputs, dtype=np.int64)[positions]


def _output_frames(encoder, shape) -> int:
    """Frames out for one input shape; a kernel longer than the input gives none."""
    try:
        n_frames = encoder.compute_output_shape(shape)[1]
    except ValueError:
        return 0
    if n_frames is None:
        raise ValueError(
            f"How many frames encoder makes of {shape[1]} cannot be worked out. Give "
            "its own layers a compute_output_shape method."
        )
    return max(0, n_frames)


def encoder_sees_padding(model, seed=0):
    """Tell whether a custom encoder's output depends on what follows a sequence.

    A convolution after a bias, a Keras recurrence run backwards or a normalisation over
    time do. Their sequences are then batched by exact length, with no padding at all.
    Random weights are used, since padding often does nothing on fresh ones.
    """
    encoder, rng = model.get_layer("encoder"), generator(seed, "probe")
    weights = encoder.get_weights()
    encoder.set_weights([rng.uniform(0.1, 0.5, size=w.shape) for w in weights])
    try:
        shortest = _shortest_probe(encoder)
        return shortest is None or any(
            _padding_matters(encoder, shortest + more, rng) for more in (0, 7, 14)
        )
    finally:
        encoder.set_weights(weights)


def _shortest_probe(encoder) -> int | None:
    """A number of frames that the encoder makes several of; None if there is none."""
    width = encoder.input_shape[-1]
    for n_frames in [9 * 2**i for i in range(10)]:
        if _output_frames(encoder, (2, n_frames, width)) > 2:
            return n_frames
    return None


def _padding_matters(encoder, n_frames, rng) -> bool:
    shape = (2, n_frames, encoder.input_shape[-1])
    frames = rng.normal(size=shape).astype("float32")
    n_outputs = _output_frames(encoder, shape)
    alone = encoder(frames, training=False)[:, :n_outputs]
    for n_padding in (1, 2, 5):
        padded = np.pad(frames, ((0, 0), (0, n_padding), (0, 0)))
        beside = encoder(padded, training=False)[:, :n_outputs]
        if not np.allclose(alone, beside, rtol=1e-5, atol=1e-5):
            return True
    return False


def _custom_initial_weights(model, settings, seed):
    """A custom encoder's weights come from its own initializers: build it again."""
    if not callable(settings["encoder"]):
        return {}
    fresh = custom_encoder(
        settings["n_features"],
        settings["encoder"],
        settings["encoder_parameters"],
        seed=derive(seed, "encoder"),
    )
    mine = model.get_layer("encoder").weights
    _check_is_built_anew(mine, fresh.weights)
    return {id(w): v for w, v in zip(mine, fresh.get_weights(), strict=True)}


def _check_is_built_anew(mine, fresh):
    """An encoder is called once a network, and must make the same one each time."""
    if {id(w) for w in mine} & {id(w) for w in fresh}:
        raise ValueError(
            "encoder must make new layers whenever it is called. It used one again, so "
            "that two networks would share its weights."
        )
    before, now = [w.shape for w in mine], [w.shape for w in fresh]
    if before != now:
        raise ValueError(
            "encoder must make the same layers whenever it is called with the same "
            f"parameters. Its weights had the shapes {before} and now have {now}. Pass "
            "what it depends on as encoder__ parameters."
        )


def _add_image_shapes(shapes, height, filters=IMAGE_FILTERS, features=IMAGE_FEATURES):
    channels = 1
    for i, n_filters in enumerate(filters):
        shapes[f"image_{i}/gamma"] = (n_filters,)
        shapes[f"image_{i}/beta"] = (n_filters,)
        shapes[f"image_{i}/convolution/kernel"] = (3, 3, channels, n_filters)
        shapes[f"image_{i}/convolution/bias"] = (n_filters,)
        height, channels = shortened(height, 2), n_filters
    shapes["image_features/kernel"] = (height * channels, features)
    shapes["image_features/bias"] = (features,)
    return features
