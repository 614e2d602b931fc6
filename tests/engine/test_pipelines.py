"""A saved pipeline comes back the same, to the bit, and what cannot be is named."""

import json
import os
import pickle
import stat
import tracemalloc
import zipfile

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import NMF, PCA, IncrementalPCA, TruncatedSVD
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

import skseq
from skseq._engine import pipelines, saving
from skseq._engine.known_transformers import TRANSFORMERS
from skseq._engine.pipelines import MAX_STEPS
from skseq._engine.programs import Program
from skseq._files.archive import read_archive, write_archive
from skseq._files.plain import pack, unpack
from skseq.preprocessing import (
    MFCC,
    FrameDifference,
    FrameTransformer,
    LogMel,
    SequenceNormalizer,
    SlidingWindows,
)
from tests.contract.comparing import assert_same_results
from tests.estimators import AUTOENCODER, CTC, CTC_SINGLE, ESTIMATORS, TRANSLATOR
from tests.processes import run_python

pytestmark = pytest.mark.core

X, Y = CTC.X, CTC.y
FRAMES = np.random.default_rng(0).lognormal(size=(50, 4))
OTHERS = np.random.default_rng(1).lognormal(size=(30, 4)).astype("float32")


def tables():
    """Each listed transformer of scikit-learn, in the ways that change its state."""
    yield StandardScaler()
    yield StandardScaler(with_mean=False)
    yield StandardScaler(with_mean=False, with_std=False)
    yield MinMaxScaler((-1, 2), clip=True)
    yield MaxAbsScaler()
    yield RobustScaler(quantile_range=(10, 80), unit_variance=True)
    yield RobustScaler(with_centering=False, with_scaling=False)
    yield Normalizer("l1")
    yield Binarizer(threshold=0.5)
    yield PCA(3, random_state=0)
    yield PCA(0.9, whiten=True, svd_solver="full")
    yield PCA("mle", svd_solver="full")
    yield IncrementalPCA(2, whiten=True, batch_size=16)
    yield TruncatedSVD(2, random_state=0)
    yield QuantileTransformer(n_quantiles=9, output_distribution="normal")
    yield PowerTransformer()
    yield PowerTransformer("box-cox", standardize=False)
    yield PolynomialFeatures((2, 3), include_bias=False, interaction_only=True)
    yield PolynomialFeatures(2, order="F")
    yield FunctionTransformer()
    yield FunctionTransformer(validate=True, feature_names_out="one-to-one")
    yield VarianceThreshold(0.5)


def named(steps):
    return [pytest.param(step, id=str(step)) for step in steps]


def saved_and_loaded(estimator, folder):
    skseq.save(estimator, folder / "saved.skseq")
    return skseq.load(folder / "saved.skseq")


def assert_same(found, expected):
    """Compare all that estimators hold, down to dtypes and how arrays lie."""
    assert type(found) is type(expected)
    if isinstance(expected, BaseEstimator):
        assert vars(found).keys() == vars(expected).keys()
        for name, value in vars(expected).items():
            assert_same(vars(found)[name], value)
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert_same(a, b)
    elif isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(found, expected, strict=True)
        if expected.ndim == 2:
            assert found.strides == expected.strides
    else:
        assert found == expected or (found != found and expected != expected)


# -- transformers of scikit-learn ------------------------------------------------------


def test_every_listed_transformer_is_tried():
    assert {type(step).__name__ for step in tables()} == TRANSFORMERS.keys()


@pytest.mark.parametrize("step", named(tables()))
def test_a_transformer_comes_back_to_the_bit(step, tmp_path):
    step = clone(step).fit(FRAMES)
    loaded = saved_and_loaded(step, tmp_path)
    assert_same(loaded, step)
    for table in (FRAMES, OTHERS):
        np.testing.assert_array_equal(
            loaded.transform(table), step.transform(table), strict=True
        )
    if hasattr(step, "partial_fit"):  # what was read can be written to
        for either in (loaded, step):
            either.partial_fit(OTHERS)
        assert_same(loaded, step)


