"""Tokens as arrays, and what the network finds in their characters."""

import numpy as np
import tensorflow as tf

from skseq._data.token_vocabulary import TokenVocabulary
from skseq._framewise.token_network import DistinctTokens, token_network
from skseq._framewise.tokens import MAX_CHARACTERS, TargetTokens, TokenReader
from skseq._nn.initial_weights import initial_weights

SEQUENCES = [["a", "cat", "a"], ["cats"]]
READER = TokenReader(
    TokenVocabulary.fit([["a", "cat"]]), TokenVocabulary.fit([["a", "c", "t"]])
)
A, C, T, UNKNOWN, NONE = 0, 1, 2, 3, -1


def made(sequences, reader=READER):
    """The network's scores of each token of each sequence."""
    model = token_network(
        n_token_ids=3,
        n_character_ids=4 if reader.characters else 0,
        embedding_dim=3,
        char_embedding_dim=2,
        units=(4,),
        cell="gru",
        bidirectional=True,
        dropout=0.0,
        n_outputs=2,
        crf=False,
    )
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=w.shape) for w in initial_weights(model, 0)]
    model.set_weights(weights)
    batch = reader.arrays(sequences)
    scores, _ = model([batch[t.name] for t in model.inputs])
    return [own[: len(s)] for own, s in zip(scores.numpy(), sequences, strict=True)]


def test_tokens_become_ids_and_their_characters_too():
    batch = READER.arrays(SEQUENCES)
    assert batch["tokens"].tolist() == [[0, 1, 0], [2, 0, 0]]
    assert batch["lengths"].tolist() == [3, 1]
    assert batch["characters"].tolist() == [
        [[A, NONE, NONE, NONE], [C, A, T, NONE], [A, NONE, NONE, NONE]],
        [[C, A, T, UNKNOWN], [NONE] * 4, [NONE] * 4],
    ]
    spellings = batch["spellings"]
    assert spellings[0, 0] == spellings[0, 2]
    assert len({*spellings.ravel().tolist()}) == 4  # three tokens, and the padding


def test_a_long_token_is_read_up_to_a_limit():
    batch = READER.arrays([["t" * 10**7, "a"]])
    assert batch["characters"].shape == (1, 2, MAX_CHARACTERS)


def test_each_distinct_token_is_spelled_once():
    batch = READER.arrays([["cat", "a", "cat"], ["a", "cat"]])
    ids, lengths, places = DistinctTokens()(batch["spellings"], batch["characters"])
    assert sorted(map(tuple, ids.numpy().tolist())) == [(0, 0, 0), (0, 0, 0), (1, 0, 2)]
    assert sorted(lengths.numpy().tolist()) == [1, 1, 3]  # padding counts for one
    back = tf.gather(ids, places).numpy()
    np.testing.assert_array_equal(back, np.maximum(batch["characters"], 0))


def test_a_sequence_is_read_the_same_alone_and_beside_others():
    others = [["a"], ["cats", "tac", "act", "x" * 50], ["cat", "a", "cats"]]
    together = made([*SEQUENCES, *others])
    for i, own in enumerate(SEQUENCES):
        np.testing.assert_allclose(made([own])[0], together[i], atol=1e-6)


def test_tokens_are_told_apart_by_their_own_vectors_and_by_characters():
    unlike = made([["tt"], ["cc"]])
    assert np.abs(unlike[0] - unlike[1]).max() > 1e-5
    alone = TokenReader(READER.tokens)
    same = made([["tt"], ["cc"]], alone)
    np.testing.assert_array_equal(*same)
    known = made([["a"], ["cat"]], alone)
    assert np.abs(known[0] - known[1]).max() > 1e-5


def test_replicas_may_take_some_rows_of_a_batch():
    batch = READER.arrays(SEQUENCES)
    rows = {name: tensor[1:] for name, tensor in batch.items()}
    ids, _, places = DistinctTokens()(rows["spellings"], rows["characters"])
    assert tf.gather(ids, places).numpy()[0, 0].tolist() == [C, A, T, UNKNOWN]


def test_what_is_augmented_is_drawn_in_training_only():
    drawn = []

    def redraw(seed, epoch, i):
        drawn.append((seed, epoch, i))
        return ["cat"] * 3

    targets = [np.zeros(3, np.int32), np.zeros(1, np.int32)]
    shares = [np.full(3, 1 / 3), np.ones(1)]
    data = TargetTokens(SEQUENCES, np.ones(2), READER, targets, shares, redraw)
    assert data.assemble([0])["tokens"].tolist() == [[0, 1, 0]]
    in_epoch = data.in_epoch(5, 2, exact=False)
    assert in_epoch.assemble([0])["tokens"].tolist() == [[1, 1, 1]]
    assert drawn == [(5, 2, 0)]
    assert in_epoch.take([0]).assemble([0])["tokens"].tolist() == [[0, 1, 0]]


def test_a_fingerprint_changes_with_all_that_is_learnt_from():
    targets, shares = [np.zeros(3, np.int32), np.ones(1, np.int32)], [np.ones(3)] * 2
    given = SEQUENCES, np.ones(2), READER, targets, shares
    found = {TargetTokens(*given).fingerprint()}
    for place, value in (
        (0, [["a", "cat"], ["a", "cats"]]),
        (0, [["a", "cat", "a"], ["cat"]]),
        (1, np.array([1.0, 2.0])),
        (3, [np.ones(3, np.int32), np.ones(1, np.int32)]),
        (4, [np.ones(3), np.zeros(3)]),
    ):
        changed = list(given)
        changed[place] = value
        found.add(TargetTokens(*changed).fingerprint())
    assert len(found) == 6
    assert TargetTokens(*given).fingerprint() in found
