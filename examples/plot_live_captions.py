"""
Live captions
=============

A classifier that reads forward only can write while somebody is still speaking. Here it
listens to a WAV file as to a microphone, a tenth of a second at a time, and what it has
written at the end is what it predicts for the whole recording.
"""

# %%
# The data: strings of ten vowels, named "a" to "j", spoken by four voices. The network
# must not be bidirectional, since the future is not there yet. The step of `preprocess`
# is applied to the sound as it comes.

import tempfile
import wave
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skseq import CTCSequenceClassifier
from skseq.datasets import make_letters
from skseq.metrics import label_error_rate
from skseq.preprocessing import LogMel

RATE = 8000
X, y = make_letters(400, sample_rate=RATE, random_state=0, return_X_y=True)
X_new, y_new = make_letters(100, sample_rate=RATE, random_state=1, return_X_y=True)

reader = CTCSequenceClassifier(
    preprocess=[LogMel(sample_rate=RATE, floor=1e-3)],
    bidirectional=False,
    units=64,
    learning_rate=4e-3,
    epochs=20,
    random_state=0,
)
reader.fit(X, y)
print(f"labels in error: {label_error_rate(y_new, reader.predict(X_new)):.3f}")

# %%
# A recording of somebody who takes their time, as a WAV file of 16 bits.

spoken = make_letters(
    1, n_letters=(20, 20), pause=(0.05, 0.5), sample_rate=RATE, random_state=3
)
path = Path(tempfile.mkdtemp()) / "spoken.wav"
with wave.open(str(path), "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(RATE)
    file.writeframes((32767 * spoken.audio[0]).astype("<i2").tobytes())


def listen(path, seconds=0.1):
    """The audio samples of a file, piece by piece."""
    with wave.open(str(path), "rb") as file:
        while piece := file.readframes(int(seconds * file.getframerate())):
            yield np.frombuffer(piece, "<i2")


# %%
# Each push returns the letters that are settled, which stay, and those that would
# follow if the recording ended here, which may change. `span` says how many audio
# samples were read. The caption is printed where it grows.

written, shown = [], ""
with reader.stream() as stream:
    for piece in listen(path):
        stable, unstable, (_, n_heard) = stream.push(piece)
        written += [n_heard / RATE] * (len(stable) - len(written))
        if stable + unstable != shown:
            shown = stable + unstable
            print(f"{n_heard / RATE:5.1f} s  {stable}[{unstable}]")
    text = stream.finish()

print("written:  ", text)
print("spoken:   ", spoken.strings[0])
whole = np.concatenate(list(listen(path)))
print("at once:  ", reader.predict([whole])[0])

# %%
# When each letter was spoken, and when it was settled: with the next tenth of a second
# after the network was sure, which mostly is before the letter has ended.

figure, axes = plt.subplots(figsize=(8, 3.5), layout="constrained")
bounds = spoken.bounds[0] / RATE
for place, (letter, (start, stop)) in enumerate(
    zip(spoken.strings[0], bounds, strict=True), 1
):
    axes.plot([start, stop], [place, place], color="C0", linewidth=6)
    axes.annotate(letter, (start, place), (-12, -4), textcoords="offset points")
axes.step([0, *written], range(len(written) + 1), where="post", color="C1")
axes.set(xlabel="seconds", ylabel="letters", title="spoken (bars), written (steps)")
axes.set(yticks=range(0, 21, 5))
plt.show()
