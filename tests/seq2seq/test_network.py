from itertools import product

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax

from skseq._engine.programs import Program, Recipe
from skseq._nn.initial_weights import initial_weights
from skseq._seq2seq.attention import ATTENTIONS
from skseq._seq2seq.loss import TokenLosses
from skseq._seq2seq.network import seq2seq_network, translate

SETTINGS = {
    "n_source_ids": 6,
    "n_target_ids": 5,
    "embedding_dim": 3,
    "units": (4,),
    "cell": "lstm",
    "bidirectional": True,
    "attention": "additive",
    "dropout": 0.0,
    "input_feeding": False,
}
END, UNKNOWN = 3, 1
SOURCES = [[2, 5, 0, 1], [4], [1, 1, 3]]
NETWORKS = {
    "lstm additive": {},
    "gru dot": {"cell": "gru", "attention": "dot"},
    "gru without attention": {"cell": "gru", "attention": None},
    "deep lstm dot": {"units": (4, 2), "attention": "dot", "bidirectional": False},
    "deep gru additive": {"units": (3, 2), "cell": "gru"},
    "deep lstm fed": {"units": (4, 2), "input_feeding": True},
}
QUICK = {"lstm additive", "gru without attention", "deep lstm dot", "deep lstm fed"}


def marked(name, *others):
    """A case of a network; those that combine what others have are slow."""
    marks = () if name in QUICK else pytest.mark.slow
    return pytest.param(name, *others, marks=marks)


every_network = pytest.mark.parametrize("name", [marked(name) for name in NETWORKS])


def settings_with(**changes):
    return {**SETTINGS, **changes}


def roughened(model, seed=0, scale=1.2):
    """Weights none of which is zero, and outputs that are sure of some tokens."""
    rng = np.random.default_rng(seed)
    weights = [rng.normal(scale=scale, size=w.shape) for w in model.weights]
    model.set_weights(weights)
    return [w.astype("float32") for w in weights]


@pytest.fixture(scope="module")
def network():
    """The rough networks by name; each is built once."""
    built = {}

    def get(name):
        if name not in built:
            built[name] = seq2seq_network(**settings_with(**NETWORKS[name]))
            roughened(built[name])
        return built[name]

    return get


def padded(sequences, n=None, value=0):
    n = max(map(len, sequences)) if n is None else n
    rows = [[*sequence, *[value] * (n - len(sequence))] for sequence in sequences]
    return np.array(rows, dtype="int32")


def lengths_of(sequences):
    return np.array([len(sequence) for sequence in sequences], dtype="int32")


# -- weights ---------------------------------------------------------------------------


def test_dropout_adds_no_weights():
    plain, dropping = (
        settings_with(units=(4, 3)),
        settings_with(units=(4, 3), dropout=0.5),
    )
    paths = [[w.path for w in seq2seq_network(**s).weights] for s in (dropping, plain)]
    assert paths[0] == paths[1]


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_first_weights_are_a_function_of_the_seed_alone(attention):
    models = [seq2seq_network(**settings_with(attention=attention)) for _ in range(2)]
    first, again, other = (
        initial_weights(models[i], seed) for i, seed in [(0, 5), (1, 5), (0, 6)]
    )
    for weight, *values in zip(models[0].weights, first, again, other, strict=True):
        np.testing.assert_array_equal(values[0], values[1])
        if not weight.path.endswith("bias"):
            assert not np.isclose(values[0], values[2]).any(), weight.path


@pytest.mark.parametrize("n_ids", [pytest.param(400, marks=pytest.mark.slow), 4000])
def test_what_stands_for_tokens_starts_as_large_among_many_as_among_few(n_ids):
    sizes = {"n_source_ids": n_ids, "n_target_ids": n_ids, "units": (100,)}
    model = seq2seq_network(**settings_with(**sizes, embedding_dim=50))
    first = initial_weights(model, 0)
    weights = {w.path: v for w, v in zip(model.weights, first, strict=True)}
    for path in ("source_embedding/embeddings", "decoder/embeddings"):
        np.testing.assert_allclose(weights[path].mean(), 0, atol=0.03)
        np.testing.assert_allclose(weights[path].std(), 1, atol=0.03)
    np.testing.assert_allclose(weights["decoder/logits/kernel"].std(), 0.1, rtol=0.02)


