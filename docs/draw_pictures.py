"""Draws docs/pictures/*.svg: what fitted estimators give, for the home page and guides.

python docs/draw_pictures.py [NAME ...]

"series" reads the pump's sensors of the Skoltech Anomaly Benchmark
(`skseq.datasets.get_data_home`); all other data is generated.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy.ndimage import zoom
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import (
    CTCSequenceClassifier,
    LSTMAutoencoder,
    Seq2SeqTranslator,
    SequenceClassifier,
    SequenceRegressor,
    SequenceTagger,
)
from skseq.datasets import (
    fetch_skab_valve1,
    make_dates,
    make_digit_strips,
    make_gestures,
    make_hidden_markov,
)
from skseq.inspection import TimelineDisplay
from skseq.preprocessing import SlidingWindows

FOLDER = Path(__file__).with_name("pictures")
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#e69f00", "#009e73", "#555555"
STYLE = {
    "axes.prop_cycle": plt.cycler(color=[BLUE, ORANGE, GREEN, "#cc79a7"]),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "skseq",
}


def draw_strip() -> Figure:
    """What the reader has found on a strip of digits, and how sure it was of each."""
    X, y = make_digit_strips(1000, random_state=0)
    X_new, _ = make_digit_strips(
        40, n_digits=(6, 6), gap=(1, 6), subset="test", random_state=1
    )
    reader = CTCSequenceClassifier(epochs=20, random_state=0).fit(X, y)
    strip = X_new[3]
    (digits,) = reader.predict([strip])
    stride = int(np.prod(reader.conv_strides_))
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(5, 2.6), sharex=True, height_ratios=[1, 0.8]
    )
    edges = (-0.5, len(strip) - 0.5)
    top.imshow(
        np.clip(zoom(strip.T.astype(float), 6, order=3, mode="nearest"), 0, 1),
        cmap="gray_r",
        aspect="auto",
        interpolation="none",
        extent=(*edges, 7.5, -0.5),
    )
    top.set(yticks=[], title=f"a strip of digits, read: {digits}")
    probabilities = reader.predict_proba([strip])[0]
    columns = stride * np.arange(len(probabilities) + 1) - 0.5
    for curve in probabilities.T[:-1]:
        if curve.max() > 0.3:
            bottom.stairs(curve, columns, fill=True, alpha=0.7)
    for span in reader.align([strip], [digits])[0]:
        middle = stride * (span.start + span.end + 1) / 2 - 0.5
        bottom.text(middle, 1.05, span.label, ha="center")
    bottom.set(
        xlim=edges,
        ylim=(0, 1.3),
        yticks=[0, 1],
        xlabel="column",
        ylabel="probability",
    )
    return figure


def draw_series() -> Figure:
    """The anomaly score of each second of a series in which a valve was closed."""
    data = fetch_skab_valve1()
    series, is_anomaly = data.series[0], data.anomaly[0]
    windows = SlidingWindows(10)
    detector = make_pipeline(
        StandardScaler(), windows, LSTMAutoencoder(latent_dim=8, random_state=0)
    ).fit(series[:400])
    known = detector[:-1].transform(series[:400])
    detector[-1].fit_threshold(known, quantile=0.99, factor=1.5)
    scores = windows.to_points(-detector.score_samples(series), series, combine="mean")
    figure, axes = plt.subplots(figsize=(5, 2.6))
    axes.fill_between(
        range(len(series)),
        0,
        1,
        where=is_anomaly,
        color=ORANGE,
        alpha=0.3,
        linewidth=0,
        transform=axes.get_xaxis_transform(),
        label="valve closed",
    )
    axes.plot(scores, linewidth=0.8, label="anomaly score")
    axes.axhline(-detector[-1].offset_, color="black", linestyle=":", label="threshold")
    axes.set(yscale="log", xlabel="second", xlim=(0, len(series)))
    figure.suptitle("eight sensors of a pump", fontsize="large")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def draw_attention() -> Figure:
    """Where the translator looks in a date while it writes it anew."""
    X, y = make_dates(2000, random_state=0)
    translator = Seq2SeqTranslator(epochs=20, random_state=0).fit(X, y)
    source = "Thursday, 3 May 1979"
    target = translator.predict([source])[0]
    figure, axes = plt.subplots(figsize=(5, 2.6))
    axes.imshow(
        translator.predict_attention([source])[0],
        cmap="Blues",
        aspect="auto",
        interpolation="none",
        vmin=0,
    )
    axes.set_xticks(range(len(source)), [c if c != " " else "␣" for c in source])
    axes.set_yticks(range(len(target)), target)
    axes.set(xlabel="read", ylabel="written", title="a date, written anew")
    axes.tick_params(length=0)
    return figure


def draw_gestures() -> Figure:
    """Three gestures with their classes, and the frames that decided."""
    X, y = make_gestures(300, random_state=0)
    clf = SequenceClassifier(units=32, random_state=0).fit(X, y)
    X_new, y_new = make_gestures(60, random_state=1)
    chosen = [list(y_new).index(name) for name in clf.classes_[:3]]
    figure, panels = plt.subplots(1, 3, figsize=(7.5, 2.2), sharey=True)
    stride = int(np.prod(clf.conv_strides_))
    for axes, place in zip(panels, chosen, strict=True):
        frames, (weights,) = X_new[place], clf.predict_attention([X_new[place]])
        axes.plot(frames, linewidth=1)
        edges = stride * np.arange(len(weights) + 1)
        axes.stairs(
            weights / weights.max(),
            edges,
            fill=True,
            color=GREY,
            alpha=0.25,
            transform=axes.get_xaxis_transform(),
        )
        (name,), (proba,) = clf.predict([frames]), clf.predict_proba([frames])
        axes.set(title=f"class {name} ({proba.max():.2f})", xlabel="frame")
    return figure


def draw_forecast() -> Figure:
    """A forecast with the range in which nine of ten values should lie."""
    rng = np.random.default_rng(0)
    hours = np.arange(1100)
    day = 2 * np.sin(2 * np.pi * hours / 24) + np.sin(4 * np.pi * hours / 24)
    series = 10 + day + rng.normal(scale=0.2 + 0.3 * (hours % 24 > 12), size=len(hours))
    windows, horizon = SlidingWindows(48), 6
    past = windows.fit_transform(series[:-horizon, np.newaxis])
    future = series[47 + horizon :]
    known, shown = slice(0, 800), slice(-96, None)
    figure, axes = plt.subplots(figsize=(7.5, 2.4))
    low, middle, high = (
        SequenceRegressor(
            loss="quantile",
            quantile=quantile,
            units=32,
            epochs=20,
            dropout=0.0,
            random_state=0,
        )
        .fit(past[known], future[known])
        .predict(past[shown])
        for quantile in (0.05, 0.5, 0.95)
    )
    inside = np.mean((low <= future[shown]) & (future[shown] <= high))
    last = hours[-96:]
    axes.fill_between(
        last,
        low,
        high,
        color=BLUE,
        alpha=0.25,
        linewidth=0,
        label=f"between the quantiles 0.05 and 0.95 ({inside:.0%} of the values)",
    )
    axes.plot(last, middle, label="forecast, 6 hours ahead")
    axes.plot(last, future[shown], ".", color="black", markersize=3, label="came")
    axes.set(xlabel="hour", xlim=(last[0], last[-1]))
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


def draw_timeline() -> Figure:
    """The labels of the frames of one sequence, true and predicted."""
    X, y = make_hidden_markov(1000, random_state=0)
    X_new, y_new = make_hidden_markov(20, random_state=1)
    tagger = SequenceTagger(units=16, crf=True, epochs=30, random_state=0).fit(X, y)
    figure = plt.figure(figsize=(7.5, 2.8))
    TimelineDisplay.from_estimator(
        tagger,
        X_new,
        y_new,
        sample=int(np.argmax([*map(len, X_new)])),
        ax=figure.add_subplot(),
    )
    return figure


PICTURES = {
    "strip": draw_strip,
    "series": draw_series,
    "attention": draw_attention,
    "gestures": draw_gestures,
    "forecast": draw_forecast,
    "timeline": draw_timeline,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="pictures to draw; all by default")
    names = parser.parse_args().names or PICTURES
    plt.switch_backend("Agg")
    plt.rcParams.update(STYLE)
    FOLDER.mkdir(exist_ok=True)
    for name in names:
        figure = PICTURES[name]()
        figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)


if __name__ == "__main__":
    main()
