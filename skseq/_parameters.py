"""What a constructor parameter may be, and the sentence that says so.

A constraint answers two questions: whether it accepts a value, and how to say what it
accepts (`str`). A table of them by parameter name is an estimator's whole check. The
table of synonyms says what values are called elsewhere. Knows no estimator.
"""

import difflib
import os
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral, Real

import numpy as np

# What values are called in Keras, scikit-learn, PyTorch and papers, by our name.
SYNONYMS_OF_VALUES = {
    "lstm": ("rnn", "bilstm", "blstm"),
    "gru": ("bigru",),
    "dot": ("luong", "multiplicative", "general", "scaled_dot", "scaled_dot_product"),
    "additive": ("bahdanau", "concat", "mlp"),
    "mse": ("mean_squared_error", "meansquarederror", "squared_error", "l2"),
    "mae": ("mean_absolute_error", "meanabsoluteerror", "absolute_error", "l1"),
    "squared_error": ("mse", "mean_squared_error", "meansquarederror", "l2"),
    "absolute_error": ("mae", "mean_absolute_error", "meanabsoluteerror", "l1"),
    "huber": ("smooth_l1", "huber_loss"),
    "quantile": ("pinball", "pinball_loss", "quantile_loss"),
    "greedy": ("argmax", "best_path"),
    "beam": ("beam_search",),
    "char": ("character", "characters", "letter"),
    "word": ("whitespace", "split"),
    "output": ("conditional", "autoregressive", "feedback"),
    "code": ("repeat", "repeat_vector"),
    "BIO": ("iob", "iob2", "bio2"),
    "IOBES": ("bioes", "bieos", "iobse", "bmes"),
}

_NUMBERS = {int: (Integral, "int"), float: (Real, "float")}
_NO_NUMBERS = (bool, np.timedelta64)  # though they are integers by their class


class Constraint(ABC):
    """What every constraint can do, beside naming itself by `str`."""

    @abstractmethod
    def accepts(self, value) -> bool:
        """Say whether `value` may be passed."""

    def hint(self, name: str, value) -> str:
        """Return a further sentence on a refused `value`, or an empty string."""
        return ""


@dataclass(frozen=True)
class Interval(Constraint):
    """Integers or real numbers between two bounds.

    A boolean is not a number here and NaN lies in no interval. An interval of floats
    takes integers too; both take the scalars of NumPy.

    Parameters
    ----------
    kind : {int, float}
        Whether fractions are allowed.
    low, high : int, float or None
        The bounds; None means infinity.
    closed : {"left", "right", "both", "neither"}, default="left"
        Which bounds belong to the interval. With ``high=None`` this says whether
        infinity itself is accepted.
    """

    kind: type
    low: float | None
    high: float | None
    closed: str = "left"

    def accepts(self, value):
        number, _ = _NUMBERS[self.kind]
        if not isinstance(value, number) or isinstance(value, _NO_NUMBERS):
            return False
        if isinstance(value, np.floating):
            value = float(value)  # a bound may overflow in half precision
        if self.kind is float and not _fits_float(value):
            return False
        low, high = self._bounds
        above = value >= low if self.closed in ("left", "both") else value > low
        below = value <= high if self.closed in ("right", "both") else value < high
        return bool(above and below)

    def range(self) -> str:
        """Return the interval as it is written, for example ``"[1, inf)"``."""
        low, high = self._bounds
        left = "[" if self.closed in ("left", "both") else "("
        right = "]" if self.closed in ("right", "both") else ")"
        return f"{left}{low}, {high}{right}"

    def __str__(self):
        _, noun = _NUMBERS[self.kind]
        article = "an" if self.kind is int else "a"
        return f"{article} {noun} in the range {self.range()}"

    @cached_property
    def _bounds(self) -> tuple[float, float]:
        low = -np.inf if self.low is None else self.kind(self.low)
        high = np.inf if self.high is None else self.kind(self.high)
        return low, high


def _fits_float(value: Real) -> bool:
    try:
        float(value)
    except OverflowError:
        return False
    return True


@dataclass(frozen=True)
class TupleOf(Constraint):
    """A tuple or list, each entry of which lies in one interval.

    Parameters
    ----------
    entry : Interval
        What each entry may be.
    min_length : int, default=1
        The least number of entries.
    """

    entry: Interval
    min_length: int = 1

    def accepts(self, value):
        return (
            isinstance(value, (tuple, list))
            and len(value) >= self.min_length
            and all(map(self.entry.accepts, value))
        )

    def hint(self, name, value):
        if not isinstance(value, (tuple, list)):
            return ""
        if len(value) < self.min_length:
            return f"{name} has {len(value)} entries."
        bad = next(i for i, item in enumerate(value) if not self.entry.accepts(item))
        return f"{name}[{bad}] is {_shown(value[bad])}."

    def __str__(self):
        _, noun = _NUMBERS[self.entry.kind]
        nonempty = "" if self.min_length == 0 else "non-empty "
        return f"a {nonempty}tuple or list of {noun}s in the range {self.entry.range()}"


class OneOf(Constraint):
    """One of some names.

    Parameters
    ----------
    names : iterable of str
        The names, in the order in which errors list them. A dict from names to
        functions serves as it is; a set is sorted.
    """

    def __init__(self, names: Iterable[str]):
        unordered = isinstance(names, (set, frozenset))
        self.names = tuple(sorted(names) if unordered else names)

    def accepts(self, value):
        return isinstance(value, str) and value in self.names

    def hint(self, name, value):
        if value is True:
            return f"Did you mean {self.names[0]!r}?"
        if not isinstance(value, str):
            return ""
        theirs = SYNONYMS_OF_VALUES.items()
        ours = [own for own, names in theirs if value.lower() in names]
        meant = next((own for own in ours if own in self.names), value)
        return did_you_mean(meant, self.names).strip()

    def __str__(self):
        return f"a str among {{{', '.join(map(repr, self.names))}}}"


