"""The compiled recurrences, as TensorFlow's operations, against plain loops."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from skseq import _native
from skseq._nn import compiled
from skseq._nn.layers import Recurrent
from tests.processes import run_python

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(not compiled.is_available(), reason=compiled.status()),
]

NAMES = (
    *("frames", "constants", "kernel", "constants_kernel"),
    *("recurrent_kernel", "bias", "output", "memory"),
)
CELLS = "lstm", "gru"

# Samples, frames, features, constants and units: odd ones, one, and more than a vector.
SIZES = [
    (3, 5, 2, 0, 4),
    (7, 9, 3, 2, 5),
    (5, 6, 0, 3, 8),
    (70, 4, 13, 0, 16),
    (2, 3, 1, 1, 1),
    (33, 3, 8, 4, 37),
]


def drawn(n_samples, n_frames, n_features, n_constants, units, cell="lstm", seed=0):
    """Tensors by name, lengths from 0 up, and what weighs the outputs."""
    rng = np.random.default_rng(seed)
    width = (4 if cell == "lstm" else 3) * units
    shapes = [
        *((n_samples, n_frames, n_features), (n_samples, n_constants)),
        *((n_features, width), (n_constants, width), (units, width)),
        *((width,) if cell == "lstm" else (2, width), (n_samples, units)),
    ]
    if cell == "lstm":
        shapes.append((n_samples, units))
    values = [rng.normal(scale=0.5, size=s).astype("float32") for s in shapes]
    lengths = rng.integers(0, n_frames + 1, n_samples).astype("int32")
    upstream = rng.normal(size=(n_samples, n_frames, units)).astype("float32")
    return dict(zip(NAMES, values, strict=False)), lengths, upstream


def run(tensors, lengths, **options):
    cell = "lstm" if "memory" in tensors else "gru"
    values = [tensors[name] for name in NAMES if name in tensors]
    parts = values[:2], lengths, values[2:6], values[6:]
    return compiled.run_cell(cell, *parts, **options)


def gradients(tensors, lengths, upstream, **options):
    tensors = {name: tf.constant(value) for name, value in tensors.items()}
    with tf.GradientTape() as tape:
        tape.watch(list(tensors.values()))
        total = tf.reduce_sum(run(tensors, lengths, **options) * upstream)
    return tape.gradient(total, list(tensors.values()))


def places(length, backward):
    return range(length)[:: -1 if backward else 1]


def lstm_step(inputs, state, recurrent_kernel, bias):
    """One frame of one sequence (Hochreiter & Schmidhuber 1997)."""
    i, f, g, o = np.split(inputs + state[0] @ recurrent_kernel + bias, 4)
    memory = expit(f) * state[1] + expit(i) * np.tanh(g)
    return expit(o) * np.tanh(memory), memory


def gru_step(inputs, state, recurrent_kernel, biases):
    """One frame of one sequence (Cho et al. 2014, the reset after the product)."""
    z, r, c = np.split(inputs + biases[0], 3)
    own_z, own_r, recall = np.split(state[0] @ recurrent_kernel + biases[1], 3)
    update = expit(z + own_z)
    candidate = np.tanh(c + expit(r + own_r) * recall)
    return (update * state[0] + (1 - update) * candidate,)


def formula(tensors, lengths, backward):
    """Outputs in double precision."""
    frames, constants, kernel, constants_kernel, *weights = (
        value.astype("float64") for value in tensors.values()
    )
    step = lstm_step if "memory" in tensors else gru_step
    weights, states = weights[:2], weights[2:]
    outputs = np.zeros((*frames.shape[:2], len(weights[0])))
    for r, length in enumerate(lengths):
        state = tuple(part[r] for part in states)
        for t in places(length, backward):
            inputs = frames[r, t] @ kernel + constants[r] @ constants_kernel
            state = step(inputs, state, *weights)
            outputs[r, t] = state[0]
    return outputs


def differentiated(tensors, lengths, upstream, backward):
    """Gradients of Keras's own cells, frame by frame in double precision."""
    variables = [tf.Variable(value.astype("float64")) for value in tensors.values()]
    frames, constants, kernel, constants_kernel, recurrent_kernel, bias = variables[:6]
    kind = keras.layers.LSTMCell if "memory" in tensors else keras.layers.GRUCell
    cell = kind(recurrent_kernel.shape[0], dtype="float64")
    with tf.GradientTape() as tape:
        tape.watch(variables)
        weights = tf.concat([kernel, constants_kernel], axis=0), recurrent_kernel, bias
        total = tf.zeros((), tf.float64)
        for r, length in enumerate(lengths):
            state = [part[r : r + 1] for part in variables[6:]]
            for t in places(length, backward):
                own = tf.concat([frames[r, t], constants[r]], axis=0)[tf.newaxis]
                output, state = stateless(cell, weights, own, state)
                total += tf.reduce_sum(output * upstream[r, t])
    found = tape.gradient(total, variables, unconnected_gradients="zero")
    return [tf.convert_to_tensor(gradient).numpy() for gradient in found]


