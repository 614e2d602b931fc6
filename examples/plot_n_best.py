"""
Second guesses
==============

If a classifier's best answer is wrong, its second answer may still be right. Its list
of the n best answers comes with exact probabilities and needs no language model. If you
know something else about the answers, use it to choose from the list. Here, the last
digit of each number is a check digit.
"""

# %%
# The data: numbers of four digits, the last of which makes the sum a multiple of ten,
# written on noisy strips. There are only 800 of them and the noise is strong, so that
# the classifier is often unsure and the example is short.

import matplotlib.pyplot as plt
import numpy as np

from skseq import CTCSequenceClassifier
from skseq.datasets import make_digit_strips
from skseq.inspection import AlignmentDisplay
from skseq.metrics import sequence_accuracy


def has_valid_check_digit(number):
    return sum(map(int, number)) % 10 == 0


def make_numbers(n_samples, **settings):
    """Make strips, and keep those with a valid check digit."""
    X, y = make_digit_strips(10 * n_samples, n_digits=(4, 4), noise=0.3, **settings)
    kept = [i for i, number in enumerate(y) if has_valid_check_digit(number)]
    return [X[i] for i in kept], [y[i] for i in kept]


X, y = make_numbers(800, random_state=0)
X_new, y_new = make_numbers(300, subset="test", random_state=1)
print(f"{len(X)} numbers to learn from, {len(X_new)} to read, e.g. {y[:3]}")

# %%
# The classifier knows nothing about check digits.

reader = CTCSequenceClassifier(epochs=12, random_state=0)
reader.fit(X, y)

# %%
# The ten best answers for each strip, the best first, with log p(answer | strip). For
# one strip even the best answer is improbable.

n_best = reader.predict_n_best(X_new, n=10)
first = [hypotheses[0].labels for hypotheses in n_best]
unsure = int(np.argmin([hypotheses[0].log_probability for hypotheses in n_best]))
print(f"written: {y_new[unsure]}")
for found in n_best[unsure][:5]:
    valid = "valid" if has_valid_check_digit(found.labels) else ""
    print(
        f"   read: {found.labels:<6} p = {np.exp(found.log_probability):.3f}  {valid}"
    )

# %%
# That strip, and what the network sees in it: in some frames several digits share the
# probability.

figure, (above, below) = plt.subplots(
    2, 1, figsize=(8, 5), height_ratios=(1, 3), layout="constrained"
)
above.imshow(X_new[unsure].T, cmap="gray_r", aspect="auto")
above.set(xticks=[], yticks=[])
AlignmentDisplay.from_estimator(reader, X_new, sample=unsure, ax=below, colorbar=False)

# %%
# Choose the best answer with a valid check digit or, if there is none, the best answer.


def choose(hypotheses):
    answers = [hypothesis.labels for hypothesis in hypotheses]
    return next(filter(has_valid_check_digit, answers), answers[0])


chosen = [choose(hypotheses) for hypotheses in n_best]
print(f"right at once:              {sequence_accuracy(y_new, first):.3f}")
print(f"right with the check digit: {sequence_accuracy(y_new, chosen):.3f}")

# %%
# How often the right number is among the first n.

ranks = np.arange(1, 11)
found = [
    np.mean(
        [
            number in [found.labels for found in hypotheses[:n]]
            for number, hypotheses in zip(y_new, n_best, strict=True)
        ]
    )
    for n in ranks
]
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
axes.plot(ranks, found, marker="o")
axes.axhline(
    sequence_accuracy(y_new, chosen), color="grey", ls=":", label="by check digit"
)
axes.set(xlabel="n", ylabel="right number among the n best", xticks=ranks)
axes.legend()
plt.show()
