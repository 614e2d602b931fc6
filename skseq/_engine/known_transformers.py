"""The transformers of scikit-learn whose state is arrays and numbers: one table.

Each line says what the parameters of a class may be, and what it learns. Knows neither
files nor how the values are kept.
"""

from dataclasses import dataclass, field
from importlib import import_module

import numpy as np

from skseq._data.sequences import FITTED_X
from skseq._parameters import (
    ABSENT,
    BOOLEAN,
    NON_NEGATIVE_INT,
    NON_NEGATIVE_REAL,
    NONE,
    POSITIVE_INT,
    Constraint,
    Interval,
    Kind,
    OneOf,
    TupleOf,
)
from skseq._wording import counted

MAX_DEGREE = 64  # of polynomials


@dataclass(frozen=True)
class Array(Constraint):
    """An array of numbers.

    Parameters
    ----------
    axes : str
        A letter for each axis. "f" is the number of features; what another letter
        stands for is given by the first array that has it.
    kinds : str, default="f"
        The kinds of its dtype.
    is_positive : bool, default=False
        Whether its numbers must be above zero, and finite.
    """

    axes: str
    kinds: str = "f"
    is_positive: bool = False

    def accepts(self, value) -> bool:
        return (
            isinstance(value, np.ndarray)
            and value.ndim == len(self.axes)
            and value.dtype.kind in self.kinds
            and not (self.is_positive and not (np.isfinite(value) & (value > 0)).all())
        )

    def fits(self, shape: tuple[int, ...], sizes: dict[str, int]) -> bool:
        """Whether axes of the same letter are of one length; notes new ones."""
        pairs = zip(self.axes, shape, strict=True)
        return all(sizes.setdefault(axis, length) == length for axis, length in pairs)

    def __str__(self):
        above = " above zero" if self.is_positive else ""
        return f"an array of numbers{above} with {counted(len(self.axes), 'axis')}"


NUMBER = Kind(
    lambda v: isinstance(v, (float, int, np.number)) and not isinstance(v, bool),
    "a number",
)
SEED = Interval(int, 0, 2**32 - 1, closed="both"), NONE
ITERATIONS = Interval(int, 0, 10**6, closed="both")
NORMALIZERS = OneOf(["auto", "QR", "LU", "none"])
FRACTIONS = Interval(float, 0, 1, closed="neither")
ROW, MAYBE_ROW = Array("f"), (Array("f"), NONE)
SCALE = Array("f", is_positive=True)
MAYBE_SCALE = SCALE, NONE

SEEN = NUMBER, Array("f", "if")
RANGE = Kind(
    lambda v: TupleOf(Interval(float, None, None)).accepts(v) and len(v) == 2,
    "two numbers",
)
_CONTAINER = OneOf(["default", "pandas", "polars"])
EMPTY = Kind(lambda v: v is None or v == {}, "None or empty")
OUTPUT = Kind(
    lambda v: (
        isinstance(v, dict) and set(v.values()) <= {"default", "pandas", "polars"}
    ),
    "what set_output keeps",
)

# What scikit-learn keeps on every transformer.
COMMON = {
    "n_features_in_": POSITIVE_INT,
    "feature_names_in_": FITTED_X["feature_names_in_"],
    "_sklearn_output_config": (OUTPUT, ABSENT),
}


@dataclass(frozen=True)
class Line:
    """What there is to keep of one class.

    Attributes
    ----------
    module : str
        Where scikit-learn offers it.
    parameters, fitted : dict
        What each may be, by its name.
    needs : dict of str to str
        Attributes that must not be None where a parameter is true.
    follows : bool
        Whether all that is learnt follows from the parameters and the width.
    """

    module: str
    parameters: dict
    fitted: dict = field(default_factory=dict)
    needs: dict = field(default_factory=dict)
    follows: bool = False

    def class_of(self, name: str) -> type:
        return getattr(import_module(self.module), name)


_PARTS = {
    "components_": Array("kf"),
    "explained_variance_": Array("k"),
    "explained_variance_ratio_": Array("k"),
    "singular_values_": Array("k"),
}
_RANDOMIZED = {
    "n_oversamples": POSITIVE_INT,
    "power_iteration_normalizer": NORMALIZERS,
    "random_state": SEED,
    "tol": NON_NEGATIVE_REAL,
}

