"""Other libraries find in our estimators what they expect; docs/citizens.md shows how.

Each test needs the library that it is about: pip install "skseq[citizens]".
"""

import json
import threading
import tracemalloc
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from joblib import Memory
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline

from skseq import CTCSequenceClassifier, LSTMAutoencoder, Seq2SeqTranslator
from skseq.preprocessing import LogMel, SequenceNormalizer
from tests.processes import run_python
from tests.toy import as_text, reversals, symbol_runs

pytestmark = pytest.mark.slow

X, SYMBOLS, _ = symbol_runs(24)
Y = as_text(SYMBOLS)
LISTS = [x.tolist() for x in X]
TEXTS = [["".join(text) for text in side] for side in reversals()]


def library(name):
    return pytest.importorskip(
        name, reason=f'needs {name}: pip install "skseq[citizens]"'
    )


def reader(**options):
    return CTCSequenceClassifier(
        **{"units": 8, "epochs": 6, "learning_rate": 0.02, "random_state": 0, **options}
    )


def assert_reads_as(X_other, y_other, *, of=slice(None)):
    """A fit on what another library holds is the fit on lists of arrays."""
    alone = reader().fit(X[of], Y[of])
    other = reader().fit(X_other, y_other)
    losses = [np.asarray(model.history_["loss"]) for model in (other, alone)]
    np.testing.assert_allclose(
        *losses, rtol=1e-5
    )  # some formats are of single precision
    assert other.predict(X_other).tolist() == alone.predict(X[of]).tolist()
    assert other.score(X_other, y_other) == alone.score(X[of], Y[of])


# -- Optuna ----------------------------------------------------------------------------


@pytest.fixture
def optuna():
    optuna = library("optuna")
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield optuna
    optuna.logging.set_verbosity(level)


def test_the_trials_of_a_search_are_our_cross_validations_and_the_best_is_kept(optuna):
    distributions = {
        "learning_rate": optuna.distributions.FloatDistribution(1e-6, 1e-1, log=True),
        "optimizer__clipnorm": optuna.distributions.FloatDistribution(0.1, 1),
    }
    search = library("optuna_integration").OptunaSearchCV(
        reader(), distributions, cv=2, n_trials=5, random_state=0
    )
    search.fit(X, Y)
    for trial in search.trials_:
        scores = cross_val_score(reader(**trial.params), X, Y, cv=2)
        assert trial.value == np.mean(scores)
    found = [trial.value for trial in search.trials_]
    assert search.best_score_ == max(found) > min(found)
    again = reader(**search.best_params_).fit(X, Y)
    assert search.predict(X).tolist() == again.predict(X).tolist()


def test_a_callback_ends_trials_that_are_worse_than_others_at_the_same_epoch(optuna):
    callback = library("optuna_integration").KerasPruningCallback
    rates, epochs = [0.03, 0.01, 1e-6, 0.05], 8

    def objective(trial):
        clf = reader(
            learning_rate=trial.suggest_categorical("learning_rate", rates),
            epochs=epochs,
            callbacks=[callback(trial, "loss")],
        )
        return clf.fit(X, Y).history_["loss"][-1]

    study = optuna.create_study(
        pruner=optuna.pruners.MedianPruner(n_startup_trials=2),
    )
    for rate in rates:
        study.enqueue_trial({"learning_rate": rate})
    study.optimize(objective, n_trials=len(rates))
    reported = [len(trial.intermediate_values) for trial in study.trials]
    assert reported[:2] == [epochs, epochs]  # nothing to compare the first ones with
    assert study.trials[2].state.name == "PRUNED"
    assert reported[2] < epochs
    assert study.best_params["learning_rate"] != 1e-6
    losses = reader(learning_rate=0.03, epochs=epochs).fit(X, Y).history_["loss"]
    assert list(study.trials[0].intermediate_values.values()) == losses


# -- MLflow ----------------------------------------------------------------------------

