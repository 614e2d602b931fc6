"""Training on a GPU, beside PyTorch's cuDNN and Keras, and whether results are right.

    pip install "tensorflow[and-cuda]" torch
    python benchmarks/gpu.py

On a machine with an NVIDIA GPU, takes less than eight minutes. Trains each estimator,
the same network in PyTorch, whose recurrences are cuDNN's, and the script that Keras's
tutorials have, in epochs by turns. Says whether the graph that is trained holds cuDNN's
recurrences, and how far the results of a network on the GPU are from those on the CPU,
which another process computes. Without a GPU it says what is missing, and ends well.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from side_by_side import as_line, measure, rows_of, sequences_of

UNITS, BATCH_SIZE, N_ROUNDS = 256, 64, 3

MODEL, DATA, OUTPUTS = "model.skseq", "data.npz", "outputs.npz"

# How far results on the GPU may be from those on the CPU.
TOLERANCE = 1e-4


def what_is_missing() -> list[str]:
    """What this machine lacks, in words."""
    import tensorflow as tf

    missing = []
    if not tf.config.list_physical_devices("GPU"):
        missing.append(
            'TensorFlow finds no GPU: pip install "tensorflow[and-cuda]", and see '
            "`nvidia-smi` for the driver"
        )
    try:
        import torch
    except ImportError:
        missing.append("PyTorch is not installed: pip install torch")
    else:
        if not torch.cuda.is_available():
            missing.append(
                "PyTorch finds no GPU: `python -c 'import torch; print(torch.version."
                "cuda)'` says whether it is a build for GPUs"
            )
    return missing


# -- tasks -----------------------------------------------------------------------------


def ctc(n_samples):
    """Ours, Keras and PyTorch on frames and digits; training, in sequences."""
    from ctc_speed import classifier, digits_of
    from peers.keras_ctc import KerasCTC
    from peers.torch_ctc import TorchCTC

    X = sequences_of(n_samples, 100, 500, 40)
    y = digits_of(X, np.random.default_rng(0))
    given = X, y, 10, UNITS, BATCH_SIZE
    ours = classifier(UNITS).set_params(batch_size=BATCH_SIZE)
    peer = TorchCTC(*given, 1, device="cuda")
    return ours, partial(ours.partial_fit, X, y), KerasCTC(*given), peer, X


def autoencoder(n_samples):
    """Each decoder reads the code, as Keras's does."""
    from autoencoder_speed import coder
    from peers.keras_autoencoder import KerasAutoencoder
    from peers.torch_autoencoder import TorchAutoencoder, reading_the_code

    X = sequences_of(n_samples, 100, 500, 8)
    given = X, UNITS, BATCH_SIZE
    ours = coder(units=UNITS, batch_size=BATCH_SIZE, decoder_input="code")
    peer = TorchAutoencoder(*given, reading_the_code, 1, device="cuda")
    return ours, partial(ours.partial_fit, X), KerasAutoencoder(*given), peer, X


def translator(n_samples):
    """Symbols to reverse."""
    from peers.keras_seq2seq import KerasTranslator
    from peers.torch_seq2seq import TorchTranslator
    from translation_speed import numbered, symbols
    from translation_speed import translator as ours_of

    sources, targets = map(list, symbols(4 * n_samples, None))
    ours = ours_of(UNITS, BATCH_SIZE)
    (ids, n_source_ids), (written, end) = numbered(sources), numbered(targets)
    given = ids, written, n_source_ids, end + 1, end, UNITS, BATCH_SIZE
    peer = TorchTranslator(*given, 1, device="cuda")
    train = partial(ours.partial_fit, sources, targets)
    return ours, train, KerasTranslator(*given), peer, sources


TASKS = {"CTC": ctc, "autoencoder": autoencoder, "translator": translator}


# -- checks ----------------------------------------------------------------------------


def uses_cudnn(model) -> bool:
    """Whether the graph of a network in training holds cuDNN's recurrences."""
    import tensorflow as tf

    signature = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.inputs]
    traced = tf.function(lambda *inputs: model(list(inputs), training=True))
    graph = traced.get_concrete_function(*signature).graph.as_graph_def()
    nodes = [graph.node, *(function.node_def for function in graph.library.function)]
    return any(node.op.startswith("CudnnRNN") for part in nodes for node in part)


def outputs_of(estimator, X) -> list[np.ndarray]:
    """What a network says of sequences, as numbers."""
    if hasattr(estimator, "reconstruct"):
        return list(estimator.reconstruct(X))
    return list(estimator.predict_proba(X))


def farthest(estimator, X) -> float:
    """How far outputs on this device are from those of a process without a GPU."""
    with tempfile.TemporaryDirectory() as folder:
        estimator.save(Path(folder) / MODEL)
        np.savez(Path(folder) / DATA, *map(np.asarray, X))
        command = [sys.executable, __file__, "--on-cpu", folder]
        hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
        subprocess.run(command, check=True, env=hidden)
        expected = arrays(Path(folder) / OUTPUTS)
    found = outputs_of(estimator, X)
    return max(float(np.abs(a - b).max()) for a, b in zip(found, expected, strict=True))


def write_outputs(folder: Path) -> None:
    """Of the saved estimator and data, on this device."""
    import skseq

    estimator = skseq.load(folder / MODEL)
    # What has no two axes was a text, or a list of tokens.
    X = [x if x.ndim == 2 else x.tolist() for x in arrays(folder / DATA)]
    np.savez(folder / OUTPUTS, *outputs_of(estimator, X))


def arrays(path: Path) -> list[np.ndarray]:
    with np.load(path) as data:
        return [data[name] for name in data.files]


# -- reports ---------------------------------------------------------------------------


def report(name, n_samples) -> bool:
    """Print what was measured of one estimator; whether its results are right."""
    ours, train, keras, torch, X = TASKS[name](n_samples)
    peers = {"Keras, padded": keras.train_epoch, "PyTorch, cuDNN": torch.train_epoch}
    tasks = {"skseq": train, **peers}
    rates = measure({n: (task, len(X)) for n, task in tasks.items()}, N_ROUNDS)
    aims = {"Keras": 0, "PyTorch": 0}
    for row in rows_of(f"{name} training", rates, aims, "sequences per second"):
        print(as_line(row), flush=True)
    distance = farthest(ours, X[:BATCH_SIZE])
    is_right = distance <= TOLERANCE
    print(
        f"{name}: {'cuDNN' if uses_cudnn(ours.model_) else 'no cuDNN'} in the graph; "
        f"outputs are {distance:.2g} from the CPU's at most, which is "
        f"{'right' if is_right else 'too far'}",
        flush=True,
    )
    return is_right


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-samples", type=int, default=512)
    parser.add_argument("--only", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--on-cpu", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.on_cpu:
        write_outputs(Path(args.on_cpu))
        return
    missing = what_is_missing()
    if missing:
        print("Nothing was measured. " + ". ".join(missing) + ".")
        return
    warnings.simplefilter("ignore")  # noise cannot be learned
    results = [report(name, args.n_samples) for name in args.only]
    if not all(results):
        sys.exit(1)


if __name__ == "__main__":
    main()
