import re

import numpy as np
import pytest

from skseq._framewise.transitions import (
    asked_once,
    check_sequences,
    compile_transitions,
)

BIO = ["B-loc", "B-per", "I-loc", "I-per", "O"]
IOBES = ["B-x", "E-x", "I-x", "O", "S-x", "S-y"]


def allowed_after(transitions):
    """By label, what may follow it; by None, what may begin."""
    labels = transitions.classes.tolist()
    rows = [(None, transitions.starts)]
    rows += zip(labels, transitions.pairs, strict=True)
    return {
        before: {label for label, allowed in zip(labels, row, strict=True) if allowed}
        for before, row in rows
    }


def ending(transitions):
    return set(transitions.classes[transitions.ends].tolist())


def test_without_a_scheme_anything_may_follow_anything():
    transitions = compile_transitions(None, [3, 5])
    assert allowed_after(transitions) == {None: {3, 5}, 3: {3, 5}, 5: {3, 5}}
    assert ending(transitions) == {3, 5}
    assert transitions.forbid_nothing


def test_in_bio_a_label_inside_follows_one_of_its_type():
    transitions = compile_transitions("BIO", BIO)
    anywhere = {"B-loc", "B-per", "O"}
    assert allowed_after(transitions) == {
        None: anywhere,
        "O": anywhere,
        "B-loc": anywhere | {"I-loc"},
        "I-loc": anywhere | {"I-loc"},
        "B-per": anywhere | {"I-per"},
        "I-per": anywhere | {"I-per"},
    }
    assert ending(transitions) == set(BIO)
    assert not transitions.forbid_nothing


def test_in_iobes_a_span_that_is_open_is_closed():
    transitions = compile_transitions("IOBES", IOBES)
    outside, inside = {"O", "B-x", "S-x", "S-y"}, {"I-x", "E-x"}
    assert allowed_after(transitions) == {
        None: outside,
        "O": outside,
        "E-x": outside,
        "S-x": outside,
        "S-y": outside,
        "B-x": inside,
        "I-x": inside,
    }
    assert ending(transitions) == {"O", "E-x", "S-x", "S-y"}


def test_labels_of_a_scheme_may_be_without_a_type_and_types_may_have_hyphens():
    transitions = compile_transitions("BIO", ["B", "B-a-b", "I", "I-a-b", "O"])
    allowed = allowed_after(transitions)
    assert [("I" in allowed[b], "I-a-b" in allowed[b]) for b in ("B", "B-a-b")] == [
        (True, False),
        (False, True),
    ]


def test_a_callable_is_asked_about_labels_as_the_user_writes_them():
    asked = []

    def rises(before, after):
        asked.append((before, after))
        return before is None or after is None or before <= after

    transitions = compile_transitions(rises, np.array([1, 2]))
    assert allowed_after(transitions) == {None: {1, 2}, 1: {1, 2}, 2: {2}}
    pairs = {(1, 1), (1, 2), (2, 1), (2, 2)}
    assert set(asked) == pairs | {(None, 1), (None, 2), (1, None), (2, None)}
    assert {type(label) for pair in asked for label in pair} == {int, type(None)}


@pytest.mark.parametrize(
    ("scheme", "label"),
    [
        ("BIO", "S-x"),
        ("BIO", "loc"),
        ("BIO", "B-"),
        ("BIO", "-x"),
        ("BIO", "O-x"),
        ("BIO", "b-x"),
        ("BIO", ""),
        ("IOBES", "U-x"),
        ("BIO", 7),
    ],
)
def test_a_label_that_is_not_of_the_scheme_is_named(scheme, label):
    message = (
        f"allowed_transitions='{scheme}'.* has the label {label!r}.* Rename it, or"
    )
    with pytest.raises(ValueError, match=message):
        compile_transitions(scheme, [label] if label == 7 else ["O", label])


