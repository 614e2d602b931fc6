"""A saved estimator comes back the same, and a file can do no harm."""

import json
import os
import pickle
import random
import re
import tracemalloc
import zipfile
from pathlib import Path

import joblib
import keras
import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

import skseq
from skseq._engine.saving import MAX_LAYERS, WEIGHTS, weight_shapes
from skseq._files.archive import read_archive, write_archive
from skseq._files.plain import pack
from tests.contract.comparing import assert_same_parameters, assert_same_results
from tests.estimators import CASES, CTC, CTC_GRU_CONV, TRANSLATOR, TRANSLATOR_GRU_DOT
from tests.processes import run_python
from tests.toy import reversals, roughened

pytestmark = pytest.mark.core

# Each case, and what else there is of layers, front ends and parameters.
SAVED = [
    *CASES,
    CTC.variant(
        "ctc-image",
        front_end="image",
        front_end__filters=(2,),
        front_end__features=3,
    ),
    CTC_GRU_CONV.variant(
        "ctc-layers",
        units=[3, 2],
        conv_filters=(3, 2),
        conv_strides=(1, 2),
        skip_frames=1,
    ),
    TRANSLATOR_GRU_DOT.variant("translator-layers", units=[3, 2]),
]
BY_NAME = {case.name: case for case in SAVED}
LEAST = {"units": 3, "epochs": 1, "optimizer": "sgd"}

X = CTC.X
FIRST_LETTERS = [text[0] for text in CTC.y]
LETTERS, REVERSED = reversals(12)
TOKENS = {"source_tokenizer": None, "target_tokenizer": None}


def fit(**params):
    return roughened(CTC.make(**{**LEAST, **params}).fit(X, FIRST_LETTERS))


def fit_translator(form=list, **params):
    translator = TRANSLATOR.make(**{**LEAST, **params})
    return roughened(translator.fit(LETTERS, list(map(form, REVERSED))))


@pytest.fixture(scope="module")
def fitted():
    return fit()


@pytest.fixture
def saved(fitted, tmp_path):
    fitted.save(tmp_path / "estimator.skseq")
    return tmp_path / "estimator.skseq"


