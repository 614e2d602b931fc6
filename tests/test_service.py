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
