"""Export as a SavedModel: one signature per program, all over the same variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import tensorflow as tf

from compiler.target.protocol import Array
from compiler.tensorflow.align import align
from compiler.tensorflow.feeds import SEED, STEP, prepare_params
from compiler.tensorflow.program import TensorFlowProgram
from returnn_ir.errors import TargetError

__all__ = ["export_saved_model", "variables_of"]


def export_saved_model(
    path: str | Path, programs: Mapping[str, TensorFlowProgram], params: Mapping[str, Array]
) -> Path:
    """Write a SavedModel.

    Signatures take the graph's inputs under their names (``data``, ``data/size1``; with random draws ``random/seed``
    and ``random/step`` too). ``forward`` and ``search`` give ``LAYER`` and ``LAYER/size1``, any other one the losses
    (``loss/NAME`` ...), ``objective`` and ``constraints``. A check of the graph that fails, or a label out of
    range in an input, stops the run with its message.

    Args:
        path: the folder to write.
        programs: by signature, e.g. ``forward`` and ``loss``.
        params: values by RETURNN's variable name, of every program's parameters.

    Raises:
        TargetError: a signature would have no result.
        ConfigError: a parameter is missing or has another shape.
    """
    module = tf.Module()
    module.variables_by_name = variables = variables_of(programs, params)
    signatures = {name: _signature(name, program, variables) for name, program in programs.items()}
    tf.saved_model.save(module, str(path), signatures=signatures)
    return Path(path)


def variables_of(programs: Mapping[str, TensorFlowProgram], params: Mapping[str, Array]) -> dict[str, tf.Variable]:
    """One variable per parameter that any of the programs reads, under RETURNN's name."""
    variables: dict[str, tf.Variable] = {}
    for program in programs.values():
        for name, array in zip(program.params, prepare_params(program.params, params), strict=True):
            if name not in variables:
                variables[name] = tf.Variable(array, trainable=name in program.graph.trainable, name=name)
    return variables


def _signature(
    name: str, program: TensorFlowProgram, variables: Mapping[str, tf.Variable]
) -> tf.types.experimental.ConcreteFunction:
    kept = _results(name, program)
    if not kept:
        wanted = "a loss" if name == "loss" else "an output layer"
        raise TargetError(f"signature {name!r} of the SavedModel would be empty", hint=f"give the network {wanted}")
    specs = [program.spec(node, key) for key, node in program.inputs.items()]
    if any(True for _ in program.graph.nodes("random")):
        specs += [tf.TensorSpec([], tf.int64, name=key) for key in (SEED, STEP)]

    def signature(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs = {spec.name: tensor for spec, tensor in zip(specs, tensors, strict=True)}
        fetches = program.forward(inputs, variables)
        with tf.control_dependencies([*_checks(program, fetches), *_label_checks(program, inputs)]):
            return {result: tf.identity(fetches[fetch]) for result, fetch in kept.items()}

    return tf.function(signature, input_signature=specs, autograph=False).get_concrete_function()


def _results(name: str, program: TensorFlowProgram) -> dict[str, str]:
    """The fetches that a signature gives, by their names in it."""
    fetches = list(program.graph.fetches())
    if name in ("forward", "search"):
        return {fetch.removeprefix("output/"): fetch for fetch in fetches if fetch.startswith("output/")}
    return {fetch: fetch for fetch in fetches if fetch.startswith("loss/") or fetch in ("objective", "constraints")}


def _checks(program: TensorFlowProgram, fetches: Mapping[str, tf.Tensor]) -> list[tf.Operation]:
    return [
        tf.debugging.Assert(tf.reduce_all(fetches[f"check/{index}"]), [message])
        for index, (message, _) in enumerate(program.graph.checks)
    ]


def _label_checks(program: TensorFlowProgram, inputs: Mapping[str, tf.Tensor]) -> Iterator[tf.Operation]:
    """What elsewhere the host checks: labels in range in every frame of the inputs."""
    by_value = {node.result: name for name, node in program.inputs.items()}
    for name, node in program.inputs.items():
        labels, dims = node.attrs["labels"], node.result.dims
        if labels is None:
            continue
        x = inputs[name]
        fine = (x >= 0) & (x < labels)
        for at, dim in enumerate(dims):
            lengths = program.graph.body.lookup(dim) if dim.is_dynamic else None
            if lengths is not None and lengths in by_value and set(lengths.dims) <= set(dims):
                frames = tf.range(tf.shape(x, out_type=tf.int64)[at])
                shaped = tf.reshape(frames, [-1 if d is dim else 1 for d in dims])
                fine |= shaped >= align(tf.cast(inputs[by_value[lengths]], tf.int64), lengths.dims, dims)
        yield tf.debugging.Assert(
            tf.reduce_all(fine), [f"a label of data {name!r} is out of range, expected: 0 to {labels - 1}"]
        )
