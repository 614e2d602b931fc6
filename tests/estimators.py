"""The estimators as the tests see them: one small `Case` of each, and its variants.

Every suite that runs over all estimators takes them from here: `ESTIMATORS` holds one
case of each class, `CASES` the variants too. A new estimator is one more case here, and
nothing else in these suites has to know of it.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise

import numpy as np
from sklearn.frozen import FrozenEstimator

from skseq import (
    CTCSequenceClassifier,
    LSTMAutoencoder,
    Seq2SeqTranslator,
    SequenceClassifier,
    SequenceRegressor,
    SequenceTagger,
    SiameseSequenceEmbedder,
)
from skseq.language import Hotwords, Lexicon, NgramModel
from skseq.preprocessing import SequenceNormalizer
from tests.toy import as_text, reversals, roughened, symbol_runs

N_SAMPLES = 12
SMALL = {
    "units": 4,
    "epochs": 3,
    "batch_size": 4,
    "dropout": 0.0,
    "learning_rate_schedule": "constant",  # epochs are the same, however many follow
    "random_state": 0,
}

# The least that can be fitted. All who use it share their compiled programs.
TINY = {"units": 2, "epochs": 1, "optimizer": "sgd"}


def labels_of_frames(X):
    """Two labels in turn, one per frame or token."""
    X = X.to_numpy() if hasattr(X, "to_numpy") else X
    lengths = [len(X[i]) for i in range(len(X))]
    return [(["a", "b"] * n)[:n] for n in lengths]


# By what an estimator writes, the y of any three sequences of two frames or more, or
# what makes it of them.
THREE_TARGETS = {
    "labels": ["ab", "b", "a"],
    "one label": ["a", "b", "a"],
    "classes to tell": ["a", "b", "a"],
    "labels of frames": labels_of_frames,
    "texts": ["b a", "b", "a"],
    "tokens": [["a"], ["b", "a"], ["b"]],
    "numbers": [0.5, -1.0, 2.0],
    "nothing": None,
}


@dataclass(frozen=True, eq=False)
class Case:
    """A small estimator, data that suit it, and what can be asked of it.

    Attributes
    ----------
    name : str
        What tests are called by.
    Estimator : type
        The class.
    draw : callable
        `draw(n_samples) -> X, y`, the same objects for the same number. Where nothing
        is learnt from y, it holds None.
    methods : dict of str to callable
        `method(estimator, X, y)` of a fitted estimator gives one result per sequence.
    altered, lengthened : callable
        A sequence of X -> another one of the same length, one 40 times as long.
    reads, writes : str
        Which tables of bad and good data there are for its X and y: "frames",
        "texts" or "tokens"; one of `THREE_TARGETS`.
    params : dict
        Parameters beside those in `SMALL`.
    degrees : str
        The method whose results are finite numbers.
    answers : str
        The method that says one thing of each sequence.
    misused : dict of str to callable
        By the name of an argument that is neither X nor y of the methods above,
        `use(estimator, X, value)` of a fitted estimator.
    bad_values : dict of str to (str, list)
        By parameter that only this estimator has, a pattern of what is allowed, and
        values that are not.
    free : frozenset of str
        Parameters without a fixed range of values.
    predicting : dict of str to list
        A grid of twelve candidates that differ in what only predictions depend on.
    check_params : dict or None
        What scikit-learn's checks need beside a small network; None where X is not
        an array of numbers, which they are about.
    counts_pairs : bool
        Whether the score is of pairs, where copies of a sequence are pairs too.
    rounding : float
        How far results may differ by the memory layout of the same frames.
    """

    name: str
    Estimator: type
    draw: Callable = field(repr=False)
    methods: dict = field(repr=False)
    altered: Callable = field(repr=False)
    lengthened: Callable = field(repr=False)
    reads: str
    writes: str
    params: dict = field(default_factory=dict)
    degrees: str = "predict_proba"
    answers: str = "predict"
    misused: dict = field(default_factory=dict, repr=False)
    bad_values: dict = field(default_factory=dict, repr=False)
    free: frozenset = frozenset({"optimizer", "callbacks"})
    predicting: dict = field(default_factory=dict, repr=False)
    check_params: dict | None = None
    counts_pairs: bool = False
    rounding: float = 0.0

    def __str__(self):
        return self.name

    def variant(self, name, *, without=(), changes=None, **params):
        """The same with other parameters; `without` some methods."""
        kept = {n: m for n, m in self.methods.items() if n not in without}
        both = {**self.params, **params}
        changes = {"methods": kept, "params": both, **(changes or {})}
        return replace(self, name=name, **changes)

    # -- data ---------------------------------------------------------------------

    @property
    def X(self):
        return self.draw(N_SAMPLES)[0]

    @property
    def y(self):
        return self.draw(N_SAMPLES)[1]

    def three_targets(self, X):
        """The y of any three sequences of two frames or more."""
        targets = THREE_TARGETS[self.writes]
        return targets(X) if callable(targets) else targets

    @property
    def learns_from_y(self):
        return self.writes != "nothing"

    @property
    def reads_frames(self):
        return self.reads == "frames"

    @property
    def bad_data(self):
        """What is refused after the parameters were accepted."""
        if self.learns_from_y:
            return self.X, [*self.y[:-1], None]
        return [*self.X[:-1], None], self.y

    @property
    def misleading(self):
        """A validation set that is the worse understood the more is learnt."""
        if self.learns_from_y and not self.writes.endswith("of frames"):
            return self.validation(self.X, [*self.y[1:], *self.y[:1]])
        return self.validation(list(map(self.altered, self.X)), self.y)

    def lengthened_target(self, y):
        """The y that goes with a sequence that was lengthened."""
        if self.writes != "labels of frames":
            return y
        return np.tile(y, 40) if isinstance(y, np.ndarray) else y * 40

    def validation(self, X, y):
        """What `fit` takes as its validation set."""
        return {"X_val": X, "y_val": y} if self.learns_from_y else {"X_val": X}

    # -- estimators ---------------------------------------------------------------

    def make(self, **params):
        return self.Estimator(**{**SMALL, **self.params, **params})

    def tiny(self, **params):
        """The least that can be fitted, for what does not depend on the network."""
        return self.make(**{**TINY, **params})

    def fit(self, **params):
        return self.make(**params).fit(self.X, self.y)

    def rough(self, estimator):
        """A copy of a fitted estimator, whose weights are perturbed."""
        return roughened(estimator)

    def results(self, estimator, rows=None):
        """What each method says of these rows, by method."""
        X, y = self.draw(N_SAMPLES)
        rows = range(len(X)) if rows is None else rows
        some_X, some_y = [X[i] for i in rows], [y[i] for i in rows]
        return {n: list(m(estimator, some_X, some_y)) for n, m in self.methods.items()}

    def answers_of(self, estimator, X):
        """What a fitted estimator says of each sequence."""
        return getattr(estimator, self.answers)(X)

    def degrees_of(self, estimator, X):
        """All numbers that a fitted estimator gives for X, in one array."""
        found = getattr(estimator, self.degrees)(X)
        return np.concatenate([np.ravel(result) for result in found])


def of_X(name):
    return lambda estimator, X, y: getattr(estimator, name)(X)


def of_X_and_y(name):
    return lambda estimator, X, y: getattr(estimator, name)(X, y)


def two_best(estimator, X, y):
    return estimator.predict_n_best(X, 2)


# -- what bad values are told -----------------------------------------------------

NAN = math.nan
COUNT = r"must be an int in the range \[1, inf\)"
COUNTS = rf"{COUNT} or a non-empty tuple or list of ints in the range \[1, inf\)"
MAYBE_COUNTS = COUNTS.replace("non-empty ", "")
CONVOLUTIONS = MAYBE_COUNTS.replace("must be ", r"must be a str among \{'auto'\}, ")
COUNT_TO_MAX = r"must be an int in the range \[1, 2147483647\]"
COUNT_FROM_0 = r"must be an int in the range \[0, {}"
MAYBE_COUNT = r"must be None or an int in the range \[1, {}"
FLOOR = r"must be None or a float in the range \[-inf, 0\.0\]"
PENALTY = r"must be a float in the range \[0\.0, 1000000\.0\]"
REAL = r"a float in the range \[-1000000\.0, 1000000\.0\]"
FLAG = "must be a bool"


# -- frames to labels -------------------------------------------------------------


@cache
def frames_and_texts(n_samples):
    X, symbols, _ = symbol_runs(n_samples)
    return X, as_text(symbols)


@cache
def frames_and_lists(n_samples):
    X, symbols, _ = symbol_runs(n_samples)
    return X, [sequence.tolist() for sequence in symbols]


@cache
def frames_and_classes(n_samples):
    X, symbols, _ = symbol_runs(n_samples)
    return X, [int(sequence[0]) for sequence in symbols]


def other_frames(x):
    return np.random.default_rng(0).normal(size=x.shape)


def long_frames(x):
    return np.tile(x, (40, 1))


CTC = Case(
    name="ctc",
    Estimator=CTCSequenceClassifier,
    draw=frames_and_texts,
    methods={
        "predict": of_X("predict"),
        "predict_proba": of_X("predict_proba"),
        "predict_log_proba": of_X("predict_log_proba"),
        "predict_n_best": two_best,
        "score_samples": of_X_and_y("score_samples"),
        "align": of_X_and_y("align"),
    },
    altered=other_frames,
    lengthened=long_frames,
    reads="frames",
    writes="labels",
    params={"conv_filters": ()},
    misused={"n": lambda clf, X, n: clf.predict_n_best(X, n)},
    bad_values={
        "conv_filters": (CONVOLUTIONS, [0, 2.5, (4, 0), None, "4"]),
        "conv_kernel_size": (COUNT, [0, -3, 2.5, (3, 3), None]),
        "conv_strides": (CONVOLUTIONS, [0, 1.5, (2, 0), None, "all"]),
        "standardize": (FLAG, ["yes", 2, None]),
        "front_end": ("None, a str among .'image'. or a callable", ["picture", 3]),
        "skip_frames": (COUNT_FROM_0.format(r"inf\)"), [-1, 1.5, None, True]),
        "target": ("among {'auto', 'sequence', 'single'}", ["many", None]),
        "decoder": ("among {'greedy', 'beam'}", ["viterbi", None]),
        "beam_width": (COUNT, [0, 2.5, None, True]),
        "min_label_log_prob": (FLOOR, [0.5, "low", True, np.nan]),
        "language_model": (
            "among {'fit'}, a path, an NgramModel, a FrozenEstimator of one or None",
            [3, True, "", ["fit"], NgramModel, FrozenEstimator(Lexicon(["a"]))],
        ),
        "lm_weight": (PENALTY, [-1, NAN, math.inf, None, 1e308]),
        "insertion_bonus": (
            REAL,
            [10**400, 1.7e308, NAN, math.inf, -math.inf, None, "1"],
        ),
        "lexicon": (
            "a list of words, a Lexicon or None",
            ["abc", 3, True, {"a": 1.0}, (word for word in ["a"]), Hotwords(["a"])],
        ),
        "hotwords": (
            "a list of phrases, a dict of phrases to weights, a Hotwords or None",
            ["abc", 3, True, Lexicon(["a"]), (word for word in ["a"])],
        ),
        "hotword_weight": (REAL, [NAN, -math.inf, None, "4"]),
        "pattern": ("a str, a LabelPattern or None", [3, True, ["a"], re.compile("a")]),
        "blank_penalty": (REAL, [NAN, math.inf, -math.inf, None, "1"]),
        "infeasible": ("among {'raise', 'drop'}", ["ignore", None, True]),
        "class_weight": (
            "among {'balanced'}, a dict of labels to weights of at least 0 or None",
            ["even", [1, 2], {"a": -1}, {"a": NAN}, {"a": "b"}, 3],
        ),
    },
    predicting={
        "decoder": ["beam"],
        "beam_width": [1, 2, 5, 10],
        "min_label_log_prob": [-3.0, -8.0, None],
    },
    check_params={"epochs": 12},
)
CTC_SINGLE = CTC.variant(
    "ctc-single",
    changes={
        "draw": frames_and_classes,
        "writes": "one label",
        "check_params": {"epochs": 12, "conv_filters": ()},
    },
    target="single",
    conv_filters="auto",
)
CTC_GRU_CONV = CTC.variant(
    "ctc-gru-conv",
    changes={"draw": frames_and_lists, "check_params": None},
    cell="gru",
    bidirectional=False,
    optimizer="sgd",
    conv_filters=3,
    conv_strides=2,
    dropout=0.2,
    preprocess=[SequenceNormalizer()],
)
CTC_TOLD = CTC.variant(
    "ctc-told",
    changes={"check_params": None},
    bidirectional=False,
    decoder="beam",
    beam_width=6,
    language_model=NgramModel(order=2, smoothing="witten_bell"),
    insertion_bonus=0.5,
    lexicon=Lexicon(["abc", "ca"], unknown="penalize", penalty=-2.0),
    hotwords={"ab": 2.0},
    pattern="[abc]+",
    blank_penalty=1.0,
)


# -- tokens to tokens -------------------------------------------------------------


def written(form):
    """How to draw, to alter and to lengthen token sequences of a user's form."""
    others = dict(zip("abc", "bca", strict=True))

    @cache
    def draw(n_samples):
        return tuple(list(map(form, side)) for side in reversals(n_samples))

    return {
        "draw": draw,
        "altered": lambda x: form([others[t] for t in x if t in others]),
        "lengthened": lambda x: form([t for t in x if t in others] * 40),
    }


