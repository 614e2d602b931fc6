"""
Reading strips of handwritten digits
====================================

A strip holds one to eight handwritten digits side by side, with random gaps. The
classifier is never told where a digit starts or ends: a strip is a sequence of columns,
and its labels are a string. The images on the test strips were never seen in training.
"""

# %%
# The data: a list of arrays of different lengths, and a list of strings.

import time

from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import CTCSequenceClassifier
from skseq.datasets import make_digit_strips
from skseq.metrics import label_error_rate
from skseq.preprocessing import FrameTransformer

start = time.perf_counter()
X_train, y_train = make_digit_strips(2000, noise=0.05, random_state=0)
X_test, y_test = make_digit_strips(500, subset="test", random_state=1)
print(f"{len(X_train)} strips of {min(map(len, X_train))} to", end=" ")
print(f"{max(map(len, X_train))} columns, e.g. {X_train[0].shape} -> {y_train[0]!r}")

# %%
# The model: a pipeline like any other. `FrameTransformer` applies a scikit-learn scaler
# to the frames of ragged sequences; the classifier takes the columns as an image.

pipeline = make_pipeline(
    FrameTransformer(StandardScaler(with_std=False)),
    CTCSequenceClassifier(
        units=48,
        front_end="image",
        front_end__filters=(32,),
        learning_rate=5e-3,
        epochs=6,
        random_state=0,
    ),
)

# %%
# The search is scikit-learn's own. It fits the best candidate again on all strips.

search = GridSearchCV(
    pipeline, {"ctcsequenceclassifier__dropout": [0.0, 0.3]}, cv=2, error_score="raise"
)
search.fit(X_train, y_train)
print(f"best: {search.best_params_}, score in the search {search.best_score_:.3f}")

# %%
# The result.

y_pred = search.predict(X_test)
for true, predicted in list(zip(y_test, y_pred, strict=True))[:8]:
    print(f"  true {true:<8}  predicted {predicted:<8}  {'x' * (true != predicted)}")
print(f"label error rate on unseen images: {label_error_rate(y_test, y_pred):.4f}")
print(f"{time.perf_counter() - start:.0f} s")
