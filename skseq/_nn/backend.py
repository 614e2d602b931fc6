"""Refuses to run on another Keras backend than TensorFlow.

Every room that imports Keras imports this module first, so that TensorFlow starts here.
"""

from skseq._nn.startup import quiet_start

CURE = "Set the environment variable KERAS_BACKEND=tensorflow before Keras is imported."

try:
    with quiet_start():
        import keras
except (ImportError, ValueError) as error:  # its backend is absent, or unknown
    raise ImportError(
        f"skseq needs Keras to run on TensorFlow, but Keras reports: {error}. {CURE}"
    ) from error


def require_tensorflow() -> None:
    """Raise ImportError unless Keras runs on TensorFlow."""
    backend = keras.config.backend()
    if backend != "tensorflow":
        raise ImportError(
            "skseq needs Keras to run on TensorFlow, but its backend is "
            f"{backend!r}. {CURE}"
        )


require_tensorflow()
