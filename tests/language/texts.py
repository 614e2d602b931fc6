"""Texts that are the same everywhere, for n-gram models to learn from."""

import random


def zipf_sentences(seed, n_sentences, n_words=2000, share_unseen=0.0):
    """Sentences of up to 12 words, in which some words like to follow others."""
    rng = random.Random(seed)
    sentences = []
    for _ in range(n_sentences):
        words, word = [], 0
        for _ in range(int(1 + 12 * rng.random())):
            if rng.random() < 0.6:
                word = (word * 7 + int(3 * rng.random() ** 2)) % n_words
            else:
                word = int(n_words ** rng.random()) - 1
            is_unseen = rng.random() < share_unseen
            words.append("unseen" if is_unseen else f"w{word}")
        sentences.append(" ".join(words))
    return sentences
