"""Values of a program's parameters: those of a checkpoint, and the states that go from one run to the next."""

from __future__ import annotations

import numpy as np

from compiler.checkpoint.reader import CheckpointReader
from compiler.program.initial_parameters import initial_parameters, is_stored
from compiler.program.program import Program
from compiler.target.protocol import Array

__all__ = ["checkpoint_parameters", "unstarted_states"]


def checkpoint_parameters(program: Program, prefix: str) -> dict[str, Array]:
    """A checkpoint's values for a program's parameters.

    Those that it lacks are initial ones, where it may lack them: with ``non_critical_for_restore``, or where
    ``load_on_init`` names another file. Kept states, which no checkpoint has, begin anew.

    Raises:
        DataError: the checkpoint is missing, or lacks a parameter or has another shape for it.
    """
    reader = CheckpointReader.open(prefix)
    params = {name: param for name, param in program.params.items() if not param.is_kept}
    initial = {
        name: param
        for name, param in params.items()
        if name not in reader.entries and (param.may_be_missing or is_stored(param))
    }
    shapes = {name: param.shape for name, param in params.items() if name not in initial}
    return {**reader.read_matching(shapes), **initial_parameters(initial, 42), **unstarted_states(program)}


def unstarted_states(program: Program) -> dict[str, Array]:
    """The kept states before the first run, without rows."""
    kept = {name: param for name, param in program.params.items() if param.is_kept}
    return {name: np.zeros(param.shape, param.value.dtype) for name, param in kept.items()}
