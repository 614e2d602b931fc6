"""Writes what was fitted for places where skseq is not: functions of a network.

A task gives its functions as `Graph`s of plain operations, decoding included, and says
in plain values what a reader must know beside them. They become one folder.
"""

import json
import os
import secrets
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from sklearn.utils.validation import check_is_fitted

from skseq._engine import onnx_files
from skseq._engine.lending import refuse_forked_process
from skseq._nn import compiled, portable
from skseq._parameters import OneOf, check_value
from skseq._version import __version__

# Beside the graphs, in the folder of an export.
DESCRIPTION = "skseq.json"

FORMATS = ("saved_model", "onnx")


@dataclass(frozen=True)
class Graph:
    """One function of a fitted network.

    Attributes
    ----------
    name : str
        Of the signature of a SavedModel, or of the file of ONNX.
    function : callable
        Takes the inputs as keyword arguments, and returns a dict of tensors.
    inputs : tuple of tf.TensorSpec
        Named as the arguments are.
    example : dict of ndarray
        A small batch of each input, which a written file is tried on.
    """

    name: str
    function: Callable[..., dict]
    inputs: tuple[tf.TensorSpec, ...]
    example: dict[str, np.ndarray]

    @classmethod
    def of(cls, name, run, parts, inputs, example) -> "Graph":
        """One of parts of what a network gives, which is run once for all of them."""

        def function(**given):
            results = run(**given)
            return {n: value for part in parts for n, value in part(*results).items()}

        return cls(name, function, inputs, example)

    def traced(self):
        """The function as TensorFlow's, of one signature for all shapes."""
        names = [spec.name for spec in self.inputs]

        @tf.function(input_signature=self.inputs, autograph=False)
        def traced(*tensors):
            return self.function(**dict(zip(names, tensors, strict=True)))

        return traced

    def results(self) -> dict[str, np.ndarray]:
        """What TensorFlow gives for the example, which is not refused."""
        with compiled.switched_off(), portable.without_assertions():
            run = self.traced().get_concrete_function()
            given = {name: tf.constant(value) for name, value in self.example.items()}
            found = run(*(given[spec.name] for spec in self.inputs))
        return {name: value.numpy() for name, value in found.items()}

    def described(self) -> dict[str, Any]:
        """Each input's dtype and shape, in plain values."""
        return {
            spec.name: {"dtype": spec.dtype.name, "shape": list(spec.shape)}
            for spec in self.inputs
        }


@dataclass(frozen=True)
class Export:
    """All that becomes one folder.

    Attributes
    ----------
    graphs : list of Graph
        The first one is what a SavedModel serves by default.
    description : dict
        What a reader must know, in plain values.
    resources : tuple
        What the functions use besides weights: tables of TensorFlow's.
    """

    graphs: list[Graph]
    description: dict[str, Any]
    resources: tuple = ()


def check_greedy(own: str, decoder: str | None) -> None:
    """Refuse a decoder that no graph holds, and to change the estimator's in silence.

    Parameters
    ----------
    own : {"greedy", "beam"}
        That of the estimator.
    decoder : str or None
        That of the export; None is the estimator's.
    """
    if decoder not in (None, "greedy"):
        raise ValueError(
            'The decoder of an export must be "greedy" or None. Got '
            f"{decoder!r} instead."
        )
    if decoder is None and own != "greedy":
        raise ValueError(
            f"decoder={own!r} cannot be exported: graphs decode greedily. Pass "
            'decoder="greedy" to export, if outputs may differ from those of predict.'
        )


def check_is_free(path) -> Path:
    """Refuse a path where something is already, but for an empty folder."""
    if not os.fspath(path):
        raise ValueError("path is empty. Name the folder to export to.")
    path = Path(os.fspath(path)).expanduser().resolve()
    if path.is_dir() and not any(path.iterdir()):
        return path
    if path.exists():
        what = "a folder that is not empty" if path.is_dir() else "a file"
        raise FileExistsError(
            f"{path} is {what}. Export to a new folder, or delete this one first."
        )
    return path


