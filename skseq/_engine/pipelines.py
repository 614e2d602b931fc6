"""What can be saved to one file: estimators, and pipelines of steps that are plain.

A step is one of our estimators or transformers, a transformer of scikit-learn's that
the table lists, a pipeline of such, or nothing. A pipeline is a tree of plain values,
in which each node names its kind. Knows no file's bytes, nor what an estimator keeps.
"""

import os
import reprlib
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

import skseq.preprocessing
from skseq._data.sequences import FITTED_X
from skseq._engine import saving
from skseq._engine.saving import Described, is_estimator
from skseq._engine.transformers import (
    build_transformer,
    describe_transformer,
    is_listed,
)
from skseq._files.archive import read_archive, write_archive
from skseq._files.plain import MALFORMED, pack, unpack
from skseq._parameters import ABSENT, BOOLEAN, MISSING, accepts, listed, options_of
from skseq._preprocess.plain import CLASSES
from skseq.language import Hotwords, LabelPattern, Lexicon, NgramModel
from skseq.preprocessing import FrameTransformer
from skseq.preprocessing._transformer import SequenceTransformer

KIND = "pipeline"  # of a file that holds more than an estimator
MAX_STEPS = 100  # in one file, those of pipelines inside it included
NOTHING = None, "passthrough"

ADVICE = (
    "A skseq file holds estimators and transformers of skseq, and transformers of "
    "scikit-learn whose state is arrays and numbers. Pickle the whole instead, "
    "joblib.dump(pipeline, path), or write skops.io.dump(pipeline, path)."
)


# -- saving ----------------------------------------------------------------------------


def save(estimator, path):
    """Write a fitted estimator, transformer, pipeline or search to one file.

    The file holds plain values and arrays, no code, and is written atomically:
    :func:`skseq.load` reads it. A pipeline may hold estimators and transformers of
    skseq, and transformers of scikit-learn whose state is arrays and numbers, also in a
    :class:`~skseq.preprocessing.FrameTransformer`: `StandardScaler`, `MinMaxScaler`,
    `MaxAbsScaler`, `RobustScaler`, `Normalizer`, `Binarizer`, `PowerTransformer`,
    `QuantileTransformer`, `PolynomialFeatures`, `PCA`, `IncrementalPCA`,
    `TruncatedSVD`, `VarianceThreshold`, and `FunctionTransformer` without functions. Of
    a search its `best_estimator_` is saved.

    Where to write is never kept: neither `checkpoint` of an estimator nor `memory` of a
    pipeline; nor are metadata requests.

    Parameters
    ----------
    estimator : estimator, transformer, Pipeline or search
        What to save; it must be fitted. For an estimator of skseq this is its method
        `save`.
    path : str or path-like
        Where to write; an existing file is replaced. "~" is the home folder.

    Raises
    ------
    NotFittedError
        If it is not fitted.
    TypeError
        If a step, or a parameter of one, cannot be kept; the message names it and says
        what to do.
    ValueError
        If a search has not refitted its best estimator.
    OSError
        If the file cannot be written.

    See Also
    --------
    load : Reads the file.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> import skseq
    >>> from skseq.preprocessing import FrameTransformer
    >>> scaler = make_pipeline(FrameTransformer(StandardScaler()))
    >>> X = [[[1.0], [2.0]], [[3.0], [4.0], [5.0]]]
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "scaler.skseq"
    >>> skseq.save(scaler.fit(X), path)
    >>> skseq.load(path).transform(X)[0].ravel().round(2)
    array([-1.41, -0.71])
    """
    found = _best_of_search(estimator)
    if is_estimator(found):
        found.save(path)
        return
    if not isinstance(found, BaseEstimator):
        raise TypeError(f"{reprlib.repr(found)} is not an estimator. {ADVICE}")
    packed, arrays = pack(_described(found, type(found).__name__), KIND)
    header = {"kind": KIND, KIND: packed, "versions": saving.versions()}
    try:
        _loaded(header, arrays)
    except MALFORMED as error:
        raise ValueError(
            f"A file that holds this {type(found).__name__} could not be loaded: "
            f"{str(error).rstrip('.')}. {ADVICE}"
        ) from error
    write_archive(path, header, arrays)


def _best_of_search(search):
    """The estimator that a search has settled on; any other object as it is."""
    if not any(base.__name__ == "BaseSearchCV" for base in type(search).__mro__):
        return search
    name = type(search).__name__
    if search.refit is False:
        raise ValueError(
            f"{name}(refit=False) has no best_estimator_ to save. Set refit=True and "
            "fit again, or save an estimator that you fit with its best_params_."
        )
    check_is_fitted(search, "best_estimator_")
    return search.best_estimator_


