"""What the steps of `preprocess` do to sequences, and when."""

import threading

import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer, Normalizer

import skseq
from skseq import CTCSequenceClassifier
from skseq._autoencoder.data import ChangeScaling, ReconstructionData
from skseq._data.sequences import check_sequences
from skseq._preprocess import preprocessed
from skseq._preprocess.sequences import PreprocessedTokens
from skseq.augmentation import (
    Crop,
    FrameGain,
    GaussianNoise,
    Sometimes,
    TimeStretch,
    TokenDropout,
    augmenter,
)
from skseq.preprocessing import LogMel, SequenceNormalizer
from tests.contract.comparing import assert_same_weights
from tests.estimators import AUTOENCODER as CODER
from tests.estimators import CTC, EMBEDDER, ESTIMATORS, TRANSLATOR

FRAMEWISE = [CTC, CODER]
SEED = 7


def upper(texts):
    return [[token.upper() for token in text] for text in texts]


class Recorder:
    """An augmenter that notes what it draws, in which thread, and changes nothing."""

    changes_frames = False

    def __init__(self):
        self.draws, self.threads = [], set()

    def __call__(self, sequence, rng):
        self.draws.append(rng.random())
        self.threads.add(threading.get_ident())
        return sequence

    def __deepcopy__(self, memo):
        return self


def as_prepared(X, *steps):
    sequences = check_sequences(CTCSequenceClassifier(), X, reset=True)
    return preprocessed(sequences, list(steps))


# -- transformers ----------------------------------------------------------------------


@pytest.mark.parametrize("case", FRAMEWISE, ids=str)
def test_a_transformer_in_front_of_a_network_is_as_good_as_one_in_a_pipeline(case):
    by_hand = SequenceNormalizer().transform(case.X)
    inside = case.tiny(preprocess=[SequenceNormalizer()]).fit(case.X, case.y)
    before = case.tiny().fit(by_hand, case.y)
    assert_same_weights(inside, before)
    np.testing.assert_array_equal(
        case.degrees_of(inside, case.X), case.degrees_of(before, by_hand)
    )


def test_frames_of_another_width_are_counted_before_the_steps():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=n) for n in (900, 1200, 800, 1000)]
    mel = LogMel(sample_rate=8000, n_mels=3)
    reader = CTC.tiny(preprocess=[mel]).fit(X, ["a", "b", "ab", "c"])
    assert reader.n_features_in_ == 1
    assert reader.model_.inputs[0].shape[-1] == 3
    counts = [len(item) for item in reader.predict_proba(X)]
    assert counts == [len(item) for item in mel.transform(X)]


def test_a_transformer_of_scikit_learn_is_given_the_frames_as_a_table():
    X = [np.array([[3.0, 4.0], [0.0, 2.0]])]
    scaled = as_prepared(X, Normalizer(), FunctionTransformer(np.negative))[0]
    np.testing.assert_allclose(scaled, [[-0.6, -0.8], [0.0, -1.0]])


def test_rows_of_a_matrix_pass_the_steps_too():
    X = np.random.default_rng(0).normal(size=(6, 5))
    coder = CODER.tiny(preprocess=[SequenceNormalizer()]).fit(X)
    own = coder.reconstruct(X)
    assert [item.shape for item in own] == [(5, 1)] * 6
    assert coder.inverse_transform(coder.transform(X), 5)[0].shape == (5, 1)


@pytest.mark.parametrize("lazy", [False, True])
def test_what_no_augmenter_comes_before_is_made_once_of_data_in_memory(lazy):
    class Lazy:
        def __len__(self):
            return len(CTC.X)

        def __getitem__(self, i):
            return CTC.X[i]

    calls = []

    def count(frames):
        calls.append(frames)
        return frames

    X = Lazy() if lazy else CTC.X
    steps = [FunctionTransformer(count), Recorder()]
    CTC.tiny(epochs=3, preprocess=steps).fit(X, CTC.y)
    # A lazy X passes them where it is checked and where its scale is learnt, in each
    # of three epochs, and where what was learnt is judged.
    assert len(calls) == len(X) * (6 if lazy else 1)


