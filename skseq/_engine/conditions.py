"""What of this process decides the last bits of a fit, beside parameters and data.

Convolutions add up in another order under another number of threads, and compiled
recurrences with other instructions of the processor.
"""

import keras
import tensorflow as tf

from skseq._nn.compiled import instructions
from skseq._nn.threads import n_inter_op_threads, n_intra_op_threads


def conditions() -> dict[str, int | str]:
    """The threads, the device, the recurrences and the determinism, by name."""
    return {
        "intra_op_parallelism_threads": n_intra_op_threads(),
        "inter_op_parallelism_threads": n_inter_op_threads(),
        "op_determinism": str(_is_deterministic()),
        "floatx": keras.config.floatx(),
        "device": "GPU" if tf.config.get_visible_devices("GPU") else "CPU",
        "recurrences": instructions(),
    }


def _is_deterministic() -> bool:
    """Whether `enable_op_determinism` was called, which only its refusals tell."""
    try:
        with tf.Graph().as_default():
            tf.compat.v1.get_seed(None)
    except RuntimeError:
        return True
    return False
