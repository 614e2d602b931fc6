"""
Writing dates in one format
===========================

People write a day in many ways: "3 May 1979", "May 3rd, 1979", "Thursday, 3 May 1979".
The translator learns from examples to write them all as 1979-05-03. Nobody gives it a
rule, a calendar or the places of day, month and year.
"""

# %%
# The data: two lists of strings. The test dates are not among the training dates.

import matplotlib.pyplot as plt

from skseq import Seq2SeqTranslator
from skseq.datasets import make_dates
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
# Characters are the tokens on both sides.

translator = Seq2SeqTranslator(
    source_tokenizer="char",
    target_tokenizer="char",
    units=64,
    embedding_dim=32,
    learning_rate=5e-3,
    epochs=6,
    random_state=0,
)
translator.fit(X, y, X_val=X_new[:100], y_val=y_new[:100])
predicted = translator.predict(X_new)
print(f"exact on {len(X_new)} unseen dates: {sequence_accuracy(y_new, predicted):.3f}")

# %%
# How training went. The loss is a mean over the characters of the target.

figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
for name, values in translator.history_.items():
    axes.plot(range(1, len(values) + 1), values, marker=".", label=name)
axes.set(xlabel="epoch", ylabel="loss a character", yscale="log")
axes.legend()

# %%
# Where the decoder looks while it writes: each row is one character of the output, and
# the darker a cell, the more that character of the source counted.

source = X_new[0]
(output,) = translator.predict([source])
(weights,) = translator.attend([source])
figure, axes = plt.subplots(figsize=(7, 3.5), layout="constrained")
axes.imshow(weights, cmap="Greys", vmin=0, vmax=1, aspect="auto")
axes.set_xticks(range(len(source)), list(source))
axes.set_yticks(range(len(output)), list(output))
axes.set(xlabel="source", ylabel="output", title=f"{source} -> {output}")
plt.show()
