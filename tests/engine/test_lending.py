"""Which programs are lent to whom, kept and dropped."""

import os
import warnings

import numpy as np
import pytest

import skseq
from skseq._engine.lending import DEFAULT_BYTES, borrow
from skseq._engine.optimizers import make_optimizer
from skseq._engine.programs import FUNCTION_BYTES
from skseq._nn.initial_weights import initial_weights
from tests.estimators import CTC
from tests.processes import run_python
from tests.tiny import RECIPE, frame_data, recipe_with


@pytest.fixture(autouse=True)
def empty_shelf():
    skseq.clear_programs()
    yield
    skseq.set_program_memory(DEFAULT_BYTES)
    skseq.clear_programs()


def lent(recipe=RECIPE, weights=None):
    """The identity of the program that the next borrower of a recipe gets."""
    with borrow(recipe, weights) as program:
        return id(program), program


def numbered(n):
    """Different recipes of small networks."""
    return [recipe_with(n_labels=2 + i, units=()) for i in range(n)]


def test_a_program_is_lent_again_to_an_equal_recipe():
    first, _kept = lent(recipe_with())
    second, _ = lent(recipe_with())
    other, _ = lent(recipe_with(units=(4,)))
    assert first == second != other


def test_two_borrowers_at_a_time_get_two_programs():
    with borrow(RECIPE) as first, borrow(RECIPE) as second:
        assert first is not second
        assert not {id(w) for w in first.model.weights} & {
            id(w) for w in second.model.weights
        }


def test_the_program_that_holds_a_borrowers_weights_already_is_preferred():
    with borrow(RECIPE) as first, borrow(RECIPE) as second:
        weights = [initial_weights(first.model, seed) for seed in (1, 2)]
        first.load(weights[0])
        second.load(weights[1])
    for expected, mine in ((first, weights[0]), (second, weights[1])):
        with borrow(RECIPE, mine) as program:
            assert program is expected


def test_recipes_that_hold_arrays_are_never_mistaken_for_each_other():
    recipes = [recipe_with(front_end_parameters=(np.zeros(2),)) for _ in range(2)]
    with borrow(RECIPE) as program:
        program.recipe = recipes[0]
    with pytest.raises(TypeError), borrow(recipes[1]):
        pass  # another one is built, which takes no such parameters


def test_cleared_programs_are_built_anew():
    first, _kept = lent()
    skseq.clear_programs()
    assert lent()[0] != first


# -- what failed -----------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_a_program_whose_borrower_failed_in_training_is_not_lent_again(error):
    def fail_in_training():
        with borrow(RECIPE) as program:
            failed.append(program)
            program.trainer(make_optimizer("sgd"))
            raise error

    failed = []
    with pytest.raises(error):
        fail_in_training()
    assert lent()[1] is not failed[0]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_program_is_lent_again_after_a_request_was_refused(error):
    with pytest.raises(error), borrow(RECIPE) as refused:
        raise error
    assert lent()[1] is refused


def test_weights_that_were_loaded_in_part_are_loaded_again(monkeypatch):
    with borrow(RECIPE) as program:
        weights = initial_weights(program.model, 0)
        program.load(weights)
        expected = program.infer(frame_data(3).assemble(np.arange(3)))
        others = initial_weights(program.model, 1)
    broken = [*others[:-1], np.zeros(99)]
    with pytest.raises(ValueError, match="shape"), borrow(RECIPE, broken):
        pass
    with borrow(RECIPE, weights) as again:
        assert again is program
        found = again.infer(frame_data(3).assemble(np.arange(3)))
    np.testing.assert_array_equal(found[0], expected[0])


# -- how many are kept -----------------------------------------------------------------


def test_fifty_small_programs_are_kept_by_default():
    recipes = numbered(50)
    kept = [lent(recipe) for recipe in recipes]
    assert [lent(recipe)[0] for recipe in recipes] == [mine for mine, _ in kept]


def test_the_programs_used_last_are_kept_within_the_bound():
    recipes = numbered(4)
    kept = [lent(recipe) for recipe in recipes]
    size = max(program.n_bytes for _, program in kept)
    skseq.set_program_memory(2 * size)
    assert lent(recipes[3])[0] == kept[3][0]
    assert lent(recipes[2])[0] == kept[2][0]
    assert lent(recipes[1])[0] != kept[1][0]


def test_the_program_used_last_is_kept_however_large_but_not_with_no_memory():
    skseq.set_program_memory(1)
    first, _kept = lent()
    assert lent()[0] == first
    skseq.set_program_memory(0)
    assert lent()[0] != first


def test_a_programs_size_grows_with_its_weights_optimizers_and_functions():
    with (
        borrow(recipe_with(units=(2,))) as small,
        borrow(recipe_with(units=(200,), bidirectional=False)) as large,
    ):
        n_values = sum(w.size for w in large.weights())
        assert large.n_bytes - small.n_bytes > 4 * (n_values - 1000)
        before = large.n_bytes
        large.trainer(make_optimizer("adam"))
        assert large.n_bytes > before + 2 * 4 * n_values + FUNCTION_BYTES - 1


def test_one_warning_tells_of_programs_that_are_traced_again_and_again():
    first, second = numbered(2)
    skseq.set_program_memory(1)
    for _ in range(2):
        lent(first)
        lent(second)
        with pytest.warns(UserWarning, match=r"skseq\.set_program_memory"):
            lent(first)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            lent(second)
        skseq.clear_programs()  # who starts afresh is warned afresh


@pytest.mark.parametrize("n_bytes", [-1, 1.5, "1GB", None, True])
def test_a_bound_that_is_not_a_number_of_bytes_is_refused(n_bytes):
    with pytest.raises(ValueError, match="'n_bytes' parameter of set_program_memory"):
        skseq.set_program_memory(n_bytes)


# -- processes -------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_is_told_and_does_not_hang():
    lent()
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:  # only TensorFlow's operations hang here
        try:
            lent()
        except RuntimeError as error:
            os.write(write_end, str(error).encode())
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as answer:
        message = answer.read().decode()
    os.waitpid(child, 0)
    assert "forked after TensorFlow had started" in message
    assert "spawn" in message


STARTS = {
    "skseq.load": "skseq.load(PATH)",
    "a refused fit": """
try:
    CTC(epochs=1).fit(X, [1.5] * 4)
except ValueError:
    pass
""",
    "an optimizer": "keras.optimizers.Adam()",
    "a tensor": "to_ragged_tensor(X)",
}

FORKING = """
import os, sys, warnings
warnings.simplefilter("ignore")
import keras, numpy as np, skseq
from skseq import CTCSequenceClassifier as CTC
from skseq.preprocessing import to_ragged_tensor
PATH, X = sys.argv[1], [np.ones((9, 2))] * 4
{start}
if not os.fork():
    try:
        CTC(units=2, epochs=1, conv_filters=()).fit(X, ["a"] * 4)
    except RuntimeError as error:
        print(str(error)[:50], flush=True)
    os._exit(0)
os.wait()
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("name", STARTS)
def test_whatever_started_tensorflow_a_forked_child_is_told(name, tmp_path):
    path = tmp_path / "reader.skseq"
    CTC.tiny().fit(CTC.X, CTC.y).save(path)
    said = run_python(FORKING.format(start=STARTS[name]), path)
    assert said.startswith("This process was forked after TensorFlow had start")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_that_is_forked_before_tensorflow_starts_can_fit():
    assert run_python(FORKING.format(start=""), "no file") == ""