TRANSLATOR = Case(
    name="translator",
    Estimator=Seq2SeqTranslator,
    **written(" ".join),
    methods={
        "predict": of_X("predict"),
        "predict_proba": of_X("predict_proba"),
        "predict_proba along y": of_X_and_y("predict_proba"),
        "predict_n_best": two_best,
        "score_samples": of_X_and_y("score_samples"),
        "predict_attention": of_X_and_y("predict_attention"),
    },
    reads="texts",
    writes="texts",
    params={"source_tokenizer": "word", "target_tokenizer": "word", "embedding_dim": 3},
    misused={"n": lambda translator, X, n: translator.predict_n_best(X, n)},
    bad_values={
        "embedding_dim": (COUNT, [0, 2.5, None, (3,)]),
        "attention": (
            "must be a str among {'additive', 'dot'} or None",
            ["dott", 1, True],
        ),
        **{
            name: (r"must be a str among \{'auto', .*\}, a callable or None", bad)
            for name, bad in {
                "source_tokenizer": ["wordd", 3, ["word"]],
                "target_tokenizer": ["chars", 3, ("word",)],
            }.items()
        },
        "input_feeding": (FLAG, ["yes", 2, None]),
        "min_frequency": (COUNT, [0, 1.5, None]),
        "max_vocabulary": (MAYBE_COUNT.format(r"inf\)"), [0, -1, 2.5, True]),
        "label_smoothing": (r"a float in the range \[0\.0, 1\.0\)", [1.0, -0.1, NAN]),
        "decoder": ("among {'greedy', 'beam'}", ["viterbi", None]),
        "beam_width": (COUNT_TO_MAX, [0, 2.5, None, True, 2**31]),
        "length_penalty": (PENALTY, [-1, NAN, math.inf, None, 1e300]),
        "coverage_penalty": (PENALTY, [-0.1, NAN, "0", 1e300]),
        "no_repeat_ngram": (COUNT_FROM_0.format(r"inf\)"), [-1, 1.5, None]),
        "min_output_length": (
            COUNT_FROM_0.format(r"2147483647\]"),
            [-1, None, 2**31],
        ),
        "max_output_length": (MAYBE_COUNT.format(r"2147483647\]"), [0, 2.5, 2**31]),
        "ema_decay": (
            r"must be None or a float .*\(0\.0, 1\.0\)",
            [0, 1.0, NAN, "0.9"],
        ),
        "scoring": ("must be a str among {'loss', 'score'}", ["accuracy", None, len]),
    },
    predicting={
        "decoder": ["beam"],
        "beam_width": [2, 3, 5],
        "length_penalty": [0.0, 0.5, 1.0, 2.0],
    },
)
TRANSLATOR_GRU_DOT = TRANSLATOR.variant(
    "translator-gru-dot",
    changes={**written(list), "reads": "tokens", "writes": "tokens"},
    source_tokenizer=None,
    target_tokenizer=None,
    cell="gru",
    bidirectional=False,
    attention="dot",
    input_feeding=True,
    dropout=0.2,
    ema_decay=0.5,
    decoder="beam",
    beam_width=3,
)
TRANSLATOR_CHAR = TRANSLATOR.variant(
    "translator-char",
    without=["predict_attention"],
    changes=written("".join),
    source_tokenizer="char",
    target_tokenizer="char",
    units=(4, 3),
    bidirectional=False,
    attention=None,
)


