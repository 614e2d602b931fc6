from functools import cached_property
from itertools import product

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax

from skseq._seq2seq.search import Penalties, beam_search

pytestmark = pytest.mark.core

END, BANNED = 3, 1
N_PREFIXES = 1009
N_SOURCE = 3
DEFAULTS = {
    "limits": (3, 2, 3),
    "min_length": 0,
    "length_penalty": 0.0,
    "coverage_penalty": 0.0,
    "banned": (BANNED,),
    "beam_width": 64,
    "n_best": 5,
    "no_repeat_ngram": 0,
}


class Language:
    """The next token's made-up probabilities, given the number of a whole prefix.

    A sample is the number that its prefixes start from, so that samples differ.
    """

    def __init__(self, n_ids=5, seed=0, scale=2.0):
        rng = np.random.default_rng(seed)
        self.n_ids = n_ids
        self.logits = rng.normal(scale=scale, size=(N_PREFIXES, n_ids))
        self.looks = np.exp(rng.normal(scale=2.0, size=(N_PREFIXES, N_SOURCE)))
        self.n_steps = 0

    def step(self, tokens, states):
        self.n_steps += 1
        prefixes, lengths = states
        prefixes = (prefixes * self.n_ids + tokens + 1) % N_PREFIXES
        logits = tf.gather(tf.constant(self.logits, tf.float32), prefixes)
        looks = tf.gather(tf.constant(self.looks, tf.float32), prefixes)
        looks = tf.where(tf.sequence_mask(lengths, N_SOURCE), looks, 0.0)
        looks /= tf.reduce_sum(looks, axis=-1, keepdims=True)
        return logits, [prefixes, lengths], looks

    def log_probs(self, sample, tokens):
        """Of each id after these tokens."""
        return self._log_probs[self._prefix(sample, tokens)].copy()

    def look(self, sample, tokens):
        looks = self.looks[self._prefix(sample, tokens), : source_length(sample)]
        return looks / looks.sum()

    @cached_property
    def _log_probs(self):
        return log_softmax(self.logits, axis=-1)

    def _prefix(self, sample, tokens):
        for token in (END, *tokens):
            sample = (sample * self.n_ids + token + 1) % N_PREFIXES
        return sample


def source_length(sample):
    return 1 + sample % N_SOURCE


def search(language, samples=(0, 1, 2), run=beam_search, **options):
    """For each sample (tokens, log-probability, score), best first; all places."""
    options = {**DEFAULTS, **options}
    lengths = tf.constant([source_length(sample) for sample in samples])
    length, coverage = (options.pop(f"{n}_penalty") for n in ("length", "coverage"))
    tokens, counts, log_probs, scores = run(
        language.step,
        [tf.constant(samples), lengths],
        tf.sequence_mask(lengths, N_SOURCE),
        tf.constant(options.pop("limits")[: len(samples)]),
        Penalties(tf.constant(length), tf.constant(coverage)),
        start=END,
        end=END,
        **{**options, "min_length": tf.constant(options["min_length"])},
    )
    return [
        [(tuple(t[:n]), p, s) for t, n, p, s in zip(*sample, strict=True)]
        for sample in zip(
            *(x.numpy() for x in (tokens, counts, log_probs, scores)), strict=True
        )
    ]


# -- what to expect, in plain Python ---------------------------------------------------


def repeats(tokens, n):
    runs = [tokens[i : i + n] for i in range(len(tokens) - n + 1)]
    return n > 0 and len(set(runs)) < len(runs)


def valued(language, sample, tokens, length_penalty, coverage_penalty):
    """Tokens with log-probability and score, the end counted."""
    steps = [tokens[:t] for t in range(len(tokens) + 1)]
    log_prob = sum(
        language.log_probs(sample, before)[token]
        for before, token in zip(steps, (*tokens, END), strict=True)
    )
    received = sum(language.look(sample, before) for before in steps)
    score = log_prob / ((5 + len(steps)) / 6) ** length_penalty
    score += coverage_penalty * np.log(np.minimum(received, 1)).sum()
    return tokens, log_prob, score


