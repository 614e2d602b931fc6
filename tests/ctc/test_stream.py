"""A stream gives what `predict` gives for all of its frames, however they are cut."""

import copy
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import FunctionTransformer

from skseq import CTCSequenceClassifier, Seq2SeqTranslator
from skseq.augmentation import GaussianNoise
from skseq.language import Lexicon, NgramModel
from skseq.preprocessing import MFCC, FrameDifference, LogMel, SequenceNormalizer
from tests.processes import run_python
from tests.toy import as_text, roughened, symbol_runs

RUNS, SYMBOLS, _ = symbol_runs(12)
FRAMES = [np.repeat(frames, 4, axis=0) for frames in RUNS]  # for any strides
FORMS = {
    "str": as_text(SYMBOLS),
    "list": [list(as_text([s])[0]) for s in SYMBOLS],
    "tuple": [tuple(s.tolist()) for s in SYMBOLS],
    "array": SYMBOLS,
    "single": np.array([s[0] for s in SYMBOLS]),
}
NETWORKS = {
    "lstm": {"conv_filters": ()},
    "gru, strided": {"cell": "gru", "conv_filters": 6, "conv_strides": 3},
    "even kernel": {"conv_filters": (6, 5), "conv_kernel_size": 4, "conv_strides": 2},
    "stride beyond the kernel": {"conv_kernel_size": 1, "conv_strides": 3},
    "skipping": {"conv_filters": 6, "conv_strides": 2, "skip_frames": 2},
    "differences": {"conv_filters": (), "preprocess": [FrameDifference(order=2)]},
}
SLOW_NETWORKS = {
    "stacked": {"units": (5, 4), "cell": "gru", "conv_filters": (6, 5, 4)},
    "wide kernel": {"conv_filters": 6, "conv_kernel_size": 9, "conv_strides": 1},
    "gru": {"cell": "gru", "conv_filters": ()},
    "not standardized": {"standardize": False, "units": (6, 5)},
    "changes alone": {"preprocess": [FrameDifference(keep_first=False)]},
}
RATE = 1000
AUDIO = {"sample_rate": RATE, "n_mels": 6, "n_fft": 64}
STEPS = {
    "log mel": [LogMel(**AUDIO)],
    "cepstrum and slopes": [MFCC(**AUDIO, n_mfcc=5, deltas=2), GaussianNoise(0.1)],
    "hop beyond the window": [LogMel(**AUDIO, hop_seconds=0.04, deltas=1)],
    "differences of log mel": [LogMel(**AUDIO), FrameDifference()],
}


@cache
def reader(network="lstm", form="str"):
    """A classifier whose weights are rough, so that it writes much, and changes."""
    settings = {**NETWORKS, **SLOW_NETWORKS}[network]
    settings = {"units": 6, "bidirectional": False, "epochs": 1, **settings}
    fitted = CTCSequenceClassifier(random_state=0, **settings)
    return roughened(fitted.fit(FRAMES, FORMS[form]))


@cache
def listener(steps):
    """A classifier of waveforms."""
    rng = np.random.default_rng(0)
    X = [rng.normal(size=n) for n in (400, 700, 500, 600)]
    fitted = CTCSequenceClassifier(
        preprocess=STEPS[steps],
        bidirectional=False,
        units=6,
        conv_strides=2,
        epochs=1,
        random_state=0,
    )
    return roughened(fitted.fit(X, ["ab", "ba", "aab", "b"]))


def with_decoder(estimator, decoder, beam_width=4):
    return copy.copy(estimator).set_params(decoder=decoder, beam_width=beam_width)


def cut(frames, rng):
    """Pieces of random lengths, some of them empty."""
    places = rng.integers(0, len(frames) + 1, size=rng.integers(0, 12))
    return np.split(frames, np.sort(places))


def same(found, expected):
    return type(found) is type(expected) and np.array_equal(found, expected)


