"""
From spelling to sounds
=======================

No pronunciation dictionary contains all words. The translator learns from 3,600 French
words how the letters of a word are pronounced, and then reads words that it has not
seen.
"""

# %%
# The words come from the SIGMORPHON 2020 shared task. If they are not installed
# (see :func:`skseq.datasets.get_data_home`), the translator spells out numbers instead.

import matplotlib.pyplot as plt

from skseq import Seq2SeqTranslator
from skseq.datasets import fetch_g2p, make_number_words
from skseq.inspection import AttentionDisplay
from skseq.metrics import sequence_error_rate, token_error_rate

try:
    X, y = fetch_g2p("fre", return_X_y=True)
    X_new, y_new = fetch_g2p("fre", subset="dev", return_X_y=True)
except FileNotFoundError as error:
    print(f"Spelling out numbers instead: {error}")
    X, y = make_number_words(4000, random_state=0)
    X, X_new, y, y_new = X[:3600], X[3600:], y[:3600], y[3600:]
for source, target in zip(X[:5], y[:5], strict=True):
    print(f"{source:>15}  ->  {target}")

# %%
# The translator takes letters as tokens of the source, which has no white space, and
# sounds as tokens of the target, where spaces separate them. There are few words, so it
# is given dropout, and 15 epochs keep the example short.

translator = Seq2SeqTranslator(dropout=0.3, decoder="beam", epochs=15, random_state=0)
translator.fit(X, y)
predicted = translator.predict(X_new)
print(f"words with an error: {sequence_error_rate(y_new, predicted):.3f}")
print(f"sounds in error:     {token_error_rate(y_new, predicted):.3f}")

# %%
# The best pronunciations of a word, with their log-probabilities.

for output, log_probability, _ in translator.predict_n_best([X_new[1]], 3)[0]:
    print(f"{X_new[1]}: {output}   log p = {log_probability:.2f}")

# %%
# Which letters make which sound: each row is a sound. The brighter a cell, the more
# that letter counted.

words = [word for word in X_new if 6 <= len(word) <= 9][:3]
figure, panels = plt.subplots(1, len(words), figsize=(10, 3.5), layout="constrained")
for i, axes in enumerate(panels):
    AttentionDisplay.from_estimator(
        translator, words, sample=i, ax=axes, colorbar=False
    )
    axes.set(title=words[i])
plt.show()
