"""The network of `LSTMAutoencoder`: an encoder to one code, a decoder back to frames.

It takes `frames`, right-padded, with their `lengths`, and returns the reconstruction,
zero past each length, and the codes.
"""

import keras
import tensorflow as tf

from skseq._nn import portable
from skseq._nn.compiled import on_gpu
from skseq._nn.layers import (
    N_STATES,
    FinalStates,
    Recurrent,
    autonomous_lstm,
    dense,
    reversed_sequences,
    zero_padding,
)
from skseq._nn.rows import product
from skseq._nn.stacks import recurrent_stack


def autoencoder_network(
    *,
    n_features,
    units,
    cell,
    bidirectional,
    dropout,
    latent_dim,
    decoder_input,
    reverse,
    difference,
):
    """Stacked recurrences to a code, one recurrence back."""
    frames = keras.Input((None, n_features), dtype="float32", name="frames")
    lengths = keras.Input((), dtype="int32", name="lengths")
    inputs = [frames, lengths]
    states = recurrent_stack(frames, lengths, units, cell, bidirectional, dropout)
    summary = FinalStates(bidirectional, name="summary")(states, lengths)
    code = dense(latent_dim, "code")(summary)
    encoder = keras.Model([frames, lengths], code, name="encoder")
    layer = FrameDecoder(
        n_features, units[-1], cell, decoder_input, reverse, name="decoder"
    )
    if difference:
        inputs.append(keras.Input((n_features,), dtype="float32", name="change_scale"))
    code = encoder([frames, lengths])
    levels = layer(code, lengths, frames, *inputs[2:])
    return keras.Model(inputs, [levels, code], name="autoencoder")


class FrameDecoder(keras.layers.Layer):
    """A recurrence that unfolds a code into frames.

    It starts in a state made of the code. With `decoder_input="code"` it then sees the
    code at every step; with "output" it sees its own last output, the first one being
    what it would give in that state. With `reverse` it begins with the last frame.
    """

    rows_are_independent = True

    def __init__(self, n_features, units, cell, decoder_input, reverse, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.n_features, self.units, self.cell = n_features, units, cell
        self.decoder_input, self.reverse = decoder_input, reverse
        self.bridge = dense(units * N_STATES[cell], "bridge", "tanh")
        self.recurrence = Recurrent(units, cell, name="recurrence")
        self.readout = dense(n_features, "readout")

    def build(self, code_shape, lengths_shape, frames_shape, change_scale_shape=None):
        self.bridge.build(code_shape)
        width = code_shape[-1] if self.decoder_input == "code" else self.n_features
        self.recurrence.build((None, None, width))
        self.readout.build((None, None, self.units))

    def call(self, code, lengths, frames, change_scale=None, training=False):
        n_frames = tf.shape(frames)[1]
        return self.decode(code, lengths, n_frames, change_scale, training)

    def compute_output_shape(
        self, code_shape, lengths_shape, frames_shape, change_scale_shape=None
    ):
        return frames_shape

    def decode(self, code, lengths, n_frames, change_scale=None, training=False):
        """Frames of these lengths, and zeros up to `n_frames`.

        With a scale, what is unfolded are changes, and the frames are their sums.
        """
        state = tf.split(self.bridge(code), N_STATES[self.cell], axis=-1)
        states = DECODER_INPUTS[self.decoder_input](
            self, code, lengths, state, n_frames, training
        )
        outputs = self.readout(states)
        if self.reverse:
            outputs = reversed_sequences(outputs, lengths)
        if change_scale is not None:
            outputs = tf.cumsum(outputs * change_scale[:, tf.newaxis], axis=1)
        return zero_padding(outputs, lengths)


def with_code(decoder, code, lengths, state, n_frames, training):
    """The states of a recurrence that sees the code at every step."""
    return decoder.recurrence.repeat(code, lengths, n_frames, state, training)


def with_output(decoder, code, lengths, state, n_frames, training):
    """The states of a recurrence that sees its own last output at every step.

    The output is linear in the state, so an LSTM that is fed it back is one that sees
    nothing, with other weights, which is run the same way.
    """
    cell, readout = decoder.recurrence.recurrence.cell, decoder.readout
    if decoder.cell == "lstm" and (not on_gpu() or portable.are_in_use()):
        recurrent_kernel, bias = _fed_back(readout, cell, training)
        return autonomous_lstm(
            recurrent_kernel, bias, state, lengths, n_frames, training
        )
    outputs = tf.TensorArray(tf.float32, n_frames)

    def advance(t, state, outputs):
        state = decoder.recurrence.step(readout(state[0]), state, training)
        return t + 1, list(state), outputs.write(t, state[0])

    _, _, outputs = tf.while_loop(
        lambda t, *_: t < n_frames,
        advance,
        (0, state, outputs),
        maximum_iterations=n_frames,
    )
    states = tf.transpose(outputs.stack(), (1, 0, 2))
    return tf.ensure_shape(states, (None, None, decoder.units))


def _fed_back(readout, cell, training):
    """The weights and bias of an LSTM that sees what it gives, without inputs."""
    fed, offset = (
        product(inputs, cell.kernel.value, training)
        for inputs in (readout.kernel.value, tf.expand_dims(readout.bias.value, 0))
    )
    return cell.recurrent_kernel.value + fed, cell.bias.value + tf.squeeze(offset, 0)


DECODER_INPUTS = {"output": with_output, "code": with_code}


def encode(model, frames, lengths):
    """The codes of a batch."""
    frames = tf.ensure_shape(frames, model.inputs[0].shape)  # a program tells no width
    return [model.get_layer("encoder")([frames, lengths], training=False)]


def decode(model, codes, lengths, *change_scale):
    """Unfold codes into frames of these lengths."""
    decoder = model.get_layer("decoder")
    codes = tf.ensure_shape(codes, model.outputs[1].shape)
    return [decoder.decode(codes, lengths, tf.reduce_max(lengths), *change_scale)]
