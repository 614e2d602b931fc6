"""Calls as a user writes them, for a type checker: `pyright tests/typing_user.py`.

Nothing runs this file. Every kind of call in the README and the guides stands here, and
a type checker must accept all of it. Where an error is ignored there must be one.
"""
# pyright: reportUnnecessaryTypeIgnoreComment=true

import pathlib
from datetime import timedelta
from typing import assert_type

import keras
import numpy as np
import tensorflow as tf
from keras.callbacks import EarlyStopping, ReduceLROnPlateau
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skseq
from skseq import (
    CTCSequenceClassifier,
    LabelSpan,
    LSTMAutoencoder,
    Partial,
    RankedLabels,
    RankedOutput,
    Seq2SeqTranslator,
    TrainingDivergedError,
    clear_programs,
    exceptions,
    load,
    scikeras,
    show_versions,
)
from skseq.augmentation import Compose, SpecAugment, SpeedPerturb, augmenter
from skseq.datasets import (
    make_digit_strips,
    make_number_words,
    make_sensor_sequences,
    make_voices,
)
from skseq.inspection import (
    AlignmentDisplay,
    AnomalyScoreDisplay,
    AttentionDisplay,
    EmbeddingDisplay,
    LabelConfusionDisplay,
    PairScoresDisplay,
    ReconstructionDisplay,
    SeriesDisplay,
    TrainingHistoryDisplay,
)
from skseq.language import Hotwords, LabelPattern, Lexicon, NgramModel
from skseq.metrics import (
    equal_error_rate,
    label_error_rate,
    label_error_rate_scorer,
)
from skseq.preprocessing import (
    MFCC,
    FrameDifference,
    FrameTransformer,
    LogMel,
    SequenceNormalizer,
    SlidingWindows,
    from_concatenated,
    to_concatenated,
)

X, y = make_digit_strips(60, n_digits=(1, 3), subset="test", random_state=0)

# -- CTCSequenceClassifier ------------------------------------------------------------

reader = CTCSequenceClassifier()
CTCSequenceClassifier(units=64, cell="gru", bidirectional=False, dropout=0.2)
CTCSequenceClassifier(units=(64, 64), conv_filters=(64, 64), conv_strides=2)
CTCSequenceClassifier(units=[64, 64], conv_filters=(), conv_strides=(2, 1))
CTCSequenceClassifier(conv_filters=32, conv_kernel_size=3, skip_frames=2)
CTCSequenceClassifier(target="single", infeasible="drop")
CTCSequenceClassifier(decoder="beam", beam_width=8, learning_rate=1e-2)
CTCSequenceClassifier(min_label_log_prob=None)
CTCSequenceClassifier(min_label_log_prob=-9.0)
CTCSequenceClassifier(random_state=np.random.RandomState(0), verbose=True)
CTCSequenceClassifier(random_state=None, epochs=12, batch_size=8, shuffle=False)
CTCSequenceClassifier(front_end="image", front_end__filters=(32, 64))
CTCSequenceClassifier(front_end=None, global_clipnorm=None)


def smoothing(frames, width=3):
    return keras.layers.AveragePooling1D(width, strides=2)(frames)


CTCSequenceClassifier(front_end=smoothing, front_end__width=2)
CTCSequenceClassifier(front_end=keras.layers.LayerNormalization())

CTCSequenceClassifier(optimizer="adamw", optimizer__clipnorm=1.0)
CTCSequenceClassifier(optimizer=keras.optimizers.SGD, optimizer__momentum=0.9)
CTCSequenceClassifier(optimizer=keras.optimizers.Adam(1e-2))
CTCSequenceClassifier(optimizer=keras.optimizers.serialize(keras.optimizers.Adam()))
CTCSequenceClassifier(optimizer={"class_name": "Adam", "config": {}})
CTCSequenceClassifier(learning_rate=keras.optimizers.schedules.CosineDecay(1e-2, 100))
CTCSequenceClassifier(learning_rate=1)

stoppers = [EarlyStopping(patience=3)]
CTCSequenceClassifier(callbacks=stoppers)
CTCSequenceClassifier(callbacks=[EarlyStopping(), ReduceLROnPlateau])
CTCSequenceClassifier(callbacks=[ReduceLROnPlateau], callbacks__patience=3)
CTCSequenceClassifier(early_stopping=True, validation_fraction=0.2, n_iter_no_change=5)

CTCSequenceClassifier(checkpoint="runs", warm_start=True)
CTCSequenceClassifier(checkpoint=pathlib.Path("runs"))
CTCSequenceClassifier(distribute=tf.distribute.MirroredStrategy())

