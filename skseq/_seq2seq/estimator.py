"""`Seq2SeqTranslator`: from a sequence of tokens to another one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
from scipy.special import log_softmax
from sklearn.utils.validation import check_is_fitted

import skseq._nn.backend  # noqa: F401 - before Keras is imported
from skseq._base import SequenceEstimator
from skseq._data.collections import object_array
from skseq._data.memory import check_fits
from skseq._data.token_vocabulary import TokenVocabulary
from skseq._data.tokenizers import TOKENIZERS, tokenizer_in_use
from skseq._data.tokens import FORMS, as_texts, check_tokens
from skseq._data.weights import check_sample_weight
from skseq._decoding import FITTED_DECODING
from skseq._engine.convergence import lack_of_learning, not_learnt
from skseq._engine.export import check_greedy
from skseq._engine.state import FitRequest
from skseq._parameters import (
    BOOLEAN,
    CALLABLE,
    FRACTION,
    NON_NEGATIVE_INT,
    NONE,
    POSITIVE_INT,
    PROBABILITY,
    Interval,
    OneOf,
    as_tuple,
    check_parameters,
    check_value,
    instance_of,
)
from skseq._preprocess.sequences import PreprocessedTokens
from skseq._preprocess.steps import transformers_of
from skseq._results import RankedOutput, Records
from skseq._seq2seq.attention import ATTENTIONS
from skseq._seq2seq.data import PairData, warn_of_whole_texts
from skseq._seq2seq.decoding import TranslatorDecoding
from skseq._seq2seq.export import Parts, Rules, Translation, refuse_steps
from skseq._seq2seq.loss import TokenLosses
from skseq._seq2seq.network import decode, seq2seq_network, translate
from skseq._seq2seq.outputs import log_likelihood, read_hypotheses, run_forced
from skseq._shared_parameters import FITTED
from skseq._typing import (
    Callbacks,
    Cell,
    Decoder,
    Ints,
    LearningRate,
    Optimizer,
    Path,
    RandomState,
    RateSchedule,
    Steps,
    Strategy,
    Tokenizer,
)
from skseq._wording import counted
from skseq.metrics import label_error_rate

DECODERS = ("greedy", "beam")

# A step of decoding takes hardly longer for more rows, up to about so many, and so many
# probabilities of them and their hypotheses.
DECODED_ROWS = 256
DECODED_VALUES = 2**23

# The search counts in 32 bits, and adds up scores in as many.
MAX_LENGTH = 2**31 - 1
LENGTH = Interval(int, 1, MAX_LENGTH, closed="both")
PENALTY = Interval(float, 0, 1e6, closed="both")

DECODING_CONSTRAINTS = {
    "decoder": OneOf(DECODERS),
    "beam_width": LENGTH,
    "length_penalty": PENALTY,
    "coverage_penalty": PENALTY,
    "no_repeat_ngram": NON_NEGATIVE_INT,
    "min_output_length": Interval(int, 0, MAX_LENGTH, closed="both"),
    "max_output_length": (NONE, LENGTH),
}

TOKENIZER = (OneOf(["auto", *TOKENIZERS]), CALLABLE, NONE)

CONSTRAINTS = {
    "source_tokenizer": TOKENIZER,
    "target_tokenizer": TOKENIZER,
    "min_frequency": POSITIVE_INT,
    "max_vocabulary": (NONE, POSITIVE_INT),
    "embedding_dim": POSITIVE_INT,
    "attention": (OneOf([name for name in ATTENTIONS if name]), NONE),
    "input_feeding": BOOLEAN,
    "label_smoothing": PROBABILITY,
    "ema_decay": (NONE, FRACTION),
    "scoring": OneOf(["loss", "score"]),
    **DECODING_CONSTRAINTS,
}

INTEGER_DTYPES = [f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64)]


class Seq2SeqTranslator(TranslatorDecoding, SequenceEstimator):
    """Turn sequences of tokens into other sequences of tokens.

    A recurrent network reads the source; a second one writes the target, token by
    token, and at each token looks back at the parts of the source that matter [1]_.
    This turns sentences into another language, spelling into sounds, misspelt words
    into correct ones and dates into one format.

    Sequences may differ in length. A sequence's predictions are the same alone and in
    any batch.

    Parameters
    ----------
    units : int or tuple of int, default=128
        Width of the recurrent layers, in the encoder and in the decoder, one entry per
        stacked layer. Larger values learn finer distinctions, but need more data and
        take longer.
    cell : {"lstm", "gru"}, default="lstm"
        Recurrent cell. A GRU has a quarter fewer weights.
    bidirectional : bool, default=True
        Whether every layer of the encoder also reads the sequence in reverse. False is
        faster.
    dropout : float, default=0.0
        Share of each layer's inputs that is set to zero in training. Raise it when the
        validation loss grows while the training loss falls.
    embedding_dim : int, default=128
        Width of the vectors that represent tokens. Larger values suit large
        vocabularies; characters need smaller ones than words.
    attention : {"additive", "dot"} or None, default="additive"
        How the decoder looks at the source: by a small network [1]_; by a scaled
        product [2]_, which is faster on long sequences; or, with None, not at all, so
        that it sees one vector only, as in [3]_.
    input_feeding : bool, default=False
        Whether the decoder's first layer reads, beside the last token, what was
        attended to when that token was written [2]_. It then knows what it has
        translated already, which makes sentences better; training takes half as long
        again. Needs attention.
    source_tokenizer, target_tokenizer : {"auto", "word", "char"}, callable or None, \
