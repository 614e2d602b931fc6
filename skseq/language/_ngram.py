"""The n-gram model: parameters and methods.

How units are counted, smoothed, filed and compiled stands in the modules beside it.
"""

import reprlib
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skseq._parameters import (
    PATH,
    POSITIVE_INT,
    RANDOM_STATE,
    Interval,
    Kind,
    OneOf,
    check_parameters,
    check_value,
)
from skseq._warnings import warn
from skseq.language._arpa import label_of, read_arpa, token_of, write_arpa
from skseq.language._automaton import Automaton
from skseq.language._histories import label_automaton
from skseq.language._learnt import Learnt
from skseq.language._smoothing import SMOOTHINGS, estimate
from skseq.language._spelling import word_automaton
from skseq.language._trie import END, LN_10, MOST_ORDER, N_SPECIAL, START, UNKNOWN, Trie
from skseq.language._units import UnitSequences, assembled, check_units

_CHARACTER = Kind(
    lambda value: isinstance(value, str) and len(value) == 1, "a str of one character"
)
_CONSTRAINTS = {
    "order": Interval(int, 1, MOST_ORDER, closed="both"),
    "unit": OneOf(("label", "word")),
    "smoothing": OneOf(SMOOTHINGS),
    "min_count": POSITIVE_INT,
    "separator": _CHARACTER,
}


