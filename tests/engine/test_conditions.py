import os

import keras
import pytest

from skseq._engine.conditions import conditions
from skseq._nn.compiled import is_available
from tests.processes import run_python

KINDS = ("intra", "inter")


def test_the_conditions_are_the_same_while_nothing_is_changed():
    assert conditions() == conditions()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity here")
def test_without_settings_there_is_a_thread_for_each_core(monkeypatch):
    for kind in KINDS:
        monkeypatch.delenv(f"TF_NUM_{kind.upper()}OP_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 5})
    found = conditions()
    assert [found[f"{kind}_op_parallelism_threads"] for kind in KINDS] == [3, 3]


@pytest.mark.parametrize(("text", "n_threads"), [("7", 7), ("0", 3), ("many", 3)])
def test_the_environment_sets_the_number_of_threads(text, n_threads, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 5}, raising=False)
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", text)
    assert conditions()["intra_op_parallelism_threads"] == n_threads


CHOSEN = """
from skseq._engine.conditions import conditions
print(conditions()["recurrences"])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"SKSEQ_NATIVE": "0"}, "not compiled"),
        ({"SKSEQ_INSTRUCTIONS": "plain"}, "plain"),
    ],
)
def test_what_the_recurrences_run_with_counts(environment, name):
    if name == "plain" and not is_available():
        pytest.skip("needs compiled recurrences")
    assert run_python(CHOSEN, **environment) == f"{name}\n"


@pytest.mark.slow
def test_what_is_set_in_tensorflow_counts():
    code = """if True:
        import tensorflow as tf
        from skseq._engine.conditions import conditions
        tf.config.threading.set_intra_op_parallelism_threads(5)
        before = conditions()
        tf.config.experimental.enable_op_determinism()
        tf.random.set_seed(1)  # whose presence must not hide it
        after = conditions()
        print(before["intra_op_parallelism_threads"])
        print(before["op_determinism"], after["op_determinism"])
    """
    environment = {"TF_NUM_INTRAOP_THREADS": "7"}
    assert run_python(code, **environment).split() == ["5", "False", "True"]


def test_the_precision_of_keras_counts():
    before = conditions()
    keras.config.set_floatx("float64")
    try:
        assert conditions() != before
    finally:
        keras.config.set_floatx("float32")
