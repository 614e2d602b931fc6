"""Measures texts: token error rate, word error rate, BLEU and chrF.

Cuts texts into tokens, or joins tokens to texts, and leaves the counting to the
alignment and to sacrebleu. Knows nothing of estimators.
"""

from collections.abc import Callable
from numbers import Integral
from reprlib import repr as short_repr
from typing import Any

from sklearn.metrics import make_scorer
from sklearn.utils import check_scalar

from skseq._data.tokenizers import TOKENIZERS
from skseq._parameters import CALLABLE, OneOf, check_value
from skseq.metrics._alignment import check_pairs, label_error_rate


def token_error_rate(y_true, y_pred, *, tokenizer="word", sample_weight=None):
    """Token error rate: edits per token of the references.

    The number of tokens substituted, deleted and inserted in all texts, divided by the
    number of tokens in all references. With words as tokens it is the word error rate,
    with phones the phone error rate. 0 is best; the rate exceeds 1 where predictions
    are too long.

    Parameters
    ----------
    y_true : collection of length n_samples
        The references: texts, or lists, tuples or arrays of tokens.
    y_pred : collection of length n_samples
        The predictions, in the same form or the other.
    tokenizer : {"word", "char"} or callable, default="word"
        How a text is cut into tokens: at white space, into characters, or by a
        callable from a str to a list of str. Sequences of tokens are taken as they are.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample, in numerator and denominator. None counts each once.

    Returns
    -------
    error_rate : float
        The token error rate. If no reference holds a token, the number of inserted
        tokens: 0.0 if the predictions are empty too.

    Raises
    ------
    TypeError
        If the sequences cannot be aligned (see :func:`align_sequences`), or `tokenizer`
        does not return a list of str.
    ValueError
        If `tokenizer` is unknown, or the numbers of references, predictions and weights
        differ.

    See Also
    --------
    label_error_rate : The same, where a text is a sequence of characters.

    Examples
    --------
    >>> from skseq.metrics import token_error_rate
    >>> token_error_rate(["the cat sat down", "ja"], ["the cat sat", "ja"])
    0.2
    >>> token_error_rate(["the cat"], [["the", "cat"]])
    0.0
    """
    cut = _find_tokenizer(tokenizer)
    references, predictions = check_pairs(y_true, y_pred)
    return label_error_rate(
        _cut_texts("y_true", references, cut),
        _cut_texts("y_pred", predictions, cut),
        sample_weight=sample_weight,
    )


def word_error_rate(y_true, y_pred, *, sample_weight=None):
    """Word error rate: edits per word of the references.

    The number of words substituted, deleted and inserted in all predictions, divided by
    the number of words in all references. 0 is best; the rate exceeds 1 where
    predictions are too long.

    Parameters
    ----------
    y_true : collection of length n_samples
        The references: texts, which are cut at white space, or lists, tuples or arrays
        of words.
    y_pred : collection of length n_samples
        The predictions, in the same form or the other.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample, in numerator and denominator. None counts each once.

    Returns
    -------
    error_rate : float
        The word error rate. If no reference has a word, the number of inserted words:
        0.0 if the predictions are empty too.

    Raises
    ------
    TypeError, ValueError
        If the texts cannot be aligned; see :func:`align_sequences`.
    ValueError
        If `sample_weight` has another length, a negative entry or no positive one.

    See Also
    --------
    token_error_rate : The same with a tokenizer of your choice.
    sequence_error_rate : The share of sequences with any error, which
        grapheme-to-phoneme conversion calls the word error rate.

    Notes
    -----
    The rate equals that of ``jiwer.wer``. The only difference is in what parts words:
    here any white space does, while jiwer keeps a single tab, line break or
    non-breaking space as part of a word. Case and punctuation count.

    Examples
    --------
    >>> from skseq.metrics import word_error_rate
    >>> word_error_rate(["the cat sat down", "ja"], ["the cat sat", "oh ja"])
    0.4
    """
    return token_error_rate(y_true, y_pred, sample_weight=sample_weight)


def bleu(y_true, y_pred, *, tokenize="none"):
    """BLEU: how many n-grams of words in the predictions occur in the references.

    The geometric mean of the precisions of 1-grams to 4-grams over the whole corpus,
    lowered where the predictions are shorter than the references [1]_. It is computed
    by sacrebleu [2]_, and needs ``pip install "skseq[text]"``.

    Parameters
    ----------
    y_true : collection of length n_samples
        The references, one per prediction: texts, or sequences of tokens, which
        are joined by spaces.
    y_pred : collection of length n_samples
        The predictions, in the same form or the other.
    tokenize : str, default="none"
        The name of one of sacrebleu's tokenizers, which cuts the texts into words.
        "none" cuts them only at white space, which suits tokenized texts. To compare
        raw texts with published figures, use the tokenizer that they name, usually
        "13a". Some tokenizers need further packages or files.

    Returns
    -------
    score : float
        Between 0 and 100; 100 is best. 0 if no prediction has four words, however
        good it is.

    Raises
    ------
    ImportError
        If sacrebleu is not installed: ``pip install "skseq[text]"``.
    TypeError
        If the texts are not collections of str or of sequences of tokens.
    ValueError
        If the numbers of references and predictions differ, a token is empty or holds
        white space, or `tokenize` is unknown.

    Notes
    -----
    A precision of 0 is smoothed as sacrebleu does by default ("exp"): the first to
    1 / 2 of a match, the next to 1 / 4, and so on.

    References
    ----------
    .. [1] K. Papineni, S. Roukos, T. Ward and W.-J. Zhu, "BLEU: a Method for Automatic
       Evaluation of Machine Translation", ACL 2002.
    .. [2] M. Post, "A Call for Clarity in Reporting BLEU Scores", WMT 2018.

    Examples
    --------
    >>> from skseq.metrics import bleu
    >>> round(bleu(["the cat sat on the mat"], ["the cat sat on the rug"]), 2)
    75.98
    """
    references, predictions = _check_texts(y_true, y_pred)
    metric = _import_sacrebleu().BLEU
    check_value("bleu", "tokenize", tokenize, OneOf(metric.TOKENIZERS))
    # Unless forced, sacrebleu warns about texts that are tokenized already.
    score = metric(tokenize=tokenize, force=True)
    return float(score.corpus_score(predictions, [references]).score)


