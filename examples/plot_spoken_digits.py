"""
Spoken digits, from raw audio
=============================

One pipeline leads from waveforms to digits: cepstral coefficients, a normalizer that
removes the effects of microphone and room, and a classifier. It is tested on a voice
that it has not heard.
"""

# %%
# The data: strings of digits, joined from recordings of single digits, by three voices
# for training and a fourth for the test. If the recordings are not installed (see
# :func:`skseq.datasets.get_data_home`), the tones of a telephone's keys take their
# place, at different pitches for different voices. To stay under two minutes there are
# only 1,000 strings; ``benchmarks/spoken_digits.py`` learns from 2,000, and tests each
# voice in turn.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skseq import CTCSequenceClassifier
from skseq.datasets import fetch_spoken_digits, make_spoken_digit_strings
from skseq.inspection import AlignmentDisplay, LabelConfusionDisplay
from skseq.metrics import label_error_rate
from skseq.preprocessing import MFCC, SequenceNormalizer

RATE = 8000
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477)  # hertz


def key_tone(digit, pitch, rng):
    """The two tones of a key, for an eighth to a quarter of a second, and a pause."""
    place = 10 if digit == 0 else digit - 1
    time = np.arange(rng.integers(RATE // 8, RATE // 4)) / RATE
    pair = pitch * ROWS[place // 3], pitch * COLUMNS[place % 3]
    tone = sum(np.sin(2 * np.pi * frequency * time) for frequency in pair) / 2
    return np.concatenate([tone, np.zeros(rng.integers(160, 1200))])


def make_key_tones(n_samples, pitches, seed):
    """Dialled numbers of one to seven digits, with noise."""
    rng = np.random.default_rng(seed)
    audio, strings = [], []
    for _ in range(n_samples):
        digits, pitch = rng.integers(10, size=rng.integers(1, 8)), rng.choice(pitches)
        tones = np.concatenate([key_tone(digit, pitch, rng) for digit in digits])
        audio.append(tones + rng.normal(scale=0.05, size=len(tones)))
        strings.append("".join(map(str, digits)))
    return audio, strings


try:
    *voices, unheard = np.unique(fetch_spoken_digits().speaker)
    X, y = make_spoken_digit_strings(
        1000, speakers=voices, random_state=0, return_X_y=True
    )
    X_new, y_new = make_spoken_digit_strings(
        200, speakers=[unheard], random_state=1, return_X_y=True
    )
except FileNotFoundError as error:
    print(f"Tones of a telephone instead: {error}")
    X, y = make_key_tones(300, [0.98, 1.0, 1.02], seed=0)
    X_new, y_new = make_key_tones(100, [1.01], seed=1)
seconds = [len(audio) / RATE for audio in X]
print(f"{len(X)} strings of {min(seconds):.1f} to {max(seconds):.1f} s, e.g. {y[:3]}")

# %%
# Waveforms of different lengths go in unchanged, and are made equally loud. The high
# floor hides the noise of the recordings, which distinguishes voices but not digits.
# Two convolutions with strides leave one frame in four.


def with_peak_one(X):
    return [audio / np.abs(audio.astype("float32")).max() for audio in X]


reader = make_pipeline(
    FunctionTransformer(with_peak_one),
    MFCC(sample_rate=RATE, floor=0.1, deltas=1),
    SequenceNormalizer(),
    CTCSequenceClassifier(
        conv_filters=(64, 64),
        conv_strides=2,
        units=64,
        cell="gru",
        dropout=0.4,
        learning_rate=4e-3,
        batch_size=16,
        epochs=8,
        random_state=0,
    ),
)
reader.fit(X, y)
heard = label_error_rate(y[:200], reader.predict(X[:200]))
error_rate = label_error_rate(y_new, reader.predict(X_new))
print(f"digits in error, training strings:    {heard:.3f}")
print(f"digits in error, a voice never heard: {error_rate:.3f}")

# %%
# What the network hears in a string of the new voice: the probability of each digit,
# frame by frame.

longest = max(range(len(X_new)), key=lambda i: len(y_new[i]))
AlignmentDisplay.from_estimator(reader, X_new, sample=longest)
print(f"said: {y_new[longest]}, heard: {reader.predict([X_new[longest]])[0]}")

# %%
# Which digits of that voice are confused with which. Three voices are few to learn
# from, so the error is large and differs from fit to fit.

LabelConfusionDisplay.from_estimator(reader, X_new, y_new)
plt.show()
