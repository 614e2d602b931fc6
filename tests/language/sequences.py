"""What an automaton gives to every sequence of labels up to some length."""

import numpy as np


def weights_by_text(automaton, classes, most):
    """The log-weight of each text of at most `most` characters, labels being those."""
    states, totals, texts = np.zeros(1, int), np.zeros(1), [""]
    found = {}
    for _ in range(most + 1):
        ends = np.where(states >= 0, automaton.final[states], -np.inf)
        found.update(zip(texts, (totals + ends).tolist(), strict=True))
        labels = np.tile(np.arange(len(classes)), len(states))
        states, totals = (np.repeat(x, len(classes)) for x in (states, totals))
        next_states, weights = automaton.step(states.clip(0), labels)
        totals = np.where(states >= 0, totals + weights, -np.inf)
        states = np.where(states >= 0, next_states, -1)
        texts = [text + str(label) for text in texts for label in classes]
    return found
