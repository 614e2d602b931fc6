"""A GRU over whole sequences on a CPU, with its own gradient.

Takes the weights of a Keras cell whose reset gate comes after the product; its gates
are update, reset and candidate in this order. Knows nothing of lengths: what lies past
a sequence's end is run too.
"""

import tensorflow as tf


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
    units, n_frames = recurrent_kernel.shape[0], tf.shape(inputs)[0]
    inputs = _array(n_frames, 3 * units).unstack(inputs)

    def go_on(t, output, outputs, gates, recalled, candidates):
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

    outputs = _array(n_frames + 1, units).write(0, first_output)
    arrays = [_array(n_frames, n) for n in (2 * units, units, units)]
    _, _, outputs, gates, recalled, candidates = tf.while_loop(
        lambda t, *_: t < n_frames,
        go_on,
        (0, first_output, outputs, *arrays),
        maximum_iterations=n_frames,
    )
    all_outputs = tf.ensure_shape(outputs.stack(), (None, None, units))

    def gradients(upstream):
        upstream = _array(n_frames, units).unstack(upstream)
        back_kernel = tf.transpose(recurrent_kernel)

        def go_back(t, d_output, d_inner, d_candidates):
            d_output += upstream.read(t)
            gate, candidate = gates.read(t), candidates.read(t)
            update, reset = tf.split(gate, 2, axis=1)
            d_candidate = d_output * (1 - update)
            d_candidate = tf.raw_ops.TanhGrad(y=candidate, dy=d_candidate)
            d_update = d_output * (outputs.read(t) - candidate)
            d_reset = d_candidate * recalled.read(t)
            d_gate = tf.concat([d_update, d_reset], axis=1)
            d_gate = tf.raw_ops.SigmoidGrad(y=gate, dy=d_gate)
            d_own = tf.concat([d_gate, d_candidate * reset], axis=1)
            d_output = d_output * update + tf.matmul(d_own, back_kernel)
            return (
                t - 1,
                d_output,
                d_inner.write(t, d_own),
                d_candidates.write(t, d_candidate),
            )

        arrays = [_array(n_frames, n) for n in (3 * units, units)]
        _, d_first_output, d_inner, d_candidates = tf.while_loop(
            lambda t, *_: t >= 0,
            go_back,
            (n_frames - 1, tf.zeros_like(first_output), *arrays),
            maximum_iterations=n_frames,
        )
        d_inner, d_candidates = d_inner.stack(), d_candidates.stack()
        return (
            tf.concat([d_inner[..., : 2 * units], d_candidates], axis=-1),
            tf.tensordot(all_outputs[:-1], d_inner, ((0, 1), (0, 1))),
            tf.reduce_sum(d_inner, axis=(0, 1)),
            d_first_output,
        )

    return all_outputs[1:], gradients


def _array(n_frames, width):
    return tf.TensorArray(tf.float32, n_frames, element_shape=(None, width))