def stateless(cell, weights, inputs, state):
    """One step of a Keras cell with tensors in place of its weights."""
    if not cell.built:
        cell.build(inputs.shape)
    others = [variable.value for variable in cell.non_trainable_variables]
    return cell.stateless_call(weights, others, inputs, state)[0]


def assert_near(found, expected, tolerance=1e-6):
    """Equal relative to the largest number."""
    assert found.shape == expected.shape
    scale = np.abs(expected).max(initial=0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("sizes", SIZES)
def test_outputs_are_the_formula_and_zero_past_each_length(sizes, backward, cell):
    tensors, lengths, _ = drawn(*sizes, cell)
    assert min(lengths) < sizes[1]
    found = run(tensors, lengths, backward=backward)
    assert_near(found, formula(tensors, lengths, backward))
    is_padding = ~np.asarray(tf.sequence_mask(lengths, sizes[1]))
    assert not found.numpy()[is_padding].any()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(
    "sizes", [*SIZES[:2], SIZES[4], pytest.param(SIZES[5], marks=pytest.mark.slow)]
)
def test_gradients_are_those_of_a_loop_in_double_precision(sizes, backward, cell):
    tensors, lengths, upstream = drawn(*sizes, cell)
    found = gradients(tensors, lengths, upstream, backward=backward, training=True)
    expected = differentiated(tensors, lengths, upstream, backward)
    for ours, theirs in zip(found, expected, strict=True):
        assert_near(ours, theirs, 3e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_long_sequences_agree_with_the_plain_path(cell, monkeypatch):
    layer = Recurrent(24, cell, backward=True)
    layer.build((None, None, 6))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(scale=0.3, size=w.shape) for w in layer.weights])
    frames = tf.constant(rng.normal(size=(24, 150, 6)), tf.float32)
    lengths = tf.constant(rng.integers(0, 151, 24), tf.int32)
    upstream = rng.normal(size=(24, 150, 24)).astype("float32")
    found = []
    for is_compiled in (True, False):
        monkeypatch.setattr(compiled, "is_in_use", lambda is_it=is_compiled: is_it)
        with tf.GradientTape() as tape:
            tape.watch(frames)
            outputs = layer(frames, lengths, training=True)
            total = tf.reduce_sum(outputs * upstream)
        sources = [frames, *[w.value for w in layer.weights]]
        found.append([outputs, *tape.gradient(total, sources)])
    for ours, plain in zip(*found, strict=True):
        assert_near(ours, plain.numpy(), 2e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_a_row_is_the_same_to_the_bit_alone_and_in_any_batch_under_any_padding(cell):
    tensors, lengths, _ = drawn(70, 6, 5, 3, 19, cell, seed=2)
    rows = {"frames", "constants", "output", "memory"} & set(tensors)
    together = run(tensors, lengths).numpy()
    for chosen in ([0], [3, 1], range(5), range(1, 68)):
        chosen = list(chosen)
        some = tensors | {name: tensors[name][chosen] for name in rows}
        for n_more in (0, 9):
            padding = ((0, 0), (0, n_more), (0, 0))
            some["frames"] = np.pad(tensors["frames"][chosen], padding)
            found = run(some, lengths[chosen])[:, :6]
            np.testing.assert_array_equal(found, together[chosen])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("n_threads", [1, 2, 3, 100])
def test_outputs_do_not_depend_on_the_number_of_threads(cell, n_threads, monkeypatch):
    tensors, lengths, upstream = drawn(41, 70, 30, 2, 37, cell)  # enough for eight
    expected = run(tensors, lengths), *gradients(tensors, lengths, upstream)
    monkeypatch.setattr(compiled, "n_intra_op_threads", lambda: n_threads)
    np.testing.assert_array_equal(run(tensors, lengths), expected[0])
    found = gradients(tensors, lengths, upstream)
    for ours, others in zip(found, expected[1:], strict=True):
        assert_near(ours, others.numpy(), 3e-6)
    again = gradients(tensors, lengths, upstream)
    for ours, same in zip(found, again, strict=True):
        np.testing.assert_array_equal(ours, same)


@pytest.mark.parametrize(
    ("n_beside", "n_at_once", "n_threads"), [(1, 4, 4), (2, 4, 2), (2, 1, 4), (9, 4, 1)]
)
def test_threads_are_shared_among_recurrences_that_run_at_the_same_time(
    n_beside, n_at_once, n_threads, monkeypatch
):
    monkeypatch.setattr(compiled, "n_intra_op_threads", lambda: 4)
    monkeypatch.setattr(compiled, "n_inter_op_threads", lambda: n_at_once)
    tensors, lengths, _ = drawn(3, 5, 2, 1, 4)
    with tf.Graph().as_default() as graph:
        run(tensors, lengths, n_beside=n_beside)
    (operation,) = [op for op in graph.get_operations() if op.type == "SkseqLstm"]
    assert operation.get_attr("n_threads") == n_threads


@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_is_the_same_to_the_bit_each_time_and_if_nothing_was_kept(cell):
    case = drawn(50, 12, 4, 1, 21, cell)
    expected = gradients(*case, training=True)
    for training in (True, False):
        for found, same in zip(
            gradients(*case, training=training), expected, strict=True
        ):
            np.testing.assert_array_equal(found, same)


@pytest.mark.parametrize("cell", CELLS)
def test_frames_that_nothing_is_learnt_from_change_no_other_gradient(cell):
    tensors, lengths, upstream = drawn(9, 7, 3, 2, 5, cell)
    expected = gradients(tensors, lengths, upstream)[1:]
    sources = {name: tf.constant(tensors[name]) for name in list(tensors)[1:]}
    with tf.GradientTape() as tape:
        tape.watch(list(sources.values()))
        total = tf.reduce_sum(run(tensors | sources, lengths) * upstream)
    found = tape.gradient(total, list(sources.values()))
    for ours, same in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, same)


