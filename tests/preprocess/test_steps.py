"""What may be a step, and what is said of what may not."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from skseq import LSTMAutoencoder
from skseq.augmentation import (
    AddNoise,
    Compose,
    Crop,
    FeatureWarp,
    Gain,
    GaussianNoise,
    OneOf,
    Shift,
    Sometimes,
    SpecAugment,
    TimeMask,
    TimeStretch,
)
from skseq.preprocessing import (
    MFCC,
    FrameTransformer,
    LogMel,
    SequenceNormalizer,
    SlidingWindows,
)
from tests.estimators import AUTOENCODER, CTC, ESTIMATORS


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (LogMel(), r"Did you mean preprocess=\[LogMel\(\)\]\?"),
        ([TimeMask(), LogMel], r"preprocess\[1\] is a class\. Did you mean LogMel\(\)"),
        ([StandardScaler()], r"preprocess\[0\], StandardScaler, learns .* a Pipeline"),
        ([FrameTransformer(Normalizer())], r"is a FrameTransformer, which may learn"),
        ([len], r"preprocess\[0\] is not marked: pass skseq\.augmentation\.augmenter"),
        (["log"], r"preprocess\[0\] is 'log'\. Pass the step itself, for example"),
        (["logmel"], r"preprocess\[0\] is 'logmel'\. Did you mean LogMel\(\)\?"),
        ("log_mel", r"preprocess is 'log_mel'\. Did you mean LogMel\(\)\?"),
        (LogMel, r"preprocess is a class\. Did you mean LogMel\(\)\?"),
        (
            FrameTransformer(Normalizer()),
            r"preprocess is a FrameTransformer, .* in a Pipeline,",
        ),
        (len, r"preprocess is not marked: pass skseq\.augmentation\.augmenter"),
        ("log", r"Got 'log' instead\. preprocess is 'log'\. Pass the step itself"),
        ([SlidingWindows(5)], r"SlidingWindows, makes several sequences .* a Pipeline"),
        (
            [make_pipeline(SequenceNormalizer())],
            r"is a Pipeline\. Write its steps into",
        ),
        ([[Crop()]], r"preprocess\[0\] is a list\. Write its entries into the list"),
        ([3], r"preprocess\[0\], int, is neither an augmenter nor a transformer"),
    ],
)
@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_what_is_not_a_list_of_steps_is_told_what_to_write(case, steps, message):
    with pytest.raises(
        ValueError, match=rf"^The 'preprocess' parameter of .*{message}"
    ):
        case.tiny(preprocess=steps).fit(case.X, case.y)


@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_parameters_of_steps_are_checked_before_anything_is_read(case):
    class Unread:
        def __len__(self):
            return 3

        def __getitem__(self, i):
            raise AssertionError

    steps = [SpecAugment(), Sometimes(GaussianNoise(-1))]
    with pytest.raises(
        ValueError, match=r"^preprocess\[1\], Sometimes: The 'scale' pa"
    ):
        case.tiny(preprocess=steps).fit(Unread(), case.y)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([LogMel(), Gain()], r"\[1\], Gain, .* waveforms\. Put it before .*\[0\], Log"),
        (
            [TimeMask(), MFCC(), Sometimes(AddNoise())],
            r"\[2\], Sometimes with AddNoise.* before",
        ),
        (
            [SpecAugment(), LogMel()],
            r"\[0\], SpecAugment, .* Put it after .*\[1\], Log",
        ),
        (
            [OneOf([TimeMask(), FeatureWarp()]), MFCC()],
            r"\[0\], OneOf with FeatureW.* after",
        ),
    ],
)
@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_augmenters_on_the_wrong_side_of_an_analysis_are_told_where(
    case, steps, message
):
    with pytest.raises(ValueError, match=f"^preprocess{message}"):
        case.tiny(preprocess=steps).fit(case.X, case.y)


def test_a_waveform_that_is_too_short_for_a_step_names_the_step():
    with pytest.raises(ValueError, match=r"^preprocess\[0\], LogMel, .*200 audio samp"):
        CTC.tiny(preprocess=[LogMel(8000)]).fit([np.ones(10)] * 4, ["a", "b"] * 2)


def test_what_moves_frames_inside_another_augmenter_is_named():
    step = Compose([GaussianNoise(), Sometimes(Shift())])
    with pytest.raises(ValueError, match=r"preprocess\[0\], Compose with Shift, may"):
        LSTMAutoencoder(preprocess=[step]).fit(AUTOENCODER.X)


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (Crop(0.5), "Crop"),
        (Sometimes(TimeStretch()), "Sometimes with TimeStretch"),
        (OneOf([TimeMask(), Crop(0.2)]), "OneOf with Crop"),
    ],
)
def test_the_autoencoder_refuses_augmenters_that_change_the_frames(step, name):
    with pytest.raises(ValueError, match=rf"preprocess\[1\], {name}, may change the"):
        LSTMAutoencoder(preprocess=[TimeMask(), step]).fit(AUTOENCODER.X)


def test_a_step_that_is_changed_after_fit_changes_no_prediction():
    step = SequenceNormalizer()
    coder = AUTOENCODER.tiny(preprocess=[step]).fit(AUTOENCODER.X)
    expected = coder.score_samples(AUTOENCODER.X)
    step.with_std = False
    np.testing.assert_array_equal(coder.score_samples(AUTOENCODER.X), expected)


def test_steps_are_cloned_and_searched_over():
    steps = [SequenceNormalizer(), Sometimes(OneOf([TimeMask(), GaussianNoise()]))]
    reader = CTC.tiny(preprocess=steps)
    copy = clone(reader)
    assert repr(copy) == repr(reader)
    assert copy.preprocess[0] is not steps[0]
    grid = {"preprocess": [None, [SequenceNormalizer()], [GaussianNoise(0.1)]]}
    search = GridSearchCV(CTC.tiny(), grid, cv=2).fit(CTC.X, CTC.y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