# -- sequences to themselves ------------------------------------------------------


@cache
def frames_alone(n_samples):
    X, _, _ = symbol_runs(n_samples)
    return X, [None] * n_samples


AUTOENCODER = Case(
    name="autoencoder",
    Estimator=LSTMAutoencoder,
    draw=frames_alone,
    methods={
        "transform": of_X("transform"),
        "reconstruct": of_X("reconstruct"),
        "step_errors": of_X("step_errors"),
        "score_samples": of_X("score_samples"),
        "score_frames": of_X("score_frames"),
        "decision_function": of_X("decision_function"),
        "predict": of_X("predict"),
        "predict_proba": of_X("predict_proba"),
    },
    altered=other_frames,
    lengthened=long_frames,
    reads="frames",
    writes="nothing",
    degrees="score_samples",
    misused={
        "y": lambda coder, X, y: coder.fit_threshold(X, y),
        "Z": lambda coder, X, Z: coder.inverse_transform(Z, 3),
        "lengths": lambda coder, X, n: coder.inverse_transform(coder.transform(X), n),
    },
    bad_values={
        "latent_dim": (MAYBE_COUNT.format(r"inf\)"), [0, -1, 2.5, True, (3,)]),
        "decoder_input": ("among {'output', 'code'}", ["greedy", None]),
        "reverse": (FLAG, [None, "yes", 1]),
        "standardize": (FLAG, [None, "robust", 0]),
        "difference": (FLAG, [None, 1, 2]),
        "loss": ("among {'mse', 'mae'}", ["mahalanobis", None, np.abs]),
        "step_weight": (
            r"a str among \{'sqrt'\}, a callable or None",
            ["root", 2, [1]],
        ),
        "anomaly_score": ("among {'mse', 'mae', 'mahalanobis'}", ["rmse", None]),
        "contamination": (
            r"'auto'} or a float in the range \(0\.0, 0\.5\]",
            [0, 0.6, 1, -0.1, NAN, "autoo", None, True],
        ),
    },
    predicting={
        "anomaly_score": ["mse", "mae"],
        "contamination": ["auto", 0.05, 0.1, 0.2, 0.3, 0.5],
    },
    check_params={"epochs": 2},
    # It learns the mean of all frames, and the order of a sum decides its last bits.
    rounding=1e-6,
)
AUTOENCODER_REPEAT = AUTOENCODER.variant(
    "autoencoder-repeat",
    changes={"check_params": None},
    latent_dim=5,
    bidirectional=False,
    decoder_input="code",
    difference=True,
    anomaly_score="mae",
    dropout=0.2,
    preprocess=[SequenceNormalizer()],
)


