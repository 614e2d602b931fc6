"""A fitted estimator as plain values and weights, and built again from them.

A file names its class, which must be in the table of public estimators, and gives
parameters, fitted values and weights. Loading asks our own network which weights it
has, without making any, and compares: a hostile file can fail to load, but it cannot
run code or make us allocate more than it holds itself.
"""

import skseq._nn.backend  # noqa: F401 - starts TensorFlow

# isort: split
import platform
import reprlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module

import numpy as np
import tensorflow as tf

from skseq._engine.optimizers import check_plain_optimizer
from skseq._engine.state import check_weights
from skseq._files.archive import write_archive
from skseq._files.plain import FREE_BYTES, pack, unpack
from skseq._names import ESTIMATORS
from skseq._preprocess.plain import build_steps, describe_steps
from skseq._wording import counted
from skseq.language._plain import build as build_language
from skseq.language._plain import describe as describe_language

KIND = "estimator"
LIBRARIES = ("skseq", "sklearn", "tensorflow", "keras", "numpy")
NOT_KEPT = {"checkpoint"}  # a file must not say where a later fit writes
WEIGHTS = "weights/"  # how the names of weights begin, among a file's arrays
FOR_TRAINING = {
    "callbacks",
    "class_weight",
    "learning_rate",
    "optimizer",
    "random_state",
}
# How parameters and fitted values that are objects of ours become plain, and back.
STEPS = describe_steps, build_steps
LANGUAGE = describe_language, build_language
OBJECTS = {
    "preprocess": STEPS,
    "_steps": STEPS,
    "language_model": LANGUAGE,
    "lexicon": LANGUAGE,
    "hotwords": LANGUAGE,
    "pattern": LANGUAGE,
    "_language": LANGUAGE,
    "_language_file": LANGUAGE,
}
MAX_LAYERS = 200  # asking a network of more for its weights takes minutes


@dataclass(frozen=True)
class Described:
    """A fitted estimator as plain values.

    Attributes
    ----------
    name : str
        Its class.
    parameters, fitted : dict
        Values by their names, those of steps described by `describe_steps`.
    weights : dict of str to ndarray
        By their paths in the network, in its order.
    """

    name: str
    parameters: dict
    fitted: dict
    weights: dict[str, np.ndarray]


def save(estimator, path) -> None:
    """Write a fitted estimator's state to one archive."""
    described = describe(estimator)
    parameters, arrays = pack(described.parameters)
    fitted, fitted_arrays = pack(described.fitted)
    weights = {f"{WEIGHTS}{path}": a for path, a in described.weights.items()}
    header = {
        "kind": KIND,
        "estimator": described.name,
        "parameters": parameters,
        "fitted": fitted,
        "versions": versions(),
    }
    arrays |= fitted_arrays | weights
    with _blaming(estimator):
        _unpacked(header, arrays)
    write_archive(path, header, arrays)


def describe(estimator) -> Described:
    """Turn a fitted estimator into plain values, from which `rebuild` makes an equal.

    Raises
    ------
    TypeError, ValueError
        If a file could not hold them; the message says what to do.
    """
    _refuse_subclass(type(estimator))
    estimator._complete()
    names = [n for n in estimator._fitted if hasattr(estimator, n)]
    _refuse_own_layers(estimator._settings)
    parameters = _plain_parameters(estimator)
    values = {name: _plain(name, getattr(estimator, name)) for name in names}
    _check_layers(estimator._settings, len(estimator._weights))
    weights = dict(zip(_shapes_of(estimator), estimator._weights, strict=True))
    described = Described(type(estimator).__name__, parameters, values, weights)
    with _blaming(estimator):
        _check_tables(described)
        _check_restored(estimator)
    return described


@contextmanager
def _blaming(estimator) -> Iterator[None]:
    """Say of an estimator, before it is written, that its file could not be loaded."""
    try:
        yield
    except ValueError as error:
        raise ValueError(
            f"A file that holds this {type(estimator).__name__} could not be loaded: "
            f"{str(error).rstrip('.')}. Such an estimator can be pickled."
        ) from error


def versions() -> dict[str, str]:
    """What a file is written by."""
    found = {name: import_module(name).__version__ for name in LIBRARIES}
    return {**found, "python": platform.python_version()}


def is_estimator(value) -> bool:
    """Whether a value is one of the public estimators, or of a subclass of one."""
    known = ESTIMATORS.items()
    bases = {(base.__name__, base.__module__) for base in type(value).__mro__}
    return not bases.isdisjoint(known)


def _refuse_subclass(kind: type) -> None:
    """A file names a class of ours; what a subclass adds would be lost."""
    module = ESTIMATORS.get(kind.__name__)
    if module is None or getattr(import_module(module), kind.__name__) is not kind:
        raise TypeError(
            f"{kind.__module__}.{kind.__qualname__} cannot be saved: a skseq file "
            "holds an estimator of skseq itself, not of a subclass. Pickle it instead."
        )


def _refuse_own_layers(settings: dict) -> None:
    for name, value in settings.items():
        if callable(value):
            raise TypeError(
                f"{name}={value!r} cannot be saved: it is part of the network, and a "
                "skseq file holds no code. Pickle the estimator instead; to unpickle "
                "it, the module that defines the function must be importable."
            )


def _plain_parameters(estimator) -> dict:
    """The parameters; a refusal says what to do about the one that it names."""
    defaults = type(estimator)().get_params()
    plain = {}
    params = {**estimator._portable_params(), **dict.fromkeys(NOT_KEPT)}
    for name, value in params.items():
        plain[name] = _plain(name, value)
        try:
            pack({name: plain[name]})
        except TypeError as error:
            advice = "Pickle the estimator instead."
            if name in FOR_TRAINING:
                default = f"{name}={defaults[name]!r}"
                advice = (
                    f"Only training needs it: call set_params({default}) before you "
                    "save, or pickle the estimator."
                )
            raise TypeError(f"{error} {advice}") from error
    return plain


