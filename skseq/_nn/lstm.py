"""An LSTM over whole sequences on a CPU: two ways, one result, the faster one by size.

Takes the weights of a Keras cell, whose gates are input, forget, cell and output in
this order. Knows nothing of lengths: what lies past a sequence's end is run too.
"""

from typing import Any, NamedTuple

import tensorflow as tf

from skseq._nn.frame_arrays import frame_array

# Measured: one kernel for the whole sequence wins up to about as many features and
# units together. Above that the time goes into matrix products, and the loop's are
# larger.
BLOCK_KERNEL_MAX_WIDTH = 128


def run_lstm(frames, kernel, recurrent_kernel, bias, state):
    """The outputs, (n_samples, n_frames, n_units), from a state: output and memory."""
    n_features, units = kernel.shape[0], recurrent_kernel.shape[0]
    # With odd units the kernel is slow for odd batches, and says so on the console.
    fits = n_features + units <= BLOCK_KERNEL_MAX_WIDTH and units % 2 == 0
    run = block_lstm if fits else looped_lstm
    return run(frames, kernel, recurrent_kernel, bias, state)


def block_lstm(frames, kernel, recurrent_kernel, bias, state):
    """All in one kernel.

    Version 1 of the kernel on purpose: version 2 has a wrong gradient on the CPU.
    """
    if kernel.shape[0] % 2:  # the kernel complains on the console of odd widths
        frames = tf.pad(frames, ((0, 0), (0, 0), (0, 1)))
        kernel = tf.pad(kernel, ((0, 1), (0, 0)))
    no_peephole = tf.zeros(state[0].shape[-1])
    states = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.cast(tf.shape(frames)[1], tf.int64),
        x=tf.transpose(frames, (1, 0, 2)),
        cs_prev=state[1],
        h_prev=state[0],
        w=_kernel_order(tf.concat([kernel, recurrent_kernel], axis=0)),
        b=_kernel_order(bias),
        wci=no_peephole,
        wcf=no_peephole,
        wco=no_peephole,
        forget_bias=0.0,
        cell_clip=0.0,
        use_peephole=False,
    )
    return tf.transpose(states.h, (1, 0, 2))


def _kernel_order(weights):
    """The kernels have the gates as input, cell, forget, output; its own inverse."""
    i, f, c, o = tf.split(weights, 4, axis=-1)
    return tf.concat([i, c, f, o], axis=-1)


def looped_lstm(frames, kernel, recurrent_kernel, bias, state):
    """A loop over the frames that leaves to it only what must wait for its turn.

    What frames add to the gates is one product for all of them.
    """
    kernel, recurrent_kernel, bias = map(
        _kernel_order, (kernel, recurrent_kernel, bias)
    )
    inputs = tf.tensordot(tf.transpose(frames, (1, 0, 2)), kernel, 1) + bias
    outputs = _loop(inputs, recurrent_kernel, *state)
    return tf.transpose(outputs, (1, 0, 2))


@tf.custom_gradient
def _loop(inputs, recurrent_kernel, first_output, first_memory):
    """Outputs, (n_frames, n_samples, n_units), of gates in the kernels' order.

    The gradient of the recurrent kernel, too, is one product for all frames.
    """
    trace = _forward(inputs, recurrent_kernel, first_output, first_memory)

    def gradients(upstream):
        back = _backward(upstream, recurrent_kernel, trace)
        before = tf.concat([first_output[tf.newaxis], trace.outputs[:-1]], axis=0)
        d_kernel = tf.tensordot(before, back.gates, ((0, 1), (0, 1)))
        return back.gates, d_kernel, back.output, back.memory

    return trace.outputs, gradients


class _Trace(NamedTuple):
    """What the gradient needs of the frames gone through; arrays by frame."""

    outputs: Any  # tensor (n_frames, n_samples, n_units)
    memories: Any  # one more than frames: the first is that before all
    gates: Any
    candidates: Any
    last_memory: Any  # tensor (n_samples, n_units)


