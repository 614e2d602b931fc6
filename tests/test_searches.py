"""A search trains once what its candidates share, wherever they are fitted."""

import joblib
import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.model_selection import GridSearchCV, ParameterGrid, check_cv

from skseq._engine.programs import Trainer
from tests.contract.comparing import assert_same_weights
from tests.estimators import AUTOENCODER, CASES, ESTIMATORS, TRANSLATOR
from tests.processes import output_of, start_python

N_SAMPLES, N_FOLDS = 18, 3


def _param(case):
    return pytest.param(
        case, id=case.name, marks=() if case in ESTIMATORS else pytest.mark.slow
    )


@pytest.fixture(params=[_param(case) for case in CASES if case.predicting])
def case(request):
    return request.param


@pytest.fixture
def steps(monkeypatch):
    """The training steps of this process, as they are made."""
    made, step = [], Trainer.step
    monkeypatch.setattr(
        Trainer, "step", lambda *args: made.append(1) or step(*args), raising=True
    )
    return made


def score(estimator, X, y=None):
    """What any estimator can be judged by, whatever it predicts or makes of X."""
    answer = estimator.predict if hasattr(estimator, "predict") else estimator.transform
    outputs = answer(X)
    return float(np.mean([len(np.atleast_1d(output)) for output in outputs]))


def search(case, grid, folder, n_jobs=1):
    """A search over decoding: three folds and a refit, each a fit of its own."""
    X, y = case.draw(N_SAMPLES)
    y = y if case.learns_from_y else None
    estimator = case.tiny(checkpoint=folder, epochs=2)
    cv = check_cv(N_FOLDS, y, classifier=is_classifier(estimator))
    found = GridSearchCV(estimator, grid, scoring=score, cv=cv, n_jobs=n_jobs)
    return found.fit(X, y)


def test_candidates_that_differ_in_predictions_alone_are_trained_once(
    case, steps, tmp_path
):
    grid = case.predicting
    one = {name: values[:1] for name, values in grid.items()}
    search(case, one, tmp_path / "one")
    n_steps = len(steps)
    found = search(case, grid, tmp_path / "twelve")
    assert len(ParameterGrid(grid)) == 12
    assert len(steps) == 2 * n_steps
    assert len(list((tmp_path / "twelve").iterdir())) == N_FOLDS + 1
    alone = case.tiny(**found.best_params_, epochs=2)
    X, y = case.draw(N_SAMPLES)
    alone.fit(X, y if case.learns_from_y else None)
    assert_same_weights(found.best_estimator_, alone)
    assert vars(found.best_estimator_).keys() == vars(alone).keys()


def test_sequences_that_are_held_out_for_a_score_are_another_fit(steps, tmp_path):
    for measure in ("mse", "mahalanobis", "mae"):
        coder = AUTOENCODER.tiny(checkpoint=tmp_path, anomaly_score=measure)
        coder.fit(AUTOENCODER.X)
        assert len(list(tmp_path.iterdir())) == 1 + (measure != "mse")


def test_decoding_that_training_is_judged_by_is_trained_for(tmp_path):
    options = {"scoring": "score", "early_stopping": True, "validation_fraction": 0.3}
    for beam_width in (2, 3):
        translator = TRANSLATOR.tiny(checkpoint=tmp_path, **options)
        translator.set_params(beam_width=beam_width).fit(TRANSLATOR.X, TRANSLATOR.y)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_two_workers_find_what_one_finds(case, tmp_path):
    first = search(case, case.predicting, tmp_path / "one")
    second = search(case, case.predicting, tmp_path / "two", n_jobs=2)
    names = [n for n in first.cv_results_ if "time" not in n]
    assert [list(second.cv_results_[n]) for n in names] == [
        list(first.cv_results_[n]) for n in names
    ]
    assert_same_weights(second.best_estimator_, first.best_estimator_)
    assert len(list((tmp_path / "two").iterdir())) == N_FOLDS + 1


@pytest.mark.slow
@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_threads_of_a_search_find_what_one_finds(case, tmp_path):
    first = search(case, case.predicting, tmp_path / "one")
    with joblib.parallel_config("threading", n_jobs=4):
        second = search(case, case.predicting, tmp_path / "two", n_jobs=None)
    scores = [found.cv_results_["mean_test_score"] for found in (first, second)]
    np.testing.assert_array_equal(*scores)
    assert_same_weights(second.best_estimator_, first.best_estimator_)


# -- processes that meet ---------------------------------------------------------------

EPOCHS = 20


def fit_until_the_end(folder, n_times):
    """Run in other processes: the same fits at the same time, more than once."""
    for case in ESTIMATORS * int(n_times):
        fitted = case.fit(checkpoint=f"{folder}/{case.name}", epochs=EPOCHS)
        print(joblib.hash([fitted._weights, fitted.history_]))


@pytest.mark.slow
def test_processes_that_make_the_same_fits_end_alike_and_leave_them_whole(tmp_path):
    code = "import sys, tests.test_searches as t; t.fit_until_the_end(*sys.argv[1:])"
    processes = [start_python(code, tmp_path, 2) for _ in range(3)]
    found = [output_of(process).split() for process in processes]
    expected = [case.fit(epochs=EPOCHS) for case in ESTIMATORS]
    hashes = [joblib.hash([fit._weights, fit.history_]) for fit in expected]
    assert found == [hashes * 2] * 3
    for case, fit in zip(ESTIMATORS, expected, strict=True):
        (file,) = (tmp_path / case.name).iterdir()
        written = file.stat().st_mtime_ns
        again = case.fit(checkpoint=tmp_path / case.name, epochs=EPOCHS)
        assert_same_weights(again, fit)
        assert file.stat().st_mtime_ns == written
