"""Tells whether padding, or another sequence, can reach what a front end makes.

Where padding can, or another sequence in training, sequences must be batched by exact
length, with no padding at all; where another sequence can reach a prediction, the front
end is refused. The layers are a user's own and may do anything, so they are tried out:

- Zeros after a sequence, as in a real batch, must change none of its outputs, under
  random weights of several scales and signs.
- A sequence must give the same alone and beside others, and NaN in another sequence
  must not pass to it: NaN passes through any weights, and random layers do not disturb
  it. Where that fails in inference no batching helps, and it is an error; where it
  fails in training alone, the layers take statistics over the batch.
- NaN in padding must not reach outputs in training alone.
- Outputs must be finite on padding too, and so must gradients, also under the weights
  that training starts from: their biases are zero, so that padded frames may be.
- Weights that a run in training changes must come out the same with padding.

Padding is tried shorter than an output's stride, and longer than that of any batch: the
longest sequence of the data bounds it. Longer data are tried when they come.
Frames are tried of which the layers make finite values: a square root or a logarithm
takes some only. Where none are found nothing can be told, and lengths must be exact.
"""

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from skseq._nn.front_ends import LAYER
from skseq._nn.probes import FAR, Probe, few_enough, padded, weights_kept
from skseq._seeding import generator
from skseq._warnings import warn
from skseq._wording import counted

# Standard deviations of random weights: large ones saturate gates, small ones do not.
_SCALES = (0.1, 0.5, 2.0)

# What gives no answer: some values only are taken, such as ids, or memory is short.
_NO_ANSWER = tf.errors.InvalidArgumentError, tf.errors.ResourceExhaustedError

# Attributes of a probed front end: whether it mixes a batch in training, and which of
# its layers learn statistics that padding changes.
_MIXES, _LEARNING = "mixes_in_training", "layers_that_learn_padding"


class PaddingSight:
    """Whether padding reaches a network's outputs, tried as far as data are long."""

    def __init__(self, model: keras.Model):
        self.model = model
        self._has_own = own_front_end(model) is not None
        self._training, self._prediction = _Known(0), _Known(FAR)

    def in_training(self, *subsets) -> bool:
        """Whether batches must hold sequences of one length only; warns of the cause.

        The subsets, of which some may be None, have `lengths`.
        """
        longest = max(s.lengths.max(initial=1) for s in subsets if s is not None)
        answer = self._training.until(longest, lambda n: sees_padding(self.model, n))
        warn_of_layers(self.model)
        return answer

    def in_prediction(self, lengths) -> bool:
        """Whether these are so much longer that padding matters now."""
        if not self._has_own or np.ptp(lengths) == 0:
            return False
        longest = max(lengths)
        if longest <= self._training.longest:
            return self._training.answer
        return self._prediction.until(
            longest, lambda n: sees_long_padding(self.model, n)
        )


class _Known:
    """An answer for data up to some length; once it is yes, for longer ones, too."""

    def __init__(self, longest):
        self.longest, self.answer = longest, False

    def until(self, longest, ask) -> bool:
        if longest > self.longest and not self.answer:
            self.answer = ask(int(longest))
            self.longest = longest + longest // 4  # so far padding was tried
        return self.answer


def own_front_end(model) -> keras.Model | None:
    """The user's front end in a network, if there is one."""
    return next((layer for layer in model.layers if layer.name == LAYER), None)


def warn_of_layers(model) -> None:
    """Warn where a probed front end holds what is better left out."""
    front_end = own_front_end(model)
    layers = [] if front_end is None else list(_layers_of(front_end))
    mixes = getattr(front_end, _MIXES, False)
    learning = getattr(front_end, _LEARNING, ())
    found = _in_brackets(learning) or _names(layers, keras.layers.BatchNormalization)
    if mixes or learning:
        cause = (
            "what front_end makes of a sequence depends on the others of its batch"
            if mixes
            else "front_end keeps statistics that padding would change"
        )
        warn(
            f"In training, {cause}{found}. Batches hold sequences of one length only, "
            "which keeps padding out but makes them small. Use layers that look at one "
            "sequence at a time, such as keras.layers.LayerNormalization in place of "
            "BatchNormalization."
        )
    if found := _names(layers, keras.layers.Masking):
        warn(
            f"front_end masks frames{found}. Padding needs no mask, as skseq leaves it "
            "out itself, and the layers after front_end read masked frames like all "
            "others. Remove the Masking layer."
        )


def reads_ids(model) -> bool:
    """Whether a user's front end looks frames up in a table."""
    front_end = own_front_end(model)
    layers = [] if front_end is None else _layers_of(front_end)
    return any(isinstance(layer, keras.layers.Embedding) for layer in layers)


def _names(layers, kind) -> str:
    """The trainable layers of a kind, in brackets, if there are any."""
    return _in_brackets(
        [la.name for la in layers if isinstance(la, kind) and la.trainable]
    )


