"""Chooses how to decode without training again, and says how sure a prediction is.

`DecodingSearch` is a mixin for estimators with parameters that matter to decoding
alone. It runs the network once and holds what it gave; candidates are copies of the
estimator that decode from it. What is held, and how it is decoded, each task knows.
"""

import copy
import inspect
import math
from abc import abstractmethod
from numbers import Real
from time import perf_counter
from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import check_scoring
from sklearn.model_selection import ParameterGrid
from sklearn.utils.validation import check_is_fitted

from skseq._confidence import calibrated, fit_line, shares
from skseq._data.weights import check_sample_weight
from skseq._files.plain import pack
from skseq._parameters import (
    ABSENT,
    BOOLEAN,
    CALLABLE,
    NONE,
    Kind,
    check_parameters,
    check_value,
    did_you_mean,
)
from skseq.metrics import align_sequences

TEXT = Kind(lambda value: isinstance(value, str), "the name of a scorer")
SCORING = (NONE, CALLABLE, TEXT)


def _is_search(value) -> bool:
    """Whether a value is what a search leaves, as plain values."""
    if not isinstance(value, dict) or value.keys() != {"params", "scores", "seconds"}:
        return False
    params, *numbers = (value[name] for name in ("params", "scores", "seconds"))
    return (
        isinstance(params, list)
        and len(params) > 0
        and all(map(_is_table, params))
        and all(
            isinstance(array, np.ndarray)
            and array.shape == (len(params),)
            and array.dtype == np.float64
            and not np.isnan(array).any()
            for array in numbers
        )
    )


def _is_calibration(value) -> bool:
    """Whether a value is a line and what it was fitted under, as plain values."""
    if not isinstance(value, dict) or value.keys() != {"line", "decoding"}:
        return False
    line, decoding = value["line"], value["decoding"]
    return (
        isinstance(line, tuple)
        and len(line) == 2
        and all(isinstance(v, float) and math.isfinite(v) for v in line)
        and _is_table(decoding)
    )


def _is_table(value) -> bool:
    return isinstance(value, dict) and all(isinstance(name, str) for name in value)


# What `fit_decoding` leaves, in a file too.
FITTED_DECODING = {
    "_decoding_search": (Kind(_is_search, "the results of a search"), ABSENT),
    "_calibration": (Kind(_is_calibration, "a calibration"), ABSENT),
}

# The same, with what no file holds. A fit drops it.
LEFT = (*FITTED_DECODING, "_decoding_params")


class Held(NamedTuple):
    """What a network gave for some X."""

    X: Any
    outputs: Any


