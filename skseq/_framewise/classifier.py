"""`SequenceClassifier`: from a sequence of feature frames to one class."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

import skseq._nn.backend  # noqa: F401 - before Keras is imported
from skseq._data.batching import unpad
from skseq._data.collections import is_sized, object_array
from skseq._data.label_vocabulary import LabelVocabulary
from skseq._data.labels import check_labels
from skseq._data.weights import check_sample_weight, weigh_classes
from skseq._encoder.estimator import CLASS_WEIGHT, ENCODER_CONSTRAINTS
from skseq._engine.convergence import lack_of_learning, not_learnt
from skseq._engine.export import Export
from skseq._engine.state import FitRequest
from skseq._frames import FITTED_FRAMES
from skseq._framewise.data import TargetFrames
from skseq._framewise.estimator import FramewiseEstimator
from skseq._framewise.export import ClassifierGraph
from skseq._framewise.loss import ClassLosses
from skseq._framewise.network import POOLINGS
from skseq._parameters import OneOf, instance_of
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


def _has_attention(classifier) -> bool:
    """Whether frames are weighed; refuse to say how much where they are not."""
    fitted = getattr(classifier, "_settings", {"pooled": classifier.pooling})
    if fitted["pooled"] != "attention":
        raise AttributeError(
            'predict_attention needs pooling="attention", but this SequenceClassifier '
            f"has pooling={fitted['pooled']!r}. Set it, and fit again."
        )
    return True


def _refuse_several(y: Any) -> None:
    """Refuse several labels per sequence, and say who takes them."""
    shape = getattr(y, "shape", ())
    is_held = isinstance(y, (list, tuple, np.ndarray)) and is_sized(y) and len(y)
    first = y[0] if is_held else None
    if len(shape) == 2 and shape[1] != 1:
        what = f"y has shape {tuple(shape)}"
    elif len(shape) < 2 and isinstance(first, (list, tuple, np.ndarray)):
        what = f"y[0] is a {type(first).__name__}"
    else:
        return
    raise ValueError(
        f"{what}, but SequenceClassifier takes one class per sequence, an array of "
        "shape (n_samples,). For one label per frame use SequenceTagger, for several "
        "labels in order CTCSequenceClassifier."
    )


class SequenceClassifier(ClassifierMixin, FramewiseEstimator):
    """Tell the class of sequences of feature frames.

    A recurrent network reads each sequence; what it has made of all frames becomes one
    vector, and that the probability of each class. Gestures, heartbeats, words and
    states of machines are told apart this way.

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
        their product, which makes training faster. "auto" makes their product 2, or 1
        if a sequence would otherwise keep fewer than two frames, or if there is a
        `front_end`. What was taken is kept as `conv_strides_`.
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
    pooling : {"attention", "mean", "max", "last"}, default="attention"
        What becomes of the states of a sequence: a weighted mean, whose weights are
        learnt [1]_ and given by `predict_attention`; their mean; the largest value of
        each; or its last states, one for each direction, which learn slowest what
        stands far from the ends.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class in training; it multiplies `sample_weight`. "balanced"
        gives each class the same weight in all, so that rare ones count as much as
        frequent ones. A dict holds the weights by label, 1 for those that it lacks.
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
        The classes, sorted: what the columns of `predict_proba` stand for.
    conv_strides_ : tuple of int
        The stride of each convolution.
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from each frame, and what the difference is divided by.
    model_ : keras.Model
        The network, from scaled frames and lengths to logits, weights of frames if
        `pooling` is "attention", and output lengths. It is built at each access.
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

    See Also
    --------
    CTCSequenceClassifier : Several labels per sequence, in order.
    LSTMAutoencoder : Anomalies, without labels.

    References
    ----------
    .. [1] Z. Yang, D. Yang, C. Dyer, X. He, A. Smola and E. Hovy, "Hierarchical
           Attention Networks for Document Classification", NAACL 2016.

    Examples
    --------
    >>> from skseq import SequenceClassifier
    >>> from skseq.datasets import make_gestures
    >>> X, y = make_gestures(40, random_state=0)
    >>> clf = SequenceClassifier(units=8, epochs=2, random_state=0).fit(X, y)
    >>> clf.predict_proba(X).shape
    (40, 5)
    """

    _constraints = {  # noqa: RUF012
        **ENCODER_CONSTRAINTS,
        "pooling": OneOf(POOLINGS),
        "class_weight": CLASS_WEIGHT,
    }
    _fitted = {**FITTED_FRAMES, "classes_": instance_of(np.ndarray)}  # noqa: RUF012

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
        pooling: Literal["attention", "mean", "max", "last"] = "attention",
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
        self.pooling = pooling
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
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None):
        """Train on sequences and their classes.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            Sequences: a list, tuple or object array of arrays or DataFrames (1-D arrays
            have one feature), an array of shape (n_samples, n_frames, n_features),
            where trailing all-NaN frames are padding, or (n_samples, n_frames), or any
            object with `__len__` and `__getitem__`, read one sequence at a time.
        y : array-like of shape (n_samples,)
            The class of each sequence: strings, integers, bools or floats that are
            whole numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample in the loss. Samples of weight 0 are left out.
        X_val, y_val : as `X` and `y`, default=None
            Validation set. Its loss is recorded in `history_["val_loss"]`, and decides
            when to stop if `early_stopping` is set.

        Returns
        -------
        self : SequenceClassifier
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter, a sequence or a class cannot be used; the message names it.
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
        request = FitRequest(X, y, sample_weight, X_val, y_val, self.warm_start)
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
        y : array-like of shape (n_samples,)
            As in :meth:`fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.
        classes : collection of labels, default=None
            All classes that will ever occur, each once, at the first call; without it,
            those of the first `y`. Later calls refuse unseen classes.

        Returns
        -------
        self : SequenceClassifier
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            As :meth:`fit`; if a class is not among `classes`; or if a parameter has
            changed that the network depends on.
        """
        options = {"classes": classes}
        request = FitRequest(
            X, y, sample_weight, resumes=True, is_partial=True, options=options
        )
        return self._fit(request)

    def predict(self, X):
        """Predict the class of each sequence.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The most probable classes.
        """
        check_is_fitted(self)
        return self.classes_[self._logits(X).argmax(axis=1)]

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Column `i` is that of ``classes_[i]``; rows sum to one.
        """
        check_is_fitted(self)
        return softmax(self._logits(X), axis=1)

    def predict_log_proba(self, X):
        """Log-probability of each class.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes)
            In the order of :meth:`predict_proba`.
        """
        check_is_fitted(self)
        return log_softmax(self._logits(X), axis=1)

    def decision_function(self, X):
        """The scores by which classes are chosen: log-odds, up to a constant.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            The logits of the network; of two classes, the log-odds of ``classes_[1]``.
        """
        check_is_fitted(self)
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    @available_if(_has_attention)
    def predict_attention(self, X):
        """How much each frame counts, where `pooling` is "attention".

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        weights : ndarray of shape (n_samples,)
            For each sequence an array (n_output_frames,) that sums to one. With
            strides, entry `i` is centred on frame `i * stride`.

        Raises
        ------
        AttributeError
            If the estimator has another `pooling`.
        """
        check_is_fitted(self)
        weights = self._map_frames(
            self._frames_of(X),
            lambda rows, logits, weights, lengths: unpad(weights, lengths),
        )
        return object_array([item.astype(np.float64) for item in weights])

    def score(self, X, y, sample_weight=None):
        """The accuracy: the share of sequences whose class is told right.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.
        y : array-like of shape (n_samples,)
            The true classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        score : float
            1 is perfect. Classes that `fit` has not seen count as errors; text where
            those of `fit` are numbers, or the reverse, raises ValueError.
        """
        found = self.predict(X)
        _refuse_several(y)
        labels = check_labels(
            y, len(found), target="single", estimator_name=type(self).__name__
        )
        LabelVocabulary(self.classes_, "single").check_kind(y)
        wanted = [own[0] for own in labels.sequences]
        is_right = [a == b for a, b in zip(wanted, found.tolist(), strict=True)]
        weights = check_sample_weight(sample_weight, len(found))
        return float(np.average(is_right, weights=weights))

    def export(self, path, format="saved_model"):
        """Write the fitted functions as graphs that run where skseq is not installed.

        A SavedModel has the signatures `predict`, the default, and `proba`. They take
        `frames` (n_samples, n_frames, n_features), padded, or `waveforms` (n_samples,
        n_audio_samples) if `preprocess` starts from them, and `lengths`. The outputs
        are `label_id` and, where classes are strings, `label`; and `proba`. ONNX has
        `label_id` and `proba` in one file, `model.onnx`.

        Parameters
        ----------
        path : str or path-like
            Folder to write, which must not be there or be empty. `skseq.json` in it
            holds the classes and describes the graphs.
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
            graph.
        """
        check_is_fitted(self)
        super().export(path, format)

    # -- what the base asks for ---------------------------------------------------

    def _check_data(self, X, y, sample_weight, *, reset, classes=None):
        sequences = self._checked_frames(X, y, reset=reset)
        _refuse_several(y)
        labels = check_labels(
            y, len(sequences), target="single", estimator_name=type(self).__name__
        )
        sample_weight = check_sample_weight(sample_weight, len(sequences))
        if reset:
            self._learn_scaling(sequences, sample_weight)
            self.classes_ = LabelVocabulary.fit(labels).classes
        self._take_classes(classes, reset)
        vocabulary = LabelVocabulary(self.classes_, "single")
        ids = np.concatenate(vocabulary.encode(labels))
        return TargetFrames(sequences, sample_weight, self._scaling, ids)

    def _make_losses(self):
        return ClassLosses()

    def _classes_of(self, data):
        return data.targets

    def _weigh(self, data, is_partial):
        if self.class_weight is None:
            return data
        given = data.sample_weight, self.class_weight, data.targets, self.classes_
        return replace(data, sample_weight=weigh_classes(*given, is_partial))

    def _failure(self, data):
        found = self._map(data, lambda rows, logits, *rest: logits.argmax(axis=1))
        wanted, found = ([[i] for i in side] for side in (data.targets, found))
        lack = lack_of_learning(wanted, found, data.sample_weight)
        is_balanced = self.class_weight == "balanced"
        last = "more units" if is_balanced else 'class_weight="balanced"'
        advice = f"a higher or lower {self._rate_name}, or {last}"
        who = counted(len(found), "training sequence")
        return lack and not_learnt(self, who, lack, advice)

    def _check_restored(self):
        super()._check_restored()
        LabelVocabulary.from_array(self.classes_, "single")
        if self._settings["n_outputs"] != len(self.classes_):
            raise ValueError(
                f"it has {counted(len(self.classes_), 'class', 'classes')} for another "
                "number of outputs"
            )

    def _exported(self, model, format):
        is_text = format == "saved_model"
        graph = ClassifierGraph(*self._graph_parts(model), self.classes_, is_text)
        description = {
            "estimator": type(self).__name__,
            "classes": self.classes_.tolist(),
            **graph.inputs.described(),
        }
        return Export(graph.graphs(), description)

    # -- its own ------------------------------------------------------------------

    @property
    def _n_outputs(self):
        return len(self.classes_)

    @property
    def _pooled(self):
        return self.pooling

    def _logits(self, X) -> np.ndarray:
        found = self._read_logits(self._frames_of(X))
        return np.array(found, dtype=np.float64).reshape(-1, len(self.classes_))

    def _read_logits(self, sequences) -> list:
        return self._map_frames(sequences, lambda rows, logits, *rest: logits)

    def _try_example(self):
        self._read_logits(self._example())
