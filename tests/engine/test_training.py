import pickle
import threading

import keras
import numpy as np
import pytest

from skseq._ctc.data import FrameData
from skseq._ctc.loss import CTCLosses
from skseq._ctc.network import ctc_network
from skseq._data.sequences import Sequences
from skseq._engine.callbacks import CallbackRunner
from skseq._engine.checkpoint import Checkpoint
from skseq._engine.lending import borrow, clear_programs
from skseq._engine.optimizers import make_optimizer
from skseq._engine.programs import Recipe
from skseq._engine.state import Subset, TrainingPlan, TrainingState
from skseq._engine.training import Run
from skseq._nn.initial_weights import initial_weights
from skseq.exceptions import TrainingDivergedError
from tests.tiny import SAME_LENGTHS, UNSCALED, recipe_with

RECIPE = recipe_with(dropout=0.0)
SETTINGS = dict(RECIPE.settings)
RNG = np.random.default_rng(0)
LENGTHS = np.array([5, 3, 9, 4, 7, 6, 8, 3])
FRAMES = [RNG.normal(size=(n, 2)).astype("float32") for n in LENGTHS]
LABELS = [RNG.integers(2, size=1 + i % 2) for i in range(len(LENGTHS))]


def part(rows, weights=None, frames=FRAMES):
    """Some of the eight sequences above, rows named twice being there twice."""
    rows = list(rows)
    sequences = Sequences([frames[i] for i in rows], LENGTHS[rows], 2, "sequences")
    weights = np.ones(len(rows)) if weights is None else np.array(weights, float)
    labels = [LABELS[i] for i in rows]
    data = FrameData(sequences, weights, UNSCALED, labels, shortening=SAME_LENGTHS)
    return Subset(data, np.flatnonzero(weights))


def running(
    training,
    validation=None,
    *,
    optimizer="sgd",
    rate=0.05,
    routed=None,
    recipe=RECIPE,
    callbacks=None,
    checkpoint=None,
    score=None,
    judge=None,
    **plan,
):
    """Train; yields the states."""
    plan = {"epochs": 3, "batch_size": 3, "shuffle": True, "seed": 0, **plan}
    with borrow(recipe) as program:
        optimizer = make_optimizer(optimizer, rate, routed)
        first = TrainingState(0, initial_weights(program.model, 0), None)
        run = Run(program, optimizer, TrainingPlan(**plan), training, validation)
        run.callbacks, run.checkpoint, run.score = callbacks, checkpoint, score
        run.judge = judge
        yield from run.states(first)


def run(*parts, **options):
    return list(running(*parts, **options))


def loss_of(weights, part, batch_size=3):
    plan = TrainingPlan(1, batch_size, False, 0)
    with borrow(RECIPE, weights) as program:
        run = Run(program, None, plan, part)
        return run.mean_loss(part, CallbackRunner([], program.model, None, plan))


def equal(weights, others):
    return all(map(np.array_equal, weights, others))


def test_a_state_comes_after_every_epoch_and_once_more_at_the_end():
    *epochs, end = run(part(range(6)), epochs=3)
    assert [state.epoch for state in epochs] == [1, 2, 3]
    assert end.epoch == 3
    assert [len(state.history["loss"]) for state in epochs] == [1, 2, 3]
    assert equal(end.weights, epochs[-1].weights)


def test_training_lowers_the_loss():
    losses = run(part(range(8)), rate=0.05, epochs=15)[-1].history["loss"]
    assert losses[-1] < 0.8 * losses[0]


def test_an_earlier_state_is_not_changed_by_the_epochs_after_it():
    plan = TrainingPlan(3, 3, True, 0)
    with borrow(RECIPE) as program:
        optimizer = make_optimizer("adam", 0.1)
        first = TrainingState(0, initial_weights(program.model, 0), None)
        states = Run(program, optimizer, plan, part(range(6))).states(first)
        state = next(states)
        arrays = [*state.weights, *state.optimizer_state]
        before = [np.array(array) for array in arrays]
        assert len(list(states)) == 3
    assert equal(arrays, before)
    assert len(state.history["loss"]) == 1