reader.fit(X, y)
reader.fit(X, y, sample_weight=np.ones(len(X)), X_val=X, y_val=y)
reader.partial_fit(X, y)
reader.set_params(decoder="beam", beam_width=8)
print(reader.predict(X[:3]), reader.predict_proba(X), reader.score(X, y))
best, second = reader.predict_n_best(X[:1], n=2)[0]
print(best.log_probability, reader.score_samples(X[:1], [best.labels])[0])
for span in reader.align(X[:1], y[:1])[0]:
    print(span.label, span.start, span.end, f"{span.confidence:.2f}")
reader.model_.summary()
reader.save("reader.skseq")

# -- Seq2SeqTranslator ----------------------------------------------------------------

numbers, words = make_number_words(600, max_value=99, random_state=0)
translator = Seq2SeqTranslator(source_tokenizer="char", target_tokenizer="word")
Seq2SeqTranslator(attention=None, source_tokenizer=None, target_tokenizer=None)
Seq2SeqTranslator(attention="dot", embedding_dim=32, max_vocabulary=1000)
Seq2SeqTranslator(source_tokenizer=str.split, target_tokenizer=lambda text: [*text])
Seq2SeqTranslator(label_smoothing=0.1, ema_decay=0.999, min_frequency=2)
Seq2SeqTranslator(decoder="beam", beam_width=4, length_penalty=0.6)
Seq2SeqTranslator(source_tokenizer="auto", target_tokenizer="char")
Seq2SeqTranslator(coverage_penalty=0.1, no_repeat_ngram=3, max_output_length=40)
Seq2SeqTranslator(early_stopping=True, scoring="score", min_output_length=0)


class Tokenizer:
    def __call__(self, text: str) -> list[str]:
        return text.split("-")

    def detokenize(self, tokens):
        return "-".join(tokens)


Seq2SeqTranslator(source_tokenizer=Tokenizer())

translator.fit(numbers, words).predict(["42"])
print(translator.predict_n_best(["412"], n=2)[0], translator.score(numbers, words))
print(translator.predict_attention(["412"]))

# -- LSTMAutoencoder ------------------------------------------------------------------

sensors, is_normal = make_sensor_sequences(40, random_state=0, return_X_y=True)
runs = make_sensor_sequences(60, contamination=0.1, random_state=0).sequences
coder = LSTMAutoencoder(units=32, epochs=20, learning_rate=1e-2, random_state=0)
LSTMAutoencoder(contamination=0.1, latent_dim=8, decoder_input="code", reverse=False)
LSTMAutoencoder(contamination="auto", decoder_input="output", standardize=False)
LSTMAutoencoder(loss="mae", difference=True, anomaly_score="mahalanobis")
LSTMAutoencoder(step_weight="sqrt")
LSTMAutoencoder(step_weight=np.sqrt)
LSTMAutoencoder(step_weight=lambda index: 1 + index)

coder.fit(runs, X_val=runs)
codes = coder.transform(runs)
unfolded = coder.inverse_transform(codes, [len(run) for run in runs])
coder.reconstruct(runs)
coder.step_errors(runs)
coder.fit_threshold(sensors, is_normal)
coder.score_samples(sensors)
coder.score_frames(sensors)
coder.decision_function(sensors)
coder.predict_proba(sensors)
cross_val_score(coder, sensors, is_normal, scoring="roc_auc")

# -- augmenters -----------------------------------------------------------------------