@dataclass(frozen=True)
class Kind(Constraint):
    """Any value that a function recognizes.

    Parameters
    ----------
    test : callable
        From a value to whether it is one.
    text : str
        What such a value is called, with its article: ``"a callable"``.
    """

    test: Callable[[object], bool]
    text: str

    def accepts(self, value):
        return bool(self.test(value))

    def __str__(self):
        return self.text


def instance_of(kind: type) -> Kind:
    """Return the constraint that a value is an instance of a class."""
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    text = f"an instance of '{module}{kind.__qualname__}'"
    return Kind(lambda value: isinstance(value, kind), text)


def _is_path(value) -> bool:
    """Whether the system could have a file of that name."""
    if not isinstance(value, str) and not hasattr(value, "__fspath__"):
        return False
    try:
        encoded = os.fsencode(value)
    except (TypeError, UnicodeEncodeError):
        return False
    return bool(encoded) and b"\0" not in encoded


MISSING = object()  # stands for an attribute that an object does not have
ABSENT = Kind(lambda value: value is MISSING, "absent")
NONE = Kind(lambda value: value is None, "None")
BOOLEAN = Kind(lambda value: isinstance(value, (bool, np.bool)), "a bool")
CALLABLE = Kind(callable, "a callable")
PATH = Kind(_is_path, "a path")

POSITIVE_INT = Interval(int, 1, None)
NON_NEGATIVE_INT = Interval(int, 0, None)
POSITIVE_REAL = Interval(float, 0, None, closed="neither")
NON_NEGATIVE_REAL = Interval(float, 0, None)

# Of what is added to log-probabilities, in nats: none of a sequence is far beyond.
MOST_WEIGHT = 1e6
WEIGHT = Interval(float, -MOST_WEIGHT, MOST_WEIGHT, closed="both")

FRACTION = Interval(float, 0, 1, closed="neither")
PROBABILITY = Interval(float, 0, 1)
UNIT_INTERVAL = Interval(float, 0, 1, closed="both")

POSITIVE_INTS = (POSITIVE_INT, TupleOf(POSITIVE_INT))
RANDOM_STATE = (
    Interval(int, 0, 2**32 - 1, closed="both"),
    instance_of(np.random.RandomState),
    NONE,
)
VERBOSE = (NON_NEGATIVE_INT, BOOLEAN)


def check_parameters(estimator, constraints):
    """Check the parameters of an estimator, at the start of its fit.

    Parameters
    ----------
    estimator : object
        What has the parameters as attributes.
    constraints : dict of str to Constraint or tuple of Constraint
        For each parameter to check, what it may be; with a tuple, any of these.

    Raises
    ------
    ValueError
        At the first parameter, in the order of `constraints`, that is none of what
        it may be.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from skseq._parameters import POSITIVE_INT, check_parameters
    >>> check_parameters(SimpleNamespace(epochs=0), {"epochs": POSITIVE_INT})
    Traceback (most recent call last):
        ...
    ValueError: The 'epochs' parameter of SimpleNamespace must be an int in the \
range [1, inf). Got 0 instead.
    """
    for name, allowed in constraints.items():
        check_value(type(estimator).__name__, name, getattr(estimator, name), allowed)


def check_value(owner: str, name: str, value, allowed) -> None:
    """Check one parameter, by its own name and that of what has it."""
    if accepts(value, allowed):
        return
    hints = [option.hint(name, value) for option in options_of(allowed)]
    sentence = f"The {name!r} parameter of {owner} must be {listed(allowed)}."
    got = f"Got {_shown(value)} instead."
    raise ValueError(" ".join([sentence, got, *filter(None, hints)]))


def accepts(value, allowed) -> bool:
    """Whether a value is what one constraint, or any of a tuple, accepts."""
    if not isinstance(allowed, tuple):
        return allowed.accepts(value)
    return any(option.accepts(value) for option in allowed)


def listed(allowed) -> str:
    """What is allowed, as the end of a sentence: "None, an int ... or a callable"."""
    *others, last = map(str, options_of(allowed))
    return f"{', '.join(others)} or {last}" if others else last


def options_of(allowed) -> tuple:
    """The constraints of which a value must meet one."""
    return allowed if isinstance(allowed, tuple) else (allowed,)


def _shown(value) -> str:
    """Return the repr of a value, shortened if it is long."""
    text = repr(value)
    return text if len(text) <= 200 else reprlib.repr(value)


def as_tuple(value, length=None) -> tuple[int, ...]:
    """An int as a tuple, repeated to a length; a list or tuple of ints as a tuple."""
    if isinstance(value, Integral):
        value = (value,) * (1 if length is None else length)
    return tuple(int(item) for item in value)


def did_you_mean(name: str, names) -> str:
    """A sentence with the nearest of the names, or nothing.

    Upper case does not matter, and letters that have changed places matter least.
    """
    lowered = {other.lower(): other for other in names}
    near = difflib.get_close_matches(name.lower(), lowered, cutoff=0.75)
    near.sort(key=lambda other: sorted(other) != sorted(name.lower()))
    return f" Did you mean {lowered[near[0]]!r}?" if near else ""