def test_a_transformer_runs_once_per_epoch_where_nothing_is_augmented():
    class Lazy:
        def __len__(self):
            return len(CODER.X)

        def __getitem__(self, i):
            return CODER.X[i]

    def n_calls(epochs):
        calls = []
        step = FunctionTransformer(lambda frames: calls.append(1) or frames)
        CODER.tiny(epochs=epochs, preprocess=[step]).fit(Lazy())
        return len(calls)

    assert n_calls(3) - n_calls(1) == 2 * len(CODER.X)


def test_steps_that_make_frames_of_several_widths_are_refused():
    def pair(frames):
        return frames if len(frames) > 3 else np.hstack([frames, frames])

    X = [np.ones((5, 2)), np.ones((3, 2))]
    with pytest.raises(
        ValueError, match=r"gives X\[1\] 4 features per frame, but X\[0\] 2\."
    ):
        as_prepared(X, FunctionTransformer(pair))


# -- augmenters ------------------------------------------------------------------------


# Batches of one's own hold a sequence as often as its class needs it.
EACH_ONCE = [case for case in ESTIMATORS if not case.counts_pairs]


@pytest.mark.parametrize("case", EACH_ONCE, ids=str)
def test_augmenters_draw_once_per_epoch_and_sample_and_only_to_train(case):
    recorder = Recorder()
    validation = case.validation(case.X, case.y)
    fitted = case.tiny(epochs=3, preprocess=[recorder])
    fitted.fit(case.X, case.y, **validation)
    assert len(recorder.draws) == len(set(recorder.draws)) == 3 * len(case.X)
    case.results(fitted)
    fitted.score(case.X, case.y)
    assert len(recorder.draws) == 3 * len(case.X)


def test_augmenters_draw_for_each_sequence_of_a_batch_of_an_embedder():
    def draws(**params):
        recorder = Recorder()
        settings = {"epochs": 3, "steps_per_epoch": 2, "classes_per_batch": 2}
        fitted = EMBEDDER.tiny(preprocess=[recorder], **{**settings, **params})
        fitted.fit(EMBEDDER.X, EMBEDDER.y)
        n_trained = len(recorder.draws)
        fitted.score(EMBEDDER.X, EMBEDDER.y)
        assert len(recorder.draws) == n_trained
        return sorted(recorder.draws)

    expected = draws()
    assert len(expected) == len(set(expected)) == 3 * 2 * 4
    assert draws(batch_size=3) == expected
    assert draws(random_state=1) != expected


@pytest.mark.parametrize("case", EACH_ONCE, ids=str)
def test_draws_depend_on_seed_epoch_and_sample_alone(case):
    def draws(X, y, **params):
        recorder = Recorder()
        case.tiny(epochs=2, preprocess=[recorder], **params).fit(X, y)
        return sorted(recorder.draws)

    X, y = case.X, case.y
    expected = draws(X, y)
    assert draws(X, y, batch_size=3, shuffle=False) == expected
    assert draws(X, y, random_state=1) != expected
    # The first samples draw the same beside fewer others.
    assert set(draws(X[:5], y and y[:5])) < set(expected)


@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_epochs_one_by_one_draw_what_a_fit_draws(case):
    noise = GaussianNoise(1.0) if case.reads_frames else TokenDropout(0.5)
    params = {"preprocess": [noise], "shuffle": False}
    whole = case.tiny(epochs=3, **params).fit(case.X, case.y)
    parts = case.tiny(**params)
    for _ in range(3):
        parts.partial_fit(case.X, case.y)
    assert_same_weights(whole, parts)
    plain = case.tiny(epochs=3, shuffle=False).fit(case.X, case.y)
    assert whole.history_ != plain.history_


@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_a_fit_that_resumes_draws_what_an_unbroken_one_draws(case, tmp_path):
    noise = GaussianNoise(1.0) if case.reads_frames else TokenDropout(0.5)
    params = {"preprocess": [noise]}
    whole = case.tiny(epochs=3, **params).fit(case.X, case.y)
    case.tiny(epochs=1, checkpoint=tmp_path, **params).fit(case.X, case.y)
    resumed = case.tiny(epochs=3, checkpoint=tmp_path, **params).fit(case.X, case.y)
    assert_same_weights(whole, resumed)
    assert len(list(tmp_path.iterdir())) == 1
    other = [Sometimes(noise, 0.3)]
    case.tiny(epochs=1, checkpoint=tmp_path, preprocess=other).fit(case.X, case.y)
    assert len(list(tmp_path.iterdir())) == 2


