"""What estimators say of data that look like something else, and of near misses."""

import re
from enum import Enum

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image
from sklearn.exceptions import DataConversionWarning
from sklearn.preprocessing import StandardScaler

from skseq import LSTMAutoencoder
from skseq.preprocessing import FrameTransformer, SequenceNormalizer
from tests.data.samples import RAGGED, Lazy, with_value
from tests.estimators import AUTOENCODER, CTC, ESTIMATORS

READERS = [case for case in ESTIMATORS if case.reads_frames]
IMAGES = [np.full((20 + i, 8), i / 3) for i in range(3)]


def fit(case, X, **params):
    if case.counts_pairs:  # whose halves of two frames would lose all with their mean
        params = {"center": False, **params}
    return case.tiny(**params).fit(X, case.three_targets(X))


@pytest.fixture(scope="module")
def ocr():
    return fit(CTC, IMAGES, front_end="image", front_end__filters=2)


@pytest.fixture(scope="module")
def letters():
    return CTC.tiny().fit(RAGGED, ["ab", "b", "a"])


@pytest.mark.parametrize("case", READERS, ids=str)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_channels_before_time_are_warned_of_in_fit(case):
    X = np.random.default_rng(0).normal(size=(3, 2, 40))
    with pytest.warns(UserWarning, match=r"transpose: X = X\.transpose\(0, 2, 1\)\."):
        fit(case, X)


@pytest.mark.parametrize(
    "transformer", [FrameTransformer(StandardScaler()), SequenceNormalizer()]
)
def test_channels_before_time_are_warned_of_where_frames_are_scaled(transformer):
    with pytest.warns(UserWarning, match=r"transpose: X = \[x\.T for x in X\]\."):
        transformer.fit([np.ones((2, 40))] * 3)


@pytest.mark.parametrize("case", READERS, ids=str)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_raw_waveforms_are_warned_of_in_fit(case):
    X = [np.sin(np.arange(n) / 9) for n in (2002, 2003, 2004)]
    with pytest.warns(UserWarning, match=r"X = skseq\.preprocessing\.LogMel"):
        fit(case, X)


@pytest.mark.filterwarnings("error", "ignore::sklearn.exceptions.ConvergenceWarning")
def test_raw_waveforms_are_none_of_our_concern_where_strides_shorten_them():
    X = [np.sin(np.arange(n) / 9) for n in (2002, 2003, 2004)]
    fit(CTC, X, conv_filters=(2, 2), conv_kernel_size=8, conv_strides=8)


def test_too_few_frames_of_turned_series_are_told_to_be_transposed():
    X = np.random.default_rng(0).normal(size=(3, 2, 9))
    with pytest.raises(ValueError, match=r"3 labels .* only 2 .*X\.transpose\(0, 2"):
        CTC.tiny().fit(X, ["abc", "a", "b"])


def test_one_label_per_frame_is_told_to_leave_out_repetitions(letters):
    y = [["a"] * (len(x) - 2) + ["b"] * 2 for x in RAGGED]
    for use in (CTC.tiny().fit, letters.align):
        with pytest.raises(ValueError, match=r"\[k for k, _ in itertools\.groupby"):
            use(RAGGED, y)


def test_labels_to_align_are_not_told_what_fit_could_do(letters):
    with pytest.raises(ValueError, match=r"Shorten y\[1\], or leave the sample out\."):
        letters.align(RAGGED, ["a", "abababab", "b"])


@pytest.mark.parametrize("case", READERS, ids=str)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_table_of_sensors_is_warned_of_in_fit(case):
    table = pd.DataFrame(np.eye(3, 2), columns=["x", "y"])
    with pytest.warns(UserWarning, match=r"3 sequences of 2 frames .*'x' and so on"):
        fit(case, table)


