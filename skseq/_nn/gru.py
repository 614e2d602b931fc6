"""A GRU over whole sequences on a CPU, with its own gradient.

Takes the weights of a Keras cell whose reset gate comes after the product; its gates
are update, reset and candidate in this order. Knows nothing of lengths: what lies past
a sequence's end is run too.
"""

from typing import Any, NamedTuple

import tensorflow as tf

from skseq._nn.frame_arrays import frame_array


def run_gru(frames, kernel, recurrent_kernel, bias, state):
    """The outputs, (n_samples, n_frames, n_units), from a state: the output before.

    A loop over the frames, that leaves to it only what must wait for its turn: what
    frames add to the gates is one product for all of them.
    """
    inputs = tf.tensordot(tf.transpose(frames, (1, 0, 2)), kernel, 1) + bias[0]
    outputs = _loop(inputs, recurrent_kernel, bias[1], *state)
    return tf.transpose(outputs, (1, 0, 2))


@tf.custom_gradient
def _loop(inputs, recurrent_kernel, inner_bias, first_output):
    """Outputs, (n_frames, n_samples, n_units), of gates.

    The gradient of the recurrent kernel, too, is one product for all frames.
    """
    trace = _forward(inputs, recurrent_kernel, inner_bias, first_output)
    outputs = tf.ensure_shape(
        trace.outputs.stack(), (None, None, recurrent_kernel.shape[0])
    )

    def gradients(upstream):
        d_inner, d_candidates, d_output = _backward(upstream, recurrent_kernel, trace)
        n_gates = 2 * recurrent_kernel.shape[0]
        return (
            tf.concat([d_inner[..., :n_gates], d_candidates], axis=-1),
            tf.tensordot(outputs[:-1], d_inner, ((0, 1), (0, 1))),
            tf.reduce_sum(d_inner, axis=(0, 1)),
            d_output,
        )

    return outputs[1:], gradients


class _Trace(NamedTuple):
    """What the gradient needs of the frames gone through: arrays by frame."""

    outputs: Any  # one more than frames: the first is that before all
    gates: Any
    recalled: Any
    candidates: Any


def _forward(inputs, recurrent_kernel, inner_bias, output) -> _Trace:
    units, n_frames = recurrent_kernel.shape[0], tf.shape(inputs)[0]
    inputs = frame_array(n_frames, 3 * units).unstack(inputs)

    def advance(t, output, outputs, gates, recalled, candidates):
        frame = inputs.read(t)
        inner = tf.nn.bias_add(tf.matmul(output, recurrent_kernel), inner_bias)
        gate = tf.sigmoid(frame[:, : 2 * units] + inner[:, : 2 * units])
        update, reset = tf.split(gate, 2, axis=1)
        recall = inner[:, 2 * units :]
        candidate = tf.tanh(frame[:, 2 * units :] + reset * recall)
        output = candidate + update * (output - candidate)
        return (
            t + 1,
            output,
            outputs.write(t + 1, output),
            gates.write(t, gate),
            recalled.write(t, recall),
            candidates.write(t, candidate),
        )

    outputs = frame_array(n_frames + 1, units).write(0, output)
    arrays = [frame_array(n_frames, n) for n in (2 * units, units, units)]
    _, _, *arrays = tf.while_loop(
        lambda t, *_: t < n_frames,
        advance,
        (0, output, outputs, *arrays),
        maximum_iterations=n_frames,
    )
    return _Trace(*arrays)


def _backward(upstream, recurrent_kernel, trace) -> tuple:
    """Gradients of the inner sums and candidates of all frames, and of the state."""
    units, n_frames = recurrent_kernel.shape[0], tf.shape(upstream)[0]
    nothing = tf.zeros((tf.shape(upstream)[1], units))
    upstream = frame_array(n_frames, units).unstack(upstream)
    back_kernel = tf.transpose(recurrent_kernel)

    def retreat(t, d_output, d_inner, d_candidates):
        d_output += upstream.read(t)
        gate, candidate = trace.gates.read(t), trace.candidates.read(t)
        update, reset = tf.split(gate, 2, axis=1)
        d_candidate = d_output * (1 - update)
        d_candidate = tf.raw_ops.TanhGrad(y=candidate, dy=d_candidate)
        d_update = d_output * (trace.outputs.read(t) - candidate)
        d_reset = d_candidate * trace.recalled.read(t)
        d_gate = tf.concat([d_update, d_reset], axis=1)
        d_gate = tf.raw_ops.SigmoidGrad(y=gate, dy=d_gate)
        d_own = tf.concat([d_gate, d_candidate * reset], axis=1)
        return (
            t - 1,
            d_output * update + tf.matmul(d_own, back_kernel),
            d_inner.write(t, d_own),
            d_candidates.write(t, d_candidate),
        )

    arrays = [frame_array(n_frames, n) for n in (3 * units, units)]
    _, d_output, d_inner, d_candidates = tf.while_loop(
        lambda t, *_: t >= 0,
        retreat,
        (n_frames - 1, nothing, *arrays),
        maximum_iterations=n_frames,
    )
    return d_inner.stack(), d_candidates.stack(), d_output