class DecodingSearch:
    """Mixin for estimators, some of whose parameters matter to decoding alone.

    A task gives the table of these, `_decoding_constraints`, `_hold`, which runs the
    network, and `_log_odds`. Where `_held_for(X)` is not None, it decodes from that.
    """

    _decoding_constraints: ClassVar[dict] = {}

    # -- what a task gives --------------------------------------------------------

    @abstractmethod
    def _hold(self, X):
        """Run the network on X, for any number of decodings."""

    @abstractmethod
    def _log_odds(self, X) -> np.ndarray:
        """Log-odds of the share of each prediction among the hypotheses found."""

    def _check_candidate(self) -> None:
        """Check the parameters of decoding."""
        check_parameters(self, self._decoding_constraints)

    def _check_searchable(self, names) -> None:
        """Refuse to search parameters that have no effect on this fitted estimator."""

    def _comparable(self, y):
        """True outputs, or predicted ones, as they are compared."""
        return y

    # -- searching ----------------------------------------------------------------

    def fit_decoding(
        self,
        X,
        y,
        param_grid,
        scoring=None,
        calibrate=False,
        sample_weight=None,
    ):
        """Choose how to decode, without training again.

        The network (a translator's encoder) runs once over `X`; then every combination
        is decoded and scored, and the best is set, as `set_params` would. Use sequences
        that `fit` has not seen. In a pipeline, call it on the last step, with `X` as
        the steps before it transform it.

        What the network gives for all of `X` is held in memory meanwhile, in single
        precision: `n_classes + 1` numbers per output frame of a
        :class:`CTCSequenceClassifier`, as many numbers per source token as its encoder
        is wide of a :class:`Seq2SeqTranslator`.

        Parameters
        ----------
        X : collection of sequences
            As in :meth:`fit`.
        y : collection of sequences
            What should be predicted for them, as in :meth:`fit`.
        param_grid : dict of str to list, or list of such dicts
            As for :class:`sklearn.model_selection.ParameterGrid`, over parameters that
            may be changed after :meth:`fit`. ``{}`` stands for the present ones.
        scoring : str, callable or None, default=None
            A scorer's name, or a callable `scorer(estimator, X, y)`, higher being
            better. It is given copies of this estimator, whose predictions for `X`
            itself run no network. None takes :meth:`score`.
        calibrate : bool, default=False
            Whether :meth:`predict_confidence` learns, from `X` and `y` under the best
            parameters, how often it is right. False drops an earlier calibration.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample in the score, which must take it, and in the
            calibration.

        Returns
        -------
        self : estimator
            With the best parameters and `decoding_results_`. Of equally good
            combinations, the first is taken.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError, TypeError
            If the grid names a parameter that training depends on, or holds a value
            that cannot be used, or a score is not a number; the message names it.
            Whatever fails, the estimator stays as it was.
        """
        check_is_fitted(self)
        check_value("fit_decoding", "calibrate", calibrate, BOOLEAN)
        candidates = self._candidates(param_grid)
        scorer = _Scorer(self, scoring, sample_weight)
        holder = copy.copy(self)
        holder._held = Held(X, self._hold(X))
        scores, seconds = [], []
        for params in candidates:
            start = perf_counter()
            scores.append(scorer(holder._with(params), X, y, params))
            seconds.append(perf_counter() - start)
        best = candidates[int(np.argmax(scores))]
        line = holder._with(best)._fit_line(X, y, sample_weight) if calibrate else None
        draft = self._with(best)
        draft._leave_results(candidates, scores, seconds, line)
        self.__dict__ = vars(draft)
        return self

    @property
    def decoding_results_(self) -> dict:
        """What `fit_decoding` found, in the form of scikit-learn's `cv_results_`."""
        check_is_fitted(self)
        if "_decoding_search" not in vars(self):
            raise AttributeError(
                f"This {type(self).__name__} has no decoding_results_: its decoding "
                "was not searched since it was trained. Call fit_decoding first."
            )
        search = self._decoding_search
        scores = search["scores"]
        params = getattr(self, "_decoding_params", search["params"])
        return {
            "params": list(map(dict, params)),
            **_columns(params),
            "mean_score_time": search["seconds"].copy(),
            "mean_test_score": scores.copy(),
            "rank_test_score": rankdata(-scores, method="min").astype(np.int32),
        }

    def _candidates(self, param_grid) -> list[dict]:
        """The combinations of a grid, checked."""
        candidates = list(ParameterGrid(param_grid))
        if not candidates:
            raise ValueError(
                f"param_grid must hold at least one combination. Got {param_grid!r}."
            )
        names = dict.fromkeys(name for params in candidates for name in params)
        for name in names:
            self._refuse_other(name)
        self._check_searchable(names)
        for params in candidates:
            try:
                self._with(params)._check_candidate()
            except (ValueError, TypeError) as error:
                error.add_note(f"This combination of param_grid is {params}.")
                raise
        return candidates

    def _refuse_other(self, name) -> None:
        """Refuse a parameter that training depends on, or that there is not."""
        known = self._decoding_constraints
        if name in known:
            return
        prefix, _, own = str(name).rpartition("__")
        if prefix and own in known:
            hint = (
                f" Name it {own!r} alone, and in a pipeline call fit_decoding on its "
                "last step, with X as the steps before it transform it."
            )
        elif name in self.get_params():
            hint = f" Training depends on {name!r}: search it by GridSearchCV."
        else:
            hint = did_you_mean(str(name), known)
        raise ValueError(
            f"param_grid names {name!r}, but fit_decoding of {type(self).__name__} "
            f"searches {', '.join(map(repr, known))} only.{hint}"
        )

    def _with(self, params: dict):
        """A copy with other parameters of decoding, which are known to be such."""
        draft = copy.copy(self)
        vars(draft).update(params)
        return draft

    def _held_for(self, X):
        """What the network gave for this very X, if that is held."""
        held = vars(self).get("_held")
        return held.outputs if held is not None and held.X is X else None

    def _leave_results(self, candidates, scores, seconds, line) -> None:
        self._forget_decoding()
        self._decoding_params = candidates
        self._decoding_search = {
            "params": list(map(_plain, candidates)),
            "scores": np.array(scores, dtype=np.float64),
            "seconds": np.array(seconds, dtype=np.float64),
        }
        if line is not None:
            decoding = self._present_decoding(self._decoding_contents())
            self._calibration = {"line": line, "decoding": decoding}

    def _forget_decoding(self) -> None:
        for name in LEFT:
            vars(self).pop(name, None)

    def _conclude(self, training, validation):
        super()._conclude(training, validation)
        self._forget_decoding()

    # -- confidence ---------------------------------------------------------------

    def predict_confidence(self, X):
        """Say how sure each prediction is.

        The share of the prediction among the hypotheses that a beam search finds for
        its sequence, by their scores: at least five, or `beam_width` of them. With one
        label per sample, the probability of that label. What the network is sure of
        need not be right; after ``fit_decoding(X, y, param_grid, calibrate=True)`` the
        confidence is the probability that a prediction is right in full, by Platt's
        method [1]_ from the log-odds of the share.

        Parameters
        ----------
        X : collection of sequences
            As in :meth:`predict`.

        Returns
        -------
        confidence : ndarray of shape (n_samples,)
            In [0, 1], the higher the surer.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If parameters of decoding were changed after a calibration.

        See Also
        --------
        skseq.inspection.RiskCoverageDisplay : Shows what it is worth.

        References
        ----------
        .. [1] J. C. Platt, "Probabilistic Outputs for Support Vector Machines and
               Comparisons to Regularized Likelihood Methods", Advances in Large Margin
               Classifiers, MIT Press, 1999.
        """
        check_is_fitted(self)
        self._check_candidate()
        calibration = vars(self).get("_calibration")
        if calibration is None:
            return shares(self._log_odds(X))
        self._check_calibrated(calibration["decoding"])
        return calibrated(self._log_odds(X), *calibration["line"])

    def _fit_line(self, X, y, sample_weight) -> tuple[float, float]:
        """Fit the calibration to predictions."""
        odds = self._log_odds(X)
        found, true = self._comparable(self.predict(X)), self._comparable(y)
        is_right = align_sequences(true, found).sample_errors == 0
        return fit_line(odds, is_right, check_sample_weight(sample_weight, len(odds)))

    def _decoding_contents(self) -> dict[str, str]:
        """What parameters that are no plain values hold, in words of any process."""
        return {}

    def _present_decoding(self, contents: dict[str, str]) -> dict:
        values = {name: getattr(self, name) for name in self._decoding_constraints}
        return _plain({**values, **contents})

    def _check_calibrated(self, then: dict) -> None:
        """Refuse a calibration of what is decoded otherwise now."""
        contents = self._decoding_contents()
        now = self._present_decoding(contents)
        changes = [
            f"{name} was another"
            if name in contents
            else f"{name} was {then[name]!r} and is {now[name]!r}"
            for name in then
            if name in now and not _are_same(now[name], then[name])
        ]
        if changes:
            raise ValueError(
                f"Confidence was calibrated under other parameters: "
                f"{'; '.join(changes)}. Set them back, or calibrate anew by "
                "fit_decoding(X, y, {}, calibrate=True)."
            )


