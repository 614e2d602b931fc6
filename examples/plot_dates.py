"""
Writing dates in one format
===========================

People write a day in many ways: "3 May 1979", "May 3rd, 1979", "Thursday, 3 May 1979".
The translator learns from examples to write them all as 1979-05-03. It is given no
rules, no calendar and no positions of day, month and year.
"""

# sphinx_gallery_thumbnail_number = 2

# %%
# The data: two lists of strings. The test dates are not among the training dates.

import matplotlib.pyplot as plt

from skseq import Seq2SeqTranslator
from skseq.datasets import make_dates
from skseq.inspection import AttentionDisplay, TrainingHistoryDisplay
from skseq.metrics import sequence_accuracy

X, y = make_dates(6000, random_state=0)
X_new, y_new = make_dates(500, random_state=1)
seen = set(X)
X_new, y_new = zip(
    *[pair for pair in zip(X_new, y_new, strict=True) if pair[0] not in seen],
    strict=True,
)
for source, target in zip(X[:5], y[:5], strict=True):
    print(f"{source:>28}  ->  {target}")

# %%
# As these strings hold digits, the translator takes their characters as tokens. With
# this many examples, six epochs are enough.

translator = Seq2SeqTranslator(epochs=6, random_state=0)
translator.fit(X, y, X_val=X_new[:100], y_val=y_new[:100])
predicted = translator.predict(X_new)
print(f"exact on {len(X_new)} unseen dates: {sequence_accuracy(y_new, predicted):.3f}")

# %%
# How training went. The loss is the mean over the characters of the target.

TrainingHistoryDisplay.from_estimator(translator, yscale="log")

# %%
# Where the decoder looks while it writes: each row is one character of the output. The
# brighter a cell, the more that character of the source counted.

AttentionDisplay.from_estimator(translator, X_new)
plt.show()
