"""Arrays that a loop over frames reads and writes."""

import tensorflow as tf


def frame_array(n_frames, width) -> tf.TensorArray:
    """One tensor (n_samples, width) per frame."""
    return tf.TensorArray(tf.float32, n_frames, element_shape=(None, width))