@pytest.mark.parametrize("step", named(tables()))
def test_it_comes_back_to_the_bit_within_a_frame_transformer(step, tmp_path):
    lengths = [20, 5, 25]
    sequences = np.split(FRAMES, np.cumsum(lengths)[:-1])
    step = FrameTransformer(clone(step)).fit(sequences)
    loaded = saved_and_loaded(step, tmp_path)
    assert_same(loaded, step)
    assert_same_results(
        list(loaded.transform(sequences)), list(step.transform(sequences))
    )
    assert not hasattr(loaded.transformer, "n_features_in_")


@pytest.mark.parametrize("n_features", [1, 3, 64])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_of_matrices_are_the_same_to_the_bit(n_features, dtype, tmp_path):
    table = np.random.default_rng(2).normal(size=(200, n_features)).astype(dtype)
    step = make_pipeline(StandardScaler(), PCA(), IncrementalPCA()).fit(table)
    loaded = saved_and_loaded(step, tmp_path)
    for rows in (table, table[:1], np.asfortranarray(table), table[::3]):
        np.testing.assert_array_equal(loaded.transform(rows), step.transform(rows))


def test_names_and_containers_of_tables_come_back(tmp_path):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(FRAMES, columns=list("abcd"))
    step = make_pipeline(StandardScaler(), PCA(2)).set_output(transform="pandas")
    loaded = saved_and_loaded(step.fit(table), tmp_path)
    pd.testing.assert_frame_equal(loaded.transform(table), step.transform(table))
    assert loaded[0].feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        loaded.transform(table[list("dcba")])


# -- transformers of our own -----------------------------------------------------------

WAVES = [np.random.default_rng(i).normal(size=n) for i, n in enumerate((900, 300, 20))]
OWN = [
    (LogMel(sample_rate=1000, n_mels=8, deltas=1), WAVES),
    (MFCC(sample_rate=1000, n_mels=8, n_mfcc=4), WAVES),
    (SequenceNormalizer(with_std=False), X),
    (FrameDifference(order=2), X),
    (SlidingWindows(2, stride=2), X),
    (FrameTransformer(make_pipeline(StandardScaler(), None, PCA(2))), X),
    (FrameTransformer(Pipeline([("a", "passthrough"), ("b", MaxAbsScaler())])), X),
    (FrameTransformer(StandardScaler()), np.ones((3, 5)) * np.arange(5)),
]


@pytest.mark.parametrize(("step", "data"), OWN, ids=lambda value: type(value).__name__)
def test_our_transformers_come_back_to_the_bit(step, data, tmp_path):
    step = clone(step).fit(data)
    loaded = saved_and_loaded(step, tmp_path)
    assert_same(loaded, step)
    assert_same_results(list(loaded.transform(data)), list(step.transform(data)))


# -- pipelines -------------------------------------------------------------------------


