"""Distributes the work of one training step among the replicas of a strategy.

A strategy of `tf.distribute` names devices, of this machine or of many. Each replica
takes some rows of the batch; their results are combined, so that a step is that of
one device but for the order in which it adds up.
"""

from contextlib import nullcontext

import tensorflow as tf


def scope_of(strategy):
    """Where variables are made, so that every replica has them."""
    return nullcontext() if strategy is None else strategy.scope()


def n_replicas_of(strategy) -> int:
    return 1 if strategy is None else strategy.num_replicas_in_sync


def on_replicas(strategy, compute, batch, sample_weight):
    """Losses of a batch, and sums over the replicas of what goes with them.

    `compute(batch, sample_weight, n_samples)` gives the losses of some rows, and
    tensors, or None, to be summed. `n_samples` is that of the whole batch.
    """
    n_samples = tf.shape(sample_weight)[0]
    if strategy is None:
        return compute(batch, sample_weight, n_samples)
    n_replicas = strategy.num_replicas_in_sync
    n_missing = -n_samples % n_replicas
    rows = tf.concat([tf.range(n_samples), tf.zeros(n_missing, tf.int32)], axis=0)
    weights = tf.concat([sample_weight, tf.zeros(n_missing)], axis=0)

    def compute_part():
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        own = rows[replica::n_replicas]
        part = tf.nest.map_structure(lambda tensor: tf.gather(tensor, own), batch)
        return compute(part, weights[replica::n_replicas], n_samples)

    losses, terms = strategy.run(compute_part)
    # One replica's losses after another's, where the rows took turns.
    losses = tf.reshape(strategy.gather(losses, axis=0), (n_replicas, -1))
    losses = tf.reshape(tf.transpose(losses), (-1,))[:n_samples]
    return losses, [t if t is None else strategy.reduce("SUM", t, None) for t in terms]
