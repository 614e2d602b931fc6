"""Writes functions of a network as ONNX, checked, by tf2onnx.

Each recurrence becomes one node of ONNX, LSTM or GRU, in the place of the operation
that stands for it (`_nn.portable`). A file is written only if its graph is valid and,
where onnxruntime is installed, gives what TensorFlow gives.
"""

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from skseq._nn import portable
from skseq._nn.startup import log_level_kept

OPSET = 17

# Gates of Keras in the order of ONNX: input, output, forget, cell; update, reset, own.
_GATES = {"lstm": (0, 3, 1, 2), "gru": (0, 1, 2)}

# By how much another runtime's results may differ, relatively and absolutely.
_TOLERANCE = 1e-3


def write(graph, path: Path) -> None:
    """Write one function to a file.

    Parameters
    ----------
    graph : Graph
        Of operations that ONNX has.
    path : Path
        Where to write.

    Raises
    ------
    ImportError
        If tf2onnx or onnx is not installed.
    ValueError
        If ONNX has no place for an operation, or another runtime would compute
        something else.
    """
    convert, onnx = _library("tf2onnx.convert"), _library("onnx")
    model = _converted(graph, convert)
    _check_operators(graph, model, onnx)
    content = model.SerializeToString()
    _check_results(graph, content)
    path.write_bytes(content)


def _library(name) -> Any:
    try:
        with log_level_kept():  # which tf2onnx sets
            return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"{name.partition('.')[0]} writes ONNX, and cannot be imported: {error}. "
            'Install what is needed: pip install "skseq[onnx]".'
        ) from error


def _converted(graph, convert):
    loggers = tf.get_logger(), logging.getLogger("tf2onnx")
    try:  # unknown operations are named in the exception, too
        with portable.in_use(), silent(*loggers):
            model, _ = convert.from_function(
                graph.traced(),
                input_signature=graph.inputs,
                opset=OPSET,
                custom_op_handlers={
                    portable.OPERATION: (_put_recurrence, []),
                    "SelectV2": (_put_choice, []),
                },
            )
    except Exception as error:
        raise _misfit(graph, error) from error
    return model


@contextmanager
def silent(*loggers: logging.Logger) -> Iterator[None]:
    """Let libraries keep to themselves what they are at."""
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _put_recurrence(context, node, name, arguments) -> None:
    """Put a recurrence of ONNX where an operation stands for one."""
    frames, output, memory, _, lengths = node.input
    weights = node.inputs[3].get_tensor_value(as_list=False)
    cell = _text(node.get_attr_value("rnn_mode"))
    units = context.get_shape(output)[-1]
    constants = [
        context.make_const(f"{node.name}/{part}", array).output[0]
        for part, array in _weights(cell, weights, units).items()
    ]
    result, shape = node.output[0], context.get_shape(node.output[0])
    context.remove_node(node.name)
    is_lstm = cell == "lstm"
    recurrence = context.make_node(
        cell.upper(),
        [frames, *constants, lengths, output, *[memory] * is_lstm],
        attr={"hidden_size": units} | ({} if is_lstm else {"linear_before_reset": 1}),
        output_count=3 if is_lstm else 2,
    )
    axis = context.make_const(f"{node.name}/axis", np.array([1])).output[0]
    squeezed = [recurrence.output[0], axis]  # there is one direction
    single = context.get_dtype(frames)
    context.make_node(
        "Squeeze", squeezed, outputs=[result], shapes=[shape], dtypes=[single]
    )


def _put_choice(context, node, name, arguments) -> None:
    """Choose by ONNX's own operator; products, as tf2onnx has it, let NaN through."""
    node.type = "Where"


def _text(value) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _weights(cell, flat, units) -> dict[str, np.ndarray]:
    """Kernel, recurrent kernel and bias of ONNX, of those of Keras in a row."""
    gates = _GATES[cell]
    width = units * len(gates)
    n_biases = {"lstm": 1, "gru": 2}[cell]
    bias = flat[len(flat) - n_biases * width :].reshape(n_biases, width)
    kernels = flat[: len(flat) - n_biases * width].reshape(-1, width)
    biases = np.zeros((2, width), dtype="float32")
    biases[:n_biases] = bias

    def ordered(array):
        parts = np.split(array, len(gates), axis=-1)
        return np.concatenate([parts[i] for i in gates], axis=-1)

    return {
        "W": np.ascontiguousarray(ordered(kernels[:-units]).T[np.newaxis]),
        "R": np.ascontiguousarray(ordered(kernels[-units:]).T[np.newaxis]),
        "B": ordered(biases).reshape(1, -1),
    }


def _check_operators(graph, model, onnx) -> None:
    """Refuse operators that are not of ONNX itself, and graphs that are not valid."""
    strange = sorted(
        {
            node.op_type
            for node in _nodes(model.graph)
            if node.domain not in ("", "ai.onnx")
        }
    )
    problem = f"the operators {', '.join(strange)} are not of ONNX" if strange else None
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:
        problem = problem or str(error)
    if problem:
        raise _misfit(graph, problem)


def _misfit(graph, problem) -> ValueError:
    return ValueError(
        f"ONNX cannot hold the graph of {graph.name!r}: {str(problem).rstrip('.')}. "
        "Leave out the layers of front_end that need it, or export with "
        'format="saved_model".'
    )


def _nodes(graph):
    """All nodes of a graph, and of the bodies of its loops and branches."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)


def _check_results(graph, content) -> None:
    """Refuse a file that a runtime cannot load, or reads in another way."""
    try:
        runtime = importlib.import_module("onnxruntime")
    except ImportError:
        return
    try:
        session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        found = dict(zip(names, session.run(None, graph.example), strict=True))
    except Exception as error:
        raise ValueError(
            f"onnxruntime cannot run the graph of {graph.name!r}: {error} Export with "
            'format="saved_model".'
        ) from error
    for name, value in graph.results().items():
        near = {"rtol": _TOLERANCE, "atol": _TOLERANCE, "equal_nan": True}
        if not np.allclose(found[name], value, **near):
            raise ValueError(
                f"onnxruntime gives another {name} than TensorFlow for the graph of "
                f'{graph.name!r}. Export with format="saved_model".'
            )