def _described(item: Any, place: str, is_fitted: bool = True) -> Any:
    """A step as plain values; errors say where it stands."""
    if item is None or isinstance(item, str):
        return item
    if is_estimator(item):
        check_is_fitted(item)
        found = saving.describe(item)
        return {"kind": "estimator", **vars(found)}
    if type(item) is Pipeline:
        return _described_pipeline(item, place, is_fitted)
    _refuse_language(item, place)
    name = type(item).__name__
    if is_fitted:
        check_is_fitted(item)
    if isinstance(item, (SequenceTransformer, FrameTransformer)):
        if CLASSES.get(name) is type(item):
            return _described_own(item, place, is_fitted)
    elif is_listed(item):
        try:
            return {"kind": "sklearn", **describe_transformer(item, is_fitted)}
        except TypeError as error:
            raise TypeError(f"{place}: {error} {ADVICE}") from error
    kind = f"{type(item).__module__.partition('.')[0]}'s {name}"
    raise TypeError(f"{place} cannot be saved: it is {kind}. {ADVICE}")


def _refuse_language(item: Any, place: str) -> None:
    """Say how to keep what belongs to a reader."""
    item = item.estimator if isinstance(item, FrozenEstimator) else item
    if isinstance(item, (Hotwords, LabelPattern, Lexicon, NgramModel)):
        alone = "pickle it"
        if isinstance(item, NgramModel) and item.__sklearn_is_fitted__():
            alone = "call its write_arpa(path), or pickle it"
        raise TypeError(
            f"{place} cannot be saved alone: files of skseq hold what is told of the "
            f"language inside the reader that follows it. To keep it, {alone}."
        )


def _described_pipeline(pipeline: Pipeline, place: str, is_fitted: bool) -> dict:
    steps = [
        [name, _described(step, f"The step {name!r} of {place}", is_fitted)]
        for name, step in pipeline.steps
    ]
    return {
        "kind": "pipeline",
        "steps": steps,
        "verbose": bool(pipeline.verbose),
        "transform_input": pipeline.transform_input,
    }


def _described_own(transformer, place: str, is_fitted: bool) -> dict:
    """One of our transformers; what is inside it is described too."""
    parameters = transformer.get_params(deep=False)
    fitted = {n: getattr(transformer, n) for n in FITTED_X if hasattr(transformer, n)}
    if isinstance(transformer, FrameTransformer):
        where = f"The transformer of {place.replace('The step', 'the step', 1)}"
        parameters["transformer"] = _described(parameters["transformer"], where, False)
        inner = getattr(transformer, "transformer_", None)
        fitted["transformer_"] = _described(inner, where, is_fitted)
    name = type(transformer).__name__
    fitted = fitted if is_fitted else {}
    for parameter, value in parameters.items():
        try:
            pack(value, f"{name}({parameter})")
        except TypeError as error:
            raise TypeError(f"{place}: {error} {ADVICE}") from error
    return {"kind": "own", "name": name, "parameters": parameters, "fitted": fitted}


# -- loading ---------------------------------------------------------------------------


def load(path, *, warm=False):
    """Read what `save` wrote: an estimator, a transformer or a pipeline.

    Nothing in the file is run, so a file from a source that you do not trust can only
    fail to load. Nor does it say where anything is written: `checkpoint` of an
    estimator and `memory` of a pipeline are None, and can be set again.

    Parameters
    ----------
    path : str or path-like
        The file that `save` wrote. "~" is the home folder.
    warm : bool, default=False
        Whether to use the estimator once on a made-up sequence, so that its network is
        compiled before the first request. A process that does this starts TensorFlow,
        and must not be forked afterwards.

    Returns
    -------
    estimator : estimator of skseq, transformer or Pipeline
        Fitted as it was saved; its predictions equal those of the saved one.

    Raises
    ------
    ValueError
        If the file is not one of skseq's, is damaged, or was written by a newer version
        of skseq.
    TypeError
        If `path` is not a str or path-like, for example an open file.
    OSError
        If the file cannot be read.

    See Also
    --------
    save : Writes the file.
    """
    archive = read_archive(path)
    try:
        found = _loaded(archive.header, archive.arrays)
    except MALFORMED as error:
        raise ValueError(
            f"{os.fspath(path)} is not a skseq file that can be loaded: {error}"
            f"{_written_by(archive.header)}"
        ) from error
    if warm:
        for estimator in _estimators_in(found):
            estimator._warm()
    return found


