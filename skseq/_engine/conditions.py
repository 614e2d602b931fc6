"""What of this process decides the last bits of a fit, beside parameters and data.

Convolutions add up in another order under another number of threads.
"""

import os

import keras
import tensorflow as tf


def conditions() -> dict[str, int | str]:
    """The threads, the kind of device and the determinism of operations, by name."""
    threading = tf.config.threading
    return {
        "intra_op_parallelism_threads": _n_threads(
            threading.get_intra_op_parallelism_threads(), "TF_NUM_INTRAOP_THREADS"
        ),
        "inter_op_parallelism_threads": _n_threads(
            threading.get_inter_op_parallelism_threads(), "TF_NUM_INTEROP_THREADS"
        ),
        "op_determinism": str(_is_deterministic()),
        "floatx": keras.config.floatx(),
        "device": "GPU" if tf.config.get_visible_devices("GPU") else "CPU",
    }


def _n_threads(configured: int, variable: str) -> int:
    """The number that TensorFlow uses: as set, else one per core that it may use."""
    in_environment = os.environ.get(variable, "").strip()
    if configured or (in_environment.isdecimal() and int(in_environment)):
        return configured or int(in_environment)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _is_deterministic() -> bool:
    """Whether `enable_op_determinism` was called, which only its refusals tell."""
    try:
        with tf.Graph().as_default():
            tf.compat.v1.get_seed(None)
    except RuntimeError:
        return True
    return False
