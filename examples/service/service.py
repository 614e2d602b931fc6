"""A web service that reads recordings: one fitted model, many threads.

    pip install "skseq[serving]"
    MODEL=reader.skseq uvicorn service:app
    MODEL=reader.skseq gunicorn service:app --workers 2 \
        --worker-class uvicorn_worker.UvicornWorker

A request is a WAV file of 16 bits, one channel; the answer is JSON:

    curl --data-binary @spoken.wav -H "Content-Type: audio/wav" localhost:8000/predict

The file in `MODEL` is what `skseq.save` wrote: a pipeline that starts with `LogMel` or
`MFCC`, or an estimator whose `preprocess` does. Every worker process loads it by
itself, after it was forked: TensorFlow does not survive a fork.
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
from skseq.preprocessing import LogMel

LONGEST = 60  # seconds

if "MODEL" not in os.environ:
    raise SystemExit("Set MODEL to the path of a file that skseq.save wrote.")


@asynccontextmanager
async def lifespan(app: FastAPI):
    """Load the model before the first request, ready to answer it."""
    app.state.model = skseq.load(os.environ["MODEL"], warm=True)
    app.state.rate = sample_rate(app.state.model)
    silence = np.zeros(round(app.state.rate), "<i2")
    (text,) = app.state.model.predict([silence])
    if not isinstance(text, str):
        raise ValueError(
            f"MODEL must write text for a recording. It gives {text!r} for silence: "
            "fit a CTCSequenceClassifier on strings."
        )
    yield


def sample_rate(model) -> float:
    """The samples per second that a model reads, as its LogMel or MFCC knows them."""
    steps = [step for _, step in getattr(model, "steps", [("model", model)])]
    steps += getattr(steps[-1], "preprocess", None) or []
    for step in steps:
        if isinstance(step, LogMel):  # MFCC is one, too
            return step.sample_rate
    raise ValueError(
        "MODEL must read recordings: neither its pipeline nor its preprocess holds a "
        "LogMel or MFCC, which say at how many samples per second."
    )


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
    try:
        recording = samples(wav, app.state.rate)
    except ValueError as error:  # which says what to send instead
        raise HTTPException(422, str(error)) from error
    try:
        (text,) = app.state.model.predict([recording])
    except ValueError as error:
        if "X[0]" not in str(error):  # it is not about the recording
            raise
        raise HTTPException(422, str(error)) from error
    return {"text": text}


@app.get("/health")
def health() -> dict[str, str | float]:
    """Whether the model is there, and the most memory that was ever taken."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # KiB on Linux
    return {"skseq": skseq.__version__, "peak_memory_mib": peak}