def check_cuttings(estimator, draw, n_cuttings, seed=0):
    """Compare the end with `predict`; what is settled must only grow until then."""
    rng = np.random.default_rng(seed)
    for _ in range(n_cuttings):
        frames = draw(rng)
        expected = estimator.predict([frames])[0]
        settled = []
        with estimator.stream() as stream:
            for piece in cut(frames, rng):
                stable = stream.push(piece).stable
                if stable is not None:
                    assert list(stable[: len(settled)]) == list(settled)
                    assert type(stable) is type(expected)
                    settled = stable
            found = stream.finish()
        assert same(found, expected)
        assert list(expected[: len(settled)] if len(settled) else []) == list(settled)


def draw_frames(rng):
    return 2 * rng.normal(size=(rng.integers(6, 60), 3))


@pytest.mark.parametrize("decoder", ["greedy", "beam"])
@pytest.mark.parametrize("network", NETWORKS)
def test_any_cutting_gives_what_predict_gives(network, decoder):
    check_cuttings(with_decoder(reader(network), decoder), draw_frames, 20)


@pytest.mark.slow
@pytest.mark.parametrize("decoder", ["greedy", "beam"])
@pytest.mark.parametrize(
    ("network", "form"),
    [
        *((network, "str") for network in [*NETWORKS, *SLOW_NETWORKS]),
        *(("gru, strided", form) for form in FORMS if form != "str"),
    ],
)
def test_any_cutting_of_every_network_gives_what_predict_gives(network, form, decoder):
    check_cuttings(with_decoder(reader(network, form), decoder), draw_frames, 100, 1)


@pytest.mark.parametrize("form", ["list", "tuple", "array", "single"])
def test_labels_come_in_the_form_of_the_fitted_y(form):
    check_cuttings(reader("lstm", form), draw_frames, 5)


@pytest.mark.parametrize("floor", [-3.0, -np.inf])
def test_the_floor_of_the_search_is_that_of_predict(floor):
    estimator = with_decoder(reader("lstm"), "beam")
    check_cuttings(estimator.set_params(min_label_log_prob=floor), draw_frames, 10)


def frozen_model(form):
    model = NgramModel(order=3, smoothing="witten_bell").fit(FORMS[form])
    return FrozenEstimator(model)


TOLD = {
    "a model": lambda form: {"language_model": frozen_model(form)},
    "a bonus": lambda form: {"insertion_bonus": 1.0},
    "a penalty": lambda form: {"blank_penalty": 1.5},
    "words": lambda form: {"lexicon": [*FORMS[form][:5], *FORMS[form][:1]]},
    "other words at a price": lambda form: {
        "lexicon": Lexicon(FORMS[form][:5], unknown="penalize", penalty=-2.0)
    },
    "phrases": lambda form: {"hotwords": [y[:2] for y in FORMS[form]]},
    "a pattern": lambda form: {
        "pattern": "[0-2]{4,9}" if form == "array" else "[ab]{4,9}c?"
    },
    "all of it": lambda form: {
        "language_model": frozen_model(form),
        "hotwords": [y[:2] for y in FORMS[form]],
        "lexicon": Lexicon(FORMS[form][:5], unknown="penalize", penalty=-2.0),
        "pattern": ".{3,7}",
        "blank_penalty": 0.5,
        "insertion_bonus": 0.5,
    },
}


@pytest.mark.filterwarnings("ignore:Nothing that")  # fits the shortest
@pytest.mark.parametrize("told", TOLD)
@pytest.mark.parametrize("form", ["str", "list", "array"])
def test_what_is_known_of_the_language_does_not_depend_on_the_cutting(form, told):
    estimator = with_decoder(reader("gru, strided", form), "beam")
    check_cuttings(estimator.set_params(**TOLD[told](form)), draw_frames, 10)


def test_the_penalty_of_blanks_is_that_of_predict_in_greedy_decoding_too():
    estimator = with_decoder(reader("lstm"), "greedy").set_params(blank_penalty=2.0)
    check_cuttings(estimator, draw_frames, 10)


