"""Recording a case: RETURNN computes, and everything that it gives is taken down."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.recording.case import Case, RecordError
from tests.recording.dilation import keep_static_shapes
from tests.recording.draw import Array, draw_inputs, draw_param
from tests.recording.network import axis_sizes, construct, describe, inputs_of, load_case, recorded_layers

__all__ = ["record"]

#: RETURNN constructs a layer within the one that reads it: a deep network takes some thousands of frames.
_RECURSION = 20_000


def record(path: Path, *, threads: int = 1) -> dict[str, Array]:
    """All arrays of a case's ``.npz``.

    Args:
        threads: with one, two recordings give the same numbers to the last bit.

    Raises:
        RecordError: the file, its case, or RETURNN does not compute it.
    """
    import tensorflow as tf

    sys.setrecursionlimit(_RECURSION)
    tf1 = tf.compat.v1
    tf1.disable_eager_execution()
    options = tf1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
    with tf.Graph().as_default(), tf1.Session(config=options) as session, keep_static_shapes(tf1.nn):
        config, case = load_case(path)
        tf1.set_random_seed(case.seed)
        network = construct(config, case)
        fetches = _fetches(tf, network, case)
        trainable = sorted(_name(v) for v in network.get_trainable_params())
        layers = {name: describe(layer) for name, layer in sorted(recorded_layers(network, case).items())}
        arrays = _run(session, tf1, network, case, fetches)
    meta = {"case": case.to_json(), "layers": layers, "trainable": trainable, "versions": _versions()}
    arrays["meta"] = np.array(json.dumps(meta, sort_keys=True))
    return arrays


def _name(variable: Any) -> str:
    return str(variable.name).removesuffix(":0")


def _versions() -> dict[str, str]:
    import returnn
    import tensorflow as tf

    return {"numpy": np.__version__, "returnn": returnn.__version__, "tensorflow": tf.__version__}


def _run(session: Any, tf1: Any, network: Any, case: Case, fetches: Mapping[str, Any]) -> dict[str, Array]:
    """Set the parameters, feed the inputs, run, and see which parameters changed."""
    random = np.random.RandomState(case.seed)
    session.run(tf1.global_variables_initializer())
    network.initialize_params(session)
    variables = {_name(v): v for v in network.get_params_list()}
    for name in sorted(variables):
        _set_param(session, network, random, case, name, variables[name])
    before = session.run(variables)
    inputs = draw_inputs(random, case, inputs_of(network))
    feed = _feed(network, case, inputs)
    updates = network.get_post_control_dependencies()
    results: dict[str, Array] = {}
    for step in range(case.repeat):
        if network.epoch_step is not None and not isinstance(network.epoch_step, int):
            feed[network.epoch_step] = step
        results = session.run((dict(fetches), updates), feed_dict=feed)[0]
    after = session.run(variables)
    changed = {f"param_after/{k}": after[k] for k in before if not np.array_equal(before[k], after[k])}
    return {**{f"param/{k}": before[k] for k in sorted(before)}, **inputs, **results, **changed}


def _set_param(session: Any, network: Any, random: np.random.RandomState, case: Case, name: str, variable: Any) -> None:
    """Draw a parameter, or take what the case says. Counters and states of generators stay as initialised."""
    given = case.initial(name)
    dtype = np.dtype(variable.dtype.base_dtype.as_numpy_dtype)
    shape = tuple(variable.shape.as_list())
    if (isinstance(given, str) and given == "init") or (given is None and dtype.kind != "f"):
        return
    if isinstance(given, str):
        raise RecordError(f"case: the value of {name} is {given!r}, expected a number, an array or 'init'")
    value = draw_param(random, name, shape, case.param_scale) if given is None else given
    network.get_var_assigner(variable).assign(np.broadcast_to(value, shape).astype(dtype), session=session)


def _feed(network: Any, case: Case, inputs: Mapping[str, Array]) -> dict[Any, Any]:
    """What the session is fed: inputs, their lengths, the number of sequences, the train flag."""
    feed: dict[Any, Any] = {}
    for data in inputs_of(network):
        tensor = network.extern_data.data[data.key]
        feed[tensor.placeholder] = inputs[f"input/{data.key}"]
        for axis, size in axis_sizes(tensor).items():
            feed[size] = inputs[f"input/{data.key}/size{axis}"]
    batch = network.extern_data.get_batch_info().dim
    if not isinstance(batch, int):
        feed[batch] = case.batch
    if not isinstance(network.train_flag, bool):
        feed[network.train_flag] = False
    return feed


def _fetches(tf: Any, network: Any, case: Case) -> dict[str, Any]:
    """Every tensor that is recorded, by its key."""
    fetches: dict[str, Any] = {}
    for name, layer in recorded_layers(network, case).items():
        fetches[f"output/{name}"] = layer.output.placeholder
        for axis, size in axis_sizes(layer.output).items():
            fetches[f"output/{name}/size{axis}"] = size
        choices = layer.get_search_choices() if layer.output.beam else None
        if choices is not None:
            fetches[f"output/{name}/beam_scores"] = choices.beam_scores
    fetches.update(_losses(tf, network))
    if case.grad and any(key.startswith("loss/") for key in fetches):
        fetches.update(_gradients(tf, network))
    return fetches


def _losses(tf: Any, network: Any) -> dict[str, Any]:
    """Losses as sums over frames, what makes means of them, and the objective."""
    objective = network.get_objective()
    fetches: dict[str, Any] = {}
    for name, loss in sorted(network.losses_dict.items()):
        parts = {"": loss.get_loss_value(), "/error": loss.get_error_value(), "/norm_factor": loss.get_norm_factor()}
        fetches.update({f"loss/{name}{part}": value for part, value in parts.items() if value is not None})
    constraints = network.get_total_constraints()
    if fetches or tf.is_tensor(constraints):
        fetches["objective"] = tf.convert_to_tensor(objective)
    if tf.is_tensor(constraints):
        fetches["constraints"] = constraints
    return fetches


def _gradients(tf: Any, network: Any) -> dict[str, Any]:
    """Gradients of the objective for every parameter that is trained and that it depends on."""
    objective = network.get_objective()
    variables = network.get_trainable_params()
    if not tf.is_tensor(objective) or not variables:
        return {}
    gradients = zip(variables, tf.compat.v1.gradients(objective, variables), strict=True)
    return {f"grad/{_name(v)}": tf.convert_to_tensor(gradient) for v, gradient in gradients if gradient is not None}