def test_what_leaves_too_few_frames_for_the_labels_is_drawn_again():
    @augmenter
    def halve_or_ruin(sequence, rng):
        return sequence[: 2 if rng.random() < 0.5 else len(sequence) - 1]

    X = [np.random.default_rng(i).normal(size=(9, 2)) for i in range(30)]
    prepared = as_prepared(X, halve_or_ruin)
    drawn = prepared.in_epoch(SEED, 0, fits=lambda i, n_frames: n_frames >= 3)
    assert {len(drawn[i]) for i in range(30)} == {8}
    hopeless = prepared.in_epoch(SEED, 0, fits=lambda i, n_frames: n_frames >= 9)
    assert {len(hopeless[i]) for i in range(30)} == {9}


def test_augmentation_never_makes_ctc_infeasible():
    @augmenter
    def one_frame(sequence, rng):
        return sequence[:1]

    y = ["ab"] * len(CTC.X)
    reader = CTC.tiny(epochs=2, preprocess=[one_frame]).fit(CTC.X, y)
    assert_same_weights(reader, CTC.tiny(epochs=2).fit(CTC.X, y))


def test_lengths_are_those_of_an_epoch_where_batches_must_have_one():
    X = [np.ones((n, 2)) for n in (20, 20, 20, 35)]
    prepared = as_prepared(X, Crop(0.5))
    assert prepared.lengths.tolist() == [20, 20, 20, 35]
    drawn = prepared.in_epoch(SEED, 3, exact=True)
    assert drawn.lengths.tolist() == [len(drawn[i]) for i in range(4)]
    assert drawn.lengths.tolist() != prepared.lengths.tolist()


def test_a_front_end_that_sees_padding_gets_none_of_augmented_sequences_either():
    import keras

    seen = []

    def mean_over_time(frames):
        mean = keras.layers.Lambda(
            lambda x: keras.ops.mean(x, axis=1, keepdims=True),
            output_shape=lambda shape: (shape[0], 1, shape[2]),
        )
        return keras.layers.Subtract()([frames, mean(frames)])

    class Watching(CTCSequenceClassifier):
        def _check_data(self, *args, **kwargs):
            data = super()._check_data(*args, **kwargs)
            in_epoch = type(data).in_epoch

            class Watched(type(data)):
                def assemble(self, rows, read=None):
                    batch = super().assemble(rows, read)
                    seen.append(batch["lengths"].tolist())
                    return batch

                def in_epoch(self, *conditions):
                    return Watched(**vars(in_epoch(self, *conditions)))

            return Watched(**vars(data))

    X = [np.random.default_rng(i).normal(size=(12, 2)) for i in range(8)]
    Watching(
        units=2,
        epochs=2,
        random_state=0,
        front_end=mean_over_time,
        preprocess=[TimeStretch(0.5, 2.0)],
    ).fit(X, ["a"] * 8)
    assert len({n for lengths in seen for n in lengths}) > 2
    assert all(len(set(lengths)) == 1 for lengths in seen)


def test_the_autoencoder_is_trained_to_undo_what_augmenters_do():
    X = [np.arange(10.0).reshape(5, 2), np.ones((3, 2))]
    prepared = as_prepared(X, FrameGain(2, 2))
    scaling = ChangeScaling(np.zeros(2), np.ones(2))
    data = ReconstructionData(prepared, np.ones(2), scaling)
    batch = data.in_epoch(SEED, 0, False).assemble(np.array([0, 1]))
    np.testing.assert_array_equal(batch["levels"][0], X[0])
    gained = 2 * batch["levels"]
    np.testing.assert_allclose(batch["frames"], gained, rtol=1e-6)
    plain = data.assemble(np.array([0, 1]))
    np.testing.assert_array_equal(plain["frames"], plain["levels"])


def test_x_is_read_in_the_thread_that_fits_and_augmented_in_another():
    readers, recorder = set(), Recorder()

    class Lazy:
        def __len__(self):
            return len(CTC.X)

        def __getitem__(self, i):
            readers.add(threading.get_ident())
            return CTC.X[i]

    CTC.tiny(preprocess=[recorder]).fit(Lazy(), CTC.y)
    assert readers == {threading.get_ident()}
    assert readers.isdisjoint(recorder.threads)


# -- tokens ----------------------------------------------------------------------------


