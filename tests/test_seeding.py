"""Seeds are functions of one integer and a name, and leave no trace."""
# ruff: noqa: NPY002 (the global generator of NumPy is what is tested here)

import hashlib
import random
import threading

import numpy as np
import pytest

from skseq._seeding import derive, draw_seed, generator, private_random


def global_states():
    name, keys, *rest = np.random.get_state()
    return random.getstate(), (name, keys.tolist(), *rest)


@pytest.fixture
def untouched():
    """Hold the global generators to the state they are in."""
    before = global_states()
    yield
    assert global_states() == before


@pytest.mark.parametrize("seed", [0, 42, np.int64(42), 2**32 - 1])
def test_an_int_gives_the_same_seed_and_touches_nothing_global(seed, untouched):
    assert draw_seed(seed) == draw_seed(int(seed))
    assert type(draw_seed(seed)) is int
    assert 0 <= draw_seed(seed) < 2**31 - 1


def test_other_ints_give_other_seeds():
    assert len({draw_seed(i) for i in range(200)}) == 200


def test_a_random_state_is_advanced_and_repeats_from_its_own_start(untouched):
    first, second = np.random.RandomState(7), np.random.RandomState(7)
    drawn = [draw_seed(first) for _ in range(3)]
    assert drawn == [draw_seed(second) for _ in range(3)]
    assert len(set(drawn)) == 3
    assert drawn[0] == draw_seed(7)


def test_none_follows_the_global_generator_of_numpy():
    with private_random(5):
        first = draw_seed(None), draw_seed()
    with private_random(5):
        assert (draw_seed(None), draw_seed()) == first
    assert first[0] != first[1]


@pytest.mark.parametrize("bad", ["x", -1, 2**32, 1.5])
def test_what_cannot_seed_is_a_value_error(bad):
    with pytest.raises(ValueError, match=r"seed|Seed"):
        draw_seed(bad)


def test_a_derived_seed_is_the_same_in_every_process():
    # Python hashes strings differently in every process, such as each run of this.
    assert derive(3, "shuffle", 12, "é") == 560869730


def test_the_derived_seed_is_the_hash_it_is_said_to_be():
    digest = hashlib.blake2b(b'[3, "a", 1]', digest_size=16).digest()
    assert derive(3, "a", 1) == int.from_bytes(digest, "little") % (2**31 - 1)


def test_different_places_have_different_seeds():
    paths = [(), (1,), ("1",), (1, 1), (11,), ("a", "b"), ("ab",), ("a", 'b", "c')]
    paths += [("a", "b", "c"), ("a,b",), (-1,), (2**40,), ("",), ("", "")]
    seeds = {derive(seed, *path) for seed in range(50) for path in paths}
    assert len(seeds) == 50 * len(paths)
    assert all(type(seed) is int and 0 <= seed < 2**31 - 1 for seed in seeds)


def test_numpy_integers_name_the_same_place_as_those_of_python():
    assert derive(np.int64(3), "epoch", np.uint8(4)) == derive(3, "epoch", 4)


@pytest.mark.parametrize("part", [1.0, None, b"a", ("a",), object()])
def test_a_place_has_no_other_names(part):
    with pytest.raises(TypeError):
        derive(0, part)


def test_derived_seeds_are_spread_evenly():
    seeds = np.array([derive(0, i) for i in range(4000)])
    counts = np.histogram(seeds, bins=16, range=(0, 2**31 - 1))[0]
    chi_squared = ((counts - 250) ** 2 / 250).sum()
    assert chi_squared < 37.7  # the 0.1 % point for 15 degrees of freedom


def test_generators_repeat_and_do_not_depend_on_the_order_of_their_making(untouched):
    first = [generator(1, "shuffle", epoch).random(4) for epoch in range(3)]
    again = [generator(1, "shuffle", epoch).random(4) for epoch in (2, 1, 0)]
    np.testing.assert_array_equal(first, again[::-1])
    assert len({draw.tobytes() for draw in first}) == 3
    assert isinstance(generator(1), np.random.Generator)


def test_private_random_seeds_both_global_generators_and_puts_them_back():
    np.random.standard_normal()  # leaves a cached second number behind
    before = global_states()
    with private_random(3):
        drawn = random.random(), np.random.random(), np.random.standard_normal()
    assert global_states() == before
    with private_random(3):
        again = random.random(), np.random.random(), np.random.standard_normal()
    assert again == drawn
    assert drawn[0] == random.Random(3).random()
    assert drawn[1] == np.random.RandomState(3).random()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_private_random_puts_them_back_after_an_exception(error, untouched):
    def draw_and_fail():
        with private_random(3):
            raise error(np.random.random(), random.random())

    with pytest.raises(error):
        draw_and_fail()


def test_a_seed_that_numpy_refuses_leaves_both_generators_alone(untouched):
    with pytest.raises(ValueError, match="Seed"), private_random(-1):
        pass


def test_private_random_may_be_nested(untouched):
    with private_random(1):
        first = random.random()
        with private_random(1):
            assert random.random() == first
        second = random.random()
    stream = random.Random(1)
    assert [first, second] == [stream.random(), stream.random()]


def test_threads_in_private_random_do_not_interleave(untouched):
    expected = {seed: np.random.RandomState(seed).random(20) for seed in range(8)}
    drawn = {}

    def draw(seed):
        with private_random(seed):
            drawn[seed] = [np.random.random() for _ in range(20)]

    threads = [threading.Thread(target=draw, args=(seed,)) for seed in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, numbers in expected.items():
        np.testing.assert_array_equal(drawn[seed], numbers)
