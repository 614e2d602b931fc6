"""Errors among the most confident predictions."""

import itertools

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import CTCSequenceClassifier
from skseq.inspection import RiskCoverageDisplay
from skseq.preprocessing import FrameTransformer
from tests.estimators import CTC, CTC_SINGLE, TRANSLATOR

plt = pytest.importorskip("matplotlib.pyplot", reason="needs matplotlib: skseq[plot]")
plt.switch_backend("Agg")


def shown(is_wrong, confidence, **options):
    predicted = ["b" if wrong else "a" for wrong in is_wrong]
    truth = ["a"] * len(predicted)
    return RiskCoverageDisplay.from_predictions(truth, predicted, confidence, **options)


def risks_of(order, is_wrong):
    return [np.mean([is_wrong[i] for i in order[:k]]) for k in range(1, len(order) + 1)]


@pytest.mark.parametrize(
    "confidence",
    [
        [0.9, 0.1, 0.5, 0.7, 0.3],
        [0.5, 0.5, 0.5, 0.9, 0.2],
        [0.4, 0.4, 0.4, 0.4, 0.4],
        [0.2, 0.8, 0.2, 0.8, -np.inf],
    ],
)
def test_the_risk_is_the_mean_over_all_orders_from_sure_to_unsure(confidence):
    is_wrong = [False, True, True, False, True]
    orders = [
        order
        for order in itertools.permutations(range(5))
        if all(confidence[a] >= confidence[b] for a, b in itertools.pairwise(order))
    ]
    expected = np.mean([risks_of(order, is_wrong) for order in orders], axis=0)
    display = shown(is_wrong, confidence)
    np.testing.assert_allclose(display.risk, expected)
    np.testing.assert_allclose(display.coverage, [0.2, 0.4, 0.6, 0.8, 1.0])
    assert display.area_ == pytest.approx(expected.mean())


@pytest.mark.parametrize("n_wrong", [0, 1, 3, 5])
def test_the_optimum_is_the_least_risk_of_any_order(n_wrong):
    is_wrong = np.arange(5) < n_wrong
    orders = itertools.permutations(range(5))
    expected = np.min([risks_of(order, is_wrong) for order in orders], axis=0)
    display = shown(is_wrong, np.arange(5))
    np.testing.assert_allclose(display.optimal_risk, expected)
    assert display.optimal_area_ == pytest.approx(expected.mean())
    assert (display.optimal_risk <= display.risk).all()


def test_it_draws_both_lines_and_their_areas():
    display = shown([False, True, False, True], [4, 3, 2, 1], name="reader")
    assert display.line_.get_ydata().tolist() == display.risk.tolist()
    assert display.optimal_line_.get_ydata().tolist() == display.optimal_risk.tolist()
    assert display.optimal_line_.get_linestyle() == "--"
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    area, optimum = (0 + 1 / 2 + 1 / 3 + 1 / 2) / 4, (1 / 3 + 1 / 2) / 4
    assert texts == [f"reader (area = {area:.3g})", f"optimum (area = {optimum:.3g})"]


def test_two_are_compared_on_the_same_axes():
    first = shown([False, True], [2, 1], name="one")
    second = shown([False, True], [1, 2], ax=first.ax_, line_kw={"color": "red"})
    assert second.line_.get_color() == "red"
    assert first.area_ < second.area_
    assert len(first.ax_.get_lines()) == 4


def test_without_an_optimum_one_line_is_drawn():
    display = RiskCoverageDisplay([0.5, 1.0], [0.0, 0.5]).plot()
    assert display.optimal_line_ is None
    assert display.optimal_area_ is None
    assert len(display.ax_.get_lines()) == 1


@pytest.mark.parametrize("case", [CTC, CTC_SINGLE, TRANSLATOR], ids=str)
def test_an_estimator_is_shown_by_its_own_confidence(case):
    found = case.tiny().fit(case.X, case.y)
    display = RiskCoverageDisplay.from_estimator(found, case.X, case.y)
    confidence = found.predict_confidence(case.X)
    expected = RiskCoverageDisplay.from_predictions(
        case.y, found.predict(case.X), confidence
    )
    assert display.risk.tolist() == expected.risk.tolist()
    assert display.name == type(found).__name__


def test_a_pipeline_and_a_search_are_asked_as_their_last_step():
    pipeline = make_pipeline(FrameTransformer(StandardScaler()), CTC.tiny())
    found = GridSearchCV(pipeline, {"ctcsequenceclassifier__units": [2]}, cv=2)
    found.fit(CTC.X, CTC.y)
    display = RiskCoverageDisplay.from_estimator(found, CTC.X, CTC.y)
    best = found.best_estimator_
    seen = best[0].transform(CTC.X)
    expected = RiskCoverageDisplay.from_estimator(best[-1], seen, CTC.y)
    assert display.risk.tolist() == expected.risk.tolist()
    assert isinstance(best[-1], CTCSequenceClassifier)


@pytest.mark.parametrize(
    ("confidence", "message"),
    [
        ([0.5], "confidence"),
        ([0.5, np.nan], r"confidence\[1\] is NaN"),
        ([[0.5, 0.1], [0.2, 0.4]], "confidence must hold one number per sample"),
        (["a", "b"], "confidence must hold one number per sample"),
        ([[0.5], [0.2, 0.4]], "confidence must hold one number per sample"),
        ([1j, 0.5], "confidence must hold one number per sample"),
        (None, "confidence must hold one number per sample"),
    ],
)
def test_a_confidence_that_is_not_one_number_each_is_refused(confidence, message):
    with pytest.raises(ValueError, match=message):
        shown([True, False], confidence)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([0.5, 1.0], [0.5]), {}, "risk must have one entry per entry of coverage, 2"),
        (([0.5, 2.0], [0.5, 0.5]), {}, r"coverage\[1\] is 2\.0"),
        (([0.5], [np.nan]), {}, r"risk\[0\] is nan"),
        (([], []), {}, "at least one. Got none"),
        (([0.5], [0.5]), {"optimal_risk": [-1]}, r"optimal_risk\[0\] is -1"),
    ],
)
def test_data_that_are_no_shares_are_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        RiskCoverageDisplay(*arguments, **options).plot()