# -- frames to one output ---------------------------------------------------------


@cache
def frames_and_words(n_samples):
    X, classes = frames_and_classes(n_samples)
    return X, np.array(["nod", "shake", "wave"])[classes].tolist()


FRAMEWISE_BAD_VALUES = {
    name: CTC.bad_values[name]
    for name in ("conv_filters", "conv_kernel_size", "conv_strides", "front_end")
} | {"standardize": CTC.bad_values["standardize"]}

CLASSIFIER = Case(
    name="classifier",
    Estimator=SequenceClassifier,
    draw=frames_and_words,
    methods={
        "predict": of_X("predict"),
        "predict_proba": of_X("predict_proba"),
        "predict_log_proba": of_X("predict_log_proba"),
        "decision_function": of_X("decision_function"),
    },
    altered=other_frames,
    lengthened=long_frames,
    reads="frames",
    writes="one label",
    params={"conv_filters": (), "pooling": "last"},
    bad_values={
        **FRAMEWISE_BAD_VALUES,
        "pooling": (
            "among {'attention', 'mean', 'max', 'last'}",
            ["sum", None, 3, ["last"]],
        ),
        "class_weight": CTC.bad_values["class_weight"],
    },
    check_params={"epochs": 12},
)
CLASSIFIER_ATTENTION = CLASSIFIER.variant(
    "classifier-attention",
    changes={
        "draw": frames_and_classes,
        "methods": {
            **CLASSIFIER.methods,
            "predict_attention": of_X("predict_attention"),
        },
        "check_params": None,
    },
    cell="gru",
    bidirectional=False,
    conv_filters=3,
    conv_strides=2,
    pooling="attention",
    class_weight={0: 2.0, 2: 0.5},
    dropout=0.2,
    preprocess=[SequenceNormalizer()],
)
CLASSIFIER_MEAN = CLASSIFIER.variant("classifier-mean", pooling="mean")
CLASSIFIER_MAX = CLASSIFIER.variant("classifier-max", pooling="max")


