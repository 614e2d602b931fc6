"""
Spoken digits, from raw audio
=============================

A classifier learns digits from waveforms of three voices, and reads a fourth that it
has not heard. Augmenters make up other rooms, noises and voices in each epoch, which
takes a third of its errors away.
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

from skseq import CTCSequenceClassifier
from skseq.augmentation import AddNoise, FeatureWarp, Reverberate
from skseq.datasets import fetch_spoken_digits, make_spoken_digit_strings
from skseq.inspection import AlignmentDisplay, LabelConfusionDisplay
from skseq.metrics import label_error_rate
from skseq.preprocessing import LogMel, SequenceNormalizer

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
    *voices, other = np.unique(fetch_spoken_digits().speaker)
    X, y = make_spoken_digit_strings(
        1000, speakers=voices, random_state=0, return_X_y=True
    )
    X_new, y_new = make_spoken_digit_strings(
        200, speakers=[other], random_state=1, return_X_y=True
    )
    max_warp = 0.12
except FileNotFoundError as error:
    print(f"Tones of a telephone instead: {error}")
    X, y = make_key_tones(1000, [0.98, 1.0, 1.02], seed=0)
    X_new, y_new = make_key_tones(100, [1.01], seed=1)
    max_warp = 0.01  # keys differ by their pitch alone
seconds = [len(audio) / RATE for audio in X]
print(f"{len(X)} strings of {min(seconds):.1f} to {max(seconds):.1f} s, e.g. {y[:3]}")

# %%
# Waveforms of different lengths go in, scaled to be equally loud. `preprocess` turns
# them into the energies of mel bands and their slopes, less the mean of each string,
# which removes the microphone. The high floor hides the noise of the recordings, which
# distinguishes voices but not digits. Two convolutions with strides leave one frame in
# four.


def with_peak_one(audio):
    return audio / np.abs(audio.astype("float32")).max()


X, X_new = ([with_peak_one(audio) for audio in data] for data in (X, X_new))
energies = LogMel(RATE, n_mels=32, floor=0.1, deltas=1)
level = SequenceNormalizer(with_std=False)


def error_rates(steps):
    """A reader, and its errors on strings that it has learnt from and on new ones."""
    reader = CTCSequenceClassifier(
        preprocess=steps,
        conv_filters=(64, 64),
        conv_strides=2,
        units=64,
        cell="gru",
        dropout=0.5,
        learning_rate=3e-3,
        batch_size=16,
        epochs=14,
        random_state=0,
    ).fit(X, y)
    heard = label_error_rate(y[:200], reader.predict(X[:200]))
    return reader, heard, label_error_rate(y_new, reader.predict(X_new))


_, heard, unheard = error_rates([energies, level])
print(f"digits in error, training strings:    {heard:.3f}")
print(f"digits in error, a voice never heard: {unheard:.3f}")

# %%
# The network knows its three voices, and little of others. Echoes, noise and a warp of
# the mel axis, which moves formants as throats of other lengths do, are drawn anew in
# each epoch; predictions use none of them. The warp acts on two blocks of bands, the
# energies and their slopes. It must be so small that each digit remains what it is.

reader, heard, unheard = error_rates(
    [
        Reverberate(RATE),
        AddNoise(5, 30),
        energies,
        FeatureWarp(max_warp, n_blocks=2),
        level,
    ]
)
print(f"digits in error, training strings:    {heard:.3f}")
print(f"digits in error, a voice never heard: {unheard:.3f}")

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
