"""The network of `CTCSequenceClassifier`, and what becomes of lengths in it.

It takes what the encoder takes, and returns a logit for each label and the blank
(last), with the lengths.
"""

import keras
import numpy as np

from skseq._encoder import network as encoding
from skseq._nn.layers import dense
from skseq._nn.rows import log_softmax


def ctc_network(*, n_labels, skip_frames, **encoder_settings):
    """The encoder, and a logit for each label and the blank."""
    inputs, states, lengths = encoding.encoder(**encoder_settings)
    if skip_frames:
        states, lengths = states[:, skip_frames:], lengths - skip_frames
    logits = dense(n_labels + 1, "logits")(states)
    return keras.Model(inputs, [logits, lengths], name="ctc")


def log_posteriors(model, *inputs):
    """Log-probabilities of each label and the blank in a batch, with the lengths."""
    logits, lengths = encoding.run(model, *inputs)
    return log_softmax(logits), lengths


def output_lengths(settings, front_end_lengths):
    """Frames that are left of those that a front end gives."""
    lengths = encoding.output_lengths(settings, front_end_lengths)
    return np.maximum(lengths - settings["skip_frames"], 0)


def advance(model, frames, last_frames, *states):
    """Log-posteriors of the next frames of one sequence, those to skip among them.

    As `encoding.advance`, of what the network makes of the states.
    """
    found, last, handed_on = encoding.advance(model, frames, last_frames, *states)
    logits = model.get_layer("logits")
    return *(log_softmax(logits(part)) for part in (found, last)), *handed_on