# -- the order of the data -------------------------------------------------------------


def test_without_shuffling_the_seed_changes_nothing():
    runs = [run(part(range(8)), shuffle=False, seed=seed)[-1] for seed in (1, 2)]
    assert runs[0].history == runs[1].history
    assert equal(runs[0].weights, runs[1].weights)


def test_with_shuffling_the_seed_decides_the_batches():
    first, again, other = (run(part(range(8)), seed=seed)[-1] for seed in (1, 1, 2))
    assert equal(first.weights, again.weights)
    assert not equal(first.weights, other.weights)


def test_every_epoch_drops_other_values_and_every_run_the_same():
    settings = {**SETTINGS, "dropout": 0.5}
    recipe = Recipe(ctc_network, tuple(settings.items()), CTCLosses())
    plan = {"recipe": recipe, "rate": 0.0, "shuffle": False}
    losses, again = (run(part(range(8)), **plan)[-1].history["loss"] for _ in range(2))
    assert len(set(losses)) == 3
    assert losses == again


def batches_seen(**plan):
    seen = []

    class Watched(FrameData):
        def assemble(self, rows, frames=None):
            seen.append(tuple(rows))
            return super().assemble(rows, frames)

    data = part(range(8)).data
    run(Subset(Watched(**vars(data)), np.arange(8)), batch_size=2, **plan)
    return np.array(seen).reshape(-1, 4, 2).tolist()


