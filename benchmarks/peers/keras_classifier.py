"""A classifier in Keras, written by hand as in its tutorials.

Everything is padded to the longest sequence of the data set, and `Masking` tells the
layers where padding is.
"""

import keras
from keras import layers


class KerasClassifier:
    """Trains; classes are ids from 0."""

    def __init__(self, X, y, n_classes, units, batch_size):
        self.batch_size, self.y = batch_size, y
        self.frames = keras.utils.pad_sequences(X, None, "float32", "post")
        frames = keras.Input(self.frames.shape[1:])
        states = layers.Bidirectional(layers.LSTM(units))(layers.Masking()(frames))
        proba = layers.Dense(n_classes, activation="softmax")(states)
        self.model = keras.Model(frames, proba)
        self.model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")

    def train_epoch(self):
        """See every sequence once."""
        self.model.fit(self.frames, self.y, batch_size=self.batch_size, verbose=0)