# -- frames to numbers ------------------------------------------------------------


@cache
def frames_and_numbers(n_samples):
    X, _, _ = symbol_runs(n_samples)
    return X, [float(x.sum()) for x in X]


@cache
def frames_and_vectors(n_samples):
    X, _, _ = symbol_runs(n_samples)
    return X, [np.array([x.max(), 100 * x[-1, 0]]) for x in X]


@cache
def frames_and_levels(n_samples):
    X, _, _ = symbol_runs(n_samples)
    return X, [np.cumsum(x[:, :2], axis=0) for x in X]


REGRESSOR = Case(
    name="regressor",
    Estimator=SequenceRegressor,
    draw=frames_and_numbers,
    methods={"predict": of_X("predict")},
    altered=other_frames,
    lengthened=long_frames,
    reads="frames",
    writes="numbers",
    params={"conv_filters": ()},
    degrees="predict",
    bad_values={
        **FRAMEWISE_BAD_VALUES,
        "pooling": CLASSIFIER.bad_values["pooling"],
        "target": ("among {'auto', 'frame', 'sequence'}", ["single", None, 3]),
        "loss": ("'quantile'} or a callable", ["mse", None, 3, ["huber"]]),
        "quantile": (r"a float in the range \(0\.0, 1\.0\)", [0, 1, NAN, None, "0.5"]),
        "step_weight": AUTOENCODER.bad_values["step_weight"],
        "target_weight": (
            "a list of weights of at least 0, not all of them 0 or None",
            [3, "even", [], [-1.0], [0.0, 0.0], [NAN], [[1.0]]],
        ),
        "standardize_y": (FLAG, ["yes", 2, None]),
    },
    check_params={"epochs": 40},
)
REGRESSOR_VECTORS = REGRESSOR.variant(
    "regressor-vectors",
    changes={"draw": frames_and_vectors, "check_params": None},
    cell="gru",
    conv_filters=3,
    pooling="mean",
    loss="huber",
    target_weight=[2.0, 1.0],
    dropout=0.2,
    preprocess=[SequenceNormalizer()],
)
REGRESSOR_FRAMES = REGRESSOR.variant(
    "regressor-frames",
    changes={
        "draw": frames_and_levels,
        "writes": "numbers of frames",
        "check_params": None,
    },
    bidirectional=False,
    conv_filters=3,
    step_weight="sqrt",
)


