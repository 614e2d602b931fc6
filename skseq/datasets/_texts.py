"""Generates pairs of texts or token sequences whose answer is obvious.

Knows nothing of files.
"""

from datetime import date
from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state, check_scalar, shuffle
from sklearn.utils.random import sample_without_replacement

from skseq._parameters import OneOf, check_value

# The names stand here, since those of the calendar module follow the locale.
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
WEEKDAYS = (
    *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
)

# What a date may look like. The month is a word, or stands between year and day.
_DATE_FORMS = (
    "{day} {month} {year}",
    "{day} {month:.3} {year}",
    "{day:02} {month:.3} {year}",
    "{month} {day}, {year}",
    "{month:.3} {day}, {year}",
    "{nth} {month} {year}",
    "{nth} of {month} {year}",
    "{month} {nth}, {year}",
    "the {nth} of {month}, {year}",
    "{weekday}, {day} {month} {year}",
    "{weekday}, {month} {day}, {year}",
    "{weekday:.3}, {day:02} {month:.3} {year}",
    "{weekday} the {nth} of {month} {year}",
    "{year} {month} {day}",
    "{year}/{number:02}/{day:02}",
)
_CASES = (str, str.lower, str.upper)

_BELOW_TWENTY = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
    *("seventeen", "eighteen", "nineteen"),
)
_TENS = (
    *("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),
)
_SCALES = (
    (1_000_000_000, "billion"),
    (1_000_000, "million"),
    (1_000, "thousand"),
    (100, "hundred"),
)
_LARGEST = 999_999_999_999

_TASKS = {"copy": list, "reverse": lambda tokens: tokens[::-1], "sort": sorted}


def make_dates(n_samples=1000, *, random_state=None):
    """Generate dates in several English forms, and the same dates in ISO 8601.

    A small translation task, character by character, for a model with attention: month
    names are looked up, ordinals lose their endings, weekdays are dropped, and the rest
    is put in order.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of dates.
    random_state : int, RandomState instance or None, default=None
        Draws days, forms and cases. Pass an int for the same dates in each call.

    Returns
    -------
    X : list of n_samples str
        The dates as people write them, each in one of these forms:

        - "3 May 1979", "3 Aug 1979", "03 Aug 1979", "May 3, 1979", "Aug 3, 1979"
        - "3rd May 1979", "3rd of May 1979", "May 3rd, 1979", "the 3rd of May, 1979"
        - "Thursday, 3 May 1979", "Thursday, May 3, 1979", "Fri, 03 Aug 1979",
          "Thursday the 3rd of May 1979"
        - "1979 May 3", "1979/05/03"

        each as shown, in lower case or in upper case. None is ambiguous: a month
        in digits always stands between year and day.
    y : list of n_samples str
        The dates as "1979-05-03".

    Raises
    ------
    TypeError, ValueError
        If `n_samples` is not a positive int.

    Notes
    -----
    Every day from 1900-01-01 to 2099-12-31, every form and every case is equally
    likely, and drawn with replacement.

    Examples
    --------
    >>> from skseq.datasets import make_dates
    >>> X, y = make_dates(3, random_state=0)
    >>> for text, day in zip(X, y):
    ...     print(text, "->", day)
    29 november 2086 -> 2086-11-29
    april 14, 2019 -> 2019-04-14
    FRI, 02 SEP 2016 -> 2016-09-02
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    rng = check_random_state(random_state)
    first, last = date(1900, 1, 1).toordinal(), date(2099, 12, 31).toordinal()
    ordinals = rng.randint(first, last + 1, size=n_samples)
    days = [date.fromordinal(ordinal) for ordinal in ordinals.tolist()]
    forms = rng.randint(len(_DATE_FORMS), size=n_samples)
    cases = rng.randint(len(_CASES), size=n_samples)
    X = [
        _CASES[case](_write_date(day, _DATE_FORMS[form]))
        for day, form, case in zip(days, forms, cases, strict=True)
    ]
    return X, [day.isoformat() for day in days]


def make_number_words(n_samples=1000, *, max_value=999_999, random_state=None):
    """Generate whole numbers in digits, and the same numbers in English words.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of numbers.
    max_value : int, default=999_999
        The largest number, below 10 ** 12. Larger values make texts longer.
    random_state : int, RandomState instance or None, default=None
        Draws the numbers and their order. Pass an int for the same numbers in each
        call.

    Returns
    -------
    X : list of n_samples str
        The numbers in digits, as "40312", without leading zeros or separators.
    y : list of n_samples str
        The numbers in words, as "forty thousand three hundred twelve": American style
        without "and", and without hyphens, so that 30 words do for all numbers below a
        million.

    Raises
    ------
    TypeError, ValueError
        If `n_samples` is not a positive int, or `max_value` not an int from 0 to
        10 ** 12 - 1.

    Notes
    -----
    Numbers from 0 to `max_value` are drawn without replacement, all equally likely, so
    nine in ten have the most digits. If `n_samples` exceeds their number, each occurs
    equally often, or once more.

    Examples
    --------
    >>> from skseq.datasets import make_number_words
    >>> make_number_words(2, max_value=999, random_state=0)
    (['684', '559'], ['six hundred eighty four', 'five hundred fifty nine'])
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(max_value, "max_value", Integral, min_val=0, max_val=_LARGEST)
    rng = check_random_state(random_state)
    n_rounds, n_rest = divmod(n_samples, max_value + 1)
    rest = sample_without_replacement(max_value + 1, n_rest, random_state=rng)
    rounds = np.tile(np.arange(max_value + 1 if n_rounds else 0), n_rounds)
    numbers = shuffle(np.concatenate([rounds, rest]), random_state=rng).tolist()
    return [str(number) for number in numbers], [_spell(number) for number in numbers]


def make_symbol_sequences(
    n_samples=1000,
    *,
    task="copy",
    n_symbols=10,
    min_length=1,
    max_length=20,
    random_state=None,
):
    """Generate sequences of symbols to copy, to reverse or to sort.

    These are three classic checks of a sequence-to-sequence model, which has to
    remember every symbol and, except for sorting, its place.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of sequences.
    task : {"copy", "reverse", "sort"}, default="copy"
        The target of a sequence: the same sequence, its symbols from last to first, or
        its symbols in order.
    n_symbols : int, default=10
        Number of symbols, all equally likely: "0" to "9" for 10, "00" to "11" for 12.
        More symbols are harder to tell apart. As strings they have the order of the
        numbers.
    min_length : int, default=1
        Fewest symbols in a sequence.
    max_length : int, default=20
        Most symbols in a sequence; every number between is equally likely. Longer
        sequences are harder to remember.
    random_state : int, RandomState instance or None, default=None
        Draws lengths and symbols. Pass an int for the same sequences in each call.

    Returns
    -------
    X : list of n_samples lists of str
        The sequences, drawn with replacement, so short ones recur.
    y : list of n_samples lists of str
        The target of each.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of range or `task` is unknown.

    Examples
    --------
    >>> from skseq.datasets import make_symbol_sequences
    >>> X, y = make_symbol_sequences(1, task="sort", max_length=6, random_state=0)
    >>> X[0], y[0]
    (['5', '0', '3', '3', '7'], ['0', '3', '3', '5', '7'])
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(n_symbols, "n_symbols", Integral, min_val=1)
    check_scalar(min_length, "min_length", Integral, min_val=0)
    check_scalar(max_length, "max_length", Integral, min_val=min_length)
    check_value("make_symbol_sequences", "task", task, OneOf(_TASKS))
    rng = check_random_state(random_state)
    width = len(str(n_symbols - 1))
    X = [
        [f"{symbol:0{width}}" for symbol in rng.randint(n_symbols, size=length)]
        for length in rng.randint(min_length, max_length + 1, size=n_samples)
    ]
    return X, [_TASKS[task](tokens) for tokens in X]


def _write_date(day: date, form: str) -> str:
    return form.format(
        day=day.day,
        nth=f"{day.day}{_ending(day.day)}",
        month=MONTHS[day.month - 1],
        number=day.month,
        year=day.year,
        weekday=WEEKDAYS[day.weekday()],
    )


def _ending(number: int) -> str:
    """Return the ending that makes an ordinal of a number up to 31."""
    if number in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _spell(number: int) -> str:
    if number < 20:
        return _BELOW_TWENTY[number]
    if number < 100:
        head, rest = _TENS[number // 10 - 2], number % 10
    else:
        size, name = next(scale for scale in _SCALES if scale[0] <= number)
        head, rest = f"{_spell(number // size)} {name}", number % size
    return f"{head} {_spell(rest)}" if rest else head