def write(path: Path, format: str, model: keras.Model, export: Export) -> None:
    """Write functions of a network into a new folder, all of them or nothing.

    Parameters
    ----------
    path : Path
        What `check_is_free` gave.
    format : {"saved_model", "onnx"}
    model : keras.Model
        What holds the weights.
    export : Export

    Raises
    ------
    FileExistsError
        If there is something at `path` already.
    ImportError
        If ONNX is asked for, and what writes it is not installed.
    ValueError
        If the format cannot hold an operation of the network.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    folder.mkdir()
    try:
        if format == "onnx":
            for graph in export.graphs:
                onnx_files.write(graph, folder / f"{graph.name}.onnx")
        else:
            _write_saved_model(model, export, folder)
        text = json.dumps(_described(format, export), indent=1, ensure_ascii=False)
        (folder / DESCRIPTION).write_text(f"{text}\n", "utf-8")
        if check_is_free(path).exists():  # another export may have come first
            path.rmdir()
        folder.rename(path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _described(format, export) -> dict[str, Any]:
    inputs = {graph.name: graph.described() for graph in export.graphs}
    versions = {
        "skseq": __version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
    }
    return {"format": format, **export.description, "inputs": inputs, **versions}


def _write_saved_model(model, export, folder) -> None:
    module = tf.Module()
    module.weights = [weight.value for weight in model.weights]
    module.resources = list(export.resources)
    signatures = {}
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    with compiled.switched_off(), onnx_files.silent(tf.get_logger()):
        for graph in export.graphs:
            function = graph.traced()
            setattr(module, graph.name, function)
            signatures[graph.name] = function.get_concrete_function()
        signatures["serving_default"] = signatures[export.graphs[0].name]
        tf.saved_model.save(module, folder, signatures, options)  # traces again


class Exportable(ABC):
    """What estimators hand out for use elsewhere: networks, and whole functions."""

    @abstractmethod
    def _exported(self, model, format) -> Export:
        """The functions of the fitted network, for `export` to write."""

    @property
    def model_(self):
        """The inference network as a `keras.Model`, for `summary()`, plots, `export`.

        It is built at each access: changing it changes no prediction. `export(path)`
        writes a SavedModel of TensorFlow's own operations, which loads where skseq is
        not; its results agree with those here to rounding.
        """
        check_is_fitted(self)
        refuse_forked_process()
        return _exportable(self._built())

    def _built(self) -> keras.Model:
        """The inference network, under the fitted weights."""
        model = self._recipe().build()
        model.set_weights(self._weights)
        return model

    def export(self, path, format="saved_model"):
        """Write the fitted functions as graphs that run where skseq is not installed.

        Parameters
        ----------
        path : str or path-like
            Folder to write, which must not be there or be empty. `skseq.json` in it
            describes the graphs.
        format : {"saved_model", "onnx"}, default="saved_model"
            "saved_model" for TensorFlow and TensorFlow Serving; "onnx" for onnxruntime
            and others, which needs ``pip install "skseq[onnx]"``.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        FileExistsError
            If `path` is a file, or a folder that is not empty.
        ImportError
            If what writes ONNX is not installed.
        ValueError
            If a step of `preprocess`, or an operation of `front_end`, cannot be part of
            a graph. The message names it.
        """
        check_is_fitted(self)
        check_value("export", "format", format, OneOf(FORMATS))
        refuse_forked_process()
        path = check_is_free(path)
        model = self._built()
        write(path, format, model, self._exported(model, format))


def _exportable(model: keras.Model) -> keras.Model:
    """Let `export` of a network write operations of TensorFlow's only.

    A SavedModel of compiled operations could be loaded only where they are, and one of
    functions with gradients of their own could not be written.
    """
    exported = model.export

    def export(filepath, format="tf_saved_model", **options):
        if format == "onnx":
            raise ValueError(
                "The network alone is not written as ONNX. Call export(path, "
                'format="onnx") of the estimator, which writes it with its decoding.'
            )
        with compiled.switched_off():
            if format == "tf_saved_model" and not options:
                _write_network(model, filepath)
            else:
                exported(filepath, format, **options)

    model.export = export
    return model


def _write_network(model, path) -> None:
    """Write the network as Keras does, with the endpoint "serve", for inference."""
    archive = keras.export.ExportArchive()
    archive.track(model)
    signature = [
        tf.TensorSpec(source.shape, source.dtype, source.name)
        for source in model.inputs
    ]
    archive.add_endpoint("serve", lambda *inputs: model(list(inputs)), signature)
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    archive.write_out(path, options, verbose=False)
