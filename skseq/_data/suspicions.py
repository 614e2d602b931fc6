"""Checks what is to be learnt from, and warns of what looks like something else.

Sees nothing but how long and how wide sequences are. Knows nothing of Keras.
"""

from collections.abc import Sequence

import numpy as np

from skseq._data.collections import check_n_samples
from skseq._data.lengths import has_entries, refuse_lengths, warn_of_ids
from skseq._data.sequences import Sequences, check_sequences
from skseq._data.terms import FRAMES
from skseq._warnings import warn
from skseq._wording import counted

# Half of the sequences of one feature are longer: a quarter of a second of sound.
_WAVEFORM = 2000


def check_learnt(estimator, X, y=None, *, reset=True, terms=FRAMES):
    """Check an X that comes with a y, and that it is not what other libraries take.

    Parameters
    ----------
    estimator, X, reset, terms : object
        As of `check_sequences`.
    y : object, default=None
        What the user passed as y, unchecked, even if it is ignored.

    Returns
    -------
    sequences : Sequences

    Raises
    ------
    ValueError, TypeError
        As `check_sequences`; or if `y` holds lengths of sequences, or has not one entry
        per sequence.

    Warns
    -----
    UserWarning
        If `reset` is set and the axes of the sequences seem to be exchanged, `y` to
        hold ids of sequences, or X to be one table of sensors.
    """
    refuse_lengths(X, y)
    sequences = check_sequences(estimator, X, reset=reset, terms=terms)
    if has_entries(y):
        check_n_samples("y", len(y), len(sequences))
    if reset:
        if sequences.layout == "matrix":
            warn_of_ids(int(sequences.lengths[0]), y)
        warn_of_turned(sequences)
        warn_of_table(sequences, getattr(estimator, "feature_names_in_", None))
    return sequences


def warn_of_turned(sequences: Sequences) -> None:
    """Warn of channels that stand before time, and of rows before columns.

    Warns
    -----
    UserWarning
        If all sequences have one length and many times as many features.
    """
    longest = sequences.lengths.max()
    many_features = sequences.terms.times_wider * longest
    if sequences.n_features >= many_features and (sequences.lengths == longest).all():
        warn(reading(sequences))


def warn_of_table(sequences: Sequences, names: Sequence[str] | None) -> None:
    """Warn of a long table of sensors, whose rows would be sequences.

    Parameters
    ----------
    sequences : Sequences
        What is to be learnt from.
    names : sequence of str or None
        The names of its columns, if it has any.

    Warns
    -----
    UserWarning
        If X is one table with more rows than columns, whose names do not count.
    """
    if sequences.layout != "matrix" or names is None:
        return
    n_rows, n_columns = len(sequences), len(names)
    counts = any(str(name)[-1:].isdigit() for name in names)
    if 1 < n_columns < n_rows and not counts:
        warn(
            f"X is one table, read as {n_rows} sequences of {n_columns} frames each. "
            f"If its columns, {names[0]!r} and so on, are the features of one "
            "sequence, pass it in a list, [X], or cut it into windows: "
            "skseq.preprocessing.SlidingWindows."
        )


def warn_of_waveforms(sequences: Sequences, shortened_by: float = 1) -> None:
    """Warn of waveforms that a recurrence would read sample by sample.

    Parameters
    ----------
    sequences : Sequences
        What is to be learnt from.
    shortened_by : float, default=1
        How many frames the network makes one of, before any recurrence.

    Warns
    -----
    UserWarning
        If the sequences have one feature and half of them more than 2,000 frames.
    """
    median = int(np.median(sequences.lengths))
    if sequences.n_features == 1 and median > _WAVEFORM * shortened_by:
        warn(
            f"X holds sequences of one feature and {median} frames (median). If they "
            "are sound, make features of them first: X = skseq.preprocessing.LogMel("
            "sample_rate=...).transform(X). Shorten other series, for example "
            "X = [x[::10] for x in X]."
        )


def reading(sequences: Sequences) -> str:
    """Say how sequences of one length are read, and how to exchange their axes."""
    terms, is_array = sequences.terms, getattr(sequences.source, "ndim", 0) == 3
    size = terms.size(int(sequences.lengths[0]), sequences.n_features)
    cure = "X.transpose(0, 2, 1)" if is_array else "[x.T for x in X]"
    return (
        f"X is read as {counted(len(sequences), terms.item)} of {size}. {terms.turned} "
        f"transpose: X = {cure}."
    )
