"""
Dates in a data frame
=====================

A table with dates as people write them, and the same dates as machines want them.
Everything after ``make_table`` is what you would write for your own pairs of texts.
"""

import pandas as pd
from sklearn.model_selection import train_test_split

from skseq import Seq2SeqTranslator
from skseq.datasets import make_dates
from skseq.metrics import sequence_accuracy


def make_table(n_rows=1000):
    """A table of two columns of text, "written" and "iso"."""
    written, iso = make_dates(n_rows, random_state=0)
    return pd.DataFrame({"written": written, "iso": iso})


def solve(table):
    train, test = train_test_split(table, test_size=0.2, random_state=0)
    translator = Seq2SeqTranslator(random_state=0).fit(train["written"], train["iso"])
    predicted = translator.predict(test["written"])
    print(f"{test['written'].iloc[0]!r} is {predicted[0]}")
    print(f"dates without an error: {sequence_accuracy(test['iso'], predicted):.3f}")


if __name__ == "__main__":
    solve(make_table())
