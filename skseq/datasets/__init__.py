"""Data to learn from: generated sequences, and real sets read from a folder.

What is generated is a pair ``(X, y)``. Where there is more to know, and for real sets,
it is a :class:`~sklearn.utils.Bunch`, or with ``return_X_y=True`` the pair alone.
"""

from skseq.datasets._counting import make_counting
from skseq.datasets._generated import make_digit_strips, make_spoken_digit_strings
from skseq.datasets._gestures import make_gestures
from skseq.datasets._hidden_markov import HiddenMarkovModel, make_hidden_markov
from skseq.datasets._home import get_data_home
from skseq.datasets._letters import make_letters
from skseq.datasets._named_entities import make_named_entities
from skseq.datasets._real import (
    fetch_captchas,
    fetch_ldc93s1,
    fetch_librispeech_speakers,
    fetch_spoken_digits,
)
from skseq.datasets._real_sensors import fetch_ecg5000, fetch_skab_valve1
from skseq.datasets._real_texts import (
    fetch_g2p,
    fetch_small_parallel_enja,
    fetch_spelling,
)
from skseq.datasets._sensors import make_sensor_sequences
from skseq.datasets._texts import make_dates, make_number_words, make_symbol_sequences
from skseq.datasets._voices import make_voices

__all__ = [
    "HiddenMarkovModel",
    "fetch_captchas",
    "fetch_ecg5000",
    "fetch_g2p",
    "fetch_ldc93s1",
    "fetch_librispeech_speakers",
    "fetch_skab_valve1",
    "fetch_small_parallel_enja",
    "fetch_spelling",
    "fetch_spoken_digits",
    "get_data_home",
    "make_counting",
    "make_dates",
    "make_digit_strips",
    "make_gestures",
    "make_hidden_markov",
    "make_letters",
    "make_named_entities",
    "make_number_words",
    "make_sensor_sequences",
    "make_spoken_digit_strings",
    "make_symbol_sequences",
    "make_voices",
]