# -- round trips ------------------------------------------------------------------


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder of saved estimators, each of which is also given by its name."""
    folder = tmp_path_factory.mktemp("saved")
    estimators = {n: case.rough(case.fit(epochs=1)) for n, case in BY_NAME.items()}
    for name, estimator in estimators.items():
        estimator.save(folder / f"{name}.skseq")
    return folder, estimators


@pytest.fixture(scope="module")
def there(here):
    """The estimators that another process loads, and what they answer there."""
    folder, _ = here
    code = "import sys, tests.engine.test_saving as t; t.answer_elsewhere(sys.argv[1])"
    run_python(code, folder)
    return pickle.loads((folder / "answers").read_bytes())


def answer_elsewhere(folder):
    """Run in the other process."""
    found = {}
    for name, case in BY_NAME.items():
        estimator = skseq.load(Path(folder, f"{name}.skseq"))
        found[name] = estimator, case.results(estimator)
    Path(folder, "answers").write_bytes(pickle.dumps(found))


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_another_process_loads_the_same_estimator(here, there, name):
    estimator, (loaded, found) = here[1][name], there[name]
    assert_same_results(found, BY_NAME[name].results(estimator))
    assert type(loaded) is type(estimator)
    assert_same_parameters(loaded, estimator)
    assert {type(v) for v in loaded.get_params().values()} == {
        type(v) for v in estimator.get_params().values()
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_all_that_was_learnt_comes_back(here, there, name):
    before, after = dict(vars(here[1][name])), vars(there[name][0])
    assert before.pop("callbacks_") == []  # files hold no callbacks
    forgotten = {"_optimizer_state"}
    assert before.keys() == after.keys()
    for attribute in before.keys() - forgotten:
        assert joblib.hash(before[attribute]) == joblib.hash(after[attribute])


@pytest.mark.parametrize(
    "y",
    [
        np.arange(12) % 2,
        [float(i % 2) for i in range(12)],
        [i % 2 == 0 for i in range(12)],
        [("up", "down")[: 1 + i % 2] for i in range(12)],
        [np.array([i % 2 - 1], dtype="int16") for i in range(12)],
    ],
    ids=["int", "float", "bool", "tuple", "int16"],
)
def test_labels_come_back_in_their_type(y, tmp_path):
    clf = CTC.make(**LEAST).fit(X, y)
    clf.save(tmp_path / "clf")
    loaded = skseq.load(tmp_path / "clf")
    assert loaded.classes_.dtype == clf.classes_.dtype
    for found, expected in zip(loaded.predict(X), clf.predict(X), strict=True):
        np.testing.assert_array_equal(found, expected, strict=True)
        assert type(found) is type(expected)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(list, id="list"),
        pytest.param(tuple, id="tuple", marks=pytest.mark.slow),
        pytest.param(np.array, id="str", marks=pytest.mark.slow),
        pytest.param(lambda x: np.array(x, dtype=object), id="object"),
    ],
)
def test_tokens_come_back_in_their_type(form, tmp_path):
    translator = fit_translator(form, **TOKENS)
    translator.save(tmp_path / "translator")
    loaded = skseq.load(tmp_path / "translator")
    pairs = zip(loaded.predict(LETTERS), translator.predict(LETTERS), strict=True)
    for found, expected in pairs:
        np.testing.assert_array_equal(found, expected, strict=True)
        assert type(found) is type(expected)


@pytest.mark.parametrize(
    "dtype", ["int8", *(pytest.param(d, marks=pytest.mark.slow) for d in ("u2", "i8"))]
)
def test_integer_tokens_come_back_in_their_dtype(dtype, tmp_path):
    numbers = [np.array([ord(x) for x in tokens], dtype=dtype) for tokens in LETTERS]
    translator = TRANSLATOR.make(**LEAST, **TOKENS).fit(numbers, numbers)
    translator.save(tmp_path / "translator")
    loaded = skseq.load(tmp_path / "translator")
    pairs = zip(loaded.predict(numbers), translator.predict(numbers), strict=True)
    for found, expected in pairs:
        np.testing.assert_array_equal(found, expected, strict=True)


def test_feature_names_come_back(tmp_path):
    pd = pytest.importorskip("pandas")
    frames = [pd.DataFrame(x, columns=["x", "y", "z"]) for x in X]
    clf = CTC.make(**LEAST).fit(frames, CTC.y)
    clf.save(tmp_path / "clf")
    loaded = skseq.load(tmp_path / "clf")
    assert loaded.feature_names_in_.tolist() == ["x", "y", "z"]
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict([frame[["z", "y", "x"]] for frame in frames])


def test_a_loaded_estimator_trains_on(saved, fitted):
    loaded = skseq.load(saved)
    loaded.partial_fit(X, FIRST_LETTERS)
    assert loaded.n_iter_ == fitted.n_iter_ + 1
    assert loaded.set_params(warm_start=True).fit(X, ["a"] * 12).n_iter_ == 1


def test_saving_again_gives_the_same_bytes(saved, fitted):
    before = saved.read_bytes()
    fitted.save(str(saved))
    assert saved.read_bytes() == before
    skseq.load(saved).save(saved)
    assert saved.read_bytes() == before


def test_a_file_does_not_say_where_a_later_fit_writes(fitted, tmp_path):
    clf = pickle.loads(pickle.dumps(fitted)).set_params(checkpoint=tmp_path / "c")
    clf.save(tmp_path / "clf")
    assert skseq.load(tmp_path / "clf").checkpoint is None
    hostile = edit("parameters", "checkpoint", value="/etc")
    assert skseq.load(rewritten(tmp_path / "clf", hostile)).checkpoint is None


def test_the_file_names_the_versions_that_wrote_it(saved):
    versions = read_archive(saved).header["versions"]
    assert versions["skseq"] == skseq.__version__
    assert versions["keras"] == keras.__version__
    assert {"python", "numpy", "tensorflow", "sklearn"} < set(versions)


# -- refusals ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("optimizer", keras.optimizers.SGD),
        ("optimizer", keras.optimizers.SGD()),
        ("learning_rate", keras.optimizers.schedules.CosineDecay(0.1, 9)),
        ("callbacks", [keras.callbacks.TerminateOnNaN]),
        ("random_state", np.random.RandomState(0)),
    ],
)
def test_the_advice_on_what_only_training_needs_works(fitted, tmp_path, name, value):
    clf = pickle.loads(pickle.dumps(fitted)).set_params(**{name: value})
    message = rf"{name}.*=.* cannot be saved.* call (set_params\(.*\)) before you save"
    with pytest.raises(TypeError, match=message) as caught:
        clf.save(tmp_path / "clf")
    assert not (tmp_path / "clf").exists()
    eval("clf." + re.search(message, str(caught.value))[1])
    clf.save(tmp_path / "clf")
    assert skseq.load(tmp_path / "clf").predict(X).tolist() == clf.predict(X).tolist()


@pytest.mark.parametrize("name", ["front_end", "front_end__width"])
def test_what_is_not_a_plain_value_is_to_be_pickled(fitted, tmp_path, name):
    clf = pickle.loads(pickle.dumps(fitted)).set_params(**{name: len})
    with pytest.raises(TypeError, match=rf"{name}.* cannot be saved.*Pickle the est"):
        clf.save(tmp_path / "clf")
    assert not (tmp_path / "clf").exists()


def twice(frames):
    """A front end of a user's own."""
    return 2 * frames


