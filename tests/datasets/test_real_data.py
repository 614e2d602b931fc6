"""What the estimators make of real data; skipped where there are none."""

import pytest

from skseq import CTCSequenceClassifier, Seq2SeqTranslator
from skseq.datasets import fetch_g2p, fetch_ldc93s1
from skseq.preprocessing import MFCC, SequenceNormalizer


@pytest.mark.slow
def test_the_two_utterances_of_the_tutorials_are_read_exactly(data_home):
    audio, transcripts = fetch_ldc93s1(data_home=data_home, return_X_y=True)
    frames = SequenceNormalizer().fit_transform(MFCC().fit_transform(audio))
    reader = CTCSequenceClassifier(
        units=50,
        bidirectional=False,
        batch_size=2,
        optimizer="sgd",
        optimizer__momentum=0.9,
        learning_rate=0.005,
        epochs=400,
        random_state=0,
    )
    read = reader.fit(frames, transcripts).predict(frames)
    assert read.tolist() == [
        "she had your dark suit in greasy wash water all year",
        "dark suit in greasy",
    ]


@pytest.mark.slow
def test_most_of_greek_pronunciation_is_learnt_from_a_few_words(data_home):
    words, phones = fetch_g2p("gre", data_home=data_home, return_X_y=True)
    reader = Seq2SeqTranslator(
        units=64,
        embedding_dim=32,
        source_tokenizer="char",
        learning_rate=0.005,
        batch_size=16,
        epochs=8,
        random_state=0,
    )
    reader.fit(words[:1500], phones[:1500])
    others = fetch_g2p("gre", subset="dev", data_home=data_home, return_X_y=True)
    assert reader.score(*others) > 0.8
