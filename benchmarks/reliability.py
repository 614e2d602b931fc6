"""What estimators withstand: bad input, mutated files, kills, threads, long service.

    pip install -e ".[test]"
    python benchmarks/reliability.py [TRIAL ...]

Counts what was tried and what failed; nothing is timed, so other work may share the
machine. Each trial (inputs, files, kills, threads, memory) runs in a process of its
own, seeded, and takes some minutes. The counts are kept in `results/reliability.json`;
trials that are not named keep theirs.
"""

import argparse
import contextlib
import gc
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import h5py
import joblib
import keras
import numpy as np
import pytest
from draw import draw_all
from scaling import resident
from side_by_side import RESULTS
from sklearn.exceptions import ConvergenceWarning

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.estimators import ESTIMATORS  # noqa: E402 (the tests are not installed)


@dataclass(frozen=True)
class Count:
    """How often something was tried, and how often it went wrong."""

    tried: str
    times: int
    failed: int
    means: str
    note: str = ""


# -- bad input and mutated files: what the tests' own checks were given ----------------


class Counter:
    """A plugin of pytest that counts rows of tables, drawn examples and failures."""

    def __init__(self, effort):
        self.effort, self.n_rows, self.n_drawn, self.n_failed = effort, 0, 0, 0

    def pytest_runtest_logreport(self, report):
        self.n_failed += report.failed

    def pytest_collection(self):
        """Count what is given to the two functions through which the tests try it."""
        from tests import (
            exploring,
            refusals,
        )  # not before pytest has its hooks in place

        explore, complaints = exploring.explore, refusals.complaints

        def counted_explore(check, n_examples, effort):
            def counted(data):
                check(data)
                self.n_drawn += 1

            explore(counted, n_examples, self.effort)

        def counted_complaints(estimator, calls):
            calls = list(calls)
            self.n_rows += len(calls)
            return complaints(estimator, calls)

        exploring.explore, refusals.complaints = counted_explore, counted_complaints


def run_tests(*modules, effort=1) -> Counter:
    """Run test modules; `effort` multiplies the examples that are drawn."""
    counter = Counter(effort)
    options = ["-q", "--no-header", "-p", "no:cacheprovider", "-m", "not exhaustive"]
    code = pytest.main([*options, *modules], plugins=[counter])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"pytest ended with {code!r}.")
    return counter


def inputs():
    """Bad values for every argument, from tables and drawn."""
    modules = "tests/test_bad_input.py", "tests/test_bad_parameters.py"
    found, what = run_tests(*modules), "bad X, y and parameters, from tables"
    yield Count(what, found.n_rows, found.n_failed, named(modules))
    modules = "tests/test_fuzz_damage.py", "tests/test_fuzz_forms.py"
    found, what = run_tests(*modules), "spoilt or unusual data and parameters, drawn"
    yield Count(what, found.n_drawn, found.n_failed, named(modules))


def files():
    """Files of estimators and checkpoints with bytes, values or arrays changed."""
    modules = ("tests/test_fuzz_load.py",)
    found = run_tests(*modules, effort=3)
    yield Count("mutated files", found.n_drawn, found.n_failed, named(modules))


def named(modules) -> str:
    return ", ".join(f"`{module}`" for module in modules)


# -- kills -----------------------------------------------------------------------------

N_EPOCHS, N_KILLS = 100, 8  # kills per set of options


class Beat(keras.callbacks.Callback):
    """Writes a byte to a pipe, if it is told one, when a batch begins or ends."""

    pipe = None

    def _beat(self, *args, **logs):
        if self.pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                os.write(self.pipe, b".")

    on_train_begin = on_train_batch_begin = on_train_batch_end = on_epoch_end = _beat


def halved(epoch, learning_rate):
    """A schedule by epochs."""
    return learning_rate * 0.5 if epoch % 20 == 19 else learning_rate


def options_of(case):
    """Parameters, and further arguments of `fit`, by what they try."""
    best = "best.weights.h5"
    yield (
        "EarlyStopping, ReduceLROnPlateau and ModelCheckpoint",
        {
            "callbacks": [
                keras.callbacks.EarlyStopping(patience=70, restore_best_weights=True),
                keras.callbacks.ReduceLROnPlateau(patience=3, factor=0.8),
                keras.callbacks.ModelCheckpoint(
                    best, monitor="loss", save_best_only=True, save_weights_only=True
                ),
                Beat,
            ],
            "learning_rate": 0.01,
        },
        case.misleading,
    )
    yield (
        "a cosine schedule, early stopping and dropout",
        {
            "callbacks": Beat,
            "dropout": 0.2,
            "early_stopping": True,
            "n_iter_no_change": N_EPOCHS,
            "learning_rate": keras.optimizers.schedules.CosineDecay(0.01, 200),
        },
        {},
    )
    yield (
        "AdamW and LearningRateScheduler",
        {
            "callbacks": [keras.callbacks.LearningRateScheduler(halved), Beat],
            "optimizer": "adamw",
            "learning_rate": 0.01,
        },
        {},
    )


def kills():
    """Fits killed by SIGKILL at random moments, resumed, and compared to the bit."""
    rng = np.random.default_rng(0)
    for case in ESTIMATORS:
        survived = failed = n_epochs = 0
        for i, (name, *_) in enumerate(options_of(case)):
            with tempfile.TemporaryDirectory() as folder:
                n_kills, broken = killed_and_resumed(case, i, Path(folder), rng)
                _, whole = killed_and_resumed(case, i, Path(folder), rng, n_kills=0)
            is_same = broken == whole
            print(f"{case.Estimator.__name__}, {name}: {n_kills} kills, {is_same}")
            survived += n_kills
            failed += 0 if is_same else n_kills
            n_epochs += whole["epochs"]
        yield Count(
            f"kills of a fit of {case.Estimator.__name__}",
            survived,
            failed,
            "the final weights, optimizer, history and files against an unbroken fit",
            f"in {n_epochs} epochs",
        )