# -- one label per frame or token -------------------------------------------------


@cache
def frames_and_tags(n_samples):
    """A label per frame: whichever symbol is loudest, as a letter."""
    X, _, _ = symbol_runs(n_samples)
    return X, ["".join("abc"[i] for i in x.argmax(axis=1)) for x in X]


@cache
def frames_and_some_tags(n_samples):
    """The same, of which every third label is not known."""
    X, tags = frames_and_tags(n_samples)
    ids = [np.array(["abc".index(letter) for letter in own]) for own in tags]
    return X, [np.where(np.arange(len(own)) % 3 == 2, -1, own) for own in ids]


@cache
def tokens_and_spans(n_samples):
    """Spans of a type in a scheme: each run of b is one, and anything else outside."""
    X, _ = reversals(n_samples)
    tags = {"a": "O", "b": "B-x", "c": "O"}
    y = [[tags[token] for token in own] for own in X]
    for own in y:
        own[1:] = [
            "I-x" if before == after == "B-x" else after
            for before, after in pairwise(own)
        ]
    words = {"a": "an", "b": "Bob", "c": "c"}
    return [[words[token] for token in own] for own in X], y


def other_tokens(x):
    others = dict(zip(["an", "Bob", "c"], ["Bob", "c", "an"], strict=True))
    return [others[token] for token in x]