def _loaded(header: dict, arrays: dict) -> BaseEstimator:
    kind = header.get("kind")
    if kind == saving.KIND:
        return saving.load(header, arrays)
    if kind != KIND:
        raise ValueError(f"it holds {kind!r}, not an estimator or a pipeline")
    tree = unpack(header[KIND], arrays, saving.memory_for(arrays))
    if tree in NOTHING:
        raise ValueError("it holds nothing")
    return _built(tree, _Count(MAX_STEPS))


def _written_by(header: dict) -> str:
    """A note on a file of another scikit-learn, whose transformers may differ."""
    versions = header.get("versions")
    written = versions.get("sklearn") if isinstance(versions, dict) else None
    present = import_module("sklearn").__version__
    if header.get("kind") != KIND or written == present:
        return ""
    return (
        f". It was written with scikit-learn {reprlib.repr(written)}, and this is "
        f"{present}"
    )


class _Count:
    """How many steps a file may still hold."""

    def __init__(self, n_left: int):
        self.n_left = n_left

    def take(self) -> None:
        self.n_left -= 1
        if self.n_left < 0:
            raise ValueError(f"it holds more than {MAX_STEPS} steps")


def _built(node: Any, count: _Count, is_fitted: bool = True) -> Any:
    count.take()
    if node is None or isinstance(node, str):
        if node not in NOTHING:
            raise ValueError(f"it holds {reprlib.repr(node)} in place of a step")
        return node
    if not isinstance(node, dict):
        raise ValueError("it holds a step that is not one")
    content = dict(node)
    kind = content.pop("kind", None)
    if kind == "estimator" and is_fitted:
        return saving.rebuild(Described(**content))
    if kind == "pipeline":
        return _built_pipeline(**content, count=count, is_fitted=is_fitted)
    if kind == "own":
        return _built_own(**content, count=count, is_fitted=is_fitted)
    if kind == "sklearn":
        return build_transformer(content, is_fitted)
    raise ValueError(f"it holds a step of the unknown kind {reprlib.repr(kind)}")


def _built_pipeline(*, steps, verbose, transform_input, count, is_fitted) -> Pipeline:
    if not isinstance(steps, list) or not steps:
        raise ValueError("it holds a pipeline without steps")
    names = [name for name, _ in steps]
    taken = ["memory", "steps", "transform_input", "verbose"]
    if not all(isinstance(n, str) and n and "__" not in n for n in names) or (
        len({*names, *taken}) < len(names) + len(taken)
    ):
        raise ValueError(f"it holds a pipeline of steps named {reprlib.repr(names)}")
    if not accepts(verbose, BOOLEAN):
        raise ValueError("its pipeline is neither verbose nor silent")
    if transform_input is not None and not (
        isinstance(transform_input, list)
        and all(isinstance(name, str) for name in transform_input)
    ):
        raise ValueError("its pipeline.transform_input is not a list of names")
    built = [(name, _built(step, count, is_fitted)) for name, step in steps]
    for name, step in built[:-1]:
        if step not in NOTHING and not hasattr(step, "transform"):
            raise ValueError(f"its step {name!r} has no transform, and is not the last")
    return Pipeline(built, transform_input=transform_input, verbose=verbose)


def _built_own(*, name, parameters, fitted, count, is_fitted) -> BaseEstimator:
    """One of our transformers, of which a FrameTransformer holds another."""
    is_known = isinstance(name, str) and name in skseq.preprocessing.__all__
    if not is_known or name not in CLASSES:
        raise ValueError(f"it holds an unknown transformer {reprlib.repr(name)}")
    parameters, fitted = dict(parameters), dict(fitted)
    is_outer = CLASSES[name] is FrameTransformer
    known = {n: (*options_of(allowed), ABSENT) for n, allowed in FITTED_X.items()}
    if is_outer:
        parameters["transformer"] = _built(parameters["transformer"], count, False)
        inner = _built(fitted.pop("transformer_", None), count, is_fitted)
        if is_fitted and not hasattr(inner, "transform"):
            raise ValueError(f"its {name} holds nothing that transforms")
    transformer = CLASSES[name](**parameters)
    if unknown := sorted(fitted.keys() - known.keys()):
        raise ValueError(f"its {name} has unknown attributes {unknown}")
    vars(transformer).update(fitted)
    for attribute, allowed in known.items():
        if not accepts(getattr(transformer, attribute, MISSING), allowed):
            raise ValueError(f"its {name}.{attribute} must be {listed(allowed)}")
    if is_outer and is_fitted:
        transformer.transformer_ = inner
    elif not is_outer:
        transformer._check_parameters()
    return transformer


def _estimators_in(item: Any) -> Iterator:
    """The estimators of skseq in what was loaded."""
    if isinstance(item, Pipeline):
        for _, step in item.steps:
            yield from _estimators_in(step)
    elif is_estimator(item):
        yield item