def fitted_pipelines():
    frames = [
        FrameTransformer(make_pipeline(RobustScaler(), PCA(2))),
        FrameDifference(),
    ]
    yield CTC, make_pipeline(*frames, SequenceNormalizer(), CTC.tiny()), ()
    yield CTC_SINGLE, Pipeline([("x", None), ("clf", CTC_SINGLE.tiny())]), ()
    inner = Pipeline(
        [("s", FrameTransformer(QuantileTransformer(n_quantiles=5)))], verbose=True
    )
    yield AUTOENCODER, Pipeline([("in", inner), ("coder", AUTOENCODER.tiny())]), ()
    same = FunctionTransformer()
    yield TRANSLATOR, Pipeline([("same", same), ("t", TRANSLATOR.tiny())]), ()


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Pipelines that are fitted, with their data, where they are saved, and loaded."""
    found = {}
    for case, pipeline, _ in fitted_pipelines():
        data = case.draw(12)
        path = tmp_path_factory.mktemp("pipelines") / "pipeline.skseq"
        pipeline.fit(data[0], data[1] if case.learns_from_y else None)
        skseq.save(pipeline, path)
        found[case.name] = case, pipeline, path
    return found


NAMES = ["ctc", "ctc-single", "autoencoder", "translator"]


@pytest.mark.parametrize("name", NAMES)
def test_a_pipeline_comes_back_to_the_bit(name, fitted):
    case, pipeline, path = fitted[name]
    loaded = skseq.load(path)
    assert type(loaded) is Pipeline
    assert list(loaded.named_steps) == list(pipeline.named_steps)
    assert repr(loaded) == repr(pipeline)
    data = case.X
    assert_same_results(list(loaded.predict(data)), list(pipeline.predict(data)))
    if hasattr(pipeline, "predict_proba"):
        assert_same_results(
            list(loaded.predict_proba(data)), list(pipeline.predict_proba(data))
        )


def test_another_process_loads_the_same_pipeline(fitted, tmp_path):
    _, pipeline, path = fitted["ctc"]
    code = (
        "import sys, pickle, skseq, tests.engine.test_pipelines as t\n"
        "found = skseq.load(sys.argv[1]).predict_proba(t.X)\n"
        "open(sys.argv[2], 'wb').write(pickle.dumps(found))"
    )
    run_python(code, path, tmp_path / "answer")
    found = pickle.loads((tmp_path / "answer").read_bytes())
    assert_same_results(list(found), list(pipeline.predict_proba(X)))


def test_a_loaded_pipeline_can_be_cloned_fitted_and_saved_again(fitted, tmp_path):
    _, pipeline, path = fitted["ctc"]
    loaded = skseq.load(path)
    again = saved_and_loaded(loaded, tmp_path)
    assert (tmp_path / "saved.skseq").read_bytes() == path.read_bytes()
    assert_same_results(list(again.predict(X)), list(pipeline.predict(X)))
    refitted = clone(loaded).fit(X, Y)
    assert_same_results(list(refitted.predict(X)), list(pipeline.predict(X)))


def test_codes_in_the_middle_of_a_pipeline_come_back(tmp_path):
    coder = AUTOENCODER.tiny(units=3)
    pipeline = make_pipeline(coder, StandardScaler(), PCA(2)).fit(X)
    loaded = saved_and_loaded(pipeline, tmp_path)
    np.testing.assert_array_equal(loaded.transform(X), pipeline.transform(X))


def test_a_file_says_neither_where_to_write_nor_what_is_requested(tmp_path):
    memory, runs = str(tmp_path / "memory"), str(tmp_path / "runs")
    clf = CTC.tiny(checkpoint=runs)
    steps = [("scale", FrameTransformer(StandardScaler())), ("clf", clf)]
    pipeline = Pipeline(steps, memory=memory).fit(X, Y)
    loaded = saved_and_loaded(pipeline, tmp_path)
    assert loaded.memory is None
    assert loaded["clf"].checkpoint is None
    content = (tmp_path / "saved.skseq").read_bytes()
    assert memory.encode() not in content
    assert runs.encode() not in content


def test_an_estimator_is_saved_as_by_its_own_method(tmp_path):
    clf = CTC.tiny().fit(X, Y)
    skseq.save(clf, tmp_path / "a")
    clf.save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_file_is_replaced_whole_and_hands_on_its_mode(fitted):
    _, pipeline, path = fitted["ctc"]
    path.chmod(0o600)
    before = path.read_bytes()
    skseq.save(pipeline, path)
    assert path.read_bytes() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(TypeError):
        skseq.save(make_pipeline(IsolationForest()).fit(FRAMES), path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_the_file_names_the_versions_that_wrote_it(fitted):
    versions = read_archive(fitted["ctc"][2]).header["versions"]
    assert versions["skseq"] == skseq.__version__
    assert "sklearn" in versions


# -- searches --------------------------------------------------------------------------

GRID = {"transformer__with_std": [True, False]}


def score_of_frames(step, X, y=None):
    return float(np.std(step.transform(X)[0]))


@pytest.mark.parametrize(
    "kind", [GridSearchCV, RandomizedSearchCV, HalvingGridSearchCV]
)
def test_a_fitted_search_saves_its_best_estimator(kind, tmp_path):
    options = {"n_iter": 2} if kind is RandomizedSearchCV else {}
    search = kind(
        FrameTransformer(StandardScaler()),
        GRID,
        scoring=score_of_frames,
        cv=2,
        **options,
    )
    loaded = saved_and_loaded(search.fit(X), tmp_path)
    assert_same(loaded, search.best_estimator_)


def test_a_search_over_an_estimator_saves_that(tmp_path):
    search = GridSearchCV(CTC.tiny(), {"beam_width": [1, 2]}, cv=2).fit(X, Y)
    loaded = saved_and_loaded(search, tmp_path)
    assert loaded.predict(X).tolist() == search.predict(X).tolist()


def test_a_search_without_a_best_estimator_says_what_to_do(tmp_path):
    step = FrameTransformer(StandardScaler())
    search = GridSearchCV(step, GRID, scoring=score_of_frames, cv=2, refit=False)
    with pytest.raises(
        ValueError, match=r"GridSearchCV\(refit=False\).*Set refit=True"
    ):
        skseq.save(search.fit(X), tmp_path / "search")
    with pytest.raises(NotFittedError):
        skseq.save(clone(search).set_params(refit=True), tmp_path / "search")
    assert os.listdir(tmp_path) == []


# -- refusals --------------------------------------------------------------------------


class Own(TransformerMixin, BaseEstimator):
    """A user's transformer."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X