TAGGER = Case(
    name="tagger",
    Estimator=SequenceTagger,
    draw=frames_and_tags,
    methods={
        "predict": of_X("predict"),
        "predict_proba": of_X("predict_proba"),
        "predict_log_proba": of_X("predict_log_proba"),
        "predict_n_best": two_best,
        "score_samples": of_X_and_y("score_samples"),
    },
    altered=other_frames,
    lengthened=long_frames,
    reads="frames",
    writes="labels of frames",
    params={"conv_filters": (), "input": "frames"},
    misused={"n": lambda tagger, X, n: tagger.predict_n_best(X, n)},
    bad_values={
        **FRAMEWISE_BAD_VALUES,
        "input": ("among {'auto', 'frames', 'tokens'}", ["words", None, 3]),
        "embedding_dim": TRANSLATOR.bad_values["embedding_dim"],
        "char_embedding_dim": (MAYBE_COUNT.format(r"inf\)"), [0, -1, 2.5, True]),
        "min_frequency": TRANSLATOR.bad_values["min_frequency"],
        "max_vocabulary": TRANSLATOR.bad_values["max_vocabulary"],
        "crf": (FLAG, ["yes", 2, None]),
        "allowed_transitions": (
            "among {'BIO', 'IOBES'}, a callable or None",
            ["BILOU", 3, True, [("a", "b")]],
        ),
        "class_weight": CTC.bad_values["class_weight"],
        "unlabelled": (
            r"None or a label \(a str, an int or a bool\)",
            [0.5, ["a"], NAN],
        ),
    },
)
TAGGER_CRF = TAGGER.variant(
    "tagger-crf",
    changes={"draw": frames_and_some_tags},
    input="auto",
    crf=True,
    unlabelled=-1,
    cell="gru",
    bidirectional=False,
    conv_filters=3,
    dropout=0.2,
    preprocess=[SequenceNormalizer()],
)
TAGGER_TOKENS = TAGGER.variant(
    "tagger-tokens",
    changes={
        "draw": tokens_and_spans,
        "altered": other_tokens,
        "lengthened": lambda x: x * 40,
        "reads": "tokens",
    },
    input="auto",
    crf=True,
    allowed_transitions="BIO",
    conv_filters="auto",
    embedding_dim=3,
    char_embedding_dim=2,
)


# -- frames to vectors ------------------------------------------------------------

# Any six in a row have two sequences of one class, and the first two are of two.
WHO = [0, 1, 0, 2, 1, 2, 3, 2, 3, 0, 1, 3]
TURNS = np.array([0.5, 1.0, 1.6, 2.5])  # by who waves, per frame


@cache
def frames_and_who(n_samples):
    """Waves of three phases, as fast as their class is."""
    rng, X, y = np.random.default_rng(0), [], [WHO[i % 12] for i in range(n_samples)]
    for who in y:
        frames = np.arange(rng.integers(6, 17))[:, np.newaxis]
        angles = TURNS[who] * frames + np.array([0, 1, 2]) + rng.uniform(0, 6)
        X.append(np.sin(angles) + rng.normal(scale=0.1, size=angles.shape))
    return X, y


REFERENCE = np.sin(np.arange(27.0).reshape(9, 3))


def beside_reference(name):
    """What is said of pairs of each sequence and one that is always the same."""

    def method(estimator, X, y):
        return getattr(estimator, name)(X, None if X is None else [REFERENCE] * len(X))

    return method


def with_pairs(name):
    """How a method of pairs takes another second side."""
    return lambda estimator, X, B: getattr(estimator, name)(X, B)