def test_tokens_are_dropped_while_training_and_only_then():
    tokens = [["a", "b", "c", "d"], ["e", "f", "g"]]
    prepared = PreprocessedTokens(tokens, [TokenDropout(0.5)])
    assert prepared.sequences == tokens
    drawn = [prepared.drawn(SEED, epoch, 0) for epoch in range(40)]
    assert len(set(map(tuple, drawn))) > 5
    assert drawn[3] == prepared.drawn(SEED, 3, 0)
    assert all(set(item) <= set("abcd") for item in drawn)


def test_a_transformer_of_tokens_decides_what_the_vocabulary_holds():
    def lower(texts):
        return [[token.lower() for token in text] for text in texts]

    X, y = ["A b", "B", "a A"], ["x", "y", "z"]
    translator = TRANSLATOR.tiny(preprocess=[FunctionTransformer(lower)]).fit(X, y)
    assert translator.source_vocabulary_.tolist() == ["a", "b"]
    found = translator.predict_proba(["A B"])[0], translator.predict_proba(["a b"])[0]
    np.testing.assert_array_equal(*found)


# -- what stays the same after fit -----------------------------------------------------


WAVEFORMS = [np.random.default_rng(n).normal(size=n) for n in (900, 1200, 800, 1000)]
LETTERS = ["a", "b", "ab", "a"]


def test_training_continues_with_frames_of_the_same_width_only():
    reader = CTC.tiny(preprocess=[LogMel(n_mels=9)]).fit(WAVEFORMS, LETTERS)
    reader.set_params(preprocess=[LogMel(n_mels=8)])
    with pytest.raises(ValueError, match=r"frames of 8 features, but in fit it gave 9"):
        reader.partial_fit(WAVEFORMS, LETTERS)


@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_predictions_pass_the_steps_that_the_fit_had(case, tmp_path):
    normalizer = SequenceNormalizer()
    steps = [normalizer if case.reads_frames else FunctionTransformer(upper)]
    model = case.tiny(preprocess=steps).fit(case.X, case.y)
    expected = case.degrees_of(model, case.X)
    model.set_params(preprocess=None)
    np.testing.assert_array_equal(case.degrees_of(model, case.X), expected)
    if case is CTC:
        scores = model.score_samples(case.X, case.y)
        model.set_params(preprocess=steps)
        np.testing.assert_array_equal(model.score_samples(case.X, case.y), scores)
        model.set_params(preprocess=None)
    if case.reads_frames:
        model.save(tmp_path / "model.skseq")
        loaded = skseq.load(tmp_path / "model.skseq")
        np.testing.assert_array_equal(case.degrees_of(loaded, case.X), expected)


# -- waveforms -------------------------------------------------------------------------


def test_stereo_is_refused_here_as_in_a_pipeline():
    stereo = [np.column_stack([x, x]) for x in WAVEFORMS]
    with pytest.raises(ValueError, match="needs waveforms of one channel") as alone:
        LogMel().transform(stereo)
    with pytest.raises(ValueError, match=r"preprocess\[0\], LogMel, failed") as inside:
        CTC.tiny(preprocess=[LogMel()]).fit(stereo, LETTERS)
    assert str(alone.value) in str(inside.value)


@pytest.mark.parametrize("before", [[], [GaussianNoise()]])
def test_a_window_longer_than_all_waveforms_is_refused_in_fit(before):
    steps = [*before, LogMel(window_seconds=0.1, hop_seconds=0.05)]
    with pytest.raises(ValueError, match="each would be a single frame"):
        CTC.tiny(preprocess=steps).fit(WAVEFORMS, list("abab"))
    fitted = CTC.tiny(preprocess=steps).fit([*WAVEFORMS, np.ones(2000)], list("ababa"))
    assert fitted.predict(WAVEFORMS[:1]).shape == (1,)


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_rows_of_integers_keep_their_loudness(dtype):
    levels = np.random.default_rng(0).uniform(-0.1, 0.1, size=(4, 900))
    rows = (levels * np.iinfo(dtype).max).astype(dtype)
    together = CTC.tiny(preprocess=[LogMel()]).fit(rows, LETTERS)
    one_by_one = CTC.tiny(preprocess=[LogMel()]).fit(list(rows), LETTERS)
    np.testing.assert_array_equal(together.mean_, one_by_one.mean_)
    assert together.mean_.max() < 10  # 2 log(2**15) more, were they not divided