def chrf(y_true, y_pred, *, word_order=0):
    """chrF: how well n-grams of characters agree, as an F-score.

    Precision and recall of the n-grams of 1 to 6 characters over the whole corpus, each
    averaged over n, with recall counting twice as much [1]_. White space is left out,
    so it hardly matters how words are cut. It is computed by sacrebleu, and needs
    ``pip install "skseq[text]"``.

    Parameters
    ----------
    y_true : collection of length n_samples
        The references, one per prediction: texts, or sequences of tokens, which
        are joined by spaces.
    y_pred : collection of length n_samples
        The predictions, in the same form or the other.
    word_order : int, default=0
        Length of the longest n-grams of words that count beside those of characters.
        Larger values give words and their order more weight; 2 gives chrF++ [2]_.

    Returns
    -------
    score : float
        Between 0 and 100; 100 is best.

    Raises
    ------
    ImportError
        If sacrebleu is not installed: ``pip install "skseq[text]"``.
    TypeError
        If the texts are not collections of str or of sequences of tokens, or
        `word_order` is not an int.
    ValueError
        If the numbers of references and predictions differ, a token is empty or holds
        white space, or `word_order` is negative.

    References
    ----------
    .. [1] M. Popović, "chrF: character n-gram F-score for automatic MT evaluation",
       WMT 2015.
    .. [2] M. Popović, "chrF++: words helping character n-grams", WMT 2017.

    Examples
    --------
    >>> from skseq.metrics import chrf
    >>> round(chrf(["abc"], ["ab"]), 2)
    63.64
    """
    check_scalar(word_order, "word_order", Integral, min_val=0)
    references, predictions = _check_texts(y_true, y_pred)
    score = _import_sacrebleu().CHRF(word_order=word_order)
    return float(score.corpus_score(predictions, [references]).score)


# For `scoring=`; for other options, a make_scorer of your own. Weights are requested on
# a copy, as for the scorers of label sequences; BLEU and chrF take none.
token_error_rate_scorer = make_scorer(token_error_rate, greater_is_better=False)
word_error_rate_scorer = make_scorer(word_error_rate, greater_is_better=False)
bleu_scorer = make_scorer(bleu)
chrf_scorer = make_scorer(chrf)


def _find_tokenizer(tokenizer: str | Callable[[str], list[str]]) -> Callable:
    allowed = OneOf(TOKENIZERS), CALLABLE
    check_value("token_error_rate", "tokenizer", tokenizer, allowed)
    return tokenizer if callable(tokenizer) else TOKENIZERS[tokenizer].split


def _cut_texts(name: str, sequences: list[Any], cut: Callable) -> list[Any]:
    """Cut what is a text, and leave what is a sequence of tokens."""
    return [
        _cut_text(f"{name}[{i}]", sequence, cut)
        if isinstance(sequence, str)
        else sequence
        for i, sequence in enumerate(sequences)
    ]


def _cut_text(name: str, text: str, cut: Callable) -> list[str]:
    tokens = cut(text)
    are_tokens = isinstance(tokens, (list, tuple))
    if not are_tokens or not all(isinstance(token, str) for token in tokens):
        raise TypeError(
            f"tokenizer must turn a text into a list of str. "
            f"It turned {name} into {short_repr(tokens)} instead."
        )
    return tokens


def _check_texts(y_true: Any, y_pred: Any) -> tuple[list[str], list[str]]:
    references, predictions = check_pairs(y_true, y_pred)
    return _join_tokens("y_true", references), _join_tokens("y_pred", predictions)


def _join_tokens(name: str, sequences: list[Any]) -> list[str]:
    """Join what is a sequence of tokens by spaces, and leave what is a text."""
    return [
        sequence
        if isinstance(sequence, str)
        else _join_sequence(f"{name}[{i}]", [str(token) for token in sequence])
        for i, sequence in enumerate(sequences)
    ]


def _join_sequence(name: str, tokens: list[str]) -> str:
    # A list of several references looks like a list of tokens with spaces in them.
    broken = next((token for token in tokens if token.split() != [token]), None)
    if broken is not None:
        raise ValueError(
            f"{name} must be a text, or tokens that are neither empty nor hold white "
            f"space, since they are joined by spaces. Got the token {broken!r} "
            f"instead. A prediction has one reference: give it as one str."
        )
    return " ".join(tokens)


def _import_sacrebleu() -> Any:
    try:
        from sacrebleu import metrics
    except ImportError as error:
        raise ImportError(
            "bleu and chrf need sacrebleu, which cannot be imported. Install it with: "
            'pip install "skseq[text]"'
        ) from error
    return metrics
