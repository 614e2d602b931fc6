"""
Names in sentences
==================

A tagger finds persons, places, organizations and dates. Most names are new to it: it
goes by their endings and by the words around them.
"""

# %%
# Tags follow the scheme BIO: "B-" at the first word of an entity, "I-" at its others,
# "O" outside.

from collections import Counter, defaultdict

import matplotlib.pyplot as plt
import numpy as np

from skseq import SequenceTagger
from skseq.datasets import make_named_entities
from skseq.inspection import TimelineDisplay
from skseq.metrics import span_f1_score, spans

X, y = make_named_entities(600, random_state=0)
X_new, y_new = make_named_entities(300, random_state=1)
print(*map("/".join, zip(X[0], y[0], strict=True)))

known = {word for words in X for word in words}
names = [
    word
    for words, tags in zip(X_new, y_new, strict=True)
    for word, tag in zip(words, tags, strict=True)
    if tag != "O"
]
share = np.mean([word not in known for word in names])
print(f"new words in entities: {share:.0%}")

# %%
# Only the scheme is set, so that no output breaks it. Beside the tagger stands the tag
# that a word has most often.

tagger = SequenceTagger(allowed_transitions="BIO", random_state=0).fit(X, y)
found = tagger.predict(X_new)

seen = defaultdict(Counter)
for words, tags in zip(X, y, strict=True):
    for word, tag in zip(words, tags, strict=True):
        seen[word][tag] += 1
by_word = [
    [seen[w].most_common(1)[0][0] if w in seen else "O" for w in words]
    for words in X_new
]
print(f"F1 of entities, most frequent tags: {span_f1_score(y_new, by_word):.3f}")
print(f"F1 of entities, tagger: {span_f1_score(y_new, found):.3f}")

# %%
# `spans` makes entities of tags: their kind, their first and their last word.

for words, tags in zip(X_new[:5], found[:5], strict=True):
    entities = [
        f"{s.type}: {' '.join(words[s.start : s.end + 1])}" for s in spans(tags)
    ]
    print(" ".join(words), entities)

# %%
# How sure it is of each word in the sentence that it is least sure of.

least = int(np.argmin(tagger.score_samples(X_new)))
figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
TimelineDisplay.from_estimator(tagger, X_new, y_new, sample=least, ax=axes)
figure.suptitle("The sentence with the least probable tags")

# %%
# Which kinds are found how well.

kinds = ["PER", "LOC", "ORG", "DATE"]
scores = [
    span_f1_score(
        *(
            [[t if t.endswith(kind) else "O" for t in tags] for tags in part]
            for part in (y_new, found)
        )
    )
    for kind in kinds
]
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
bars = axes.barh(kinds, scores)
axes.bar_label(bars, fmt="%.2f", padding=3)
axes.set(xlim=(0, 1.1), xlabel="F1", title="Entities of each kind")
plt.show()
