"""`CTCSequenceClassifier`: from feature frames to a shorter sequence of labels."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from sklearn.utils import ClassifierTags
from sklearn.utils.validation import check_is_fitted

import skseq._nn.backend  # noqa: F401 - before Keras is imported
from skseq._ctc.data import (
    LENGTHENING,
    FrameData,
    check_alignable,
    trainable_rows,
)
from skseq._ctc.decoders import DECODERS
from skseq._ctc.decoding import (
    CTCDecoding,
    run_network,
    single_log_proba,
)
from skseq._ctc.export import Reader
from skseq._ctc.language import (
    FITTED_LANGUAGE,
    LANGUAGE_CONSTRAINTS,
    CTCLanguage,
    LanguageModel,
)
from skseq._ctc.lattice import forced_alignment, log_likelihood
from skseq._ctc.loss import CTCLosses
from skseq._ctc.network import ctc_network, output_lengths
from skseq._ctc.stream import CTCStream
from skseq._ctc.words import word_spans
from skseq._data.batching import unpad
from skseq._data.collections import object_array
from skseq._data.label_vocabulary import FORMS, LabelVocabulary
from skseq._data.labels import check_labels
from skseq._data.weights import check_sample_weight, weigh_classes
from skseq._decoding import FITTED_DECODING
from skseq._encoder.convolutions import MOST_OF_ONE_LABEL, MOST_OF_SEQUENCES
from skseq._encoder.data import check_output_lengths
from skseq._encoder.estimator import CLASS_WEIGHT, ENCODER_CONSTRAINTS, EncoderEstimator
from skseq._encoder.stream import check_streamable
from skseq._engine.convergence import lack_of_learning, not_learnt
from skseq._engine.export import Export, check_greedy
from skseq._engine.state import FitRequest
from skseq._frames import FITTED_FRAMES
from skseq._parameters import (
    NON_NEGATIVE_INT,
    NONE,
    POSITIVE_INT,
    Interval,
    OneOf,
    check_value,
    instance_of,
)
from skseq._results import Records
from skseq._typing import (
    Callbacks,
    Cell,
    Decoder,
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
from skseq.language import Hotwords, LabelPattern, Lexicon
from skseq.metrics import label_error_rate, sequence_accuracy

DECODING_CONSTRAINTS = {
    "decoder": OneOf(DECODERS),
    "beam_width": POSITIVE_INT,
    "min_label_log_prob": (NONE, Interval(float, None, 0, closed="both")),
    **LANGUAGE_CONSTRAINTS,
}

CONSTRAINTS = {
    **ENCODER_CONSTRAINTS,
    "skip_frames": NON_NEGATIVE_INT,
    "target": OneOf(["auto", "sequence", "single"]),
    "infeasible": OneOf(["raise", "drop"]),
    "class_weight": CLASS_WEIGHT,
    **DECODING_CONSTRAINTS,
}


class CTCSequenceClassifier(CTCLanguage, CTCDecoding, EncoderEstimator):
    """Turn sequences of feature frames into shorter label sequences.

    A recurrent network gives every frame a probability for each label and for a blank;
    connectionist temporal classification [1]_ sums over all ways to place the labels,
    so that nobody has to say which frame belongs to which label. Speech, handwriting,
    lines of print and sensor gestures are read this way. Gradients are clipped [2]_,
    see `global_clipnorm`, so that the first labels are learnt sooner.

    Sequences may differ in length. A sequence's predictions are the same alone and in
    any batch.

    Parameters
    ----------
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
    conv_filters : int, tuple of int or "auto", default="auto"
        Convolutions over time before the recurrent layers, one entry per layer: the
        number of features that each gives. Larger values distinguish finer patterns and
        take longer; `()` means no convolution. "auto" takes one layer of 64 features,
        or one for each of several `conv_strides`, and none if there is a `front_end`.
    conv_kernel_size : int, default=5
        Number of frames that each of these convolutions sees. Larger values recognize
        longer patterns.
    conv_strides : int, tuple of int or "auto", default="auto"
        Strides of these convolutions, one for all or one for each. They shorten time by
        their product, which makes training faster, and learning CTC easier; the labels
        must still fit. "auto" makes their product 4, or 2 if `y` holds one label per
        sample; a smaller product if a sequence would otherwise keep fewer than twice
        the frames that its labels need; and 1 if there is a `front_end`. What was taken
        is kept as `conv_strides_`.
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
    skip_frames : int, default=0
        Number of first output frames left out of loss and decoding, for a network that
        has not read enough by then. Larger values leave fewer frames for the labels.
    target : {"auto", "sequence", "single"}, default="auto"
        Whether `y` holds label sequences or one label per sample. "auto" takes a 1-D
        `y` of numbers as one label each and anything else as sequences. With "single"
        the estimator is a scikit-learn classifier.
    decoder : {"greedy", "beam"}, default="greedy"
        How `predict` searches: "greedy" takes the best label or token at each step;
        "beam" keeps several hypotheses, which is better where the network is in doubt,
        and slower. May be changed after `fit`.
    beam_width : int, default=16
        Number of hypotheses that the beam search keeps. Larger values find more
        probable outputs and take longer. May be changed after `fit`.
    min_label_log_prob : float, default=None
        Log-probability that the beam search requires of a label in a frame to append it
        there. Larger values are faster and may miss labels; minus infinity appends all.
        None takes -6, unless the probabilities of a label in the frames where it is
        below that add up to 0.5 or more; then, where `predict_n_best` is asked for
        several outputs, and where a lexicon or pattern forbids something, it takes
        minus infinity. Beside other knowledge of the language, or a `blank_penalty`, it
        takes -8, less what these can add to a label. May be changed after `fit`.
    language_model : "fit", NgramModel, FrozenEstimator or path, default=None
        Which labels follow which, for the beam search. "fit" stands for
        ``NgramModel()``; an unfitted :class:`~skseq.language.NgramModel` learns from
        the `y` of `fit` and from `extra_texts`. A fitted one is passed as
        ``FrozenEstimator(model)``, or as the path of an ARPA file, and may be set after
        `fit`.
    lm_weight : float, default=0.5
        What the log-probabilities of `language_model` are multiplied by. Larger values
        trust the language more and the frames less. May be changed after `fit`.
    insertion_bonus : float, default=0.0
        What is added to the score of a hypothesis for each label, in nats. Larger
        values make outputs longer, which a language model makes shorter. May be
        changed after `fit`.
    lexicon : list of words or Lexicon, default=None
        The words that an output of the beam search may consist of, separated by spaces
        if " " is a label; see :class:`~skseq.language.Lexicon`. May be changed after
        `fit`.
    hotwords : list of phrases, dict or Hotwords, default=None
        Phrases that the beam search finds more likely; a dict holds the weight of each
        phrase, in nats. See :class:`~skseq.language.Hotwords`. May be changed after
        `fit`.
    hotword_weight : float, default=4.0
        Weight of each phrase of a list of `hotwords`. Larger values find them more
        often, also where they were not said. May be changed after `fit`.
    pattern : str or LabelPattern, default=None
        A regular expression that the whole output of the beam search matches; see
        :class:`~skseq.language.LabelPattern`. May be changed after `fit`.
    blank_penalty : float, default=0.0
        What is subtracted from the log-probability of the blank in every frame before
        labels are searched. Larger values find more labels. May be changed after
        `fit`.
    infeasible : {"raise", "drop"}, default="raise"
        What `fit` does when a sequence has too few output frames for its labels: raise
        an error, or leave the sample out with a warning.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class in training, with one label per sample; it multiplies
        `sample_weight`. "balanced" gives each class the same weight in all, so that
        rare ones count as much as frequent ones. A dict holds the weights by label, 1
        for those that it lacks.
    preprocess : list of transformers and augmenters, default=None
        What is done to each sequence before the network reads it, in order. Every
        sequence passes the transformers, which must learn nothing, as
        :class:`~skseq.preprocessing.LogMel` does. Augmenters of
        :mod:`skseq.augmentation` change only what is trained on, drawn again in each
        epoch from `random_state`, the epoch and the index of the sequence; what leaves
        too few frames for the labels is drawn again. `align` and `predict_proba` count
        the frames after these steps, `n_features_in_` the features before them.
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
        The labels, sorted.
    conv_strides_ : tuple of int
        The stride of each convolution.
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from each frame, and what the difference is divided by.
    model_ : keras.Model
        The network, from scaled frames and lengths to logits and output lengths. It is
        built at each access.
    history_ : dict of str to list of float
        Mean loss per sample in each epoch: "loss", "val_loss" with a validation set,
        and what callbacks add.
    n_features_in_ : int
        Number of features per frame; for a 2-D `X`, its number of columns.
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
    language_model_ : NgramModel
        The model that the search follows: learnt in `fit`, read from a file, or given.
        Exists only if `language_model` is set.
    decoding_results_ : dict of str to ndarray or list
        What the last `fit_decoding` found, as scikit-learn's `cv_results_` of one
        split: "params", "param_<name>", "mean_test_score", "rank_test_score" and
        "mean_score_time", the seconds of decoding and scoring. Exists only after
        `fit_decoding`; training drops it.

    See Also
    --------
    skseq.metrics.label_error_rate : The error that `score` is one minus.
    skseq.preprocessing.LogMel : Frames from raw audio.
    skseq.inspection.AlignmentDisplay : Shows posteriors and where labels lie.

    References
    ----------
    .. [1] A. Graves, S. Fernández, F. Gomez and J. Schmidhuber, "Connectionist Temporal
           Classification: Labelling Unsegmented Sequence Data with Recurrent Neural
           Networks", ICML 2006.
    .. [2] R. Pascanu, T. Mikolov and Y. Bengio, "On the Difficulty of Training
           Recurrent Neural Networks", ICML 2013.

    Examples
    --------
    >>> from skseq import CTCSequenceClassifier
    >>> from skseq.datasets import make_digit_strips
    >>> X, y = make_digit_strips(n_samples=8, random_state=0)
    >>> clf = CTCSequenceClassifier(units=16, epochs=2, random_state=0).fit(X, y)
    >>> clf.predict(X).shape
    (8,)
    """

    _constraints = CONSTRAINTS
    _fitted = {  # noqa: RUF012
        **FITTED_FRAMES,
        **FITTED_DECODING,
        **FITTED_LANGUAGE,
        "classes_": instance_of(np.ndarray),
        "_label_form": OneOf(FORMS),
    }
    _prediction_parameters = frozenset(DECODING_CONSTRAINTS)
    _decoding_constraints = DECODING_CONSTRAINTS

    def __init__(
        self,
        *,
        units: Ints = 128,
        cell: Cell = "lstm",
        bidirectional: bool = True,
        dropout: float = 0.2,
        conv_filters: IntsOrAuto = "auto",
        conv_kernel_size: int = 5,
        conv_strides: IntsOrAuto = "auto",
        front_end: FrontEnd = None,
        standardize: bool = True,
        skip_frames: int = 0,
        target: Literal["auto", "sequence", "single"] = "auto",
        decoder: Decoder = "greedy",
        beam_width: int = 16,
        min_label_log_prob: float | None = None,
        language_model: LanguageModel = None,
        lm_weight: float = 0.5,
        insertion_bonus: float = 0.0,
        lexicon: Collection[Any] | Lexicon | None = None,
        hotwords: Collection[Any] | Mapping[Any, float] | Hotwords | None = None,
        hotword_weight: float = 4.0,
        pattern: str | LabelPattern | None = None,
        blank_penalty: float = 0.0,
        infeasible: Literal["raise", "drop"] = "raise",
        class_weight: Literal["balanced"] | dict[Any, float] | None = None,
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
        self.units = units
        self.cell = cell
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.conv_filters = conv_filters
        self.conv_kernel_size = conv_kernel_size
        self.conv_strides = conv_strides
        self.front_end = front_end
        self.standardize = standardize
        self.skip_frames = skip_frames
        self.target = target
        self.decoder = decoder
        self.beam_width = beam_width
        self.min_label_log_prob = min_label_log_prob
        self.language_model = language_model
        self.lm_weight = lm_weight
        self.insertion_bonus = insertion_bonus
        self.lexicon = lexicon
        self.hotwords = hotwords
        self.hotword_weight = hotword_weight
        self.pattern = pattern
        self.blank_penalty = blank_penalty
        self.infeasible = infeasible
        self.class_weight = class_weight
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
        if self.target == "single":
            tags.estimator_type = "classifier"
            tags.classifier_tags = ClassifierTags()
        return tags

    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None, extra_texts=None):
        """Train on sequences and their labels.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            Sequences: a list, tuple or object array of arrays or DataFrames (1-D arrays
            have one feature), an array of shape (n_samples, n_frames, n_features),
            where trailing all-NaN frames are padding, or (n_samples, n_frames), or any
            object with `__len__` and `__getitem__`, read one sequence at a time.
        y : collection of label sequences
            Strings, lists, tuples or 1-D arrays of labels; or one label per sample, see
            `target`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample in the loss. Samples of weight 0 are left out.
        X_val, y_val : as `X` and `y`, default=None
            Validation set. Its loss is recorded in `history_["val_loss"]`, and decides
            when to stop if `early_stopping` is set.
        extra_texts : collection of label sequences, default=None
            What an unfitted `language_model` learns from beside `y`: text without
            frames, in the form of `y`. Cross-validation cuts it if it has as many
            entries as `X`.

        Returns
        -------
        self : CTCSequenceClassifier
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
            If the outputs for training sequences are no better than one output for all,
            or the loss was still falling in the last tenth of the epochs.
        """
        options = {"extra_texts": extra_texts}
        request = FitRequest(
            X, y, sample_weight, X_val, y_val, self.warm_start, options=options
        )
        return self._fit(request)

    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Train for one more epoch, from the present weights and optimizer state.

        Calling it once per epoch of a `fit`, with the same data and an integer
        `random_state`, gives the same weights if `learning_rate_schedule` is
        "constant". The first call takes what "auto" stands for, such as the strides,
        from its own `X` and `y`. No checkpoint is read or written.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.
        y : collection of label sequences
            As in :meth:`fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.
        classes : collection of labels, default=None
            All labels that will ever occur, each once, at the first call; without it,
            those of the first `y`. Later calls refuse unseen labels.

        Returns
        -------
        self : CTCSequenceClassifier
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            As :meth:`fit`; if a label is not among the classes; or if a parameter has
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
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Label sequences in the form of the fitted `y` (an object array), in the
            order of `X`; with one label per sample, an array of labels. Where a lexicon
            or a pattern allows nothing that fits the frames, the output is empty, and a
            warning names the samples.
        """
        check_is_fitted(self)
        self._check_candidate()
        found = self._filled(self._read(X, self._best_labels))
        return self._vocabulary.decode(found)

    def predict_log_proba(self, X):
        """Log-probabilities, as :meth:`predict_proba`.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        log_proba : ndarray of shape (n_samples,) or (n_samples, n_classes)
            In the form of :meth:`predict_proba`.
        """
        check_is_fitted(self)
        if self._is_single:
            return np.array(self._read(X, single_log_proba), dtype=np.float64)
        return object_array(self._read(X, unpad))

    def predict_proba(self, X):
        """Probability of each label and of the blank in each output frame.

        scikit-learn's `cross_val_predict(method="predict_proba")` serves single labels
        only: it encodes `y` itself.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        proba : ndarray of shape (n_samples,) or (n_samples, n_classes)
            An object array of arrays of shape (n_output_frames, n_classes + 1) whose
            rows sum to one; columns are `classes_`, then the blank. With one label per
            sample, the exact probability of each one-label sequence, renormalized.
        """
        log_proba = self.predict_log_proba(X)
        if self._is_single:
            return np.exp(log_proba)
        return object_array([np.exp(sample) for sample in log_proba])

    def stream(self):
        """Read one sequence as it comes, piece by piece.

        However it is cut, the end is what :meth:`predict` gives for all of it. The
        memory that a stream takes does not grow with the frames, only with the labels.

        Returns
        -------
        stream : CTCStream
            A context manager. Its `push(frames)` takes any number of frames and returns
            a :class:`Partial`: labels that are settled and those that would follow; its
            `finish()` returns all labels. Fitting again changes no open stream.

        Raises
        ------
        ValueError
            If the network is bidirectional or has a `front_end`, or a step of
            `preprocess` needs the whole sequence.

        Examples
        --------
        >>> from skseq import CTCSequenceClassifier
        >>> from skseq.datasets import make_digit_strips
        >>> X, y = make_digit_strips(n_samples=8, random_state=0)
        >>> clf = CTCSequenceClassifier(bidirectional=False, units=16, epochs=2)
        >>> with clf.fit(X, y).stream() as stream:
        ...     partials = [stream.push(X[0][i : i + 5]) for i in range(0, 30, 5)]
        ...     text = stream.finish()
        >>> text == clf.predict([X[0][:30]])[0]
        True
        """
        check_is_fitted(self)
        self._check_candidate()
        check_streamable(self)
        return CTCStream(copy.copy(self))

    def score_samples(self, X, y=None):
        """Exact log-probability of each label sequence, given its frames.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.
        y : collection of label sequences, default=None
            As in :meth:`fit`. None stands for the predicted ones: how sure the network
            is of each prediction.

        Returns
        -------
        log_probability : ndarray of shape (n_samples,)
            The log p(y | x) of each sample, in nats; minus infinity where the output
            frames are too few.
        """
        check_is_fitted(self)
        self._check_candidate()
        if y is None:
            scores = self._read(
                X, lambda *batch: log_likelihood(*batch, self._labels_found(*batch))
            )
        else:
            scores = self._read_labelled(X, y, log_likelihood)
        return np.array(scores, dtype=np.float64)

    def align(self, X, y, unit="label"):
        """Say where in each sequence its labels or words lie (forced alignment).

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.
        y : collection of label sequences
            The labels to place.
        unit : {"label", "word"}, default="label"
            What to place: each label, or what stands between two labels " ".

        Returns
        -------
        spans : ndarray of shape (n_samples,)
            For each sample, a list with one :class:`LabelSpan` per label or word: its
            first and last row of `predict_proba` on the most probable path, and how
            sure the network is. A word is in the form of `y`. With strides, row `i` is
            centred on frame `(i + skip_frames) * stride` of `X`.

        Raises
        ------
        ValueError
            If a sequence has too few output frames for its labels.
        """
        check_is_fitted(self)
        check_value("align", "unit", unit, OneOf(["label", "word"]))
        found = self._read_labelled(X, y, forced_alignment, check_alignable)
        classes = self.classes_.tolist()
        named = [
            [span._replace(label=classes[span.label]) for span in spans]
            for spans in found
        ]
        if unit == "word" and not self._is_single:
            named = [word_spans(spans, self._label_form) for spans in named]
        return object_array(map(Records, named))

    def score(self, X, y, sample_weight=None):
        """One minus the label error rate; with one label per sample, the accuracy.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.
        y : collection of label sequences
            The true labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        score : float
            1 is perfect. Negative if there are more errors than labels. Labels that
            `fit` has not seen count as errors; text where the labels of `fit` are
            numbers, or the reverse, raises ValueError.
        """
        predicted = self.predict(X)
        if self._is_single:
            score = sequence_accuracy(y, predicted, sample_weight=sample_weight)
        else:
            score = 1 - label_error_rate(y, predicted, sample_weight=sample_weight)
        self._vocabulary.check_kind(y)
        return score

    def export(self, path, format="saved_model", decoder=None):
        """Write the fitted functions as graphs that run where skseq is not installed.

        A SavedModel has the signatures `predict`, the default, and `log_proba`. They
        take `frames` (n_samples, n_frames, n_features), padded, or `waveforms`
        (n_samples, n_audio_samples) if `preprocess` starts from them, and `lengths`.
        The outputs of `predict` are `label_ids`, padded with -1, `n_labels` and, where
        labels are strings, `text` or `labels`; with one label per sample, `label_id`
        and `label`. ONNX has the ids and `log_proba` in one file, `model.onnx`.

        Parameters
        ----------
        path : str or path-like
            Folder to write, which must not be there or be empty. `skseq.json` in it
            holds the labels and describes the graphs.
        format : {"saved_model", "onnx"}, default="saved_model"
            "saved_model" for TensorFlow and TensorFlow Serving; "onnx" for onnxruntime
            and others, which needs ``pip install "skseq[onnx]"``.
        decoder : {"greedy"}, default=None
            How the graph decodes. None takes the estimator's own, which must be greedy:
            no graph holds a beam search.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        FileExistsError
            If `path` is a file, or a folder that is not empty.
        ImportError
            If what writes ONNX is not installed.
        ValueError
            If the estimator decodes by a beam search, is told of a language or has a
            `blank_penalty`, and `decoder` is None; if a step of `preprocess` or an
            operation of `front_end` cannot be part of a graph.
        """
        check_is_fitted(self)
        if not self._is_single:
            self._refuse_language_in_graphs(decoder)
            check_greedy(self.decoder, decoder)
        super().export(path, format)

    # -- what the base asks for ---------------------------------------------------

    def _check_data(
        self, X, y, sample_weight, *, reset, classes=None, is_trained_on=True
    ):
        sequences = self._checked_frames(X, y, reset=reset, is_trained_on=is_trained_on)
        labels = check_labels(
            y,
            len(sequences),
            target=self.target if reset else self._fitted_target,
            estimator_name=type(self).__name__,
        )
        sample_weight = check_sample_weight(sample_weight, len(sequences))
        if reset:
            self._learn_scaling(sequences, sample_weight)
            vocabulary = LabelVocabulary.fit(labels)
            self._label_form = vocabulary.form
            self.classes_ = vocabulary.classes
        self._take_classes(classes, reset)
        encoded = self._vocabulary.encode(labels)
        return FrameData(sequences, sample_weight, self._scaling, encoded)

    def _make_settings(self, data, validation, present):
        parts = [part for part in (data, validation) if part is not None]

        def count(part, strides):
            settings = {"conv_strides": strides, "skip_frames": self.skip_frames}
            return output_lengths(settings, part.lengths)

        encoder = self._encoder_settings(
            present,
            lambda strides: min(
                part.least_room(count(part, strides), count(part, ())) for part in parts
            ),
            MOST_OF_ONE_LABEL if self._is_single else MOST_OF_SEQUENCES,
        )
        n_labels = len(self.classes_)
        return {
            **encoder,
            "n_labels": n_labels,
            "skip_frames": int(self.skip_frames),
        }

    _network = staticmethod(ctc_network)
    _output_lengths = staticmethod(output_lengths)

    def _make_losses(self):
        return CTCLosses()

    def _classes_of(self, data):
        return np.concatenate(data.labels) if self._is_single else None

    def _weigh(self, data, is_partial):
        if self.class_weight is None:
            return data
        if not self._is_single:
            raise ValueError(
                "class_weight weighs classes, but y holds label sequences. Set "
                "class_weight=None, or target='single' for one label per sample."
            )
        ids = np.concatenate(data.labels)
        given = data.sample_weight, self.class_weight, ids, self.classes_
        return replace(data, sample_weight=weigh_classes(*given, is_partial))

    def _trainable_rows(self, data):
        shortens = max(self._settings["conv_strides"], default=1) > 1
        chosen = self.conv_strides == "auto" and shortens
        lengthening = self._lengthening(shortens or self.skip_frames)
        return trainable_rows(data, self.infeasible, chosen, lengthening)

    def _lengthening(self, leaves_some_out) -> str:
        """What leaves more frames for the labels, in words."""
        if leaves_some_out:
            return "lower conv_strides or skip_frames"
        if self.front_end is None:
            return LENGTHENING
        if self.front_end != "image":
            return "let front_end leave more frames"
        filters = self._routed("front_end").get("filters", (32, 64))
        once = " or set front_end__filters=(32,), which halves its width only once"
        return f"widen the image{once if np.size(filters) > 1 else ''}"

    def _failure(self, data):
        found = self._map(
            data, lambda rows, *batch: self._labels_found(*batch), run_network
        )
        lack = lack_of_learning(data.labels, found, data.sample_weight)
        last = "more units"
        if self._is_single and self.class_weight != "balanced":
            last = 'class_weight="balanced"'
        elif self._settings["conv_filters"] and not self._is_single:
            last = "larger conv_strides"
        advice = f"a higher or lower {self._rate_name}, or {last}"
        who = counted(len(found), "training sequence")
        return lack and not_learnt(self, who, lack, advice)

    def _check_restored(self):
        super()._check_restored()
        LabelVocabulary.from_array(self.classes_, self._label_form)
        n_labels = len(self.classes_)
        if self._settings["n_labels"] != n_labels:
            raise ValueError(
                f"it has {counted(n_labels, 'label')} for another number of outputs"
            )

    def _exported(self, model, format):
        is_text = format == "saved_model"
        reader = Reader(*self._graph_parts(model), self._vocabulary, is_text)
        description = {
            "estimator": type(self).__name__,
            "classes": self.classes_.tolist(),
            "form": self._label_form,
            **reader.inputs.described(),
        }
        return Export(reader.graphs(), description)

    # -- its own ------------------------------------------------------------------

    @property
    def _vocabulary(self) -> LabelVocabulary:
        return LabelVocabulary(self.classes_, self._label_form)

    @property
    def _is_single(self) -> bool:
        return self._label_form == "single"

    @property
    def _fitted_target(self) -> str:
        return "single" if self._is_single else "sequence"

    def _try_example(self):
        self._read_frames(self._example(), self._best_labels)

    def _read_labelled(self, X, y, read, check=check_output_lengths) -> list:
        """What `read(log_probs, lengths, labels)` makes of each sample, in order."""
        data = self._check_data(X, y, None, reset=False, is_trained_on=False)
        return self._map(
            data,
            lambda rows, *batch: read(*batch, [data.labels[i] for i in rows]),
            run_network,
            check=check,
        )