PREDICT = """
import json, sys
import mlflow
uri, asked = json.load(open(sys.argv[1]))
mlflow.set_tracking_uri(uri)
for name, (address, X) in asked.items():
    models = mlflow.sklearn.load_model(address), mlflow.pyfunc.load_model(address)
    print(json.dumps([model.predict(X).tolist() for model in models]))
"""

MODELS = {
    "classifier": (reader(epochs=30), LISTS, Y),
    "pipeline": (
        Pipeline([("scale", SequenceNormalizer()), ("read", reader(epochs=30))]),
        LISTS,
        Y,
    ),
    "translator": (Seq2SeqTranslator(units=4, epochs=1), *TEXTS),
    "autoencoder": (LSTMAutoencoder(units=4, epochs=1), LISTS, None),
}


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)
    mlflow = library("mlflow")
    library("mlflow.pyfunc")  # whose import warns of mlflow's own types
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    yield mlflow
    mlflow.set_tracking_uri(before)


def test_a_new_process_predicts_with_logged_models_as_this_one(mlflow, tmp_path):
    skops = library("skops.io")
    asked, here = {}, []
    for name, (model, X, y) in MODELS.items():
        model.fit(X, y)
        with mlflow.start_run():
            logged = mlflow.sklearn.log_model(
                model,
                name=name,
                serialization_format="skops",
                skops_trusted_types=skops.get_untrusted_types(data=skops.dumps(model)),
                pip_requirements=["mlflow", "skops", "skseq"],
            )
        asked[name] = logged.model_uri, X
        here.append(model.predict(X).tolist())
    assert all(len(set(predicted)) > 3 for predicted in here[:2])
    path = tmp_path / "asked.json"
    path.write_text(json.dumps([mlflow.get_tracking_uri(), asked]))
    there = list(map(json.loads, run_python(PREDICT, path, cwd=tmp_path).splitlines()))
    assert there == [[predicted, predicted] for predicted in here]


# -- TensorBoard -----------------------------------------------------------------------


def written(folder, tag):
    """What a folder of events holds under a tag, by step."""
    events = library("tensorboard.backend.event_processing.event_accumulator")
    import tensorflow as tf

    accumulator = events.EventAccumulator(str(folder), size_guidance={"tensors": 0})
    accumulator.Reload()
    tensors = accumulator.Tensors(tag)
    return {e.step: float(tf.make_ndarray(e.tensor_proto)) for e in tensors}


@pytest.mark.parametrize(
    "options",
    [
        lambda folder: {"callbacks": [keras.callbacks.TensorBoard(folder)]},
        lambda folder: {"callbacks": [keras.callbacks.TensorBoard(str(folder))]},
        lambda folder: {
            "callbacks": keras.callbacks.TensorBoard,
            "callbacks__log_dir": str(folder),
            "callbacks__histogram_freq": 1,
        },
    ],
    ids=["path", "str", "class"],
)
@pytest.mark.parametrize(
    ("make", "X", "y"),
    [
        (reader, X, Y),
        (Seq2SeqTranslator, *TEXTS),
        (LSTMAutoencoder, X, None),
    ],
    ids=["classifier", "translator", "autoencoder"],
)
def test_tensorboard_holds_the_losses_of_each_epoch(make, X, y, options, tmp_path):
    library("tensorboard")
    model = make(
        units=4,
        epochs=3,
        early_stopping=True,
        checkpoint=tmp_path / "checkpoints",
        **options(tmp_path / "logs"),
    )
    losses = model.fit(X, y).history_
    for part, name in [("train", "loss"), ("validation", "val_loss")]:
        found = written(tmp_path / "logs" / part, "epoch_loss")
        assert list(found) == [0, 1, 2]
        np.testing.assert_allclose(list(found.values()), losses[name], rtol=1e-6)


# -- datasets and pyarrow --------------------------------------------------------------


@pytest.fixture
def table():
    return library("datasets").Dataset.from_dict({"frames": LISTS, "text": Y})