TRANSFORMERS = {
    "Binarizer": Line("sklearn.preprocessing", {"copy": BOOLEAN, "threshold": NUMBER}),
    "FunctionTransformer": Line(
        "sklearn.preprocessing",
        {
            **dict.fromkeys(("func", "inverse_func"), NONE),
            **dict.fromkeys(("kw_args", "inv_kw_args"), EMPTY),
            **dict.fromkeys(("accept_sparse", "check_inverse", "validate"), BOOLEAN),
            "feature_names_out": (NONE, OneOf(["one-to-one"])),
        },
        {"n_features_in_": (POSITIVE_INT, ABSENT)},
    ),
    "IncrementalPCA": Line(
        "sklearn.decomposition",
        {
            "n_components": (POSITIVE_INT, NONE),
            "batch_size": (POSITIVE_INT, NONE),
            **dict.fromkeys(("copy", "whiten"), BOOLEAN),
        },
        {
            **_PARTS,
            "mean_": ROW,
            "var_": ROW,
            "noise_variance_": NUMBER,
            "n_samples_seen_": NUMBER,
            "n_components_": POSITIVE_INT,
            "batch_size_": (POSITIVE_INT, ABSENT),
        },
    ),
    "MaxAbsScaler": Line(
        "sklearn.preprocessing",
        dict.fromkeys(("clip", "copy"), BOOLEAN),
        {"max_abs_": ROW, "scale_": SCALE, "n_samples_seen_": NUMBER},
    ),
    "MinMaxScaler": Line(
        "sklearn.preprocessing",
        {"feature_range": RANGE, **dict.fromkeys(("clip", "copy"), BOOLEAN)},
        {
            **dict.fromkeys(("min_", "data_min_", "data_max_", "data_range_"), ROW),
            "scale_": SCALE,
            "n_samples_seen_": NUMBER,
        },
    ),
    "Normalizer": Line(
        "sklearn.preprocessing", {"copy": BOOLEAN, "norm": OneOf(["l1", "l2", "max"])}
    ),
    "PCA": Line(
        "sklearn.decomposition",
        {
            **_RANDOMIZED,
            "n_components": (POSITIVE_INT, FRACTIONS, OneOf(["mle"]), NONE),
            "iterated_power": (NON_NEGATIVE_INT, OneOf(["auto"])),
            "svd_solver": OneOf(
                ["auto", "full", "covariance_eigh", "arpack", "randomized"]
            ),
            **dict.fromkeys(("copy", "whiten"), BOOLEAN),
        },
        {
            **_PARTS,
            "mean_": ROW,
            "noise_variance_": NUMBER,
            "n_samples_": POSITIVE_INT,
            "n_components_": POSITIVE_INT,
            "_fit_svd_solver": (Kind(lambda v: isinstance(v, str), "a str"), ABSENT),
        },
    ),
    "PolynomialFeatures": Line(
        "sklearn.preprocessing",
        {
            "degree": (
                Interval(int, 0, MAX_DEGREE, closed="both"),
                TupleOf(Interval(int, 0, MAX_DEGREE, closed="both")),
            ),
            "order": OneOf(["C", "F"]),
            **dict.fromkeys(("include_bias", "interaction_only"), BOOLEAN),
        },
        follows=True,
    ),
    "PowerTransformer": Line(
        "sklearn.preprocessing",
        {
            "method": OneOf(["yeo-johnson", "box-cox"]),
            **dict.fromkeys(("copy", "standardize"), BOOLEAN),
        },
        {
            "lambdas_": ROW,
            "_scaler": (
                Kind(lambda v: type(v).__name__ == "StandardScaler", "a scaler"),
                ABSENT,
            ),
        },
        needs={"standardize": "_scaler"},
    ),
    "QuantileTransformer": Line(
        "sklearn.preprocessing",
        {
            "n_quantiles": POSITIVE_INT,
            "subsample": (POSITIVE_INT, NONE),
            "random_state": SEED,
            "output_distribution": OneOf(["uniform", "normal"]),
            **dict.fromkeys(("copy", "ignore_implicit_zeros"), BOOLEAN),
        },
        {
            "n_quantiles_": POSITIVE_INT,
            "references_": Array("q"),
            "quantiles_": Array("qf"),
        },
    ),
    "RobustScaler": Line(
        "sklearn.preprocessing",
        {
            "quantile_range": RANGE,
            **dict.fromkeys(
                ("copy", "unit_variance", "with_centering", "with_scaling"), BOOLEAN
            ),
        },
        {"center_": MAYBE_ROW, "scale_": MAYBE_SCALE},
        needs={"with_centering": "center_", "with_scaling": "scale_"},
    ),
    "StandardScaler": Line(
        "sklearn.preprocessing",
        dict.fromkeys(("copy", "with_mean", "with_std"), BOOLEAN),
        {
            "mean_": MAYBE_ROW,
            "var_": MAYBE_ROW,
            "scale_": MAYBE_SCALE,
            "n_samples_seen_": SEEN,
        },
        needs={"with_mean": "mean_", "with_std": "scale_"},
    ),
    "TruncatedSVD": Line(
        "sklearn.decomposition",
        {
            **_RANDOMIZED,
            "n_components": POSITIVE_INT,
            "n_iter": ITERATIONS,
            "algorithm": OneOf(["arpack", "randomized"]),
        },
        _PARTS,
    ),
    "VarianceThreshold": Line(
        "sklearn.feature_selection",
        {"threshold": NON_NEGATIVE_REAL},
        {"variances_": ROW},
    ),
}
