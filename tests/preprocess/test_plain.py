"""Steps become plain values and come back, for files."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer

import skseq
from skseq._preprocess.plain import build_steps, describe_steps
from skseq.augmentation import (
    Compose,
    GaussianNoise,
    OneOf,
    SpecAugment,
    TimeMask,
    augmenter,
)
from skseq.preprocessing import SequenceNormalizer
from tests.contract.comparing import assert_same_weights
from tests.estimators import CTC

NESTED = [
    SequenceNormalizer(with_std=False),
    Compose([SpecAugment(), OneOf([TimeMask(), GaussianNoise(0.5)], weights=[1, 2])]),
]


def test_a_description_is_plain_and_is_built_again():
    description = describe_steps(NESTED)
    assert description[0] == {
        "step": "SequenceNormalizer",
        "parameters": {"with_mean": True, "with_std": False},
    }
    assert repr(build_steps(description)) == repr(NESTED)
    assert build_steps(describe_steps(None)) is None


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"step": "LogMel"}, r"a step of preprocess has the keys \['step'\]"),
        ({"step": "os.system", "parameters": {}}, "unknown step 'os.system'"),
        ({"step": "augmenter", "parameters": {}}, "unknown step 'augmenter'"),
    ],
)
def test_a_description_of_no_step_of_ours_is_refused(description, message):
    with pytest.raises(ValueError, match=message):
        build_steps([description])


def test_steps_are_saved_by_name_and_parameters(tmp_path):
    reader = CTC.tiny(preprocess=NESTED).fit(CTC.X, CTC.y)
    reader.save(tmp_path / "reader.skseq")
    loaded = skseq.load(tmp_path / "reader.skseq")
    assert repr(loaded.preprocess) == repr(NESTED)
    np.testing.assert_array_equal(
        CTC.degrees_of(loaded, CTC.X), CTC.degrees_of(reader, CTC.X)
    )
    assert_same_weights(
        loaded.partial_fit(CTC.X, CTC.y),
        clone(reader).set_params(epochs=2).fit(CTC.X, CTC.y),
    )


@augmenter
def untouched(sequence, rng):
    return sequence


@pytest.mark.parametrize("step", [untouched, FunctionTransformer(np.negative)])
def test_steps_of_others_cannot_be_saved(tmp_path, step):
    reader = CTC.tiny(preprocess=[step])
    with pytest.raises(TypeError, match=r"preprocess\[0\].* Pickle the estimator"):
        reader.fit(CTC.X, CTC.y).save(tmp_path / "reader.skseq")