class Scaler(StandardScaler):
    """Of a user, too."""


class Noted(StandardScaler):
    """A name of scikit-learn's that is not its class."""


Noted.__name__ = "StandardScaler"

REFUSED = {
    "forest": (IsolationForest(n_estimators=2), "sklearn's IsolationForest"),
    "nmf": (NMF(2, max_iter=9, tol=1), "sklearn's NMF"),
    "union": (make_union(StandardScaler(), PCA(2)), "sklearn's FeatureUnion"),
    "columns": (
        ColumnTransformer([("a", StandardScaler(), [0])]),
        "sklearn's ColumnTransformer",
    ),
    "own": (Own(), "tests's Own"),
    "subclass": (Scaler(), "tests's Scaler"),
    "false name": (Noted(), "tests's StandardScaler"),
    "function": (
        FunctionTransformer(np.log1p),
        r"FunctionTransformer\(func=<ufunc 'log1p'>\) cannot be kept",
    ),
    "random state": (
        PCA(2, random_state=np.random.RandomState(0)),
        r"PCA\(random_state=RandomState.*\) cannot be kept",
    ),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("place", ["alone", "step", "frames"])
def test_what_cannot_be_kept_is_named_with_the_line_to_write(name, place, tmp_path):
    step, message = REFUSED[name]
    step = clone(step)
    if place == "step":
        step = Pipeline([("first", MaxAbsScaler()), ("odd", step)])
        message = f"^The step 'odd' of Pipeline.*{message}"
    if place == "frames":
        if name == "forest":
            pytest.skip("it transforms nothing")
        step = FrameTransformer(step)
        message = f"^The transformer of FrameTransformer.*{message}"
    data = [FRAMES[:30], FRAMES[30:]] if place == "frames" else FRAMES
    with pytest.raises(TypeError, match=f"{message}.*joblib.dump.*skops.io.dump"):
        skseq.save(step.fit(data), tmp_path / "step")
    assert os.listdir(tmp_path) == []


def test_select_k_best_and_other_wrappers_are_refused(tmp_path):
    labels = np.arange(len(FRAMES)) % 2
    best = SelectKBest(k=2).fit(FRAMES, labels)
    regressor = TransformedTargetRegressor(LinearRegression()).fit(FRAMES, labels)
    for step in (best, regressor):
        with pytest.raises(TypeError, match=type(step).__name__):
            skseq.save(step, tmp_path / "step")


def test_a_tuned_threshold_is_not_taken_for_a_search(tmp_path):
    y = ["ab"[i % 2] for i in range(12)]
    tuned = TunedThresholdClassifierCV(CTC_SINGLE.tiny(), cv=2).fit(X, y)
    with pytest.raises(TypeError, match="TunedThresholdClassifierCV"):
        skseq.save(tuned, tmp_path / "tuned")


def test_a_parameter_of_an_estimator_in_a_pipeline_is_refused_with_its_cure(tmp_path):
    pipeline = make_pipeline(SequenceNormalizer(), CTC.tiny()).fit(X, Y)
    pipeline[-1].set_params(front_end=len)
    with pytest.raises(TypeError, match=r"front_end=.*cannot be saved"):
        skseq.save(pipeline, tmp_path / "pipeline")


@pytest.mark.parametrize(
    "unfitted",
    [
        StandardScaler(),
        FrameTransformer(StandardScaler()),
        CTC.tiny(),
        make_pipeline(StandardScaler(), PCA()),
        make_pipeline(SequenceNormalizer(), CTC.tiny()),
    ],
    ids=lambda step: type(step).__name__,
)
def test_what_is_not_fitted_is_not_saved(unfitted, tmp_path):
    with pytest.raises(NotFittedError):
        skseq.save(unfitted, tmp_path / "unfitted")


@pytest.mark.parametrize("value", [None, 3, "estimator", StandardScaler, X])
def test_what_is_no_estimator_is_not_saved(value, tmp_path):
    with pytest.raises(TypeError, match="is not an estimator"):
        skseq.save(value, tmp_path / "value")


def test_too_many_steps_are_refused_before_they_are_written(tmp_path):
    steps = [(f"s{i}", None) for i in range(MAX_STEPS)]
    many = Pipeline([*steps, ("last", StandardScaler())]).fit(FRAMES)
    with pytest.raises(ValueError, match=rf"more than {MAX_STEPS} steps.*joblib.dump"):
        skseq.save(many, tmp_path / "many")


def test_a_state_of_a_later_scikit_learn_is_refused_by_name(tmp_path):
    scaler = StandardScaler().fit(FRAMES)
    scaler.novelty_ = 3
    with pytest.raises(TypeError, match=r"attributes \['novelty_'\].*joblib.dump"):
        skseq.save(scaler, tmp_path / "scaler")


# -- hostile files ---------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path):
    """A file of a pipeline that has each kind of step."""
    inner = make_pipeline(StandardScaler(), PCA(2), PowerTransformer())
    steps = [
        ("frames", FrameTransformer(inner)),
        ("mel", FrameDifference()),
        ("nothing", "passthrough"),
        ("clf", CTC.tiny()),
    ]
    skseq.save(Pipeline(steps).fit(X, Y), tmp_path / "pipeline.skseq")
    return tmp_path / "pipeline.skseq"


def rewritten(path, change):
    """Write a file again, well formed, with its tree changed."""
    archive = read_archive(path)
    tree = unpack(archive.header["pipeline"], dict(archive.arrays))
    tree = change(tree) or tree
    packed, arrays = pack(tree, "pipeline")
    write_archive(path, {**archive.header, "pipeline": packed}, arrays)
    return path


def at(*place, **changes):
    """Change what stands at a place of the tree."""

    def change(tree):
        for key in place:
            tree = tree[key]
        for name, value in changes.items():
            tree[name] = value(tree[name]) if callable(value) else value

    return change


def drop(*place):
    """Remove what stands at a place of the tree."""

    def change(tree):
        for key in place[:-1]:
            tree = tree[key]
        del tree[place[-1]]

    return change


FRAMES_STEP = "steps", 0, 1
INNER = *FRAMES_STEP, "fitted", "transformer_", "steps"
SCALER, PARTS, POWER = ((*INNER, i, 1) for i in range(3))
CLF = "steps", 3, 1

DAMAGE = {
    "unknown kind": (at(*FRAMES_STEP, kind="exec"), "unknown kind 'exec'"),
    "text for a step": (lambda t: t["steps"][0].__setitem__(1, "os"), "'os' in place"),
    "number for a step": (
        lambda t: t["steps"][0].__setitem__(1, 3),
        "a step that is not",
    ),
    "no steps": (at(steps=[]), "pipeline without steps"),
    "steps of text": (at(steps="ab"), "pipeline without steps"),
    "no pairs": (at(steps=[[1]]), "can be loaded"),
    "a nameless step": (lambda t: t["steps"][0].__setitem__(0, ""), "steps named"),
    "a number's step": (lambda t: t["steps"][0].__setitem__(0, 3), "steps named"),
    "two of a name": (lambda t: t["steps"][0].__setitem__(0, "clf"), "steps named"),
    "a parameter's name": (lambda t: t["steps"][0].__setitem__(0, "memory"), "named"),
    "a route's name": (lambda t: t["steps"][0].__setitem__(0, "a__b"), "steps named"),
    "memory": (at(memory="/tmp"), "can be loaded"),
    "no flag": (at(verbose="yes"), "neither verbose nor silent"),
    "inputs of numbers": (at(transform_input=[3]), "not a list of names"),
    "a classifier first": (
        lambda t: t["steps"].insert(0, ["x", t["steps"].pop()[1]]),
        "no transform, and is not the last",
    ),
    "nothing": (lambda t: "passthrough", "it holds nothing"),
    "a list": (lambda t: [1], "a step that is not one"),
    "too many": (
        lambda t: t["steps"].extend([f"n{i}", None] for i in range(MAX_STEPS)),
        "more than 100 steps",
    ),
    "unknown estimator": (at(*CLF, name="os.system"), "unknown estimator"),
    "estimator's weights": (at(*CLF, weights={}), "do not fit"),
    "weights of numbers": (at(*CLF, weights=[1]), "must be a table"),
    "estimator's attribute": (at(*CLF, "fitted", predict=3), "unknown attributes"),
    "estimator unfitted": (
        lambda t: at(*FRAMES_STEP, "parameters", transformer=t["steps"][3][1])(t),
        "unknown kind 'estimator'",
    ),
    "unknown own": (at(*FRAMES_STEP, name="os"), "unknown transformer 'os'"),
    "an augmenter": (at(*FRAMES_STEP, name="TimeMask"), "unknown transformer"),
    "a function": (at(*FRAMES_STEP, name="from_concatenated"), "unknown transformer"),
    "own of a list": (at(*FRAMES_STEP, name=["LogMel"]), "unknown transformer"),
    "own parameter": (
        at("steps", 1, 1, "parameters", order=-1),
        "'order' parameter of FrameDifference",
    ),
    "own unknown parameter": (at("steps", 1, 1, "parameters", a=1), "argument 'a'"),
    "own attribute": (at("steps", 1, 1, "fitted", a=1), r"attributes \['a'\]"),
    "own width": (at("steps", 1, 1, "fitted", n_features_in_=0), "n_features_in_ must"),
    "vast filters": (
        lambda t: t["steps"][1].__setitem__(
            1,
            {
                "kind": "own",
                "name": "LogMel",
                "parameters": {"sample_rate": 16000, "n_fft": -2},
                "fitted": {},
            },
        ),
        "'n_fft' parameter",
    ),
    "no inner": (at(*FRAMES_STEP, "fitted", transformer_=None), "nothing that trans"),
    "inner left out": (lambda t: t["steps"][0][1].update(fitted={}), "nothing that"),
    "unknown line": (at(*SCALER, transformer="os"), "unknown transformer"),
    "line of a list": (at(*SCALER, transformer=["PCA"]), "unknown transformer"),
    "line without parts": (drop(*SCALER, "parameters"), "not described as one"),
    "parameter": (at(*SCALER, "parameters", with_mean="no"), r"with_mean=...\) must"),
    "unknown parameter": (at(*SCALER, "parameters", a=1), r"a=...\) is unknown"),
    "tables of numbers": (at(*SCALER, parameters=3), "tables of names"),
    "unknown attribute": (at(*SCALER, "fitted", transform=3), r"\['transform'\]"),
    "shorter mean": (at(*SCALER, "fitted", mean_=lambda a: a[1:]), "do not agree"),
    "turned mean": (at(*SCALER, "fitted", mean_=lambda a: a[None]), "mean_ must be"),
    "mean of integers": (at(*SCALER, "fitted", mean_=np.arange(3)), "mean_ must be"),
    "mean of text": (at(*SCALER, "fitted", mean_="os"), "mean_ must be"),
    "no mean": (at(*SCALER, "fitted", mean_=None), r"with_mean=True\) lacks mean_"),
    "no scale": (drop(*SCALER, "fitted", "scale_"), "scale_ must be"),
    "scale of zero": (at(*SCALER, "fitted", scale_=lambda a: a * 0), "above zero"),
    "scale of NaN": (at(*SCALER, "fitted", scale_=lambda a: a * np.nan), "above zero"),
    "other width": (at(*SCALER, "fitted", n_features_in_=5), "do not agree"),
    "width of text": (at(*SCALER, "fitted", n_features_in_="5"), "n_features_in_ must"),
    "names": (
        at(*SCALER, "fitted", feature_names_in_=np.array(["a"], object)),
        "another number of features",
    ),
    "output": (
        at(*SCALER, "fitted", _sklearn_output_config={"transform": "os"}),
        "what set_output keeps",
    ),
    "parts": (at(*PARTS, "fitted", n_components_=3), "n_components_ does not fit"),
    "unturned parts": (
        at(*PARTS, "fitted", components_={"matrix": 3}),
        "can be loaded",
    ),
    "parts of a row": (
        at(*PARTS, "fitted", components_=np.ones(3)),
        "components_ must be an array",
    ),
    "lambdas": (at(*POWER, "fitted", lambdas_=np.ones(5)), "do not agree"),
    "no scaler": (at(*POWER, "fitted", _scaler=None), "_scaler must be a scaler"),
    "other scaler": (
        lambda t: at(
            *POWER,
            "fitted",
            _scaler=t["steps"][0][1]["fitted"]["transformer_"]["steps"][0][1],
        )(t),
        "not described as one|another width",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_hostile_pipeline_is_refused(saved, damage):
    change, message = DAMAGE[damage]
    with pytest.raises(ValueError, match=message) as caught:
        skseq.load(rewritten(saved, change))
    assert str(saved) in str(caught.value)


def test_a_polynomial_of_a_hostile_size_is_refused_in_little_memory(tmp_path):
    path = tmp_path / "steps"
    skseq.save(PolynomialFeatures().fit(FRAMES), path)
    for degree, width, message in (
        (64, 10**4, "makes more than"),
        (2**40, 2, "degree=...\\) must"),
        (2, 2**40, "too wide"),
    ):

        def change(tree, degree=degree, width=width):
            tree["parameters"]["degree"] = degree
            tree["fitted"]["n_features_in_"] = width

        with pytest.raises(ValueError, match=message):
            skseq.load(rewritten(path, change))


def test_neither_filters_nor_many_small_steps_take_much_memory(tmp_path):
    path = tmp_path / "steps"
    mel = LogMel(sample_rate=16000, n_mels=8).fit(WAVES)
    steps = [(f"m{i}", mel) for i in range(MAX_STEPS - 1)]
    skseq.save(Pipeline(steps), path)

    def change(tree):
        for _, step in tree["steps"]:
            step["parameters"]["n_fft"] = 2**21

    rewritten(path, change)
    tracemalloc.start()
    assert len(skseq.load(path)) == MAX_STEPS - 1
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**23


def test_texts_of_all_steps_share_one_bound_of_memory(saved):
    """Numbers in lists take five times what they take in the file's arrays."""

    def change(tree):
        numbers = np.arange(2**18).tolist()
        tree["steps"] = [
            [
                f"s{i}",
                {"kind": "sklearn", "transformer": "PCA", "fitted": {"a": numbers}},
            ]
            for i in range(20)
        ]

    rewritten(saved, change)
    n_bytes = saved.stat().st_size
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"more memory|described"):
        skseq.load(saved)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**26 + 4 * n_bytes


def test_a_file_of_another_scikit_learn_says_so_where_it_does_not_load(saved):
    def age(path, change):
        rewritten(path, change)
        archive = read_archive(path)
        versions = {**archive.header["versions"], "sklearn": "3.14"}
        write_archive(path, {**archive.header, "versions": versions}, archive.arrays)

    age(saved, lambda tree: None)
    skseq.load(saved)
    age(saved, at(*SCALER, "parameters", with_wings=True))
    with pytest.raises(
        ValueError, match=r"written with scikit-learn '3\.14', and this is"
    ):
        skseq.load(saved)


def test_the_header_of_a_pipeline_is_plain_json(saved):
    with zipfile.ZipFile(saved) as archive:
        header = json.loads(archive.read("skseq.json"))["header"]
    assert header["kind"] == pipelines.KIND
    names = [name for name, _ in header["pipeline"]["steps"]]
    assert names == ["frames", "mel", "nothing", "clf"]


# -- warm ------------------------------------------------------------------------------


def untraced(*args, **kwargs):
    raise AssertionError("a function is traced")


@pytest.mark.usefixtures("no_programs")
@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_the_first_prediction_of_a_warm_estimator_traces_nothing(
    case, tmp_path, monkeypatch
):
    estimator = case.tiny().fit(*case.draw(3))
    expected = list(case.answers_of(estimator, case.X))
    estimator.save(tmp_path / "estimator")
    skseq.clear_programs()
    loaded = skseq.load(tmp_path / "estimator", warm=True)
    monkeypatch.setattr("skseq._engine.programs.tf.function", untraced)
    monkeypatch.setattr(Program, "__init__", untraced)
    assert_same_results(list(case.answers_of(loaded, case.X)), expected)


@pytest.mark.usefixtures("no_programs")
def test_a_warm_pipeline_traces_what_each_of_its_steps_does(tmp_path, monkeypatch):
    pipeline = make_pipeline(SequenceNormalizer(), AUTOENCODER.tiny(), StandardScaler())
    expected = pipeline.fit(X).transform(X)
    skseq.save(pipeline, tmp_path / "pipeline")
    skseq.clear_programs()
    loaded = skseq.load(tmp_path / "pipeline", warm=True)
    monkeypatch.setattr("skseq._engine.programs.tf.function", untraced)
    np.testing.assert_array_equal(loaded.transform(X), expected)


@pytest.mark.usefixtures("no_programs")
def test_without_being_asked_nothing_is_traced(fitted, monkeypatch):
    monkeypatch.setattr(Program, "__init__", untraced)
    for _, _, path in fitted.values():
        skseq.load(path)


def test_what_cannot_be_predicted_is_loaded_nevertheless(tmp_path):
    case = TRANSLATOR
    translator = case.tiny().fit(*case.draw(3))
    translator.set_params(min_output_length=9, no_repeat_ngram=1)
    translator.save(tmp_path / "translator")
    loaded = skseq.load(tmp_path / "translator", warm=True)
    with pytest.raises(ValueError, match="Lower min_output_length"):
        case.answers_of(loaded, case.X)


def test_the_kinds_of_files_differ():
    assert saving.KIND != pipelines.KIND


def test_requests_for_metadata_are_left_out(tmp_path):
    with config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=True).fit(FRAMES)
        skseq.save(scaler, tmp_path / "scaler")
    loaded = skseq.load(tmp_path / "scaler")
    assert not hasattr(loaded, "_metadata_request")
    np.testing.assert_array_equal(loaded.transform(FRAMES), scaler.transform(FRAMES))
