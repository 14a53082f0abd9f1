"""What untrained parameters start with: drawn by their initialisers, or read from the files that they name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compiler.checkpoint.reader import CheckpointReader
from compiler.reference.target import evaluate_region
from compiler.target.protocol import Array
from returnn_ir.construct.initializers import initial_value
from returnn_ir.construct.layer_init import LayerInit
from returnn_ir.construct.state import Param
from returnn_ir.errors import DataError
from returnn_ir.ir.stored_init import StoredInit

__all__ = ["initial_parameters", "is_stored"]


def initial_parameters(params: Mapping[str, Param], seed: int) -> dict[str, Array]:
    """Values by variable name; each has random numbers of its own, which follow from its name and ``seed``.

    Raises:
        UserError: a file of ``load_on_init`` is missing, or has another shape.
    """
    files: dict[str, CheckpointReader] = {}
    found: dict[str, Array] = {}
    for name, param in params.items():
        shape = param.shape
        init = param.init
        if isinstance(init, StoredInit):
            reader = files.get(init.file) or CheckpointReader.open(init.file)
            files[init.file] = reader
            if init.name in reader.entries or not init.optional:
                found[name] = _stored(reader, init, shape)
                continue
            init = init.otherwise
        if isinstance(init, LayerInit):
            found[name] = _computed(init, seed)
            continue
        found[name] = initial_value(name, init, shape, param.value.dtype, seed)
    return found


def _computed(init: LayerInit, seed: int) -> Array:
    """What a layer gives for the initial values of other variables."""
    (value,) = evaluate_region(init.region, {}, initial_parameters(init.params, seed))
    return value.to(init.region.results[0].dims).array


def is_stored(param: Param) -> bool:
    """Whether the initial value of a parameter is one from a file (``load_on_init``).

    Raises:
        DataError: the file is missing or broken.
    """
    init = param.init
    if not isinstance(init, StoredInit):
        return False
    return not init.optional or init.name in CheckpointReader.open(init.file).entries


def _stored(reader: CheckpointReader, init: StoredInit, shape: Sequence[int]) -> Array:
    value = reader.read(init.name)
    if list(value.shape) != list(shape):
        raise DataError(
            f"{init.name!r} in {init.file} has another shape",
            where="load_on_init",
            expected=shape,
            received=value.shape,
        )
    return value
