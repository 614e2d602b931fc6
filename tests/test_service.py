"""The example service answers as the pipeline does, to many threads and by workers."""

import io
import json
import os
import socket
import subprocess
import sys
import time
import wave
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

import skseq
from skseq import CTCSequenceClassifier
from skseq.datasets import make_letters
from skseq.preprocessing import LogMel

for module in ("fastapi", "uvicorn", "gunicorn", "uvicorn_worker"):
    pytest.importorskip(module)

ROOT = Path(__file__).parents[1]
SERVICE = ROOT / "examples" / "service"
N_THREADS = 16
RATE = 8000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SERVICE.exists(), reason="the examples are not there"),
]


@pytest.fixture(scope="module")
def pipeline():
    """One that has learnt enough to write different things."""
    X, y = make_letters(
        80, n_letters=(1, 3), sample_rate=RATE, random_state=0, return_X_y=True
    )
    reader = CTCSequenceClassifier(
        units=16, epochs=30, learning_rate=1e-2, random_state=0
    )
    return make_pipeline(LogMel(RATE), reader).fit(X, y)


@pytest.fixture(scope="module")
def model(pipeline, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "reader.skseq"
    skseq.save(pipeline, path)
    return path


@pytest.fixture(scope="module")
def steps():
    """An estimator that reads recordings by itself, of which some are too short."""
    X, y = make_letters(8, sample_rate=RATE, random_state=0, return_X_y=True)
    settings = {"preprocess": [LogMel(RATE)], "conv_filters": (), "skip_frames": 5}
    clf = CTCSequenceClassifier(units=4, epochs=1, random_state=0, **settings)
    return clf.fit(X, y)


@pytest.fixture(scope="module")
def recordings():
    X, _ = make_letters(
        40, n_letters=(1, 3), sample_rate=RATE, random_state=1, return_X_y=True
    )
    return [(32767 * x).astype("<i2") for x in X]


def wav(samples, rate=RATE):
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(rate)
        written.writeframes(samples.tobytes())
    return file.getvalue()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def running(command, model):
    """The address of a service that has been started, and is ready."""
    port = free_port()
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "MODEL": str(model), "PYTHONPATH": path}
    process = subprocess.Popen(
        [sys.executable, "-m", *command(port)], cwd=SERVICE, env=environment
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urlopen(f"{address}/health").close()
                break
            except URLError:
                assert process.poll() is None, "the service has ended"
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def uvicorn(port):
    return ["uvicorn", "service:app", "--port", str(port), "--log-level", "warning"]


@pytest.fixture
def ask(monkeypatch):
    monkeypatch.syspath_prepend(str(SERVICE))
    return import_module("ask").ask


def gunicorn(port):
    workers = ["--workers", "2", "--worker-class", "uvicorn_worker.UvicornWorker"]
    return ["gunicorn", "service:app", "--bind", f"127.0.0.1:{port}", *workers]


@pytest.mark.parametrize("command", [uvicorn, gunicorn])
def test_many_threads_are_answered_as_the_pipeline_predicts(
    command, pipeline, model, recordings, ask
):
    expected = pipeline.predict(recordings).tolist()
    assert len(set(expected)) > 10  # or nothing is compared
    contents = list(map(wav, recordings))
    with running(command, model) as address, ThreadPoolExecutor(N_THREADS) as threads:
        for _ in range(3):
            found = list(threads.map(lambda content: ask(address, content), contents))
            assert found == expected


def test_what_cannot_be_read_is_answered_in_words(model, ask):
    refused = {
        b"no sound": "not a whole WAV file",
        wav(np.zeros(100, "<i2"))[:30]: "not a whole WAV file",
        wav(np.zeros(100, "<i2"))[:-20]: "cut off",
        wav(np.zeros(100, "<i2"), 44100): "one channel of 16 bits at 8000 Hz",
        wav(np.zeros(61 * RATE, "<i2")): "no more than 60 seconds",
        wav(np.zeros(0, "<i2")): "X[0] has 0 frame(s)",
    }
    with running(uvicorn, model) as address:
        for content, words in refused.items():
            with pytest.raises(HTTPError) as error:
                ask(address, content)
            assert error.value.code == 422
            assert words in json.load(error.value)["detail"]
        ask(address, wav(np.ones(4000, "<i2")))  # it goes on


def test_an_estimator_that_reads_recordings_by_itself_is_served(
    steps, recordings, ask, tmp_path
):
    skseq.save(steps, tmp_path / "model.skseq")
    with running(uvicorn, tmp_path / "model.skseq") as address:
        for recording in recordings[:3]:
            assert ask(address, wav(recording)) == steps.predict([recording])[0]
        with pytest.raises(HTTPError) as error:
            ask(address, wav(np.ones(100, "<i2")))
        assert error.value.code == 422
        assert "skip_frames leave none" in json.load(error.value)["detail"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "MODEL must read recordings"),
        ({"preprocess": [LogMel(RATE)]}, "MODEL must write text"),
    ],
)
def test_a_model_that_does_not_read_recordings_ends_the_start(
    settings, words, recordings, tmp_path
):
    X = recordings[:8] if settings else [np.ones((9, 2))] * 8
    y = [["a"], ["b", "c"]] * 4  # which are no strings
    clf = CTCSequenceClassifier(units=4, epochs=1, random_state=0, **settings)
    skseq.save(clf.fit(X, y), tmp_path / "model.skseq")
    environment = {**os.environ, "MODEL": str(tmp_path / "model.skseq")}
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(ROOT), os.environ.get("PYTHONPATH", "")]
    )
    command = [sys.executable, "-m", *uvicorn(free_port())]
    done = subprocess.run(
        command, cwd=SERVICE, env=environment, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert words in done.stderr


def test_a_fault_of_the_server_is_not_the_clients(steps, monkeypatch, tmp_path):
    skseq.save(steps, tmp_path / "model.skseq")
    monkeypatch.setenv("MODEL", str(tmp_path / "model.skseq"))
    monkeypatch.syspath_prepend(str(SERVICE))
    service = import_module("service")
    state = service.app.state
    for error in (ValueError("the weights are broken"), TypeError("no list")):

        class Broken:
            def predict(self, X, error=error):
                raise error

        state.model, state.rate = Broken(), RATE
        with pytest.raises(type(error), match=str(error)):
            service.predict(wav(np.ones(4000, "<i2")))
