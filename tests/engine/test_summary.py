import copy
import re
import warnings
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import CTCSequenceClassifier, LSTMAutoencoder
from skseq._engine.summary import summary_of
from skseq.preprocessing import FrameTransformer
from tests.estimators import ESTIMATORS


class Page(HTMLParser):
    """The tags, their attributes and the text of a piece of HTML."""

    def __init__(self, text):
        super().__init__()
        self.open, self.found, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def of(self, tag):
        return [attrs for name, attrs in self.found if name == tag]


def fitted(history=None, classes=None, n_iter=3):
    """What a summary reads of a fitted estimator."""
    estimator = SimpleNamespace(history_=history or {}, n_iter_=n_iter)
    estimator.__sklearn_is_fitted__ = lambda: True
    if classes is not None:
        estimator.classes_ = classes
    return estimator


def page_of(*args, **kwargs):
    page = Page(summary_of(fitted(*args, **kwargs)))
    assert page.open == []  # all that was opened is closed
    return page


def heights(line):
    return [float(point.split(",")[1]) for point in line["points"].split()]


def test_scikit_learns_picture_stays_as_it_is_but_for_the_summary():
    reader = CTCSequenceClassifier()
    picture = reader._repr_html_()
    assert picture.count(summary_of(reader)) == 1
    rest = picture.replace(summary_of(reader), "")
    assert "skseq-summary" not in rest
    assert "estimator-table" in rest


def test_pipelines_and_searches_show_the_summary_of_their_steps():
    reader = CTCSequenceClassifier(units=2, epochs=1, random_state=0)
    pipeline = make_pipeline(FrameTransformer(StandardScaler()), reader)
    assert "Not fitted</div>" in pipeline._repr_html_()
    X = [np.random.default_rng(i).normal(size=(6, 2)) for i in range(6)]
    pipeline.fit(X, ["ab", "b", "a"] * 2)
    assert summary_of(pipeline[-1]) in pipeline._repr_html_()
    search = GridSearchCV(clone(pipeline), {"ctcsequenceclassifier__units": [2]}, cv=2)
    assert "Not fitted</div>" in search._repr_html_()
    search.fit(X, ["ab", "b", "a"] * 2)
    assert summary_of(search.best_estimator_[-1]) in search._repr_html_()


def test_where_text_is_asked_for_there_is_no_html():
    with config_context(display="text"):
        assert not hasattr(CTCSequenceClassifier(), "_repr_html_")


@pytest.mark.parametrize(
    "label", ["<script>alert(1)</script>", '"><img src=x>', "a&b", "'", np.str_("<b>")]
)
def test_no_label_becomes_a_tag(label):
    page = page_of({"loss": [2.0, 1.0]}, classes=np.array([label, "z"], dtype=object))
    assert {tag for tag, _ in page.found} == {"div", "svg", "title", "polyline"}
    assert repr(str(label))[:23] in page.text


def test_classes_are_counted_and_the_first_are_named():
    page = page_of(classes=np.arange(12))
    assert "12 classes (0, 1, 2, 3, 4, 5, 6, 7, …)" in page.text
    assert "1 class ('a')" in page_of(classes=np.array(["a"])).text
    assert len(page_of(classes=["x" * 1000]).text) < 100


def test_an_outlier_detector_shows_no_classes_as_it_learns_none():
    coder = LSTMAutoencoder(units=4, epochs=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        coder.fit(np.random.default_rng(0).normal(size=(6, 5, 2)))
    assert "class" not in Page(summary_of(coder)).text


@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_what_was_set_after_the_fit_is_named_and_nothing_else(case):
    estimator = case.fit()
    assert "set after" not in summary_of(estimator)
    changed = copy.deepcopy(estimator).set_params(units=8, dropout=0.25, epochs=99)
    text = Page(summary_of(changed)).text
    assert "; units=8 was set after the fit, which had 4; dropout=0.25 was" in text
    assert text.count("set after") == 2
    assert "set after" not in summary_of(changed.set_params(units=(4,), dropout=0))
    assert "units='many'" in Page(summary_of(changed.set_params(units="many"))).text


def test_the_sparkline_is_the_losses_and_the_validation_is_dashed():
    page = page_of({"loss": [3.0, 2.0, 1.0], "val_loss": [4.0, 2.0, 2.5]})
    training, validation = page.of("polyline")
    low, high = 25.0, 3.0  # pixels from above: of a loss of 1, of one of 4
    scaled = [low + (high - low) * (v - 1) / 3 for v in (3, 2, 1, 4, 2, 2.5)]
    found = heights(training) + heights(validation)
    np.testing.assert_allclose(found, scaled, atol=0.051)
    assert "stroke-dasharray" not in training
    assert "stroke-dasharray" in validation
    assert "Loss and validation loss by epoch" in page.text
    assert "loss 1, validation loss 2.5" in page.text


def test_a_long_history_makes_a_short_line_through_means():
    losses = np.linspace(5.0, 1.0, 1200)
    (line,) = page_of({"loss": losses.tolist()}, n_iter=1200).of("polyline")
    assert len(line["points"].split()) == 120
    assert heights(line) == sorted(heights(line))


@pytest.mark.parametrize(
    ("history", "tags"),
    [
        ({}, set()),
        ({"loss": []}, set()),
        ({"loss": [float("nan")]}, set()),
        ({"loss": [1.0]}, {"circle"}),
        ({"loss": [1.0, 1.0]}, {"polyline"}),
        ({"loss": [1.0, float("inf"), 0.5]}, {"polyline"}),
        ({"val_loss": [1.0, 0.5]}, {"polyline"}),
    ],
)
def test_odd_histories_are_drawn_as_far_as_they_can_be(history, tags):
    page = page_of(history)
    assert {tag for tag, _ in page.found} - {"div", "svg", "title"} == tags
    assert not re.search("nan|inf", page.text)
    assert bool(page.of("svg")) == bool(tags)
