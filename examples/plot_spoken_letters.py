"""
Spoken letters, read from sound
===============================

A pipeline of two steps reads strings of letters from waveforms. Nobody has marked where
a letter begins; the alignment tells it afterwards.
"""

# %%
# The voices are generated: each letter is a vowel of several resonances, and voices
# differ in pitch and in the length of their throats. Those of the new strings were not
# heard in training.

import matplotlib.pyplot as plt
from sklearn.pipeline import make_pipeline

from skseq import CTCSequenceClassifier
from skseq.datasets import make_letters
from skseq.inspection import AlignmentDisplay, LabelConfusionDisplay
from skseq.metrics import label_error_rate, sequence_error_rate
from skseq.preprocessing import LogMel

RATE = 16000
X, y = make_letters(260, sample_rate=RATE, random_state=0, return_X_y=True)
X_new, y_new = make_letters(100, sample_rate=RATE, random_state=1, return_X_y=True)
seconds = [len(audio) / RATE for audio in X]
print(f"{len(X)} recordings of {min(seconds):.1f} to {max(seconds):.1f} s, as {y[:3]}")

# %%
# `LogMel` makes frames of the sound, and every parameter of the reader is at its
# default.

reader = make_pipeline(LogMel(RATE), CTCSequenceClassifier(random_state=0))
reader.fit(X, y)
found = reader.predict(X_new)
print(f"letters read wrong: {label_error_rate(y_new, found):.1%}")
print(f"recordings with an error: {sequence_error_rate(y_new, found):.1%}")

# %%
# Where is each letter? The spectrogram stands above the probabilities.

AlignmentDisplay.from_estimator(reader, X_new, y_new, sample=0)

# %%
# Which letters are taken for others?

LabelConfusionDisplay.from_predictions(y_new, found, normalize="true")
plt.show()
