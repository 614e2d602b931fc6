"""
Pauses in speech
================

Where does somebody speak, and where not? A tagger labels each hundredth of a second, in
noise in which loudness alone does not tell.
"""

# %%
# Digits are spoken one after the other with pauses between them, and noise lies over
# everything. If the recordings are not installed (see
# :func:`skseq.datasets.get_data_home`), generated letters take their place. Labels are
# those of the frames: which part of a frame's audio lies within a digit or letter.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression

from skseq import SequenceTagger
from skseq.datasets import make_letters, make_spoken_digit_strings
from skseq.inspection import TimelineDisplay
from skseq.metrics import balanced_frame_accuracy, segment_error_rate
from skseq.preprocessing import LogMel

RATE, HOP = 8000, 0.01
rng = np.random.default_rng(0)


def strings(n_samples, seed, speakers):
    """Noisy audio, and for each sample of it whether somebody speaks."""
    pause = 0.1, 0.6
    try:
        data = make_spoken_digit_strings(
            n_samples, pause=pause, speakers=speakers, random_state=seed
        )
    except FileNotFoundError:
        data = make_letters(
            n_samples,
            n_letters=(1, 7),
            pause=pause,
            sample_rate=RATE,
            random_state=seed,
        )
    audio, speaks = [], []
    for own, bounds in zip(data.audio, data.bounds, strict=True):
        own = own.astype("float32")
        level = np.sqrt(np.mean(own**2)) * rng.uniform(0.1, 0.6)
        audio.append(own + level * rng.standard_normal(len(own)).astype("float32"))
        inside = np.zeros(len(own))
        for start, end in bounds:
            inside[start:end] = 1
        speaks.append(inside)
    return audio, speaks


def labels_of(speaks, frames):
    """One label for each frame, by the sample in its middle."""
    middle = (np.arange(len(frames)) + 0.5) * len(speaks) / len(frames)
    return np.where(speaks[middle.astype(int)] > 0.5, "speech", "pause")


mel = LogMel(RATE)
audio, speaks = strings(300, 0, ["george", "lucas", "nicolas"])
audio_new, speaks_new = strings(100, 1, ["jackson"])
X, X_new = mel.fit_transform(audio), mel.transform(audio_new)
y = [labels_of(*pair) for pair in zip(speaks, X, strict=True)]
y_new = [labels_of(*pair) for pair in zip(speaks_new, X_new, strict=True)]
print(f"pauses: {np.mean(np.concatenate(y) == 'pause'):.0%} of the frames")

# %%
# A network that reads in both directions, beside a logistic regression that sees one
# frame at a time. The speaker is new to both.

tagger = SequenceTagger(epochs=15, random_state=0).fit(X, y)
found = tagger.predict(X_new)

frame = LogisticRegression(max_iter=1000, class_weight="balanced")
frame.fit(np.vstack(list(X)), np.concatenate(y))
alone = [frame.predict(x) for x in X_new]

for name, guess in {"frame by frame": alone, "tagger": found}.items():
    right = balanced_frame_accuracy(y_new, guess)
    segments = segment_error_rate(y_new, guess)
    print(f"{name}: balanced accuracy {right:.3f}, segment error rate {segments:.2f}")

# %%
# The segment error rate counts what is cut in too many pieces: single frames flicker.
# The picture has the truth above the prediction, over seconds.

figure, axes = plt.subplots(figsize=(9, 3.5), layout="constrained")
TimelineDisplay.from_estimator(tagger, X_new, y_new, hop_seconds=HOP, ax=axes)
plt.show()
