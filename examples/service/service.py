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

LONGEST = 60  # seconds

if "MODEL" not in os.environ:
    raise SystemExit("Set MODEL to the path of a file that skseq.save wrote.")


@asynccontextmanager
async def lifespan(app: FastAPI):
    """Load the model before the first request, ready to answer it."""
    app.state.model = skseq.load(os.environ["MODEL"], warm=True)
    yield


app = FastAPI(lifespan=lifespan)


def samples(wav: bytes, rate: float) -> np.ndarray:
    """The audio samples of a WAV file, which must be what the model was fitted on."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            form = file.getnchannels(), file.getsampwidth(), file.getframerate()
            if form != (1, 2, rate):
                raise ValueError(f"send one channel of 16 bits at {rate:g} Hz")
            if file.getnframes() > LONGEST * rate:
                raise ValueError(f"send no more than {LONGEST} seconds")
            found = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            if len(found) != file.getnframes():
                raise ValueError("the file is cut off")
            return found
    except (wave.Error, EOFError, RuntimeError) as error:  # of damaged files
        raise ValueError(f"this is not a whole WAV file ({error!r})") from error


@app.post("/predict")
def predict(wav: Annotated[bytes, Body(media_type="audio/wav")]) -> dict[str, str]:
    """What is said in a recording. FastAPI runs this in one of its threads."""
    model = app.state.model
    try:
        (text,) = model.predict([samples(wav, model[0].sample_rate)])
    except (ValueError, TypeError) as error:  # which says what to send instead
        raise HTTPException(422, str(error)) from error
    return {"text": text}


@app.get("/health")
def health() -> dict[str, str | float]:
    """Whether the model is there, and the most memory that was ever taken."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # KiB on Linux
    return {"skseq": skseq.__version__, "peak_memory_mib": peak}
