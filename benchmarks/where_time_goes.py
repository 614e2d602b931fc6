"""Where the time of a CTC training step and of a prediction goes.

    python benchmarks/where_time_goes.py [--data-home DIR]

Takes the batch of median length from an epoch over spoken digit strings (random frames
of such lengths without `--data-home`). Times the whole step on it, then each part
alone, compiled and with its gradient: both directions of the LSTM, the same in PyTorch
where that is installed, the matrix products that an LSTM cannot do without, the loss,
and the update of the weights. Of a greedy prediction of all strings, times the network,
and the LSTM alone.
"""

import argparse
import os
from functools import partial
from unittest import mock

import tensorflow as tf
from ctc_speed import BATCH_SIZE, classifier, digit_strings
from side_by_side import measure, torch_ways

from skseq._engine.programs import Program, Trainer
from skseq._nn.layers import Recurrent


def steps_of(X, y, units):
    """The trainer of an epoch with the arguments of each step, in order of length."""
    given = []
    step = Trainer.step

    def noted(trainer, batch, sample_weight, learning_rate=None):
        given.append((trainer, batch, sample_weight))
        return step(trainer, batch, sample_weight, learning_rate)

    with mock.patch.object(Trainer, "step", noted):
        classifier(units).partial_fit(X, y)
    full = [found for found in given if len(found[2]) == BATCH_SIZE]
    return sorted(full, key=lambda found: found[1]["frames"].shape[1])


def both_directions(units, frames_shape):
    layers = [Recurrent(units, backward=backward) for backward in (False, True)]
    for layer in layers:
        layer.build(frames_shape)
    return layers


def recurrence(frames, lengths, units):
    """Both directions, with their gradients."""
    layers = both_directions(units, frames.shape)
    variables = [weight.value for layer in layers for weight in layer.weights]

    @tf.function
    def run():
        with tf.GradientTape() as tape:
            total = sum(tf.reduce_sum(layer(frames, lengths)) for layer in layers)
        return tape.gradient(total, variables)

    return lambda: run()[0].numpy()


def torch_recurrence(n_features, n_frames, units, n_threads):
    """Both directions, with their gradients, in PyTorch, which calls oneDNN."""
    import torch

    layer = torch.nn.LSTM(n_features, units, batch_first=True, bidirectional=True)
    frames = torch.ones(BATCH_SIZE, n_frames, n_features)

    def run():
        torch.set_num_threads(n_threads)
        layer.zero_grad()
        layer(frames)[0].sum().backward()

    return run


def recurrence_without_gradient(batches, units):
    """Both directions, over all batches of a prediction."""
    n_features = batches[0][0].shape[2]
    layers = both_directions(units, (None, None, n_features))
    signature = [
        tf.TensorSpec((None, None, n_features), tf.float32),
        tf.TensorSpec((None,), tf.int32),
    ]

    @tf.function(input_signature=signature)
    def run(frames, lengths):
        return [layer(frames, lengths) for layer in layers]

    def run_all():
        for frames, lengths in batches:
            run(frames, lengths)[0].numpy()

    return run_all


def products(n_frames, n_features, units):
    """The products that both directions need, forward and for the gradient.

    The products with the outputs depend on each other, frame by frame.
    """
    n_rows = BATCH_SIZE * n_frames
    frames = tf.ones((n_rows, n_features))
    kernel = tf.ones((n_features, 4 * units))
    recurrent_kernel = tf.ones((units, 4 * units))
    outputs, d_gates = tf.ones((n_rows, units)), tf.ones((n_rows, 4 * units))

    @tf.function
    def run():
        total = 0.0
        for _ in range(2):
            output = tf.ones((BATCH_SIZE, units))
            total += tf.matmul(frames, kernel)[0, 0]
            for _ in tf.range(n_frames):
                output = tf.matmul(output, recurrent_kernel)[:, :units] * 1e-3
            d_gate = tf.ones((BATCH_SIZE, 4 * units))
            for _ in tf.range(n_frames):
                d_output = tf.matmul(d_gate, recurrent_kernel, transpose_b=True)
                d_gate = tf.tile(d_output, (1, 4)) * 1e-3
            total += output[0, 0] + d_gate[0, 0]
            total += tf.matmul(frames, d_gates, transpose_a=True)[0, 0]
            total += tf.matmul(outputs, d_gates, transpose_a=True)[0, 0]
        return total

    return lambda: run().numpy()


def loss(batch, n_outputs, losses):
    """The CTC loss of random logits, with its gradient."""
    n_samples, n_frames, _ = batch["frames"].shape
    logits = tf.random.stateless_normal((n_samples, n_frames, n_outputs), (0, 0))
    targets = {name: tf.constant(batch[name]) for name in ("labels", "label_lengths")}
    lengths = tf.constant(batch["lengths"])

    @tf.function
    def run():
        with tf.GradientTape() as tape:
            tape.watch(logits)
            total = tf.reduce_sum(losses((logits, lengths), targets))
        return tape.gradient(total, logits)

    return lambda: run().numpy()


def update(trainer):
    """One update of all weights by the optimizer."""
    variables = trainer.program.model.trainable_variables
    gradients = [tf.zeros(v.shape) for v in variables]

    @tf.function
    def run():
        trainer.optimizer.apply(gradients, variables)
        return variables[0].value[0]

    return lambda: run().numpy()


def report_step(X, y, units, n_rounds):
    trainer, batch, sample_weight = (given := steps_of(X, y, units))[len(given) // 2]
    _, n_frames, n_features = batch["frames"].shape
    frames, lengths = tf.constant(batch["frames"]), tf.constant(batch["lengths"])
    tasks = {
        "step": partial(trainer.step, batch, sample_weight),
        "LSTM": recurrence(frames, lengths, units),
        **torch_ways(partial(torch_recurrence, n_features, n_frames, units)),
        "products": products(n_frames, n_features, units),
        "loss": loss(batch, 11, trainer.program.recipe.losses),
        "update": update(trainer),
    }
    print(f"{units} units, {n_frames} frames")
    tell(tasks, n_rounds)


def report_prediction(X, y, units, n_rounds):
    reader, calls = classifier(units, epochs=1).fit(X, y), []
    run = Program.run

    def noted(program, function, *tensors):
        calls.append((program, function, *tensors))
        return run(program, function, *tensors)

    with mock.patch.object(Program, "run", noted):
        reader.predict(X)
    batches = [(frames, lengths) for _, _, frames, lengths in calls]
    tasks = {
        "prediction": partial(reader.predict, X),
        "network": lambda: [run(*call) for call in calls],
        "LSTM": recurrence_without_gradient(batches, units),
    }
    print(f"{units} units, {len(X)} strings")
    tell(tasks, n_rounds)


def tell(tasks, n_rounds):
    """Print the time of each task, and its share of the first one's."""
    rates = measure({name: (task, 1) for name, task in tasks.items()}, n_rounds)
    whole, *_ = rates.values()
    for name, rate in rates.items():
        share = whole.wall / rate.wall
        print(f"    {name:<18} {1e3 / rate.wall:6.1f} ms, {share:.0%}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores; load at the start {os.getloadavg()}")
    X, y = digit_strings(300, args.data_home)
    for units in (64, 256):
        report_step(X, y, units, args.rounds)
    report_prediction(X, y, 64, args.rounds)


if __name__ == "__main__":
    main()
