"""`SequenceRegressor`: from feature frames to numbers, by sequence or by frame."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

import skseq._nn.backend  # noqa: F401 - before Keras is imported
from skseq._data.batching import unpad
from skseq._data.collections import object_array
from skseq._data.lengths import warn_of_own_lengths
from skseq._data.scaling import SCALE, VECTOR, moments
from skseq._data.step_weights import STEP_WEIGHT, step_weight_function
from skseq._data.values import TARGETS, Values, check_values
from skseq._data.weights import check_sample_weight
from skseq._encoder.estimator import ENCODER_CONSTRAINTS
from skseq._encoder.stream import check_streamable
from skseq._engine.convergence import CONSTANT_SHARE, not_learnt
from skseq._engine.export import Export
from skseq._engine.state import FitRequest
from skseq._frames import FITTED_FRAMES
from skseq._framewise.data import ScaledTargets
from skseq._framewise.estimator import FramewiseEstimator
from skseq._framewise.export import RegressorGraph
from skseq._framewise.network import POOLINGS
from skseq._framewise.regression_loss import (
    LOSSES,
    RegressionLosses,
    check_own_loss,
    share_of_constant,
    share_of_mean,
)
from skseq._framewise.stream import EachByItself, FrameStream
from skseq._parameters import (
    BOOLEAN,
    CALLABLE,
    FRACTION,
    NON_NEGATIVE_REAL,
    NONE,
    Kind,
    OneOf,
    check_parameters,
)
from skseq._preprocess.steps import check_keeps_frames
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
    StepWeight,
    Strategy,
)
from skseq._wording import counted

RegressionLoss: TypeAlias = (
    Literal["squared_error", "absolute_error", "huber", "poisson", "quantile"]
    | Callable[[Any, Any], Any]
)

WEIGHTS = Kind(
    lambda value: (
        (isinstance(value, (list, tuple)) or hasattr(value, "__array__"))
        and np.ndim(value) == 1
        and len(value) > 0
        and all(map(NON_NEGATIVE_REAL.accepts, np.asarray(value).tolist()))
        and sum(value) > 0
    ),
    "a list of weights of at least 0, not all of them 0",
)

CONSTRAINTS = {
    **ENCODER_CONSTRAINTS,
    "pooling": OneOf(POOLINGS),
    "target": OneOf(TARGETS),
    "loss": (OneOf(LOSSES), CALLABLE),
    "quantile": FRACTION,
    "step_weight": STEP_WEIGHT,
    "target_weight": (WEIGHTS, NONE),
    "standardize_y": BOOLEAN,
}


class SequenceRegressor(RegressorMixin, FramewiseEstimator):
    """Predict numbers for sequences of feature frames, or for each of their frames.

    A recurrent network reads each sequence. Where `y` holds values of sequences, what
    it has made of all frames becomes one vector, and that the values; where `y` holds
    values of frames, each frame has its own. Remaining life, levels, forces and
    estimates that get better with each observation are predicted this way.

    Sequences may differ in length. A sequence's predictions are the same alone and in
    any batch, and padding has no part in the loss.

    Parameters
    ----------
    units : int or tuple of int, default=128
        Width of the recurrent layers, one entry per stacked layer. Larger values learn
        finer distinctions, but need more data and take longer.
    cell : {"lstm", "gru"}, default="lstm"
        Recurrent cell. A GRU has a quarter fewer weights.
    bidirectional : bool, default=True
        Whether every layer also reads the sequence in reverse. False predicts each
        frame from the past alone; the convolutions still see `conv_kernel_size // 2`
        frames of the future, unless `conv_filters=()`.
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
        if `y` holds values of frames, if a sequence would otherwise keep fewer than two
        frames, or if there is a `front_end`. What was taken is kept as `conv_strides_`.
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
        What becomes of the states of a sequence, where `y` holds its values: a weighted
        mean, whose weights are learnt [1]_; their mean; the largest value of each; or
        its last states, one for each direction.
    target : {"auto", "frame", "sequence"}, default="auto"
        Whether `y` holds values of frames or of sequences. "auto" takes them for those
        of frames where each sample has as many as its sequence has frames.
    loss : {"squared_error", "absolute_error", "huber", "poisson", "quantile"} \
            or callable, default="squared_error"
        "squared_error"; "absolute_error" and "huber", which outliers in `y` affect
        less; "poisson" for counts, whose logarithm is modelled; "quantile", see
        `quantile`. Or a function of Keras operations `loss(y_true, y_pred)`, which
        takes arrays (n_samples, n_frames, n_outputs) in the units of `y` and returns
        (n_samples, n_frames), or for sequences (n_samples, n_outputs) and (n_samples,).
        The loss of a frame must depend on no later frame, which may be padding.
    quantile : float, default=0.5
        What `loss="quantile"` estimates; 0.9 is exceeded by one value in ten.
    step_weight : "sqrt" or callable, default=None
        How much each frame counts in the loss, where `y` holds values of frames:
        equally (None), by the square root of its position (the first is 1), or by what
        a callable returns for an array of frame indices.
    target_weight : array-like of shape (n_outputs,), default=None
        How much each output counts in the loss. None weighs all alike.
    standardize_y : bool, default=True
        Whether the network learns values that are centred and scaled over all training
        data, so that outputs of all magnitudes are learnt alike. With `loss="poisson"`
        they are divided by their mean alone. Predictions are in the units of `y`.
    preprocess : list of transformers and augmenters, default=None
        What is done to each sequence before the network reads it, in order. Every
        sequence passes the transformers, which must learn nothing, as
        :class:`~skseq.preprocessing.LogMel` does. Augmenters of
        :mod:`skseq.augmentation` change only what is trained on, drawn again in each
        epoch from `random_state`, the epoch and the index of the sequence; where `y`
        holds values of frames, they must leave the number and order of frames as they
        are, and values are those of the frames after the transformers.
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
    n_outputs_ : int
        Number of values per sequence or frame.
    conv_strides_ : tuple of int
        The stride of each convolution.
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from each frame, and what the difference is divided by.
    y_mean_, y_scale_ : ndarray of shape (n_outputs,)
        The same of the values that the network learns.
    model_ : keras.Model
        The network, from scaled frames and lengths to scaled values and output lengths.
        It is built at each access.
    history_ : dict of str to list of float
        Mean loss in each epoch, of frames or sequences: "loss", "val_loss" with a
        validation set, and what callbacks add.
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
    SequenceClassifier : One class per sequence.
    skseq.preprocessing.SlidingWindows : Cuts a series into windows, for forecasts.

    References
    ----------
    .. [1] Z. Yang, D. Yang, C. Dyer, X. He, A. Smola and E. Hovy, "Hierarchical
           Attention Networks for Document Classification", NAACL 2016.

    Examples
    --------
    >>> from skseq import SequenceRegressor
    >>> from skseq.datasets import make_counting
    >>> X, y = make_counting(40, random_state=0)
    >>> reg = SequenceRegressor(units=8, epochs=2, random_state=0).fit(X, y)
    >>> reg.predict(X)[0].shape == y[0].shape
    True
    """

    _constraints = CONSTRAINTS
    _fitted = {  # noqa: RUF012
        **FITTED_FRAMES,
        "y_mean_": VECTOR,
        "y_scale_": SCALE,
        "_is_per_frame": BOOLEAN,
        "_is_flat": BOOLEAN,
        "_is_rate": BOOLEAN,
    }
    _suspect_lengths = staticmethod(warn_of_own_lengths)

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
        target: Literal["auto", "frame", "sequence"] = "auto",
        loss: RegressionLoss = "squared_error",
        quantile: float = 0.5,
        step_weight: StepWeight = None,
        target_weight: Sequence[float] | None = None,
        standardize_y: bool = True,
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
        self.target = target
        self.loss = loss
        self.quantile = quantile
        self.step_weight = step_weight
        self.target_weight = target_weight
        self.standardize_y = standardize_y
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
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = self.loss == "poisson"
        if self.target == "frame":
            tags.estimator_type = None
            tags.regressor_tags = None
        return tags

    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None):
        """Train on sequences and their values.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            Sequences: a list, tuple or object array of arrays or DataFrames (1-D arrays
            have one feature), an array of shape (n_samples, n_frames, n_features),
            where trailing all-NaN frames are padding, or (n_samples, n_frames), or any
            object with `__len__` and `__getitem__`, read one sequence at a time.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or collection
            The values of each sequence; or for each sequence an array (n_frames,) or
            (n_frames, n_outputs) of the values of its frames, see `target`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample in the loss. Samples of weight 0 are left out.
        X_val, y_val : as `X` and `y`, default=None
            Validation set. Its loss is recorded in `history_["val_loss"]`, and decides
            when to stop if `early_stopping` is set.

        Returns
        -------
        self : SequenceRegressor
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter, a sequence or a value cannot be used; the message names it.
            Everything is checked before training starts, and the estimator stays as it
            was.
        TrainingDivergedError
            If the loss is not finite.

        Warns
        -----
        ConvergenceWarning
            If the outputs for training sequences are hardly better than a constant, or
            the loss was still falling in the last tenth of the epochs.
        """
        request = FitRequest(X, y, sample_weight, X_val, y_val, self.warm_start)
        return self._fit(request)

    def partial_fit(self, X, y, sample_weight=None):
        """Train for one more epoch, from the present weights and optimizer state.

        Calling it once per epoch of a `fit`, with the same data and an integer
        `random_state`, gives the same weights if `learning_rate_schedule` is
        "constant". The first call takes what "auto" stands for, and what values are
        centred and divided by, from its own `X` and `y`. No checkpoint is read or
        written.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.
        y : array-like or collection
            As in :meth:`fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.

        Returns
        -------
        self : SequenceRegressor
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            As :meth:`fit`; or if a parameter has changed that the network depends on.
        """
        request = FitRequest(X, y, sample_weight, resumes=True, is_partial=True)
        return self._fit(request)

    def predict(self, X):
        """Predict the values of each sequence, or of each of its frames.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the form and the units of the fitted `y`. For values of frames, an object
            array (n_samples,) of arrays (n_frames,) or (n_frames, n_outputs).
        """
        check_is_fitted(self)
        found = list(map(self._in_units, self._read_outputs(self._frames_of(X))))
        if self._is_per_frame:
            return object_array(map(self._shown, found))
        return self._shown(np.array(found).reshape(-1, self.n_outputs_))

    def score(self, X, y, sample_weight=None):
        """The coefficient of determination, R²; of values of frames, over all frames.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.
        y : array-like or collection
            The true values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        score : float
            1 is perfect, 0 what the mean of `y` would reach; the mean over the outputs.
        """
        check_is_fitted(self)
        sequences = self._frames_of(X)
        values = self._check_values(y, sequences.lengths)
        weights = check_sample_weight(sample_weight, len(sequences))
        if self._is_per_frame:
            weights = np.repeat(weights, sequences.lengths)
        found = self._in_units(np.vstack(self._read_outputs(sequences)))
        pairs = np.vstack(values.values), found
        return float(r2_score(*pairs, sample_weight=weights))

    def stream(self):
        """Read one sequence as it comes, piece by piece, and predict for its frames.

        However it is cut, the outputs together are what :meth:`predict` gives for all
        of it.

        Returns
        -------
        stream : FrameStream
            A context manager. Its `push(frames)` takes any number of frames and returns
            a :class:`FramePartial`: values that are settled and those that would
            follow; its `finish()` returns the last ones. Fitting again changes no open
            stream.

        Raises
        ------
        ValueError
            If `y` held values of sequences, if the network is bidirectional or has a
            `front_end`, or a step of `preprocess` needs the whole sequence.

        Examples
        --------
        >>> import numpy as np
        >>> from skseq import SequenceRegressor
        >>> from skseq.datasets import make_counting
        >>> X, y = make_counting(40, min_frames=30, random_state=0)
        >>> reg = SequenceRegressor(bidirectional=False, units=8, epochs=2).fit(X, y)
        >>> with reg.stream() as stream:
        ...     parts = [stream.push(X[0][i : i + 10]).stable for i in range(0, 30, 10)]
        ...     parts.append(stream.finish())
        >>> np.allclose(np.concatenate(parts), reg.predict([X[0][:30]])[0])
        True
        """
        check_is_fitted(self)
        if not self._is_per_frame:
            raise ValueError(
                "stream() gives values of frames, but this estimator was fitted on one "
                "value or vector per sequence. Use predict, or fit on values of frames."
            )
        check_streamable(self)
        fitted = copy.copy(self)
        return FrameStream(fitted, EachByItself(fitted._in_units), fitted._shown)

    def export(self, path, format="saved_model"):
        """Write the fitted function as a graph that runs where skseq is not installed.

        It takes `frames` (n_samples, n_frames, n_features), padded, or `waveforms`
        (n_samples, n_audio_samples) if `preprocess` starts from them, and `lengths`. It
        gives `prediction` in the units of `y`, (n_samples,) or (n_samples, n_outputs);
        for values of frames (n_samples, n_frames) or (n_samples, n_frames, n_outputs),
        zero past each length, and `n_frames`.

        Parameters
        ----------
        path : str or path-like
            Folder to write, which must not be there or be empty. `skseq.json` in it
            describes the graph.
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

    def _check_parameters(self):
        super()._check_parameters()
        if callable(self.loss) and self.target_weight is not None:
            raise ValueError(
                "target_weight has no effect on a loss of your own. Weigh the outputs "
                "in it, and set target_weight=None."
            )

    def _check_data(self, X, y, sample_weight, *, reset):
        sequences = self._checked_frames(X, y, reset=reset)
        weights = check_sample_weight(sample_weight, len(sequences))
        if reset:
            values = check_values(
                y,
                sequences.lengths,
                target=self.target,
                estimator_name=type(self).__name__,
            )
            self._is_per_frame, self._is_flat = values.is_per_frame, values.is_flat
            self._is_rate = self.loss == "poisson"
            self._learn_scaling(sequences, weights)
            self._learn_units(values, weights)
        else:
            values = self._check_values(y, sequences.lengths)
        self._check_use(values)
        scaled = [self._scaled(item) for item in values.values]
        weigh = None
        if values.is_per_frame:
            check_keeps_frames(self.preprocess, type(self).__name__)
            weigh = step_weight_function(self.step_weight, sequences.lengths)
            weigh = [weigh(np.arange(float(n))) for n in sequences.lengths]
            weights = weights * [item.sum() for item in weigh]
            weigh = [item.astype(np.float32) for item in weigh]
        else:
            scaled = np.array(scaled)
        return ScaledTargets(
            sequences,
            weights,
            self._scaling,
            scaled,
            weigh,
            units=(self.y_mean_, self.y_scale_),
        )

    def _make_losses(self):
        names = "loss", "quantile", "target_weight"  # which may be set after fit
        check_parameters(self, {name: CONSTRAINTS[name] for name in names})
        weights = np.ones(self.n_outputs_)
        if self.target_weight is not None:
            weights = np.asarray(self.target_weight, dtype=np.float64)
            weights = weights / weights.max()  # or their sum may be infinite
        weights = tuple((weights / weights.sum()).tolist())
        quantile = float(self.quantile) if self.loss == "quantile" else 0.5
        return RegressionLosses(self.loss, self._is_per_frame, quantile, weights)

    def _failure(self, data):
        found, wanted = self._map(data, self._rows_of), list(data.targets)
        if callable(self.loss):
            values = ([self._unscaled(y) for y in side] for side in (wanted, found))
            share = share_of_mean(self.loss, *values, self.y_mean_)
            constant = "the mean"
        else:
            given = np.vstack(wanted), self._answers(np.vstack(found))
            share = share_of_constant(self.loss, float(self.quantile), *given)
            constant = "one constant"
        if share <= CONSTANT_SHARE:
            return None
        lack = f"its error is {share:.2f} times that of {constant} for all"
        advice = f"more units, or a higher or lower {self._rate_name}"
        who = counted(len(data.lengths), "training sequence")
        return not_learnt(self, who, lack, advice)

    def _check_restored(self):
        super()._check_restored()
        if (self._settings["pooled"] is None) != self._is_per_frame:
            raise ValueError("its network gives values of another kind")
        for name in ("y_mean_", "y_scale_"):
            if len(getattr(self, name)) != self._settings["n_outputs"]:
                raise ValueError(f"its {name} must hold one value per output")

    def _exported(self, model, format):
        units = self.y_mean_, self.y_scale_
        form = self._is_rate, self._is_per_frame, self._is_flat
        graph = RegressorGraph(*self._graph_parts(model), units, *form)
        name = "model" if format == "onnx" else "predict"
        description = {
            "estimator": type(self).__name__,
            "target": "frame" if self._is_per_frame else "sequence",
            "n_outputs": self.n_outputs_,
            **graph.inputs.described(),
        }
        return Export(graph.graphs(name), description)

    # -- its own ------------------------------------------------------------------

    @property
    def n_outputs_(self) -> int:
        """Number of values per sequence or frame."""
        check_is_fitted(self, "y_mean_")
        return len(self.y_mean_)

    @property
    def _n_outputs(self):
        return self.n_outputs_

    @property
    def _pooled(self):
        return None if self._is_per_frame else self.pooling

    def _learn_units(self, values: Values, weights) -> None:
        """Learn what values are centred on and divided by."""
        width = values.n_outputs
        used = [values.values[i].reshape(-1, width) for i in np.flatnonzero(weights)]
        mean, scale = np.zeros(width), np.ones(width)
        if self.standardize_y:
            mean, scale = moments(used)
        if self.loss == "poisson":
            mean, scale = np.zeros_like(mean), np.where(mean > 0, mean, 1.0)
        self.y_mean_, self.y_scale_ = mean, scale

    def _check_values(self, y, lengths) -> Values:
        """Values of the form that `fit` saw."""
        target = "frame" if self._is_per_frame else "sequence"
        name = type(self).__name__
        try:
            values = check_values(y, lengths, target=target, estimator_name=name)
        except ValueError as error:
            of = "frames" if self._is_per_frame else "sequences"
            words, is_form, _ = str(error).partition(f', but target="{target}"')
            if not is_form:
                raise
            raise ValueError(
                f"{words}, but fit saw values of {of}. Pass values of {of}, or fit "
                "again."
            ) from None
        if values.n_outputs != self.n_outputs_:
            raise ValueError(
                f"y has {counted(values.n_outputs, 'output')}, but in fit it had "
                f"{self.n_outputs_}."
            )
        return values

    def _check_use(self, values: Values) -> None:
        """Refuse values and weights that the loss cannot take."""
        if (self.loss == "poisson") != self._is_rate:
            first = 'loss="poisson"' if self._is_rate else "another loss"
            raise ValueError(
                f"Training cannot continue with loss={self.loss!r}: the network was "
                f"trained with {first}, and its outputs mean something else. Set loss "
                "back, or train again by fit with warm_start=False."
            )
        if self.loss == "poisson":
            for i, item in enumerate(values.values):
                if item.min() < 0:
                    raise ValueError(
                        f'Some value(s) of y are negative (y[{i}]), but loss="poisson" '
                        "needs counts. Use another loss."
                    )
        own = "frame" if values.is_per_frame else "sequence"
        if self.target not in ("auto", own):
            raise ValueError(
                f"Training cannot continue with target={self.target!r}: the first y "
                f"held values of {own}s. Set it back, or train again by fit with "
                "warm_start=False."
            )
        if self.step_weight is not None and not values.is_per_frame:
            raise ValueError(
                "step_weight weighs frames, but y holds values of sequences. Set "
                "step_weight=None."
            )
        n_weights = np.size(self.target_weight)
        if self.target_weight is not None and n_weights != values.n_outputs:
            raise ValueError(
                f"target_weight has {counted(n_weights, 'weight')}, but y has "
                f"{counted(values.n_outputs, 'output')}. Give one weight per output."
            )
        if callable(self.loss):
            check_own_loss(self.loss, values.values[0], values.is_per_frame)

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        """What the network learns, float32."""
        return ((values - self.y_mean_) / self.y_scale_).astype(np.float32)

    def _answers(self, outputs: np.ndarray) -> np.ndarray:
        """What the network says of scaled values, float64."""
        outputs = outputs.astype(np.float64)
        return np.exp(outputs) if self._is_rate else outputs

    def _unscaled(self, values: np.ndarray) -> np.ndarray:
        """The inverse of `_scaled`, float64."""
        return values.astype(np.float64) * self.y_scale_ + self.y_mean_

    def _in_units(self, outputs: np.ndarray) -> np.ndarray:
        """What the network gives, in the units of `y`, float64."""
        return self._unscaled(self._answers(outputs))

    def _shown(self, values: np.ndarray) -> np.ndarray:
        """Values as the user gave them: plain numbers, or vectors."""
        return values[..., 0] if self._is_flat else values

    def _read_outputs(self, sequences) -> list:
        return self._map_frames(sequences, self._rows_of)

    def _rows_of(self, rows, outputs, *rest) -> list:
        """The outputs of each sequence of a batch, of real frames only."""
        return unpad(outputs, rest[-1]) if self._is_per_frame else list(outputs)

    def _try_example(self):
        self._read_outputs(self._example())
