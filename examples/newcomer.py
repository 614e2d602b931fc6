"""
From your own files to a saved model
====================================

Two tasks, each of which starts from ordinary files. The functions ``make_*`` write
these files into a temporary folder; everything after them is what you would write
yourself.

1. A folder of WAV files and a text file of transcripts: read, fit, search, save, load
   in another process, plot.
2. A CSV of sensor readings, one row per reading: read with pandas, find the odd runs.
"""

import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import joblib
import matplotlib
import numpy as np
import pandas as pd
from scipy.io import wavfile
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline

from skseq import CTCSequenceClassifier, LSTMAutoencoder
from skseq.inspection import AlignmentDisplay, AnomalyScoreDisplay
from skseq.metrics import label_error_rate
from skseq.preprocessing import LogMel, SequenceNormalizer, from_long_frame

matplotlib.use("Agg")  # draw to files, not to a window
import matplotlib.pyplot as plt

RATE = 8000
TONES = {"A": 440, "B": 587, "C": 784, "D": 988}  # hertz


def make_recordings(folder, n_recordings=240):
    """Write whistled tunes of one to five notes, 0000.wav, ..., and their notes."""
    rng = np.random.default_rng(0)
    lines = []
    for i in range(n_recordings):
        tune = "".join(rng.choice([*TONES], rng.integers(1, 6)))
        seconds = [np.arange(rng.integers(800, 1600)) / RATE for _ in tune]
        notes = [
            np.append(np.sin(2 * np.pi * TONES[note] * t), np.zeros(400))
            for note, t in zip(tune, seconds, strict=True)
        ]
        waveform = 8000 * np.concatenate(notes)
        waveform += rng.normal(scale=100, size=len(waveform))
        wavfile.write(folder / f"{i:04}.wav", RATE, waveform.astype("int16"))
        lines.append(f"{i:04}.wav {tune}")
    (folder / "transcripts.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_readings(path, n_runs=60):
    """Write a machine's runs of 30 to 60 readings; in every tenth a sensor sticks."""
    rng = np.random.default_rng(1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["run", "second", "pressure", "flow", "note"])
        for run in range(n_runs):
            times = np.arange(rng.integers(30, 60))
            angles = 0.3 * times + rng.uniform(0, 6)
            readings = np.sin(np.column_stack([angles, angles + 1]))
            readings += rng.normal(scale=0.05, size=readings.shape)
            if run % 10 == 9:
                readings[15:, 1] = readings[15, 1]
            for second, (pressure, flow) in zip(times, readings, strict=True):
                row = [f"run-{run:02}", second, f"{pressure:.3f}", f"{flow:.3f}", "ok"]
                writer.writerow(row)


def read_recordings(folder):
    """Return waveforms of different lengths, and strings."""
    text = (folder / "transcripts.txt").read_text(encoding="utf-8")
    names, tunes = zip(*(line.split() for line in text.splitlines()), strict=True)
    return [wavfile.read(folder / name)[1] for name in names], list(tunes)


def transcribe(folder):
    audio, tunes = read_recordings(folder)
    X, X_new, y, y_new = train_test_split(audio, tunes, test_size=40, random_state=0)

    reader = make_pipeline(
        LogMel(sample_rate=RATE, n_mels=20),
        SequenceNormalizer(),
        CTCSequenceClassifier(units=32, batch_size=8, epochs=16, random_state=0),
    )
    grid = {"ctcsequenceclassifier__learning_rate": [3e-3, 1e-2]}
    search = GridSearchCV(reader, grid, cv=2).fit(X, y)
    print(f"best: {search.best_params_}, {search.best_score_:.3f}")
    predicted = search.predict(X_new)
    print(f"notes in error: {label_error_rate(y_new, predicted):.3f}")

    joblib.dump(search.best_estimator_, folder / "reader.joblib")
    assert predict_elsewhere(folder, "0000.wav") == search.predict(audio[:1])[0]

    longest = max(range(len(y_new)), key=lambda i: len(y_new[i]))
    AlignmentDisplay.from_estimator(search, X_new, y_new, sample=longest)
    plt.savefig(folder / "alignment.png")
    print(f"wrote alignment.png, {(folder / 'alignment.png').stat().st_size} bytes")


def predict_elsewhere(folder, name):
    """Load the model in another process and predict there."""
    program = (
        "import joblib; from scipy.io import wavfile; "
        "reader = joblib.load('reader.joblib'); "
        f"print(reader.predict([wavfile.read('{name}')[1]])[0])"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().strip()


def find_odd_runs(folder):
    table = pd.read_csv(folder / "readings.csv")
    X, runs = from_long_frame(
        table, id="run", time="second", features=["pressure", "flow"]
    )
    detector = LSTMAutoencoder(
        units=32, learning_rate=1e-2, epochs=60, contamination=0.1, random_state=0
    )
    odd = detector.fit_predict(X) == -1
    print(f"odd: {', '.join(runs[odd])}")

    detector.save(folder / "detector.skseq")  # the file contains no code
    AnomalyScoreDisplay.from_estimator(detector, X)
    plt.savefig(folder / "scores.png")
    print(f"wrote scores.png, {(folder / 'scores.png').stat().st_size} bytes")


if __name__ == "__main__":
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        make_recordings(home)
        make_readings(home / "readings.csv")
        transcribe(home)
        find_odd_runs(home)
    print(f"{time.perf_counter() - start:.0f} s")
