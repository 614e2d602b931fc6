"""
Spoken digits from WAV files of two rates
=========================================

A folder of recordings, some at 8,000 audio samples a second in mono, others at 16,000
in stereo, each named by the digit that is said. Everything after ``write_recordings``
is what you would write for your own recordings.

The recordings are real if they are installed (see
:func:`skseq.datasets.get_data_home`), or else tones of a telephone's keys.
"""

import tempfile
from pathlib import Path

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly
from sklearn.model_selection import train_test_split
from sklearn.utils import shuffle

from skseq import SequenceClassifier
from skseq.datasets import fetch_spoken_digits
from skseq.preprocessing import LogMel, read_audio

RATE = 8000
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477)  # hertz


def make_key_tones(n_samples=500):
    """Tones of a quarter to half a second between silences, with noise."""
    rng = np.random.default_rng(0)
    audio, digits = [], rng.integers(10, size=n_samples)
    for digit in digits:
        place = 10 if digit == 0 else digit - 1
        time = np.arange(rng.integers(RATE // 4, RATE // 2)) / RATE
        pair = ROWS[place // 3], COLUMNS[place % 3]
        pitch = rng.uniform(0.97, 1.03)
        tone = sum(np.sin(2 * np.pi * pitch * hertz * time) for hertz in pair) / 4
        tone = np.pad(tone, rng.integers(RATE // 10, RATE // 5, size=2))
        audio.append(2**15 * (tone + rng.normal(scale=0.05, size=len(tone))))
    return audio, digits


def write_recordings(folder):
    """Write 0000-7.wav and so on, every other one at twice the rate and in stereo."""
    try:
        audio, digits = shuffle(
            *fetch_spoken_digits(return_X_y=True), n_samples=500, random_state=0
        )
    except FileNotFoundError as error:
        print(f"Tones of a telephone instead: {error}")
        audio, digits = make_key_tones()
    for i, (samples, digit) in enumerate(zip(audio, digits, strict=True)):
        rate, path = RATE, folder / f"{i:04}-{digit}.wav"
        if i % 2:
            twice = resample_poly(samples.astype(float), 2, 1)
            rate, samples = 2 * RATE, np.column_stack([twice, 0.8 * twice])
        wavfile.write(path, rate, np.clip(samples, -(2**15), 2**15 - 1).astype("<i2"))


def solve(folder):
    paths = sorted(folder.glob("*.wav"))
    X = read_audio(paths, sample_rate=8000)
    y = [path.stem.split("-")[1] for path in paths]
    X, X_new, y, y_new = train_test_split(
        X, y, test_size=0.3, stratify=y, random_state=0
    )
    steps = [LogMel(sample_rate=8000)]
    clf = SequenceClassifier(preprocess=steps, random_state=0).fit(X, y)
    print(f"{clf.predict(X_new[:1])[0]} is heard where {y_new[0]} is said")
    print(f"digits heard right: {clf.score(X_new, y_new):.3f}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        write_recordings(Path(name))
        solve(Path(name))