def test_every_dropout_restarts_from_a_number_of_its_own():
    settings = settings_with(units=(4, 3), dropout=0.5)
    recipe = Recipe(seq2seq_network, tuple(settings.items()), TokenLosses())
    program = Program(recipe)
    program.seed(0)
    states = {tuple(state.numpy()) for state in program._random_states}
    assert len(states) == len(program._random_states) >= 2 * 3


# -- what padding can do ---------------------------------------------------------------

TARGET = [[0, 2], [4, 4, 0, 1, 2], []]


def teacher_forced(sources, targets, extra=0, value=0):
    """The network's inputs; `extra` more places of padding, all of it of one id."""
    before = [[END, *target] for target in targets]
    n_source, n_target = (max(map(len, s)) + extra for s in (sources, before))
    return [
        padded(sources, n_source, value),
        lengths_of(sources),
        padded(before, n_target, value),
        lengths_of(before),
    ]


@every_network
def test_outputs_do_not_depend_on_what_the_padding_holds(name, network):
    model = network(name)
    logits, looks = model(teacher_forced(SOURCES, TARGET))
    others, other_looks = model(teacher_forced(SOURCES, TARGET, value=4))
    np.testing.assert_array_equal(others, logits)
    for i, target in enumerate(TARGET):
        own = slice(0, len(target) + 1)
        np.testing.assert_array_equal(other_looks[i, own], looks[i, own])


