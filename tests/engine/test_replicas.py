"""Training that is shared out among devices and processes."""

import json
import socket

import pytest

from tests.processes import output_of, start_python

pytestmark = pytest.mark.slow

FITS = """
import json, os, sys, warnings
import numpy as np
import tensorflow as tf
from tests.toy import reversals, symbol_runs
from skseq import CTCSequenceClassifier, LSTMAutoencoder, Seq2SeqTranslator

warnings.simplefilter("ignore")
X, symbols, _ = symbol_runs(13)  # no batch size here divides it
y = [row.tolist() for row in symbols]
letters, reversed_letters = reversals(13)
weights = np.linspace(0, 2, 13)
shared = {"units": 4, "epochs": 3, "batch_size": 4, "dropout": 0.0, "random_state": 0}

def fits(strategy):
    '''Weights and losses of each estimator, trained under a strategy.'''
    common = {**shared, "distribute": strategy}
    translator = Seq2SeqTranslator(
        embedding_dim=3, source_tokenizer=None, target_tokenizer=None,
        global_clipnorm=0.5, ema_decay=0.9, **common
    )
    yield CTCSequenceClassifier(**common).fit(X, y, sample_weight=weights)
    yield translator.fit(letters, reversed_letters)
    yield LSTMAutoencoder(cell="gru", optimizer="sgd", **common).fit(X)

def worst_difference(some, others):
    '''Between weights and between losses.'''
    found = 0.0
    for a, b in zip(some, others, strict=True):
        for left, right in zip(a._weights, b._weights, strict=True):
            found = max(found, np.abs(left - right).max())
        losses = np.subtract(a.history_["loss"], b.history_["loss"])
        found = max(found, np.abs(losses).max())
    return float(found)
"""

TWO_DEVICES = """
cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
import copy, pickle, tempfile
from sklearn.base import clone
import skseq

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
found = {"difference": worst_difference(fits(strategy), fits(None))}
clf = next(fits(strategy))
found["copies share it"] = all(
    c.distribute is strategy for c in (clone(clf), copy.copy(clf), copy.deepcopy(clf))
)
path = tempfile.mkdtemp() + "/clf.skseq"
clf.save(path)
others = [pickle.loads(pickle.dumps(clf)), skseq.load(path)]
found["files leave it out"] = all(o.distribute is None for o in others)
found["predictions"] = all((o.predict(X) == clf.predict(X)).all() for o in others)
dropping = {**shared, "dropout": 0.5, "distribute": strategy}
a, b = (CTCSequenceClassifier(**dropping).fit(X, y) for _ in range(2))
found["dropout is seeded"] = all(map(np.array_equal, a._weights, b._weights))
found["it continues"] = clf.partial_fit(X, y).n_iter_
print(json.dumps(found))
"""

ONE_OF_TWO_PROCESSES = """
strategy = tf.distribute.MultiWorkerMirroredStrategy()
assert strategy.num_replicas_in_sync == 2
found = {"difference": worst_difference(list(fits(strategy)), list(fits(None)))}
print(json.dumps(found))
"""


def result(process):
    return json.loads(output_of(process).splitlines()[-1])


def free_ports(n):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


@pytest.fixture(scope="module")
def on_two_devices():
    return result(start_python(FITS + TWO_DEVICES))


def test_two_devices_learn_what_one_does(on_two_devices):
    assert on_two_devices["difference"] < 1e-5


def test_a_strategy_stays_with_copies_and_out_of_files(on_two_devices):
    assert on_two_devices["copies share it"]
    assert on_two_devices["files leave it out"]
    assert on_two_devices["predictions"]


def test_training_on_two_devices_is_seeded_and_continues(on_two_devices):
    assert on_two_devices["dropout is seeded"]
    assert on_two_devices["it continues"] == 4


def test_two_processes_learn_what_one_does():
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    processes = []
    for index in range(2):
        task = {"type": "worker", "index": index}
        config = json.dumps({"cluster": {"worker": workers}, "task": task})
        code = FITS + ONE_OF_TWO_PROCESSES
        processes.append(start_python(code, TF_CONFIG=config))
    for process in processes:
        assert result(process)["difference"] < 1e-5
