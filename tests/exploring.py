"""How fuzzed tests draw their examples: seeded, bounded, and more where wanted."""

import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# The same examples in every run of slow tests; many others, at random, where wanted.
AT_RANDOM = 40
EFFORTS = [
    pytest.param(1, id="some", marks=pytest.mark.slow),
    pytest.param(AT_RANDOM, id="many", marks=pytest.mark.exhaustive),
]


def explore(check, n_examples, effort):
    """Call a check, which draws what it needs from its argument, again and again."""
    within = settings(
        max_examples=n_examples * effort,
        derandomize=effort != AT_RANDOM,
        database=None,
        deadline=datetime.timedelta(minutes=2),
        suppress_health_check=list(HealthCheck),
    )
    within(given(st.data())(check))()


FLOATS = ["f2", "f4", "f8"]
NATIVE = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", *FLOATS]
DTYPES = [*NATIVE, ">f4", ">f8", ">i2", "g", "O"]