def _plain(name: str, value):
    return OBJECTS[name][0](value) if name in OBJECTS else value


def _built(name: str, value):
    return OBJECTS[name][1](value) if name in OBJECTS else value


def load(header: dict, arrays: dict[str, np.ndarray]):
    """Build the estimator that `save` wrote, of what its archive holds."""
    parameters, fitted, weights = _unpacked(header, arrays)
    return rebuild(Described(header["estimator"], parameters, fitted, weights))


def rebuild(described: Described):
    """Build an estimator of plain values, from any source.

    Raises
    ------
    ValueError, or another of `MALFORMED`
        If `describe` cannot have returned them.
    """
    name = described.name
    if not isinstance(name, str) or name not in ESTIMATORS:
        raise ValueError(f"it holds an unknown estimator {reprlib.repr(name)}")
    _check_tables(described)
    estimator_class = getattr(import_module(ESTIMATORS[name]), name)
    parameters, fitted = (
        {name: _built(name, value) for name, value in values.items()}
        for values in (described.parameters, described.fitted)
    )
    estimator = estimator_class(**{**parameters, **dict.fromkeys(NOT_KEPT)})
    unknown = set(fitted) - set(estimator._fitted)
    if unknown:
        raise ValueError(f"it has unknown attributes {sorted(unknown)}")
    _check_layers(fitted.get("_settings"), len(described.weights))
    vars(estimator).update(fitted)
    _check_restored(estimator)
    expected = {p: (s, "float32") for p, s in _expected_shapes(estimator).items()}
    estimator._weights = check_weights(described.weights, expected)
    estimator._resume_weights = estimator._weights
    estimator._optimizer_state = None
    return estimator


def _check_restored(estimator) -> None:
    estimator._check_restored()
    check_plain_optimizer(estimator.optimizer, estimator._routed("optimizer"))


def _unpacked(header, arrays):
    """The parameters, the fitted values and the weights by their paths."""
    weights = {n: a for n, a in arrays.items() if n.startswith(WEIGHTS)}
    others = {n: a for n, a in arrays.items() if n not in weights}
    packed = {n: header[n] for n in ("parameters", "fitted")}
    values = unpack(packed, others, memory_for(arrays))
    weights = {n.removeprefix(WEIGHTS): a for n, a in weights.items()}
    return values["parameters"], values["fitted"], weights


def memory_for(arrays: dict[str, np.ndarray]) -> int:
    """How many bytes may be unpacked from the arrays of a file."""
    return FREE_BYTES + 2 * sum(array.nbytes for array in arrays.values())


def _check_tables(described: Described) -> None:
    for name in ("parameters", "fitted", "weights"):
        value = getattr(described, name)
        if not isinstance(value, dict) or not all(isinstance(k, str) for k in value):
            raise ValueError(f"its {name} must be a table of names and values")
    _refuse_imports(described.parameters)


def _refuse_imports(value) -> None:
    """Refuse configs of what is not Keras's own, which Keras would import by name."""
    if isinstance(value, dict):
        module = value.get("module")
        if module is not None and not str(module).startswith("keras."):
            raise ValueError(f"its parameters name the module {module!r}")
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            _refuse_imports(item)


def _check_layers(settings, n_weights: int) -> None:
    """Refuse settings that name more layers than a file has weights, or can have.

    What a network is built of stands in tuples, the units of its layers for example.
    Every layer has weights, so there are at least as many of these as of entries.
    """
    values = settings.values() if isinstance(settings, dict) else ()
    containers = (dict, list, tuple, np.ndarray)
    n_layers = sum(_n_entries(v) for v in values if isinstance(v, containers))
    if n_layers > n_weights:
        raise ValueError(
            "its weights do not fit its settings, which name "
            f"{counted(n_layers, 'layer')} for {counted(n_weights, 'weight')}"
        )
    if n_layers > MAX_LAYERS:
        raise ValueError(
            f"A skseq file can hold a network of up to {MAX_LAYERS} layers. This one "
            f"names {n_layers}; such an estimator can be pickled."
        )


def _n_entries(value) -> int:
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, np.ndarray):
        return value.size
    if not isinstance(value, (list, tuple)):
        return 1
    return sum(map(_n_entries, value))


def _expected_shapes(estimator) -> dict[str, tuple]:
    """The shapes that a restored network's weights must have, if it is a network."""
    try:
        return _shapes_of(estimator)
    except MemoryError:
        raise
    except Exception as error:  # Keras and TensorFlow raise some ten kinds
        raise ValueError(f"its settings describe no network: {error}") from error


def _shapes_of(estimator) -> dict[str, tuple]:
    return weight_shapes(estimator._network, estimator._settings)


def weight_shapes(network, settings: dict) -> dict[str, tuple[int, ...]]:
    """Path and shape of every weight of a network, in its order.

    The network is built in a graph that is never run, so no weight is allocated, and in
    a thread of its own, as what Keras remembers of a network it remembers per thread.

    Parameters
    ----------
    network : callable
        Builds the `keras.Model` from the settings.
    settings : dict
        The keyword arguments of `network`.

    Returns
    -------
    shapes : dict of str to tuple of int
    """
    with ThreadPoolExecutor(1) as own_thread:
        return own_thread.submit(_shapes_in_a_graph, network, settings).result()


def _shapes_in_a_graph(network, settings):
    with tf.Graph().as_default():
        return {w.path: tuple(w.shape) for w in network(**settings).weights}