@pytest.mark.parametrize("case", READERS, ids=str)
@pytest.mark.filterwarnings("error", "ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_table_whose_columns_count_is_one_of_sequences(case):
    table = pd.DataFrame(np.eye(3, 2), columns=["t0", "t1"])
    fit(case, table)


@pytest.mark.parametrize(
    ("shape", "cure"),
    [
        ((30, 8, 1), r"last axis .* x\.mean\(axis=-1\), .* the first axis holds rows"),
        ((8, 30, 3), r"last axis .* x\.mean\(axis=-1\), .* the first axis holds rows"),
        ((3, 8, 30), r"first axis .* x\.mean\(axis=0\), .* second axis holds rows"),
        ((9, 8, 30), r"array of grey values\.$"),
    ],
)
def test_images_of_several_colours_are_told_how_to_become_grey(shape, cure):
    with pytest.raises(ValueError, match=cure):
        fit(CTC, [np.ones(shape)] * 3, front_end="image", front_end__filters=2)


def test_one_label_and_one_frame_are_singular():
    message = r"y\[0\] has 1 label but X\[0\] has only 0 output frames .*1 other is as"
    with pytest.raises(ValueError, match=message):
        CTC.tiny(skip_frames=4).fit(RAGGED, ["a", "b", "a"])


def test_an_image_reader_speaks_of_images(ocr):
    for use in (ocr.predict, lambda X: ocr.partial_fit(X, ["a"])):
        with pytest.raises(ValueError, match="a height of 9 pixels") as refusal:
            use([np.ones((20, 9))])
        assert "feature" not in str(refusal.value)
    with pytest.raises(ValueError, match=r"image is a \(width, height\) array"):
        ocr.predict([np.ones((8, 20, 3))])


@pytest.mark.parametrize("case", READERS, ids=str)
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_a_lazy_x_that_changes_after_the_check_is_named_by_fit_and_predict(case, value):
    changed = with_value(value)

    def changing():
        n_readings = iter(range(99))
        return Lazy(lambda i: (RAGGED if next(n_readings) < 3 else changed)[i])

    with pytest.raises(ValueError, match=r"X\[1\]"):
        case.tiny().fit(changing(), case.three_targets(RAGGED))
    fitted = fit(case, RAGGED)
    with pytest.raises(ValueError, match=r"X\[1\]"):
        case.answers_of(fitted, changing())


def test_a_changed_front_end_is_named_as_the_user_writes_it(ocr):
    again = CTC.tiny(front_end="image", front_end__filters=2)
    vars(again).update(vars(ocr))
    again.set_params(front_end__filters=3, front_end__features=5)
    message = (
        "front_end__filters was (2,) and is (3,); front_end__features was unset and "
        "is 5. Set it back"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        again.partial_fit(IMAGES, ["a", "b", "a"])


def test_a_score_against_labels_of_another_kind_is_an_error(letters):
    with pytest.raises(ValueError, match=r"y\[0\] has the label 1, which was not seen"):
        letters.score(RAGGED, [[1], [2], [1]])
    assert letters.score(RAGGED, ["x", "y", "z"]) <= 0


def test_members_of_an_enum_are_learnt_and_scored_as_text():
    letter = Enum("Letter", {"A": "a", "B": "b"}, type=str)
    y = [[letter.A, letter.B], [letter.B], [letter.A]]
    clf = CTC.tiny().partial_fit(RAGGED, y, classes=[letter.A, letter.B])
    assert clf.classes_.tolist() == ["a", "b"]
    plain = [["a", "b"], ["b"], ["a"]]
    assert (clf.score_samples(RAGGED, y) == clf.score_samples(RAGGED, plain)).all()
    assert clf.score(RAGGED, y) == clf.score(RAGGED, plain)


def test_missing_values_of_a_table_are_named_by_their_column():
    table = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, np.nan]})
    with pytest.raises(ValueError, match=r"X\[1, 1\], column 'b'") as refusal:
        AUTOENCODER.tiny().fit(table)
    assert "sklearn" not in str(refusal.value)


@pytest.mark.parametrize("case", READERS, ids=str)
@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize(("value", "kind"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_values_that_are_not_finite_are_named_by_their_column(
    case, library, value, kind
):
    tables = [library.DataFrame({"a": [1.0, 2.0], "b": [v, 4.0]}) for v in (3.0, value)]
    with pytest.raises(
        ValueError, match=rf"{kind} \(X\[1\]\[0, 1\], column 'b'; 1 non"
    ):
        fit(case, [*tables, tables[0]])


def test_a_null_of_polars_is_named_by_its_column():
    tables = [pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, None]})] * 3
    with pytest.raises(ValueError, match=r"X\[0\]\[1, 1\], column 'b'"):
        fit(AUTOENCODER, tables)


def test_columns_named_by_values_of_several_types_are_told_to_become_text():
    tables = [pd.DataFrame(np.ones((4, 2)), columns=["a", 1])] * 3
    with pytest.raises(TypeError, match=r"x\.columns = x\.columns\.astype\(str\)"):
        fit(AUTOENCODER, tables)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_an_image_of_pil_is_told_how_to_become_frames(mode):
    image = Image.new(mode, (30, 20))
    with pytest.raises(TypeError, match=r"np\.asarray\(X\[0\].*\)\.T"):
        fit(CTC, [image] * 3, front_end="image")
    made = np.asarray(image.convert("L")).T
    assert made.shape == (30, 20)


def test_errors_in_validation_data_speak_of_what_was_given():
    bad = [np.full((3, 3), np.nan)]
    with pytest.raises(ValueError, match="In X_val: Input X contains NaN"):
        AUTOENCODER.tiny().fit(RAGGED, X_val=bad)
    with pytest.raises(ValueError, match="In X_val and y_val: Input X contains NaN"):
        CTC.tiny().fit(RAGGED, ["a", "b", "a"], X_val=bad, y_val=["a"])


def test_a_warning_of_the_form_of_y_points_at_the_users_line():
    y = np.array([["a"], ["b"], ["a"]])
    with pytest.warns(DataConversionWarning, match=r"pass y\.ravel\(\)") as caught:
        CTC.tiny(target="single").fit(RAGGED, y)
    assert {w.filename for w in caught} == {__file__}


def test_a_table_of_one_column_of_labels_is_told_to_name_the_column():
    y = pd.DataFrame({"text": ["ab", "b", "a"]})
    with pytest.raises(ValueError, match=r"one label sequence per sample: y\['text'\]"):
        CTC.tiny().fit(RAGGED, y)


def test_what_the_decoder_reads_is_named_by_its_parameter():
    with pytest.raises(TypeError, match="Set decoder_input to 'output' or 'code'"):
        LSTMAutoencoder(decoder="code")