@pytest.mark.parametrize("cell", CELLS)
def test_nothing_past_a_length_matters_not_even_what_is_no_number(cell):
    tensors, lengths, upstream = drawn(9, 7, 3, 0, 5, cell)
    expected = [run(tensors, lengths), *gradients(tensors, lengths, upstream)]
    is_padding = ~np.asarray(tf.sequence_mask(lengths, 7))
    tensors["frames"][is_padding] = np.nan
    upstream[is_padding] = np.nan
    found = [run(tensors, lengths), *gradients(tensors, lengths, 1 * upstream)]
    assert not found[1].numpy()[is_padding].any()
    for ours, same in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, same)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_in_one_row_reaches_no_other(cell, value):
    tensors, lengths, _ = drawn(9, 7, 3, 0, 5, cell)
    lengths[4] = 7
    expected = np.delete(run(tensors, lengths), 4, axis=0)
    tensors["frames"][4, 3, 1] = value
    found = run(tensors, lengths).numpy()
    np.testing.assert_array_equal(np.delete(found, 4, axis=0), expected)
    if np.isnan(value):
        assert np.isnan(found[4, 3:]).all()


@pytest.mark.parametrize("cell", CELLS)
def test_large_gates_saturate(cell):
    tensors, lengths, upstream = drawn(4, 6, 3, 0, 5, cell)
    tensors["frames"] *= 1e4
    found = run(tensors, lengths)
    assert_near(found, formula(tensors, lengths, False))
    for gradient in gradients(tensors, lengths, upstream):
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("sizes", [(0, 4, 2, 1, 3), (3, 0, 2, 1, 3), (2, 2, 0, 0, 3)])
def test_no_samples_no_frames_and_no_features_are_taken(cell, sizes):
    tensors, lengths, upstream = drawn(*sizes, cell)
    found = run(tensors, lengths)
    assert_near(found, formula(tensors, lengths, False))
    for gradient, name in zip(
        gradients(tensors, lengths, upstream), tensors, strict=True
    ):
        assert gradient.shape == tensors[name].shape
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize(
    ("name", "index", "message"),
    [
        ("frames", np.s_[0], "frames must have 3 axes"),
        ("constants", np.s_[:2], r"constants must have shape \(3, 1, \)"),
        ("kernel", np.s_[:, :-1], r"kernel must have shape \(2, 16, \)"),
        ("bias", np.s_[1:], r"bias must have shape \(16, \)"),
        ("memory", np.s_[:, 1:], r"memory must have shape \(3, 4, \)"),
        ("recurrent_kernel", np.s_[:, 1:], r"recurrent_kernel must have shape"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_in_words(name, index, message):
    tensors, lengths, _ = drawn(3, 5, 2, 1, 4)
    tensors[name] = tensors[name][index]
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        run(tensors, lengths)


@pytest.mark.parametrize("length", [-1, 6])
def test_lengths_beyond_the_frames_are_refused_in_words(length):
    tensors, lengths, _ = drawn(3, 5, 2, 1, 4)
    lengths[1] = length
    message = rf"lengths must be from 0 to 5. lengths\[1\] is {length}"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        run(tensors, lengths)


@pytest.mark.parametrize(
    ("n_samples", "n_frames", "units"),
    [(1, 2**30, 1), (2**20, 2**20, 4), (1, 1, 2**15)],
)
def test_too_many_numbers_are_refused_before_any_is_computed(
    n_samples, n_frames, units
):
    shapes = (n_samples, n_frames, 0), (n_samples, 0), (0, 4 * units), (0, 4 * units)
    tensors = dict(zip(NAMES, (tf.zeros(shape) for shape in shapes), strict=False))
    tensors |= {"bias": tf.zeros(4 * units)}
    if units < 100:
        tensors["recurrent_kernel"] = tf.zeros((units, 4 * units))
    else:  # without memory of its own
        tensors["recurrent_kernel"] = tf.zeros((units, 0))
    for name in ("output", "memory"):
        tensors[name] = tf.zeros((n_samples, units))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"fewer than 2\*\*31"):
        run(tensors, np.zeros(n_samples, "int32"))


def test_shapes_are_known_before_the_operation_runs():
    tensors, _, _ = drawn(3, 5, 2, 1, 4)

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, None, 2)),
            tf.TensorSpec((None, 1)),
            tf.TensorSpec((None,), "int32"),
            tf.TensorSpec((None, 4)),
        ],
        autograph=False,
    )
    def traced(frames, constants, lengths, state):
        own = {"frames": frames, "constants": constants}
        own |= {"output": state, "memory": state}
        with tf.GradientTape() as tape:
            tape.watch(list(own.values()))
            outputs = run(tensors | own, lengths, training=True)
            assert outputs.shape.as_list() == [None, None, 4]
        for tensor, gradient in zip(
            [frames, constants],
            tape.gradient(outputs, [frames, constants]),
            strict=True,
        ):
            assert gradient.shape.as_list() == tensor.shape.as_list()
        return outputs

    names = "frames", "constants"
    for n_samples, n_frames in [(1, 1), (4, 6)]:
        other, lengths, _ = drawn(n_samples, n_frames, 2, 1, 4)
        state = np.zeros((n_samples, 4), "float32")
        found = traced(*(other[name] for name in names), lengths, state)
        own = {name: other[name] for name in names} | {"output": state, "memory": state}
        np.testing.assert_array_equal(found, run(tensors | own, lengths))


PRINTED = """
import numpy as np
from tests.nn.test_compiled import compiled, drawn, formula, run
tensors, lengths, _ = drawn(33, 7, 8, 4, 37)
error = np.abs(run(tensors, lengths) - formula(tensors, lengths, False)).max()
print(compiled.instructions(), error < 1e-6)
"""


@pytest.mark.slow
def test_the_instruction_set_can_be_chosen():
    said = run_python(PRINTED, SKSEQ_INSTRUCTIONS="plain")
    assert said.splitlines()[-1] == "plain True"


def test_a_library_that_tensorflow_refuses_is_not_used(tmp_path, monkeypatch):
    path = tmp_path / "librecurrences.so"
    path.write_bytes(b"no library")
    monkeypatch.setattr(_native, "recurrences", lambda: path)
    monkeypatch.setenv("SKSEQ_NATIVE", "")
    for cached in ("_load", "instructions"):  # as in a process that starts
        monkeypatch.setattr(compiled, cached, getattr(compiled, cached).__wrapped__)
    assert not compiled.is_available()
    assert compiled.status().startswith("not usable: ")
    assert compiled.instructions() == "not compiled"