def test_the_advice_on_a_front_end_of_the_users_own_works(tmp_path):
    clf = fit(front_end=twice)
    for _ in range(2):
        with pytest.raises(TypeError, match=r"front_end=.*twice.* Pickle the estim"):
            clf.save(tmp_path / "clf")
        clf.set_params(front_end=None)  # which does not help, and is not advised
    copied = pickle.loads(pickle.dumps(clf))
    assert copied.predict(X).tolist() == clf.predict(X).tolist()


def test_a_tokenizer_of_the_users_own_is_not_saved(tmp_path):
    translator = fit_translator().set_params(source_tokenizer=str.split)
    with pytest.raises(TypeError, match=r"source_tokenizer.* cannot be saved"):
        translator.save(tmp_path / "translator")
    copied = pickle.loads(pickle.dumps(translator))
    assert copied.predict(["a b"]).tolist() == translator.predict(["a b"]).tolist()


def test_a_history_that_could_not_be_loaded_is_not_saved(fitted, tmp_path):
    clf = pickle.loads(pickle.dumps(fitted))
    clf.history_ = {"loss": []}
    with pytest.raises(ValueError, match=r"history is shorter than \d+ epoch"):
        clf.save(tmp_path / "clf")


def test_the_config_of_an_optimizer_of_keras_is_saved(fitted, tmp_path):
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 9)
    config = keras.optimizers.serialize(keras.optimizers.SGD(schedule))
    clf = pickle.loads(pickle.dumps(fitted)).set_params(optimizer=config)
    clf.save(tmp_path / "clf")
    assert skseq.load(tmp_path / "clf").optimizer == config


def test_a_failed_save_keeps_the_old_file(saved, fitted):
    before = saved.read_bytes()
    clf = pickle.loads(pickle.dumps(fitted)).set_params(front_end=len)
    with pytest.raises(TypeError):
        clf.save(saved)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_a_place_that_cannot_be_written_is_an_os_error(fitted, tmp_path, folder):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=folder):
        fitted.save(tmp_path / folder / "clf")


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        skseq.load(tmp_path / "none")


def test_other_files_are_refused(fitted, tmp_path):
    files = {
        "pickle": pickle.dumps(fitted),
        "text": b"weights",
        "empty": b"",
        "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(100),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name} is not a skseq file"):
            skseq.load(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ValueError, match="is not a skseq file"):
        skseq.load(tmp_path / "model.keras")


def test_a_checkpoint_is_not_an_estimator(tmp_path):
    fit(checkpoint=tmp_path)
    (path,) = tmp_path.iterdir()
    with pytest.raises(ValueError, match="holds 'checkpoint', not an estimator"):
        skseq.load(path)


@pytest.mark.parametrize("part", range(20))
def test_a_flipped_bit_is_noticed_or_harmless(saved, fitted, part):
    data = bytearray(saved.read_bytes())
    data[len(data) * part // 20 + 11] ^= 16
    saved.write_bytes(data)
    try:
        loaded = skseq.load(saved)
    except ValueError:
        return
    assert_same_results(CTC.results(loaded), CTC.results(fitted))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused(saved, share):
    data = saved.read_bytes()
    saved.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ValueError, match="is not a skseq file"):
        skseq.load(saved)


def rewritten(path, change):
    """Write a file again, well formed, with something else in it."""
    archive = read_archive(path)
    header, arrays = archive.header, dict(archive.arrays)
    change(header, arrays)
    write_archive(path, header, arrays)
    return path