def killed_and_resumed(case, i, folder, rng, n_kills=N_KILLS):
    """How often a fit was killed, and what the last one came to."""
    folder = folder / ("broken" if n_kills else "whole")
    folder.mkdir()
    for n in range(n_kills + 1):
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            Beat.pipe = writer
            work(case, i, folder)
        os.close(writer)
        if n < n_kills:
            wait_for(reader, rng.integers(0, 20))
            time.sleep(rng.uniform(0, 0.01))
            os.kill(child, signal.SIGKILL)
        else:
            while os.read(reader, 2**16):  # or the pipe would be full
                pass
        os.close(reader)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            break
    return n, json.loads((folder / "result.json").read_text("utf-8"))


def wait_for(reader, n_beats):
    while n_beats > 0 and (beats := os.read(reader, int(n_beats))):
        n_beats -= len(beats)


def work(case, i, folder):
    """Run in a child: begin a fit or resume it, and note what it comes to."""
    os.chdir(folder)
    try:
        _, params, more = list(options_of(case))[i]
        X, y = case.draw(12)
        estimator = case.make(epochs=N_EPOCHS, checkpoint=folder / "fits", **params)
        estimator.fit(X, y, **more)
        state = {n: v for n, v in vars(estimator).items() if n not in PARAMETERS}
        state = {n: v for n, v in state.items() if n not in estimator.get_params()}
        found = {name: joblib.hash(value) for name, value in state.items()}
        result = {"epochs": estimator.n_iter_, **found, **arrays_of_files()}
        (folder / "result.json").write_text(json.dumps(result), "utf-8")
    finally:
        os._exit(0)


PARAMETERS = {
    "callbacks_"
}  # other objects in every process; what they hold is compared


def arrays_of_files():
    """A hash of all weights in each file of a callback."""
    found = {}
    for path in sorted(Path().glob("*.h5")):
        with h5py.File(path) as file:
            arrays = []
            file.visititems(lambda name, item, arrays=arrays: arrays.append(item))
            values = [item[()] for item in arrays if isinstance(item, h5py.Dataset)]
        found[str(path)] = joblib.hash([v for v in values if np.ndim(v)])
    return found


# -- service ---------------------------------------------------------------------------

N_THREADS, N_SHARED, N_SERVED = 16, 2000, 10_000


def requests_of(case, n_requests, n_samples=60, seed=0):
    """Requests of one to four sequences; every tenth is a bad one."""
    rng = np.random.default_rng(seed)
    X, y = case.draw(n_samples)
    methods = list(case.methods)
    for i in range(n_requests):
        rows = rng.choice(n_samples, rng.integers(1, 5), replace=False)
        some_X, some_y = [X[row] for row in rows], [y[row] for row in rows]
        if i % 10 == 9:
            some_X[-1] = None
        yield methods[rng.integers(len(methods))], some_X, some_y


def answer(case, estimator, request):
    """A hash of the answer, or the words of the refusal."""
    method, X, y = request
    try:
        return joblib.hash(list(case.methods[method](estimator, X, y)))
    except (TypeError, ValueError) as refusal:
        return str(refusal)


def threads():
    """Requests from many threads at a time, compared with the same from one."""
    for case in ESTIMATORS:
        fitted = case.fit()
        requests = list(requests_of(case, N_SHARED))
        alone = [answer(case, fitted, request) for request in requests]
        with ThreadPoolExecutor(N_THREADS) as pool:
            together = list(
                pool.map(lambda r: answer(case, fitted, r), requests)  # noqa: B023
            )
        yield Count(
            f"requests to {case.Estimator.__name__} from {N_THREADS} threads",
            len(requests),
            sum(a != b for a, b in zip(alone, together, strict=True)),
            "the same requests from one thread, to the bit",
            f"{len(requests) // 10} of them bad ones",
        )


def memory():
    """How much more memory is held after many requests."""
    for case in ESTIMATORS:
        fitted, sizes = case.fit(), []
        for n_requests in (1000, N_SERVED):
            for request in requests_of(case, n_requests, seed=n_requests):
                answer(case, fitted, request)
            gc.collect()
            sizes.append(resident())
        growth = sizes[1] - sizes[0]
        yield Count(
            f"requests to {case.Estimator.__name__}, memory after them",
            N_SERVED,
            int(growth > 0.02 * sizes[0]),
            "at most 2 % more than after 1,000 requests",
            f"{sizes[0]:.0f} MiB before, {growth:+.1f} MiB",
        )


# -- all of them -----------------------------------------------------------------------

TRIALS = {t.__name__: t for t in (inputs, files, kills, threads, memory)}


def counts_of(name):
    """Run in a process of its own."""
    os.chdir(ROOT)
    warnings.simplefilter("ignore", ConvergenceWarning)
    return [asdict(count) for count in TRIALS[name]()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trials", nargs="*", metavar="TRIAL", default=list(TRIALS))
    names = parser.parse_args().trials
    path = RESULTS / "reliability.json"
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    spawn = multiprocessing.get_context("spawn")
    for name in names:
        with spawn.Pool(1) as process:
            kept[name] = process.apply(counts_of, [name])
        for count in kept[name]:
            print(count)
        text = json.dumps({n: kept[n] for n in TRIALS if n in kept}, indent=1)
        path.write_text(text + "\n", "utf-8")
    draw_all()
    sys.exit(any(count["failed"] for counts in kept.values() for count in counts))


if __name__ == "__main__":
    main()
