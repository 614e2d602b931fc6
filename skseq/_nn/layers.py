"""Keras layers that are told how long each sequence is.

Every layer here takes the lengths as an explicit tensor and returns zeros past the end
of a sequence, so that nothing a later layer computes can depend on padding. Keras masks
are neither used nor set. Weights are created as zeros: `initial_weights`
gives them their values, so building a network draws no random number.
"""

import keras
import tensorflow as tf

from skseq._nn import compiled, portable, rows
from skseq._nn.frame_arrays import frame_array
from skseq._nn.gru import run_gru
from skseq._nn.lstm import run_lstm

CELLS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}

# What a cell hands on to the next step, its output first.
N_STATES = {"lstm": 2, "gru": 1}

# Faster on a CPU than the stock layers, where there are no compiled recurrences.
CPU_RUNNERS = {"lstm": run_lstm, "gru": run_gru}


def zero_padding(frames, lengths):
    """Set every frame at or past its sequence's length to zero, NaN too."""
    is_frame = tf.sequence_mask(lengths, tf.shape(frames)[1])
    for _ in range(frames.shape.rank - 2):
        is_frame = tf.expand_dims(is_frame, -1)
    return tf.where(is_frame, frames, 0.0)


def places_of_frames(lengths, n_frames):
    """Where the frames before each end are, (n_real_frames, 2), sample after sample.

    Rows are indices of `tf.gather_nd`, which takes two operations where
    `tf.boolean_mask` takes twenty.
    """
    return tf.where(tf.sequence_mask(lengths, n_frames))


@tf.custom_gradient
def reversed_sequences(frames, lengths):
    """Reverse each sequence within its own length.

    The operation is its own inverse, and so its own gradient. `tf.reverse_sequence`
    takes several times as long.
    """
    n_frames, ends = tf.shape(frames, lengths.dtype)[1], lengths[:, tf.newaxis]
    places = tf.range(n_frames)
    places = tf.where(places < ends, ends - 1 - places, places)

    def reverse(tensor):
        return tf.gather(tensor, places, batch_dims=1)

    return reverse(frames), lambda upstream: (reverse(upstream), None)