class NgramModel(BaseEstimator):
    """Learn which labels or words follow which, and how probable sequences are.

    The probability of each label or word depends on the `order` - 1 before it. Shorter
    contexts help out where longer ones were seen rarely, by interpolated modified
    Kneser-Ney smoothing [1]_ as KenLM estimates it [2]_, or by Witten-Bell smoothing.
    A model can also be read from an ARPA file of other tools.

    Parameters
    ----------
    order : int, default=3
        The longest n-gram, up to 20. Larger values know more of the context but need
        more text: 3 suits words, and 5 or more suits letters.
    unit : {"label", "word"}, default="label"
        What n-grams consist of. "label" takes each label of a sequence, "word" what
        stands between separators.
    smoothing : {"kneser_ney", "witten_bell"}, default="kneser_ney"
        How the probability of what was not seen is found. Kneser-Ney is better where
        there is text enough to estimate its discounts; where n-grams of an order that
        come once, twice or three times are lacking, that order is smoothed by
        Witten-Bell, with a warning unless these are single units: of few letters, as a
        rule, none comes so rarely.
    min_count : int, default=1
        How often an n-gram of two units or more must come to be kept. Larger values
        make a smaller model. Single units are always kept.
    separator : str, default=" "
        The label between words; used where `unit` is "word". Separators beside one
        another, or at an end, are read as if they were not there.

    Attributes
    ----------
    units_ : list
        The labels or words that were seen, in the order in which they came.
    n_ngrams_ : tuple of int
        The number of n-grams of each order, from 1 on; those of one unit include the
        start, the end and what is unknown.

    See Also
    --------
    CTCSequenceClassifier : Reads sequences, and can search with a language model.

    Notes
    -----
    After each history the probabilities of all units that were seen, of the end and of
    what is unknown add up to 1. Each unit that was not seen has the probability of what
    is unknown, however many such units there are.

    References
    ----------
    .. [1] S. F. Chen and J. Goodman, "An empirical study of smoothing techniques for
           language modeling", Computer Speech & Language, 13(4), pp. 359-394, 1999.
    .. [2] K. Heafield, I. Pouzyrevsky, J. H. Clark and P. Koehn, "Scalable modified
           Kneser-Ney language model estimation", ACL, pp. 690-696, 2013.

    Examples
    --------
    >>> from skseq.language import NgramModel
    >>> y = ["the cat sat", "the dog sat", "a cat ran"]
    >>> model = NgramModel(order=2, unit="word", smoothing="witten_bell").fit(y)
    >>> model.score_samples(["the cat ran", "ran the cat"]).round(2)
    array([-3.61, -9.22])
    >>> model.sample(2, random_state=3).tolist()
    ['the dog sat', 'a dog the cat']
    """

    def __init__(
        self,
        order: int = 3,
        unit: Literal["label", "word"] = "label",
        smoothing: Literal["kneser_ney", "witten_bell"] = "kneser_ney",
        min_count: int = 1,
        separator: str = " ",
    ):
        self.order = order
        self.unit = unit
        self.smoothing = smoothing
        self.min_count = min_count
        self.separator = separator

    def fit(self, y):
        """Learn from sequences, and forget what was learnt before.

        Parameters
        ----------
        y : collection of str, list, tuple or 1-D array of labels
            Sequences, in any of the forms that y has for
            :class:`~skseq.CTCSequenceClassifier`.

        Returns
        -------
        self : NgramModel
            The fitted model.

        Raises
        ------
        ValueError, TypeError
            If a parameter or a sequence cannot be used; the message names it.

        Warns
        -----
        UserWarning
            If Kneser-Ney's discounts cannot be estimated for some order.
        """
        y = self._checked(y)
        learnt = Learnt.start(self.order, self.unit, self.separator, y)
        self._learnt = self._estimated(self._with(learnt, y))
        return self

    def partial_fit(self, y):
        """Learn from more sequences.

        Probabilities are made anew when they are next asked for, so that text of any
        length can be learnt from piece by piece.

        Parameters
        ----------
        y : collection of str, list, tuple or 1-D array of labels
            As in :meth:`fit`.

        Returns
        -------
        self : NgramModel
            The fitted model.

        Raises
        ------
        ValueError, TypeError
            If a parameter or a sequence cannot be used, or if `order`, `unit` or
            `separator` has changed, or if the model was read from a file.
        """
        y = self._checked(y)
        if hasattr(self, "_learnt"):
            learnt = self._learnt
            self._check_continues(learnt, y)
        else:
            learnt = Learnt.start(self.order, self.unit, self.separator, y)
        self._learnt = self._with(learnt, y)
        return self

    def score_samples(self, y):
        """Return how probable each sequence is, with its end.

        Parameters
        ----------
        y : collection of str, list, tuple or 1-D array of labels
            As in :meth:`fit`.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples,)
            Natural logarithms. Minus infinity where a model from a file does not know
            a unit and has no probability for what is unknown.

        Raises
        ------
        ValueError, TypeError
            If a sequence cannot be used; the message names it.
        """
        learnt = self._model()
        log_probs, _ = learnt.log_probs(self._units_of(y))
        return LN_10 * log_probs

    def score(self, y):
        """Return minus the perplexity per label or word.

        Parameters
        ----------
        y : collection of str, list, tuple or 1-D array of labels
            As in :meth:`fit`.

        Returns
        -------
        score : float
            Higher is better. The end of a sequence counts as one label or word.

        Raises
        ------
        ValueError, TypeError
            If a sequence cannot be used, or if there is none.
        """
        learnt = self._model()
        log_probs, n_units = learnt.log_probs(self._units_of(y))
        if not len(n_units):
            raise ValueError("y holds no sequences; pass at least one.")
        with np.errstate(over="ignore"):
            return -float(10.0 ** (-log_probs.sum() / n_units.sum()))

    def sample(self, n=1, random_state=None, max_length=1000):
        """Draw sequences by their probabilities.

        Parameters
        ----------
        n : int, default=1
            How many.
        random_state : int, RandomState instance or None, default=None
            An int gives the same sequences at every call.
        max_length : int, default=1000
            The most labels or words of a sequence, which ends there if it has not
            ended before.

        Returns
        -------
        sequences : ndarray of shape (n,), dtype object
            Sequences in the form of the y that was learnt from. What is unknown is
            never drawn.

        Raises
        ------
        ValueError
            If a parameter cannot be used.
        """
        check_value("sample", "n", n, POSITIVE_INT)
        check_value("sample", "random_state", random_state, RANDOM_STATE)
        check_value("sample", "max_length", max_length, POSITIVE_INT)
        learnt, rng = self._model(), check_random_state(random_state)
        drawn = [_draw(learnt.trie, rng, max_length) for _ in range(n)]
        sequences = [[learnt.units[u - N_SPECIAL] for u in units] for units in drawn]
        return assembled(sequences, learnt.unit, learnt.separator, learnt.form)

    def write_arpa(self, path):
        """Write the model as an ARPA file, which KenLM, SRILM and others read.

        Files hold tokens without white space. The label ``" "`` is written as
        ``<space>``, other white space and what would look like a token with a meaning
        of its own by its code, as ``<U+0009>``, and a label that is not a str as its
        text. :meth:`read_arpa` reads all of these again; numbers become text.

        Parameters
        ----------
        path : str or path-like
            Where to write. A name that ends in ".gz" makes it a packed file.

        Raises
        ------
        ValueError
            If `path` is not a path, or a unit is longer than 1,024 bytes.
        """
        check_value("write_arpa", "path", path, PATH)
        learnt = self._model()
        write_arpa(path, list(map(token_of, learnt.units)), learnt.trie)

    @classmethod
    def read_arpa(cls, path, unit="label", separator=" "):
        """Read a model from an ARPA file, packed by gzip or not.

        Parameters
        ----------
        path : str or path-like
            The file.
        unit : {"label", "word"}, default="label"
            What its tokens are: labels, or words that consist of labels.
        separator : str, default=" "
            The label between words.

        Returns
        -------
        model : NgramModel
            A fitted model, which `partial_fit` cannot add to. Its units are str; where
            labels are numbers, their text is looked up.

        Raises
        ------
        ValueError
            If a parameter cannot be used, or if the file is not a whole ARPA file; the
            message names the line.
        OSError
            If the file cannot be opened.
        """
        check_value("read_arpa", "path", path, PATH)
        model = cls(unit=unit, separator=separator)
        check_parameters(model, _CONSTRAINTS)
        tokens, trie = read_arpa(path)
        units = list(map(label_of, tokens))
        if len(set(units)) < len(units):
            raise ValueError(f"{path} writes one label in two ways; write it in one.")
        are_letters = unit == "word" or all(len(label) == 1 for label in units)
        form = "str" if are_letters else "list"
        model.order = trie.order
        model._learnt = Learnt(unit, separator, form, "str", units, None, (), trie)
        return model

    @property
    def units_(self):
        check_is_fitted(self)
        return list(self._learnt.units)

    @property
    def n_ngrams_(self):
        return tuple(map(len, self._model().trie.levels))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_learnt")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags

    def _checked(self, y) -> UnitSequences:
        """Check parameters and y."""
        check_parameters(self, _CONSTRAINTS)
        return check_units(y, self.unit, self.separator, type(self).__name__)

    def _units_of(self, y) -> UnitSequences:
        """Check y, which is taken apart as the one that was learnt from."""
        learnt = self._learnt
        return check_units(y, learnt.unit, learnt.separator, type(self).__name__)

    def _with(self, learnt: Learnt, y: UnitSequences) -> Learnt:
        learnt = learnt.and_also(y)
        if not learnt.units:
            what = "labels" if learnt.unit == "label" else "words"
            raise ValueError(f"y holds no {what}: every sequence is empty.")
        return learnt

    def _check_continues(self, learnt: Learnt, y: UnitSequences) -> None:
        """Refuse more text for a model that was made in another way."""
        if learnt.is_text:
            raise ValueError(
                "A model that was read from a file has no counts to add to. Call fit, "
                "or leave partial_fit out."
            )
        now = (self.order, self.unit, self.separator)
        if now != (learnt.counts.order, learnt.unit, learnt.separator):
            raise ValueError(
                "order, unit and separator cannot change between calls of partial_fit. "
                "Call fit to begin anew."
            )
        learnt.check_kind(y)

    def _model(self) -> Learnt:
        """What was learnt, with its probabilities."""
        check_is_fitted(self)
        learnt = self._learnt
        if learnt.trie is None:
            self._learnt = learnt = self._estimated(learnt)
        return learnt

    def _estimated(self, learnt: Learnt) -> Learnt:
        learnt = learnt.settled()
        trie, undiscounted = estimate(
            learnt.counts, learnt.n_units, self.smoothing, self.min_count
        )
        orders = ", ".join(f"{order}-grams" for order in undiscounted if order > 1)
        if orders:
            warn(
                "Kneser-Ney's discounts follow from how many n-grams come once, twice "
                f"and three times. There are none for {orders}, which are smoothed by "
                "Witten-Bell instead. Learn from more text, or set "
                "smoothing='witten_bell'."
            )
        return replace(learnt, trie=trie)

    def _automaton(self, classes: list) -> Automaton:
        """Compile the model for a search over labels, whose ids are their places.

        Raises
        ------
        ValueError
            If the model knows labels that are not among `classes`, or if words cannot
            be spelled by them.
        """
        learnt = self._model()
        classes = [c.item() if isinstance(c, np.generic) else c for c in classes]
        if learnt.unit == "word":
            _check_letters(classes)
            return word_automaton(learnt.trie, learnt.units, classes, learnt.separator)
        own = set(map(str, classes) if learnt.is_text else classes)
        strange = [label for label in learnt.units if label not in own]
        if strange:
            shown = ", ".join(map(repr, strange[:10]))
            more = f" and {len(strange) - 10} more" if len(strange) > 10 else ""
            raise ValueError(
                f"The language model knows labels that no y had in fit: {shown}{more}. "
                "Take a model of the same alphabet, or learn it from text without "
                "them. A file of words is read by read_arpa(path, unit='word')."
            )
        return label_automaton(learnt.trie, learnt.numbers_of(classes))

    def _get_state(self) -> dict[str, Any]:
        """All that makes the model, as plain values and arrays."""
        return {"params": self.get_params(), "learnt": self._model().state()}

    @classmethod
    def _from_state(cls, state: dict[str, Any]) -> "NgramModel":
        """Make a model of plain values and arrays, trusting nothing."""
        if not isinstance(state, dict) or sorted(state) != ["learnt", "params"]:
            raise ValueError("A language model must have params and what was learnt.")
        params = state["params"]
        if not isinstance(params, dict) or sorted(params) != sorted(_CONSTRAINTS):
            raise ValueError(f"A language model must have {', '.join(_CONSTRAINTS)}.")
        model = cls(**params)
        check_parameters(model, _CONSTRAINTS)
        model._learnt = Learnt.from_state(state["learnt"])
        return model


def _check_letters(classes: list) -> None:
    """Refuse labels that words are not spelled in."""
    for label in classes:
        if not isinstance(label, str) or len(label) != 1:
            raise ValueError(
                "A language model of words needs labels that are single characters. "
                f"Got the label {reprlib.repr(label)}. Use one with unit='label'."
            )


def _draw(trie: Trie, rng: np.random.RandomState, max_length: int) -> list[int]:
    """Draw the units of one sequence."""
    units = [START]
    while len(units) <= max_length:
        logs = trie.distribution(units)
        logs[UNKNOWN] = -np.inf
        weights = np.exp(LN_10 * (logs - logs.max())).cumsum()
        unit = int(np.searchsorted(weights, rng.uniform() * weights[-1], side="right"))
        if unit == END:
            break
        units.append(unit)
    return units[1:]
