"""The values that a run begins with, of parameters of networks; NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from compiler.program.initial_parameters import initial_parameters, is_stored
from compiler.target.protocol import Array
from returnn_ir.construct.state import Param
from runtime.checkpoints.files import GLOBAL_STEP
from runtime.checkpoints.loading import Loading, LoadPlan, plan_loading
from runtime.checkpoints.sources import Wanted
from runtime.model.copy_params import fit_blocks

__all__ = ["loaded_values", "plan_params"]


def loaded_values(loading: Loading, params: Mapping[str, Param], seed: int) -> tuple[dict[str, Array], LoadPlan]:
    """The values of parameters, and of ``global_step``, with the plan that says where they are from.

    States that are kept from batch to batch have none.

    Args:
        seed: of initial values, which those get that no file has.

    Raises:
        UserError: a file that is missing or broken, does not fit, or does not have what it should.
    """
    plan = plan_params(loading, params)
    initials = initial_parameters({name: params[name] for name in plan.initial & params.keys()}, seed)
    return plan.values({**initials, GLOBAL_STEP: np.zeros((), np.int64)}), plan


def plan_params(loading: Loading, params: Mapping[str, Param]) -> LoadPlan:
    """Where the values of parameters come from; raises as :func:`loaded_values`."""
    wanted = [_wanted(param) for param in params.values() if not param.is_kept]
    return plan_loading(loading, [*wanted, Wanted(GLOBAL_STEP, (), "int64")], fit=partial(_fitted, params))


def _wanted(param: Param) -> Wanted:
    return Wanted(param.name, param.shape, param.value.dtype, is_stored(param), param.may_be_missing)


def _fitted(params: Mapping[str, Param], wanted: Wanted, value: Array, initial: Array) -> Array:
    return fit_blocks(params[wanted.name], value, initial)
