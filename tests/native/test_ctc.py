"""The compiled CTC search and lattice against the plain ones, to the last bit.

What both find is compared with sums over every alignment in `tests/ctc`. Needs no
TensorFlow, so that it runs under the sanitizers.
"""

import contextlib
import ctypes
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from skseq._ctc.decoders import beam_search
from skseq._ctc.lattice import forced_alignment, label_log_likelihoods, log_likelihood
from skseq._native import ctc, library, status
from skseq.language._automaton import Automaton
from skseq.language._guide import Guide
from tests.processes import run_python

pytestmark = pytest.mark.skipif(
    library() is None, reason=f"compiled code is {status()}"
)


def normalized(logits):
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def smooth(rng, shape):
    return normalized(rng.normal(0, 2, shape))


def tied(rng, shape):
    """Posteriors of few values, so that many prefixes are equally probable."""
    return np.log(rng.integers(1, 4, shape) / 8)


def partly_impossible(rng, shape):
    """Posteriors of which many are zero, but not all of a frame."""
    weights = rng.integers(0, 3, shape)
    weights[..., rng.integers(shape[-1])] += 1
    with np.errstate(divide="ignore"):
        return np.log(weights / 4)


def peaked(rng, shape):
    logits = rng.normal(size=shape) + 12 * (rng.random(shape) < 0.05)
    logits[..., -1] += 8
    return normalized(logits)


def flat(rng, shape):
    return np.full(shape, -np.log(shape[-1]))


DRAWS = smooth, tied, partly_impossible, peaked, flat


def case(seed):
    """A batch, labellings of it, and what a search may ask for."""
    rng = np.random.default_rng(seed)
    shape = rng.integers(0, 4), rng.integers(0, 15), rng.choice([1, 2, 3, 6, 20]) + 1
    log_probs = DRAWS[seed % len(DRAWS)](rng, shape)
    log_probs = log_probs.astype(rng.choice([np.float32, np.float64]))
    lengths = rng.integers(0, shape[1] + 1, shape[0])
    labels = [rng.integers(0, shape[2] - 1, rng.integers(0, n + 2)) for n in lengths]
    search = {
        "beam_width": int(rng.choice([1, 2, 3, 8, 30])),
        "n_best": int(rng.choice([1, 1, 3, 50])),
        "min_label_log_prob": rng.choice([None, -np.inf, -2.0]),
    }
    return log_probs, lengths, labels, search


def results(log_probs, lengths, labels, search):
    """All that is computed of a batch, in values that can be compared."""
    found = beam_search(log_probs, lengths, **search)
    scores = log_likelihood(log_probs, lengths, labels)
    try:
        spans = forced_alignment(log_probs, lengths, labels)
    except ValueError as error:
        spans = str(error)
    return {
        "search": [[(h.labels.tolist(), h.log_probability) for h in r] for r in found],
        "scores": scores.tolist(),
        "labels": label_log_likelihoods(log_probs, lengths).tolist(),
        "spans": spans,
    }


@pytest.fixture
def plain(monkeypatch):
    """What plain code makes of a case."""

    def compute(*case):
        with monkeypatch.context() as patch:
            patch.setattr(ctc, "is_available", lambda: False)
            return results(*case)

    return compute


@pytest.mark.parametrize(
    "seeds", [range(200), pytest.param(range(200, 10_000), marks=pytest.mark.slow)]
)
def test_random_cases_come_out_as_in_plain_code(seeds, plain):
    for seed in seeds:
        assert results(*case(seed)) == plain(*case(seed)), seed


