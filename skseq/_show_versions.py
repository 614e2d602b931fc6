"""Says what skseq runs on, for a bug report. Imports none of what it reports."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from skseq._native import recurrences_status, status
from skseq._version import __version__

DEPENDENCIES = (
    "pip",
    "numpy",
    "scipy",
    "scikit-learn",
    "joblib",
    "threadpoolctl",
    "tensorflow",
    "keras",
    "rapidfuzz",
    "safetensors",
    "tqdm",
    "pandas",
    "polars",
    "matplotlib",
    "sacrebleu",
    "soundfile",
    "dask",
    "distributed",
    "scikeras",
    "onnx",
    "onnxruntime",
    "tf2onnx",
    "fastapi",
    "gunicorn",
    "uvicorn",
    "uvicorn-worker",
    "optuna",
    "optuna-integration",
    "mlflow",
    "skops",
    "tensorboard",
    "datasets",
    "pyarrow",
    "h5py",
    "zarr",
    "imbalanced-learn",
)

# What else a dependency may be installed as.
OTHER_NAMES = {"tensorflow": ("tensorflow-cpu", "tf-nightly")}


def show_versions():
    """Print what a bug report needs to say: system, Python, versions, devices.

    Also printed is whether skseq's compiled code is used, and with which instructions
    of the processor. If not, plain code runs instead: it takes longer and finds the
    same.

    TensorFlow's devices and threads are printed if TensorFlow has been imported, as
    fitting or loading an estimator does. A count of 0 threads lets TensorFlow choose.

    Examples
    --------
    >>> import skseq
    >>> skseq.show_versions()  # doctest: +SKIP
    """
    sections = {
        "System": _system(),
        "Python packages": {
            "skseq": __version__,
            **{name: _version(name) for name in DEPENDENCIES},
        },
        "Compiled code": {
            "CTC search and lattice": status(),
            "recurrences": _recurrences(),
        },
        "TensorFlow": _tensorflow(),
    }
    for title, facts in sections.items():
        print(f"\n{title}:")
        width = max(map(len, facts))
        for name, fact in facts.items():
            print(f"{name:>{width}}: {fact}")


def _system() -> dict:
    return {
        "python": sys.version.replace("\n", " "),
        "executable": sys.executable,
        "machine": platform.platform(),
    }


def _recurrences() -> str:
    """Whether there is a library, and once TensorFlow was imported, how it is used."""
    compiled = sys.modules.get("skseq._nn.compiled")
    return recurrences_status() if compiled is None else compiled.status()


def _version(name) -> str | None:
    """The version of an installed distribution, by any of its names."""
    for installed in (name, *OTHER_NAMES.get(name, ())):
        try:
            return version(installed)
        except PackageNotFoundError:
            continue
    return None


def _tensorflow() -> dict:
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return {"devices": "not imported yet"}
    threads = tensorflow.config.threading
    return {
        "devices": ", ".join(
            device.name for device in tensorflow.config.list_physical_devices()
        ),
        "intra-op threads": threads.get_intra_op_parallelism_threads(),
        "inter-op threads": threads.get_inter_op_parallelism_threads(),
    }
