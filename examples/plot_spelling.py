"""
Correcting misspelt words
=========================

The translator learns from misspellings and the words that were meant. It is tested on
words that were held out: in training it saw neither these words nor any misspelling of
them. So it cannot look words up; it must learn how English is spelt. Only misspellings
with one or two wrong letters are kept.
"""

# %%
# If the spelling errors are not installed (see
# :func:`skseq.datasets.get_data_home`), spelt-out numbers with swapped letters take
# their place.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GroupShuffleSplit

from skseq import Seq2SeqTranslator
from skseq.datasets import fetch_spelling, make_number_words
from skseq.metrics import align_sequences, label_error_rate, sequence_accuracy

rng = np.random.default_rng(0)


def swap_letters(word):
    i = rng.integers(len(word) - 1)
    return word[:i] + word[i + 1] + word[i] + word[i + 2 :]


try:
    data = fetch_spelling()
    X, y, groups = map(np.array, (data.misspellings, data.words, data.groups))
except FileNotFoundError as error:
    print(f"Numbers with swapped letters instead: {error}")
    _, y = map(np.array, make_number_words(4000, max_value=9999, random_state=0))
    X, groups = np.array(list(map(swap_letters, y))), np.arange(len(y))
is_near = align_sequences(y, X).sample_errors <= 2
X, y, groups = X[is_near], y[is_near], groups[is_near]
split = GroupShuffleSplit(1, test_size=0.125, random_state=0)
((train, test),) = split.split(X, y, groups)
train = rng.permutation(train)[:16000]
for i in train[:5]:
    print(f"{X[i]:>15}  ->  {y[i]}")

# %%
# Strings without white space are read character by character. Dropout helps with words
# that were never seen, and a beam search compares whole words, not single letters.

translator = Seq2SeqTranslator(dropout=0.1, decoder="beam", epochs=10, random_state=0)
translator.fit(X[train], y[train])
predicted = translator.predict(X[test])
print(f"{len(test)} misspellings of {len(set(y[test]))} words never seen:")
print(f"right word:            {sequence_accuracy(y[test], predicted):.3f}")
print(f"letters wrong, before: {label_error_rate(y[test], X[test]):.3f}")
print(f"letters wrong, after:  {label_error_rate(y[test], predicted):.3f}")

# %%
# If it does not find the word, it writes another one, which may be further from the
# right word than the misspelling was. The fewer letters are wrong, the more often it
# finds the right word.

n_edits = align_sequences(y[test], X[test]).sample_errors
is_right = predicted == y[test]
kinds = np.unique(n_edits)
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
axes.bar(kinds.astype(str), [is_right[n_edits == k].mean() for k in kinds])
axes.set(xlabel="letters wrong in the misspelling", ylabel="share corrected")
axes.set_ylim(0, 1)
plt.show()