def _in_brackets(names) -> str:
    return f" ({', '.join(names)})" if names else ""


def sees_padding(model, longest=0, seed=0) -> bool:
    """Whether batches of this network must hold sequences of one length only.

    `longest` is the number of frames of the longest sequence.
    """
    return _answer(model, longest, seed, _sees_padding)


def sees_long_padding(model, longest, seed=0) -> bool:
    """Whether outputs change with padding as long as the longest sequence."""
    return _answer(model, longest, seed, _long_padding_matters)


def check_padded_batches(model) -> None:
    """Refuse a network that gives something else where sequences are padded."""
    if _answer(model, FAR, 0, _any_padding_matters):
        raise ValueError(
            "front_end lets padding reach what it makes of a sequence, and an export "
            'takes padded batches. Use convolutions with padding="valid" or "causal". '
            'One with padding="same" must have no strides and follow only layers that '
            "look at single frames and keep zeros, such as Dense with use_bias=False. "
            "Leave out layers that read all frames, such as recurrences in both "
            "directions."
        )


def _answer(model, longest, seed, test) -> bool:
    """Try the front end of a network, if it has one; when in doubt, say yes."""
    front_end = own_front_end(model)
    if front_end is None:
        return False
    with weights_kept(front_end):
        probe = Probe(front_end, generator(seed, "probe"), longest)
        if probe.n_frames is None:  # it gives hardly any output: nothing can be tried
            return True
        _check_output_length(probe)
        try:
            return test(probe)
        except _NO_ANSWER:
            return True


def _sees_padding(probe) -> bool:
    if _mixes(probe, probe.infer):
        raise ValueError(
            "What front_end makes of a sequence depends on the other sequences of "
            "its batch, so predictions would depend on how X is cut into batches. "
            "Its axes are (n_samples, n_frames, n_features): compute over axis 1 "
            "or 2, not 0."
        )
    mixes, learning = _mixes(probe, probe.train), _learning_layers(probe)
    setattr(probe.front_end, _MIXES, mixes)
    setattr(probe.front_end, _LEARNING, learning)
    if mixes or learning or not probe.is_finite:
        return True
    tests = _padding_matters, _long_padding_matters, _is_not_finite  # slowest last
    return any(test(probe) for test in tests)


def _check_output_length(probe) -> None:
    """Refuse layers that give another number of frames than they say."""
    found = probe.infer(probe.frames(probe.n_frames)).shape[1]
    expected = probe.n_outputs(probe.n_frames)
    if found != expected:
        raise ValueError(
            f"front_end gives {counted(found, 'frame')} for {probe.n_frames} in a "
            f"compiled network, but its layers say {expected}. "
            "keras.layers.TimeDistributed does so where the number of frames is open: "
            "leave it out, as a Dense layer acts on each frame anyway."
        )


def _mixes(probe, run) -> bool:
    """Whether a sequence gives something else beside others than alone."""
    frames = probe.frames(probe.n_frames)
    beside_nan = frames.copy()
    beside_nan[1:] = np.nan
    found, expected = (np.isnan(run(f)[0]) for f in (beside_nan, frames))
    if (found & ~expected).any():
        return True
    probe.roughen(_SCALES[0])  # small weights, which do not amplify rounding errors
    batches = frames[:1], frames[:1], frames
    alone, again, beside = (run(batch)[0].numpy() for batch in batches)
    return _are_near(alone, again) and not _are_near(alone, beside)


def _are_near(first, second) -> bool:
    """Whether outputs are equal but for rounding; those of random layers are not."""
    most = 1e-3 * np.abs(first[np.isfinite(first)]).max(initial=0) + 1e-6
    return np.allclose(first, second, rtol=0, atol=most, equal_nan=True)


def _learning_layers(probe) -> tuple[str, ...]:
    """The layers with weights that training changes, otherwise with padding.

    A step counter changes, but alike, and so may statistics of what is real. Sequences
    are tried one by one, too: a maximum over several does not show most of them.
    """
    found = {}
    for draw in (probe.restore, lambda: probe.roughen(_SCALES[1])):
        draw()
        frames = probe.frames(probe.n_frames)
        if not _learns(probe, padded(frames, probe.paddings()[-1])):
            continue
        for batch in (frames, *(row[np.newaxis] for row in frames)):
            found.update(dict.fromkeys(_learning_from(probe, batch)))
    return tuple(found)


def _learns(probe, frames) -> bool:
    """Whether a run in training changes any weight."""
    weights = zip(probe.front_end.get_weights(), probe.trained(frames)[1], strict=True)
    return not all(np.array_equal(*pair, equal_nan=True) for pair in weights)


