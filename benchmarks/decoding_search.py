"""What it costs to search decoding: one run of the network, and its searches.

    python benchmarks/decoding_search.py [--n-samples N]

Twenty-four combinations of `CTCSequenceClassifier.fit_decoding`, scoring included,
beside two passes of the network and the same searches, each timed alone over posteriors
that are there already; and eight of `Seq2SeqTranslator`, beside as many predictions.
The networks are hardly trained, so that searches are as wide as they get.
"""

import warnings
from functools import partial
from time import perf_counter, process_time

import numpy as np
from side_by_side import Row, run, sequences_of
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import ParameterGrid

from skseq import CTCSequenceClassifier, Seq2SeqTranslator
from skseq._ctc.decoders import DECODERS
from skseq.datasets import make_number_words

N_ROUNDS = 3
READING = {
    "decoder": ["beam"],
    "beam_width": [2, 4, 8, 12, 16, 24],
    "min_label_log_prob": [-3.0, -5.0, -8.0, None],
}
TRANSLATING = {
    "decoder": ["beam"],
    "beam_width": [2, 4],
    "length_penalty": [0.0, 0.5, 1.0, 2.0],
}


def seconds(function) -> np.ndarray:
    """The least seconds of some calls, passed and of the processor.

    One call before them traces.
    """
    function()
    found = []
    for _ in range(N_ROUNDS):
        start = np.array([perf_counter(), process_time()])
        function()
        found.append(np.array([perf_counter(), process_time()]) - start)
    return np.min(found, axis=0)


def row(work, against, ours, theirs, aim) -> Row:
    wall, processor = (ours / theirs).tolist()
    times = ours[0], theirs[0]
    return Row(work, against, *times, "seconds", wall, aim, "time", processor)


def reading(n_samples):
    """Frames to labels: passes of the network and searches, each alone."""
    X = sequences_of(n_samples, 100, 300, 13)
    y = [[i % 10, (i // 10) % 10] for i in range(n_samples)]
    reader = CTCSequenceClassifier(units=64, epochs=1, random_state=0).fit(X, y)
    batches = reader._hold(X)

    def search(decoder, beam_width, min_label_log_prob):
        for _, batch in batches:
            DECODERS[decoder](*batch, beam_width, min_label_log_prob)

    candidates = list(ParameterGrid(READING))
    alone = sum(seconds(partial(search, **params)) for params in candidates)
    alone += 2 * seconds(partial(reader._hold, X))
    return row(
        f"{len(candidates)} combinations of decoding, frames to labels",
        f"2 passes of the network and {len(candidates)} searches",
        seconds(partial(reader.fit_decoding, X, y, READING)),
        alone,
        1,
    )


def translating(n_samples):
    """Tokens to tokens: as many predictions, each of which encodes again."""
    X, y = make_number_words(n_samples, max_value=9999, random_state=0)
    translator = Seq2SeqTranslator(units=64, epochs=1, random_state=0).fit(X, y)

    def predict(**params):
        translator.set_params(**params).predict(X)

    candidates = list(ParameterGrid(TRANSLATING))
    return row(
        f"{len(candidates)} combinations of decoding, tokens to tokens",
        f"{len(candidates)} predictions",
        seconds(partial(translator.fit_decoding, X, y, TRANSLATING)),
        sum(seconds(partial(predict, **params)) for params in candidates),
        1.1,
    )


def rows(n_samples):
    warnings.simplefilter("ignore", ConvergenceWarning)
    yield reading(n_samples)
    yield translating(n_samples)


if __name__ == "__main__":
    run(__doc__, rows, n_samples=400)
