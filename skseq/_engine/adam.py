"""Keras's Adam, with one operation for all weights, or one per weight."""

import keras
import tensorflow as tf

from skseq._nn import compiled
from skseq._nn.threads import n_intra_op_threads


class Adam(keras.optimizers.Adam):
    """Adam (Kingma & Ba 2015), with the same config, variables and results."""

    def apply(self, grads, trainable_variables=None):
        """Update all weights, and their averages, if any are kept.

        Keras's own way serves where more is asked for than to clip and to update.
        """
        if trainable_variables is None or not self._can_update(
            grads, trainable_variables
        ):
            super().apply(grads, trainable_variables)
            return
        if compiled.is_in_use():
            self._update_all(grads, trainable_variables)
        else:
            shared = self._shared(self.learning_rate)
            gradients = self._clipped(grads)
            for gradient, variable in zip(gradients, trainable_variables, strict=True):
                self._update(gradient, variable, shared)
        self._update_model_variables_moving_average(self._trainable_variables)
        self.iterations.assign_add(1)

    def update_step(self, gradient, variable, learning_rate):
        """Update one weight; Keras's own way serves where the kernel knows none."""
        if self.amsgrad or variable.dtype != "float32":
            super().update_step(gradient, variable, learning_rate)
            return
        self._update(gradient, variable, self._shared(learning_rate))

    def _can_update(self, gradients, variables) -> bool:
        """Whether weights are to be updated by the kernel, and nothing else."""
        asks_for_more = (
            *(self.amsgrad, self.ema_overwrite_frequency, self.weight_decay),
            *(self.clipnorm, self.clipvalue, self.gradient_accumulation_steps),
            self.loss_scale_factor,
        )
        if not self.built or not variables or any(asks_for_more):
            return False
        known = self._trainable_variables_indices
        are_known = (self._var_key(variable) in known for variable in variables)
        are_plain = map(_is_plain, variables)
        return all(are_known) and all(are_plain) and all(map(tf.is_tensor, gradients))

    def _update_all(self, gradients, variables):
        """Clip and update by the compiled operation."""
        places = [self._get_variable_index(variable) for variable in variables]
        states = [variables, *self._moments(places)]
        handles = [[_handle(variable) for variable in state] for state in states]
        rate = tf.cast(self.learning_rate, tf.float32)
        most = self.global_clipnorm or 0.0
        others = [self.beta_1, self.beta_2, self.epsilon, most]
        after = compiled.operations().skseq_adam(
            tf.cast(self.iterations + 1, tf.float32),
            tf.stack([rate, *others]),
            gradients,
            *[[_value(handle) for handle in state] for state in handles],
            n_threads=n_intra_op_threads(),
        )
        for state, values in zip(handles, after, strict=True):
            for handle, value in zip(state, values, strict=True):
                tf.raw_ops.AssignVariableOp(resource=handle, value=value)

    def _moments(self, places) -> list[list]:
        """The means of the gradients and of their squares."""
        moments = self._momentums, self._velocities
        return [[moment[place] for place in places] for moment in moments]

    def _clipped(self, gradients):
        """The gradients, scaled down where their norm is too large."""
        if not self.global_clipnorm:
            return gradients
        norm = tf.sqrt(2 * tf.add_n([tf.nn.l2_loss(g) for g in gradients]))
        scale = self.global_clipnorm / tf.maximum(norm, self.global_clipnorm)
        scale += norm - norm  # NaN where the norm is not finite
        return [gradient * scale for gradient in gradients]

    def _shared(self, learning_rate) -> dict:
        """What the updates of one step have in common."""
        step = tf.cast(self.iterations + 1, tf.float32)
        betas = [tf.constant(beta, tf.float32) for beta in (self.beta_1, self.beta_2)]
        return {
            "beta1_power": betas[0] ** step,
            "beta2_power": betas[1] ** step,
            "lr": tf.cast(learning_rate, tf.float32),
            "beta1": betas[0],
            "beta2": betas[1],
            "epsilon": tf.constant(self.epsilon, tf.float32),
        }

    def _update(self, gradient, variable, shared):
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[index]),
            v=_handle(self._velocities[index]),
            grad=gradient,
            **shared,
        )


def _is_plain(variable) -> bool:
    """Whether a weight of Keras is one array of one device that may take any value."""
    return (
        isinstance(variable, keras.Variable)
        and variable.dtype == "float32"
        and variable.constraint is None
        and not getattr(variable, "overwrite_with_gradient", False)
        and not isinstance(variable.value, tf.distribute.DistributedValues)
    )


def _value(handle):
    return tf.raw_ops.ReadVariableOp(resource=handle, dtype=tf.float32)


def _handle(variable):
    """The place of a variable, of Keras or of TensorFlow."""
    is_of_keras = isinstance(variable, keras.Variable)
    return (variable.value if is_of_keras else variable).handle