def test_where_nothing_valid_fits_the_stream_ends_empty_with_a_warning():
    estimator = with_decoder(reader("lstm"), "beam").set_params(pattern="(ab){9}")
    with estimator.stream() as stream:
        for piece in np.split(FRAMES[0][:17], [3, 9]):
            assert stream.push(piece).stable == ""
        with pytest.warns(UserWarning, match="pattern allows fits these frames"):
            assert stream.finish() == ""


def test_a_stream_holds_back_the_frames_that_a_constraint_may_need():
    frames = draw_frames(np.random.default_rng(3))[:40]
    spans = {}
    for pattern in (None, ".*", "[abc]{3}"):
        told = with_decoder(reader("lstm"), "beam").set_params(pattern=pattern)
        with told.stream() as stream:
            spans[pattern] = stream.push(frames).span
    assert spans[None][1] == spans["[abc]{3}"][1] == len(frames)
    assert spans["[abc]{3}"][0] <= len(frames) - 3


def test_a_stream_keeps_what_it_was_told_when_it_was_opened():
    estimator = with_decoder(reader("lstm"), "beam").set_params(lexicon=["ab", "c"])
    expected = estimator.predict(FRAMES[:1])[0]
    with estimator.stream() as stream:
        stream.push(FRAMES[0][:9])
        estimator.set_params(lexicon=["bbb"]).predict(FRAMES[:1])
        stream.push(FRAMES[0][9:])
        assert stream.finish() == expected


@pytest.mark.slow
def test_more_than_a_stream_can_hold_back_is_refused_when_it_is_opened():
    estimator = with_decoder(reader("lstm"), "beam").set_params(lexicon=["ab" * 9999])
    with pytest.raises(ValueError, match="holds back as many frames"):
        estimator.stream()


@pytest.mark.parametrize("steps", STEPS)
def test_any_cutting_of_a_waveform_gives_what_predict_gives(steps):
    def draw(rng):
        return rng.normal(size=rng.integers(60, 700))

    check_cuttings(listener(steps), draw, 15)


@pytest.mark.parametrize("dtype", ["int16", "int32", "float32"])
def test_waveforms_are_scaled_by_their_dtype(dtype):
    def draw(rng):
        if dtype == "float32":
            return rng.normal(size=300).astype(dtype)
        return rng.integers(-(2**15), 2**15, size=300).astype(dtype) * (
            2**16 if dtype == "int32" else 1
        )

    check_cuttings(listener("log mel"), draw, 5)


@pytest.mark.slow
def test_without_compiled_code_any_cutting_gives_what_predict_gives():
    test = "tests/ctc/test_stream.py::test_any_cutting_gives_what_predict_gives"
    code = f"import pytest; print(int(pytest.main(['-q', '-x', {test!r}])))"
    assert run_python(code, SKSEQ_NATIVE="0").splitlines()[-1] == "0"


# -- what a push returns ---------------------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS)
def test_after_each_push_greedy_labels_are_those_of_the_frames_so_far(network):
    estimator, rng = reader(network), np.random.default_rng(1)
    frames = draw_frames(rng)
    with estimator.stream() as stream:
        for end in range(6, len(frames)):
            piece = frames[: end + 1] if end == 6 else frames[end : end + 1]
            partial = stream.push(piece)
            expected = estimator.predict([frames[: end + 1]])[0]
            assert partial.stable + partial.unstable == expected


def test_with_one_label_per_sample_the_label_so_far_is_unstable():
    estimator = reader("lstm", "single")
    frames = draw_frames(np.random.default_rng(2))
    with estimator.stream() as stream:
        assert stream.push(frames[:0]) == (None, None, (0, 0))
        for end in range(1, len(frames)):
            partial = stream.push(frames[end - 1 : end])
            assert partial.stable is None
            assert partial.unstable == estimator.predict([frames[:end]])[0]
            assert partial.span == (0, end)


