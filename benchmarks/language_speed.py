"""What a search that knows the language costs, and what its parts take to build.

    python benchmarks/language_speed.py --data-home DIR [--n-words N]

A reader of spoken digits reads dates: its beam search with a 5-gram, and with 1,000
hotwords, beside the same search without. A lexicon of 27,000 dates is compiled. A
trigram of words learns from text whose words are distributed as Zipf has it; memory is
that of the whole process at its peak, into which TensorFlow is imported later.
"""

import resource
from functools import partial
from time import perf_counter

import numpy as np
from side_by_side import Row, measure, run

from skseq.language import Hotwords, Lexicon, NgramModel
from skseq.language._guide import Guide

WIDTHS = 16, 64
N_ROUNDS = 7


def posteriors(data_home):
    """Log-posteriors of dates, and what may guide their search."""
    from spoken_dates import DATES, make_reader, share_out, speak

    from skseq.datasets import fetch_spoken_digits

    names = np.unique(fetch_spoken_digits(data_home=data_home).speaker).tolist()
    spoken, _, written = share_out(0)
    say = partial(speak, data_home=data_home)
    reader = make_reader(0, defaults=False).fit(*say(None, names[1:], 0))
    found = reader.predict_log_proba(say(spoken, names[:1], 200)[0])
    model = NgramModel(order=5, smoothing="witten_bell").fit(written)
    hotwords = Hotwords(DATES[:1000], weight=4.0, separator=None)
    classes = reader.classes_.tolist()
    guides = {
        "a 5-gram": Guide.of(10, [(model._automaton(classes), 1.0)]),
        "1,000 hotwords": Guide.of(10, [(hotwords._automaton(classes), 1.0)]),
    }
    return list(found), guides


def searches(data_home):
    from skseq._ctc.decoders import beam_search
    from skseq._data.batching import pad

    found, guides = posteriors(data_home)
    batch, lengths = pad(found), np.array(list(map(len, found)))
    n_frames = int(lengths.sum())
    for width in WIDTHS:
        search = partial(beam_search, batch, lengths, beam_width=width)
        tasks = {
            name: (partial(search, guide=guide), n_frames)
            for name, guide in {"nothing": None, **guides}.items()
        }
        rates = measure(tasks, N_ROUNDS)
        for name, aim in (("a 5-gram", 1.3), ("1,000 hotwords", 1.2)):
            ours, theirs = rates[name], rates["nothing"]
            yield Row(
                f"CTC beam search of dates with {name}, width {width}",
                "the same search without",
                ours.wall,
                theirs.wall,
                "frames per second",
                theirs.wall / ours.wall,
                aim,
                "time",
                theirs.processor / ours.processor,
            )


def lexicon():
    from spoken_dates import DATES

    start = perf_counter()
    Lexicon(DATES, separator=None)._automaton(list("0123456789"))
    seconds = perf_counter() - start
    work = f"lexicon of {len(DATES):,} dates"
    yield Row(work, "a second", seconds, 1.0, "seconds", seconds, 1.0, "time")


def zipf_text(n_words, n_sentences):
    """Sentences of words whose frequency falls as their rank rises."""
    rng = np.random.default_rng(0)
    ranks = rng.zipf(1.2, size=n_words) % 100_000
    return [
        " ".join(f"w{r}" for r in part) for part in np.array_split(ranks, n_sentences)
    ]


def trigram(n_words):
    text = zipf_text(n_words, n_words // 20)
    start = perf_counter()
    model = NgramModel(3, unit="word").fit(text)
    model.score_samples(text[:1])  # probabilities are there
    seconds = perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    work = f"trigram of {n_words:,} words"
    yield Row(work, "a minute", seconds, 60.0, "seconds", seconds / 60, 1.0, "time")
    yield Row(work, "2 GiB", memory, 2.0, "GiB", memory / 2, 1.0, "time")


def rows(n_words, data_home):
    yield from trigram(n_words)
    yield from lexicon()
    yield from searches(data_home)


if __name__ == "__main__":
    run(__doc__, rows, n_words=10_000_000, data_home=None)