class _Scorer:
    """Scores a candidate, and sees to it that the score is a number."""

    def __init__(self, estimator, scoring, sample_weight):
        check_value("fit_decoding", "scoring", scoring, SCORING)
        module = getattr(scoring, "__module__", None) or ""
        if inspect.isfunction(scoring) and module.startswith("skseq.metrics"):
            raise ValueError(
                f"scoring={scoring.__name__} is a measure of y_true and y_pred, not a "
                f"scorer. Pass skseq.metrics.{scoring.__name__}_scorer, or what "
                "sklearn.metrics.make_scorer makes of it."
            )
        self._scorer = check_scoring(estimator, scoring=scoring)
        self._weights = {}
        if sample_weight is not None:
            self._weights["sample_weight"] = sample_weight

    def __call__(self, estimator, X, y, params) -> float:
        try:
            score = self._scorer(estimator, X, y, **self._weights)
        except TypeError as error:
            if self._weights and "'sample_weight'" in str(error):
                raise TypeError(
                    "sample_weight was given, but the score of scoring does not take "
                    "it. Leave sample_weight out, or pass another scoring."
                ) from error
            raise
        if not isinstance(score, Real) or math.isnan(score):
            raise ValueError(
                f"scoring must give one number per combination. Got {score!r} for "
                f"{params}."
            )
        return float(score)


def _columns(candidates) -> dict[str, np.ma.MaskedArray]:
    """The values of each parameter, masked where a candidate has none."""
    names = sorted({name for params in candidates for name in params})
    columns = {}
    for name in names:
        column = np.ma.masked_all(len(candidates), dtype=object)
        for i, params in enumerate(candidates):
            if name in params:
                column[i] = params[name]
        columns[f"param_{name}"] = column
    return columns


def _are_same(value, other) -> bool:
    try:
        return bool(value == other)
    except ValueError:  # arrays
        return np.array_equal(value, other)


def _plain(params: dict) -> dict:
    """Parameters as a file can hold them: what is not plain by what it is called."""
    plain = {}
    for name, value in params.items():
        try:
            pack(value, name)
        except (TypeError, ValueError):
            value = repr(value)
        plain[name] = value
    return plain
