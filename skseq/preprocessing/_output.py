"""What steps of a pipeline that return sequences answer about their output.

Knows nothing of what a step does with the sequences.
"""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skseq._parameters import NONE, OneOf, check_value
from skseq._routing import AnswersForeignNames

_CONTAINERS = ("default", "pandas", "polars")


class SequenceOutput(AnswersForeignNames):
    """Makes `set_output` and `get_feature_names_out` of a pipeline pass a step.

    To stand before `TransformerMixin`, which would put sequences into one table.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(auto_wrap_output_keys=None, **kwargs)

    def set_output(self, *, transform=None):
        """Accept the container that a pipeline asks for; sequences stay arrays.

        No table holds sequences of different lengths. The method exists so that a
        pipeline can configure the steps that return tables.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            What `set_output` of scikit-learn takes.

        Returns
        -------
        self : object
            The transformer itself.

        Raises
        ------
        ValueError
            If `transform` is none of these.
        """
        check_value("set_output", "transform", transform, (OneOf(_CONTAINERS), NONE))
        return self

    def get_feature_names_out(self, input_features=None):
        """Name the features of the frames that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            The names of the features of `X`. None takes `feature_names_in_`, or else
            "x0", "x1" and so on.

        Returns
        -------
        feature_names_out : ndarray of str, dtype=object

        Raises
        ------
        ValueError
            If the names are not as many as the features, or not those of `fit`.
        sklearn.exceptions.NotFittedError
            If `fit` has not been called.
        """
        return self._names_out(self._names_in(input_features))

    def _names_out(self, names_in: np.ndarray) -> np.ndarray:
        return names_in

    def _names_in(self, input_features: object) -> np.ndarray:
        check_is_fitted(self, "n_features_in_")
        known = getattr(self, "feature_names_in_", None)
        if input_features is None and known is not None:
            return known
        if input_features is None:
            names = [f"x{i}" for i in range(self.n_features_in_)]
            return np.array(names, dtype=object)
        names = np.asarray(input_features, dtype=object)
        if known is not None and not np.array_equal(names, known):
            raise ValueError("input_features is not equal to feature_names_in_.")
        if len(names) != self.n_features_in_:
            raise ValueError(
                "input_features should have length equal to number of features "
                f"({self.n_features_in_}), got {len(names)}."
            )
        return names
