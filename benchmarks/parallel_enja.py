"""English to Japanese, 50,000 sentences of 4 to 16 words: BLEU on the dev set.

    python benchmarks/parallel_enja.py --data-home DIR [--epochs N] [--seed N]

The published BLEU of an LSTM with attention, without beam search, is about 37. Of the
training pairs, 600 are left out of `fit`: the penalties of the beam search, for length
and for source words left unattended, are chosen on them.
"""

import argparse
import time

from skseq import Seq2SeqTranslator
from skseq.datasets import fetch_small_parallel_enja
from skseq.metrics import bleu, chrf

N_HELD_OUT = 600
PENALTIES = {
    "length_penalty": [0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8],
    "coverage_penalty": [0.0, 0.05, 0.1, 0.2, 0.4],
}


def make_translator(**settings):
    return Seq2SeqTranslator(
        units=256,
        embedding_dim=256,
        input_feeding=True,
        dropout=0.3,
        min_frequency=2,
        label_smoothing=0.1,
        ema_decay=0.999,
        learning_rate=1.5e-3,
        batch_size=64,
        verbose=1,
        **settings,
    )


def choose_penalties(translator, X, y):
    """Set the penalties that give the highest BLEU with beam search."""
    translator.fit_decoding(X, y, PENALTIES, scoring=bleu_of)
    results = translator.decoding_results_
    scores = results["mean_test_score"]
    for params, score in zip(results["params"], scores, strict=True):
        print(params, round(score, 2))


def bleu_of(translator, X, y):
    return bleu(y, translator.predict(X))


def tell(name, translator, X, y):
    start = time.perf_counter()
    predicted = translator.predict(X)
    seconds = time.perf_counter() - start
    print(
        f"{name}: BLEU {bleu(y, predicted):.2f}, chrF {chrf(y, predicted):.2f}, "
        f"{seconds:.1f} s",
        flush=True,
    )
    return predicted


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--n-train", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save")
    args = parser.parse_args()
    options = {"data_home": args.data_home, "return_X_y": True}
    X, y = (side[: args.n_train] for side in fetch_small_parallel_enja(**options))
    X_dev, y_dev = fetch_small_parallel_enja(subset="dev", **options)
    start, processor = time.perf_counter(), time.process_time()
    translator = make_translator(epochs=args.epochs, random_state=args.seed)
    translator.fit(X[:-N_HELD_OUT], y[:-N_HELD_OUT])
    seconds = time.perf_counter() - start
    processor = time.process_time() - processor
    print(f"{args.epochs} epochs in {seconds:.0f} s, processor time {processor:.0f} s")
    if args.save:
        translator.save(args.save)
    tell("greedy", translator, X_dev, y_dev)
    translator.set_params(decoder="beam", beam_width=5)
    tell("beam of 5", translator, X_dev, y_dev)
    choose_penalties(translator, X[-N_HELD_OUT:], y[-N_HELD_OUT:])
    penalties = {name: getattr(translator, name) for name in PENALTIES}
    name = f"beam of 5, {penalties}"
    predicted = tell(name, translator, X_dev, y_dev)
    for source, output, target in list(zip(X_dev, predicted, y_dev, strict=True))[:5]:
        print(source, output, target, sep=" | ")


if __name__ == "__main__":
    main()
