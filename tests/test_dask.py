"""A search runs on the workers of a Dask cluster, and finds what it finds alone."""

import os
import re

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV, cross_val_score

from tests.estimators import CTC
from tests.processes import ROOT, run_python

NEEDS_DASK = 'needs Dask: pip install "skseq[dask]"'
distributed = pytest.importorskip("distributed", reason=NEEDS_DASK)

pytestmark = pytest.mark.slow

X, Y = CTC.X, CTC.y
GRID = {"learning_rate": [0.01, 0.05]}


class Files:
    """Sequences in files, read where and when they are needed."""

    def __init__(self, paths):
        self.paths = paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        return np.load(self.paths[i])


def make():
    return CTC.make(bidirectional=False, epochs=1)


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_a_grid_search_on_two_workers_finds_what_it_finds_alone(client):
    def score_and_process(estimator, X, y):
        return {"score": estimator.score(X, y), "process": os.getpid()}

    def search():
        return GridSearchCV(
            make(),
            GRID,
            cv=3,
            scoring=score_and_process,
            refit="score",
            error_score="raise",
        )

    with parallel_config("dask"):
        found = search().fit(X, Y)
    alone = search().fit(X, Y)
    np.testing.assert_array_equal(
        found.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )
    assert found.predict(X).tolist() == alone.predict(X).tolist()
    splits = [found.cv_results_[f"split{i}_test_process"] for i in range(3)]
    processes = {int(process) for process in np.concatenate(splits)}
    assert len(processes) == 2
    assert os.getpid() not in processes


def test_workers_read_sequences_from_files(client, tmp_path):
    paths = [tmp_path / f"{i}.npy" for i in range(len(X))]
    for path, x in zip(paths, X, strict=True):
        np.save(path, x)
    with parallel_config("dask"):
        scores = cross_val_score(make(), Files(paths), Y, cv=2, error_score="raise")
    assert scores.tolist() == cross_val_score(make(), X, Y, cv=2).tolist()


def test_the_blocks_of_the_page_that_need_dask_run_in_order(tmp_path):
    page = (ROOT / "docs" / "clusters.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```py\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert blocks
    run_python("\n".join(blocks), cwd=tmp_path)