@augmenter(changes_frames=False)
def flipped(sequence: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return -sequence


augment = Compose([SpeedPerturb(0.9, 1.1), flipped, SpecAugment(27, 0.1, fill=0)])
changed = augment(X[0], np.random.default_rng(0))
assert_type(flipped(X[0], np.random.default_rng(0)), np.ndarray)
assert_type(augment.changes_frames, bool)
SpecAugment("a third")  # pyright: ignore[reportArgumentType]

# -- in pipelines and searches --------------------------------------------------------

pipeline = make_pipeline(FrameTransformer(StandardScaler()), CTCSequenceClassifier())
grid = {
    "ctcsequenceclassifier__units": [8, (8, 8)],
    "ctcsequenceclassifier__optimizer__clipnorm": [1.0],
}
search = GridSearchCV(pipeline, grid, scoring=label_error_rate_scorer, cv=2)
search.fit(X, y)
print(label_error_rate(y, search.predict(X)))
make_pipeline(LogMel(sample_rate=8000, n_mels=20), SequenceNormalizer(), reader)
make_pipeline(MFCC(n_mfcc=13, f_max=None, deltas=2), SequenceNormalizer(with_std=False))
FrameTransformer(PCA(2)).fit_transform(X)
FrameDifference(order=2, keep_first=False).fit_transform(X)
windows = SlidingWindows(20, stride=5, remainder="drop", max_gap="5min")
points = windows.to_points(coder.predict(windows.transform(X[0])), X[0], combine="all")
frames, lengths = to_concatenated(X)
from_concatenated(frames, lengths)
print(scikeras.recurrent_model)

# -- language --------------------------------------------------------------------------

Lexicon(["stop", "go"], unknown="penalize", penalty=-5.0)
Lexicon({("HH", "AY"), ("B", "AY")}, separator="SIL")
Lexicon(["stop"], unknown="ignore")  # pyright: ignore[reportArgumentType]
Hotwords(["stop"], weight=2.0, whole_words=False)
Hotwords({"stop": 4.0, "go": -1.0}, separator=None).get_params()
LabelPattern(r"\d{2}[01]\d{5}").set_params(pattern="[ab]+")
letters = NgramModel(order=5, smoothing="witten_bell", min_count=2).fit(y)
letters.partial_fit(["12", "34"]).score_samples([["1", "2"], ("3", "4")])
print(letters.score(y), letters.sample(3, random_state=0), letters.n_ngrams_)
letters.write_arpa("letters.arpa.gz")
spoken = NgramModel.read_arpa(pathlib.Path("a.arpa"), unit="word", separator="|")
NgramModel(unit="sentence")  # pyright: ignore[reportArgumentType]

# -- pictures -------------------------------------------------------------------------

AlignmentDisplay.from_estimator(reader, X, y, sample=5)
AlignmentDisplay([[0.9, 0.1]], [LabelSpan("a", 0, 0, 0.9)], classes=["a"]).plot()
AnomalyScoreDisplay.from_estimator(coder, sensors, is_normal)
AnomalyScoreDisplay([0.1, 0.9], threshold=0.5, y=[1, -1]).plot()
voices, speakers = make_voices(4, 2, random_state=0)
EmbeddingDisplay.from_estimator(coder, voices, speakers, transformer=PCA(2))
PairScoresDisplay([1, 0], [0.9, 0.1], threshold=0.5).plot(bins=10)
assert_type(equal_error_rate([1, 0], [0.9, 0.1]), float)
AttentionDisplay(np.eye(2), ["le", "chat"], ["cat", "the"]).plot(cmap="cividis")
LabelConfusionDisplay.from_predictions(["ab"], ["aa"])
LabelConfusionDisplay({("a", "b"): 1, (None, "a"): 2}).plot()
ReconstructionDisplay.from_estimator(coder, sensors, sample=1)
ReconstructionDisplay(np.eye(3), np.eye(3), feature_names=["a", "b", "c"]).plot()
SeriesDisplay.from_estimator(coder, X[0], windows=windows, combine="any")
SeriesDisplay([0.1, 0.9], [0.2, 0.8], threshold=0.5, times=[0.0, 1.0]).plot()
TrainingHistoryDisplay.from_estimator(reader, yscale="log")
TrainingHistoryDisplay.from_estimators({"one": reader, "two": reader})
TrainingHistoryDisplay({"a": {"loss": [2.0]}}, best_epoch={"a": 1}).plot()
TrainingHistoryDisplay({"loss": [2.0, 1.0]}, best_epoch=2).plot()

# -- piece by piece --------------------------------------------------------------------

with reader.stream() as listening:
    heard: Partial = listening.push(X[0])
    print(heard.stable, heard.unstable, heard.span[1], listening.finish())
with coder.stream(window_length=20, stride=5) as watching:
    for window in watching.push(sensors[0]):
        print(window.start, window.score, window.step_errors.max())

# -- the package ----------------------------------------------------------------------

skseq.save(search, "search.skseq")
again = load("reader.skseq", warm=True)
again.align(X, y)  # pyright: ignore[reportAttributeAccessIssue] - some cannot
assert isinstance(again, CTCSequenceClassifier)
assert_type(again, CTCSequenceClassifier)
again.predict(X)
print(skseq.load(pathlib.Path("reader.skseq")).get_params())
show_versions()
clear_programs()
print(skseq.clear_checkpoints("runs", older_than=timedelta(days=30)))
print(skseq.__version__, exceptions.TrainingDivergedError(epoch=3, batch=2))


def caught(error: TrainingDivergedError) -> int | None:
    return error.sample


def likely(ranked: RankedLabels | RankedOutput) -> float:
    return ranked.log_probability


# -- what is not a call of ours -------------------------------------------------------

CTCSequenceClassifier(cell="rnn")  # pyright: ignore[reportArgumentType]
CTCSequenceClassifier(units="64")  # pyright: ignore[reportArgumentType]
CTCSequenceClassifier(optimizer=1)  # pyright: ignore[reportArgumentType]
CTCSequenceClassifier(callbacks=["x"])  # pyright: ignore[reportArgumentType]
CTCSequenceClassifier(64)  # pyright: ignore[reportCallIssue]
Seq2SeqTranslator(attention="multi")  # pyright: ignore[reportArgumentType]
LSTMAutoencoder(contamination="all")  # pyright: ignore[reportArgumentType]
LSTMAutoencoder(decoder_input="repeat")  # pyright: ignore[reportArgumentType]
