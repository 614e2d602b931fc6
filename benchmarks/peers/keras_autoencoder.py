"""An LSTM autoencoder in Keras, as tutorials write it.

Everything is padded to the longest sequence. A `RepeatVector` stands between two LSTMs.
The mean squared error includes the padding.
"""

import keras
from keras import layers


class KerasAutoencoder:
    """Trains on sequences of frames."""

    def __init__(self, X, units, batch_size):
        self.batch_size = batch_size
        self.frames = keras.utils.pad_sequences(X, None, "float32", "post")
        _, n_frames, n_features = self.frames.shape
        self.model = keras.Sequential(
            [
                keras.Input((n_frames, n_features)),
                layers.Masking(),
                layers.LSTM(units),
                layers.RepeatVector(n_frames),
                layers.LSTM(units, return_sequences=True),
                layers.TimeDistributed(layers.Dense(n_features)),
            ]
        )
        self.model.compile(optimizer="adam", loss="mse")

    def train_epoch(self):
        """See every sequence once."""
        self.model.fit(self.frames, self.frames, batch_size=self.batch_size, verbose=0)