@pytest.mark.parametrize("kind", [None, "numpy", "arrow", "pandas"])
def test_columns_of_a_data_set_are_x_and_y(table, kind):
    table = table.with_format(kind)
    assert_reads_as(table["frames"], table["text"])
    some = table.select(range(4, 20))
    assert_reads_as(some["frames"], some["text"], of=slice(4, 20))


def test_a_cross_validation_takes_columns_of_a_data_set(table):
    found = cross_val_score(
        reader(), table["frames"], table["text"], cv=2, error_score="raise"
    )
    assert found.tolist() == cross_val_score(reader(), X, Y, cv=2).tolist()


def test_a_translator_takes_columns_of_texts(table):
    texts = library("datasets").Dataset.from_dict({"a": TEXTS[0], "b": TEXTS[1]})
    translator = Seq2SeqTranslator(units=4, epochs=2, random_state=0)
    found = translator.fit(texts["a"], texts["b"]).predict(texts["a"])
    assert found.tolist() == translator.fit(*TEXTS).predict(TEXTS[0]).tolist()


def test_a_null_in_a_data_set_is_named(table):
    lists = [LISTS[0], None, *LISTS[2:]]
    table = library("datasets").Dataset.from_dict({"frames": lists})
    with pytest.raises(ValueError, match=r"X\[1\] is None"):
        reader().fit(table["frames"], Y)


def test_a_parquet_file_is_x_and_y(tmp_path):
    pa, pq = library("pyarrow"), library("pyarrow.parquet")
    path = tmp_path / "runs.parquet"
    pq.write_table(pa.table({"frames": LISTS, "text": Y}), path, row_group_size=7)
    table = pq.read_table(path)
    assert_reads_as(table["frames"], table["text"])
    assert_reads_as(table["frames"][3:9], table["text"][3:9], of=slice(3, 9))


def test_lists_of_labels_in_a_column_come_back_as_lists():
    pa = library("pyarrow")
    labels = [symbols.tolist() for symbols in SYMBOLS]
    found = reader(epochs=1).fit(pa.array(LISTS), pa.array(labels)).predict(X)
    assert all(isinstance(labels, list) for labels in found)


# -- h5py and zarr ---------------------------------------------------------------------


class Stored:
    """Sequences that lie one after another in an array on disk."""

    def __init__(self, frames, starts):
        self.frames, self.starts, self.threads = frames, starts, set()

    def __len__(self):
        return len(self.starts) - 1

    def __getitem__(self, i):
        self.threads.add(threading.get_ident())
        return self.frames[self.starts[i] : self.starts[i + 1]]


class Named:
    """Sequences that are an array each, in a group on disk."""

    def __init__(self, group):
        self.group, self.names, self.threads = group, sorted(group), set()

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        self.threads.add(threading.get_ident())
        return self.group[self.names[i]][:]


def starts_of(X):
    return np.cumsum([0, *map(len, X)])


def in_h5py(X, folder):
    file = library("h5py").File(folder / "stored.h5", "w")
    file["frames"] = np.concatenate(X)
    group = file.create_group("group")
    for i, x in enumerate(X):
        group[f"{i:04d}"] = x
    return SimpleNamespace(frames=file["frames"], group=group, close=file.close)


def in_zarr(X, folder):
    group = library("zarr").open_group(folder / "stored.zarr", mode="w")
    chunks = (len(X[0]), X[0].shape[1])
    frames = group.create_array("frames", data=np.concatenate(X), chunks=chunks)
    for i, x in enumerate(X):
        group.create_array(f"group/{i:04d}", data=x)
    return SimpleNamespace(frames=frames, group=group["group"], close=lambda: None)


@pytest.fixture(params=[in_h5py, in_zarr])
def store(request, tmp_path):
    opened = []

    def store(X):
        (tmp_path / str(len(opened))).mkdir()
        opened.append(request.param(X, tmp_path / str(len(opened))))
        return opened[-1]

    yield store
    for file in opened:
        file.close()


