"""A regular expression that an output must match."""

from collections.abc import Iterable
from typing import ClassVar

from sklearn.base import BaseEstimator

from skseq._parameters import Kind, check_parameters
from skseq._routing import AnswersForeignNames
from skseq.language._alphabet import Alphabet
from skseq.language._automaton import Automaton
from skseq.language._expressions import Reader
from skseq.language._subsets import MOST_POSITIONS, MOST_STATES, TooLarge, smallest

_MOST_NAMED = 10  # labels in an error


class LabelPattern(AnswersForeignNames, BaseEstimator):
    """A regular expression that the whole output matches.

    The expression becomes the smallest deterministic automaton that accepts the same
    outputs [1]_ [2]_, so that a search can follow any number of alternatives at once.

    Parameters
    ----------
    pattern : str
        The expression, with the meaning that it has for :func:`re.fullmatch`:

        - a character stands for the label that is written so, also for a number such
          as 7; ``.`` stands for any label;
        - ``[01]``, ``[a-f]`` and ``[^xyz]`` are sets; ``\\d``, ``\\w`` and ``\\s`` are
          digits, word characters and white space, and ``\\D``, ``\\W``, ``\\S`` are
          all others;
        - ``( )`` and ``(?: )`` group, and ``|`` separates alternatives;
        - ``?``, ``*``, ``+``, ``{2}``, ``{2,5}``, ``{2,}`` and ``{,5}`` count;
        - ``\\`` takes the special meaning from a character, as in ``\\.``, and writes
          others, as in ``\\n`` and ``\\u00e9``.

        Anything else, such as look-around, backreferences, lazy counts and flags, is
        an error; ``^`` at the very start and ``$`` at the very end may stand there,
        but change nothing.

    See Also
    --------
    Lexicon : Allows the words of a list.

    Notes
    -----
    The expression is read when a reader uses it. Each label of the reader must be
    written as one character. A character that is not a label can never be read; it is
    an error where no output is left that could match, the empty one aside. With its
    counts written out, an expression may name 2,000 labels, and may need 10,000 states.

    References
    ----------
    .. [1] V. M. Glushkov, "The abstract theory of automata", Russian Mathematical
           Surveys 16(5), pp. 1-53, 1961.
    .. [2] J. Hopcroft, "An n log n algorithm for minimizing states in a finite
           automaton", Theory of Machines and Computations, pp. 189-196, 1971.

    Examples
    --------
    Two digits for the day, two for the month and four for the year:

    >>> from skseq.language import LabelPattern
    >>> LabelPattern(r"[0-3]\\d[01]\\d(19|20)\\d{2}")
    LabelPattern(pattern='[0-3]\\\\d[01]\\\\d(19|20)\\\\d{2}')
    """

    _constraints: ClassVar = {
        "pattern": Kind(
            lambda value: isinstance(value, str) and value != "", "a non-empty str"
        )
    }

    def __init__(self, pattern: str):
        self.pattern = pattern

    def _plain(self) -> dict:
        """The parameters as plain values, which the constructor takes."""
        return self.get_params(deep=False)

    def _automaton(self, classes: Iterable) -> Automaton:
        """What a reader with these labels is told."""
        check_parameters(self, self._constraints)
        alphabet = Alphabet(classes)
        _check_labels(alphabet)
        reader = Reader(str(self.pattern), alphabet.characters)
        expression = reader.read()
        try:
            found = smallest(expression, alphabet.n_labels)
        except TooLarge:
            raise ValueError(
                f"The pattern {self.pattern!r:.200} is too large: with its counts "
                f"written out it has more than {MOST_POSITIONS} labels, or it "
                f"needs more than {MOST_STATES} states. Lower its counts, or "
                "write * or + in their place."
            ) from None
        if found is None or (reader.missing and not len(found.labels)):
            raise self._unmet(reader.missing, alphabet)
        return found

    def _unmet(self, missing: list[str], alphabet: Alphabet) -> ValueError:
        """Say which parts of the expression no label matches."""
        parts = ", ".join(map(repr, dict.fromkeys(missing)))
        labels = ", ".join(map(repr, alphabet.classes[:_MOST_NAMED]))
        more = ", ..." if alphabet.n_labels > _MOST_NAMED else ""
        return ValueError(
            f"No output with labels can match the pattern {self.pattern!r:.200}: the "
            f"reader has no label for {parts}. Its labels are {labels}{more}."
        )


def _check_labels(alphabet: Alphabet) -> None:
    """Refuse labels that a pattern has no way to write."""
    for label in alphabet.classes:
        if len(str(label)) != 1:
            raise ValueError(
                "LabelPattern needs labels that are each written as one character. The "
                f"reader has the label {label!r}. Use a Lexicon of lists of labels "
                "instead."
            )
