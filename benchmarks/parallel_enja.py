"""English to Japanese, 50,000 sentences of 4 to 16 words: BLEU on the dev set.

    python benchmarks/parallel_enja.py --data-home DIR [--epochs N]

The published BLEU of an LSTM with attention, without beam search, is about 37.
"""

import argparse
import time

import keras

from skseq import Seq2SeqTranslator
from skseq.datasets import fetch_small_parallel_enja
from skseq.metrics import bleu, chrf

BATCH_SIZE = 64


def make_translator(n_samples, epochs, **settings):
    """The learning rate falls to a tenth for the last quarter of the steps."""
    steps = -(-n_samples // BATCH_SIZE) * epochs
    rate = keras.optimizers.schedules.PiecewiseConstantDecay(
        [int(0.75 * steps)], [1.5e-3, 1.5e-4]
    )
    settings = {
        "units": 256,
        "embedding_dim": 256,
        "dropout": 0.3,
        "min_frequency": 2,
        "label_smoothing": 0.1,
        "ema_decay": 0.999,
        "learning_rate": rate,
        "batch_size": BATCH_SIZE,
        "epochs": epochs,
        "verbose": 1,
        **settings,
    }
    return Seq2SeqTranslator(**settings)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--n-train", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save")
    args = parser.parse_args()
    options = {"data_home": args.data_home, "return_X_y": True}
    X, y = (side[: args.n_train] for side in fetch_small_parallel_enja(**options))
    X_dev, y_dev = fetch_small_parallel_enja(subset="dev", **options)
    start = time.perf_counter()
    translator = make_translator(len(X), args.epochs, random_state=args.seed).fit(X, y)
    print(f"{args.epochs} epochs in {time.perf_counter() - start:.0f} s", flush=True)
    if args.save:
        translator.set_params(learning_rate=1e-3).save(args.save)
    for settings in (
        {"decoder": "greedy"},
        {"decoder": "beam", "beam_width": 5},
        {"decoder": "beam", "beam_width": 5, "length_penalty": 1.0},
    ):
        start = time.perf_counter()
        predicted = translator.set_params(**settings).predict(X_dev)
        seconds = time.perf_counter() - start
        print(
            f"{settings}: BLEU {bleu(y_dev, predicted):.2f}, "
            f"chrF {chrf(y_dev, predicted):.2f}, {seconds:.1f} s",
            flush=True,
        )
    for source, output, target in list(zip(X_dev, predicted, y_dev, strict=True))[:5]:
        print(source, output, target, sep=" | ")


if __name__ == "__main__":
    main()
