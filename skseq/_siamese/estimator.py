"""`SiameseSequenceEmbedder`: from sequences to vectors in which equals are near."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

import skseq._nn.backend  # noqa: F401 - before Keras is imported
from skseq._data.weights import check_sample_weight
from skseq._engine.state import FitRequest
from skseq._parameters import (
    NONE,
    POSITIVE_REAL,
    PROBABILITY,
    OneOf,
    check_value,
)
from skseq._siamese.fitting import Both, EmbeddingEstimator
from skseq._siamese.joined import Joined
from skseq._siamese.judging import all_scores, distances_of, of_all_pairs, scores_of
from skseq._siamese.pairs import (
    check_both_kinds,
    of_positive_weight,
    pair_flags,
)
from skseq._siamese.thresholds import (
    CRITERIA,
    best_threshold,
    calibrated,
    probability,
)
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
from skseq.metrics._pairs import equal_error


class SiameseSequenceEmbedder(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, EmbeddingEstimator
):
    """Embed sequences so that those of one class are near each other.

    One network reads each sequence into a vector, its embedding, and is trained on
    pairs or classes of sequences: those that belong together become near, the others
    far. Classes that were never seen are told apart by the same distances: who speaks,
    who signs, which machine hums. Whether two sequences are alike is decided by a
    threshold that is found on data.

    Sequences may differ in length. A sequence's embedding is the same alone and in any
    batch.

    Parameters
    ----------
    units : int or tuple of int, default=()
        Width of recurrent layers after the convolutions, one entry per stacked layer.
        `()` has none: voices are told sooner without, by what convolutions find
        anywhere. Set it, for example to 128, where the order of what is far apart in
        time tells classes from each other.
    cell : {"lstm", "gru"}, default="lstm"
        Recurrent cell. A GRU has a quarter fewer weights.
    bidirectional : bool, default=True
        Whether every layer also reads the sequence in reverse. False predicts each
        frame from the past alone.
    dropout : float, default=0.3
        Share of each layer's inputs that is set to zero in training: of recurrent
        layers and of the pooling. Raise it when the validation loss grows while the
        training loss falls.
    conv_filters : int, tuple of int or "auto", default="auto"
        Convolutions over time before the recurrent layers, one entry per layer: the
        number of features that each gives. Larger values distinguish finer patterns and
        take longer; `()` means no convolution. "auto" takes two layers of 256 features,
        or one for each of several `conv_strides`, and none if there is a `front_end`.
    conv_kernel_size : int, default=5
        Number of frames that each of these convolutions sees. Larger values recognize
        longer patterns.
    conv_strides : int, tuple of int or "auto", default="auto"
        Strides of these convolutions, one for all or one for each. They shorten time by
        their product, which makes training faster. "auto" makes their product 4, or 2
        or 1 if a sequence would otherwise keep fewer than two frames, or 1 if there is
        a `front_end`. What was taken is kept as `conv_strides_`.
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
    center : bool, default=True
        Whether to remove each sequence's own mean, feature by feature. What the mean
        tells, as the channel of a recording does, is then not learnt; set it to False
        where levels are what makes sequences alike.
    pooling : {"statistics", "mean", "attention", "last"}, default="statistics"
        What becomes of the states of a sequence: their mean and their standard
        deviation over its frames [1]_; their mean; a weighted mean, whose weights are
        learnt; or its last states, one for each direction, which learn slowest.
    embedding_dim : int, default=64
        Length of an embedding. Larger values keep finer distinctions apart.
    loss : {"prototypical", "triplet", "classification", "contrastive", \
"kl_hinge"}, default="prototypical"
        What training lowers. "prototypical": each sequence of a batch is to be nearest
        to the others of its class, by the cross-entropy over the classes of the batch,
        under a scale that is learnt [2]_. "triplet": it is to be nearer, by a margin,
        to the farthest of its class than to the nearest of any other beyond that one
        [3]_. "classification": its class is to be told among all those of `fit` by
        cosines, to whose angle a `margin` may be added [4]_. "contrastive": distances
        within a class fall, and those below a margin rise between classes, over all
        pairs of the batch [5]_. "kl_hinge": the same of divergences, with a hinge that
        keeps a slope everywhere.
    distance : {"cosine", "euclidean", "symmetric_kl"}, default="cosine"
        How far two embeddings are apart: one minus the cosine of their angle; the
        length of their difference; or the Kullback-Leibler divergences of their
        softmax, both ways, added up. "classification" needs "cosine", "kl_hinge" needs
        "symmetric_kl", and "contrastive" takes one of the first two.
    margin : float, default=None
        How far apart the loss wants classes to be; a larger one also pushes those that
        are told apart already. None takes what suits loss and distance: 0.2 for
        "triplet" by cosines and 1 by other distances, none (0) for "classification", 1
        for "contrastive", 5 for "kl_hinge". For "classification" it is an angle in
        radians, below pi, and 0.2 is a usual one. "prototypical" has no margin.
    classes_per_batch : int or "auto", default="auto"
        Classes, at least 2, in the batch of a gradient step. More of them are harder to
        tell apart, which learns finer distinctions and takes longer. "auto" takes 64,
        or all where there are fewer.
    samples_per_class : int, default=2
        Sequences of each class in a batch, at least 2. Of a class that has fewer,
        several parts of one sequence take their place if `crop` allows it, and the
        fewer ones if not.
    steps_per_epoch : int or "auto", default="auto"
        Gradient steps, each on a batch of its own, in an epoch. "auto" takes as many as
        it needs to draw as many sequences as there are, but at least 24.
    crop : "auto", (int, int) or None, default="auto"
        Parts of sequences that stand for them in training, drawn anew for each batch.
        Two of a batch that come from one sequence share no frame. `(low, high)` bounds
        the number of frames, which all parts of a batch have in common; shorter parts
        serve short sequences better. "auto" cuts the sequences of classes that have
        fewer than `samples_per_class`, to a thirtieth to a fifteenth of their median
        length, or 50 to 100 frames if that is more, but never to more than a half; and
        leaves the others whole. None never cuts, so that each class needs two
        sequences. With `center`, parts have two frames at least.
    preprocess : list of transformers and augmenters, default=None
        What is done to each sequence before the network reads it, in order. Every
        sequence passes the transformers, which must learn nothing, as
        :class:`~skseq.preprocessing.LogMel` does. Augmenters of
        :mod:`skseq.augmentation` change only what is trained on, drawn again for each
        sequence or part of a batch from `random_state`, the epoch and its number.
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
    epochs : int, default=100
        Number of passes over the training data. Raise it when the loss still falls at
        the end.
    batch_size : int or "auto", default="auto"
        Number of sequences that are embedded together. It changes no training, whose
        batches have `classes_per_batch` times `samples_per_class` sequences. "auto"
        takes 32, and is kept as `batch_size_`.
    shuffle : bool, default=True
        Whether to draw new batches in every epoch. If False, all epochs have the same
        batches.
    early_stopping : bool, default=False
        Whether to stop when the results on a validation set no longer improve, and keep
        the weights of the best epoch.
    validation_fraction : float, default=0.1
        Share of the classes, two at least, to hold out with all their sequences where a
        validation set is needed, as for early stopping, and `fit` is not given one; of
        the pairs in `fit_pairs`. A larger share judges better and leaves less to learn
        from.
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
    threshold_ : float or None
        The score from which a pair is alike; None if it is not known.
    classes_ : ndarray of shape (n_classes,)
        The classes of the first `fit` or `partial_fit`, sorted. There are none after
        `fit_pairs`, until the next `partial_fit`.
    conv_strides_ : tuple of int
        The stride of each convolution.
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from each frame, and what the difference is divided by. With
        `center` the scale is that of frames about their sequence's mean.
    model_ : keras.Model
        The network, from scaled frames and lengths to vectors, of which a distance
        makes rows; to what its loss learns beside; and to output lengths. It is built
        at each access.
    history_ : dict of str to list of float
        "loss", the mean loss per sample in each epoch; "val_loss" with a validation
        set, its equal error rate; and what callbacks add.
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
    SequenceClassifier : Tells the classes of `fit` themselves.
    LSTMAutoencoder : Embeds sequences without labels.
    skseq.metrics.equal_error_rate : How well scores tell pairs apart.

    References
    ----------
    .. [1] D. Snyder, D. Garcia-Romero, G. Sell, D. Povey and S. Khudanpur, "X-Vectors:
           Robust DNN Embeddings for Speaker Recognition", ICASSP 2018.
    .. [2] J. S. Chung et al., "In Defence of Metric Learning for Speaker Recognition",
           Interspeech 2020.
    .. [3] A. Hermans, L. Beyer and B. Leibe, "In Defense of the Triplet Loss for Person
           Re-Identification", arXiv:1703.07737, 2017.
    .. [4] J. Deng, J. Guo, N. Xue and S. Zafeiriou, "ArcFace: Additive Angular Margin
           Loss for Deep Face Recognition", CVPR 2019.
    .. [5] R. Hadsell, S. Chopra and Y. LeCun, "Dimensionality Reduction by Learning an
           Invariant Mapping", CVPR 2006.

    Examples
    --------
    >>> from skseq import SiameseSequenceEmbedder
    >>> from skseq.datasets import make_gestures
    >>> X, y = make_gestures(40, random_state=0)
    >>> embedder = SiameseSequenceEmbedder(units=8, epochs=2, random_state=0)
    >>> embedder.fit(X, y).transform(X).shape
    (40, 64)
    >>> embedder.pair_score(X[:2], X[:2]).round(3)
    array([1., 1.])
    """

    def __init__(
        self,
        *,
        units: Ints = (),
        cell: Cell = "lstm",
        bidirectional: bool = True,
        dropout: float = 0.3,
        conv_filters: IntsOrAuto = "auto",
        conv_kernel_size: int = 5,
        conv_strides: IntsOrAuto = "auto",
        front_end: FrontEnd = None,
        standardize: bool = True,
        center: bool = True,
        pooling: Literal["statistics", "mean", "attention", "last"] = "statistics",
        embedding_dim: int = 64,
        loss: Literal[
            "prototypical", "triplet", "classification", "contrastive", "kl_hinge"
        ] = "prototypical",
        distance: Literal["cosine", "euclidean", "symmetric_kl"] = "cosine",
        margin: float | None = None,
        classes_per_batch: int | Literal["auto"] = "auto",
        samples_per_class: int = 2,
        steps_per_epoch: int | Literal["auto"] = "auto",
        crop: tuple[int, int] | Literal["auto"] | None = "auto",
        preprocess: Steps = None,
        optimizer: Optimizer = "adam",
        learning_rate: LearningRate = 2e-3,
        learning_rate_schedule: RateSchedule = "warmup_cosine",
        global_clipnorm: float | None = 5.0,
        epochs: int = 100,
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
        self.center = center
        self.pooling = pooling
        self.embedding_dim = embedding_dim
        self.loss = loss
        self.distance = distance
        self.margin = margin
        self.classes_per_batch = classes_per_batch
        self.samples_per_class = samples_per_class
        self.steps_per_epoch = steps_per_epoch
        self.crop = crop
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
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None):
        """Train on sequences and their classes, and settle a threshold.

        The threshold is that of equal error rates on all pairs of up to 1,000
        sequences: those held out or given to validate with, or else those trained on,
        which are more alike than others will be. Pass pairs of other classes to
        :meth:`fit_threshold` where rates matter.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            Sequences: a list, tuple or object array of arrays or DataFrames (1-D arrays
            have one feature), an array of shape (n_samples, n_frames, n_features),
            where trailing all-NaN frames are padding, or (n_samples, n_frames), or any
            object with `__len__` and `__getitem__`, read one sequence at a time.
        y : array-like of shape (n_samples,)
            The class of each sequence, for example who speaks: strings, integers, bools
            or floats that are whole numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample in the loss. Samples of weight 0 are left out.
        X_val, y_val : as `X` and `y`, default=None
            Validation set, best of classes that `y` has not. Its equal error rate is
            recorded in `history_["val_loss"]`, and decides when to stop if
            `early_stopping` is set. Of a class with one sequence, the two halves are
            compared.

        Returns
        -------
        self : SiameseSequenceEmbedder
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter, a sequence or a class cannot be used, if there is only one
            class, or if a class has too few sequences; the message names it. Everything
            is checked before training starts, and the estimator stays as it was.
        TrainingDivergedError
            If the loss is not finite.

        Warns
        -----
        ConvergenceWarning
            If all embeddings are alike or tell no classes apart, the loss never fell
            below that of guessing, or it was still falling in the last tenth of the
            epochs.
        UserWarning
            If there are fewer classes than `classes_per_batch` was set to.
        """
        options = {"is_training": True}
        request = FitRequest(
            X, y, sample_weight, X_val, y_val, self.warm_start, options=options
        )
        return self._fit(request)

    def fit_pairs(self, A, B, y, sample_weight=None):
        """Train on pairs of sequences that are alike or not, and settle a threshold.

        Each batch has half as many pairs as :meth:`fit` would have sequences. The loss
        of a pair is "contrastive" or "kl_hinge", as it is over the pairs of a batch in
        :meth:`fit`; "prototypical" stands for the cross-entropy of being alike, whose
        log-odds are a line of the distance that is learnt. Of sequences only those that
        are named as pairs are compared. The threshold is that of equal error rates on
        the pairs held out, if there are any, or else on those trained on.

        Parameters
        ----------
        A, B : collection of array-like of shape (n_frames, n_features)
            The first and the second sequence of each pair, as `X` in :meth:`fit`.
        y : array-like of shape (n_pairs,)
            1 for a pair that is alike, and -1 or 0 for one that is not; or booleans.
            Both must occur.
        sample_weight : array-like of shape (n_pairs,), default=None
            Weight of each pair in the loss. Pairs of weight 0 are left out.

        Returns
        -------
        self : SiameseSequenceEmbedder
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            As :meth:`fit`; if `A`, `B` and `y` differ in length; if `y` has another
            label or only one kind; or if `loss` needs classes, as "triplet" and
            "classification" do.
        TrainingDivergedError
            If the loss is not finite.

        Warns
        -----
        ConvergenceWarning
            As :meth:`fit`.
        """
        options = {"is_training": True}
        request = FitRequest(
            Both(A, B), y, sample_weight, resumes=self.warm_start, options=options
        )
        return self._fit(request)

    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Train for one more epoch, from the present weights and optimizer state.

        Calling it once per epoch of a `fit`, with the same data and an integer
        `random_state`, gives the same weights if `learning_rate_schedule` is
        "constant". The first call takes what "auto" stands for, such as the strides,
        from its own `X` and `y`; every call settles the threshold. No checkpoint is
        read or written.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.
        y : array-like of shape (n_samples,)
            As in :meth:`fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.
        classes : collection of labels, default=None
            With `loss="classification"`, all classes that will ever occur, each once,
            at the first call; without it, those of the first `y`. Later calls refuse
            unseen classes. Other losses take new classes at any time.

        Returns
        -------
        self : SiameseSequenceEmbedder
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            As :meth:`fit`; if a class is not among `classes`; or if a parameter has
            changed that the network depends on.
        """
        options = {"is_training": True, "classes": classes}
        request = FitRequest(
            X, y, sample_weight, resumes=True, is_partial=True, options=options
        )
        return self._fit(request)

    def transform(self, X):
        """Embed each sequence.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, embedding_dim)
            Rows of length one where `distance` is "cosine", rows that sum to one where
            it is "symmetric_kl". In single precision if `X` is an array of it, else in
            double.

        Warns
        -----
        UserWarning
            If `center` leaves nothing of a sequence, as of one frame or of equal ones.
        """
        check_is_fitted(self)
        sequences = self._frames_of(X)
        source = getattr(sequences, "source", None)
        source = getattr(source, "source", source)
        is_single = getattr(source, "dtype", None) == np.float32
        rows = self._embedded(self._unlabelled(sequences))
        return rows.astype(np.float32 if is_single else np.float64)

    def pair_distance(self, A, B):
        """How far the sequences of each pair are apart.

        Parameters
        ----------
        A, B : collection of array-like of shape (n_frames, n_features)
            The first and the second sequence of each pair, as `X` in :meth:`fit`.

        Returns
        -------
        distances : ndarray of shape (n_pairs,)
            In the units of `distance`; 0 for equals.

        Raises
        ------
        ValueError, TypeError
            If a sequence cannot be used, or `A` and `B` differ in length.

        Warns
        -----
        UserWarning
            As :meth:`transform`.
        """
        check_is_fitted(self)
        first, second = self._sides(A, B)
        n_pairs = len(first)
        joined = self._unlabelled(Joined((first, second)))
        rows, pairs = self._embedded(joined, ("A", "B")), np.arange(n_pairs)
        return distances_of(rows, pairs, pairs + n_pairs, self._compared_by)

    def pair_score(self, A, B):
        """How alike the sequences of each pair are: higher is more alike.

        Parameters
        ----------
        A, B : collection of array-like of shape (n_frames, n_features)
            The first and the second sequence of each pair, as `X` in :meth:`fit`.

        Returns
        -------
        scores : ndarray of shape (n_pairs,)
            The cosine of both embeddings, or minus :meth:`pair_distance` where
            `distance` is another.

        Raises
        ------
        ValueError, TypeError
            As :meth:`pair_distance`.

        Warns
        -----
        UserWarning
            As :meth:`transform`.
        """
        return scores_of(self.pair_distance(A, B), self._compared_by)

    def predict_pairs(self, A, B):
        """Tell which pairs are alike: those whose score is not below the threshold.

        Parameters
        ----------
        A, B : collection of array-like of shape (n_frames, n_features)
            The first and the second sequence of each pair, as `X` in :meth:`fit`.

        Returns
        -------
        labels : ndarray of shape (n_pairs,)
            1 for a pair that is alike, and -1 for another; 0 instead of -1 if the last
            `y` of :meth:`fit_pairs` or :meth:`fit_threshold` since :meth:`fit` was
            written so.

        Raises
        ------
        ValueError, TypeError
            As :meth:`pair_distance`, or if `threshold_` is None.
        """
        check_is_fitted(self)
        self._check_threshold()
        scores = self.pair_score(A, B)
        return np.where(scores >= self.threshold_, 1, self._unlike)

    def predict_proba_pairs(self, A, B):
        """Probability that the sequences of each pair are alike.

        The log-odds are a line of :meth:`pair_score`, learnt with the threshold and on
        the same pairs [1]_, as if both kinds were equally frequent.

        Parameters
        ----------
        A, B : collection of array-like of shape (n_frames, n_features)
            The first and the second sequence of each pair, as `X` in :meth:`fit`.

        Returns
        -------
        proba : ndarray of shape (n_pairs, 2)
            Of not being alike, and of being alike; rows sum to one.

        Raises
        ------
        ValueError, TypeError
            As :meth:`predict_pairs`.

        References
        ----------
        .. [1] J. Platt, "Probabilistic Outputs for Support Vector Machines and
               Comparisons to Regularized Likelihood Methods", Advances in Large Margin
               Classifiers, 1999.
        """
        check_is_fitted(self)
        self._check_threshold()
        alike = probability(self.pair_score(A, B), self._calibration)
        return np.column_stack([1 - alike, alike])

    def fit_threshold(self, A, B, y, criterion="eer", value=None):
        """Set the threshold, and what probabilities are made of, by labelled pairs.

        Parameters
        ----------
        A, B : collection of array-like of shape (n_frames, n_features)
            The first and the second sequence of each pair, as `X` in :meth:`fit`; best
            of classes that were not trained on.
        y : array-like of shape (n_pairs,)
            1 for a pair that is alike, and -1 or 0 for one that is not; or booleans.
            Both must occur.
        criterion : {"eer", "accuracy", "f_beta", "max_fpr"}, default="eer"
            What the threshold is best for: shares of false accepts and false rejects
            that are as equal as they can be; the share of pairs that are told right;
            the F-beta measure of pairs that are alike; or the share of pairs that are
            found alike, while at most a share `value` of the others is.
        value : float, default=None
            The beta of "f_beta", where None stands for 1 and a larger one finds more
            pairs alike; or the largest share of false accepts for "max_fpr", in [0, 1).

        Returns
        -------
        self : SiameseSequenceEmbedder
            With another `threshold_`.

        Raises
        ------
        ValueError, TypeError
            As :meth:`pair_distance`; if `y` has another label or only one kind; or if
            `value` is out of range or does not go with `criterion`.
        """
        check_is_fitted(self)
        _check_criterion(criterion, value)
        scores = self.pair_score(A, B)
        is_alike, unlike = pair_flags(y, len(scores))
        check_both_kinds(is_alike)
        threshold = best_threshold(scores, is_alike, criterion, value)
        self.threshold_, self._unlike = threshold, unlike
        self._calibration = calibrated(scores, is_alike)
        return self

    def score(self, X, y, sample_weight=None):
        """One minus the equal error rate over all pairs of sequences.

        It needs about 20 bytes of memory for each of the n (n - 1) / 2 pairs, and about
        70 with weights: 1 GB for 10,000 sequences. Score a part of larger sets.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.
        y : array-like of shape (n_samples,)
            The class of each sequence. They need not be those of `fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample; a pair has the product of both.

        Returns
        -------
        score : float
            1 is perfect, 0.5 what chance reaches.

        Raises
        ------
        ValueError, TypeError
            If a sequence or class cannot be used, or if no two sequences, or all of
            them, are of one class.
        """
        check_is_fitted(self)
        sequences = self._frames_of(X)
        rows = self._embedded(self._unlabelled(sequences))
        ids = self._ids(y, len(rows))
        weights = check_sample_weight(sample_weight, len(rows))
        counts = np.unique(ids[weights > 0], return_counts=True)[1]
        if len(counts) < 2 or counts.max() < 2:
            of = of_positive_weight("those", weights)
            raise ValueError(
                "score compares all pairs of sequences: y must have two sequences of "
                f"one class, and at least two classes{of}. Got "
                f"{counted(len(counts), 'class', 'classes')} of "
                f"{counted(int(counts.sum()), 'sequence')}. Shuffle the folds of a "
                "search if y is sorted: KFold(shuffle=True)."
            )
        scores = all_scores(rows, self._compared_by)
        is_alike = of_all_pairs(ids, np.equal, bool)
        if sample_weight is None:
            return 1.0 - equal_error(is_alike, scores, None).rate
        weights = of_all_pairs(weights, np.multiply, np.float64)
        return 1.0 - equal_error(is_alike, scores, weights).rate

    def export(self, path, format="saved_model"):
        """Write the embedding as a graph that runs where skseq is not installed.

        A SavedModel has the signature `transform`. It takes `frames` (n_samples,
        n_frames, n_features), padded, or `waveforms` (n_samples, n_audio_samples) if
        `preprocess` starts from them, and `lengths`. The output is `embedding`. ONNX
        has the same in `model.onnx`.

        Parameters
        ----------
        path : str or path-like
            Folder to write, which must not be there or be empty. `skseq.json` in it
            holds the distance and the threshold, and describes the graph.
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


def _check_criterion(criterion, value) -> None:
    """Check the arguments that say what a threshold is to be best for."""
    check_value("fit_threshold", "criterion", criterion, OneOf(CRITERIA))
    if criterion == "max_fpr":
        check_value("fit_threshold", "value", value, PROBABILITY)
    elif criterion == "f_beta":
        check_value("fit_threshold", "value", value, (NONE, POSITIVE_REAL))
    elif value is not None:
        raise ValueError(
            f"value={value} has no effect with criterion={criterion!r}. Leave it out, "
            'or set criterion to "f_beta" or "max_fpr".'
        )