def test_every_epoch_sees_each_sequence_once_in_another_order():
    epochs = batches_seen(epochs=3)
    assert all(sorted(np.ravel(epoch)) == list(range(8)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_without_shuffling_batches_go_from_short_to_long_in_every_epoch():
    epochs = batches_seen(epochs=2, shuffle=False)
    assert epochs[0] == epochs[1]
    assert LENGTHS[np.ravel(epochs[0])].tolist() == sorted(LENGTHS)


def test_sequences_share_a_batch_only_with_those_of_their_length_if_asked():
    seen = []

    class Watched(FrameData):
        def assemble(self, rows, frames=None):
            seen.append(LENGTHS[rows].tolist())
            return super().assemble(rows, frames)

    data = part(range(8)).data
    rows = Subset(Watched(**vars(data)), np.arange(8))
    run(rows, rows, epochs=1, batch_size=4, exact_lengths=True)
    assert all(len(set(lengths)) == 1 for lengths in seen)


# -- weights of sequences --------------------------------------------------------------


def test_a_weight_of_two_is_the_same_as_being_there_twice():
    plan = {"batch_size": 9, "shuffle": False, "epochs": 4}
    weighted = run(part(range(4), weights=[1, 2, 1, 1]), **plan)[-1]
    doubled = run(part([0, 1, 1, 2, 3]), **plan)[-1]
    np.testing.assert_allclose(
        weighted.history["loss"], doubled.history["loss"], rtol=1e-5
    )
    for value, expected in zip(weighted.weights, doubled.weights, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)


def test_a_weight_of_zero_is_the_same_as_absence():
    plan = {"batch_size": 9, "shuffle": False, "epochs": 4}
    whole = part(range(4), weights=[1, 0, 2, 1])
    whole = Subset(whole.data, np.arange(4))  # as if it had not been left out before
    absent = run(part([0, 2, 3], weights=[1, 2, 1]), **plan)[-1]
    np.testing.assert_allclose(
        run(whole, **plan)[-1].history["loss"], absent.history["loss"], rtol=1e-5
    )


def test_only_the_proportions_of_the_weights_matter():
    weights = np.array([1, 3, 2, 1, 1, 4])
    runs = [run(part(range(6), weights=c * weights))[-1] for c in (1, 1000)]
    assert runs[0].history == runs[1].history


def test_the_loss_of_an_epoch_without_learning_is_the_weighted_mean():
    weights = [1, 3, 2, 1, 1, 4]
    history = run(part(range(6), weights=weights), rate=0.0, epochs=1)[-1].history
    with borrow(RECIPE) as program:
        first = initial_weights(program.model, 0)
    alone = [loss_of(first, part([i])) for i in range(6)]
    np.testing.assert_allclose(
        history["loss"], [np.average(alone, weights=weights)], rtol=1e-5
    )


# -- validation and early stopping -----------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 3, 20])
def test_the_validation_loss_is_the_mean_of_each_sequences_loss_alone(batch_size):
    state = run(part(range(4)), part(range(3, 8)), batch_size=batch_size)[-1]
    alone = [loss_of(state.weights, part([i]), batch_size=1) for i in range(3, 8)]
    np.testing.assert_allclose(state.history["val_loss"][-1], np.mean(alone), rtol=1e-5)


def test_validating_does_not_change_what_is_learnt():
    with_validation = run(part(range(4)), part(range(4, 8)))[-1]
    assert equal(with_validation.weights, run(part(range(4)))[-1].weights)


@pytest.mark.parametrize("patience", [1, 3])
def test_early_stopping_keeps_the_best_epochs_weights_and_waits_for_so_long(patience):
    validation = part(range(5, 8))
    *_, end = run(
        part(range(5)),
        validation,
        optimizer="adam",
        rate=0.3,
        epochs=60,
        patience=patience,
    )
    losses = end.history["val_loss"]
    assert 1 < end.epoch < 60
    assert end.is_stopped
    assert np.argmin(losses) == len(losses) - 1 - patience
    assert end.best_loss == min(losses)
    assert loss_of(end.result(), validation) == end.best_loss
    assert loss_of(end.weights, validation) == losses[-1]


def test_without_early_stopping_the_last_weights_count():
    *_, end = run(part(range(5)), part(range(5, 8)), rate=0.3, epochs=5)
    assert end.result() is end.weights


def test_a_validation_loss_that_is_not_a_number_ends_training():
    frames = [*FRAMES[:7], np.full((3, 2), np.nan, dtype="float32")]
    with pytest.raises(TrainingDivergedError, match="validation loss is not") as e:
        run(part(range(5)), part([6, 7], frames=frames), epochs=9, patience=2)
    assert (e.value.epoch, e.value.measure) == (1, "validation loss")
    assert pickle.loads(pickle.dumps(e.value)).measure == "validation loss"


def test_a_task_may_judge_a_validation_set_by_itself():
    losses = iter([0.5, 0.25, 0.125])
    (*_, last) = running(
        part(range(6)), part([6, 7]), judge=lambda program, subset: next(losses)
    )
    assert last.history["val_loss"] == [0.5, 0.25, 0.125]


class Drawn:
    """Data of which each epoch is made of the same three sequences, in one batch."""

    def __init__(self, subset):
        self._subset, self.sample_weight = subset, subset.data.sample_weight
        self.lengths = subset.data.lengths

    def in_epoch(self, seed, epoch, exact):
        return self

    def drawn(self, subset, plan, epoch):
        made = Subset(self._subset.data, np.array([2, 2, 4]), np.array([70, 71, 72]))
        return made, [np.arange(3)]


def test_data_may_draw_their_own_batches():
    given = {"batch_size": 3, "shuffle": False, "epochs": 1}
    drawn = run(Subset(Drawn(part(range(6))), np.arange(6)), **given)[-1]
    expected = run(part([2, 2, 4]), **given)[-1]
    assert_close(drawn.weights, expected.weights)


def test_what_fails_is_named_by_the_row_that_it_was_drawn_from():
    frames = list(FRAMES)
    frames[4] = np.full((7, 2), np.nan, dtype="float32")
    data = Drawn(part(range(6), frames=frames))
    with pytest.raises(TrainingDivergedError, match=r"X\[72\]"):
        run(Subset(data, np.arange(6)))


def test_sequences_are_read_in_the_thread_that_trains():
    threads = set()

    class Reading(FrameData):
        def read(self, rows):
            threads.add(threading.get_ident())
            return super().read(rows)

    data = Reading(**vars(part(range(8)).data))
    both = Subset(data, np.arange(8))
    run(both, both, epochs=2)
    assert threads == {threading.get_ident()}


# -- stopping by a score ---------------------------------------------------------------


def scores_of(values):
    """A score that takes these values, and the weights that were scored."""
    values, scored = iter(values), []

    def score(program, validation):
        scored.append([np.array(w) for w in program.model.get_weights()])
        return next(values)

    return score, scored


@pytest.mark.parametrize("routed", [{}, {"use_ema": True, "ema_momentum": 0.5}])
def test_the_epoch_of_the_best_score_is_kept_whatever_its_loss(routed):
    values = [0.1, -3.0, 0.7, 0.7, 0.2, 0.9]
    score, scored = scores_of(values)
    validation = part(range(5, 8))
    plan = {"patience": 2, "monitor": "val_score", "epochs": 9, "routed": routed}
    *_, end = run(part(range(5)), validation, score=score, **plan)
    assert end.history["val_score"] == values[:5]
    assert np.argmin(end.history["val_loss"]) == 4
    assert end.is_stopped
    assert end.best_loss == -0.7
    assert equal(end.result(), scored[2])


def test_a_score_that_is_not_a_number_improves_nothing():
    score, _ = scores_of([float("nan"), float("nan"), 0.5])
    plan = {"patience": 2, "monitor": "val_score", "epochs": 9}
    *_, end = run(part(range(5)), part([6, 7]), score=score, **plan)
    assert end.epoch == 2
    assert end.result() is end.weights


def test_a_score_is_given_the_validation_set_and_recorded_only_if_the_loss_decides():
    validation, seen = part(range(5, 8)), []

    def score(program, given):
        seen.append(given)
        return -float(len(seen))

    *_, end = run(part(range(5)), validation, score=score, epochs=3, patience=1)
    assert seen == [validation] * 3
    assert end.history["val_score"] == [-1.0, -2.0, -3.0]
    assert end.best_loss == min(end.history["val_loss"])


def test_without_a_validation_set_nothing_is_scored():
    (_, end) = run(part(range(5)), score=scores_of([])[0], epochs=1)
    assert list(end.history) == ["loss"]


# -- averaged weights ------------------------------------------------------------------

AVERAGED = {"use_ema": True, "ema_momentum": 0.8}


class Recorder(keras.callbacks.Callback):
    """Keeps the weights after every step, and in which epoch it was."""

    def __init__(self, interrupt_after=None):
        super().__init__()
        self.steps, self.interrupt_after = [], interrupt_after

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append((self.epoch, self.model.get_weights()))
        if len(self.steps) == self.interrupt_after:
            raise KeyboardInterrupt

    def averages(self, momentum):
        """The average at the end of each epoch, replayed."""
        average, by_epoch = None, {}
        for epoch, weights in self.steps:
            parts = zip(average or weights, weights, strict=True)
            average = [momentum * a + (1 - momentum) * w for a, w in parts]
            by_epoch[epoch] = average
        return list(by_epoch.values())


def assert_close(weights, expected):
    for value, wanted in zip(weights, expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "optimizer", ["sgd", pytest.param("adam", marks=pytest.mark.slow)]
)
def test_averaged_weights_are_validated_and_kept(optimizer):
    recorder, validation = Recorder(), part(range(5, 8))
    options = {"optimizer": optimizer, "routed": AVERAGED, "callbacks": [recorder]}
    *epochs, end = run(part(range(5)), validation, rate=0.1, **options)
    for i, (state, average) in enumerate(
        zip(epochs, recorder.averages(0.8), strict=True)
    ):
        assert_close(state.averaged_weights, average)
        assert state.result() is state.averaged_weights
        loss = loss_of(state.averaged_weights, validation)
        assert end.history["val_loss"][i] == loss
        assert not np.isclose(loss, loss_of(state.weights, validation), rtol=1e-4)
    assert equal(end.result(), epochs[-1].result())


@pytest.mark.parametrize(
    "optimizer", ["sgd", pytest.param("adam", marks=pytest.mark.slow)]
)
def test_training_continues_from_its_own_weights_not_from_the_averages(optimizer):
    data = part(range(5)), part(range(5, 8))
    averaged = run(*data, optimizer=optimizer, routed=AVERAGED)
    plain = run(*data, optimizer=optimizer)
    for state, expected in zip(averaged, plain, strict=True):
        assert equal(state.weights, expected.weights)
        assert state.resume_weights() is state.weights
        assert state.history["loss"] == expected.history["loss"]
        assert expected.averaged_weights is None


def test_early_stopping_keeps_the_averages_of_the_best_epoch():
    recorder, validation = Recorder(), part(range(5, 8))
    plan = {"optimizer": "adam", "rate": 0.3, "epochs": 60, "patience": 2}
    *epochs, end = run(
        part(range(5)), validation, routed=AVERAGED, callbacks=[recorder], **plan
    )
    best = int(np.argmin(end.history["val_loss"]))
    assert 0 < best == len(epochs) - 3
    assert_close(end.result(), recorder.averages(0.8)[best])
    assert loss_of(end.result(), validation) == end.best_loss


def test_an_interruption_in_an_epoch_leaves_the_averages_of_the_one_before():
    recorder, states = Recorder(interrupt_after=5), []
    steps = running(part(range(6)), routed=AVERAGED, callbacks=[recorder], epochs=9)
    with pytest.raises(KeyboardInterrupt):
        list(map(states.append, steps))
    assert [state.epoch for state in states] == [1, 2]
    assert_close(states[-1].result(), recorder.averages(0.8)[1])


RESUMED = {
    "averages": {"epochs": 5},
    "early stopping": {"epochs": 30, "patience": 2, "rate": 0.3},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RESUMED)
@pytest.mark.parametrize("after", [1, 3])
def test_a_resumed_fit_has_the_averages_of_an_unbroken_one(name, after, tmp_path):
    options = {"optimizer": "adam", "routed": AVERAGED, **RESUMED[name]}
    parts, path = (part(range(5)), part(range(5, 8))), tmp_path / "fit.skseq"
    *_, expected = run(*parts, **options)
    broken = Checkpoint(path, {})
    broken.start(0)
    states = running(*parts, checkpoint=broken, **options)
    for _ in range(after):
        next(states)
    states.close()
    resumed = Checkpoint(path, {})
    assert resumed.state.epoch == after
    *_, end = run(*parts, checkpoint=resumed, **options)
    for field in ("weights", "averaged_weights", "optimizer_state"):
        assert equal(getattr(end, field), getattr(expected, field))
    assert equal(end.result(), expected.result())
    assert end.history == expected.history


# -- divergence ------------------------------------------------------------------------


def test_an_infinite_loss_names_epoch_batch_and_sample():
    frames = list(FRAMES)
    frames[4] = np.full((7, 2), np.nan, dtype="float32")
    with pytest.raises(
        TrainingDivergedError, match=r"epoch 1, batch 2; .* X\[4\]"
    ) as e:
        run(part(range(8), frames=frames), shuffle=False, batch_size=4)
    assert (e.value.epoch, e.value.batch, e.value.sample) == (1, 2, 4)


def test_where_every_sequence_fails_none_is_blamed():
    frames = [np.full((n, 2), np.nan, dtype="float32") for n in LENGTHS]
    with pytest.raises(TrainingDivergedError) as e:
        run(part(range(8), frames=frames))
    assert (e.value.epoch, e.value.batch, e.value.sample) == (1, 1, None)


def test_weights_that_are_lost_in_the_last_step_are_not_returned():
    with pytest.raises(TrainingDivergedError) as e:
        run(part(range(3)), rate=float("inf"), epochs=1)
    assert (e.value.epoch, e.value.batch, e.value.sample) == (1, None, None)


def test_a_program_that_diverged_is_not_used_again():
    clear_programs()
    with borrow(RECIPE) as program:
        pass
    with pytest.raises(TrainingDivergedError):
        run(part(range(3)), rate=float("inf"), epochs=1)
    with borrow(RECIPE) as other:
        assert other is not program


# -- the progress bar ------------------------------------------------------------------


@pytest.mark.parametrize("verbose", [0, 1])
def test_only_verbose_training_prints(verbose, capfd):
    capfd.readouterr()
    run(part(range(3)), part(range(3, 6)), epochs=2, verbose=verbose)
    printed = "".join(capfd.readouterr())
    assert bool(printed) == bool(verbose)
    if verbose:
        assert "2/2" in printed
        assert "val_loss=" in printed