EMBEDDER = Case(
    name="embedder",
    Estimator=SiameseSequenceEmbedder,
    draw=frames_and_who,
    methods={
        "transform": of_X("transform"),
        "pair_score": beside_reference("pair_score"),
        "pair_distance": beside_reference("pair_distance"),
        "predict_pairs": beside_reference("predict_pairs"),
        "predict_proba_pairs": beside_reference("predict_proba_pairs"),
    },
    altered=other_frames,
    lengthened=long_frames,
    reads="frames",
    writes="classes to tell",
    params={"conv_filters": (), "embedding_dim": 3, "steps_per_epoch": 1},
    degrees="transform",
    answers="transform",
    counts_pairs=True,
    misused={
        "A": lambda embedder, X, A: embedder.pair_score(A, X),
        "B": lambda embedder, X, B: embedder.pair_distance(X, B),
        "y": lambda embedder, X, y: embedder.fit_threshold(X, X[::-1], y),
    },
    bad_values={
        **FRAMEWISE_BAD_VALUES,
        "units": (
            MAYBE_COUNTS,
            [0, -1, 2.5, "64", None, True, (64, 0), (2, True)],
        ),
        "center": (FLAG, ["yes", 2, None]),
        "pooling": (
            "among {'statistics', 'mean', 'attention', 'last'}",
            ["max", None, 3, ["last"]],
        ),
        "embedding_dim": TRANSLATOR.bad_values["embedding_dim"],
        "loss": ("'contrastive', 'kl_hinge'}", ["ge2e", None, len]),
        "distance": ("'cosine', 'euclidean', 'symmetric_kl'}", ["l1", None, len]),
        "margin": (r"None or a float in the range \(0\.0, inf\)", [0, -1, NAN, "1"]),
        "classes_per_batch": (
            r"among \{'auto'\} or an int in the range \[2, inf\)",
            [1, 0, 2.5, None, True],
        ),
        "samples_per_class": (r"an int in the range \[2, inf\)", [1, 2.5, None, True]),
        "steps_per_epoch": (r"'auto'\} or an int in the range \[1", [0, 2.5, None]),
        "crop": (
            r"'auto'}, a pair of ints \(low, high\) .* or None",
            ["all", 3, (3,), (0, 3), (4, 3), (1.5, 3), True],
        ),
    },
    check_params={"epochs": 2},
)
EMBEDDER_KL = EMBEDDER.variant(
    "embedder-kl",
    changes={"check_params": None},
    loss="kl_hinge",
    distance="symmetric_kl",
    cell="gru",
    bidirectional=False,
    conv_filters=3,
    pooling="attention",
    crop=(4, 6),
    dropout=0.2,
    preprocess=[SequenceNormalizer()],
)
EMBEDDER_CLASSES = EMBEDDER.variant(
    "embedder-classes",
    loss="classification",
    margin=0.2,
    conv_filters=(3, 3),
    pooling="mean",
    center=False,
    samples_per_class=3,
)
EMBEDDER_TRIPLET = EMBEDDER.variant(
    "embedder-triplet", loss="triplet", distance="euclidean", pooling="last"
)


# -- all of them ------------------------------------------------------------------

CASES = [
    *(CTC, CTC_GRU_CONV, CTC_SINGLE, CTC_TOLD),
    *(TRANSLATOR, TRANSLATOR_GRU_DOT, TRANSLATOR_CHAR),
    *(AUTOENCODER, AUTOENCODER_REPEAT),
    *(CLASSIFIER, CLASSIFIER_ATTENTION, CLASSIFIER_MEAN, CLASSIFIER_MAX),
    *(REGRESSOR, REGRESSOR_VECTORS, REGRESSOR_FRAMES),
    *(TAGGER, TAGGER_CRF, TAGGER_TOKENS),
    *(EMBEDDER, EMBEDDER_KL, EMBEDDER_CLASSES, EMBEDDER_TRIPLET),
]

# The first case of each class.
ESTIMATORS = list({case.Estimator: case for case in reversed(CASES)}.values())[::-1]


def named(names):
    """The cases of these names."""
    return [case for case in CASES if case.name in names]
