"""Says how many threads TensorFlow runs."""

import os

import tensorflow as tf


def n_intra_op_threads() -> int:
    """Threads that share one operation."""
    configured = tf.config.threading.get_intra_op_parallelism_threads()
    return _n_threads(configured, "TF_NUM_INTRAOP_THREADS")


def n_inter_op_threads() -> int:
    """Operations that run side by side."""
    configured = tf.config.threading.get_inter_op_parallelism_threads()
    return _n_threads(configured, "TF_NUM_INTEROP_THREADS")


def _n_threads(configured: int, variable: str) -> int:
    """The number that TensorFlow uses: as set, else one per core that it may use."""
    in_environment = os.environ.get(variable, "").strip()
    if configured or (in_environment.isdecimal() and int(in_environment)):
        return configured or int(in_environment)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
