"""
Correcting misspelt words
=========================

Which word was meant? The dictionary holds many that are about as near as the right one.
A translator from words to their misspellings tells how probable it is that somebody who
means a word writes this. Of the nearest words, the one that explains best what was
written is taken: a noisy channel [1]_. It is tested on words that were held out: no
misspelling of them was seen in training. Only misspellings with one or two wrong
letters are kept.
"""

# %%
# If the spelling errors are not installed (see
# :func:`skseq.datasets.get_data_home`), made-up words with slips of the tongue take
# their place.

import matplotlib.pyplot as plt
import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA
from sklearn.model_selection import GroupShuffleSplit

from skseq import Seq2SeqTranslator
from skseq.datasets import fetch_spelling
from skseq.metrics import align_sequences, sequence_accuracy

rng = np.random.default_rng(0)


slips = dict(zip("aeioubdgptk", "eiaeoptkbdg", strict=True))


def slipped(word):
    letters = list(word)
    for i in rng.choice(len(word), 2, replace=False):
        letters[i] = slips.get(letters[i], letters[i])
    return "".join(letters)


try:
    data = fetch_spelling()
    X, y, groups = map(np.array, (data.misspellings, data.words, data.groups))
except FileNotFoundError as error:
    print(f"Made-up words instead: {error}")
    syllables = [c + v for c in "bdfgklmnprst" for v in "aeiou"]
    y = np.unique(["".join(rng.choice(syllables, 3)) for _ in range(8000)])
    X, groups = np.array(list(map(slipped, y))), np.arange(len(y))
dictionary = np.unique(y).tolist()
is_near = align_sequences(y, X).sample_errors <= 2
X, y, groups = X[is_near], y[is_near], groups[is_near]
split = GroupShuffleSplit(1, test_size=0.125, random_state=0)
((train, test),) = split.split(X, y, groups)
train = rng.permutation(train)[:16000]
for i in train[:5]:
    print(f"{X[i]:>15}  for  {y[i]}")

# %%
# The channel is learnt from the right words to what was written. Strings without white
# space are read character by character.

channel = Seq2SeqTranslator(epochs=10, random_state=0).fit(y[train], X[train])
print(channel.predict_n_best(["believe"], n=5)[0])

# %%
# Candidates are the words that differ in the fewest letters, swapped ones counted once.
# Each is scored by the logarithm of the probability of what was written.


def words_near(text):
    found = process.extract(text, dictionary, scorer=OSA.distance, limit=20)
    return [word for word, _, _ in found]


def correct(written):
    near = list(map(words_near, written))
    pairs = [
        (w, text) for words, text in zip(near, written, strict=True) for w in words
    ]
    scores = channel.score_samples(*map(list, zip(*pairs, strict=True)))
    parts = np.split(scores, np.cumsum(list(map(len, near)))[:-1])
    best = [
        words[int(np.argmax(part))] for words, part in zip(near, parts, strict=True)
    ]
    return np.array(best), np.array([words[0] for words in near])


corrected, nearest = correct(X[test])
print(f"{len(test)} misspellings of {len(set(y[test]))} words, of which none was seen")
print(f"the nearest word is right:   {sequence_accuracy(y[test], nearest):.3f}")
print(f"the channel's word is right: {sequence_accuracy(y[test], corrected):.3f}")

# %%
# The more letters are wrong, the more words are as near, and the more the channel
# helps.

n_edits = align_sequences(y[test], X[test]).sample_errors
kinds = np.unique(n_edits)
figure, axes = plt.subplots(figsize=(5.5, 3), layout="constrained")
for shift, words, name in (
    (-0.2, nearest, "nearest word"),
    (0.2, corrected, "channel"),
):
    shares = [(words == y[test])[n_edits == kind].mean() for kind in kinds]
    axes.bar_label(axes.bar(kinds + shift, shares, 0.36, label=name), fmt="%.2f")
axes.set(xlabel="letters wrong in the misspelling", ylabel="share corrected")
axes.set(xticks=kinds, ylim=(0, 1.1))
axes.legend(loc="upper right", ncols=2)
plt.show()

# %%
# .. [1] E. Brill and R. C. Moore, "An Improved Error Model for Noisy Channel Spelling
#    Correction", ACL 2000.
