"""
Gestures, most of them of one kind
==================================

Recordings of a hand, of different lengths, of which six of ten swipe to the right and
one in twenty-five draws a Z. Balanced accuracy counts each kind alike, however rare.
"""

from sklearn.metrics import balanced_accuracy_score, classification_report
from sklearn.model_selection import train_test_split

from skseq import SequenceClassifier
from skseq.datasets import make_gestures


def solve(X, y):
    X, X_new, y, y_new = train_test_split(
        X, y, test_size=0.4, stratify=y, random_state=0
    )
    clf = SequenceClassifier(class_weight="balanced", random_state=0).fit(X, y)
    predicted = clf.predict(X_new)
    print(classification_report(y_new, predicted))
    print(f"balanced accuracy: {balanced_accuracy_score(y_new, predicted):.3f}")


if __name__ == "__main__":
    solve(*make_gestures(400, random_state=0))
