"""`SeriesDisplay`: a whole series, its anomaly scores, alarms and true events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_outlier_detector

from skseq._parameters import NONE, Interval, OneOf, check_value
from skseq.inspection._axes import import_pyplot, open_axes, stack_panels, write_title
from skseq.inspection._colors import BLUE, GREEN, ORANGE, ink
from skseq.inspection._features import (
    chosen_features,
    feature_names,
    label_panels,
    left_out,
)
from skseq.inspection._fitted import last_step
from skseq.inspection._points import (
    breaks_of,
    check_indices,
    flags_of,
    names_of,
    runs_of_flags,
    scores_of,
    spans_of,
    times_of,
    values_of,
)
from skseq.inspection._scales import chosen_scale
from skseq.inspection._series_panels import (
    as_table,
    draw_line,
    places_of,
    ranked,
    shade,
    tick,
    verdict,
)
from skseq.inspection._window_scores import COMBINED, point_scores

REAL = Interval(float, None, None)

# Heights in inches: of a sensor, of the scores, of a row of blocks, of what is around.
SENSOR, SCORE, ROW, AROUND = 0.75, 1.1, 0.2, 1.2
WIDTH = 9.0

HEADER = 18.0  # points, for a legend of one line

# Of the rows of blocks, from top to bottom, their colors; None is that of text.
ROWS = {"event": ORANGE, "alarm": None}


class SeriesDisplay:
    """A whole series over time: sensors, anomaly scores, alarms and true events.

    Each sensor has a panel; below them are the anomaly scores with their threshold, and
    the alarms under the true events, whose times are shaded in all panels. The title
    counts the events that an alarm overlaps, and the alarms that overlap none. Colors
    are those of Okabe and Ito, which color-blind people can tell apart.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions`. All
    parameters are stored as attributes.

    Parameters
    ----------
    series : array-like of shape (n_frames, n_features) or (n_frames,)
        One series. NaN stands for what is missing.
    scores : array-like of shape (n_frames,), default=None
        Anomaly score of each frame, the higher the more anomalous; NaN where there is
        none. None draws no panel for them.
    threshold : float, default=None
        The highest score that is still normal. None draws no line.
    alarms : array-like of shape (n_frames,), default=None
        -1 for an alarm and 1 for none; or booleans, True for an alarm. None takes the
        frames whose score is above the threshold, if there are both.
    events : array-like of shape (n_frames,), default=None
        What was true: -1 for an anomaly and 1 for none; or booleans, True for an
        anomaly. None shows no events.
    times : array-like of shape (n_frames,), default=None
        When each frame was measured, ascending: numbers, dates, or times since a
        beginning. Dates with a time zone are shown in it, or in UTC if they have
        several. A step of more than five times the median is a gap, over which no line
        runs. None takes the index of a table if that holds dates, and otherwise counts
        frames.
    feature_names : list of str of length n_features, default=None
        Names of the sensors. None takes those of the table's columns, or "x0", "x1" and
        so on, or "value" for a single one.
    score_name : str, default="score"
        The name of the scores on their axis.

    Attributes
    ----------
    features_ : list of int
        The features that are shown.
    lines_ : list of matplotlib Line2D
        The line of each of them.
    score_line_ : matplotlib Line2D or None
        The scores.
    threshold_line_ : matplotlib Line2D or None
        The threshold.
    alarms_ : list of tuple of two int or None
        Where there are alarms: first frames, and the frames after the last.
    events_ : list of tuple of two int or None
        The same of the true events.
    axes_ : ndarray of matplotlib Axes
        The panels, from top to bottom.
    ax_ : matplotlib Axes
        The axes that hold the panels.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    skseq.preprocessing.SlidingWindows : Cuts a series into windows.
    skseq.metrics.event_f1 : Counts events that are found, and false alarms.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.inspection import SeriesDisplay
    >>> series = np.sin(np.arange(60.0))
    >>> series[40:44] = 3.0
    >>> display = SeriesDisplay.from_predictions(
    ...     series, abs(series), threshold=2.0, events=np.arange(60) // 4 == 10
    ... )
    >>> display.alarms_
    [(40, 44)]
    >>> display.ax_.get_title()
    '1 of 1 event found, 0 false alarms'
    """

    def __init__(
        self,
        series: ArrayLike,
        scores: ArrayLike | None = None,
        *,
        threshold: float | None = None,
        alarms: ArrayLike | None = None,
        events: ArrayLike | None = None,
        times: ArrayLike | None = None,
        feature_names: Sequence[str] | None = None,
        score_name: str = "score",
    ):
        self.series = series
        self.scores = scores
        self.threshold = threshold
        self.alarms = alarms
        self.events = events
        self.times = times
        self.feature_names = feature_names
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        *,
        windows=None,
        combine="all",
        times=None,
        features=None,
        yscale="auto",
        ax=None,
    ):
        """Plot what a fitted detector says of each frame of one series.

        Parameters
        ----------
        estimator : Pipeline, search or LSTMAutoencoder or other outlier detector
            Fitted; scores windows. A pipeline that cuts windows by
            :class:`~skseq.preprocessing.SlidingWindows` takes the series as it is.
        X : array-like of shape (n_frames, n_features) or (n_frames,)
            One series, in the form that the estimator was fitted on; a table may have
            dates as its index.
        y : array-like of shape (n_frames,), default=None
            The true events, as `events`.
        windows : SlidingWindows, default=None
            How to cut the series for an estimator that does not do it itself.
        combine : {"all", "any", "mean"}, default="all"
            When a frame is an alarm: if all windows that hold it are anomalous, if any
            is, or if their mean score is above the threshold. The score of a frame is
            the lowest, the highest or the mean one of its windows, so that a frame is
            an alarm where its score is above the threshold.
        times : array-like of shape (n_frames,), default=None
            When each frame was measured. None takes the index of a table if that holds
            dates, and otherwise counts frames.
        features, yscale, ax
            As in :meth:`plot`.

        Returns
        -------
        display : SeriesDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator is not an outlier detector with a threshold.
        ValueError
            If it is not known how to cut windows, `X` is not one series, or `y` does
            not have one label per frame.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        owner = f"{cls.__name__}.from_estimator"
        import_pyplot(owner)
        check_value(owner, "combine", combine, OneOf(COMBINED))
        detector = last_step(
            estimator, attribute="offset_", example="LSTMAutoencoder", owner=owner
        )
        if not is_outlier_detector(detector) or not hasattr(detector, "predict"):
            raise TypeError(
                f"{owner} needs an outlier detector, such as LSTMAutoencoder. Got "
                f"{type(detector).__name__} instead."
            )
        events = _events_of(X, y)
        threshold = -float(detector.offset_)
        beyond = point_scores(
            estimator, as_table(X), windows, combine=combine, owner=owner
        )
        display = cls(
            X,
            threshold + beyond,
            threshold=threshold,
            alarms=beyond > 0,
            events=events,
            times=times,
            score_name="anomaly score",
        )
        return display.plot(ax, features=features, yscale=yscale)

    @classmethod
    def from_predictions(
        cls,
        series,
        scores=None,
        *,
        threshold=None,
        alarms=None,
        events=None,
        times=None,
        feature_names=None,
        score_name="score",
        features=None,
        yscale="auto",
        ax=None,
    ):
        """Plot given scores, alarms and events of one series.

        Parameters
        ----------
        series : array-like of shape (n_frames, n_features) or (n_frames,)
            One series. NaN stands for what is missing.
        scores : array-like of shape (n_frames,), default=None
            Anomaly score of each frame; NaN where there is none.
        threshold : float, default=None
            The highest score that is still normal.
        alarms, events : array-like of shape (n_frames,), default=None
            -1 or True for an alarm and for a true anomaly. Without alarms, the frames
            whose score is above the threshold are taken.
        times : array-like of shape (n_frames,), default=None
            When each frame was measured. None takes the index of a table if that holds
            dates, and otherwise counts frames.
        feature_names : list of str of length n_features, default=None
            Names of the sensors. None takes those of the table's columns, or numbers.
        score_name : str, default="score"
            The name of the scores on their axis.
        features, yscale, ax
            As in :meth:`plot`.

        Returns
        -------
        display : SeriesDisplay
            The display, drawn.

        Raises
        ------
        TypeError, ValueError, ImportError
            As :meth:`plot`.
        """
        display = cls(
            series,
            scores,
            threshold=threshold,
            alarms=alarms,
            events=events,
            times=times,
            feature_names=feature_names,
            score_name=score_name,
        )
        return display.plot(ax, features=features, yscale=yscale)

    def plot(self, ax=None, *, features=None, yscale="auto"):
        """Draw the sensors, the scores, and the alarms under the events.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. It is divided into panels. None makes a new figure.
        features : list of int or str, default=None
            Sensors to show. None shows all, or the eight that differ most between
            normal and other frames.
        yscale : {"auto", "linear", "log"}, default="auto"
            Scale of the scores. "auto" is logarithmic if all are above 0 and the
            highest is more than twenty times the median, as where anomalies are few and
            large.

        Returns
        -------
        display : SeriesDisplay
            This display.

        Raises
        ------
        TypeError, ValueError
            If series, scores, alarms, events and times do not fit together, scores,
            alarms or events have another index than a series that has one, or `ax` is
            not an Axes.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        owner = f"{type(self).__name__}.plot"
        import_pyplot(owner)
        values = values_of(self.series)
        names = self._names(values.shape[1])
        scores = None if self.scores is None else scores_of(self.scores, len(values))
        yscale = self._checked_scale(yscale, scores)
        flags = self._checked_flags(scores, len(values))
        check_indices(
            self.series, scores=self.scores, alarms=self.alarms, events=self.events
        )
        times = times_of(self._times(), len(values))
        self.features_ = chosen_features(features, names, ranked(values, flags))
        self._open(ax, owner, scores, flags)
        places = places_of(times)
        breaks = breaks_of(places)
        self._draw_sensors(values, places, breaks)
        self._draw_scores(scores, yscale, places, breaks)
        self._draw_blocks(flags, places)
        self._label(names, flags, times)
        return self

    def _names(self, n_features) -> list[str]:
        given = self.feature_names
        return feature_names(
            names_of(self.series) if given is None else given, n_features
        )

    def _times(self) -> Any:
        """The times that are given, or those of a table, if it has any."""
        if self.times is not None:
            return self.times
        index = getattr(self.series, "index", None)
        kind = getattr(getattr(index, "dtype", None), "kind", None)
        return index if kind in ("M", "m") or hasattr(index, "to_timestamp") else None

    def _checked_scale(self, yscale, scores) -> str:
        owner = type(self).__name__
        check_value(owner, "threshold", self.threshold, (REAL, NONE))
        known = np.empty(0) if scores is None else scores
        return chosen_scale(yscale, known, self.threshold, owner=owner, name="yscale")

    def _checked_flags(self, scores, n_frames) -> dict[str, np.ndarray]:
        """Whether each frame is in a row of blocks, for all rows that there are."""
        flags = {}
        if self.events is not None:
            flags["event"] = flags_of(self.events, "events", n_frames)
        if self.alarms is not None:
            flags["alarm"] = flags_of(self.alarms, "alarms", n_frames)
        elif scores is not None and self.threshold is not None:
            flags["alarm"] = scores > self.threshold  # NaN is not
        runs = {name: runs_of_flags(own) for name, own in flags.items()}
        self.events_, self.alarms_ = runs.get("event"), runs.get("alarm")
        return flags

    def _open(self, ax, owner, scores, flags) -> None:
        heights = [SENSOR] * len(self.features_)
        heights += [] if scores is None else [SCORE]
        heights += [ROW * len(flags)] if flags else []
        size = WIDTH, AROUND + 1.12 * sum(heights)
        self.ax_ = open_axes(ax, owner, size)
        self.figure_ = self.ax_.figure
        has_legend = scores is not None and self.threshold is not None
        header = HEADER if has_legend else 0.0
        self.axes_ = np.array(stack_panels(self.ax_, heights, header))

    def _draw_sensors(self, values, places, breaks) -> None:
        self.lines_ = [
            draw_line(panel, places, values[:, i], breaks, color=BLUE)
            for panel, i in zip(self.axes_, self.features_, strict=False)
        ]

    def _draw_scores(self, scores, yscale, places, breaks) -> None:
        self.score_line_ = self.threshold_line_ = None
        if scores is None:
            return
        panel = self.axes_[len(self.features_)]
        panel.set_yscale(yscale)
        self.score_line_ = draw_line(panel, places, scores, breaks, color=GREEN)
        if self.threshold is not None:
            style = {"color": ink(panel), "linestyle": ":"}
            label = f"threshold: {self.threshold:.3g}"
            line = panel.axhline(self.threshold, label=label, **style)
            self.threshold_line_ = line
            self.ax_.legend(
                handles=[line],
                loc="upper right",
                frameon=False,
                borderaxespad=0,
                fontsize="small",
            )

    def _draw_blocks(self, flags, places) -> None:
        """Draw a row of blocks for each kind of flags, and shade the true events."""
        margin = spans_of([(0, len(places))], places)[0]
        self.axes_[-1].set_xlim(*margin)
        for row, (name, own) in enumerate(flags.items()):
            spans = spans_of(runs_of_flags(own), places)
            bars = [(start, stop - start) for start, stop in spans]
            color = ROWS[name] or ink(self.axes_[-1])
            style = {"color": color, "linewidth": 0.5}
            self.axes_[-1].broken_barh(bars, (row + 0.1, 0.8), **style)
            if name == "event":
                for panel in self.axes_[:-1]:
                    shade(panel, bars)

    def _label(self, names, flags, times) -> None:
        from skseq.inspection._ticks import TokenAxis, label_axes

        labels = [names[i] for i in self.features_]
        labels += [] if self.scores is None else [self.score_name]
        label_panels(self.axes_[: len(labels)], labels)
        panel = self.axes_[-1]
        if flags:
            panel.set_ylim(len(flags), 0)
            middles = np.arange(len(flags)) + 0.5
            label_axes(TokenAxis(panel.yaxis, list(flags), middles.tolist()))
            panel.tick_params(axis="y", which="both", length=0)
        some = left_out(len(self.features_), len(names))
        panel.set_xlabel(f"{times.name}{some}")
        tick(panel.xaxis, times)
        write_title(self.ax_, verdict(self.events_, self.alarms_))


def _events_of(series, y) -> np.ndarray | None:
    """The true events of a series, if they are known; both are checked."""
    n_frames = len(values_of(series))
    if y is None:
        return None
    flags = flags_of(y, "y", n_frames)
    check_indices(series, y=y)
    return flags
