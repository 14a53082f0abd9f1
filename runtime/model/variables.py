"""The variables of a run, under RETURNN's names; networks come and go over them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from compiler.program.initial_parameters import initial_parameters
from compiler.program.program import Program
from compiler.target.protocol import Array
from returnn_ir.config.network_names import CopyMode
from returnn_ir.construct.state import Param
from returnn_ir.errors import DataError
from runtime.checkpoints.files import GLOBAL_STEP
from runtime.checkpoints.loading import Loading
from runtime.model.copy_params import plan_copy
from runtime.model.loaded_values import loaded_values

__all__ = ["Variables"]

Variable: TypeAlias = Any  # TensorFlow has no type information


class Variables:
    """Every variable of a run by name, and the step that it has come to.

    They outlive networks: the next one finds those that it shares with the ones before it, and what it needs besides is
    made; :meth:`change` makes them those of a network with other shapes. What of them is trained is a matter of the
    step that uses them.

    Args:
        seed: of initial values.

    Attributes:
        global_step: the number of updates so far, int64 scalar.
    """

    def __init__(self, seed: int = 42) -> None:
        import tensorflow as tf

        self.seed = seed
        self.global_step: Variable = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._by_name: dict[str, Variable] = {}

    def of(self, program: Program) -> dict[str, Variable]:
        """Those of a program's parameters; the ones that are not there yet are made, with their initial values.

        Raises:
            DataError: there is one with another shape or type.
            UserError: a file that ``load_on_init`` names is missing or does not fit.
        """
        missing = self._missing(program)
        if missing:
            initial = program.initial_params(self.seed)
            for name in missing:
                self._make(program.params[name], initial[name])
        return {name: self._by_name[name] for name in program.params}

    @property
    def steps_done(self) -> int:
        """The number of updates so far."""
        return int(self.global_step.numpy())

    def values(self) -> dict[str, Array]:
        """The value of each variable there is."""
        return {name: variable.numpy() for name, variable in self._by_name.items()}

    def change(
        self,
        programs: Iterable[Program],
        mode: CopyMode | None,
        *,
        anew: Collection[str] = (),
        modes: Mapping[str, CopyMode] | None = None,
        old: Mapping[str, Array] | None = None,
    ) -> None:
        """Become the variables of another network: its values are those of the ones before it, as far as they go.

        Variables that stay as they are, or only start anew, are the same objects; those that are gone are freed.

        Args:
            programs: of that network.
            mode: how values get into it, see ``runtime.model.copy_params``.
            anew: the names of parameters that start anew in any case.
            modes: of single parameters, instead of ``mode``.
            old: values to take over, instead of those of the variables.

        Raises:
            ProblemList: parameters that cannot be copied.
            UserError: a file that ``load_on_init`` names is missing or does not fit.
        """
        params = {name: param for program in programs for name, param in program.params.items()}
        shapes = {name: _Shape(v) for name, v in self._by_name.items()}
        plan = plan_copy(shapes if old is None else old, params, mode, anew=anew, modes=modes)
        stay = set() if old is not None else self._fitting(params, plan.whole)
        changed = {name: param for name, param in params.items() if name not in stay}
        plan = replace(plan, params=changed, whole=[name for name in plan.whole if name in changed])
        if old is None:
            old = {name: self._by_name[name].numpy() for name in (*plan.whole, *plan.blocks)}
        initial = initial_parameters({name: params[name] for name in plan.needs_initial}, self.seed)
        there = self._fitting(params, changed)
        for name in [name for name in self._by_name if name not in stay | there]:
            del self._by_name[name]
        for name, value in plan.apply(old, initial).items():
            if name in there:
                self._by_name[name].assign(value)
            else:
                self._make(params[name], value)

    def _fitting(self, params: Mapping[str, Param], names: Iterable[str]) -> set[str]:
        """The names of those whose variable is there, with its shape and type."""
        return {n for n in names if n in self._by_name and _is_variable_of(params[n], self._by_name[n])}

    def load(self, loading: Loading, programs: Iterable[Program]) -> list[str]:
        """Give those of the programs the values that a run begins with; returns what is to be told about them.

        Raises:
            UserError: a file that is missing or broken, does not fit, or does not have them.
        """
        params = {name: param for program in programs for name, param in self._checked(program).items()}
        values, plan = loaded_values(loading, params, self.seed)
        self.global_step.assign(values.pop(GLOBAL_STEP))
        for name, param in params.items():
            if name not in self._by_name:
                self._make(param, values.get(name, np.zeros(param.shape, param.value.dtype)))
            elif name in values:
                self._by_name[name].assign(values[name])
        return [line for coverage in plan.coverage for line in coverage.lines()]

    def saved(self, programs: Iterable[Program]) -> dict[str, Variable]:
        """What a checkpoint of the programs' network holds: not states kept from batch to batch, of a batch's size."""
        used = {name: variable for program in programs for name, variable in self.of(program).items()}
        return {**{n: v for n, v in used.items() if v.shape.is_fully_defined()}, GLOBAL_STEP: self.global_step}

    def _missing(self, program: Program) -> list[str]:
        return [name for name in self._checked(program) if name not in self._by_name]

    def _checked(self, program: Program) -> dict[str, Param]:
        """The program's parameters, which are what the variables of their names are."""
        for name, param in program.params.items():
            there = self._by_name.get(name)
            if there is not None:
                _check_same(name, param, there)
        return program.params

    def _make(self, param: Param, value: Array) -> None:
        import tensorflow as tf

        shape = [d.size for d in param.dims]
        self._by_name[param.name] = tf.Variable(value, trainable=False, dtype=value.dtype, shape=shape)


class _Shape:
    """The shape of a variable: a state that is kept from batch to batch has no rows."""

    def __init__(self, variable: Variable) -> None:
        self.shape: tuple[int, ...] = tuple(size or 0 for size in variable.shape.as_list())


def _is_variable_of(param: Param, variable: Variable) -> bool:
    return _declared(param) == _of_variable(variable)


def _declared(param: Param) -> tuple[list[int | None], str]:
    return [d.size for d in param.dims], param.value.dtype


def _of_variable(variable: Variable) -> tuple[list[int | None], str]:
    return variable.shape.as_list(), variable.dtype.name


def _check_same(name: str, param: Param, there: Variable) -> None:
    """A network that comes later means the variable that is there, unless they were changed to its own."""
    if not _is_variable_of(param, there):
        wanted, found = _declared(param), _of_variable(there)
        raise DataError(
            f"variable {name!r} is another one than in the network before",
            expected=f"shape {found[0]}, {found[1]}",
            received=f"shape {wanted[0]}, {wanted[1]}",
        )