@pytest.mark.parametrize(
    ("value", "hint"),
    [("bio", "Did you mean 'BIO'"), ("IOB2", "'BIO'"), ("BIOES", "'IOBES'"), (3, "3")],
)
def test_another_scheme_is_refused_with_the_nearest_name(value, hint):
    with pytest.raises(ValueError, match=f"'allowed_transitions' parameter.*{hint}"):
        compile_transitions(value, ["O"])


@pytest.mark.parametrize(
    ("scheme", "classes", "label"),
    [
        ("BIO", ["I-x", "O"], "I-x"),
        ("BIO", ["B-y", "I-x", "O"], "I-x"),
        ("IOBES", ["B-x", "I-x", "O"], "B-x"),
        ("IOBES", ["E-x", "O"], "E-x"),
    ],
)
def test_a_label_that_the_scheme_lets_stand_nowhere_is_named(scheme, classes, label):
    message = f"The scheme {scheme} lets the label {label!r} stand nowhere.*pass a call"
    with pytest.raises(ValueError, match=message):
        compile_transitions(scheme, classes)


@pytest.mark.parametrize(
    ("forbidden", "message"),
    [
        (
            {(None, "a"), (None, "b")},
            "label 'a' stand nowhere: no sequence that may be",
        ),
        ({("a", None), ("b", None)}, "label 'a' stand nowhere: no sequence with it"),
        ({(None, "b"), ("a", "b")}, "label 'b' stand nowhere: no sequence that may be"),
        ({("b", "a"), ("b", "b"), ("b", None)}, "label 'b' stand nowhere: no sequen"),
        ({(None, "b"), ("a", None)}, "allows no sequence of 1 frame, but"),
        ({("a", "a"), ("b", "b"), (None, "b"), ("b", None)}, "no sequence of 2 frames"),
    ],
)
def test_a_table_without_sequences_is_refused(forbidden, message):
    with pytest.raises(ValueError, match=f"{message}.* Let it return True"):
        compile_transitions(lambda *pair: pair not in forbidden, ["a", "b"])


def test_a_scheme_without_a_label_for_one_frame_is_refused():
    message = (
        "The scheme IOBES allows no sequence of 1 frame, but .* only the labels 'B"
    )
    with pytest.raises(ValueError, match=message):
        compile_transitions("IOBES", ["B-x", "E-x"])


def test_a_callable_that_fails_is_refused_with_its_labels():
    message = r"allowed_transitions\(None, 'a'\) failed with TypeError: .*must return a"
    with pytest.raises(ValueError, match=message):
        compile_transitions(lambda before, after: before < after, ["a"])


@pytest.mark.parametrize("answer", [None, 1, "yes", np.array([True])])
def test_a_callable_that_returns_no_bool_is_refused(answer):
    message = rf"\(None, 'a'\) must return True or False. Got {re.escape(repr(answer))}"
    with pytest.raises(ValueError, match=message):
        compile_transitions(lambda before, after: answer, ["a"])


B_LOC, B_PER, I_LOC, I_PER, O = range(5)  # noqa: E741


def test_sequences_that_a_scheme_allows_pass():
    sequences = [
        [B_LOC, I_LOC, I_LOC, B_PER],
        [],
        [O],
        [-1, I_PER],
        [O, -1, I_PER],
        [-1],
    ]
    check_sequences(compile_transitions("BIO", BIO), list(map(np.array, sequences)))
    check_sequences(compile_transitions("BIO", BIO), [])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([I_LOC], "'I-loc' first, at frame 0, which"),
        ([O, B_PER, I_LOC, I_PER], "'I-loc' after 'B-per' at frame 2, which"),
        ([-1, O, I_LOC], "'I-loc' after 'O' at frame 2, which"),
    ],
)
def test_the_first_violation_is_named(labels, message):
    sequences = [[O], [], [B_LOC, I_LOC], labels, [I_LOC]]
    message = rf"^y\[3\] has {message} the scheme BIO does not allow. Correct .* pass "
    with pytest.raises(ValueError, match=message):
        check_sequences(
            compile_transitions("BIO", BIO), [np.array(s, int) for s in sequences]
        )


