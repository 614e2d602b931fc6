"""Beam search for the best output sequences, for a batch of samples at once.

Knows neither networks nor vocabularies: it is given a step function. Runs inside a
compiled function, as one loop that ends when no sample can gain by going on.

A beam has a fixed number of places. In each step the best continuations of all
unfinished hypotheses take the places that are free; a finished one keeps its place,
so the search narrows until all have ended. With one place this is greedy decoding.
"""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from skseq._nn.rows import log_softmax

IMPOSSIBLE = float("-inf")
KEPT = 1.0  # sorts a hypothesis that has ended before all log-probabilities
FORBIDDEN = -1e30  # may be added up
LEAST_ATTENTION = 1e-10  # keeps the coverage penalty finite
VECTOR = 16  # numbers that TensorFlow computes at once, at most


class Beam(NamedTuple):
    """The hypotheses of every sample; shapes begin with (n_samples, beam_width).

    Attributes
    ----------
    tokens : tensor of shape (n_samples, beam_width, max_length), int32
        Padded with -1; without the end.
    lengths : tensor, int32
    log_probs : tensor
        Of the tokens and the end. Minus infinity: there is no such hypothesis.
    has_ended : tensor, bool
    attention : tensor of shape (n_samples, beam_width, n_source)
        How much of it each source position has received.
    states : nested list of tensors
        What the step function hands on.
    """

    tokens: Any
    lengths: Any
    log_probs: Any
    has_ended: Any
    attention: Any
    states: Any


class Ranking(NamedTuple):
    """What hypotheses are ordered by, beside their log-probabilities."""

    norms: Any  # tensor, the divisor of each length
    coverage: Any  # scalar tensor


class Penalties(NamedTuple):
    """What changes the order of hypotheses (Wu et al. 2016), as scalar tensors."""

    length: Any
    coverage: Any


def beam_search(
    step,
    first_states,
    is_source,
    limits,
    penalties,
    *,
    min_length,
    start,
    end,
    banned=(),
    beam_width=1,
    n_best=1,
    no_repeat_ngram=0,
):
    """Find the outputs of highest score.

    The score is log p / ((5 + n) / 6) ** length_penalty + coverage_penalty *
    sum(log(min(attention received, 1))), n counting the tokens and the end. Equal
    scores are ordered by place, and equal continuations by token id.

    Parameters
    ----------
    step : callable
        `step(tokens, states)`, for tokens of shape (n_samples, beam_width), returns
        logits (n_samples, beam_width, n_ids), the next states and the weights of
        attention (n_samples, beam_width, n_source).
    first_states : nested list of tensors of shape (n_samples, ...)
    is_source : tensor of shape (n_samples, n_source), bool
        Which source positions are real.
    limits : tensor of shape (n_samples,), int32
        Longest output of each sample; beyond it only the end can follow.
    penalties : Penalties
    min_length : scalar tensor, int32
        Shortest output.
    start, end : int
        Ids of what comes before the first token and of what ends an output.
    banned : tuple of int
        Ids that no output holds.
    beam_width, n_best : int
        Places of the beam, and how many hypotheses are returned.
    no_repeat_ngram : int
        No run of that many tokens occurs twice in an output; 0 allows all.

    Returns
    -------
    tokens : tensor of shape (n_samples, n_best, longest), int32
    lengths : tensor of shape (n_samples, n_best), int32
    log_probs, scores : tensors of shape (n_samples, n_best)
        Best first. Minus infinity where there are fewer hypotheses.
    """
    limits = tf.maximum(limits, min_length)
    longest = tf.reduce_max(limits)
    ranking = Ranking(_length_norms(longest, penalties.length), penalties.coverage)

    def goes_on(t, beam):
        if beam_width == 1:  # no other hypothesis can be better
            return tf.reduce_any(_is_live(beam))
        return tf.reduce_any(_can_gain(beam, limits, ranking, is_source, n_best))

    def advance(t, beam):
        last = tf.gather(beam.tokens, tf.maximum(t - 1, 0), axis=2)
        last = tf.where(t == 0, start, tf.maximum(last, 0))  # (n_samples, beam_width)
        logits, states, attention = step(last, beam.states)
        log_probs = log_softmax(logits)  # NaN where they are not finite, to be seen
        may_end, may_go_on = t >= min_length, t < limits
        log_probs += _restriction(logits.shape[-1], may_end, may_go_on, end, banned)
        if no_repeat_ngram:
            log_probs += _repeats(beam.tokens, t, no_repeat_ngram, logits.shape[-1])
        attention = tf.where(beam.has_ended[..., tf.newaxis], 0.0, attention)
        beam = beam._replace(states=states, attention=beam.attention + attention)
        return t + 1, _next_beam(beam, log_probs, beam_width, t, end)

    start_beam = _first_beam(first_states, is_source, longest, beam_width)
    _, beam = tf.while_loop(goes_on, advance, (0, start_beam))
    return _ranked(beam, ranking, is_source, n_best)


