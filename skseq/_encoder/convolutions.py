"""The convolutions before the recurrences, where they are left to be chosen."""

from collections.abc import Callable

from skseq._parameters import as_tuple

N_FILTERS = 64

# Output frames per one that the labels need, at least, in the fullest sequence.
ROOM = 2

# What time is shortened by at most. The fewer frames there are per label, the sooner
# the first labels are learnt; a single label is learnt soon anyway.
MOST_OF_SEQUENCES = 4
MOST_OF_ONE_LABEL = 2

# More frames than any sequence has, to the one that strides make of them.
MOST_STRIDES = 2**20


def pick_convolutions(
    filters, strides, room: Callable, present: dict, *, has_front_end: bool, most: int
) -> tuple[tuple, tuple]:
    """Filters and strides of each convolution, for parameters that may be "auto".

    Where there is a front end already, "auto" adds none and shortens nothing. Otherwise
    it shortens time by as many of `most` as leave room, by `room(strides)`. Training
    that continues keeps what is `present` in its settings.
    """
    n_given = len(strides) if isinstance(strides, (list, tuple)) else 1
    if filters == "auto" and present:
        filters = present["conv_filters"]
    elif filters == "auto":
        filters = () if has_front_end else (N_FILTERS,) * n_given
    filters = as_tuple(filters)
    if not filters and strides != "auto" and max(as_tuple(strides, 1), default=1) > 1:
        why = "front_end takes their place" if has_front_end else "conv_filters=()"
        raise ValueError(
            f"conv_strides={strides!r} has no effect without convolutions: "
            f"{why}. Give conv_filters, for example {N_FILTERS}, or leave conv_strides "
            "out."
        )
    if strides != "auto":
        return filters, as_tuple(strides, len(filters))
    if present and len(present["conv_strides"]) == len(filters):
        return filters, present["conv_strides"]
    none = (1,) * len(filters)
    if has_front_end or not filters:
        return filters, none
    choices = (_spread(n, len(filters)) for n in (4, 2) if n <= most)
    return filters, next((c for c in choices if room(c) >= ROOM), none)


def _spread(stride: int, n_layers: int) -> tuple[int, ...]:
    """A stride of 2 or 4 over some layers, the first ones shortening."""
    strides = (stride,) if n_layers == 1 else (2, stride // 2)
    return strides + (1,) * (n_layers - len(strides))