def test_a_span_that_stays_open_is_named():
    transitions = compile_transitions("IOBES", IOBES)
    with pytest.raises(
        ValueError, match=r"^y\[1\] has 'B-x' last, which the scheme IO"
    ):
        check_sequences(transitions, [np.array([3]), np.array([3, 0])])


def cycle(before, after):
    """Only b after a, c after b and a after c."""
    return before is None or after is None or before + after in ("ab", "bc", "ca")


@pytest.mark.parametrize(
    ("labels", "is_allowed"),
    [
        ([0, -1, 2], True),
        ([0, -1, -1, 0, -1, -1, -1, 1], True),
        ([0, -1, 1], False),
        ([0, -1, -1, -1, -1, 0], False),
    ],
)
def test_labels_over_a_gap_are_allowed_if_some_labels_between_are(labels, is_allowed):
    transitions = compile_transitions(cycle, ["a", "b", "c"])
    if is_allowed:
        check_sequences(transitions, [np.array(labels)])
        return
    n = labels.count(-1)
    message = rf"after 'a' at frame {n + 1} \({n} frames? beside it without a label\), "
    with pytest.raises(
        ValueError, match=message + "which allowed_transitions does not"
    ):
        check_sequences(transitions, [np.array(labels)])


def test_gaps_at_the_start_and_the_end_count():
    def first_is_a(before, after):
        return (before is not None or after == "a") and (after != "a" or before is None)

    transitions = compile_transitions(
        lambda before, after: (
            first_is_a(before, after) or (before, after) == ("c", None)
        ),
        ["a", "b", "c"],
    )
    with pytest.raises(ValueError, match=r"'a' first, at frame 1 \(1 frame beside"):
        check_sequences(transitions, [np.array([-1, 0])])


def test_within_one_use_a_callable_is_asked_once_for_each_pair():
    asked = []

    def allowed(before, after):
        asked.append((before, after))
        return True

    with asked_once():
        first = compile_transitions(allowed, ["a", "b"])
        with asked_once():
            assert compile_transitions(allowed, ["a", "b"]) is first
    assert len(asked) == len(set(asked)) == 8
    with asked_once():
        compile_transitions(allowed, ["a", "b"])
    assert len(asked) == 16


def test_a_callable_is_asked_again_for_other_labels_and_in_other_uses():
    forbidden = {("a", "a")}

    def allowed(*pair):
        return pair not in forbidden

    with asked_once():
        assert compile_transitions(allowed, [0, 1]).forbid_nothing
        assert not compile_transitions(allowed, ["a", "b"]).pairs[0, 0]
        assert compile_transitions(lambda *_: True, ["a", "b"]).forbid_nothing
    forbidden.clear()
    with asked_once():
        assert compile_transitions(allowed, ["a", "b"]).forbid_nothing


@pytest.mark.parametrize("labels", [["B-x", "I-x", "O"], ["B", "I", "O"], ["B-x"]])
def test_labels_of_bio_under_iobes_are_taken_for_what_they_are(labels):
    with pytest.raises(ValueError, match="Did you mean allowed_transitions='BIO'"):
        compile_transitions("IOBES", labels)


def test_labels_of_iobes_under_bio_are_taken_for_what_they_are():
    with pytest.raises(ValueError, match="Did you mean allowed_transitions='IOBES'"):
        compile_transitions("BIO", ["B-x", "E-x", "O"])
    with pytest.raises(ValueError, match="label 'S'") as error:
        compile_transitions("BIO", ["O", "S"])
    assert "Did you mean" not in str(error.value)


def test_labels_of_iobes_that_break_it_are_not_taken_for_bio():
    with pytest.raises(ValueError, match="IOBES") as error:
        compile_transitions("IOBES", ["B-x", "O", "S-y"])
    assert "Did you mean" not in str(error.value)