def _next_beam(beam, log_probs, width, t, end) -> Beam:
    """The best continuations of all hypotheses."""
    if width == 1:
        tokens, totals = _best_continuation(beam, log_probs)
    else:
        places, tokens, totals = _best_continuations(beam, log_probs, width)
        beam = _taken(beam, places)
    return _continued(beam, tokens, totals, t, end)


def _first_beam(first_states, is_source, longest, width) -> Beam:
    """One hypothesis of no tokens; the other places are empty."""
    n_samples, n_source = tf.shape(is_source)[0], tf.shape(is_source)[1]
    places = (n_samples, width)
    is_first = tf.broadcast_to(tf.range(width) == 0, places)
    return Beam(
        tokens=tf.fill((*places, longest), -1),
        lengths=tf.zeros(places, tf.int32),
        log_probs=tf.where(is_first, 0.0, IMPOSSIBLE),
        has_ended=tf.zeros(places, tf.bool),
        attention=tf.zeros((*places, n_source)),
        states=tf.nest.map_structure(
            lambda state: tf.repeat(state[:, tf.newaxis], width, axis=1), first_states
        ),
    )


def _restriction(n_ids, may_end, may_go_on, end, banned):
    """Minus infinity for ids that no output holds here, by sample; else nothing."""
    ids = np.arange(n_ids)
    is_usual = ~np.isin(ids, banned)
    is_allowed = tf.where(ids == end, may_end, may_go_on[:, tf.newaxis] & is_usual)
    return tf.where(is_allowed[:, tf.newaxis], 0.0, IMPOSSIBLE)


def _repeats(tokens, t, n, n_ids):
    """Minus infinity, nearly, for ids that would complete a run of n a second time."""
    n_samples, width, longest = (tf.shape(tokens)[i] for i in range(3))
    starts = tf.range(longest)
    is_run = tf.broadcast_to(starts + n <= t, (n_samples, width, longest))
    for i in range(n - 1):  # compare the last n - 1 tokens with those after each start
        own = tf.gather(tokens, tf.maximum(t - n + 1 + i, 0), axis=2)
        is_run &= _shifted(tokens, i) == own[..., tf.newaxis]
    ids = tf.maximum(_shifted(tokens, n - 1), 0)
    place = tf.range(n_samples * width)[:, tf.newaxis] * n_ids
    cells = tf.reshape(ids, (n_samples * width, longest)) + place
    forbidden = tf.reshape(tf.where(is_run, FORBIDDEN, 0.0), (-1,))
    totals = tf.math.unsorted_segment_sum(
        forbidden, tf.reshape(cells, (-1,)), n_samples * width * n_ids
    )
    totals = tf.where(totals < 0, IMPOSSIBLE, 0.0)
    return tf.reshape(totals, (n_samples, width, n_ids))


def _shifted(tokens, n):
    """Each token's n-th successor; -1 past the end."""
    return tf.pad(tokens[..., n:], ((0, 0), (0, 0), (0, n)), constant_values=-1)


def _best_continuations(beam, log_probs, width):
    """The places, ids and log-probabilities of what goes into the next beam."""
    n_best = min(width, log_probs.shape[-1])
    log_probs, ids = tf.math.top_k(log_probs, n_best)  # of each hypothesis
    totals = beam.log_probs[..., tf.newaxis] + log_probs
    kept = tf.concat([[KEPT], tf.fill([n_best - 1], IMPOSSIBLE)], axis=0)
    totals = tf.where(beam.has_ended[..., tf.newaxis], kept, totals)
    n_samples = tf.shape(totals)[0]
    totals, chosen = tf.math.top_k(tf.reshape(totals, (n_samples, -1)), width)
    tokens = tf.gather(tf.reshape(ids, (n_samples, -1)), chosen, batch_dims=1)
    return chosen // n_best, tokens, totals


