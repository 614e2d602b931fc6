"""Data to learn from: generated sequences, and real sets read from a folder."""

from ._generated import make_digit_strips, make_spoken_digit_strings
from ._home import get_data_home
from ._real import fetch_captchas, fetch_ldc93s1, fetch_spoken_digits

__all__ = [
    "fetch_captchas",
    "fetch_ldc93s1",
    "fetch_spoken_digits",
    "get_data_home",
    "make_digit_strips",
    "make_spoken_digit_strings",
]
