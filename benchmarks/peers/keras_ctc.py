"""CTC in Keras, written by hand as in its tutorials.

Everything is padded to the longest sequence of the data set, `Masking` tells the layers
where padding is, and the loss is `keras.ops.ctc_loss` [1]_, [2]_.

References
----------
.. [1] A. Nandan, "OCR model for reading Captchas", Keras code examples.
       https://keras.io/examples/vision/captcha_ocr/
.. [2] M. R. Hossain et al., "Automatic Speech Recognition using CTC", Keras code
       examples. https://keras.io/examples/audio/ctc_asr/
"""

import keras
import numpy as np
from keras import layers, ops

BLANK = 0


class CTCLoss(keras.layers.Layer):
    """Adds the loss to the model, as the tutorials do, and returns the logits."""

    def call(self, labels, logits, lengths, label_lengths):
        losses = ops.ctc_loss(labels, logits, label_lengths, lengths, mask_index=BLANK)
        self.add_loss(ops.mean(losses))
        return logits


class KerasCTC:
    """Trains and predicts; labels are ids from 0, stored here plus one."""

    def __init__(self, X, y, n_labels, units, batch_size):
        self.batch_size = batch_size
        self.n_frames = max(map(len, X))
        self.inputs = [
            *self._frames(X),
            keras.utils.pad_sequences(
                [[i + 1 for i in row] for row in y], None, "int32", "post"
            ),
            np.array([len(row) for row in y], dtype="int32"),
        ]
        self._build(X[0].shape[1], n_labels + 1, units)

    def _frames(self, X):
        frames = keras.utils.pad_sequences(X, self.n_frames, "float32", "post")
        return frames, np.array([len(x) for x in X], dtype="int32")

    def _build(self, n_features, n_outputs, units):
        frames = keras.Input((self.n_frames, n_features))
        lengths = keras.Input((), dtype="int32")
        labels = keras.Input((None,), dtype="int32")
        label_lengths = keras.Input((), dtype="int32")
        states = layers.Masking()(frames)
        lstm = layers.LSTM(units, return_sequences=True)
        logits = layers.Dense(n_outputs)(layers.Bidirectional(lstm)(states))
        self.network = keras.Model(frames, logits)
        logits = CTCLoss()(labels, logits, lengths, label_lengths)
        self.model = keras.Model([frames, lengths, labels, label_lengths], logits)
        self.model.compile(optimizer="adam")

    def train_epoch(self):
        """See every sequence once."""
        self.model.fit(self.inputs, batch_size=self.batch_size, verbose=0)

    def predict(self, X):
        """Greedy label sequences, padded with -1."""
        frames, lengths = self._frames(X)
        logits = self.network.predict(frames, batch_size=self.batch_size, verbose=0)
        (labels,), _ = ops.ctc_decode(logits, lengths, mask_index=BLANK)
        return np.asarray(labels)
