"""`LSTMAutoencoder`: sequences to codes and back, and how badly that goes."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

import numpy as np
from sklearn.base import (
    ClassNamePrefixFeaturesOutMixin,
    OutlierMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted

import skseq._nn.backend  # noqa: F401 - before Keras is imported
from skseq._autoencoder.data import (
    ChangeScaling,
    ReconstructionData,
    check_codes,
    check_unfolded,
)
from skseq._autoencoder.export import Detector
from skseq._autoencoder.loss import ERRORS, ReconstructionLosses
from skseq._autoencoder.network import (
    DECODER_INPUTS,
    autoencoder_network,
    decode,
    encode,
)
from skseq._autoencoder.scores import (
    AUTO_QUANTILE,
    SCORES,
    ErrorDistribution,
    best_threshold,
    outlier_probability,
    threshold_at,
    threshold_of,
)
from skseq._autoencoder.stream import WindowStream, check_windows
from skseq._data.collections import check_n_samples, object_array
from skseq._data.lengths import refuse_lengths
from skseq._data.outliers import sample_anomaly_flags
from skseq._data.scaling import SCALE, VECTOR
from skseq._data.sequences import check_sequences
from skseq._data.step_weights import STEP_WEIGHT, step_weight_function
from skseq._data.suspicions import check_learnt, warn_of_waveforms
from skseq._data.weights import check_sample_weight
from skseq._engine.convergence import not_learnt
from skseq._engine.export import Export
from skseq._engine.programs import NotFiniteError, Program
from skseq._engine.state import FitRequest
from skseq._frames import FITTED_FRAMES, FrameEstimator
from skseq._parameters import (
    BOOLEAN,
    NONE,
    POSITIVE_INT,
    POSITIVE_REAL,
    Interval,
    OneOf,
    as_tuple,
    check_parameters,
    check_value,
)
from skseq._preprocess.steps import check_keeps_frames
from skseq._typing import (
    Callbacks,
    Cell,
    Ints,
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
from skseq.exceptions import TrainingDivergedError

# A reconstruction that leaves more than this share of the variance is no better than a
# mean.
COLLAPSED_SHARE = 0.9

CONSTRAINTS = {
    "latent_dim": (NONE, POSITIVE_INT),
    "decoder_input": OneOf(DECODER_INPUTS),
    "reverse": BOOLEAN,
    "standardize": BOOLEAN,
    "difference": BOOLEAN,
    "loss": OneOf(ERRORS),
    "step_weight": STEP_WEIGHT,
    "anomaly_score": OneOf(SCORES),
    "contamination": (OneOf(["auto"]), Interval(float, 0, 0.5, closed="right")),
}

FINITE = Interval(float, None, None, closed="neither")
QUANTILE = Interval(float, 0, 1, closed="right")


class LSTMAutoencoder(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    OutlierMixin,
    FrameEstimator,
):
    """Embed sequences, reconstruct them, and find those that are unlike the rest.

    A recurrent encoder reads a sequence into one vector, its code; a recurrent decoder
    unfolds the code into the sequence again [1]_. Trained on normal sequences, it
    reconstructs those well and others badly: the error is an anomaly score [2]_.

    Sequences may differ in length. A sequence's code, reconstruction and score are the
    same alone and in any batch.

    Parameters
    ----------
    units : int or tuple of int, default=128
        Width of the encoder's recurrent layers, one entry per stacked layer; the
        decoder has one layer of the last width. Larger values reconstruct finer detail
        and take longer.
    cell : {"lstm", "gru"}, default="lstm"
        Recurrent cell. A GRU has a quarter fewer weights.
    bidirectional : bool, default=True
        Whether every layer of the encoder also reads the sequence in reverse. False is
        faster.
    dropout : float, default=0.0
        Share of each encoder layer's inputs that is set to zero in training. Raise it
        when the validation loss grows while the training loss falls.
    latent_dim : int, default=None
        Length of a code. Smaller codes keep less, so that the unusual is lost first.
        None takes the last entry of `units`.
    decoder_input : {"output", "code"}, default="code"
        What the decoder sees at each step: its own last output, or the code, with which
        long sequences are learnt in fewer epochs.
    reverse : bool, default=True
        Whether the decoder begins with the last frame, as in [2]_: what was read last
        is the easiest to recall.
    standardize : bool, default=True
        Whether to centre and scale each feature over all training frames. Errors and
        scores are then in units of a feature's standard deviation. Set it to False
        where the units matter.
    difference : bool, default=False
        Whether to read and write changes between frames instead of the frames; the
        reconstruction adds them up. It helps where a series varies little around a
        level of its own.
    loss : {"mse", "mae"}, default="mse"
        Mean squared or mean absolute error. The latter is less affected by outliers in
        the training data.
    step_weight : "sqrt" or callable, default=None
        How much each frame counts in the loss: equally (None), by the square root of
        its position (the first is 1), or by what a callable returns for an array of
        frame indices.
    anomaly_score : {"mse", "mae", "mahalanobis"}, default="mse"
        How a sequence's errors become one score: their mean square, their mean size, or
        the mean squared Mahalanobis distance from the errors of held-out sequences
        [2]_, for which `validation_fraction` of the training data is held out unless
        `fit` is given a validation set. Another mean may be chosen after `fit`, which
        leaves scores without a threshold.
    contamination : "auto" or float, default="auto"
        Share of anomalies in the training data, in (0, 0.5], which determines the
        threshold; a larger share flags more. "auto", for training data without
        anomalies, sets it to the 99 % quantile of the anomaly scores, so that about one
        normal sequence in a hundred is flagged. See also :meth:`fit_threshold`.
    preprocess : list of transformers and augmenters, default=None
        What is done to each sequence before the network reads it, in order. Every
        sequence passes the transformers, which must learn nothing, as
        :class:`~skseq.preprocessing.LogMel` does. Augmenters of
        :mod:`skseq.augmentation` change only what is trained on, drawn again in each
        epoch from `random_state`, the epoch and the index of the sequence. They must
        keep the number of frames (`changes_frames` False), and the network is trained
        to undo them: its target is the sequence without them. Reconstructions are of
        the sequences after the transformers; `n_features_in_` counts the features
        before them.
    optimizer : str, class, dict or keras.optimizers.Optimizer, default="adam"
        Optimizer by name, class, config or instance. An instance is rebuilt from its
        config and never used itself. `optimizer__<name>` sets its parameters.
    learning_rate : float or LearningRateSchedule, default=1e-3
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
        Parameters `optimizer__*` and `callbacks__*`.

    Attributes
    ----------
    offset_ : float
        The threshold: a sequence with a lower score is an anomaly.
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from each frame, and what the difference is divided by.
    classes_ : ndarray of shape (2,)
        -1, an anomaly, and 1: the columns of `predict_proba` [3]_.
    model_ : keras.Model
        The network, from scaled frames and lengths to reconstruction and code. It is
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

    See Also
    --------
    skseq.preprocessing.SlidingWindows : Cuts one long series into sequences.
    skseq.inspection.ReconstructionDisplay : Shows a sequence and its reconstruction.
    skseq.inspection.AnomalyScoreDisplay : Shows anomaly scores and their threshold.

    References
    ----------
    .. [1] N. Srivastava, E. Mansimov and R. Salakhutdinov, "Unsupervised Learning of
           Video Representations using LSTMs", ICML 2015.
    .. [2] P. Malhotra et al., "LSTM-based Encoder-Decoder for Multi-sensor Anomaly
           Detection", ICML Anomaly Detection Workshop 2016.
    .. [3] H.-P. Kriegel, P. Kröger, E. Schubert and A. Zimek, "Interpreting and
           Unifying Outlier Scores", SDM 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import LSTMAutoencoder
    >>> steps = np.arange(20)
    >>> X = [np.sin(0.7 * (steps[:n] + n)) for n in range(10, 20)]
    >>> coder = LSTMAutoencoder(units=16, epochs=30, learning_rate=1e-2, random_state=0)
    >>> coder.fit(X).transform(X).shape
    (10, 16)
    """

    _constraints = CONSTRAINTS
    _fitted = {  # noqa: RUF012
        **FITTED_FRAMES,
        "offset_": FINITE,
        "_change_scale": (SCALE, NONE),
        "_error_mean": (VECTOR, NONE),
        "_error_precision": (VECTOR, NONE),
        "_score_mean": FINITE,
        "_score_deviation": FINITE,
        "_threshold_measure": OneOf(SCORES),
    }

    def __init__(
        self,
        *,
        units: Ints = 128,
        cell: Cell = "lstm",
        bidirectional: bool = True,
        dropout: float = 0.0,
        latent_dim: int | None = None,
        decoder_input: Literal["output", "code"] = "code",
        reverse: bool = True,
        standardize: bool = True,
        difference: bool = False,
        loss: Literal["mse", "mae"] = "mse",
        step_weight: StepWeight = None,
        anomaly_score: Literal["mse", "mae", "mahalanobis"] = "mse",
        contamination: float | Literal["auto"] = "auto",
        preprocess: Steps = None,
        optimizer: Optimizer = "adam",
        learning_rate: LearningRate = 1e-3,
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
        self.latent_dim = latent_dim
        self.decoder_input = decoder_input
        self.reverse = reverse
        self.standardize = standardize
        self.difference = difference
        self.loss = loss
        self.step_weight = step_weight
        self.anomaly_score = anomaly_score
        self.contamination = contamination
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
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def classes_(self):
        """The columns of `predict_proba`: -1, an anomaly, and 1."""
        return np.array([-1, 1])

    def fit(self, X, y=None, sample_weight=None, X_val=None):
        """Train to reconstruct sequences, and settle the threshold of anomalies.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            Sequences: a list, tuple or object array of arrays or DataFrames (1-D arrays
            have one feature), an array of shape (n_samples, n_frames, n_features),
            where trailing all-NaN frames are padding, or (n_samples, n_frames), or any
            object with `__len__` and `__getitem__`, read one sequence at a time.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample in the loss. Samples of weight 0 are left out.
        X_val : as `X`, default=None
            Validation set. Its loss is recorded in `history_["val_loss"]`, and decides
            when to stop if `early_stopping` is set.

        Returns
        -------
        self : LSTMAutoencoder
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter or a sequence cannot be used; the message names it.
            Everything is checked before training starts, and the estimator stays as it
            was.
        TrainingDivergedError
            If the loss is not finite.

        Warns
        -----
        ConvergenceWarning
            If the reconstruction is no better than a mean, or the loss was still
            falling in the last tenth of the epochs.
        """
        request = FitRequest(X, y, sample_weight, X_val, resumes=self.warm_start)
        return self._fit(request)

    def partial_fit(self, X, y=None, sample_weight=None):
        """Train for one more epoch, from the present weights and optimizer state.

        Calling it once per epoch of a `fit`, with the same data and an integer
        `random_state`, gives the same weights if `learning_rate_schedule` is
        "constant". The first call determines the scaling; every call determines the
        threshold. No checkpoint is read or written.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.

        Returns
        -------
        self : LSTMAutoencoder
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            As :meth:`fit`, or if a parameter has changed that the network depends on.
        """
        request = FitRequest(X, y, sample_weight, resumes=True, is_partial=True)
        return self._fit(request)

    def fit_predict(self, X, y=None, **fit_params):
        """Fit, then tell which of the same sequences are anomalies.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.
        y : None
            Ignored.
        **fit_params
            Further arguments of :meth:`fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            As of :meth:`predict`.
        """
        return self.fit(X, y, **fit_params).predict(X)

    def transform(self, X):
        """Embed each sequence.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        codes : ndarray of shape (n_samples, latent_dim)
            In single precision if `X` is an array of it, else in double.
        """
        check_is_fitted(self)
        data = self._reconstructible(X)
        codes = self._codes(data)
        is_single = getattr(data.sequences.source, "dtype", None) == np.float32
        return np.stack(codes).astype(np.float32 if is_single else np.float64)

    def inverse_transform(self, Z, lengths=None):
        """Unfold codes into sequences.

        Parameters
        ----------
        Z : array-like of shape (n_samples, latent_dim)
            Codes.
        lengths : int or array-like of shape (n_samples,), default=None
            Number of frames of each sequence. Needed unless the estimator was fitted on
            a 2-D array, whose rows are all of one length.

        Returns
        -------
        X : ndarray of shape (n_samples,) or (n_samples, n_frames)
            In the units of `fit`: an object array of arrays of shape
            (n_frames, n_features); a 2-D array if the estimator was fitted on one.

        Raises
        ------
        ValueError
            If `Z` has another width than a code, or `lengths` are needed and missing,
            not positive, not one per code, or more than memory holds.
        """
        check_is_fitted(self)
        Z = check_codes(Z)
        latent_dim = self._settings["latent_dim"]
        if Z.shape[1] != latent_dim:
            raise ValueError(
                f"Z has {Z.shape[1]} features, but {type(self).__name__} is expecting "
                f"{latent_dim} features as input."
            )
        codes = _Codes(Z, self._checked_lengths(lengths, len(Z)), self._scaling)
        return self._frames(codes, _run_decoder)

    def reconstruct(self, X):
        """Embed each sequence and unfold it again.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        reconstruction : ndarray of shape (n_samples,) or (n_samples, n_frames)
            In the units of `X`: an object array of arrays of shape
            (n_frames, n_features); a 2-D array if the estimator was fitted on one.
        """
        check_is_fitted(self)
        return self._frames(self._reconstructible(X))

    def step_errors(self, X):
        """How far each reconstructed value is from the true one.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        errors : ndarray of shape (n_samples,)
            An object array of arrays of shape (n_frames, n_features): the absolute
            differences of `X` and its reconstruction, in the units of `X`.
        """
        check_is_fitted(self)
        data = self._reconstructible(X)
        return object_array(
            self._map_errors(data, lambda frames, error: np.abs(error) * self.scale_)
        )

    def score_samples(self, X):
        """Score each sequence: the higher, the more normal.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Minus the anomaly scores: what `anomaly_score` makes of the errors of the
            standardized frames.

        Raises
        ------
        ValueError
            If `anomaly_score` was set to "mahalanobis" after :meth:`fit`.
        """
        check_is_fitted(self)
        return -self._anomaly_scores(self._reconstructible(X))

    def score_frames(self, X):
        """Score each frame: the higher, the more normal.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            An object array of arrays of shape (n_frames,). The mean of each is the
            sequence's entry in :meth:`score_samples`.

        Raises
        ------
        ValueError
            If `anomaly_score` was set to "mahalanobis" after :meth:`fit`.
        """
        check_is_fitted(self)
        measure, data = self._measure(), self._reconstructible(X)
        return object_array(
            self._map_errors(data, lambda frames, error: -measure(error))
        )

    def stream(self, window_length, stride=1):
        """Score the windows of one series as it comes, piece by piece.

        However it is cut, the windows are those of
        :class:`~skseq.preprocessing.SlidingWindows`, with the results that they have
        all at once. Only the frames of windows that are not full are kept.

        Parameters
        ----------
        window_length : int
            Frames in a window, each of which is a sequence to the network. Take what
            the estimator was fitted on.
        stride : int, default=1
            Frames from the start of a window to that of the next. Larger values give
            fewer windows, later.

        Returns
        -------
        stream : WindowStream
            A context manager. Its `push(frames)` takes any number of frames and returns
            a list of :class:`ScoredWindow`, those that are full by then; its `finish()`
            returns the last one if the stride left it out. Fitting again changes no
            open stream.

        Raises
        ------
        ValueError
            If `window_length` or `stride` is not a positive int, or as
            :meth:`decision_function`.

        Examples
        --------
        >>> import numpy as np
        >>> from skseq import LSTMAutoencoder
        >>> series = np.sin(0.7 * np.arange(100))
        >>> X = [series[i : i + 20] for i in range(0, 80, 4)]
        >>> coder = LSTMAutoencoder(units=16, epochs=30, learning_rate=1e-2)
        >>> with coder.fit(X).stream(window_length=20, stride=10) as stream:
        ...     [(window.start, window.end) for window in stream.push(series[:45])]
        [(0, 20), (10, 30), (20, 40)]
        """
        self._check_measure()
        check_windows(self, window_length, stride)
        self._measure()
        return WindowStream(copy.copy(self), window_length, stride)

    def decision_function(self, X):
        """Score each sequence, anomalies below zero.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        decision : ndarray of shape (n_samples,)
            `score_samples(X) - offset_`.

        Raises
        ------
        ValueError
            If `anomaly_score` was changed after :meth:`fit`, which set `offset_`.
        """
        self._check_measure()
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """Tell normal sequences from anomalies.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            1 for a normal sequence, -1 for an anomaly.

        Raises
        ------
        ValueError
            As :meth:`decision_function`.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def predict_proba(self, X):
        """Probability of being an anomaly, by the scores of the training data.

        Scores are scaled as Kriegel et al. (2011) do: 0 up to the training mean;
        beyond it, the error function of the distance in standard deviations. It never
        falls as the score gets worse, and does not depend on the threshold.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        proba : ndarray of shape (n_samples, 2)
            Columns are `classes_`, -1 and 1; rows sum to one.

        Raises
        ------
        ValueError
            As :meth:`decision_function`.
        """
        self._check_measure()
        scores = -self.score_samples(X)
        anomaly = outlier_probability(scores, self._score_mean, self._score_deviation)
        return np.column_stack([anomaly, 1 - anomaly])

    def score(self, X, y=None, sample_weight=None):
        """Mean of `score_samples`, for model selection.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        score : float
            Higher is better; 0 is a perfect reconstruction.
        """
        refuse_lengths(X, y)
        scores = self.score_samples(X)
        weights = check_sample_weight(sample_weight, len(scores))
        return float(np.average(scores, weights=weights))

    def fit_threshold(self, X, y=None, beta=1.0, *, quantile=None, factor=1.0):
        """Set the threshold, by labelled sequences or by normal ones.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.
        y : array-like of shape (n_samples,), default=None
            1 for a normal sequence, -1 for an anomaly; or booleans, True for an
            anomaly. Both must occur. The threshold is then that of the highest F-beta
            measure of the anomalies. None takes `X` to be normal.
        beta : float, default=1.0
            How much more recall counts than precision, where `y` is given. A larger one
            flags more.
        quantile : float, default=None
            Where `y` is not given, the quantile of the anomaly scores of `X` that the
            threshold is made of, in (0, 1]; None stands for 0.99. A smaller one flags
            more.
        factor : float, default=1.0
            What that quantile is multiplied by. The Skoltech Anomaly Benchmark takes
            1.5. A smaller one flags more.

        Returns
        -------
        self : LSTMAutoencoder
            With another `offset_`.

        Raises
        ------
        ValueError
            If `beta`, `quantile` or `factor` is out of range or does not go with the
            other arguments, `y` has another label or only one kind, or as
            :meth:`decision_function`.
        """
        self._check_measure()
        check_value("fit_threshold", "beta", beta, POSITIVE_REAL)
        check_value("fit_threshold", "factor", factor, POSITIVE_REAL)
        check_value("fit_threshold", "quantile", quantile, (NONE, QUANTILE))
        if y is None:
            if beta != 1:
                raise ValueError(f"beta={beta} needs y. Pass y, or leave beta out.")
            scores = -self.score_samples(X)
            quantile = AUTO_QUANTILE if quantile is None else quantile
            threshold = threshold_at(scores, quantile) * float(factor)
            if not np.isfinite(threshold):
                raise ValueError(
                    f"factor={factor} times the quantile of the scores is not finite. "
                    "Lower factor."
                )
            self.offset_ = -threshold
            return self
        if quantile is not None or factor != 1:
            raise ValueError(
                "quantile and factor are for normal sequences without labels. Leave "
                "them out, or y."
            )
        scores = -self.score_samples(X)
        is_anomaly = sample_anomaly_flags(y, len(scores))
        _refuse_one_kind(is_anomaly)
        self.offset_ = -best_threshold(scores, is_anomaly, beta)
        return self

    # -- what the base asks for ---------------------------------------------------

    def _check_data(self, X, y, sample_weight, *, reset):
        sequences = check_learnt(self, X, y, reset=reset)
        weights = check_sample_weight(sample_weight, len(sequences))
        sequences = self._preprocessed(sequences, reset)
        if reset:
            warn_of_waveforms(sequences)
            scaling = ChangeScaling.learn(
                sequences,
                np.flatnonzero(weights > 0),
                standardize=self.standardize,
                difference=self.difference,
            )
            self.mean_, self.scale_ = scaling.mean, scaling.scale
            self._change_scale = scaling.change_scale
        step_weight = step_weight_function(self.step_weight, sequences.lengths)
        return ReconstructionData(sequences, weights, self._scaling, step_weight)

    def _check_parameters(self):
        super()._check_parameters()
        check_keeps_frames(self.preprocess, type(self).__name__)

    def _make_settings(self, data, validation, present):
        units = as_tuple(self.units)
        return {
            "n_features": self._n_inputs,
            "units": units,
            "cell": self.cell,
            "bidirectional": bool(self.bidirectional),
            "dropout": float(self.dropout),
            "latent_dim": int(self.latent_dim or units[-1]),
            "decoder_input": self.decoder_input,
            "reverse": bool(self.reverse),
            "difference": bool(self.difference),
        }

    _network = staticmethod(autoencoder_network)

    def _make_losses(self):
        return ReconstructionLosses(self.loss)

    @property
    def _prediction_parameters(self):
        """Scores are made of a trained network; one kind needs sequences held out."""
        trains_alike = self.anomaly_score != "mahalanobis"
        names = ("contamination", "anomaly_score")
        return frozenset(names if trains_alike else names[:1])

    @property
    def _holds_out(self):
        return self.early_stopping or self.anomaly_score == "mahalanobis"

    @np.errstate(under="ignore")
    def _conclude(self, training, validation):
        """Settle how scores are made, and their threshold."""
        try:
            self._settle(training, validation)
        except NotFiniteError as error:  # of weights that are finite, but too large
            raise TrainingDivergedError(self.n_iter_, measure="output") from error

    def _settle(self, training, validation):
        self._error_mean = self._error_precision = None
        if self.anomaly_score == "mahalanobis":
            held_out = validation.data.take(validation.rows)
            errors = self._map_errors(held_out, lambda frames, error: error)
            distribution = ErrorDistribution.fit(errors)
            self._error_mean = distribution.mean
            self._error_precision = distribution.precision.ravel()
        rows = training.rows
        if validation is not None and validation.data is training.data:
            rows = np.sort(np.concatenate([rows, validation.rows]))
        scores = self._anomaly_scores(training.data.take(rows))
        self.offset_ = -threshold_of(scores, self.contamination)
        self._threshold_measure = self.anomaly_score
        self._score_mean = float(scores.mean())
        self._score_deviation = float(scores.std())

    @np.errstate(under="ignore")
    def _failure(self, data):
        unexplained = _Unexplained()
        self._map_errors(data, unexplained.add)
        lack = unexplained.lack()
        difference = "" if self.difference else "difference=True, "
        advice = f"more units, {difference}or a higher {self._rate_name}"
        who = counted(len(data.lengths), "training sequence")
        return lack and not_learnt(self, who, lack, advice, learns_from_y=False)

    def _exported(self, model, format):
        self._check_measure()
        inputs, measure, offset = self._graph_inputs(), self._measure(), self.offset_
        detector = Detector(model, inputs, self._scaling, measure, offset)
        description = {
            "estimator": type(self).__name__,
            "anomaly_score": self.anomaly_score,
            "offset": self.offset_,
            **inputs.described(),
        }
        return Export(detector.graphs(joined=format == "onnx"), description)

    def _check_restored(self):
        super()._check_restored()
        self._check_restored_width()
        n_features = self._n_inputs
        if self._settings["difference"] == (self._change_scale is None):
            raise ValueError("its scale of changes does not fit its network")
        sizes = dict.fromkeys(("_change_scale", "_error_mean"), n_features)
        sizes["_error_precision"] = n_features**2
        for name, size in sizes.items():
            value = getattr(self, name)
            if value is not None and len(value) != size:
                raise ValueError(f"its {name} must hold {counted(size, 'value')}")
        if (self._error_mean is None) != (self._error_precision is None):
            raise ValueError("its distribution of errors is incomplete")

    # -- its own ------------------------------------------------------------------

    @property
    def _n_features_out(self):
        return self._settings["latent_dim"]

    @property
    def _scaling(self) -> ChangeScaling:
        return ChangeScaling(self.mean_, self.scale_, self._change_scale)

    def _reconstructible(self, X) -> ReconstructionData:
        sequences = check_sequences(self, X, reset=False)
        return self._to_reconstruct(self._transformed(sequences))

    def _to_reconstruct(self, sequences) -> ReconstructionData:
        return ReconstructionData(sequences, np.ones(len(sequences)), self._scaling)

    def _codes(self, data) -> list[np.ndarray]:
        return self._map(data, lambda rows, codes: codes.copy(), _run_encoder)

    def _try_example(self):
        data = self._to_reconstruct(self._example())
        self._anomaly_scores(data)
        self._codes(data)

    @np.errstate(under="ignore")
    def _map_errors(self, data, read) -> list:
        """What `read(frames, error)` makes of each sequence, standardized, in order."""

        def read_batch(rows, levels, codes):
            for row, reconstruction in zip(rows, levels, strict=True):
                frames = data.scaling.levels(data.sequences[row])
                yield read(frames, frames - reconstruction[: len(frames)])

        return self._map(data, read_batch)

    @np.errstate(under="ignore")
    def _anomaly_scores(self, data) -> np.ndarray:
        """The score of each sequence."""
        measure = self._measure()
        scores = self._map_errors(data, lambda frames, error: measure(error).mean())
        return np.array(scores, dtype=np.float64)

    def _measure(self):
        """What turns the errors of a sequence into a score of each of its frames."""
        check_parameters(self, {"anomaly_score": CONSTRAINTS["anomaly_score"]})
        return SCORES[self.anomaly_score] or self._error_distribution()

    def _check_measure(self) -> None:
        """Refuse to judge scores of one kind by a threshold for another."""
        check_is_fitted(self)
        check_parameters(self, {"anomaly_score": CONSTRAINTS["anomaly_score"]})
        if self.anomaly_score != self._threshold_measure:
            raise ValueError(
                f"anomaly_score={self.anomaly_score!r} was set after fit, which "
                f"settled the threshold for {self._threshold_measure!r}. Set it back, "
                "or fit again."
            )

    def _error_distribution(self) -> ErrorDistribution:
        if self._error_mean is None:
            raise ValueError(
                'anomaly_score="mahalanobis" needs the errors of held-out sequences, '
                "which only a fit under this setting measures. Fit again."
            )
        n_features = len(self._error_mean)
        precision = self._error_precision.reshape(n_features, n_features)
        return ErrorDistribution(self._error_mean, precision)

    def _checked_lengths(self, lengths, n_samples) -> np.ndarray:
        if lengths is None and self._is_matrix:
            lengths = self.n_features_in_
        if lengths is None:
            raise ValueError(
                "lengths must be given: codes do not say how many frames their "
                "sequences had. Pass one int, or one for each row of Z."
            )
        given = [lengths] * n_samples if isinstance(lengths, Integral) else lengths
        try:
            counts = np.asarray(given)
        except ValueError:  # rows of different lengths
            counts = np.empty(0, dtype=object)
        if counts.ndim != 1 or counts.dtype.kind not in "iu" or (counts < 1).any():
            raise ValueError(
                f"lengths must be positive integers below 2**31. Got {lengths!r} "
                "instead."
            )
        check_n_samples("lengths", len(counts), n_samples)
        n_features, units = self._settings["n_features"], self._settings["units"]
        check_unfolded(counts, n_features, max(units))
        return counts

    def _frames(self, data, run=Program.infer) -> np.ndarray:
        """Frames in the units of X, in the user's order and layout."""

        def read(rows, levels, *codes):
            for n_frames, sequence in zip(data.lengths[rows], levels, strict=True):
                own = sequence[:n_frames].astype(np.float64)
                yield self._scaling.restored(own)

        frames = self._map(data, read, run)
        fits = self._is_matrix and len(set(data.lengths.tolist())) == 1
        return np.stack(frames)[..., 0] if fits else object_array(frames)

    @property
    def _is_matrix(self) -> bool:
        """Whether rows of a 2-D array are the frames that the network reads."""
        return self._X_layout == "matrix" and not self._steps


class _Unexplained:
    """How much of what changes from frame to frame a reconstruction leaves."""

    def __init__(self):
        self._left = self._variance = 0.0

    def add(self, frames, error) -> None:
        self._left += np.square(error).mean()
        self._variance += frames.var(axis=0).mean()

    def lack(self) -> str | None:
        """Say so where the mean of each sequence would have done as well."""
        if not self._left > COLLAPSED_SHARE * self._variance > 0:
            return None
        return (
            f"its reconstruction leaves {self._left / self._variance:.0%} of the "
            "variance about each sequence's mean, which is what changes from frame to "
            "frame"
        )


@dataclass(frozen=True)
class _Codes:
    """Codes to be unfolded into sequences of these lengths."""

    codes: np.ndarray
    lengths: np.ndarray
    scaling: ChangeScaling

    @np.errstate(under="ignore")
    def assemble(self, rows) -> dict[str, np.ndarray]:
        batch = {
            "code": self.codes[rows].astype("float32"),
            "lengths": self.lengths[rows].astype("int32"),
        }
        return batch | self.scaling.tensors(len(rows))


def _run_encoder(program, batch):
    return program.run(encode, batch["frames"], batch["lengths"])


def _run_decoder(program, batch):
    return program.run(decode, *batch.values())


def _refuse_one_kind(is_anomaly: np.ndarray) -> None:
    if is_anomaly.all() or not is_anomaly.any():
        raise ValueError(
            "y must label both normal sequences and anomalies. Got "
            f"{counted(np.count_nonzero(is_anomaly), 'anomaly', 'anomalies')} among "
            f"{counted(len(is_anomaly), 'sequence')}."
        )
