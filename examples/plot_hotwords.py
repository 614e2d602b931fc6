"""
Numbers that are expected
=========================

Somebody says the number of an order, and other digits before and after it. The numbers
of the orders that are open are known: as hotwords they are found more often, and
nothing else is forbidden.
"""

# %%
# The recordings are spoken digits, put together to strings; the speaker who is read was
# not heard in training. If they are not installed (see
# :func:`skseq.datasets.get_data_home`), noisy strips of handwritten digits take their
# place.

from functools import partial

import matplotlib.pyplot as plt
import numpy as np

from skseq import CTCSequenceClassifier
from skseq.datasets import make_digit_strips, make_spoken_digit_strings
from skseq.language import Hotwords
from skseq.metrics import label_error_rate
from skseq.preprocessing import LogMel, SequenceNormalizer

rng = np.random.default_rng(0)
orders = ["".join(digits) for digits in rng.choice(list("0123456789"), (20, 6))]


def around(number):
    """A number with one to three digits before and after it."""
    sides = rng.choice(list("0123456789"), (2, 3))
    before, after = (side[: rng.integers(1, 4)] for side in sides)
    return "".join([*before, number, *after])


said = [around(orders[i % 20]) for i in range(150)]
others = [around("".join(rng.choice(list("0123456789"), 6))) for _ in range(150)]
steps = [LogMel(sample_rate=8000, n_mels=32, floor=0.1), SequenceNormalizer()]
make = partial(make_spoken_digit_strings, return_X_y=True)
try:
    X, y = make(2000, speakers=["george", "jackson", "nicolas"], random_state=0)
    X_said, _ = make(strings=said, speakers=["lucas"], random_state=1)
    X_others, _ = make(strings=others, speakers=["lucas"], random_state=2)
except FileNotFoundError as error:
    print(f"Strips of digits instead: {error}")
    steps, make = None, partial(make_digit_strips, noise=0.2)
    X, y = make(800, random_state=0)
    X_said, _ = make(strings=said, random_state=1)
    X_others, _ = make(strings=others, random_state=2)
print(f"open orders: {orders[:3]} and 17 others; said: {said[:3]}")

# %%
# The reader learns from digits of all kinds, and knows of no order. Dropout is high, as
# the speaker to be read is another one.

reader = CTCSequenceClassifier(
    preprocess=steps,
    conv_filters=(64, 64),
    conv_strides=2,
    units=64,
    cell="gru",
    dropout=0.4,
    learning_rate=5e-3,
    epochs=8,
    decoder="beam",
    beam_width=32,
    random_state=0,
)
reader.fit(X, y)

# %%
# The weight of a hotword is what its log-probability is raised by, in nats. The larger
# it is, the more orders are found, and the more are heard that were not said.

weights = [0, 2, 4, 6, 8, 12]
right, wrong, errors = [], [], []
for weight in weights:
    reader.set_params(hotwords=Hotwords(orders, weight=weight, whole_words=False))
    found = reader.predict(X_said)
    right.append(np.mean([orders[i % 20] in text for i, text in enumerate(found)]))
    errors.append(label_error_rate(said, found))
    false = reader.predict(X_others)
    wrong.append(np.mean([any(order in text for order in orders) for text in false]))
    print(
        f"weight {weight:>2}: order found {right[-1]:.2f}, label error rate "
        f"{errors[-1]:.3f}; heard where none was said {wrong[-1]:.2f}"
    )

# %%
# Where the first curve has flattened and the second has not risen is the weight to
# take. Choose it on recordings that the final figures are not made of.

figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.plot(weights, right, "o-", label="orders found")
ax.plot(weights, wrong, "s--", label="orders heard, none said")
ax.set(xlabel="weight of each order, in nats", ylabel="share", ylim=(0, 1))
ax.legend()
plt.show()