def edit(*keys, value):
    def change(header, arrays):
        for key in keys[:-1]:
            header = header[key]
        header[keys[-1]] = value

    return change


def edit_packed(*keys, value):
    """Put a value, and its arrays, in place of another."""

    def change(header, arrays):
        packed, own = pack(value, "changed")
        edit(*keys, value=packed)(header, arrays)
        for name in [n for n in arrays if n.partition(":")[0] == keys[-1]]:
            del arrays[name]
        arrays.update(own)

    return change


def edit_fitted(**values):
    def change(header, arrays):
        for name, value in values.items():
            edit_packed("fitted", name, value=value)(header, arrays)

    return change


def edit_setting(name, value):
    return edit_packed("fitted", "_settings", name, value=value)


def drop_attribute(header, arrays):
    del header["fitted"]["classes_"], arrays["classes_"]


def drop_classes(header, arrays):
    del arrays["classes_"]


def use_classes_twice(header, arrays):
    header["fitted"]["_label_form"] = header["fitted"]["classes_"]


def edit_weight(path, change):
    def change_weight(header, arrays):
        arrays[f"{WEIGHTS}{path}"] = change(arrays[f"{WEIGHTS}{path}"])

    return change_weight


def drop_weight(header, arrays):
    del arrays[f"{WEIGHTS}logits/bias"]


def add_array(name):
    return lambda header, arrays: arrays.update({name: np.ones(2, "float32")})


def edit_classes(value):
    return edit_packed("fitted", "classes_", value=value)


def hide_classes(header, arrays):
    header["fitted"]["classes_"] = {"$array": f"{WEIGHTS}logits/bias"}
    del arrays["classes_"]


OBJECTS = {"$pickle": ["os.system"]}

