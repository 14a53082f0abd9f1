"""A case as RETURNN's network: construct it, and ask what it consists of. RETURNN is imported when it is needed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.recording.case import Case, RecordError, read_case
from tests.recording.draw import Axis, Input

__all__ = ["axis_sizes", "construct", "describe", "inputs_of", "load_case", "recorded_layers", "require_returnn"]

_NEEDED = ("returnn", "tensorflow")


def require_returnn() -> None:
    """RETURNN is there to be asked.

    Raises:
        RecordError: what this Python lacks, and how to get it.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise RecordError(
            f"{sys.executable} has no package {' and none '.join(missing)}: record with the Python of an environment "
            "that has RETURNN (python -m venv oracle && oracle/bin/pip install returnn dm-tree tensorflow)"
        )


def load_case(path: Path) -> tuple[Any, Case]:
    """RETURNN's config of a file, and how it is to be run.

    Raises:
        RecordError: no such file, or a case with wrong options.
    """
    from returnn.config import Config
    from returnn.util.basic import BehaviorVersion

    if not path.is_file():
        raise RecordError(f"no such file: {path}")
    BehaviorVersion._reset()  # one process records many cases; RETURNN's own tests do the same
    config = Config()
    config.load_file(str(path))
    version = config.int("behavior_version", None)
    if version is not None:
        BehaviorVersion.set(version)
    return config, read_case(config.typed_dict.get("case", {}))


def construct(config: Any, case: Case) -> Any:
    """The network with all its layers, not only those that an output needs.

    In eval the train flag is a tensor that is False: with a constant RETURNN drops the losses inside of loops.
    """
    from returnn.tf.network import TFNetwork
    from returnn.tf.util.basic import get_global_train_flag_placeholder

    flag = True if case.train else False if case.search else get_global_train_flag_placeholder()
    network = TFNetwork(config=config, train_flag=flag, eval_flag=True, search_flag=case.search)
    layers = config.typed_dict["network"]
    network.construct_from_dict(layers)
    if case.fetch is None:
        for name in sorted(layers):
            if not name.startswith("#") and (case.search or not layers[name].get("only_on_search")):
                network.construct_layer(layers, name)
        network.construct_from_dict({})  # completes the subnetworks that came last
    for name in (*(case.fetch or ()), *case.fetch_extra):
        network.construct_layer(layers, name)
    return network


def inputs_of(network: Any) -> Iterator[Input]:
    """What a network is fed."""
    for key, data in network.extern_data.data.items():
        if key in network.extern_data.extra_added_keys:
            continue
        axes = tuple(_axis(dim) for dim in data.dims)
        yield Input(key, data.dtype, axes, data.dim if data.sparse else None)


def _axis(dim: Any) -> Axis:
    if dim.is_batch_dim():
        return "batch"
    return "dynamic" if dim.dimension is None else int(dim.dimension)


def recorded_layers(network: Any, case: Case) -> dict[str, Any]:
    """The layers whose outputs are recorded, by name."""
    if case.fetch is not None:
        names = list(case.fetch)
    else:
        names = [name for name in network.layers if name.partition(":")[0] != "data"]
    layers = {name: network.get_layer(name) for name in (*names, *case.fetch_extra)}
    return {n: la for n, la in layers.items() if la.output.placeholder is not None and la.output.dtype != "string"}


def axis_sizes(output: Any) -> dict[int, Any]:
    """The tensors of lengths of an output's dynamic axes, [batch] each, by axis; those without any are left out."""
    sizes: dict[int, Any] = {}
    for axis, dim in enumerate(output.dims):
        if not dim.is_batch_dim() and dim.dimension is None and output.has_dynamic_size(axis):
            size = output.get_dynamic_size(axis)
            if size.shape.ndims == 1:
                sizes[axis] = size
    return sizes


def describe(layer: Any) -> dict[str, Any]:
    """A layer's entry in ``meta``."""
    output = layer.output
    return {
        "beam": output.beam.beam_size if output.beam else None,
        "cls": layer.layer_class,
        "dtype": output.dtype,
        "feature_axis": output.feature_dim_axis,
        "kinds": [_kind(dim) for dim in output.dims],
        "sparse_dim": output.sparse_dim.dimension if output.sparse_dim else None,
        "time_axis": output.time_dim_axis,
    }


def _kind(dim: Any) -> str:
    if dim.is_batch_dim():
        return "batch"
    return f"dynamic:{dim.description}" if dim.dimension is None else f"static:{dim.dimension}"