def all_outputs(language, sample, limit, **options):
    """Every output that the options allow, best first, by trying them all."""
    options = {**DEFAULTS, **options}
    ids = [i for i in range(language.n_ids) if i not in (END, *options["banned"])]
    lengths = range(options["min_length"], max(limit, options["min_length"]) + 1)
    penalties = options["length_penalty"], options["coverage_penalty"]
    outputs = [
        valued(language, sample, tokens, *penalties)
        for n in lengths
        for tokens in product(ids, repeat=n)
        if not repeats(tokens, options["no_repeat_ngram"])
    ]
    return sorted(outputs, key=lambda output: -output[2])


def plain_search(language, sample, limit, **options):
    """Beam search on lists, one sample at a time; its outputs and its steps."""
    options = {**DEFAULTS, **options}
    width, n_best = options["beam_width"], options["n_best"]
    ids = [i for i in range(language.n_ids) if i not in options["banned"]]
    exponent, n_steps = options["length_penalty"], 0
    live, ended = [((), 0.0)], []
    while live:
        bound = max(p for _, p in live) / ((6 + limit) / 6) ** exponent
        scores = sorted((p / ((6 + len(t)) / 6) ** exponent for t, p in ended))
        if len(scores) >= n_best and bound <= scores[-n_best]:
            break
        options_now = [
            ((*tokens, i), total + language.log_probs(sample, tokens)[i])
            for tokens, total in live
            for i in ids
            if (n_steps >= options["min_length"] if i == END else n_steps < limit)
        ]
        options_now.sort(key=lambda option: -option[1])
        taken = options_now[: width - len(ended)]
        live = [(tokens, p) for tokens, p in taken if tokens[-1] != END]
        ended += [(tokens[:-1], p) for tokens, p in taken if tokens[-1] == END]
        n_steps += 1
    outputs = [valued(language, sample, t, exponent, 0.0) for t, _ in ended]
    return sorted(outputs, key=lambda output: -output[2])[:n_best], n_steps


def assert_found(found, expected):
    """The same hypotheses in the same order, and beyond them places without any."""
    possible = [hypothesis for hypothesis in found if np.isfinite(hypothesis[2])]
    assert [h[0] for h in possible] == [tuple(h[0]) for h in expected]
    values = np.array([h[1:] for h in possible])
    np.testing.assert_allclose(values, [h[1:] for h in expected], rtol=1e-5)
    for _, log_prob, score in found[len(expected) :]:
        assert log_prob == score == -np.inf


# -- a beam that holds everything ------------------------------------------------------

EXHAUSTIVE = {
    "plain": {},
    "one of them": {"n_best": 1},
    "longer is better": {"length_penalty": 0.6},
    "much longer is better": {"length_penalty": 3.0},
    "the source is to be covered": {"coverage_penalty": 0.4},
    "both": {"length_penalty": 1.0, "coverage_penalty": 2.0},
    "the best of both": {"length_penalty": 0.5, "coverage_penalty": 4.0, "n_best": 1},
    "not empty": {"min_length": 1},
    "not short": {"min_length": 2, "length_penalty": 1.0},
    "longer than the limits": {"min_length": 4, "beam_width": 160},
    "nothing is banned": {"banned": (), "beam_width": 100},
    "two are banned": {"banned": (0, BANNED)},
    "no token twice": {"no_repeat_ngram": 1},
    "no pair twice": {"no_repeat_ngram": 2, "limits": (4, 3, 4), "beam_width": 160},
    "no triple twice": {"no_repeat_ngram": 3, "limits": (5, 3, 4), "beam_width": 500},
}


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", EXHAUSTIVE)
def test_a_beam_wide_enough_for_all_outputs_finds_the_best_of_them(name, seed):
    language, options = Language(seed=seed), {**DEFAULTS, **EXHAUSTIVE[name]}
    found = search(language, **options)
    for sample, limit in enumerate(options["limits"]):
        expected = all_outputs(language, sample, limit, **options)
        assert_found(found[sample], expected[: options["n_best"]])