class Recurrent(keras.layers.Layer):
    """One direction of an LSTM or GRU over right-padded sequences.

    A forward recurrence never sees padding before its end; a backward one reads each
    sequence reversed within its own length. So no mask is needed, and on a GPU the
    stock layer stays eligible for cuDNN. `n_beside` is the number of recurrences that
    can run at the same time.
    """

    rows_are_independent = True

    def __init__(self, units, cell="lstm", backward=False, n_beside=1, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.units, self.cell, self.backward = units, cell, backward
        self.n_beside = n_beside
        self.recurrence = CELLS[cell](
            units,
            return_sequences=True,
            kernel_initializer="zeros",
            recurrent_initializer="zeros",
            seed=0,
            dtype="float32",
            name=cell,
        )

    def build(self, frames_shape, lengths_shape=None):
        self.recurrence.build(frames_shape)

    def call(self, frames, lengths, state=None, training=False):
        if compiled.is_in_use():
            nothing = tf.zeros((tf.shape(frames)[0], 0))
            return self._run_compiled((frames, nothing), lengths, state, training)
        if self.backward:
            frames = reversed_sequences(frames, lengths)
        outputs = self._run(frames, lengths, state)
        if self.backward:
            outputs = reversed_sequences(outputs, lengths)
        return zero_padding(outputs, lengths)

    def _run(self, frames, lengths, state):
        if compiled.on_gpu() and not portable.are_in_use():
            return self.recurrence(frames, initial_state=state)
        state = self.first_state(tf.shape(frames)[0]) if state is None else state
        weights = [weight.value for weight in self.recurrence.weights]
        return _run_plain(self.cell, frames, lengths, weights, state)

    def repeat(self, constants, lengths, n_frames, state, training=False):
        """Run on the same inputs, (n_samples, n_constants), at every step."""
        if not compiled.is_in_use():
            frames = tf.repeat(constants[:, tf.newaxis], n_frames, axis=1)
            return self(frames, lengths, state, training=training)
        frames = tf.zeros((tf.shape(constants)[0], n_frames, 0))
        return self._run_compiled((frames, constants), lengths, state, training)

    def _run_compiled(self, inputs, lengths, state, training):
        """Run on frames and constants, of which one has no features."""
        if state is None:
            state = self.first_state(tf.shape(inputs[0])[0])
        kernel, *others = [weight.value for weight in self.recurrence.weights]
        no_kernel = tf.zeros((0, kernel.shape[1]))
        sees_frames = inputs[0].shape[-1] != 0
        kernels = (kernel, no_kernel) if sees_frames else (no_kernel, kernel)
        return compiled.run_cell(
            self.cell,
            inputs,
            lengths,
            (*kernels, *others),
            state,
            backward=self.backward,
            training=training,
            n_beside=self.n_beside,
        )

    def first_state(self, n_samples=1):
        """The state of sequences before their first frames."""
        return [tf.zeros((n_samples, self.units))] * N_STATES[self.cell]

    def step(self, frame, state, training=False):
        """Advance by one frame; a state is what the cell hands on, its output first."""
        if not rows.are_compiled(training):
            return self.recurrence.cell(frame, state)[1]
        weights = [weight.value for weight in self.recurrence.weights]
        return rows.step(self.cell, frame, weights, state)

    def advance(self, frames, state):
        """The outputs of the frames that follow a state, and the state after them.

        They may be none. Compiled, they are those of a whole sequence to the bit.
        """
        n_frames = tf.shape(frames)[1]

        def step(t, outputs, *state):
            state = self.step(frames[:, t], list(state))
            return t + 1, outputs.write(t, state[0]), *state

        _, outputs, *state = tf.while_loop(
            lambda t, *_: t < n_frames,
            step,
            (0, frame_array(n_frames, self.units), *state),
            maximum_iterations=n_frames,
        )
        return tf.transpose(outputs.stack(), (1, 0, 2)), state

    def compute_output_shape(self, frames_shape, lengths_shape=None):
        return (*frames_shape[:-1], self.units)


def autonomous_lstm(recurrent_kernel, bias, state, lengths, n_frames, training=False):
    """Run an LSTM that sees nothing, from a state; what is past a length counts for
    nothing, and may be left out.
    """
    n_samples = tf.shape(lengths)[0]
    if compiled.is_in_use():
        inputs = tf.zeros((n_samples, n_frames, 0)), tf.zeros((n_samples, 0))
        no_kernel = tf.zeros((0, recurrent_kernel.shape[1]))
        weights = no_kernel, no_kernel, recurrent_kernel, bias
        return compiled.run_cell(
            "lstm", inputs, lengths, weights, state, training=training
        )
    frames = tf.zeros((n_samples, n_frames, 2))
    weights = tf.zeros((2, recurrent_kernel.shape[1])), recurrent_kernel, bias
    return _run_plain("lstm", frames, lengths, weights, state)


def _run_plain(cell, frames, lengths, weights, state):
    """Run a cell of Keras's weights, or stand for it; padding may have outputs too."""
    if portable.are_in_use():
        return portable.run_cell(cell, frames, lengths, weights, state)
    return CPU_RUNNERS[cell](frames, *weights, state)


class Embedding(keras.layers.Embedding):
    """A vector per id, of ids that are known to be there.

    Keras's own looks for negative ones first, which takes as long as the rest.
    """

    rows_are_independent = True

    def __init__(self, n_ids, width, **kwargs):
        zeros = {"embeddings_initializer": "zeros", "dtype": "float32"}
        super().__init__(n_ids, width, **zeros, **kwargs)

    def call(self, ids):
        return tf.gather(self.embeddings.value, ids)


class WithoutMask(keras.layers.Layer):
    """Passes frames on, and leaves out a mask that a user's layers have set."""

    supports_masking = True

    def call(self, frames):
        return tf.identity(frames)

    def compute_mask(self, frames, previous_mask):
        return None

    def compute_output_shape(self, frames_shape):
        return frames_shape


class FinalStates(keras.layers.Layer):
    """What each direction ends with: the last frame of one, the first of the other."""

    rows_are_independent = True

    def __init__(self, bidirectional, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.bidirectional = bidirectional

    def call(self, states, lengths):
        samples = tf.range(tf.size(lengths, lengths.dtype))
        last = tf.maximum(lengths - 1, 0)
        if not self.bidirectional:
            return tf.gather_nd(states, tf.stack([samples, last], axis=1))
        # Both directions in one look, whose gradient is one array.
        n_samples, n_frames = tf.shape(states)[0], tf.shape(states)[1]
        width = states.shape[-1]
        directions = tf.reshape(states, (n_samples, n_frames, 2, width // 2))
        first = tf.zeros_like(last)
        places = [(samples, last, first), (samples, first, first + 1)]
        places = tf.stack([tf.stack(place, axis=1) for place in places], axis=1)
        return tf.reshape(tf.gather_nd(directions, places), (n_samples, width))

    def compute_output_shape(self, states_shape, lengths_shape):
        return states_shape[0], states_shape[2]


class FrameConvolution(keras.layers.Layer):
    """Convolve over time, normalize each frame, rectify; strides shorten time.

    Output frame ``t`` is centred on input frame ``t * strides``, whatever the padded
    length, and there are ``ceil(length / strides)`` of them. Layer normalization
    (Ba et al. 2016) looks at one frame only, so neither padding nor the other sequences
    of the batch can enter.
    """

    rows_are_independent = True

    def __init__(self, filters, kernel_size, strides=1, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.filters, self.kernel_size, self.strides = filters, kernel_size, strides
        self.convolution = keras.layers.Conv1D(
            filters,
            kernel_size,
            strides=strides,
            data_format="channels_last",
            kernel_initializer="zeros",
            dtype="float32",
            name="convolution",
        )
        self.normalization = keras.layers.LayerNormalization(
            dtype="float32", name="normalization"
        )

    def build(self, frames_shape, lengths_shape=None):
        self.convolution.build(frames_shape)
        self.normalization.build((*frames_shape[:-1], self.filters))

    def call(self, frames, lengths, training=None):
        n_output_frames = strided_length(tf.shape(frames)[1], self.strides)
        before = self._n_before
        after = self.kernel_size - 1 - before + self.strides - 1
        frames = zero_padding(frames, lengths)
        frames = tf.pad(frames, ((0, 0), (before, after), (0, 0)))
        convolve, normalize = self._functions(training)
        frames = tf.nn.relu(normalize(convolve(frames)[:, :n_output_frames]))
        return zero_padding(frames, strided_length(lengths, self.strides))

    @property
    def _n_before(self):
        """Frames that the convolution sees before the one it is centred on."""
        return (self.kernel_size - 1) // 2

    @property
    def _n_unseen(self):
        """Frames between what two neighbouring outputs see."""
        return max(0, self.strides - self.kernel_size)

    def first_context(self, n_features):
        """What stands before the first frame of one sequence, read piece by piece."""
        return tf.zeros((1, self._n_unseen + self._n_before, n_features))

    def advance(self, frames, context):
        """The outputs that frames after a context complete, and the next context."""
        frames = tf.concat([context, frames], axis=1)
        n_missing = tf.shape(frames)[1] - max(self.kernel_size, self.strides)
        n_outputs = tf.maximum(n_missing // self.strides + 1, 0)
        outputs = self._outputs(frames, n_outputs)
        return outputs, frames[:, n_outputs * self.strides :]

    def conclude(self, frames, context):
        """The outputs that are left if frames after a context are the last."""
        frames = tf.concat([context, frames], axis=1)
        n_left = tf.shape(frames)[1] - self._n_unseen - self._n_before
        n_outputs = strided_length(tf.maximum(n_left, 0), self.strides)
        return self._outputs(frames, n_outputs)

    def _outputs(self, frames, n_outputs):
        """The first outputs of frames that begin where a context does."""
        padding = (0, 0), (0, self.kernel_size), (0, 0)
        frames = tf.pad(frames[:, self._n_unseen :], padding)
        convolve, normalize = self._functions(training=False)
        return tf.nn.relu(normalize(convolve(frames)[:, :n_outputs]))

    def _functions(self, training):
        """How to convolve and to normalize."""
        kernel, bias, gamma, beta = (weight.value for weight in self.weights)
        if training:
            return self.convolution, lambda frames: rows.normalized(frames, gamma, beta)
        if not rows.are_compiled(training):
            return self.convolution, self.normalization
        return (
            lambda frames: rows.convolution(frames, kernel, bias, self.strides),
            lambda frames: rows.normalize(frames, gamma, beta),
        )

    def compute_output_shape(self, frames_shape, lengths_shape=None):
        n_samples, n_frames, _ = frames_shape
        n_frames = None if n_frames is None else strided_length(n_frames, self.strides)
        return (n_samples, n_frames, self.filters)


class ImageConvolution(keras.layers.Layer):
    """A 3 x 3 convolution of images whose columns are frames, then 2 x 2 max pooling.

    Images are ``(n_samples, n_columns, height, channels)``. Each channel of each pooled
    image is normalized over its own columns (Ulyanov et al. 2016): neither padding nor
    the other images of the batch enter, and empty columns stay quiet.
    """

    def __init__(self, filters, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.filters = filters
        self.convolution = keras.layers.Conv2D(
            filters,
            3,
            padding="same",
            data_format="channels_last",
            kernel_initializer="zeros",
            dtype="float32",
            name="convolution",
        )

    def build(self, images_shape, lengths_shape=None):
        self.convolution.build(images_shape)
        channels = (self.filters,)
        self.gamma = self.add_weight(channels, "zeros", "float32", name="gamma")
        self.beta = self.add_weight(channels, "zeros", "float32", name="beta")

    def call(self, images, lengths):
        images = tf.nn.relu(self.convolution(zero_padding(images, lengths)))
        # After the rectifier zero is the smallest value: padding never wins the pool.
        images = tf.nn.max_pool2d(zero_padding(images, lengths), 2, 2, "SAME")
        images = normalize_images(images, strided_length(lengths, 2))
        images = images * self.gamma.value + self.beta.value
        return zero_padding(images, strided_length(lengths, 2))

    def compute_output_shape(self, images_shape, lengths_shape=None):
        n_samples, n_columns, height, _ = images_shape
        n_columns = None if n_columns is None else strided_length(n_columns, 2)
        return (n_samples, n_columns, strided_length(height, 2), self.filters)


def normalize_images(images, lengths, epsilon=1e-3):
    """Give each channel of each image mean 0 and variance 1 over its real columns.

    The images must be zero past their lengths.
    """
    n_pixels = tf.cast(lengths * tf.shape(images)[2], images.dtype)
    n_pixels = n_pixels[:, None, None, None]
    mean = tf.reduce_sum(images, axis=(1, 2), keepdims=True) / n_pixels
    images = zero_padding(images - mean, lengths)
    squares = tf.reduce_sum(tf.square(images), axis=(1, 2), keepdims=True)
    return images * tf.math.rsqrt(squares / n_pixels + epsilon)


def strided_length(lengths, strides: int):
    """Length after a step of ``strides``: ceil(lengths / strides)."""
    return (lengths + (strides - 1)) // strides


def dense(units, name, activation=None):
    """A dense layer whose weights start as zeros, like those of every layer here."""
    return rows.Dense(
        units, activation, kernel_initializer="zeros", dtype="float32", name=name
    )