def _learning_from(probe, frames) -> Iterator[str]:
    """The layers whose weights padding changes in a run in training on one batch."""
    weights, before = probe.front_end.weights, probe.front_end.get_weights()
    plain = probe.trained(frames)[1]
    for n_padding in probe.paddings():
        after = probe.trained(padded(frames, n_padding))[1]
        for weight, *values in zip(weights, before, plain, after, strict=True):
            if _are_changed_otherwise(*values):
                yield _owner(weight)


def _are_changed_otherwise(before, plain, after) -> bool:
    """Whether two changes of a weight differ by more than rounding."""
    if np.array_equal(plain, after, equal_nan=True):
        return False
    before, plain, after = (np.asarray(v, "float64") for v in (before, plain, after))
    changes = np.abs(plain - before) + np.abs(after - before)
    return not (np.abs(plain - after) <= 1e-4 * changes + 1e-6 * np.abs(before)).all()


def _owner(weight) -> str:
    """The name of the layer that made a weight."""
    return weight.path.rpartition("/")[0].rpartition("/")[2] or weight.name


def _is_not_finite(probe) -> bool:
    """Whether padding makes outputs, or gradients of real outputs, infinite or NaN."""
    n_frames = probe.n_frames
    probe.roughen_kernels(_SCALES[1])
    for n_padding in probe.long_paddings():
        frames = padded(probe.frames(n_frames)[:1], n_padding)
        if not np.isfinite(probe.infer(frames)).all():
            return True
    draws = (
        probe.restore,
        lambda: probe.roughen_kernels(_SCALES[1]),
        lambda: probe.roughen(_SCALES[1]),
    )
    for draw in draws:
        draw()
        frames = padded(probe.frames(n_frames), probe.paddings()[-1])
        if not _trains_finitely(probe, frames):
            return True
    return False


def _trains_finitely(probe, frames) -> bool:
    weights = [w.value for w in probe.front_end.trainable_weights]
    with tf.GradientTape() as tape:
        outputs = probe.train(frames)
        total = tf.reduce_sum(outputs[:, : probe.n_outputs(probe.n_frames)])
    gradients = [g for g in tape.gradient(total, weights) if g is not None]
    values = probe.infer(frames), outputs, *gradients
    return all(np.isfinite(value).all() for value in values)


def _padding_matters(probe) -> bool:
    """Whether padding changes real outputs, in inference or in training."""
    if _short_padding_matters(probe):
        return True
    # Random layers make two runs in training differ, but they let NaN pass.
    return any(
        _nan_reaches(probe, probe.train, n) and not _nan_reaches(probe, probe.infer, n)
        for n in (*probe.paddings(), *probe.long_paddings())
    )


def _short_padding_matters(probe) -> bool:
    """Whether some padding changes real outputs in inference."""
    paddings = probe.paddings()
    for draw in [(scale, True) for scale in _SCALES] + [(_SCALES[1], False)]:
        probe.roughen(*draw)
        if any(_zeros_matter(probe, n, paddings) for n in probe.lengths()):
            return True
    return False


def _any_padding_matters(probe) -> bool:
    """Whether padding of any length changes real outputs in inference."""
    return _short_padding_matters(probe) or _long_padding_matters(probe)


def _long_padding_matters(probe) -> bool:
    """Whether padding as long as that of the longest batch changes real outputs."""
    paddings = probe.long_paddings()
    for scale in _SCALES[:2] if paddings else ():  # two, as such runs take long
        probe.roughen(scale)
        if _zeros_matter(probe, probe.n_frames, paddings):
            return True
    return False


def _zeros_matter(probe, n_frames, paddings) -> bool:
    frames, n_outputs = probe.frames(n_frames), probe.n_outputs(n_frames)
    alone = probe.infer(frames)[:, :n_outputs]
    for n_padding in paddings:
        together = padded(few_enough(frames, n_padding), n_padding)
        beside = probe.infer(together)[:, :n_outputs]
        if not _are_the_same(alone[: len(beside)], beside):
            return True
    return False


def _are_the_same(first, second) -> bool:
    """Whether outputs are equal but for rounding, by how large a feature becomes.

    Wide kernels and random weights make large numbers, and near zero some of them.
    """
    first, second = np.asarray(first), np.asarray(second)
    finite = np.where(np.isfinite(first), np.abs(first), 0)
    size = finite.max(axis=(0, 1), initial=1)
    return np.allclose(first / size, second / size, rtol=1e-5, atol=1e-5)


def _nan_reaches(probe, run, n_padding) -> bool:
    """Whether NaN in padding reaches the outputs of real frames."""
    frames = few_enough(probe.frames(probe.n_frames + n_padding))
    frames[:, probe.n_frames :] = np.nan
    outputs = run(frames)[:, : probe.n_outputs(probe.n_frames)]
    return bool(np.isnan(outputs).any())


def _layers_of(layer) -> Iterator:
    """All layers inside a layer, however deep."""
    inner = [*getattr(layer, "layers", []), getattr(layer, "layer", None)]
    for part in filter(None, inner):
        yield part
        yield from _layers_of(part)
