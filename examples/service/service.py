"""A web service that reads recordings: one fitted pipeline, many threads.

    pip install "skseq[serving]"
    MODEL=reader.skseq uvicorn service:app
    MODEL=reader.skseq gunicorn service:app --workers 2 \
        --worker-class uvicorn_worker.UvicornWorker

A request is a WAV file of 16 bits, one channel; the answer is JSON:

    curl --data-binary @spoken.wav -H "Content-Type: audio/wav" localhost:8000/predict

The file in `MODEL` is what `skseq.save` wrote. Every worker process loads it by itself,
after it was forked: TensorFlow does not survive a fork.
"""

import io
import os
import resource
import wave
from contextlib import asynccontextmanager
from typing import Annotated

import numpy as np
from fastapi import Body, FastAPI, HTTPException

import skseq


@asynccontextmanager
async def lifespan(app: FastAPI):
    """Load the model before the first request, ready to answer it."""
    app.state.model = skseq.load(os.environ["MODEL"], warm=True)
    yield


app = FastAPI(lifespan=lifespan)


def samples(wav: bytes) -> np.ndarray:
    """The audio samples of a WAV file."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise HTTPException(422, "Send one channel of 16 bits.")
            return np.frombuffer(file.readframes(file.getnframes()), "<i2")
    except (wave.Error, EOFError) as error:
        raise HTTPException(422, "Send a WAV file, whole.") from error


@app.post("/predict")
def predict(wav: Annotated[bytes, Body(media_type="audio/wav")]) -> dict[str, str]:
    """What is said in a recording. FastAPI runs this in one of its threads."""
    try:
        (text,) = app.state.model.predict([samples(wav)])
    except ValueError as error:  # the message says what to send instead
        raise HTTPException(422, str(error)) from error
    return {"text": text}


@app.get("/health")
def health() -> dict[str, str | float]:
    """Whether the model is there, and the most memory that was ever taken."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # KiB on Linux
    return {"skseq": skseq.__version__, "peak_memory_mib": peak}