class _Back(NamedTuple):
    """Gradients of the gates of all frames, and of the state before the first."""

    gates: Any
    output: Any
    memory: Any


def _forward(inputs, recurrent_kernel, output, memory) -> _Trace:
    units, n_frames = recurrent_kernel.shape[0], tf.shape(inputs)[0]
    inputs = frame_array(n_frames, 4 * units).unstack(inputs)

    def advance(t, output, memory, outputs, memories, gates, candidates):
        summed = inputs.read(t) + tf.matmul(output, recurrent_kernel)
        gate = tf.sigmoid(summed)  # of the candidate's quarter too, which is not used
        candidate = tf.tanh(summed[:, units : 2 * units])
        i, _, f, o = tf.split(gate, 4, axis=1)
        memory = f * memory + i * candidate
        output = o * tf.tanh(memory)
        return (
            t + 1,
            output,
            memory,
            outputs.write(t, output),
            memories.write(t + 1, memory),
            gates.write(t, gate),
            candidates.write(t, candidate),
        )

    memories = frame_array(n_frames + 1, units).write(0, memory)
    arrays = [frame_array(n_frames, n) for n in (units, 4 * units, units)]
    _, _, last_memory, outputs, memories, gates, candidates = tf.while_loop(
        lambda t, *_: t < n_frames,
        advance,
        (0, output, memory, arrays[0], memories, *arrays[1:]),
        maximum_iterations=n_frames,
    )
    outputs = tf.ensure_shape(outputs.stack(), (None, None, units))
    return _Trace(outputs, memories, gates, candidates, last_memory)


def _backward(upstream, recurrent_kernel, trace) -> _Back:
    units = recurrent_kernel.shape[0]
    n_frames, n_samples = tf.shape(upstream)[0], tf.shape(upstream)[1]
    upstream = frame_array(n_frames, units).unstack(upstream)
    back_kernel = tf.transpose(recurrent_kernel)
    nothing, no_inputs = tf.zeros((n_samples, units)), tf.zeros((n_samples, 0))

    def retreat(t, d_output, d_memory, memory, d_gates):
        before = trace.memories.read(t)
        gate, candidate = trace.gates.read(t), trace.candidates.read(t)
        d_output = d_output + upstream.read(t)
        d_gate, d_memory = _cell_gradients(
            (no_inputs, recurrent_kernel),
            (gate, candidate),
            (before, memory),
            (d_output, d_memory),
        )
        d_output = tf.matmul(d_gate, back_kernel)
        return t - 1, d_output, d_memory, before, d_gates.write(t, d_gate)

    d_gates = frame_array(n_frames, 4 * units)
    _, d_output, d_memory, _, d_gates = tf.while_loop(
        lambda t, *_: t >= 0,
        retreat,
        (n_frames - 1, nothing, nothing, trace.last_memory, d_gates),
        maximum_iterations=n_frames,
    )
    return _Back(d_gates.stack(), d_output, d_memory)


def _cell_gradients(constants, gates, memories, upstream):
    """Gradients of one frame's gates and of the memory before it, by one kernel."""
    (no_inputs, kernel), (gate, candidate) = constants, gates
    (before, memory), (d_output, d_memory) = memories, upstream
    i, _, f, o = tf.split(gate, 4, axis=1)
    no_peephole = tf.zeros(kernel.shape[0])
    gradients = tf.raw_ops.LSTMBlockCellGrad(
        x=no_inputs,
        cs_prev=before,
        h_prev=before,  # like w and b, for its shape alone
        w=kernel,
        wci=no_peephole,
        wcf=no_peephole,
        wco=no_peephole,
        b=kernel[0],
        i=i,
        cs=memory,
        f=f,
        o=o,
        ci=candidate,
        co=tf.tanh(memory),
        cs_grad=d_memory,
        h_grad=d_output,
        use_peephole=False,
    )
    return gradients.dicfo, gradients.cs_prev_grad