default="auto"
        How strings are split into tokens: at white space, into characters, or by a
        callable from a str to a list of str (whose method `detokenize`, if it has one,
        is the way back; otherwise tokens are joined by spaces). "auto" takes characters
        if at least one of these holds for the strings that training starts with: fewer
        than 10 % of them have white space between other characters; at least 10 % of
        their words contain a digit; at least 20 % of their words occur only once.
        Otherwise it takes words. Samples that already are
        lists, tuples or arrays of tokens are taken as they are; None takes only such
        samples, and their tokens may be integers.
    min_frequency : int, default=1
        Number of times that a token must occur in the training data to be known. A
        larger value leaves more tokens unknown, and teaches the network to handle them.
    max_vocabulary : int, default=None
        Largest number of tokens to know on either side; the most frequent are kept. A
        smaller value trains faster and leaves more tokens unknown. None keeps all.
    label_smoothing : float, default=0.0
        Share of the probability that training spreads over all tokens. A larger share
        keeps the network less certain; 0.1 often helps beam search where a source has
        many good outputs.
    decoder : {"greedy", "beam"}, default="greedy"
        How `predict` searches: "greedy" takes the best label or token at each step;
        "beam" keeps several hypotheses, which is better where the network is in doubt,
        and slower. May be changed after `fit`.
    beam_width : int, default=5
        Number of hypotheses that the beam search keeps. Larger values find more
        probable outputs and take longer. May be changed after `fit`.
    length_penalty : float, default=0.0
        Exponent of the length by which log-probabilities are divided [4]_. Larger
        values favour longer outputs. May be changed after `fit`.
    coverage_penalty : float, default=0.0
        Weight of the penalty on hypotheses that leave parts of the source unattended
        [4]_. Raise it when outputs leave things out. Needs attention. May be changed
        after `fit`.
    no_repeat_ngram : int, default=0
        Length of the runs of tokens that no output may contain twice; 0 allows all. Set
        it when outputs repeat themselves; a smaller value forbids more. May be changed
        after `fit`.
    min_output_length : int, default=1
        Smallest number of tokens in an output. Raise it when outputs end too soon; 0
        allows empty outputs. May be changed after `fit`.
    max_output_length : int, default=None
        Largest number of tokens in an output. Raise it when outputs are cut short. None
        takes the longest target of the training data, and proportionally more for a
        source longer than any there. May be changed after `fit`.
    preprocess : list of transformers and augmenters, default=None
        What is done to the tokens of each source before the network reads them, in
        order. Augmenters of :mod:`skseq.augmentation`, such as
        :class:`~skseq.augmentation.TokenDropout`, change only what is trained on, drawn
        again in each epoch from `random_state`, the epoch and the index of the sample.
        Transformers must learn nothing, and take and return a list of token lists.
    optimizer : str, class, dict or keras.optimizers.Optimizer, default="adam"
        Optimizer by name, class, config or instance. An instance is rebuilt from its
        config and never used itself. `optimizer__<name>` sets its parameters.
    learning_rate : float or LearningRateSchedule, default=2e-3
        Learning rate of an optimizer given by name or class. A higher rate needs fewer
        epochs; lower it when the loss jumps.
    learning_rate_schedule : {"warmup_cosine", "constant"}, default="warmup_cosine"
        How `fit` changes the learning rate. "warmup_cosine" raises it over the first
        twentieth of the epochs and lowers it along half a cosine to a hundredth.
        `partial_fit` does not know how many epochs will follow, so it keeps the rate
        constant, as `fit` does if `learning_rate` is a schedule itself, if `optimizer`
        is an instance or config, or once a callback has set the rate.
    global_clipnorm : float or None, default=5.0
        Norm to which larger gradients are scaled down; None leaves them as they are.
        Lower it when the loss jumps. It has no effect on an optimizer given as an
        instance or config, or on one that clips in its own way, as
        `optimizer__clipnorm` makes it do.
    ema_decay : float, default=None
        Decay per gradient step of a moving average of the weights, for example 0.999;
        values nearer to 1 average over more steps. The averaged weights are then what
        is validated and kept.
    epochs : int, default=50
        Number of passes over the training data. Raise it when the loss still falls at
        the end.
    batch_size : int or "auto", default="auto"
        Number of sequences per gradient step. Larger batches make an epoch faster, with
        fewer steps to learn in. Sequences of similar length share a batch. "auto" takes
        8, 16, 32 or 64, the largest that leaves 20 steps per epoch, and is kept as
        `batch_size_`.
    shuffle : bool, default=True
        Whether to draw new batches in every epoch. If False, batches go from short to
        long sequences.
    early_stopping : bool, default=False
        Whether to stop when the results on a validation set no longer improve, and keep
        the weights of the best epoch.
    validation_fraction : float, default=0.1
        Share of the samples to hold out where a validation set is needed, as for early
        stopping, and `fit` is not given one. A larger share judges better and leaves
        less to learn from.
    n_iter_no_change : int, default=10
        Number of epochs without improvement before stopping early. A larger number
        outlasts longer plateaus.
    scoring : {"loss", "score"}, default="loss"
        What early stopping looks at: the loss on the validation set, or the score of
        the outputs decoded for it, which takes longer.
    callbacks : list of keras.callbacks.Callback or classes, default=None
        Keras callbacks; copies of them are used and kept as `callbacks_`.
        `callbacks__<name>` sets parameters of those given as classes.
    checkpoint : str or path-like, default=None
        Folder in which each fit keeps a file that is written after every epoch. If it
        holds the file of a fit with the same data and parameters, the fit resumes from
        it and ends as an uninterrupted one would have, also in a search. Files are
        kept: delete them to train from the start.
    distribute : tf.distribute.Strategy, default=None
        Devices, on this machine or on several, that share the work of each gradient
        step. Neither `save` nor pickles keep it.
    warm_start : bool, default=False
        Whether `fit` starts from the present weights and keeps the labels, vocabularies
        or scaling of the first fit.
    random_state : int, RandomState instance or None, default=None
        Seed of weights, batches, dropout and the validation split. An int gives the
        same model in every run on the same kind of processor with the same number of
        threads.
    verbose : int, default=0
        0 is silent; 1 shows a progress bar over the epochs.
    **routed
        Parameters `optimizer__*` and `callbacks__*`.

    Attributes
    ----------
    source_vocabulary_, target_vocabulary_ : ndarray of shape (n_tokens,)
        The known tokens of either side, sorted.
    source_tokenizer_, target_tokenizer_ : {"word", "char"}, callable or None
        What `source_tokenizer` and `target_tokenizer` were in `fit`, or what "auto"
        stands for.
    model_ : keras.Model
        The network in training, from source and target to logits and attention. It is
        built at each access.
    history_ : dict of str to list of float
        Mean loss per token in each epoch: "loss", "val_loss" with a validation set,
        "val_score" if `scoring="score"`, and what callbacks add.
    batch_size_ : int
        What `batch_size` was in the last `fit` or `partial_fit`, or what "auto" stood
        for.
    n_iter_ : int
        Number of epochs trained, including those after the best one.
    callbacks_ : list of keras.callbacks.Callback
        The callbacks that the last `fit` or `partial_fit` called, copies of those in
        `callbacks`, with what they have gathered. `save` does not keep them.
    decoding_results_ : dict of str to ndarray or list
        What the last `fit_decoding` found, as scikit-learn's `cv_results_` of one
        split: "params", "param_<name>", "mean_test_score", "rank_test_score" and
        "mean_score_time", the seconds of decoding and scoring. Exists only after
        `fit_decoding`; training drops it.

    See Also
    --------
    skseq.metrics.token_error_rate : The error that `score` is one minus.
    skseq.metrics.bleu : The usual measure of translations.
    skseq.inspection.AttentionDisplay : Shows where the decoder looks.

    References
    ----------
    .. [1] D. Bahdanau, K. Cho and Y. Bengio, "Neural Machine Translation by Jointly
           Learning to Align and Translate", ICLR 2015.
    .. [2] T. Luong, H. Pham and C. D. Manning, "Effective Approaches to Attention-based
           Neural Machine Translation", EMNLP 2015.
    .. [3] K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for
           Statistical Machine Translation", EMNLP 2014.
    .. [4] Y. Wu et al., "Google's Neural Machine Translation System: Bridging the Gap
           between Human and Machine Translation", arXiv:1609.08144, 2016.

    Examples
    --------
    >>> from skseq import Seq2SeqTranslator
    >>> X, y = ["a b", "b a", "a a"], ["b a", "a b", "a a"]
    >>> translator = Seq2SeqTranslator(units=16, epochs=40, random_state=0).fit(X, y)
    >>> translator.predict(["b a"])
    array(['a b'], dtype=object)
    """

    _constraints = CONSTRAINTS
    _decoding_constraints = DECODING_CONSTRAINTS
    _fitted = {  # noqa: RUF012
        **FITTED,
        **FITTED_DECODING,
        "source_vocabulary_": instance_of(np.ndarray),
        "target_vocabulary_": instance_of(np.ndarray),
        "source_tokenizer_": (NONE, OneOf(TOKENIZERS)),
        "target_tokenizer_": (NONE, OneOf(TOKENIZERS)),
        "_target_form": OneOf(FORMS),
        "_target_dtype": (NONE, OneOf(["str", "object", *INTEGER_DTYPES])),
        "_longest_source": LENGTH,
        "_longest_target": LENGTH,
    }

    def __init__(
        self,
        *,
        units: Ints = 128,
        cell: Cell = "lstm",
        bidirectional: bool = True,
        dropout: float = 0.0,
        embedding_dim: int = 128,
        attention: Literal["additive", "dot"] | None = "additive",
        input_feeding: bool = False,
        source_tokenizer: Tokenizer = "auto",
        target_tokenizer: Tokenizer = "auto",
        min_frequency: int = 1,
        max_vocabulary: int | None = None,
        label_smoothing: float = 0.0,
        decoder: Decoder = "greedy",
        beam_width: int = 5,
        length_penalty: float = 0.0,
        coverage_penalty: float = 0.0,
        no_repeat_ngram: int = 0,
        min_output_length: int = 1,
        max_output_length: int | None = None,
        preprocess: Steps = None,
        optimizer: Optimizer = "adam",
        learning_rate: LearningRate = 2e-3,
        learning_rate_schedule: RateSchedule = "warmup_cosine",
        global_clipnorm: float | None = 5.0,
        ema_decay: float | None = None,
        epochs: int = 50,
        batch_size: int | Literal["auto"] = "auto",
        shuffle: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        scoring: Literal["loss", "score"] = "loss",
        callbacks: Callbacks = None,
        checkpoint: Path | None = None,
        distribute: Strategy | None = None,
        warm_start: bool = False,
        random_state: RandomState = None,
        verbose: int | bool = 0,
        **routed: Any,
    ):
        self.units = units
        self.cell = cell
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.embedding_dim = embedding_dim
        self.attention = attention
        self.input_feeding = input_feeding
        self.source_tokenizer = source_tokenizer
        self.target_tokenizer = target_tokenizer
        self.min_frequency = min_frequency
        self.max_vocabulary = max_vocabulary
        self.label_smoothing = label_smoothing
        self.decoder = decoder
        self.beam_width = beam_width
        self.length_penalty = length_penalty
        self.coverage_penalty = coverage_penalty
        self.no_repeat_ngram = no_repeat_ngram
        self.min_output_length = min_output_length
        self.max_output_length = max_output_length
        self.preprocess = preprocess
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.global_clipnorm = global_clipnorm
        self.ema_decay = ema_decay
        self.epochs = epochs
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.scoring = scoring
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.distribute = distribute
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self._set_routed(routed)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags

    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None):
        """Train on sources and their targets.

        Parameters
        ----------
        X : collection of str, or of lists, tuples or 1-D arrays of tokens
            Sources.
        y : as `X`
            Targets; `predict` gives outputs in the same form.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample in the loss, beside its number of tokens. Samples of
            weight 0 are left out.
        X_val, y_val : as `X` and `y`, default=None
            Validation set. Its loss is recorded in `history_["val_loss"]`, and decides
            when to stop if `early_stopping` is set.

        Returns
        -------
        self : Seq2SeqTranslator
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter, a source or a target cannot be used; the message names it.
            Everything is checked before training starts, and the estimator stays as it
            was.
        TrainingDivergedError
            If the loss is not finite.

        Warns
        -----
        ConvergenceWarning
            If the outputs for training sources are no better than one output for all,
            most texts are one token each that occurs once, most tokens of the targets
            are unknown, or the loss was still falling in the last tenth of the epochs.
        """
        request = FitRequest(X, y, sample_weight, X_val, y_val, self.warm_start)
        return self._fit(request)

    def partial_fit(self, X, y, sample_weight=None):
        """Train for one more epoch, from the present weights and optimizer state.

        Calling it once per epoch of a `fit`, with the same data and an integer
        `random_state`, gives the same weights if `learning_rate_schedule` is
        "constant". The first call determines the vocabularies: later tokens that it did
        not hold are unknown ones. No checkpoint is read or written.

        Parameters
        ----------
        X : collection of str, or of lists, tuples or 1-D arrays of tokens
            Sources.
        y : as `X`
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.

        Returns
        -------
        self : Seq2SeqTranslator
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            As :meth:`fit`, or if a parameter has changed that the network depends on.
        """
        request = FitRequest(X, y, sample_weight, resumes=True, is_partial=True)
        return self._fit(request)

    def predict(self, X):
        """Translate each source.

        Parameters
        ----------
        X : collection of str, or of lists, tuples or 1-D arrays of tokens
            Sources. Tokens that training did not know are taken for one unknown token.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Outputs in the form of the fitted `y` (an object array), in the order of
            `X`.

        Raises
        ------
        ValueError
            If a source cannot be used, or no output satisfies `min_output_length`,
            `max_output_length` and `no_repeat_ngram`.
        """
        check_is_fitted(self)
        self._check_way_back()
        return self._texts(self._decoded(self._check_sources(X)))

    def predict_proba(self, X, y=None):
        """Probability of each token at each place of an output.

        Parameters
        ----------
        X : collection of str, or of lists, tuples or 1-D arrays of tokens
            Sources.
        y : as `X`, default=None
            The outputs to go along (teacher forcing). None goes along what `predict`
            gives.

        Returns
        -------
        proba : ndarray of shape (n_samples,)
            An object array of arrays of shape (n_output_tokens, n_tokens + 2), whose
            rows sum to one; columns are `target_vocabulary_`, then an unknown token,
            then the end. Row `i` is what is expected after the first `i` tokens.
        """
        along = self._along(X, y)
        return object_array(
            self._forced(along, lambda logits, _: np.exp(log_softmax(logits[:-1], 1)))
        )

    def predict_n_best(self, X, n=5):
        """The best outputs that a beam search finds.

        Parameters
        ----------
        X : collection of str, or of lists, tuples or 1-D arrays of tokens
            Sources.
        n : int, default=5
            Largest number of hypotheses per sample. A narrower beam is widened to it.

        Returns
        -------
        hypotheses : ndarray of shape (n_samples,)
            Lists of at most `n` :class:`RankedOutput`, the best first.

        Raises
        ------
        ValueError
            If `n` is not a positive int, or as :meth:`predict`.
        """
        check_is_fitted(self)
        check_value("predict_n_best", "n", n, POSITIVE_INT)
        self._check_way_back()
        found = self._search(self._check_sources(X), "beam", n)
        return object_array(map(self._as_written, found))

    def score_samples(self, X, y=None):
        """Log-probability of each target, given its source.

        Parameters
        ----------
        X : collection of str, or of lists, tuples or 1-D arrays of tokens
            Sources.
        y : as `X`, default=None
            Targets. None stands for what `predict` gives.

        Returns
        -------
        log_probability : ndarray of shape (n_samples,)
            The log p(y | x) of each sample, in nats, of the tokens and the end.
        """
        along = self._along(X, y)
        tables = self._forced(along, lambda logits, _: log_softmax(logits, 1))
        labels = [[*target, along.end] for target in along.targets]
        return np.array(list(map(log_likelihood, tables, labels)))

    def predict_attention(self, X, y=None):
        """Say where in the source the decoder looks for each token of an output.

        Parameters
        ----------
        X : collection of str, or of lists, tuples or 1-D arrays of tokens
            Sources.
        y : as `X`, default=None
            The outputs to go along (teacher forcing). None goes along what `predict`
            gives.

        Returns
        -------
        attention : ndarray of shape (n_samples,)
            An object array of arrays of shape (n_output_tokens, n_source_tokens), whose
            rows sum to one.

        Raises
        ------
        ValueError
            If the estimator was fitted without attention.
        """
        check_is_fitted(self)
        if self._settings["attention"] is None:
            raise ValueError(
                "predict_attention needs attention, but the estimator was fitted with "
                'attention=None. Fit with attention="additive" or "dot".'
            )
        along = self._along(X, y)
        return object_array(self._forced(along, lambda _, weights: weights[:-1].copy()))

    def score(self, X, y, sample_weight=None):
        """One minus the token error rate.

        Parameters
        ----------
        X : collection of str, or of lists, tuples or 1-D arrays of tokens
            Sources.
        y : as `X`
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        score : float
            1 is perfect. Negative if there are more errors than tokens. Targets may be
            empty where outputs may, with `min_output_length=0`.
        """
        check_is_fitted(self)
        data = self._check_sources(X)
        targets = self._outputs(y, len(data.sources))
        outputs = self._vocabulary("target").decode(self._decoded(data))
        return 1 - label_error_rate(targets, outputs, sample_weight=sample_weight)

    def export(self, path, format="saved_model", decoder=None):
        """Write the fitted functions as graphs that run where skseq is not installed.

        A SavedModel has the signature `predict_tokens`, which takes `tokens`
        (n_samples, n_tokens), padded, and `lengths`; and, if sources are cut by "word"
        or "char", `predict`, the default, which takes `text` (n_samples,). Outputs are
        `token_ids`, padded with -1, `n_tokens`, and `text` or `tokens` in the form of
        the targets. ONNX has no strings and no search: it gets `encoder.onnx` and
        `decoder_step.onnx`, of ids, between which a reader loops.

        Parameters
        ----------
        path : str or path-like
            Folder to write, which must not be there or be empty. `skseq.json` in it
            holds the vocabularies and describes the graphs.
        format : {"saved_model", "onnx"}, default="saved_model"
            "saved_model" for TensorFlow and TensorFlow Serving; "onnx" for onnxruntime
            and others, which needs ``pip install "skseq[onnx]"``.
        decoder : {"greedy"}, default=None
            How the graph decodes. None takes the estimator's own, which must be greedy.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        FileExistsError
            If `path` is a file, or a folder that is not empty.
        ImportError
            If what writes ONNX is not installed.
        ValueError
            If the estimator decodes by a beam search and `decoder` is None, or if
            `preprocess` has a transformer.
        """
        check_is_fitted(self)
        check_greedy(self.decoder, decoder)
        super().export(path, format)

    # -- what the base asks for ---------------------------------------------------

    def _check_parameters(self):
        super()._check_parameters()
        if self.input_feeding and self.attention is None:
            raise ValueError(
                "input_feeding=True needs attention, but attention=None. Set "
                'input_feeding=False, or attention="additive" or "dot".'
            )
        self._check_decoding(self.attention)

    def _check_data(self, X, y, sample_weight, *, reset):
        sources = self._tokens(X, "X", reset=reset)
        steps = PreprocessedTokens(sources.sequences, self.preprocess)
        self._steps = transformers_of(self.preprocess)
        sources = replace(sources, sequences=steps.sequences)
        targets = self._tokens(y, "y", n_samples=len(sources), reset=reset)
        weights = check_sample_weight(sample_weight, len(sources))
        if reset:
            self.source_tokenizer_ = sources.tokenizer
            self.target_tokenizer_ = targets.tokenizer
            warn_of_whole_texts(sources, "source", self.source_tokenizer)
            warn_of_whole_texts(targets, "target", self.target_tokenizer)
            self._learn_vocabularies(sources, targets)
        vocabulary = self._vocabulary("source")

        def redraw(*draw):
            return vocabulary.encode([steps.drawn(*draw)])[0]

        return PairData(
            vocabulary.encode(sources.sequences),
            weights,
            self._vocabulary("target").end,
            self._vocabulary("target").encode(targets.sequences),
            redraw if steps.augments else None,
        )

    def _learn_vocabularies(self, sources, targets):
        limits = {
            "min_frequency": self.min_frequency,
            "max_vocabulary": self.max_vocabulary,
        }
        source = TokenVocabulary.fit(sources.sequences, name="X", **limits)
        target = TokenVocabulary.fit(targets.sequences, name="y", **limits)
        self.source_vocabulary_, self.target_vocabulary_ = source.tokens, target.tokens
        self._target_form, self._target_dtype = targets.form, targets.dtype
        self._longest_source = max(map(len, sources.sequences))
        self._longest_target = max(map(len, targets.sequences))

    def _make_settings(self, data, validation, present):
        return {
            "n_source_ids": self._vocabulary("source").n_ids,
            "n_target_ids": self._vocabulary("target").n_ids,
            "embedding_dim": int(self.embedding_dim),
            "units": as_tuple(self.units),
            "cell": self.cell,
            "bidirectional": bool(self.bidirectional),
            "attention": self.attention,
            "dropout": float(self.dropout),
            "input_feeding": bool(self.input_feeding),
        }

    def _optimizer_parameters(self):
        routed = super()._optimizer_parameters()
        if self.ema_decay is None:
            return routed
        return {"use_ema": True, "ema_momentum": float(self.ema_decay), **routed}

    _network = staticmethod(seq2seq_network)

    def _make_losses(self):
        return TokenLosses(float(self.label_smoothing))

    def _initial_weights(self, program):
        weights = super()._initial_weights(program)
        embedding = program.model.get_layer("encoder").get_layer("source_embedding")
        places = {w.path: place for place, w in enumerate(program.model.weights)}
        # An unknown token says nothing, until training says otherwise.
        vectors = weights[places[embedding.embeddings.path]]
        vectors[self._vocabulary("source").unknown] = 0.0
        return weights

    def _failure(self, data):
        unknown = self._vocabulary("target").unknown
        n_unknown = sum(np.count_nonzero(ids == unknown) for ids in data.targets)
        n_tokens = sum(map(len, data.targets))
        if 2 * n_unknown > n_tokens:
            return (
                f"{type(self).__name__} knows few of the tokens that it should write: "
                f"of {n_tokens} in some training targets, {n_unknown} are unknown. "
                f"{self._cure_of_unknowns()}"
            )
        found = self._decoded(replace(data, targets=None), "greedy")
        lack = lack_of_learning(data.targets, found)
        advice = f"a higher or lower {self._rate_name}, or other tokenizers"
        who = counted(len(found), "training source")
        return lack and not_learnt(self, who, lack, advice)

    def _cure_of_unknowns(self) -> str:
        """What to set so that more tokens are known."""
        cures = []
        if self.min_frequency > 1:
            cures.append(f"lower min_frequency={self.min_frequency}")
        if self.max_vocabulary is not None:
            cures.append(f"raise max_vocabulary={self.max_vocabulary}")
        if self.target_tokenizer_ != "char":
            cures.append('set target_tokenizer="char"')
        cure = ", or ".join(cures)
        return f"{cure[:1].upper()}{cure[1:]}."

    def _exported(self, model, format):
        self._check_decoding(self._settings["attention"])
        refuse_steps(self._steps)
        vocabularies = self._vocabulary("source"), self._vocabulary("target")
        cut, join = tokenizer_in_use(self, "source"), tokenizer_in_use(self, "target")
        join = join if self._target_form == "text" else None
        rules = Rules(
            self.min_output_length,
            self.max_output_length,
            self._longest_source,
            self._longest_target,
            self.no_repeat_ngram,
        )
        if format == "onnx":
            return Parts(model, *vocabularies, rules).export()
        return Translation(model, *vocabularies, cut, join, rules).export()

    def _check_restored(self):
        super()._check_restored()
        for side in ("source", "target"):
            tokens = getattr(self, f"{side}_vocabulary_")
            vocabulary = TokenVocabulary.from_array(tokens)
            if self._settings[f"n_{side}_ids"] != vocabulary.n_ids:
                raise ValueError(f"its {side} vocabulary is not the network's")
        tokens = self.target_vocabulary_.tolist()
        as_texts([tokens], self._target_form, "word", self._target_dtype)  # or raises

    @property
    def _monitor(self):
        return f"val_{self.scoring}"

    @property
    def _validation_score(self):
        return self._score_subset if self.scoring == "score" else None

    @property
    def _prediction_parameters(self):
        return frozenset(DECODING_CONSTRAINTS if self.scoring == "loss" else ())

    # -- its own ------------------------------------------------------------------

    def _vocabulary(self, side) -> TokenVocabulary:
        return TokenVocabulary(getattr(self, f"{side}_vocabulary_"))

    def _tokens(self, texts, name, *, n_samples=None, reset=False, is_output=False):
        """Checked tokens; what may be an output is empty where outputs may be."""
        side = {"X": "source", "y": "target"}[name]
        parameter = f"{side}_tokenizer"
        tokens = check_tokens(
            texts,
            name,
            tokenizer=(
                getattr(self, parameter) if reset else tokenizer_in_use(self, side)
            ),
            parameter=parameter,
            n_samples=n_samples,
            may_be_empty=is_output and self.min_output_length == 0,
            estimator_name=type(self).__name__,
        )
        known = [sequence for sequence in tokens.sequences if sequence]
        if known and not reset:
            self._vocabulary(side).check_type(known, name)
        return tokens

    def _check_decoding(self, attention) -> None:
        """Check the parameters that may be changed after `fit`."""
        check_parameters(self, DECODING_CONSTRAINTS)
        if self.coverage_penalty and attention is None:
            raise ValueError(
                f"coverage_penalty={self.coverage_penalty} needs attention, but "
                "attention=None. Set coverage_penalty=0, or fit with attention."
            )
        shortest, longest = self.min_output_length, self.max_output_length
        if longest is not None and shortest > longest:
            raise ValueError(
                f"min_output_length={shortest} exceeds max_output_length={longest}. "
                "Lower the first or raise the second."
            )

    def _check_way_back(self) -> None:
        """Check, before the search, that tokens can be put in the user's form."""
        check_parameters(self, {"target_tokenizer": TOKENIZER})
        is_none = tokenizer_in_use(self, "target") is None
        if self._target_form == "text" and is_none:
            raise ValueError(
                "target_tokenizer=None cannot join tokens into texts, as targets were "
                "in fit. Set target_tokenizer to what it was then."
            )

    def _check_sources(self, X) -> PairData:
        if (held := self._held_for(X)) is not None:
            return held
        sources = self._tokens(X, "X").sequences
        sources = PreprocessedTokens(sources, self._steps).sequences
        ids = self._vocabulary("source").encode(sources)
        return PairData(ids, np.ones(len(ids)), self._vocabulary("target").end)

    def _try_example(self):
        ids = [np.zeros(1, dtype=np.int32)]
        data = PairData(ids, np.ones(1), self._vocabulary("target").end)
        self._decoded(data)

    def _along(self, X, y) -> PairData:
        """Checked sources, and the targets to go along: those given or the decoded."""
        check_is_fitted(self)
        data = self._check_sources(X)
        if y is None:
            return replace(data, targets=self._decoded(data))
        targets = self._outputs(y, len(data.sources))
        return replace(data, targets=self._vocabulary("target").encode(targets))

    def _outputs(self, y, n_samples) -> list:
        """The tokens of outputs, which `predict` may have given, or of references."""
        return self._tokens(y, "y", n_samples=n_samples, is_output=True).sequences

    def _forced(self, data, read) -> list:
        """What `read(logits, attention)` makes of each sample, in the user's order."""
        n_tokens, n_source = data.target_lengths, data.source_lengths

        def read_batch(rows, logits, attention):
            for row, own, weights in zip(rows, logits, attention, strict=True):
                yield read(own, weights[: n_tokens[row], : n_source[row]])

        return self._map(data, read_batch, run_forced)

    def _decoded(self, data, decoder=None) -> list[np.ndarray]:
        """The ids that are predicted for each source."""
        found = self._search(data, decoder or self.decoder, 1)
        return [best.output for best, *_ in found]

    def _search(self, data, decoder, n_best) -> list[list[RankedOutput]]:
        """The best hypotheses of each source, whose outputs are ids."""
        self._check_decoding(self._settings["attention"])
        data = data.encoded or data
        self._check_beam(self._width(decoder, n_best), data.source_lengths)
        run = partial(self._translate, decoder=decoder, n_best=n_best)
        n_rows = self._n_decoded(decoder, n_best)
        return self._map(data, read_hypotheses, run, n_rows=n_rows)

    def _score_subset(self, program, subset) -> float:
        """The score of what the network, as it is now, decodes of some rows."""
        data = subset.data.take(subset.rows)
        run = partial(self._translate, decoder=self.decoder, n_best=1)
        n_rows = self._n_decoded(self.decoder, 1)
        found = self._map_batches(program, data, read_hypotheses, run, n_rows)
        decoded = [best.output for best, *_ in found]
        return 1 - label_error_rate(data.targets, decoded, sample_weight=data.weights)

    def _width(self, decoder, n_best) -> int:
        return max(int(self.beam_width), n_best) if decoder == "beam" else 1

    def _check_beam(self, width, source_lengths) -> None:
        """Refuse a beam that fills the memory for a single source.

        A hypothesis takes at least its tokens, its attention and some rows of logits.
        """
        longest = int(self._limits(source_lengths).max())
        n_ids = self._vocabulary("target").n_ids
        n_values = 2 * longest + 2 * int(source_lengths.max()) + 4 * n_ids
        what = f"Beams of {width:,} outputs of up to {counted(longest, 'token')}"
        cure = "Lower beam_width or max_output_length, or the n of predict_n_best."
        check_fits(4 * width * n_values, what, cure)

    def _n_decoded(self, decoder, n_best) -> int:
        """How many sources are best decoded together."""
        n_values = self._width(decoder, n_best) * self._vocabulary("target").n_ids
        return max(1, min(DECODED_ROWS, DECODED_VALUES // n_values))

    def _translate(self, program, batch, *, decoder, n_best):
        vocabulary = self._vocabulary("target")
        function, sources = translate, [batch.get("source")]
        if "states" in batch:  # they are encoded already
            function, sources = decode, [batch["states"], batch["summary"]]
        return program.run(
            function,
            *sources,
            batch["source_lengths"],
            self._limits(batch["source_lengths"]),
            np.int32(self.min_output_length),
            np.float32(self.length_penalty),
            np.float32(self.coverage_penalty),
            end=vocabulary.end,
            unknown=vocabulary.unknown,
            beam_width=self._width(decoder, n_best),
            n_best=n_best,
            no_repeat_ngram=int(self.no_repeat_ngram),
        )

    def _limits(self, source_lengths) -> np.ndarray:
        """The most tokens of an output, for sources of these lengths."""
        if self.max_output_length is not None:
            return np.full(len(source_lengths), self.max_output_length, dtype=np.int32)
        share = np.maximum(1.0, source_lengths / self._longest_source)
        return np.ceil(self._longest_target * share).astype(np.int32)

    def _texts(self, ids) -> np.ndarray:
        sequences = self._vocabulary("target").decode(ids)
        form, dtype = self._target_form, self._target_dtype
        tokenizer = tokenizer_in_use(self, "target")
        return as_texts(sequences, form, tokenizer, dtype)

    def _as_written(self, hypotheses) -> list[RankedOutput]:
        """Hypotheses with their outputs in the user's form."""
        texts = self._texts([hypothesis.output for hypothesis in hypotheses])
        pairs = zip(hypotheses, texts, strict=True)
        return Records(hypothesis._replace(output=text) for hypothesis, text in pairs)