@pytest.mark.parametrize("no_repeat_ngram", [0, 1, 2])
@pytest.mark.parametrize("min_length", [0, 1])
@pytest.mark.parametrize("width", [7, 20])
def test_all_outputs_there_are_come_out_and_nothing_else(
    width, no_repeat_ngram, min_length
):
    options = {"no_repeat_ngram": no_repeat_ngram, "min_length": min_length}
    language = Language(n_ids=4)
    beam = {"beam_width": width, "n_best": width}
    found = search(language, limits=(2, 1, 2), **beam, **options)
    for sample, limit in enumerate((2, 1, 2)):
        assert_found(found[sample], all_outputs(language, sample, limit, **options))


# -- a narrow beam ---------------------------------------------------------------------

NARROW = {
    "plain": {},
    "longer is better": {"length_penalty": 0.8},
    "much longer is better": {"length_penalty": 4.0},
    "not short": {"min_length": 3},
    "not short, longer is better": {"min_length": 2, "length_penalty": 1.5},
}


@pytest.mark.slow
@pytest.mark.parametrize("width", [1, 2, 3, 5])
@pytest.mark.parametrize("name", NARROW)
def test_a_narrow_beam_keeps_what_a_search_on_plain_lists_keeps(name, width):
    limits = (6, 4, 8, 5)
    for seed, n_best in product(range(2), {1, width}):
        options = {**NARROW[name], "beam_width": width, "n_best": n_best}
        language = Language(n_ids=9, seed=seed)
        found = search(language, range(4), limits=limits, **options)
        for sample, limit in enumerate(limits):
            expected, _ = plain_search(language, sample, limit, **options)
            assert_found(found[sample], expected)


@pytest.mark.parametrize("seed", range(3))
def test_with_one_place_each_token_is_the_likeliest(seed):
    language, limits = Language(n_ids=9, seed=seed, scale=1.0), (7, 9, 3, 20)
    found = search(language, range(4), limits=limits, beam_width=1, n_best=1)
    for sample, limit in enumerate(limits):
        tokens = ()
        while len(tokens) < limit:
            log_probs = language.log_probs(sample, tokens)
            log_probs[BANNED] = -np.inf
            if log_probs.argmax() == END:
                break
            tokens += (log_probs.argmax(),)
        assert found[sample][0][0] == tokens


@pytest.mark.parametrize("width", [1, 4])
def test_an_output_cut_off_at_the_limit_still_carries_the_probability_of_its_end(width):
    language = Language(n_ids=6)
    language.logits[:, END] = -20.0
    limits = (1, 2, 4)
    found = search(language, limits=limits, beam_width=width, n_best=1)
    for sample, limit in enumerate(limits):
        tokens, log_prob, _ = found[sample][0]
        assert len(tokens) == limit
        assert log_prob < -20
        expected = valued(language, sample, tokens, 0.0, 0.0)[1]
        np.testing.assert_allclose(log_prob, expected, rtol=1e-6)