def test_a_span_counts_the_frames_that_are_settled_and_those_that_were_pushed():
    frames = draw_frames(np.random.default_rng(3))[:11]
    with reader("gru, strided").stream() as stream:
        # An output frame is centred on each third frame, and sees two beyond it.
        spans = [stream.push(frames[t : t + 1]).span for t in range(11)]
    settled = [3 * max(0, t // 3 + (t % 3 == 2)) for t in range(11)]
    assert spans == [(min(n, t + 1), t + 1) for t, n in enumerate(settled)]


def test_spans_of_waveforms_count_audio_samples():
    audio = np.random.default_rng(4).normal(size=500)
    with listener("log mel").stream() as stream:
        first, second = (stream.push(piece) for piece in (audio[:300], audio[300:]))
    assert first.span[1] == 300
    assert second.span[1] == 500
    assert first.span[0] % 20 == second.span[0] % 20 == 0  # a hop of 10, a stride of 2
    assert 200 < first.span[0] < 300 < second.span[0] <= 500


def test_what_a_push_returns_is_the_users_own():
    estimator, rng = reader("lstm", "list"), np.random.default_rng(5)
    frames = draw_frames(rng)
    with estimator.stream() as stream:
        for piece in np.split(frames, 5 * np.arange(1, len(frames) // 5)):
            stream.push(piece).stable.clear()
        assert stream.finish() == estimator.predict([frames])[0]


def test_pushed_frames_may_be_overwritten():
    estimator, rng = reader("even kernel"), np.random.default_rng(6)
    frames, buffer = draw_frames(rng), np.empty((1, 3))
    with estimator.stream() as stream:
        for frame in frames:
            buffer[0] = frame
            stream.push(buffer)
            buffer[:] = np.nan
        assert stream.finish() == estimator.predict([frames])[0]


@pytest.mark.parametrize("nothing", [[], np.empty((0, 3)), np.empty(0, "float32")])
def test_no_frames_change_nothing(nothing):
    estimator, frames = reader(), draw_frames(np.random.default_rng(7))
    with estimator.stream() as stream:
        stream.push(nothing)
        before = stream.push(frames)
        assert stream.push(nothing) == before


def test_tables_and_lists_can_be_pushed():
    columns = list("abc")
    tables = [pd.DataFrame(x, columns=columns) for x in FRAMES]
    estimator = CTCSequenceClassifier(bidirectional=False, units=6, epochs=1)
    estimator.fit(tables, FORMS["str"])
    with estimator.stream() as stream:
        stream.push(tables[0][:7])
        stream.push(tables[0][7:])
        assert stream.finish() == estimator.predict(tables[:1])[0]
    with reader().stream() as stream:
        stream.push(FRAMES[0].tolist())
        assert stream.finish() == reader().predict(FRAMES[:1])[0]


def test_one_that_was_fitted_on_a_table_of_series_reads_series_of_any_length():
    X = np.random.default_rng(8).normal(size=(6, 20))
    estimator = CTCSequenceClassifier(bidirectional=False, units=6, epochs=1)
    estimator.fit(X, ["ab"] * 6)
    with estimator.stream() as stream:
        stream.push(X[0, :7])
        stream.push(X[0, 7:, None])
        assert stream.finish() == estimator.predict(X[:1])[0]
        with pytest.raises(ValueError, match="2 features"):
            estimator.stream().push(np.zeros((4, 2)))


# -- memory, threads, other streams ----------------------------------------------------


def n_bytes(stream):
    """What is kept between two pushes, beside the text."""
    return len(pickle.dumps(stream._state))


def hear(estimator, n_frames, n_at_once=3000):
    """What a stream keeps after each push of noise."""
    rng = np.random.default_rng(9)
    with estimator.stream() as stream:
        for _ in range(n_frames // n_at_once):
            stream.push(2 * rng.normal(size=(n_at_once, 3)))
            yield n_bytes(stream)


@pytest.mark.parametrize(
    ("decoder", "n_frames"),
    [
        ("greedy", 30_000),
        pytest.param("greedy", 360_000, marks=pytest.mark.slow),
        pytest.param("beam", 360_000, marks=pytest.mark.slow),
    ],
)
def test_memory_does_not_grow_over_an_hour_of_frames(decoder, n_frames):
    estimator = with_decoder(reader("gru, strided"), decoder)
    sizes = list(hear(estimator, n_frames))
    settled = sizes[len(sizes) // 5 :]
    assert max(settled) < 1.5 * max(sizes[: len(sizes) // 5])
    assert max(settled[len(settled) // 2 :]) < 1.2 * max(settled[: len(settled) // 2])


def test_streams_in_threads_and_side_by_side_do_not_know_of_each_other():
    estimator, rng = reader("gru, strided"), np.random.default_rng(10)
    series = [draw_frames(rng) for _ in range(8)]

    def listen(frames):
        with estimator.stream() as stream:
            for frame in frames:
                stream.push(frame[None])
            return stream.finish()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(listen, series)) == estimator.predict(series).tolist()
    streams = [estimator.stream() for _ in series]
    for t in range(max(map(len, series))):
        for stream, frames in zip(streams, series, strict=True):
            stream.push(frames[t : t + 1])
    found = [stream.finish() for stream in streams]
    assert found == estimator.predict(series).tolist()


def test_one_stream_takes_pushes_from_several_threads():
    rng, estimator = np.random.default_rng(11), reader()
    piece = draw_frames(rng)
    with estimator.stream() as stream, ThreadPoolExecutor(4) as pool:
        list(pool.map(stream.push, [piece] * 12))
        assert stream.finish() == estimator.predict([np.tile(piece, (12, 1))])[0]


def test_what_becomes_of_the_estimator_does_not_change_an_open_stream():
    estimator = copy.copy(reader())
    frames = draw_frames(np.random.default_rng(12))
    expected = estimator.predict([frames])[0]
    with estimator.stream() as stream:
        stream.push(frames[:5])
        estimator.set_params(decoder="beam", beam_width=1, preprocess=[LogMel()])
        estimator.set_params(preprocess=None, units=9)
        estimator.fit(FRAMES, [text.upper() for text in FORMS["str"]])
        stream.push(frames[5:])
        assert stream.finish() == expected


# -- what is refused -------------------------------------------------------------------


def test_a_refused_push_leaves_the_stream_as_it_was():
    estimator = listener("cepstrum and slopes")
    audio = np.random.default_rng(13).normal(size=400)
    refused = {
        "NaN": (np.where(np.arange(9) == 4, np.nan, 0.0), r"NaN \(frames\[4, 0\]"),
        "text": (["a", "b"], "frames"),
        "two channels": (np.zeros((9, 2)), "2 features"),
        "no frames of two channels": (np.zeros((0, 2)), "2 features"),
        "another dtype": (np.zeros(9, "int16"), r"Push frames of one dtype and scale"),
        "a number": (1.0, "frames is a scalar"),
        "a ragged list": ([[1.0], [2.0, 3.0]], "frames is not rectangular"),
        "a dict": ({}, "frames is a dict"),
        "text that is empty": ("", "frames is text"),
        "too deep": (np.zeros((2, 2, 2)), "3 dimensions"),
    }
    with estimator.stream() as stream:
        with pytest.raises(ValueError, match=r"MFCC, failed on frames: frames has dty"):
            stream.push(np.zeros(9, "uint8"))
        stream.push(audio[:130])
        for frames, pattern in refused.values():
            with pytest.raises((ValueError, TypeError), match=pattern):
                stream.push(frames)
        stream.push(audio[130:])
        assert stream.finish() == estimator.predict([audio])[0]


def test_a_network_that_fails_leaves_the_stream_as_it_was(monkeypatch):
    estimator, frames = reader(), draw_frames(np.random.default_rng(14))
    with estimator.stream() as stream:
        stream.push(frames[:9])
        with monkeypatch.context() as patch:
            patch.setattr("skseq._ctc.stream._Network.run", interrupt)
            with pytest.raises(KeyboardInterrupt):
                stream.push(frames[9:])
        stream.push(frames[9:])
        assert stream.finish() == estimator.predict([frames])[0]


def interrupt(*_):
    raise KeyboardInterrupt


def test_a_stream_that_has_ended_says_so():
    stream = reader().stream()
    with stream:
        stream.push(FRAMES[0])
    uses = stream.finish, stream.__enter__, lambda: stream.push(FRAMES[0])
    for use in uses:
        with pytest.raises(ValueError, match=r"has ended.*stream\(\)"):
            use()
    finished = reader().stream()
    finished.push(FRAMES[0])
    finished.finish()
    with pytest.raises(ValueError, match="has ended"):
        finished.finish()


def test_a_stream_that_is_too_short_stays_open():
    estimator = reader("skipping")
    with estimator.stream() as stream:
        with pytest.raises(ValueError, match="Of 0 frames pushed"):
            stream.finish()
        stream.push(FRAMES[0][:2])
        with pytest.raises(ValueError, match=r"Of 2 frames pushed.*Push more"):
            stream.finish()
        stream.push(FRAMES[0][2:])
        assert stream.finish() == estimator.predict(FRAMES[:1])[0]
    with reader("changes alone").stream() as stream:
        stream.push(FRAMES[0][:1])
        with pytest.raises(ValueError, match=r"too few for a difference.*Push more"):
            stream.finish()


def test_a_waveform_shorter_than_a_window_is_one_frame():
    estimator = listener("cepstrum and slopes")
    audio = np.random.default_rng(15).normal(size=7)
    with estimator.stream() as stream:
        stream.push(audio[:3])
        stream.push(audio[3:])
        assert stream.finish() == estimator.predict([audio])[0]


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_stream_cannot_be_copied(copied):
    with pytest.raises(TypeError, match="neither copied nor pickled"):
        copied(reader().stream())


class Halved(LogMel):
    """A step of a user's own, whatever it inherits."""

    def _mapping(self):
        mapping = super()._mapping()
        return lambda i, x: mapping(i, x)[::2]


def smoothed(frames):
    import keras

    return keras.layers.AveragePooling1D(2)(frames)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bidirectional": True}, "bidirectional=False"),
        ({"front_end": smoothed}, "front_end of your own.*front_end=None"),
        ({"front_end": "image"}, 'front_end "image".*front_end=None'),
        (
            {"preprocess": [FrameDifference(), SequenceNormalizer()]},
            "SequenceNormalizer needs the whole of it.*standardize=True",
        ),
        (
            {"preprocess": [FunctionTransformer()]},
            "FunctionTransformer may need the whole of it",
        ),
    ],
)
def test_what_cannot_be_read_piece_by_piece_is_refused(settings, words):
    estimator = CTCSequenceClassifier(
        **{"bidirectional": False, "units": 6, "epochs": 1, **settings}
    )
    estimator.fit(FRAMES, FORMS["str"])
    with pytest.raises(ValueError, match=words):
        estimator.stream()


def test_a_step_that_inherits_from_ours_is_not_taken_for_it():
    estimator = CTCSequenceClassifier(
        preprocess=[Halved(**AUDIO)], bidirectional=False, units=6, epochs=1
    )
    rng = np.random.default_rng(16)
    estimator.fit([rng.normal(size=900) for _ in range(4)], ["a", "b", "a", "b"])
    with pytest.raises(ValueError, match="Halved may need the whole"):
        estimator.stream()


def test_only_what_is_fitted_can_be_streamed_to():
    with pytest.raises(NotFittedError):
        CTCSequenceClassifier(bidirectional=False).stream()
    estimator = copy.copy(reader()).set_params(decoder="best")
    with pytest.raises(ValueError, match=re.escape("decoder")):
        estimator.stream()


def test_a_translator_has_no_stream():
    assert not hasattr(Seq2SeqTranslator(), "stream")
