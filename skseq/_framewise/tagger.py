"""`SequenceTagger`: one label per frame of a sequence, or per token."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted

import skseq._nn.backend  # noqa: F401 - before Keras is imported
from skseq._data.collections import object_array
from skseq._data.frame_labels import (
    UNLABELLED,
    check_frame_labels,
    check_frame_weights,
    encode_labels,
    is_per_frame,
    learn_labels,
    marks_of,
    shared,
    without_mark,
)
from skseq._data.label_vocabulary import FORMS, LabelVocabulary
from skseq._data.weights import check_sample_weight, weigh_classes
from skseq._encoder.estimator import CLASS_WEIGHT, ENCODER_CONSTRAINTS
from skseq._encoder.stream import check_streamable
from skseq._engine.convergence import not_learnt
from skseq._engine.lending import borrow
from skseq._engine.state import FitRequest
from skseq._framewise.inputs import FITTED_INPUT, INPUT_CONSTRAINTS, InputEstimator
from skseq._framewise.loss import ChainLosses, LabelLosses
from skseq._framewise.outputs import (
    Paths,
    chain_weights,
    check_fits_n_best,
    lack_of_labels,
)
from skseq._framewise.stream import EachByItself, FrameStream
from skseq._framewise.tagger_export import exported_tagger
from skseq._framewise.tagger_stream import ChainDecoder
from skseq._framewise.transitions import (
    ALLOWED_TRANSITIONS,
    asked_once,
    check_sequences,
    compile_transitions,
)
from skseq._parameters import (
    BOOLEAN,
    NONE,
    POSITIVE_INT,
    Kind,
    OneOf,
    check_value,
    instance_of,
)
from skseq._preprocess.steps import check_keeps_frames
from skseq._results import RankedLabels, Records
from skseq._typing import (
    Callbacks,
    Cell,
    FrontEnd,
    Ints,
    IntsOrAuto,
    LearningRate,
    Optimizer,
    Path,
    RandomState,
    RateSchedule,
    Steps,
    Strategy,
)
from skseq._wording import counted
from skseq.metrics import frame_accuracy

UNLABELLED_MARK = (
    NONE,
    Kind(
        lambda value: isinstance(value, str | bool | np.bool_ | int | np.integer),
        "a label (a str, an int or a bool)",
    ),
)


class SequenceTagger(InputEstimator):
    """Give each frame of a sequence a label, or each token.

    A recurrent network reads each sequence and tells the probability of each label at
    each frame; with `crf`, labels that follow each other are learnt together. Pauses
    in speech, states of machines, stages of sleep, names and parts of speech in texts
    are found this way.

    Sequences may differ in length. A sequence's predictions are the same alone and in
    any batch.

    Parameters
    ----------
    input : {"auto", "frames", "tokens"}, default="auto"
        What sequences consist of: numbers, or words and the like. "auto" takes strings
        for tokens and numbers for frames; "tokens" takes integers for tokens too. What
        is for frames alone, convolutions, `front_end` and `standardize`, has no effect
        on tokens, and what is for tokens alone none on frames.
    units : int or tuple of int, default=128
        Width of the recurrent layers, one entry per stacked layer. Larger values learn
        finer distinctions, but need more data and take longer.
    cell : {"lstm", "gru"}, default="lstm"
        Recurrent cell. A GRU has a quarter fewer weights.
    bidirectional : bool, default=True
        Whether every layer also reads the sequence in reverse. False predicts each
        frame from the past alone.
    dropout : float, default=0.2
        Share of each layer's inputs that is set to zero in training. Raise it when the
        validation loss grows while the training loss falls.
    crf : bool, default=False
        Whether the labels of a sequence are one chain, a conditional random field
        [1]_, that learns how well each label goes with the one before. It helps where
        labels depend on each other, as in spans, or frames say little by themselves,
        and takes longer with many labels.
    allowed_transitions : {"BIO", "IOBES"}, callable or None, default=None
        Which label may follow which. "BIO" and "IOBES" are schemes of spans: labels are
        "O", or "B-", "I-", "E-" or "S-" and a type. A callable
        ``allowed(before, after) -> bool`` is asked once per call for all pairs, with
        None for what is before the first and after the last. Predictions are the best
        among allowed sequences, and probabilities those among them. It can be set
        after `fit`, too.
    embedding_dim : int, default=128
        Width of the vectors that represent tokens. Larger values suit large
        vocabularies; characters need smaller ones than words.
    char_embedding_dim : int or None, default=32
        Width of the vectors that represent characters, and number of patterns that are
        looked for in the characters of each token [2]_, so that endings and capitals
        tell about unknown tokens. Larger values distinguish more of them. None reads no
        characters.
    min_frequency : int, default=1
        Number of times that a token must occur in the training data to be known. A
        larger value leaves more tokens unknown, and teaches the network to handle them.
    max_vocabulary : int, default=None
        Largest number of tokens to know; the most frequent are kept. A smaller value
        trains faster and leaves more tokens unknown. None keeps all.
    conv_filters : int, tuple of int or "auto", default="auto"
        Convolutions over time before the recurrent layers, one entry per layer: the
        number of features that each gives. Larger values distinguish finer patterns and
        take longer; `()` means no convolution. "auto" takes one layer of 64 features,
        or one for each of several `conv_strides`, and none if there is a `front_end` or
        frames have fewer than 8 features.
    conv_kernel_size : int, default=5
        Number of frames that each of these convolutions sees. Larger values recognize
        longer patterns.
    conv_strides : int, tuple of int or "auto", default="auto"
        Strides of these convolutions, all of them 1, as each frame has a label. "auto"
        stands for that, and is kept as `conv_strides_`.
    front_end : "image" or callable, default=None
        Layers before these convolutions. "image" takes a sample as an image, its
        columns as frames (`(n_columns, height)`), through 3 x 3 convolutions with
        pooling (`front_end__filters=(32, 64)`, `front_end__features=64`); each of them
        halves the number of columns. A callable `front_end(frames, **front_end__...)`
        builds layers of your own: it takes a Keras tensor (n_samples, n_frames,
        n_features) and returns one of shape (n_samples, n_output_frames,
        n_output_features); the lengths are worked out. None leaves the frames as they
        are.
    standardize : bool, default=True
        Whether to centre and scale each feature over all training frames; with
        `front_end="image"`, all of them alike. Set it to False where a front end of
        your own needs the values as they are, as indices of a Keras Embedding.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class in training, for each frame that has it; it multiplies
        `sample_weight`. "balanced" gives each class the same weight in all, so that
        rare ones count as much as frequent ones. A dict holds the weights by label, 1
        for those that it lacks. With `crf` it must be None.
    unlabelled : label, default=None
        What stands in `y` for frames without a label, which count nothing; for example
        -1 among integers, or "?" among strings; it is of the type of the labels. With
        `crf`, all labels that they may
        have are summed over. None means that all frames have labels.
    preprocess : list of transformers and augmenters, default=None
        What is done to each sequence before the network reads it, in order. Every
        sequence passes the transformers, which must learn nothing, as
        :class:`~skseq.preprocessing.LogMel` does. Augmenters of
        :mod:`skseq.augmentation` change only what is trained on, drawn again in each
        epoch from `random_state`, the epoch and the index of the sequence.
        `n_features_in_` counts the features before these steps.
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
        Parameters `optimizer__*`, `callbacks__*` and `front_end__*`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted: what the columns of `predict_proba` stand for.
    transitions_ : ndarray of shape (n_classes, n_classes) or None
        What is added to the score of a sequence for the label of a column after that of
        a row, minus infinity where it is not allowed; None without `crf`.
    token_vocabulary_, character_vocabulary_ : ndarray of shape (n_tokens,) or None
        The known tokens, sorted, and the characters that they are spelled with; None
        where they are not read.
    conv_strides_ : tuple of int
        The stride of each convolution.
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from each frame, and what the difference is divided by; only
        for frames.
    model_ : keras.Model
        The network, from scaled frames or ids of tokens, and lengths, to scores of
        labels, with `crf` the weights of the chain, and lengths. It is built at each
        access.
    history_ : dict of str to list of float
        Mean loss per labelled frame in each epoch: "loss", "val_loss" with a validation
        set, and what callbacks add.
    n_features_in_ : int
        Number of features per frame; for a 2-D `X`, its number of columns. Only for
        frames.
    feature_names_in_ : ndarray of shape (`n_features_in_`,), dtype=object
        Names of the features; exists only if `X` has column names that are all str.
    batch_size_ : int
        What `batch_size` was in the last `fit` or `partial_fit`, or what "auto" stood
        for.
    n_iter_ : int
        Number of epochs trained, including those after the best one.
    callbacks_ : list of keras.callbacks.Callback
        The callbacks that the last `fit` or `partial_fit` called, copies of those in
        `callbacks`, with what they have gathered. `save` does not keep them.

    See Also
    --------
    SequenceClassifier : One class per sequence.
    CTCSequenceClassifier : Labels in order, where it is unknown at which frames.

    References
    ----------
    .. [1] J. Lafferty, A. McCallum and F. Pereira, "Conditional Random Fields:
           Probabilistic Models for Segmenting and Labeling Sequence Data", ICML 2001.
    .. [2] X. Ma and E. Hovy, "End-to-end Sequence Labeling via Bi-directional
           LSTM-CNNs-CRF", ACL 2016.

    Examples
    --------
    >>> from skseq import SequenceTagger
    >>> X = [["Ann", "sees", "Paris"], ["Bob", "sleeps"]]
    >>> y = [["PER", "O", "LOC"], ["PER", "O"]]
    >>> tagger = SequenceTagger(units=8, random_state=0).fit(X, y)
    >>> tagger.predict([["Bob", "sees", "Paris"]])
    array([list(['PER', 'O', 'LOC'])], dtype=object)
    """

    _constraints = {  # noqa: RUF012
        **ENCODER_CONSTRAINTS,
        **INPUT_CONSTRAINTS,
        "crf": BOOLEAN,
        "allowed_transitions": ALLOWED_TRANSITIONS,
        "class_weight": CLASS_WEIGHT,
        "unlabelled": UNLABELLED_MARK,
    }
    _fitted = {  # noqa: RUF012
        **FITTED_INPUT,
        "classes_": instance_of(np.ndarray),
        "_label_form": OneOf([form for form in FORMS if form != "single"]),
    }

    def __init__(
        self,
        *,
        input: Literal["auto", "frames", "tokens"] = "auto",
        units: Ints = 128,
        cell: Cell = "lstm",
        bidirectional: bool = True,
        dropout: float = 0.2,
        crf: bool = False,
        allowed_transitions: Literal["BIO", "IOBES"]
        | Callable[[Any, Any], bool]
        | None = None,
        embedding_dim: int = 128,
        char_embedding_dim: int | None = 32,
        min_frequency: int = 1,
        max_vocabulary: int | None = None,
        conv_filters: IntsOrAuto = "auto",
        conv_kernel_size: int = 5,
        conv_strides: IntsOrAuto = "auto",
        front_end: FrontEnd = None,
        standardize: bool = True,
        class_weight: Literal["balanced"] | dict[Any, float] | None = None,
        unlabelled: str | int | bool | None = None,
        preprocess: Steps = None,
        optimizer: Optimizer = "adam",
        learning_rate: LearningRate = 2e-3,
        learning_rate_schedule: RateSchedule = "warmup_cosine",
        global_clipnorm: float | None = 5.0,
        epochs: int = 50,
        batch_size: int | Literal["auto"] = "auto",
        shuffle: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        callbacks: Callbacks = None,
        checkpoint: Path | None = None,
        distribute: Strategy | None = None,
        warm_start: bool = False,
        random_state: RandomState = None,
        verbose: int | bool = 0,
        **routed: Any,
    ):
        self.input = input
        self.units = units
        self.cell = cell
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.crf = crf
        self.allowed_transitions = allowed_transitions
        self.embedding_dim = embedding_dim
        self.char_embedding_dim = char_embedding_dim
        self.min_frequency = min_frequency
        self.max_vocabulary = max_vocabulary
        self.conv_filters = conv_filters
        self.conv_kernel_size = conv_kernel_size
        self.conv_strides = conv_strides
        self.front_end = front_end
        self.standardize = standardize
        self.class_weight = class_weight
        self.unlabelled = unlabelled
        self.preprocess = preprocess
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.global_clipnorm = global_clipnorm
        self.epochs = epochs
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
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
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        return tags

    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None):
        """Train on sequences and the labels of their frames or tokens.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features), or of tokens
            Sequences: a list, tuple or object array of arrays or DataFrames (1-D arrays
            have one feature), an array of shape (n_samples, n_frames, n_features),
            where trailing all-NaN frames are padding, or (n_samples, n_frames), or any
            object with `__len__` and `__getitem__`, read one sequence at a time. Or
            token sequences: lists, tuples or 1-D arrays of str.
        y : collection of str, or of lists, tuples or 1-D arrays of labels
            The labels of each sequence, one per frame; a str holds labels of one
            character. Labels are strings, integers, bools or floats that are whole
            numbers. `predict` gives labels in the same form.
        sample_weight : array-like of shape (n_samples,) or list of arrays, default=None
            Weight of each sample in the loss, beside its number of labelled frames; or,
            in arrays of shape (n_frames,), the weight of each frame, except with `crf`.
            What has weight 0 is left out.
        X_val, y_val : as `X` and `y`, default=None
            Validation set. Its loss is recorded in `history_["val_loss"]`, and decides
            when to stop if `early_stopping` is set.

        Returns
        -------
        self : SequenceTagger
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter, a sequence or a label cannot be used; the message names it.
            Everything is checked before training starts, and the estimator stays as it
            was.
        TrainingDivergedError
            If the loss is not finite.

        Warns
        -----
        ConvergenceWarning
            If the labels predicted for training sequences are hardly better than the
            most frequent one everywhere, or the loss was still falling in the last
            tenth of the epochs.
        """
        request = FitRequest(X, y, sample_weight, X_val, y_val, self.warm_start)
        return self._fit(request)

    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Train for one more epoch, from the present weights and optimizer state.

        Calling it once per epoch of a `fit`, with the same data and an integer
        `random_state`, gives the same weights if `learning_rate_schedule` is
        "constant". The first call determines the vocabularies of tokens: later tokens
        that it did not hold are unknown ones. No checkpoint is read or written.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features), or of tokens
            As in :meth:`fit`.
        y : collection of str, or of lists, tuples or 1-D arrays of labels
            As in :meth:`fit`.
        sample_weight : array-like of shape (n_samples,) or list of arrays, default=None
            As in :meth:`fit`.
        classes : collection of labels, default=None
            All labels that will ever occur, each once, at the first call; without it,
            those of the first `y`. Later calls refuse unseen labels. The mark of
            `unlabelled` may be among them, and is left out.

        Returns
        -------
        self : SequenceTagger
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            As :meth:`fit`; if a label is not among `classes`; or if a parameter has
            changed that the network depends on.
        """
        options = {"classes": classes}
        request = FitRequest(
            X, y, sample_weight, resumes=True, is_partial=True, options=options
        )
        return self._fit(request)

    def predict(self, X):
        """Predict the labels of each sequence.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features), or of tokens
            As in :meth:`fit`. Tokens that training did not know are taken for one
            unknown token, beside their characters.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            For each sequence its labels, in the form of the fitted `y`: the most
            probable of each frame or, with `crf` or `allowed_transitions`, the most
            probable sequence (Viterbi).
        """
        check_is_fitted(self)
        return self._vocabulary.decode(self._best_ids(self._read_input(X)))

    def predict_proba(self, X):
        """Probability of each label at each frame.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features), or of tokens
            As in :meth:`fit`.

        Returns
        -------
        proba : ndarray of shape (n_samples,)
            For each sequence an array (n_frames, n_classes), whose column `i` is that
            of ``classes_[i]``; rows sum to one. With `crf` or `allowed_transitions`,
            these are sums over all sequences (marginals).
        """
        return object_array(map(np.exp, self.predict_log_proba(X)))

    def predict_log_proba(self, X):
        """Log-probability of each label at each frame.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features), or of tokens
            As in :meth:`fit`.

        Returns
        -------
        log_proba : ndarray of shape (n_samples,)
            In the form of :meth:`predict_proba`. What cannot be has minus infinity.
        """
        check_is_fitted(self)
        return object_array(self._read_paths(self._read_input(X), Paths.log_marginals))

    def predict_n_best(self, X, n=5):
        """The most probable label sequences.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features), or of tokens
            As in :meth:`fit`.
        n : int, default=5
            Largest number of hypotheses per sample.

        Returns
        -------
        hypotheses : ndarray of shape (n_samples,)
            Lists of at most `n` :class:`RankedLabels`, the most probable first.

        Raises
        ------
        ValueError
            If `n` is not a positive int.
        """
        check_is_fitted(self)
        check_value("predict_n_best", "n", n, POSITIVE_INT)
        data = self._read_input(X)
        check_fits_n_best(data.lengths, len(self.classes_), n)
        found = self._read_paths(data, lambda paths: paths.n_best(n))
        return object_array(map(self._as_written, found))

    def score_samples(self, X, y=None):
        """Log-probability of the labels of each sequence.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features), or of tokens
            As in :meth:`fit`.
        y : collection of label sequences, default=None
            As in :meth:`fit`; unlabelled frames may have any label. None stands for the
            predicted ones: how sure the network is of each prediction.

        Returns
        -------
        log_probability : ndarray of shape (n_samples,)
            The log p(y | x) of each sample, in nats, of all its frames; minus infinity
            for labels that `allowed_transitions` does not allow.
        """
        check_is_fitted(self)
        if y is None:
            scores = self._read_paths(self._read_input(X), Paths.best_log_likelihood)
        else:
            data = self._check_data(X, y, None, reset=False, is_trained_on=False)
            scores = self._read_paths(data, Paths.log_likelihood, data.targets)
        return np.array(scores, dtype=np.float64)

    def score(self, X, y, sample_weight=None):
        """The share of frames or tokens whose label is told right.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features), or of tokens
            As in :meth:`fit`.
        y : collection of label sequences
            The true labels. Unlabelled frames do not count; labels that `fit` has not
            seen count as errors.
        sample_weight : array-like of shape (n_samples,) or list of arrays, default=None
            Weight of each sample, beside its number of frames, or of each frame.

        Returns
        -------
        score : float
            1 is perfect.

        Raises
        ------
        ValueError
            If `y` has other numbers of labels than `X` has frames, or labels none.
        """
        check_is_fitted(self)
        data = self._read_input(X)
        given = {"unit": self._unit, "estimator_name": type(self).__name__}
        labels = check_frame_labels(y, data.lengths, **given)
        self._vocabulary.check_kind(y)
        weights = [~own for own in marks_of(labels, self.unlabelled)]
        if not any(own.any() for own in weights):
            raise ValueError(f"No {self._unit} of y has a label, so none can be right.")
        if sample_weight is not None:
            given = self._weights_of_frames(sample_weight, data.lengths)
            weights = [a * b for a, b in zip(weights, given, strict=True)]
        found = self._vocabulary.decode(self._best_ids(data))
        return frame_accuracy(labels.sequences, found, sample_weight=weights)

    def stream(self):
        """Read one sequence of frames as it comes, piece by piece.

        However it is cut, the labels together are what :meth:`predict` gives for all of
        it. With `crf` or `allowed_transitions`, a label is settled once all label
        sequences that may still win agree on it.

        Returns
        -------
        stream : FrameStream
            A context manager. Its `push(frames)` takes any number of frames and returns
            a :class:`FramePartial`: labels that are settled and those that would
            follow; its `finish()` returns the rest. Fitting again changes no open
            stream.

        Raises
        ------
        ValueError
            If the network is bidirectional, has a `front_end` or reads tokens, or a
            step of `preprocess` needs the whole sequence.

        Examples
        --------
        >>> from skseq import SequenceTagger
        >>> from skseq.datasets import make_gestures
        >>> X, names = make_gestures(20, random_state=0)
        >>> y = [[name] * len(x) for x, name in zip(X, names)]
        >>> tagger = SequenceTagger(bidirectional=False, units=8, epochs=2).fit(X, y)
        >>> with tagger.stream() as stream:
        ...     first = stream.push(X[0][:9])
        ...     second = stream.push(X[0][9:])
        >>> first.stable + second.stable == tagger.predict(X[:1])[0]
        True
        """
        check_is_fitted(self)
        if self._reads == "tokens":
            raise ValueError(
                "stream() reads frames, but this SequenceTagger was fitted on tokens. "
                "Predict whole sequences."
            )
        check_streamable(self)
        fitted, vocabulary = copy.copy(self), self._vocabulary
        decoder = EachByItself(lambda rows: rows.argmax(axis=1))
        with asked_once():
            if self._is_chain:
                weights = self._chain_weights()
                decoder = ChainDecoder(weights, bool(self._settings["crf"]))
            return FrameStream(fitted, decoder, lambda ids: vocabulary.decode([ids])[0])

    def export(self, path, format="saved_model"):
        """Write the fitted functions as graphs that run where skseq is not installed.

        A SavedModel has the signatures `predict`, the default, and `proba`. They take
        `frames` (n_samples, n_frames, n_features), padded, or `waveforms` (n_samples,
        n_audio_samples) if `preprocess` starts from them, or `tokens` (n_samples,
        n_tokens), and `lengths`. The outputs are `label_ids`, padded with -1,
        `n_labels` and, where labels are strings, `labels`; and `proba` (n_samples,
        n_frames, n_classes). ONNX has the ids and `proba` in one file, `model.onnx`,
        for frames only. With `crf` or `allowed_transitions` there is no `proba`: what
        is exported is the most probable label sequence.

        Parameters
        ----------
        path : str or path-like
            Folder to write, which must not be there or be empty. `skseq.json` in it
            holds the labels and describes the graphs.
        format : {"saved_model", "onnx"}, default="saved_model"
            "saved_model" for TensorFlow and TensorFlow Serving; "onnx" for onnxruntime
            and others, which needs ``pip install "skseq[onnx]"``.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        FileExistsError
            If `path` is a file, or a folder that is not empty.
        ImportError
            If what writes ONNX is not installed.
        ValueError
            If a step of `preprocess` or an operation of `front_end` cannot be part of a
            graph, or tokens are to be read in ONNX, which gets no tables of tokens.
        """
        check_is_fitted(self)
        with asked_once():
            super().export(path, format)

    # -- what the base asks for ---------------------------------------------------

    def _check_parameters(self):
        super()._check_parameters()
        check_keeps_frames(self.preprocess, type(self).__name__)
        if self.crf and self.class_weight is not None:
            raise ValueError(
                "class_weight weighs frames one by one, but with crf=True a sequence "
                "has one probability as a whole. Set class_weight=None, or crf=False."
            )

    def _fit(self, request):
        with asked_once():
            return super()._fit(request)

    def _check_data(
        self, X, y, sample_weight, *, reset, classes=None, is_trained_on=True
    ):
        made = self._checked_input(X, y, reset=reset, is_trained_on=is_trained_on)
        lengths = self._lengths_of(made)
        given = {"unit": self._unit, "estimator_name": type(self).__name__}
        labels = check_frame_labels(y, lengths, **given)
        if reset:
            vocabulary = learn_labels(labels, self.unlabelled)
            self.classes_, self._label_form = vocabulary.classes, vocabulary.form
        self._take_classes(without_mark(classes, self.unlabelled), reset)
        ids = encode_labels(self._vocabulary, labels, self.unlabelled)
        if is_trained_on:
            check_sequences(self._transitions(), ids)
        totals, shares = self._counts(ids, sample_weight)
        if is_trained_on and not totals.any():
            raise ValueError(
                f"No {self._unit} of y that has a label has a weight above zero."
            )
        if reset and self._reads == "frames":
            self._learn_scaling(made, totals)
        return self._with_targets(made, totals, ids, shares)

    def _counts(self, ids, sample_weight):
        """What each sequence counts, and the share of it that each frame has."""
        if self.crf and is_per_frame(sample_weight):
            raise ValueError(
                "sample_weight holds one weight per frame, but with crf=True a "
                "sequence has one probability as a whole. Give one weight per sample, "
                "or set crf=False."
            )
        given = self._weights_of_frames(sample_weight, list(map(len, ids)))
        pairs = zip(ids, given, strict=True)
        return shared([np.where(own == UNLABELLED, 0, w) for own, w in pairs])

    def _weights_of_frames(self, sample_weight, lengths) -> list[np.ndarray]:
        """The weight of each frame, by weights of frames or of samples."""
        if is_per_frame(sample_weight):
            return check_frame_weights(sample_weight, lengths, self._unit)
        weights = check_sample_weight(sample_weight, len(lengths))
        return [np.full(n, weight) for n, weight in zip(lengths, weights, strict=True)]

    def _make_settings(self, data, validation, present):
        settings = super()._make_settings(data, validation, present)
        return {**settings, "crf": bool(self.crf)}

    def _make_losses(self):
        if self._settings["crf"]:
            return ChainLosses.of(self._transitions())
        return LabelLosses()

    def _weigh(self, data, is_partial):
        if self.class_weight is None:
            return data
        flat, totals = np.concatenate(data.targets), data.sample_weight
        weights = np.concatenate(
            [own * total for own, total in zip(data.frame_weights, totals, strict=True)]
        )
        is_counted = flat != UNLABELLED
        given = weights[is_counted], self.class_weight, flat[is_counted], self.classes_
        weights[is_counted] = weigh_classes(*given, is_partial)
        ends = np.cumsum(list(map(len, data.targets)))[:-1]
        totals, shares = shared(np.split(weights, ends))
        return replace(data, sample_weight=totals, frame_weights=shares)

    def _failure(self, data):
        ids = self._best_ids(replace(data, targets=None, frame_weights=None))
        weights = [
            own * total
            for own, total in zip(data.frame_weights, data.sample_weight, strict=True)
        ]
        parts = (np.concatenate(part) for part in (data.targets, ids, weights))
        lack = lack_of_labels(*parts)
        advice = f"a higher or lower {self._rate_name}, or more units"
        who = counted(len(ids), "training sequence")
        return lack and not_learnt(self, who, lack, advice)

    def _check_restored(self):
        super()._check_restored()
        LabelVocabulary.from_array(self.classes_, self._label_form)
        if self._settings["n_outputs"] != len(self.classes_):
            raise ValueError(
                f"it has {counted(len(self.classes_), 'label')} for another number of "
                "outputs"
            )

    @property
    def _prediction_parameters(self):
        return frozenset(() if self.crf else ("allowed_transitions",))

    def _exported(self, model, format):
        return exported_tagger(self, model, format)

    # -- its own ------------------------------------------------------------------

    @property
    def transitions_(self) -> np.ndarray | None:
        """The scores of labels that follow each other, (n_classes, n_classes)."""
        check_is_fitted(self)
        return self._chain_weights().pairs if self._settings["crf"] else None

    @asked_once()
    def _chain_weights(self):
        learnt = self._learnt_chain() if self._settings["crf"] else None
        return chain_weights(learnt, self._transitions())

    @property
    def _n_outputs(self):
        return len(self.classes_)

    @property
    def _vocabulary(self) -> LabelVocabulary:
        return LabelVocabulary(self.classes_, self._label_form)

    @property
    def _unit(self) -> str:
        return "token" if self._reads == "tokens" else "frame"

    @property
    def _is_chain(self) -> bool:
        """Whether labels depend on each other in prediction."""
        return self._settings["crf"] or self.allowed_transitions is not None

    def _transitions(self):
        return compile_transitions(self.allowed_transitions, self.classes_)

    def _learnt_chain(self) -> tuple[np.ndarray, ...]:
        """What the chain gives to pairs of labels, to the first and to the last."""
        with borrow(self._recipe(), self._weights) as program:
            layer = program.model.get_layer("chain")
            return layer.pairs.numpy(), layer.starts.numpy(), layer.ends.numpy()

    def _best_ids(self, data) -> list[np.ndarray]:
        """The ids of the labels that are predicted for each sequence."""
        if self._is_chain:
            return self._read_paths(data, Paths.best)
        return self._map_input(
            data,
            lambda rows, scores, lengths: [
                own[:n].argmax(axis=1) for own, n in zip(scores, lengths, strict=True)
            ],
        )

    @asked_once()
    def _read_paths(self, data, read, targets=None) -> list:
        """What `read(paths)` makes of each batch, one result per sequence, in order."""
        weights, is_crf = self._chain_weights(), self._settings["crf"]

        def read_batch(rows, scores, *others):
            labels = targets and [targets[i] for i in rows]
            return read(Paths.of(scores, others[-1], weights, is_crf, labels))

        return self._map_input(data, read_batch)

    def _as_written(self, ranked) -> list[RankedLabels]:
        """Hypotheses in the user's form."""
        labels = self._vocabulary.decode(ranked.paths)
        pairs = zip(labels, ranked.log_probs.tolist(), strict=True)
        return Records(RankedLabels(own, log_prob) for own, log_prob in pairs)

    def _try_example(self):
        self._best_ids(self._made_up())