def test_arrays_on_disk_are_read_in_the_callers_thread(store):
    file = store(X)
    for stored in (Stored(file.frames, starts_of(X)), Named(file.group)):
        assert_reads_as(stored, Y)
        assert stored.threads == {threading.get_ident()}


def test_a_group_is_told_how_to_be_ordered(store):
    with pytest.raises(TypeError, match=r"got Group\. Pass .+for key in sorted\(X\)"):
        reader().fit(store(X).group, Y)


def test_memory_does_not_grow_with_the_number_of_sequences_on_disk(store):
    rng = np.random.default_rng(0)
    many = [rng.normal(size=(100, 50)) for _ in range(360)]  # 40 kB each
    labels = ["ab", "ba"] * 180
    clf = reader(epochs=1, batch_size=4, target="sequence")

    def peak(n):
        stored = Stored(store(many[:n]).frames, starts_of(many[:n]))
        tracemalloc.start()
        try:
            clf.fit(stored, labels[:n]).predict(stored)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(12)  # what is made once for all
    some, thrice_as_many = peak(120), peak(360)  # more than are ever read at once
    assert some > 4 * many[0].nbytes
    assert thrice_as_many < some + 24 * many[0].nbytes


# -- joblib ----------------------------------------------------------------------------


# On a slow disk joblib says so.
@pytest.mark.filterwarnings("ignore:Persisting input arguments took")
def test_a_second_fit_reads_from_the_cache_what_the_first_computed(
    tmp_path, monkeypatch
):
    computed = []
    transform = LogMel.transform

    def counted(self, X):
        computed.append(len(X))
        return transform(self, X)

    monkeypatch.setattr(LogMel, "transform", counted)
    rng = np.random.default_rng(0)
    waves = [rng.normal(size=n) for n in rng.integers(2000, 4000, size=12)]
    words = Y[:12]

    def fitted(memory, **options):
        steps = [("mel", LogMel(8000)), ("norm", SequenceNormalizer())]
        pipeline = Pipeline([*steps, ("read", reader(**options))], memory=memory)
        return pipeline.fit(waves, words)

    memory = Memory(tmp_path, verbose=0)
    first = fitted(memory)
    assert computed == [12]
    second = fitted(memory)
    assert computed == [12]
    fitted(memory, learning_rate=0.01)
    assert computed == [12]
    alone = fitted(None)
    assert computed == [12, 12]
    losses = [p["read"].history_ for p in (first, second, alone)]
    assert losses[0] == losses[1] == losses[2]
    assert second.predict(waves).tolist() == alone.predict(waves).tolist()


# -- imbalanced-learn ------------------------------------------------------------------


def rows_by(sampler):
    """A function that resamples sequences as a sampler resamples their numbers."""

    def resampled(X, y):
        rows, y = sampler.fit_resample(np.arange(len(X)).reshape(-1, 1), y)
        return [X[i] for i in rows.ravel()], y

    return resampled


@pytest.mark.parametrize("name", ["over", "under"])
def test_a_pipeline_fits_on_what_a_sampler_picks_and_predicts_all(name):
    library("imblearn")
    from imblearn import FunctionSampler
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.pipeline import make_pipeline
    from imblearn.under_sampling import RandomUnderSampler

    y = ["rare" if i % 6 == 0 else "common" for i in range(len(X))]
    sampler = {"over": RandomOverSampler, "under": RandomUnderSampler}[name]
    resample = rows_by(sampler(random_state=0))
    chosen, labels = resample(X, y)
    assert list(labels).count("rare") == list(labels).count("common")
    assert len(chosen) == {"over": 40, "under": 8}[name]
    assert all(any(x is given for given in X) for x in chosen)

    clf = reader(target="single")
    pipeline = make_pipeline(FunctionSampler(func=resample, validate=False), clf)
    found = pipeline.fit(X, y).predict_proba(X)
    alone = reader(target="single").fit(chosen, labels).predict_proba(X)
    np.testing.assert_array_equal(found, alone)
    assert len(found) == len(X)