@pytest.mark.parametrize(
    ("draw", "shape", "beam_width"),
    [
        (smooth, (2, 4, 5001), 16),
        (flat, (1, 3, 5001), 100),
        (smooth, (1, 10, 30), 500),
        (peaked, (1, 2000, 4), 4),
        (tied, (2, 40, 3), 500),
        pytest.param(smooth, (1, 20, 5001), 500, marks=pytest.mark.slow),
        pytest.param(peaked, (1, 300, 61), 500, marks=pytest.mark.slow),
        pytest.param(tied, (1, 300, 12), 500, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("n_best", [1, 500])
def test_large_cases_come_out_as_in_plain_code(
    draw, shape, beam_width, n_best, monkeypatch
):
    log_probs = draw(np.random.default_rng(0), shape).astype(np.float32)
    lengths = np.full(shape[0], shape[1])
    found = []
    for is_available in (True, False):
        monkeypatch.setattr(ctc, "is_available", lambda there=is_available: there)
        rows = beam_search(log_probs, lengths, beam_width=beam_width, n_best=n_best)
        found.append(
            [[(h.labels.tolist(), h.log_probability) for h in row] for row in rows]
        )
    assert found[0] == found[1]


def test_a_score_too_small_for_a_float_is_that_of_plain_code(plain):
    log_probs = np.full((1, 900, 3), [-700.0, -1.5, -1e-3])
    labels = [np.tile([0, 1], 100)]
    search = {"beam_width": 2}
    batch = log_probs, np.array([900]), labels, search
    assert results(*batch) == plain(*batch)
    assert results(*batch)["scores"][0] < -60_000


@pytest.mark.parametrize("n_threads", [2, 3, 16])
def test_the_number_of_threads_changes_nothing(n_threads):
    rng = np.random.default_rng(0)
    log_probs, lengths = smooth(rng, (11, 20, 8)), rng.integers(0, 21, 11)
    labels = [rng.integers(0, 7, n // 2) for n in lengths]
    limits = {"beam_width": 8, "n_best": 3, "floor": None, "lost": 0.0, "rival": 0.0}

    def compute(n):
        found = ctc.search(log_probs, lengths, **limits, n_threads=n)
        samples = np.arange(11)
        scores = ctc.log_likelihoods(log_probs, lengths, labels, samples, n_threads=n)
        paths, best = ctc.best_paths(log_probs, lengths, labels, n_threads=n)
        found = [[(row.tolist(), *more) for row, *more in rows] for rows in found]
        return found, scores.tolist(), paths.tolist(), best.tolist()

    assert compute(n_threads) == compute(1)


def test_python_threads_may_call_at_once():
    cases = [case(seed) for seed in range(40)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda case: results(*case), cases))
    assert together == [results(*case) for case in cases]


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("compiled", [True, False])
def test_what_is_no_log_probability_is_refused_by_its_sample(
    value, dtype, compiled, monkeypatch
):
    monkeypatch.setattr(ctc, "is_available", lambda: compiled)
    log_probs = smooth(np.random.default_rng(0), (40, 60, 30)).astype(dtype)
    log_probs[[7, 9, 30], 55, 22] = value
    lengths, labels = np.full(40, 60), [np.array([1])] * 40
    for compute in (
        lambda: beam_search(log_probs, lengths, beam_width=4),
        lambda: log_likelihood(log_probs, lengths, labels),
        lambda: forced_alignment(log_probs, lengths, labels),
    ):
        with pytest.raises(ValueError, match=r"log_probs\[7\] must be log-prob"):
            compute()


@pytest.mark.parametrize("compiled", [True, False])
def test_a_frame_in_which_nothing_is_possible_is_refused(compiled, monkeypatch):
    monkeypatch.setattr(ctc, "is_available", lambda: compiled)
    log_probs = flat(None, (2, 3, 4))
    log_probs[1, 2] = -np.inf
    assert len(beam_search(log_probs, np.array([3, 2]), beam_width=2)) == 2
    with pytest.raises(ValueError, match=r"log_probs\[1\].*in no frame only that"):
        beam_search(log_probs, np.array([3, 3]), beam_width=2)


def search_of(log_probs, lengths):
    limits = {"beam_width": 2, "n_best": 1, "floor": -6.0, "lost": 0.0, "rival": 0.0}
    return ctc.search(np.asarray(log_probs), lengths, **limits)


def test_every_kind_of_array_is_read_as_it_stands():
    log_probs = smooth(np.random.default_rng(0), (3, 9, 5)).astype(np.float32)
    lengths = np.array([9, 4, 0])
    expected = [row[0][0].tolist() for row in search_of(log_probs, lengths)]
    for batch in (
        np.asfortranarray(log_probs),
        log_probs.astype(np.float64),
        log_probs.astype(">f4"),
        np.repeat(log_probs, 2, axis=1)[:, ::2],
    ):
        for dtype in ("int32", "uint8", ">i8"):
            found = search_of(batch, lengths.astype(dtype))
            assert [row[0][0].tolist() for row in found] == expected


@pytest.mark.parametrize(
    ("shape", "lengths", "message"),
    [
        ((2, 3), [1, 1], "shape"),
        ((2, 3, 0), [1, 1], "shape"),
        ((2, 3, 4), [1], "one entry per sample, 2"),
        ((2, 3, 4), [1, 4], "from 0 to 3. They are from 1 to 4"),
        ((2, 3, 4), [-1, 1], "from 0 to 3"),
        ((2, 3, 4), [1.0, 2.0], "flat array of int"),
        ((2, 3, 4), [[1, 2]], "flat array of int"),
    ],
)
def test_a_batch_that_does_not_fit_together_never_reaches_the_library(
    shape, lengths, message
):
    with pytest.raises(ValueError, match=message):
        search_of(np.zeros(shape), np.array(lengths))


@pytest.mark.parametrize("labels", [[4], [-1], [0, 2**33], [0.5]])
def test_labels_that_are_none_never_reach_the_library(labels):
    log_probs, lengths = flat(None, (1, 3, 5)), np.array([3])
    labels = [np.array(labels)]
    with pytest.raises(ValueError, match="labels must be"):
        ctc.best_paths(log_probs, lengths, labels)
    with pytest.raises(ValueError, match="labels must be"):
        ctc.log_likelihoods(log_probs, lengths, labels, np.array([0]))
    with pytest.raises(ValueError, match="samples must be"):
        ctc.log_likelihoods(log_probs, lengths, [np.array([0])], np.array([1]))
    with pytest.raises(ValueError, match="one labelling per sample"):
        ctc.best_paths(log_probs, lengths, [])


@pytest.mark.parametrize(
    "shape", [(2**31, 1, 1), (1, 2**16, 2**15), (2**11, 2**10, 2**10), (2**62, 8, 1)]
)
def test_2_to_the_31_elements_are_refused_before_one_is_read(shape):
    batch = ctc._Batch(None, None, *shape, 0, 1)
    refused = ctypes.byref(ctypes.c_int64())
    status = ctc._function("skseq_align")(batch, None, None, None, None, refused)
    with pytest.raises(ValueError, match=r"fewer than 2\*\*31 elements"):
        ctc._check(status, None)


ARCS = {
    "firsts": np.array([0, 2, 3]),
    "labels": np.array([0, 2, 1], np.int32),
    "next_states": np.array([1, 0, 1], np.int32),
    "log_weights": np.array([-1.0, -2.0, 0.0]),
    "final": np.array([-1.0, -np.inf]),
    "backoff_states": np.array([1, -1], np.int32),
    "backoff_weights": np.array([-0.5, 0.0]),
}


def search_with(guide, n_labels=3):
    limits = {"beam_width": 2, "n_best": 1, "floor": -6.0, "lost": -9.0, "rival": -9.0}
    log_probs, lengths = np.full((1, 4, n_labels + 1), -1.0), np.array([4])
    return ctc.search(log_probs, lengths, **limits, guide=guide)


def test_what_a_language_is_told_by_is_read_as_it_stands():
    expected = search_with(Guide(3, (Automaton(3, **ARCS),), (1.0,), 0.0))
    assert expected[0]
    for change in (lambda a: a[::-1].copy()[::-1], lambda a: a.astype(a.dtype.str)):
        arrays = {name: change(array) for name, array in ARCS.items()}
        found = search_with(Guide(3, (Automaton(3, **arrays),), (1.0,), 0.0))
        assert [h[0].tolist() for h in found[0]] == [h[0].tolist() for h in expected[0]]
        assert found[0][0][1:] == expected[0][0][1:]


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("firsts", [0, 2, 4], "sorted by state and label"),
        ("firsts", [1, 2, 3], "sorted by state and label"),
        ("firsts", [0, 4, 3], "sorted by state and label"),
        ("firsts", [0, -1, 3], "sorted by state and label"),
        ("firsts", [0, 3], "must have shape"),
        ("labels", [2, 0, 1], "sorted by state and label"),
        ("labels", [0, 0, 1], "sorted by state and label"),
        ("labels", [0, 3, 1], "from 0 to 2"),
        ("labels", [-1, 2, 1], "from 0 to 2"),
        ("next_states", [1, 2, 1], "from 0 to 1"),
        ("next_states", [1, -1, 1], "from 0 to 1"),
        ("next_states", [1, 0], "must have shape"),
        ("log_weights", [-1.0, np.nan, 0.0], "finite or minus infinity"),
        ("log_weights", [-1.0, np.inf, 0.0], "finite or minus infinity"),
        ("final", [np.nan, 0.0], "finite or minus infinity"),
        ("final", [], "some states"),
        ("backoff_weights", [np.inf, 0.0], "finite or minus infinity"),
        ("backoff_states", [0, -1], "higher numbers"),
        ("backoff_states", [1, 0], "higher numbers"),
        ("backoff_states", [2, -1], "from 0 to 1"),
        ("backoff_states", [-2, -1], "from 0 to 1"),
    ],
)
def test_an_automaton_that_does_not_fit_together_never_reaches_the_library(
    name, array, message
):
    arrays = ARCS | {name: np.array(array, ARCS[name].dtype)}
    with pytest.raises(ValueError, match=message):
        search_with(Guide(3, (Automaton(3, **arrays),), (1.0,), 0.0))


def test_a_guide_of_other_labels_never_reaches_the_library():
    with pytest.raises(ValueError, match=r"A guide of 3 labels.* Got 6 columns"):
        search_with(Guide.of(3, []), n_labels=5)


@pytest.mark.parametrize("seed", range(40))
def test_damaged_automata_are_refused_or_searched(seed):
    rng = np.random.default_rng(seed)
    for _ in range(50):
        arrays = {name: array.copy() for name, array in ARCS.items()}
        for array in arrays.values():
            values = range(-2, 5) if array.dtype.kind == "i" else [np.nan, -np.inf]
            if rng.random() < 0.3:
                array[rng.integers(len(array))] = rng.choice(values)
        with contextlib.suppress(ValueError):
            search_with(Guide(3, (Automaton(3, **arrays),), (1.0,), 0.0))


OUT_OF_MEMORY = """
import resource
import numpy as np
from skseq._native import ctc
resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
log_probs, labels = np.zeros((1, 60_000, 2)), [np.zeros(25_000, dtype=int)]
try:
    ctc.best_paths(log_probs, np.array([60_000]), labels)
except MemoryError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of memory")
@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="needs memory")
def test_too_little_memory_is_an_error_in_words():
    said = run_python(OUT_OF_MEMORY, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    assert "too little memory" in said