@pytest.mark.parametrize("n", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("width", [1, 3])
def test_no_run_occurs_twice_however_much_the_language_likes_it(n, width):
    language = Language(n_ids=12, scale=0.1)
    language.logits[:, 5] += 8.0
    language.logits[:, END] -= 8.0
    options = {"limits": (8, 5, 8), "beam_width": width, "n_best": width}
    free = search(language, **options)
    assert [hypotheses[0][0] for hypotheses in free] == [(5,) * n for n in (8, 5, 8)]
    for hypotheses in search(language, no_repeat_ngram=n, **options):
        for tokens, _, score in hypotheses:
            assert np.isfinite(score)
            assert not repeats(tokens, n)
        if width == 1:
            assert hypotheses[0][0][:n] == (5,) * n


# -- ties ------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 2, 4, 5])
@pytest.mark.parametrize("min_length", [0, 1, 2])
def test_equal_continuations_are_taken_by_token_id_and_equal_scores_by_place(
    width, min_length
):
    for n_best in {1, width}:
        language = Language(n_ids=7)
        language.logits[:] = 0.0
        options = {"beam_width": width, "n_best": n_best, "min_length": min_length}
        found, n_steps = search(language, limits=(3, 2, 1), **options), []
        for sample, limit in enumerate((3, 2, 1)):
            limit = max(limit, min_length)
            expected, n = plain_search(language, sample, limit, **options)
            assert_found(found[sample], expected)
            n_steps.append(n)
        assert language.n_steps == max(n_steps)


def test_among_equal_tokens_the_first_of_the_dictionary_is_written():
    language = Language(n_ids=7)
    language.logits[:] = 0.0
    options = {"beam_width": 2, "n_best": 2, "min_length": 2, "limits": (2,)}
    found = search(language, (0,), **options)
    assert [h[0] for h in found[0]] == [(0, 0), (0, 2)]


# -- samples beside each other ---------------------------------------------------------


@pytest.mark.parametrize("width", [pytest.param(1, marks=pytest.mark.slow), 3])
@pytest.mark.parametrize("name", ["plain", "both", "no pair twice"])
def test_a_sample_is_searched_as_if_it_were_alone(name, width):
    language, limits = Language(n_ids=8), (2, 9, 5, 1)
    options = {**EXHAUSTIVE[name], "beam_width": width, "n_best": width}
    together = search(language, (3, 4, 5, 6), **{**options, "limits": limits})
    for i, sample in enumerate((3, 4, 5, 6)):
        (alone,) = search(language, (sample,), **{**options, "limits": limits[i:]})
        assert together[i] == alone


# -- when the loop ends ----------------------------------------------------------------


@pytest.mark.parametrize("width", [1, pytest.param(3, marks=pytest.mark.slow), 5])
@pytest.mark.parametrize("length_penalty", [0.0, 0.8, 4.0])
def test_the_search_ends_as_soon_as_no_sample_can_gain(width, length_penalty):
    options = {"length_penalty": length_penalty, "beam_width": width, "n_best": 1}
    for seed in range(3):
        language, limits = Language(n_ids=9, seed=seed), (12, 5, 9)
        search(language, limits=limits, **options)
        expected = [
            plain_search(language, sample, limit, **options)[1]
            for sample, limit in enumerate(limits)
        ]
        assert language.n_steps == max(expected)


@pytest.mark.parametrize(("limit", "n_steps"), [(4, 5), (50, 13)])
def test_a_compiled_search_goes_only_as_far_as_its_outputs_are_long(limit, n_steps):
    count = tf.Variable(0)

    def step(tokens, states):
        """Write twelve zeros and then the end."""
        count.assign_add(1)
        wanted = tf.where(states == 12, END, 0)
        shape = (*tf.unstack(tf.shape(tokens)), 1)
        return tf.one_hot(wanted, 5, 9.0), states + 1, tf.ones(shape)

    @tf.function
    def compiled(limits):
        options = {"min_length": 0, "start": END, "end": END}
        first = tf.zeros(tf.shape(limits), tf.int32)
        is_source, penalties = tf.ones((2, 1), tf.bool), Penalties(0.0, 0.0)
        return beam_search(step, first, is_source, limits, penalties, **options)

    tokens, lengths, _, _ = compiled(tf.constant([limit, 2]))
    assert count.numpy() == n_steps
    assert lengths.numpy().tolist() == [[n_steps - 1], [2]]
    assert tokens.shape == (2, 1, limit)


@pytest.mark.parametrize(
    "name",
    [
        "both",
        "no pair twice",
        pytest.param("nothing is banned", marks=pytest.mark.slow),
    ],
)
def test_a_compiled_search_finds_what_it_finds_step_by_step(name):
    options = {**EXHAUSTIVE[name], "limits": (6, 4, 7), "beam_width": 3, "n_best": 3}
    plain = search(Language(n_ids=8), **options)
    compiled = search(Language(n_ids=8), run=tf.function(beam_search), **options)
    for found, expected in zip(compiled, plain, strict=True):
        assert_found(found, expected)
