import copy
import pickle
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from skseq import LabelSpan, RankedLabels, RankedOutput
from skseq._results import Records
from tests.estimators import ESTIMATORS

SPANS = [LabelSpan("a", 0, 11, 0.914161), LabelSpan("bc", 15, 15, 0.5)]


def lines(records):
    return str(records).splitlines()


def test_records_print_as_a_table():
    assert lines(Records(SPANS)) == [
        "   label  start  end  confidence",
        "0  'a'        0   11      0.9142",
        "1  'bc'      15   15         0.5",
    ]
    assert f"{Records(SPANS)}" == str(Records(SPANS))


@pytest.mark.parametrize(
    "restore",
    [copy.copy, copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r)), list, Records],
)
def test_records_are_a_list_for_code(restore):
    records = Records(SPANS)
    restored = restore(records)
    assert isinstance(records, list)
    assert restored == records == SPANS
    assert repr(records) == repr(SPANS)
    assert records[1] == SPANS[1]
    assert [*records, *records] == records + records
    first, second = records
    assert (first, second) == tuple(SPANS)


def test_records_survive_pickling_slicing_and_copying_as_tables():
    records = Records(SPANS)
    for same in records[:], records.copy(), pickle.loads(pickle.dumps(records)):
        assert str(same) == str(records)


def test_the_weight_of_a_language_is_shown_with_the_score_where_there_is_one():
    alone = Records([RankedLabels("ab", -1.0), RankedLabels("b", -2.0)])
    assert lines(alone)[0].split() == ["labels", "log_probability"]
    guided = Records([RankedLabels("ab", -1.0), RankedLabels("b", -2.0, -1.5)])
    assert lines(guided)[0].split() == [
        *["labels", "log_probability", "language_log_weight", "score"]
    ]
    assert lines(guided)[2].split() == ["1", "'b'", "-2", "-1.5", "-3.5"]


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        (np.array([3, 1]), "[3, 1]"),
        (np.str_("a"), "'a'"),
        (["one", "two"], "['one', 'two']"),
        ("x\ny", r"'x\ny'"),
        ("x" * 100, f"'{'x' * 38}…"),
    ],
)
def test_labels_of_every_form_take_one_line_of_bounded_width(label, shown):
    (_, row) = lines(Records([RankedOutput(label, -0.25, -0.125)]))
    assert re.split(" {2,}", row) == ["0", shown, "-0.25", "-0.125"]


def test_wide_letters_keep_their_columns_apart():
    table = lines(Records([LabelSpan("日本", 0, 1, 1.0), LabelSpan("abcd", 2, 3, 1.0)]))
    # Two wide letters take as much as four narrow ones.
    assert len(table[1]) == len(table[2]) - 2


def test_of_many_records_the_first_are_printed_and_the_rest_counted():
    table = lines(Records(30 * SPANS))
    assert len(table) == 22
    assert table[-1] == "and 40 more"


def test_no_records_print_as_an_empty_list():
    assert str(Records()) == "[]"
    assert Records()._repr_html_() is None


class Page(HTMLParser):
    """The tags and the text of a piece of HTML."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_a_notebook_shows_a_table_whatever_the_labels_are():
    label = "<script>alert(1)</script>"
    page = Page(Records([LabelSpan(label, 0, 1, 0.5)])._repr_html_())
    assert set(page.tags) == {"table", "tr", "th", "td"}
    assert repr(label) in page.texts


def test_ipython_shows_the_table():
    pretty = pytest.importorskip("IPython.lib.pretty").pretty
    assert pretty(Records(SPANS)) == str(Records(SPANS))


@pytest.mark.parametrize("name", ["predict_n_best", "align"])
def test_what_estimators_list_prints_as_tables(name):
    found = 0
    for case in ESTIMATORS:
        if hasattr(case.make(), name):
            estimator = case.fit()
            arguments = (case.X, case.y) if name == "align" else (case.X,)
            for records in getattr(estimator, name)(*arguments):
                assert isinstance(records, Records)
                found += 1
    assert found