DAMAGE = {
    "unknown class": (edit("estimator", value="os.system"), "unknown estimator"),
    "no class": (edit("estimator", value=None), "unknown estimator"),
    "unknown parameter": (edit("parameters", "unit", value=3), "argument 'unit'"),
    "unknown attribute": (edit("fitted", "predict", value=3), r"attributes \['pred"),
    "private attribute": (edit("fitted", "_weights", value=[]), "unknown attributes"),
    "no attributes": (edit("fitted", value={}), "can be loaded"),
    "a list for a class": (edit("estimator", value=["CTC"]), r"estimator \['CTC'\]"),
    "no dict of attributes": (edit("fitted", value=[]), "can be loaded"),
    "no dict of parameters": (edit("parameters", value=3), "parameters must be a tab"),
    "no classes": (drop_attribute, "can be loaded"),
    "no array of classes": (drop_classes, "'classes_' that it lacks"),
    "classes used twice": (use_classes_twice, "'classes_' that it lacks, or twice"),
    "classes that are weights": (hide_classes, "bias' that it lacks"),
    "one class more": (edit_classes(np.array(list("abcd"))), "4 labels"),
    "unsorted classes": (edit_classes(np.array(list("bac"))), "sorted"),
    "classes of a list": (edit_classes(["a", "b", "c"]), "numpy.ndarray"),
    "classes of objects": (edit_classes(np.array(list("abc"), object)), "dtype object"),
    "classes of pickles": (edit("fitted", "classes_", value=OBJECTS), "unknown kind"),
    "unknown form": (
        edit("fitted", "_label_form", value="exec"),
        "_label_form must be a str among",
    ),
    "unknown layout": (edit("fitted", "_X_layout", value="tree"), "_X_layout"),
    "unknown kind": (edit("fitted", "history_", value={"$set": []}), "unknown kind"),
    "no settings": (edit("fitted", "_settings", value=3), "_settings"),
    "unknown front end": (edit_setting("front_end", "os.system"), "front_end"),
    "unknown cell": (edit_setting("cell", "os.system"), "cell"),
    "no time": (
        edit_setting("conv_strides", (0,)),
        "'conv_strides' parameter of its n",
    ),
    "strides beyond all": (edit_setting("conv_strides", (1, 10**9)), "of 1000000000"),
    "unknown setting": (edit_setting("mystery", 1), "mystery"),
    "more units": (edit_setting("units", (2**20,)), "must be float32 of"),
    "most units": (edit_setting("units", (2**62,)), "is more than 2147483647"),
    "vast skip": (edit_setting("skip_frames", 10**30), "is more than 2147483647"),
    "vast strides": (edit_setting("conv_strides", (2**31,)), "is more than 2147483647"),
    "history of text": (edit_fitted(history_="loss"), "history_ must be"),
    "no history": (edit_fitted(history_=None), "history_ must be"),
    "short history": (edit_fitted(history_={"loss": []}), "history is shorter than"),
    "nested history": (edit_fitted(history_={"loss": [[0.5]]}), "history of 'loss'"),
    "endless epochs": (edit_fitted(n_iter_=10**30), "its n_iter_ must be an int"),
    "other epochs": (edit_fitted(n_iter_=99), "shorter than 99 epochs"),
    "callbacks of text": (
        edit("parameters", "callbacks", value="os.system"),
        "callbacks must be None or empty",
    ),
    "unknown optimizer": (edit("parameters", "optimizer", value="os"), "'optimizer'"),
    "a number for one": (edit("parameters", "optimizer", value=3), "its optimizer is"),
    "unknown routed parameter": (
        edit("parameters", "optimizer__momentus", value=1.0),
        "Did you mean 'momentum'",
    ),
    "bad parameter": (edit("parameters", "epochs", value=-1), "'epochs' parameter"),
    "foreign optimizer": (
        edit("parameters", "optimizer", value={"module": "os", "class_name": "system"}),
        "its parameters name the module 'os'",
    ),
    "foreign schedule": (
        edit(
            "parameters",
            "optimizer",
            value={"module": "keras.optimizers", "config": [{"module": "antigravity"}]},
        ),
        "its parameters name the module 'antigravity'",
    ),
    "unknown step": (
        edit("parameters", "preprocess", value=[{"step": "exec", "parameters": {}}]),
        "unknown step 'exec'",
    ),
    "step of nothing": (
        edit("parameters", "preprocess", value=[{"step": "LogMel"}]),
        r"step of preprocess has the keys \['step'\]",
    ),
    "no step": (edit("parameters", "preprocess", value=["x"]), r"preprocess\[0\] is"),
    "endless units": (edit_setting("units", (4,) * 9), "weights do not fit"),
    "units of an array": (edit_setting("units", np.full(9, 4)), "weights do not fit"),
    "other features": (edit_setting("n_features", 4), "3 features"),
    "transposed weight": (
        edit_weight("logits/kernel", np.transpose),
        r"float32 of shape \(6, 4\)",
    ),
    "double weight": (edit_weight("logits/kernel", np.float64), "float64"),
    "missing weight": (drop_weight, r"do not fit the network: \['logits/bias'\]"),
    "further weight": (add_array(f"{WEIGHTS}x"), r"do not fit the network: \['x'\]"),
    "further array": (add_array("x"), r"nothing refers to its arrays \['x'\]"),
    "NaN in a weight": (edit_weight("logits/bias", lambda w: w + np.nan), "NaN"),
    "inf in a weight": (edit_weight("logits/bias", lambda w: w - np.inf), "infinity"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_hostile_file_is_refused(saved, damage):
    change, message = DAMAGE[damage]
    with pytest.raises(ValueError, match=message) as caught:
        skseq.load(rewritten(saved, change))
    assert str(saved) in str(caught.value)


@pytest.mark.parametrize("n_fft", [2**21, 2**40])
def test_a_file_does_not_make_tables_of_filters(saved, n_fft):
    mel = {"step": "LogMel", "parameters": {"sample_rate": 16000, "n_fft": n_fft}}
    path = rewritten(saved, edit("parameters", "preprocess", value=[mel]))
    tracemalloc.start()
    loaded = skseq.load(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**23
    assert loaded.preprocess[0].n_fft == n_fft


@pytest.fixture(scope="module")
def translator():
    return fit_translator(" ".join)


@pytest.fixture
def saved_translator(translator, tmp_path):
    translator.save(tmp_path / "translator.skseq")
    return tmp_path / "translator.skseq"


def tokens(*values, dtype="object"):
    return np.array(values, dtype=dtype)


def drop_vocabulary(header, arrays):
    del header["fitted"]["target_vocabulary_"]
    del arrays["target_vocabulary_:utf8"], arrays["target_vocabulary_:lengths"]


def drop_setting(header, arrays):
    del header["fitted"]["_settings"]["attention"]


def lengthen_tokens(header, arrays):
    arrays["target_vocabulary_:lengths"] += 2**40


NUMBERS = tokens(1, 2, 300, dtype="int64")

TRANSLATOR_DAMAGE = {
    "no vocabulary": (drop_vocabulary, "can be loaded"),
    "no array": (edit_fitted(target_vocabulary_=["a", "b", "c"]), "numpy.ndarray"),
    "no tokens": (edit_fitted(source_vocabulary_=tokens()), "with entries"),
    "one token more": (
        edit_fitted(source_vocabulary_=tokens("a", "b", "c", "d")),
        "source vocabulary is not the network's",
    ),
    "unsorted": (edit_fitted(target_vocabulary_=tokens("b", "a", "c")), "sorted"),
    "twice": (edit_fitted(source_vocabulary_=tokens("a", "a", "c")), "distinct"),
    "empty token": (edit_fitted(source_vocabulary_=tokens("", "a", "c")), "not empty"),
    "mixed tokens": (
        edit_fitted(source_vocabulary_=["a", "b", 3]),
        "numpy.ndarray",
    ),
    "nested tokens": (
        edit_fitted(source_vocabulary_=tokens(["a", "b", "c"])),
        "1-D array",
    ),
    "endless tokens": (lengthen_tokens, "do not fit them"),
    "fixed width": (
        edit_fitted(source_vocabulary_=tokens("a", "b", "c", dtype="U9")),
        "object array of str",
    ),
    "fractions": (
        edit_fitted(source_vocabulary_=tokens(0.5, 1.5, 2.5, dtype="float64")),
        "int64 array",
    ),
    "texts of numbers": (edit_fitted(target_vocabulary_=NUMBERS), "expected str"),
    "numbers that do not fit": (
        edit_fitted(
            target_vocabulary_=NUMBERS, _target_form="array", _target_dtype="int8"
        ),
        "300 out of bounds",
    ),
    "words as numbers": (
        edit_fitted(_target_form="array", _target_dtype="int8"),
        "invalid literal",
    ),
    "unknown form": (edit_fitted(_target_form="exec"), "_target_form"),
    "huge dtype": (edit_fitted(_target_dtype=f"<U{2**28}"), "_target_dtype"),
    "dtype of objects": (edit_fitted(_target_dtype=["O"]), "_target_dtype"),
    "no longest target": (edit_fitted(_longest_target=0), "_longest_target"),
    "endless targets": (edit_fitted(_longest_target=2**40), "_longest_target"),
    "fractional source": (edit_fitted(_longest_source=1.5), "_longest_source"),
    "unknown attention": (edit_setting("attention", "os.system"), "attention"),
    "other attention": (edit_setting("attention", None), "weights do not fit"),
    "other vocabulary": (edit_setting("n_target_ids", 99), "target vocabulary is not"),
    "vast embedding": (edit_setting("embedding_dim", 2**30), "must be float32 of"),
    "more units": (edit_setting("units", (2**20,)), "must be float32 of"),
    "hostile parameter": (
        edit("parameters", "source_tokenizer", value="os.system"),
        "'source_tokenizer' parameter",
    ),
    "endless units": (edit_setting("units", (3,) * 99), "weights do not fit"),
    "units of text": (edit_setting("units", "os"), "units"),
    "unknown setting": (edit_setting("mystery", 1), "mystery"),
    "missing setting": (drop_setting, "can be loaded"),
    "transposed weight": (
        edit_weight("decoder/logits/kernel", np.transpose),
        r"float32 of shape \(3, 5\)",
    ),
    "second embedding": (
        add_array(f"{WEIGHTS}encoder/source_embedding"),
        "weights do not fit the network",
    ),
}


@pytest.mark.parametrize("damage", TRANSLATOR_DAMAGE)
def test_a_hostile_file_of_a_translator_is_refused(saved_translator, damage):
    change, message = TRANSLATOR_DAMAGE[damage]
    with pytest.raises(ValueError, match=message) as caught:
        skseq.load(rewritten(saved_translator, change))
    assert str(saved_translator) in str(caught.value)


def test_a_file_of_a_newer_skseq_is_refused_by_name(saved):
    with zipfile.ZipFile(saved) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(members["skseq.json"])
    document["format"] += 1
    members["skseq.json"] = json.dumps(document)
    with zipfile.ZipFile(saved, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match="Upgrade skseq"):
        skseq.load(saved)


def test_the_weights_are_plain_safetensors(saved, fitted):
    with zipfile.ZipFile(saved) as archive:
        arrays = load_tensors(archive.read("weights.safetensors"))
    assert len(save_tensors(arrays)) < 20_000
    weights = {n: w for n, w in arrays.items() if n.startswith(WEIGHTS)}
    assert arrays.keys() - weights.keys() == {"classes_", "mean_", "scale_"}
    for weight, value in zip(fitted.model_.weights, fitted._weights, strict=True):
        np.testing.assert_array_equal(weights[f"{WEIGHTS}{weight.path}"], value)


def test_a_long_vocabulary_does_not_make_the_header_long(saved_translator):
    before = read_archive(saved_translator)
    words = np.array([f"{i:09}" for i in range(100_000)], object)
    edit_fitted(source_vocabulary_=words)(before.header, before.arrays)
    write_archive(saved_translator, before.header, before.arrays)
    with zipfile.ZipFile(saved_translator) as archive:
        assert archive.getinfo("skseq.json").file_size < 5000


# -- the shapes of weights -------------------------------------------------------------


@pytest.fixture(params=SAVED, ids=str)
def network(request):
    """A network's function and its settings, which `fit` chooses before it builds."""
    case = request.param
    estimator = case.make()
    data = estimator._check_data(case.X, case.y, None, reset=True)
    return estimator._network, estimator._make_settings(data, None, {})


@pytest.mark.slow
def test_the_shapes_are_those_of_the_network_in_its_order(network):
    make, settings = network
    shapes, model = weight_shapes(make, settings), make(**settings)
    assert list(shapes.items()) == [(w.path, tuple(w.shape)) for w in model.weights]
    assert len(model.trainable_weights) == len(model.weights)


def test_the_weights_of_a_small_network_are_these(fitted):
    sizes = {"n_features": 5, "n_labels": 4, "units": (3,), "cell": "gru"}
    convolution = {"conv_filters": (2,), "conv_strides": (1,), "conv_kernel_size": 3}
    settings = {**fitted._settings, **sizes, **convolution}
    assert weight_shapes(fitted._network, settings) == {
        "conv_0/convolution/kernel": (3, 5, 2),
        "conv_0/convolution/bias": (2,),
        "conv_0/normalization/gamma": (2,),
        "conv_0/normalization/beta": (2,),
        "forward_0/gru/gru_cell/kernel": (2, 9),
        "forward_0/gru/gru_cell/recurrent_kernel": (3, 9),
        "forward_0/gru/gru_cell/bias": (2, 9),
        "backward_0/gru/gru_cell/kernel": (2, 9),
        "backward_0/gru/gru_cell/recurrent_kernel": (3, 9),
        "backward_0/gru/gru_cell/bias": (2, 9),
        "logits/kernel": (6, 5),
        "logits/bias": (5,),
    }


def resident_bytes():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_the_shapes_of_a_vast_network_take_little_memory(network):
    make, settings = network
    weight_shapes(make, settings)  # whatever is made once
    before = resident_bytes()
    tracemalloc.start()
    shapes = weight_shapes(make, {**settings, "units": (100_000,)})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert max(max(shape, default=1) for shape in shapes.values()) >= 300_000
    assert most < 2**22
    assert resident_bytes() - before < 2**24  # one kernel would take 2**37


def name_counts():
    """How many objects of a few kinds Keras has named so far."""
    layer = keras.layers.Dropout(0.5)
    named = [keras.Input((1,)), layer, layer.seed_generator, keras.layers.Add()]
    return [int(re.sub(r"\D", "", obj.name) or 0) for obj in named]


def test_asking_for_shapes_leaves_nothing_behind_in_keras(network):
    before, randomness = name_counts(), random.getstate()
    weight_shapes(*network)
    assert random.getstate() == randomness
    assert np.subtract(name_counts(), before).tolist() == [1] * len(before)


def test_asking_for_shapes_in_another_graph_adds_nothing_to_it(network):
    with tf.Graph().as_default() as graph:
        weight_shapes(*network)
    assert graph.get_operations() == []


def test_a_network_that_cannot_be_built_is_an_error_of_its_own(network):
    with pytest.raises(TypeError, match="n_tables"):
        weight_shapes(network[0], {**network[1], "n_tables": 3})


def refused_at_once(path):
    """The refusal of a file, with no network built and little memory taken."""
    tracemalloc.start()
    with pytest.raises(ValueError, match="is not a skseq file") as caught:
        skseq.load(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 5 * path.stat().st_size + 2**24
    return str(caught.value)


@pytest.fixture
def no_network(monkeypatch):
    monkeypatch.setattr(keras, "Input", None)
    monkeypatch.setattr(keras, "Model", None)


ENDLESS = {
    "units": (3,) * 300_000,
    "conv_filters": (3,) * 300_000,
    "conv_strides": [1] * 300_000,
    "front_end_parameters": (("filters", [3] * 300_000),),
    "cell": np.ones(3_000_000, "int8"),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_file_cannot_name_more_layers_than_it_has_weights(saved, name, no_network):
    rewritten(saved, edit_setting(name, ENDLESS[name]))
    assert "its weights do not fit its settings, which name 300" in refused_at_once(
        saved
    )


def test_a_file_of_nine_megabytes_of_layers_is_refused(saved, no_network):
    with zipfile.ZipFile(saved) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(members["skseq.json"])
    document["header"]["fitted"]["_settings"]["units"] = {"$tuple": [3] * 3_000_000}
    members["skseq.json"] = json.dumps(document)
    with zipfile.ZipFile(saved, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert saved.stat().st_size > 9_000_000
    assert "skseq.json cannot have" in refused_at_once(saved)


def test_a_file_cannot_name_layers_without_end_even_with_weights(saved, no_network):
    def deepen(header, arrays):
        edit_setting("units", (1,) * (MAX_LAYERS + 1))(header, arrays)
        for i in range(10 * MAX_LAYERS):
            arrays[f"{WEIGHTS}forward_{i}/kernel"] = np.ones((1, 4), "float32")

    refusal = refused_at_once(rewritten(saved, deepen))
    assert f"up to {MAX_LAYERS} layers" in refusal


def test_a_network_that_could_not_be_loaded_is_not_saved(fitted, tmp_path):
    deep = pickle.loads(pickle.dumps(fitted))
    deep._settings = {**deep._settings, "units": (1,) * (MAX_LAYERS + 1)}
    deep._weights = [np.ones(1, "float32")] * 10 * MAX_LAYERS
    with pytest.raises(ValueError, match=f"up to {MAX_LAYERS} layers.* can be pickled"):
        deep.save(tmp_path / "deep")
    assert list(tmp_path.iterdir()) == []


def many_tokens(header, arrays):
    tokens = np.array([f"{i:x}" for i in range(500_000)], "object")
    edit_packed("fitted", "source_vocabulary_", value=tokens)(header, arrays)


def test_very_many_short_texts_are_refused(saved_translator, no_network):
    refusal = refused_at_once(rewritten(saved_translator, many_tokens))
    assert "its texts and lists would take more memory" in refusal


def test_an_estimator_of_very_many_short_texts_is_not_saved(translator, tmp_path):
    vast = pickle.loads(pickle.dumps(translator))
    vast.source_vocabulary_ = np.array([f"{i:x}" for i in range(500_000)], "object")
    with pytest.raises(ValueError, match=r"could not be loaded: .* can be pickled"):
        vast.save(tmp_path / "vast")
    assert list(tmp_path.iterdir()) == []


CONTAINERS = ("[%s]", '{"$tuple":[%s]}', '{"a":%s}')


def nested(container, n):
    start, end = container.split("%s")
    return json.loads(start * n + "1" + end * n)


@pytest.mark.parametrize("container", CONTAINERS)
def test_deeply_nested_values_are_refused_in_words(saved, container):
    value = nested(container, 70)
    with pytest.raises(ValueError, match="nested more than 64 levels deep"):
        skseq.load(rewritten(saved, edit("fitted", "history_", value=value)))


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("place", [("fitted", "history_"), ("nobody", "reads it")])
def test_what_is_nested_deeper_is_refused_wherever_it_stands(saved, container, place):
    def buried(header, arrays):
        header.setdefault(place[0], {})[place[1]] = nested(container, 400)

    with pytest.raises(ValueError, match=r"json is nested more than 200 levels deep"):
        skseq.load(rewritten(saved, buried))