@every_network
def test_outputs_are_the_same_alone_and_beside_longer_ones(name, network):
    model = network(name)
    logits, looks = model(teacher_forced(SOURCES, TARGET, extra=2, value=2))
    starts = np.cumsum([len(target) + 1 for target in TARGET])
    for i, own in enumerate(np.split(logits, starts[:-1])):
        alone, own_looks = model(teacher_forced(SOURCES[i : i + 1], TARGET[i : i + 1]))
        n_target, n_source = len(TARGET[i]) + 1, len(SOURCES[i])
        np.testing.assert_allclose(own, alone, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(
            looks[i, :n_target, :n_source], own_looks[0], atol=1e-5
        )


def gradients(model, inputs):
    """Of the sum of some function of all logits, by each weight."""
    with tf.GradientTape() as tape:
        logits, _ = model(inputs)
        total = tf.reduce_sum(tf.sin(logits))
    weights = [w.value for w in model.trainable_weights]
    return [tf.convert_to_tensor(g).numpy() for g in tape.gradient(total, weights)]


@every_network
def test_gradients_of_a_batch_are_the_sum_of_those_of_its_samples(name, network):
    model = network(name)
    together = gradients(model, teacher_forced(SOURCES, TARGET, extra=2, value=4))
    alone = [
        gradients(model, teacher_forced([source], [target]))
        for source, target in zip(SOURCES, TARGET, strict=True)
    ]
    for gradient, *parts in zip(together, *alone, strict=True):
        assert np.isfinite(gradient).all()
        np.testing.assert_allclose(gradient, sum(parts), rtol=1e-3, atol=1e-4)


# -- the search ------------------------------------------------------------------------


def searched(model, sources, limits, run=None, padding=0, **options):
    """For each source (tokens, log-probability, score), best first."""
    options = {"beam_width": 1, "n_best": 1, **options}
    tensors = [
        padded(sources, value=padding),
        lengths_of(sources),
        np.array(limits, dtype="int32"),
        np.int32(options.pop("min_length", 0)),
        np.float32(options.pop("length_penalty", 0.0)),
        np.float32(options.pop("coverage_penalty", 0.0)),
    ]
    run = run or (lambda function, *inputs, **o: function(model, *inputs, **o))
    outputs = run(translate, *tensors, end=END, unknown=UNKNOWN, **options)
    return [
        [(tuple(t[:n].tolist()), p, s) for t, n, p, s in zip(*sample, strict=True)]
        for sample in zip(*map(np.asarray, outputs), strict=True)
    ]


def valued(model, source, outputs, length_penalty=0.0, coverage_penalty=0.0):
    """Outputs with log-probability and score, by the network in training."""
    inputs = teacher_forced([source] * len(outputs), outputs)
    logits, looks = model(inputs)
    log_probs = log_softmax(np.asarray(logits, dtype="float64"), axis=1)
    results, start = [], 0
    for output, own_looks in zip(outputs, np.asarray(looks), strict=True):
        n = len(output) + 1
        own = log_probs[start : start + n]
        log_prob = own[np.arange(n), [*output, END]].sum()
        score = log_prob / ((5 + n) / 6) ** length_penalty
        if coverage_penalty:
            received = own_looks[:n].sum(axis=0)
            score += coverage_penalty * np.log(np.minimum(received, 1)).sum()
        results.append((tuple(output), log_prob, score))
        start += n
    return results


def all_outputs(min_length, limit):
    ids = [i for i in range(SETTINGS["n_target_ids"]) if i not in (END, UNKNOWN)]
    lengths = range(min_length, limit + 1)
    return [output for n in lengths for output in product(ids, repeat=n)]


SEARCHES = {
    "plain": {},
    "longer is better": {"length_penalty": 0.8, "min_length": 1},
    "the source is to be covered": {"length_penalty": 0.4, "coverage_penalty": 0.3},
}


@pytest.mark.parametrize(
    ("name", "search"),
    [
        marked(name, search)
        for name, search in product(NETWORKS, SEARCHES)
        if not (name == "gru without attention" and "covered" in search)
    ],
)
def test_a_translation_is_the_best_of_all_outputs_by_the_network_in_training(
    name, search, network
):
    options = SEARCHES[search]
    model, limits = network(name), (3, 2, 3)
    found = searched(model, SOURCES, limits, beam_width=40, n_best=6, **options)
    penalties = {k: v for k, v in options.items() if k != "min_length"}
    for source, limit, hypotheses in zip(SOURCES, limits, found, strict=True):
        outputs = all_outputs(options.get("min_length", 0), limit)
        expected = valued(model, source, outputs, **penalties)
        expected = sorted(expected, key=lambda output: -output[2])[:6]
        assert [h[0] for h in hypotheses] == [e[0] for e in expected]
        values = np.array([h[1:] for h in hypotheses])
        np.testing.assert_allclose(values, [e[1:] for e in expected], rtol=1e-4)


@every_network
def test_a_greedy_translation_takes_the_likeliest_token_of_each_step(name, network):
    model, limits = network(name), (3, 4, 2)
    found = searched(model, SOURCES, limits)
    for source, limit, ((tokens, log_prob, _),) in zip(
        SOURCES, limits, found, strict=True
    ):
        output = []
        while len(output) < limit:
            logits = model(teacher_forced([source], [output]))[0][-1].numpy()
            logits[UNKNOWN] = -np.inf
            if logits.argmax() == END:
                break
            output.append(int(logits.argmax()))
        assert list(tokens) == output
        (expected,) = valued(model, source, [output])
        np.testing.assert_allclose(log_prob, expected[1], rtol=1e-4)


def compiled(model, name):
    """What runs a function of the network as an estimator does."""
    settings = settings_with(**NETWORKS[name])
    recipe = Recipe(seq2seq_network, tuple(settings.items()), TokenLosses())
    program = Program(recipe)
    program.load(model.get_weights())
    return program.run


@pytest.mark.parametrize(
    "name",
    ["lstm additive", pytest.param("gru without attention", marks=pytest.mark.slow)],
)
def test_a_compiled_translation_is_the_same_and_the_same_alone(name, network):
    model, limits = network(name), (5, 2, 7)
    options = {"beam_width": 3, "n_best": 3, "length_penalty": 0.5, "min_length": 1}
    options["no_repeat_ngram"] = 2
    run = compiled(model, name)
    together = searched(model, SOURCES, limits, run=run, **options)
    plain = searched(model, SOURCES, limits, **options)
    for i, hypotheses in enumerate(together):
        (alone,) = searched(
            model, SOURCES[i : i + 1], limits[i : i + 1], run=run, **options
        )
        for others in (plain[i], alone):
            assert [h[0] for h in others] == [h[0] for h in hypotheses]
            values = np.array([h[1:] for h in others])
            np.testing.assert_allclose(values, [h[1:] for h in hypotheses], rtol=1e-5)


def test_what_the_padding_of_a_source_holds_does_not_change_its_translation(network):
    model, options = network("lstm additive"), {"beam_width": 3, "n_best": 3}
    options |= {"min_length": 1, "coverage_penalty": 0.5}
    found, others = (
        searched(model, SOURCES, (4, 4, 4), padding=padding, **options)
        for padding in (0, 5)
    )
    assert found == others
