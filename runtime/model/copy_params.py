"""What of a network's parameters the next network of a training takes over, by RETURNN's rules.

A parameter is the same one if it has the same name. Those of equal shape are copied whole; what becomes of the others
is the copy mode's decision. :func:`plan_copy` needs shapes only: what cannot be copied is told before any value moves.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol, get_args

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.config.network_names import CopyMode
from returnn_ir.construct.state import Param, Splits
from returnn_ir.errors import ConfigError, ProblemList
from returnn_ir.network.net import LayerDef, Net
from runtime.checkpoints.importers import importer_of
from runtime.model.copy_blocks import copy_blocks, is_covered, old_splits

__all__ = [
    "CopyPlan",
    "copy_params",
    "fit_blocks",
    "importer_modes",
    "plan_copy",
    "reinitialized_outputs",
]


class Shaped(Protocol):
    """An array, or what stands for one (a :class:`Param` of the network before)."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis."""


@dataclass(frozen=True)
class CopyPlan:
    """Where the values of each parameter of a network come from.

    Attributes:
        whole: names of those that are copied as they are.
        blocks: of those that are copied block by block, the old array's blocks.
        fresh: names of those that start anew.
        params: of the new network.
    """

    params: Mapping[str, Param]
    whole: list[str] = field(default_factory=list)
    blocks: dict[str, Splits] = field(default_factory=dict)
    fresh: list[str] = field(default_factory=list)

    @property
    def needs_initial(self) -> list[str]:
        """The names of the parameters whose initial values are asked for."""
        return [*self.fresh, *(n for n, old in self.blocks.items() if not is_covered(self.params[n].splits, old))]

    def apply(self, old: Mapping[str, Array], fresh: Mapping[str, Array]) -> dict[str, Array]:
        """The values of all parameters; those that are copied whole, or not at all, are the arrays given.

        Args:
            old: of the network before.
            fresh: initial values, of ``needs_initial`` at least.
        """
        values: dict[str, Array] = {}
        needed = set(self.needs_initial)
        for name, param in self.params.items():
            if name in self.blocks:
                target = np.array(fresh[name]) if name in needed else np.empty(param.shape, param.value.dtype)
                copy_blocks(old[name], self.blocks[name], target, param.splits)
                values[name] = target
            else:
                values[name] = fresh[name] if name in needed else np.asarray(old[name], param.value.dtype)
        return values


def plan_copy(
    old: Mapping[str, Shaped],
    params: Mapping[str, Param],
    mode: CopyMode | None,
    *,
    anew: Collection[str] = (),
    modes: Mapping[str, CopyMode] | None = None,
) -> CopyPlan:
    """What of the old network's parameters a new network takes over.

    Args:
        old: parameters of the network before, or their values.
        params: of the new network.
        mode: None: ``ifpossible``.
        anew: names of parameters that start anew in any case.
        modes: of single parameters, instead of ``mode``.

    Raises:
        ProblemList: parameters that ``subset`` cannot copy.
    """
    plan = CopyPlan(params)
    problems: list[ConfigError] = []
    for name, param in params.items():
        own = (modes or {}).get(name, mode)
        if name not in old or param.is_kept or own == "reset" or name in anew:
            plan.fresh.append(name)
        elif tuple(old[name].shape) == param.shape:
            plan.whole.append(name)
        elif own == "subset":
            try:
                plan.blocks[name] = _old_splits(param, tuple(old[name].shape))
            except ConfigError as error:
                problems.append(error)
        else:
            plan.fresh.append(name)
    if problems:
        raise ProblemList(problems)
    return plan


def _old_splits(param: Param, shape: tuple[int, ...]) -> Splits:
    found = old_splits(param.splits, shape) if len(shape) == len(param.shape) else None
    if found is None:
        raise ConfigError(
            f"the blocks of parameter {param.name!r} cannot be found in what it was in the network before",
            where="copy_param_mode",
            expected=f"axes with the blocks {[list(sizes) for sizes in param.splits]}, or with others in their place",
            received=f"shape {list(shape)}",
            hint="'#copy_param_mode': 'ifpossible' in this network: then the parameter starts anew",
        )
    return found


def fit_blocks(param: Param, value: Array, initial: Array) -> Array:
    """What ``subset`` makes of one value of another shape and an initial one.

    Raises:
        ConfigError: the value cannot be copied.
    """
    target = np.array(initial)
    copy_blocks(value, _old_splits(param, value.shape), target, param.splits)
    return target


def copy_params(
    old: Mapping[str, Array],
    params: Mapping[str, Param],
    fresh: Mapping[str, Array],
    mode: CopyMode | None,
    *,
    anew: Collection[str] = (),
    modes: Mapping[str, CopyMode] | None = None,
) -> dict[str, Array]:
    """The values of a network's parameters after those of the network before; see :func:`plan_copy`.

    Args:
        fresh: initial values of the new network's parameters; only those that are needed are looked up.
    """
    return plan_copy(old, params, mode, anew=anew, modes=modes).apply(old, fresh)


def reinitialized_outputs(net: Net, params: Mapping[str, Param], copy_output_layer: bool | str) -> set[str]:
    """The parameters that start anew in an epoch of pretraining because of ``copy_output_layer``: see ``plan_copy``.

    Only whether it is off matters: ``"subset"`` says nothing that the copy mode does not say. Parameters of layers
    inside of an output layer are not its own.

    Args:
        net: of the epoch.
        copy_output_layer: ``False`` or ``"reset"`` for off. (The option's default is the option ``copy_param_mode`` of
            the pretraining, not that of a network.)
    """
    if copy_output_layer and copy_output_layer != "reset":
        return set()
    outputs = {definition.path for definition in net.layers.values() if _is_output(definition)}
    return {name for name, param in params.items() if param.layer in outputs}


def importer_modes(net: Net, params: Mapping[str, Param]) -> dict[str, CopyMode]:
    """The copy modes of parameters whose layers have one of their own (``custom_param_importer``): see ``plan_copy``.

    Raises:
        ProblemList: layers that have a function there, or something that is no mode.
    """
    found: dict[str, CopyMode] = {}
    problems: list[ConfigError] = []
    for definition in net.all_layers():
        try:
            mode = importer_of(definition)
            if callable(mode):
                raise _no_function(definition)
        except ConfigError as error:
            problems.append(error)
        else:
            if mode is not None:
                found[definition.path] = mode
    if problems:
        raise ProblemList(problems)
    return {name: found[param.layer] for name, param in params.items() if param.layer in found}


def _no_function(definition: LayerDef) -> ConfigError:
    return ConfigError(
        "custom_param_importer cannot be a function where the network changes",
        where=definition.key_origin("custom_param_importer"),
        expected=", ".join(map(repr, get_args(CopyMode))),
    )


def _is_output(definition: LayerDef) -> bool:
    given = definition.options.is_output_layer
    return given if given is not None else bool(definition.options.loss) or definition.path == "output"