def _best_continuation(beam, log_probs):
    """The same of a beam of one place, whose next beam stems from it in any case."""
    log_probs, ids = tf.math.top_k(log_probs, 1)
    totals = tf.where(beam.has_ended, KEPT, beam.log_probs + log_probs[..., 0])
    return ids[..., 0], totals


def _taken(beam, places) -> Beam:
    """The hypotheses that were in these places."""
    return tf.nest.map_structure(
        lambda tensor: tf.gather(tensor, places, batch_dims=1), beam
    )


def _continued(beam, tokens, totals, t, end) -> Beam:
    """Extend the hypothesis in each place by a token; what has ended stays."""
    is_possible = totals > IMPOSSIBLE
    had_ended = beam.has_ended & is_possible
    has_ended = is_possible & (beam.has_ended | (tokens == end))
    is_here = tf.range(tf.shape(beam.tokens)[2]) == t
    written = tf.where(has_ended, -1, tokens)[..., tf.newaxis]
    return beam._replace(
        tokens=tf.where(is_here, written, beam.tokens),
        lengths=beam.lengths + tf.cast(~has_ended, tf.int32),
        log_probs=tf.where(had_ended, beam.log_probs, totals),
        has_ended=has_ended,
    )


def _is_live(beam):
    """Whether there is an unfinished hypothesis in a place."""
    return ~beam.has_ended & (beam.log_probs > IMPOSSIBLE)


def _can_gain(beam, limits, ranking, is_source, n_best):
    """Whether an unfinished hypothesis may yet be among the best of a sample."""
    is_live = _is_live(beam)
    live = tf.where(is_live, beam.log_probs, IMPOSSIBLE)
    # Log-probabilities only fall, and no output is longer than the limit.
    bound = tf.reduce_max(live, axis=1) / tf.gather(ranking.norms, limits)
    ended = tf.where(beam.has_ended, _scores(beam, ranking, is_source), IMPOSSIBLE)
    return tf.reduce_any(is_live, axis=1) & (
        bound > tf.math.top_k(ended, n_best)[0][:, -1]
    )


def _length_norms(longest, length_penalty):
    """The divisor of Wu et al. (2016) of each length, the end counted as a token."""
    n = _whole(longest + 2)  # what is impossible grows by one beyond the longest
    return ((6.0 + tf.cast(tf.range(n), tf.float32)) / 6.0) ** length_penalty


def _whole(n):
    """A number, made larger until it fills whole vectors.

    TensorFlow computes the numbers that are left otherwise, which may change a bit.
    """
    return -(-n // VECTOR) * VECTOR


def _ranked(beam, ranking, is_source, n_best):
    scores = _scores(beam, ranking, is_source)
    scores, chosen = tf.math.top_k(tf.where(beam.has_ended, scores, IMPOSSIBLE), n_best)
    best = [
        tf.gather(tensor, chosen, batch_dims=1)
        for tensor in (beam.tokens, beam.lengths, beam.log_probs)
    ]
    return *best, scores


def _scores(beam, ranking, is_source):
    scores = beam.log_probs / tf.gather(ranking.norms, beam.lengths)
    return scores + tf.cond(
        tf.greater(ranking.coverage, 0.0),
        lambda: ranking.coverage * _covered(beam, is_source),
        lambda: tf.zeros_like(scores),  # nothing is added up
    )


def _covered(beam, is_source):
    """How much of the source each hypothesis has attended to, as a logarithm."""
    received = tf.where(is_source[:, tf.newaxis], beam.attention, 1.0)
    received = tf.clip_by_value(received, LEAST_ATTENTION, 1.0)
    n_source = tf.shape(received)[2]
    padding = ((0, 0), (0, 0), (0, _whole(n_source) - n_source))
    received = tf.pad(received, padding, constant_values=1.0)
    # Added up one after another, so that padding changes no bit.
    return tf.cumsum(tf.math.log(received), axis=-1)[..., -1]
