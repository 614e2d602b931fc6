"""Refuses to run on another Keras backend than TensorFlow."""

import keras


def require_tensorflow() -> None:
    """Raise ImportError unless Keras runs on TensorFlow."""
    backend = keras.config.backend()
    if backend != "tensorflow":
        raise ImportError(
            "skseq needs Keras to run on TensorFlow, but its backend is "
            f"{backend!r}. Set the environment variable KERAS_BACKEND=tensorflow "
            "before Keras is imported."
        )


require_tensorflow()
