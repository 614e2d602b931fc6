"""English to Japanese, 50,000 sentences of 4 to 16 words: BLEU on the dev set.

    python benchmarks/parallel_enja.py --data-home DIR [--epochs N] [--seed N]

The published BLEU of an LSTM with attention, without beam search, is about 37. Of the
training pairs, 600 are left out of `fit`: the length penalty is chosen on them.
"""

import argparse
import time

from skseq import Seq2SeqTranslator
from skseq.datasets import fetch_small_parallel_enja
from skseq.metrics import bleu, chrf

N_HELD_OUT = 600
LENGTH_PENALTIES = 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8


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


def choose_length_penalty(translator, X, y):
    """Set the length penalty that gives the highest BLEU with beam search."""
    found = {
        penalty: bleu(y, translator.set_params(length_penalty=penalty).predict(X))
        for penalty in LENGTH_PENALTIES
    }
    print({penalty: round(value, 2) for penalty, value in found.items()})
    return translator.set_params(length_penalty=max(found, key=found.get))


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
    parser.add_argument("--epochs", type=int, default=14)
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
    choose_length_penalty(translator, X[-N_HELD_OUT:], y[-N_HELD_OUT:])
    name = f"beam of 5, length penalty {translator.length_penalty}"
    predicted = tell(name, translator, X_dev, y_dev)
    for source, output, target in list(zip(X_dev, predicted, y_dev, strict=True))[:5]:
        print(source, output, target, sep=" | ")


if __name__ == "__main__":
    main()
